// Stages that are walked part by part (cache-blocking.ts): which, in how many parts, and that the results stay the same.
import { describe, expect, test } from 'vitest';
import { f, makeData, makeLeaves } from '../../../../test/operators/case.js';
import { evaluateOn, prepare, worstError } from '../../../../test/operators/run.js';
import { compiledGraph, copyKernel } from '../../../../test/support/kernels.js';
import { tierDevices } from '../../../../test/support/tiers.js';
import { ReferenceDevice } from '../../device/reference/device.js';
import * as build from '../../ir/build.js';
import type { Node } from '../../ir/node.js';
import { WASM_TARGET } from '../../loop/target.js';
import { compileGraph } from '../compile.js';
import { cutStage } from './cache-blocking.js';

const SIZE = 1024;
const arena = (at: number) => ({ kind: 'arena', offset: 4 * SIZE * at }) as const;

describe('parts of a stage', () => {
  const kernels = [copyKernel(SIZE, 64), copyKernel(SIZE, 8), copyKernel(SIZE, 64, 0, { isDivisible: false })];
  const sharing = { threads: 2, cacheBytes: 1024, overwrites: new Map<number, number>() };
  const parts = (...which: number[]) =>
    cutStage(
      kernels,
      which.map((kernel, i) => ({ kernel, slots: [arena(i), arena(i + 1)] })),
      sharing,
    );

  test('are as large as half of the cache', () => {
    expect(parts(0, 0)).toBe(16); // three arrays of 4096 bytes, two threads, 512 bytes each time
    expect(cutStage(kernels, [{ kernel: 0, slots: [arena(0), arena(1)] }], sharing)).toBe(1);
    expect(
      cutStage(
        kernels,
        [0, 0].map((kernel, i) => ({ kernel, slots: [arena(i), arena(i + 1)] })),
        { ...sharing, cacheBytes: 1 << 20 },
      ),
    ).toBe(1);
  });
  test('need nothing of each other', () => expect(parts(0, 1)).toBe(4)); // of 8 rows
  test('are not where kernels would do work twice', () => expect(parts(0, 2)).toBe(1));
  test('are not where each array is overwritten by one call', () => {
    const calls = [0, 1].map((i) => ({ kernel: 0, slots: [arena(i), arena(i)] }));
    expect(cutStage(kernels, calls, sharing)).toBe(1);
  });
  test('are not where nothing is touched again', () => {
    const calls = [0, 1].map((i) => ({ kernel: 0, slots: [arena(2 * i), arena(2 * i + 1)] }));
    expect(cutStage(kernels, calls, sharing)).toBe(1);
  });
});

describe('rows, and sums over them', () => {
  const inputs = [f([2048, 520]), f([2048, 520])];
  const make = ([x, g]: readonly Node[]): Node[] => {
    const largest = build.reduce('reduceMax', x, [1]);
    const e = build.unary('exp', build.sub(x, largest));
    const y = build.binary('div', e, build.sum(e, [1]));
    const small = (n: Node) => build.mul(n, build.constant(0.01) as Node);
    return [
      y,
      small(build.sum(build.mul(g, y), [0])),
      small(build.sum(g, [0])),
      small(build.sum(build.mul(y, y), [0])),
    ];
  };
  const leaves = makeLeaves(inputs, 'test');
  const outputs = make(leaves);

  test('are walked in parts', () => {
    const { stages } = compileGraph(compiledGraph(outputs, leaves), { target: WASM_TARGET, threads: 2 }).program;
    expect(stages[0].parts).toBeGreaterThan(1);
    expect(stages[0].calls.length).toBeGreaterThan(1);
  });

  const devices = [1, 2, 3].flatMap((threads) =>
    Object.entries(tierDevices(threads)).map(([tier, device]) => [tier, threads, device] as const),
  );
  test.each(devices)('have the same results (%s, %i threads)', async (_tier, _threads, device) => {
    const data = makeData({ name: 'rows', inputs });
    const expected = await evaluateOn(new ReferenceDevice(), outputs, leaves, data);
    const { run } = prepare(device, outputs, leaves);
    for (let i = 0; i < 3; i++) {
      const actual = await run(data);
      expected.forEach((values, k) => expect(worstError(actual[k], values)).toBeLessThan(1e-5));
    }
  });
});
