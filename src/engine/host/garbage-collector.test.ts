// What each kind of host offers, and that asking a host that offers nothing is no error.
import { expect, test, vi } from 'vitest';
import { findGarbageCollector } from './garbage-collector.js';

/** A Node whose new contexts have `gc` or not, and that notes the flags it is given. */
function nodeWith(gc: unknown, flags: string[] = []) {
  const modules: Record<string, unknown> = {
    'node:v8': { setFlagsFromString: (flag: string) => flags.push(flag) },
    'node:vm': { runInNewContext: (code: string) => (code === 'globalThis.gc' ? gc : expect.unreachable()) },
  };
  return { process: { getBuiltinModule: (name: string) => modules[name] } };
}

test("this process's own collector returns what nobody holds, and the flag is taken back", async () => {
  const collect = findGarbageCollector({ process });
  const seen: number[] = [];
  const registry = new FinalizationRegistry<number>((n) => seen.push(n));
  (() => registry.register({}, 1))();
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect?.();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(seen).toEqual([1]);
  const { runInNewContext } = await import('node:vm');
  expect(runInNewContext('typeof gc')).toBe('undefined');
});

test('one that is there already is taken (node --expose-gc)', () => {
  const gc = vi.fn<() => void>();
  expect(findGarbageCollector({ gc, ...nodeWith(undefined) })).toBe(gc);
});

test('Bun has its own, which has to be told to wait', () => {
  const gc = vi.fn<(wait: boolean) => void>();
  const flags: string[] = [];
  findGarbageCollector({ Bun: { gc }, ...nodeWith(undefined, flags) })?.();
  expect(gc).toHaveBeenCalledExactlyOnceWith(true);
  expect(flags).toEqual([]);
});

test('none: a page, a host that ignores the flag, a host that refuses it', () => {
  expect(findGarbageCollector({})).toBeUndefined();
  const flags: string[] = [];
  expect(findGarbageCollector(nodeWith(undefined, flags))).toBeUndefined();
  expect(flags).toEqual(['--expose-gc', '--no-expose-gc']);
  const refusing = () => {
    throw new Error('not allowed here');
  };
  expect(findGarbageCollector({ process: { getBuiltinModule: refusing } })).toBeUndefined();
});
