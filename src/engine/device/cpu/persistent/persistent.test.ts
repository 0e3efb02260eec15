// What is kept for other processes: a graph's text says exactly what its key says, and the cache gives back what it was given or nothing.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { compiledGraph } from '../../../../../test/support/kernels.js';
import { type Input, f, i, makeLeaves } from '../../../../../test/operators/case.js';
import * as build from '../../../ir/build.js';
import type { Node } from '../../../ir/node.js';
import { fingerprint } from './fingerprint.js';
import { PersistentCache } from './persistent-cache.js';

const { add, constant, gather, matmul, mul, permute, reduce, reshape, scalar, slice, unary } = build;

describe('the text of a graph', () => {
  const text = (inputs: readonly Input[], make: (leaves: readonly Node[]) => Node[]): string | undefined => {
    const leaves = makeLeaves(inputs, 'test');
    return fingerprint(compiledGraph(make(leaves), leaves));
  };
  const inputs = [f([4, 6]), f([4, 6])];
  const graphs: Record<string, readonly [readonly Input[], (leaves: readonly Node[]) => Node[]]> = {
    'x + y': [inputs, ([x, y]) => [add(x, y)]],
    'y + x': [inputs, ([x, y]) => [add(y, x)]],
    'x · y': [inputs, ([x, y]) => [mul(x, y)]],
    'both, x first': [inputs, ([x, y]) => [unary('exp', x), unary('exp', y)]],
    'both, y first': [inputs, ([x, y]) => [unary('exp', y), unary('exp', x)]],
    'of other shapes': [[f([6, 4]), f([6, 4])], ([x, y]) => [add(x, y)]],
    'of another dtype': [inputs, ([x, y]) => [add(build.cast(x, 'float64'), build.cast(y, 'float64'))]],
    'times 2': [inputs, ([x]) => [mul(x, constant(2) as Node)]],
    'times 3': [inputs, ([x]) => [mul(x, constant(3) as Node)]],
    'times 0': [inputs, ([x]) => [add(unary('sin', x), constant(0.5) as Node)]],
    'times a number': [inputs, ([x]) => [mul(x, scalar(2))]],
    'from 0': [inputs, ([x]) => [slice(x, [0, 0], [2, 6], [1, 1])]],
    'every second': [inputs, ([x]) => [slice(x, [0, 0], [2, 6], [2, 1])]],
    'over rows': [inputs, ([x]) => [reduce('sum', x, [0])]],
    'over columns': [inputs, ([x]) => [reduce('sum', x, [1])]],
    turned: [inputs, ([x]) => [permute(x, [1, 0])]],
    reshaped: [inputs, ([x]) => [reshape(unary('exp', x), [6, 4])]],
    product: [inputs, ([x, y]) => [matmul(x, permute(y, [1, 0]))]],
    'elements by index': [[f([4, 6]), i([4, 6], { below: 4 })], ([x, index]) => [gather(x, 0, index)]],
    'elements by index of the other axis': [
      [f([4, 6]), i([4, 6], { below: 4 })],
      ([x, index]) => [gather(x, 1, index)],
    ],
  };

  test('is the same for the same graph made anew, and for a number that is asked for at run time', () => {
    for (const [given, make] of Object.values(graphs)) expect(text(given, make)).toBe(text(given, make));
    const times = (n: number) => text(inputs, ([x]) => [mul(x, scalar(n))]);
    expect(times(2)).toBe(times(3));
  });

  test('is another one for each of these', () => {
    const texts = Object.entries(graphs).map(([name, [given, make]]) => [text(given, make), name] as const);
    expect(new Map(texts).size).toBe(texts.length);
  });

  test('knows −0, NaN and infinities apart', () => {
    const added = (n: number) => text(inputs, ([x]) => [add(unary('exp', x), constant(n) as Node)]);
    const texts = [-0, NaN, Infinity, -Infinity, 1].map(added);
    expect(new Set(texts).size).toBe(5);
  });
});

describe('the cache', () => {
  let folder: string;
  const open = (identity = 'engine 1', limitBytes?: number) =>
    PersistentCache.open(process, { identity, ...(limitBytes === undefined ? {} : { limitBytes }) })!;
  const files = () => readdirSync(join(folder, 'nabla-programs')).map((name) => join(folder, 'nabla-programs', name));
  const value = { text: 'a', numbers: [1, -0, NaN, Infinity], bytes: Uint8Array.of(1, 2, 3), nothing: undefined };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nabla-persistent-'));
    vi.stubEnv('NABLA_CACHE_DIR', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  test('gives back what it was given, to whoever opens it', () => {
    const cache = open();
    const key = cache.key('a', 'b');
    expect(cache.find(key)).toBeUndefined();
    cache.store(key, value);
    expect(open().find(key)).toEqual(value);
    expect(statSync(files()[0]).mode & 0o777).toBe(0o600);
  });

  test('keys are those of all parts, wherever one ends, and of the engine', () => {
    const keys = [open().key('ab', 'c'), open().key('a', 'bc'), open().key('abc'), open('engine 2').key('ab', 'c')];
    expect(new Set(keys).size).toBe(4);
  });

  test('without the word of a build on what the engine is, nothing is kept', () => {
    expect(PersistentCache.open(process)).toBeUndefined();
    expect(PersistentCache.open(undefined, { identity: 'x' })).toBeUndefined();
  });

  test('a file that is damaged anywhere is removed, and never read', () => {
    const cache = open();
    const key = cache.key('a');
    cache.store(key, value);
    const [file] = files();
    const whole = readFileSync(file);
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole);
      damaged[i] ^= 1 << (i % 8);
      writeFileSync(file, damaged);
      expect(cache.find(key)).toBeUndefined();
      expect(existsSync(file)).toBe(false);
    }
    for (const length of [0, 1, 31, 32, 33, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect(cache.find(key)).toBeUndefined();
    }
    writeFileSync(file, whole);
    expect(cache.find(key)).toEqual(value);
  });

  test('what cannot be kept is left out, and what cannot be written is no fault of the program', () => {
    const cache = open();
    cache.store(cache.key('a'), { method: () => 1 });
    expect(files()).toEqual([]);
    rmSync(join(folder, 'nabla-programs'), { recursive: true });
    const other = open();
    rmSync(join(folder, 'nabla-programs'), { recursive: true });
    other.store(other.key('b'), value);
    expect(other.find(other.key('b'))).toBeUndefined();
  });

  test('grows to its limit: what was used longest ago goes, other people’s files and recent writers’ stay', () => {
    const cache = open('engine', 101_000);
    const kept = Array.from({ length: 9 }, (_, i) => cache.key(String(i)));
    const own = join(folder, 'nabla-programs');
    const [abandoned, writing] = [`${kept[0]}.1-0.tmp`, `${kept[1]}.2-0.tmp`].map((name) => join(own, name));
    const foreign = join(own, 'thesis.tar');
    for (const file of [abandoned, writing, foreign]) writeFileSync(file, 'x'.repeat(50_000));
    for (const file of [abandoned, foreign]) utimesSync(file, 1, 1);
    kept.forEach((key, i) => {
      cache.store(key, new Uint8Array(20_000));
      utimesSync(join(own, `${key}.program`), 1000 + i, 1000 + i);
      if (i >= 3) expect(cache.find(kept[0])).toBeDefined(); // used again and again
    });
    const isThere = (key: string): boolean => cache.find(key) !== undefined;
    expect(kept.map(isThere)).toEqual([true, false, false, false, false, true, true, true, true]);
    expect([abandoned, writing, foreign].map(existsSync)).toEqual([false, true, true]);
  });

  test('a folder that others may write to is not used', () => {
    open();
    chmodSync(join(folder, 'nabla-programs'), 0o777);
    expect(PersistentCache.open(process, { identity: 'x' })).toBeUndefined();
    expect(statSync(join(folder, 'nabla-programs')).mode & 0o777).toBe(0o777);
  });
});
