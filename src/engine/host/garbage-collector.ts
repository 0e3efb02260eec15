// The host's garbage collector. Buffers lie outside its sight: it sees small objects where there are megabytes, and lets them lie.
// Output: a function that collects at once, where the host has one. A page has none; Node's and Deno's is V8's `gc`, which a
// flag shows to contexts made while it is set, Bun has one of its own (it takes V8's flags and does nothing with them).

import { debug } from '../device/debug.js';

interface Host {
  readonly gc?: () => void;
  readonly Bun?: { readonly gc?: (isSynchronous: boolean) => void };
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

/** Undefined where there is none: buffers then come back whenever the host collects of its own accord. */
export function findGarbageCollector(host: Host = globalThis): (() => void) | undefined {
  if (host.gc !== undefined) return host.gc;
  const bun = host.Bun?.gc;
  if (bun !== undefined) return () => bun(true);
  if (host.process?.getBuiltinModule === undefined) return undefined;
  try {
    const v8 = host.process.getBuiltinModule('node:v8') as { setFlagsFromString(flag: string): void };
    const vm = host.process.getBuiltinModule('node:vm') as { runInNewContext(code: string): unknown };
    v8.setFlagsFromString('--expose-gc');
    const found = vm.runInNewContext('globalThis.gc');
    v8.setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return found as () => void;
    debug(1, () => 'garbage collection: this host has no gc() to call, memory is freed when it collects by itself');
  } catch (error) {
    debug(
      1,
      () => `garbage collection: cannot be asked for, memory is freed when it happens by itself: ${String(error)}`,
    );
  }
  return undefined;
}
