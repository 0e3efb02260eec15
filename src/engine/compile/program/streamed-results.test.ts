// Which results are written past the cache (streamed-results.ts), and that their numbers are those of any others, wherever rows begin.
import { describe, expect, test } from 'vitest';
import { type Input, f, i, makeData, makeLeaves } from '../../../../test/operators/case.js';
import { prepare, worstError } from '../../../../test/operators/run.js';
import { compiledGraph } from '../../../../test/support/kernels.js';
import { noNative, tierDevices } from '../../../../test/support/tiers.js';
import * as build from '../../ir/build.js';
import type { Node } from '../../ir/node.js';
import { emitProgram } from '../../emit/c/emit.js';
import { CPU_TARGETS } from '../../loop/target.js';
import { compileGraph } from '../compile.js';

const LARGE = [2048, 1024]; // 8 MiB
const [target] = CPU_TARGETS;
type Make = (leaves: readonly Node[]) => Node[];

function programOf(inputs: readonly Input[], make: Make) {
  const leaves = makeLeaves(inputs, 'test');
  return compileGraph(compiledGraph(make(leaves), leaves), { target, threads: 2, verify: true }).program;
}

/** Of the results in order: whether each is streamed by who makes it. */
function streamed(inputs: readonly Input[], make: Make): boolean[] {
  const { kernels, stages } = programOf(inputs, make);
  const words = new Map<number, boolean>();
  for (const { kernel, slots } of stages.flatMap(({ calls }) => calls)) {
    const { buffers, streamed = [] } = kernels[kernel];
    buffers.forEach((buffer, at) => {
      const slot = slots[at];
      if (slot.kind === 'argument' && slot.index > inputs.length) words.set(slot.index, streamed.includes(buffer));
    });
  }
  return [...words].toSorted(([a], [b]) => a - b).map(([, is]) => is);
}

const softmax = (x: Node): Node => {
  const part = build.unary('exp', build.sub(x, build.reduce('reduceMax', x, [1])));
  return build.div(part, build.sum(part, [1]));
};

describe('written past the cache', () => {
  test('large results of loops', () => {
    expect(streamed([f(LARGE), f(LARGE)], ([x, y]) => [build.add(x, y)])).toEqual([true]);
    expect(streamed([f(LARGE)], ([x]) => [softmax(x)])).toEqual([true]);
    expect(streamed([i(LARGE), i(LARGE)], ([x, y]) => [build.mul(x, y)])).toEqual([true]);
  });

  test('nothing smaller, and nothing in rows that are narrower than a vector', () => {
    expect(streamed([f([2047, 1024]), f([2047, 1024])], ([x, y]) => [build.add(x, y)])).toEqual([false]);
    expect(streamed([f([1 << 18, 14])], ([x]) => [softmax(x)])).toEqual([false]);
  });

  test('nothing that the program reads again, and no product', () => {
    const again = ([x, w]: readonly Node[]): Node[] => {
      const y = build.unary('exp', x);
      return [y, build.matmul(y, w)];
    };
    expect(streamed([f(LARGE), f([1024, 8])], again)).toEqual([false, false]);
    expect(streamed([f([2048, 64]), f([64, 1024])], ([x, y]) => [build.matmul(x, y)])).toEqual([false]);
  });

  test('nothing that lies over an input', () => {
    const leaves = makeLeaves([f(LARGE), f(LARGE)], 'test');
    const graph = compiledGraph([build.add(leaves[0], leaves[1])], leaves);
    const outputs = graph.outputs.map((output) => ({ ...output, assign: 0 }));
    const { kernels } = compileGraph({ ...graph, outputs }, { target, threads: 2 }).program;
    expect(kernels.map(({ streamed }) => streamed)).toEqual([undefined]);
  });

  test('the code of other programs stays as it was', () => {
    const text = (rows: number) =>
      emitProgram(
        programOf([f([rows, 1024]), f([rows, 1024])], ([x, y]) => [build.add(x, y)]),
        { lanes: target.lanes, profile: false },
      );
    expect(text(2047)).not.toContain('stream');
    expect(text(2048)).toContain('end_stream();');
  });
});

describe.skipIf(noNative !== undefined)('with the numbers that they have otherwise', () => {
  const { wasm, native } = tierDevices(2);
  const size = 2 ** 21 + 13;
  const cases: [string, readonly Input[], Make][] = [
    ['whole vectors', [f(LARGE), f([1024])], ([x, y]) => [build.add(x, y)]],
    ['and what is left at the end', [i([size]), i([size])], ([x, y]) => [build.sub(x, y)]],
    ['rows that begin anywhere', [f([2100, 1003])], ([x]) => [softmax(x)]],
    ['in turned order', [f([1024, 2051])], ([x]) => [build.unary('relu', build.permute(x, [1, 0]))]],
  ];
  test.each(cases)('%s', async (name, inputs, make) => {
    const leaves = makeLeaves(inputs, 'test');
    const data = makeData({ name, inputs });
    const [expected] = await prepare(wasm, make(leaves), leaves).run(data);
    const { run } = prepare(native, make(leaves), leaves);
    for (let again = 0; again < 2; again++) {
      const [actual] = await run(data);
      expect(worstError(actual, expected)).toBeLessThan(1e-6);
    }
  });
});
