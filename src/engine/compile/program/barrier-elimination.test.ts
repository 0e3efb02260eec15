// Which stages need a barrier between them (barrier-elimination.ts): on programs written by hand, and on a recurrent network.
import { describe, expect, test } from 'vitest';
import { f, makeData, makeLeaves } from '../../../../test/operators/case.js';
import { evaluateOn, prepare, worstError } from '../../../../test/operators/run.js';
import { compiledGraph, copyKernel } from '../../../../test/support/kernels.js';
import { tierDevices } from '../../../../test/support/tiers.js';
import { ReferenceDevice } from '../../device/reference/device.js';
import * as build from '../../ir/build.js';
import type { Node } from '../../ir/node.js';
import type { KernelCall, KernelFunction } from '../../loop/loop.js';
import { CPU_TARGETS, type Target } from '../../loop/target.js';
import { compileGraph } from '../compile.js';
import { joinStages } from './barrier-elimination.js';

const SIZE = 24;

const arena = (offset: number) => ({ kind: 'arena', offset }) as const;
const argument = (index: number) => ({ kind: 'argument', index }) as const;
const BYTES = 4 * SIZE;

/** Argument 3 is what argument 1 becomes. */
const OVERWRITES = new Map([[3, 1]]);

/** The numbers of the calls in each stage. */
function join(calls: readonly KernelCall[], kernels: readonly KernelFunction[], threads: number): number[] {
  return joinStages(
    kernels,
    calls.map((c) => [c]),
    { threads, cacheBytes: 1 << 20, overwrites: OVERWRITES },
  ).map((stage) => stage.calls.length);
}

const call = (kernel: number, ...slots: KernelCall['slots']): KernelCall => ({ kernel, slots });

describe('calls one after the other', () => {
  const kernels = [copyKernel(SIZE, 4), copyKernel(SIZE, 3), copyKernel(SIZE, 4, 1)];
  const chain = (first: number, second: number) => [
    call(first, arena(0), arena(BYTES)),
    call(second, arena(BYTES), arena(2 * BYTES)),
  ];

  test('the same rows: none', () => expect(join(chain(0, 0), kernels, 2)).toEqual([2]));
  test('rows of another height: one, unless they are cut at the same place', () => {
    expect(join(chain(0, 1), kernels, 2)).toEqual([1, 1]);
    expect(join(chain(0, 1), kernels, 1)).toEqual([2]);
  });
  test('results moved into the neighbour: one', () => expect(join(chain(2, 0), kernels, 2)).toEqual([1, 1]));
  test('memory that was read is written by another thread: one', () => {
    const calls = [call(0, arena(0), arena(BYTES)), call(0, arena(2 * BYTES), arena(8))];
    expect(join(calls, kernels, 2)).toEqual([1, 1]);
  });
  test('other memory: none', () => {
    const calls = [call(0, arena(0), arena(BYTES)), call(1, arena(2 * BYTES), arena(3 * BYTES))];
    expect(join(calls, kernels, 2)).toEqual([2]);
  });
  test('arguments are different memory, but for those that are overwritten', () => {
    expect(join([call(0, argument(1), arena(0)), call(0, arena(0), argument(2))], kernels, 2)).toEqual([2]);
    expect(join([call(0, argument(1), arena(0)), call(0, arena(0), argument(3))], kernels, 2)).toEqual([2]);
    expect(join([call(0, argument(1), arena(0)), call(1, arena(BYTES), argument(3))], kernels, 2)).toEqual([1, 1]);
    expect(join([call(0, argument(1), arena(0)), call(1, arena(BYTES), argument(2))], kernels, 2)).toEqual([2]);
  });
  test('the error record: none', () => {
    const calls = [call(0, arena(0), argument(0)), call(1, arena(0), argument(0))];
    expect(join(calls, kernels, 2)).toEqual([2]);
  });
  test('what comes before a barrier no longer counts', () => {
    const calls = [...chain(0, 1), call(1, arena(2 * BYTES), arena(0))];
    expect(join(calls, kernels, 2)).toEqual([1, 2]);
  });
});

describe('the steps of a recurrent network', () => {
  const inputs = [f([16, 64]), f([64, 256]), f([256, 64])];
  const make = ([x, a, b]: readonly Node[]): Node[] => {
    let h = x;
    const small = (n: Node) => build.mul(n, build.constant(0.02) as Node);
    for (let t = 0; t < 12; t++) {
      const wide = build.unary('sigmoid', small(build.matmul(h, a)));
      h = build.unary('tanh', small(build.matmul(wide, b)));
    }
    return [h];
  };
  const leaves = makeLeaves(inputs, 'test');
  const outputs = make(leaves);

  test('run without barriers, where each thread has whole tiles of rows', () => {
    const graph = compiledGraph(outputs, leaves);
    const target = CPU_TARGETS.find((t) => t.name === 'AVX-512') as Target;
    const stagesOf = (threads: number) =>
      compileGraph(graph, { target, threads }).program.stages.map((s) => s.calls.length);
    expect(stagesOf(1)).toEqual([26]);
    expect(stagesOf(2)).toEqual([2, 24]); // two matrices are laid out, then come the steps
    expect(stagesOf(3).length).toBeGreaterThan(20);
  });

  test.each(Object.entries(tierDevices(2)))('give the same results (%s)', async (_, device) => {
    const data = makeData({ name: 'recurrence', inputs });
    const [expected] = await evaluateOn(new ReferenceDevice(), outputs, leaves, data);
    const { run } = prepare(device, outputs, leaves);
    for (let i = 0; i < 50; i++) {
      const [actual] = await run(data);
      expect(worstError(actual, expected)).toBeLessThan(1e-5);
    }
  });
});
