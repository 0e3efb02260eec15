// Node as the host of the CPU device: worker threads, the number of cores, V8's flags.
// Output: a Platform, or undefined outside Node. Modules of Node are reached through `process.getBuiltinModule`, never
// imported: the device is created synchronously, and a bundler for the browser must find nothing to resolve here.

import { hasRelaxedSimd } from './features.js';
import type { Platform, ThreadHandle } from './platform.js';

export function createNodePlatform(): Platform | undefined {
  const { process } = globalThis as { process?: NodeJS.Process };
  if (process?.versions?.node === undefined || process.getBuiltinModule === undefined) return undefined;
  return {
    name: 'node',
    shared: true,
    mayBlock: true,
    cores: process.getBuiltinModule('node:os').availableParallelism(),
    environment: (name) => process.env[name],
    compiling: createCompiling(process),
    spawn: (code, data, name) => spawnWorkerThread(process, code, data, name),
  };
}

function spawnWorkerThread(process: NodeJS.Process, code: string, data: unknown, name: string): ThreadHandle {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(`${code};start(require('node:worker_threads').workerData, undefined);`, {
    eval: true,
    workerData: data,
    name,
    execArgv: [], // the caller's loaders and preloads are of no use there
    trackUnmanagedFds: false,
  });
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen(listener, failed) {
      worker.on('message', listener);
      worker.on('error', (error) => failed(String(error)));
      worker.unref(); // once more: listening for messages keeps the process alive
    },
    async terminate() {
      worker.ref(); // or the process ends before the thread has, and whoever awaits this never goes on
      await worker.terminate();
    },
  };
}

/**
 * Makes V8 compile with relaxed SIMD (a flag in Node 20, the default later) and straight to optimised code: its baseline
 * code is 3 to 4 times slower, and kernels are few, small and hot. Measured on a module of 158 kB: 36 ms for all of it
 * at once, against 0.2 ms and then 300 slow calls until the last function is replaced.
 * V8's flags belong to the process. They are set only while a module of ours is being compiled, on this thread, which
 * therefore runs nothing else, and put back at once: other WebAssembly keeps its defaults. (Another thread that compiles
 * in these milliseconds gets optimised code too; it cannot break.) A flag that the user chose is left alone.
 */
function createCompiling(process: NodeJS.Process): Platform['compiling'] {
  const chosen = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`.replaceAll('_', '-');
  const [set, reset] = [new Array<string>(), new Array<string>()];
  const choose = (flag: string, name: string, back: string): void => {
    if (chosen.includes(name)) return;
    set.push(flag);
    reset.push(back);
  };
  const hasRelaxed = hasRelaxedSimd();
  if (!hasRelaxed) choose('--experimental-wasm-relaxed-simd', 'relaxed-simd', '--no-experimental-wasm-relaxed-simd');
  choose('--no-liftoff', 'liftoff', '--liftoff');
  choose('--no-wasm-lazy-compilation', 'wasm-lazy-compilation', '--wasm-lazy-compilation');
  const v8 = process.getBuiltinModule('node:v8');
  return (work) => {
    for (const flag of set) v8.setFlagsFromString(flag);
    try {
      work();
    } finally {
      for (const flag of reset) v8.setFlagsFromString(flag);
    }
  };
}
