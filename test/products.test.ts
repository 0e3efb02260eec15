// Products that are long enough to be computed in blocks: operands that are packed row by row, also through a view and past
// the last row, sums in parts, few rows by a matrix in panels; and rows that ask for the next one. Both tiers, against the
// reference device.

import { describe, expect, test } from 'vitest';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import { type Input, f, i, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn, worstError } from './operators/run.js';
import { tierDevices } from './support/tiers.js';

const reference = new ReferenceDevice();
interface Program {
  readonly inputs: readonly Input[];
  make(leaves: readonly Node[]): Node[];
}

const turned = (n: Node): Node => build.permute(n, [1, 0]);
const scaled = (n: Node, by: number): Node => build.mul(n, build.constant(by) as Node);

/** Ten products of few rows by one matrix, which is laid out in panels. */
const fewRows = (k: number): Program => ({
  inputs: [f([10 * 19, k]), f([k, 64])],
  make: ([a, b]) =>
    Array.from({ length: 10 }, (_, i) =>
      build.unary('tanh', scaled(build.matmul(build.sliceAxis(a, 0, 19 * i, 19 * (i + 1)), b), 0.05)),
    ),
});

const PROGRAMS: Record<string, Program> = {
  'rows that follow one another, in several blocks': {
    inputs: [f([1545, 301]), f([1545, 70])],
    make: ([a, b]) => [scaled(build.matmul(turned(a), b), 0.02)],
  },
  'the same in one block of k': {
    inputs: [f([523, 301]), f([523, 70])],
    make: ([a, b]) => [scaled(build.matmul(turned(a), b), 0.02)],
  },
  'the same through a view of another shape': {
    inputs: [f([15, 103 * 301]), f([1545, 40])],
    make: ([a, b]) => [scaled(build.matmul(turned(build.reshape(a, [1545, 301])), b), 0.02)],
  },
  'a long end after a sum in parts': {
    inputs: [f([50, 1545]), f([1545, 70]), f([70])],
    make: ([a, b, c]) => {
      const y = build.add(scaled(build.matmul(a, b), 0.02), c);
      return [build.unary('sigmoid', y), build.unary('exp', y)];
    },
  },
  'columns by themselves: half of the products, and its mirror image': {
    inputs: [f([1545, 301])],
    make: ([a]) => [scaled(build.matmul(turned(a), a), 0.02)],
  },
  'rows by themselves': {
    inputs: [f([161, 1100])],
    make: ([a]) => [build.add(scaled(build.matmul(a, turned(a)), 0.02), build.constant(1) as Node)],
  },
  'columns by themselves, of a batch, in panels that fill no half': {
    inputs: [f([3, 1030, 97])],
    make: ([a]) => [scaled(build.matmul(build.permute(a, [0, 2, 1]), a), 0.02)],
  },
  'columns by themselves, shifted: all products': {
    inputs: [f([1100, 131])],
    make: ([a]) => [scaled(build.matmul(turned(build.sliceAxis(a, 1, 0, 130)), build.sliceAxis(a, 1, 1, 131)), 0.02)],
  },
  'rows looked up at the end': {
    inputs: [f([64, 128]), f([128, 128]), f([100, 128]), i([64], { below: 100 })],
    make: ([a, b, table, at]) => {
      const rows = build.gather(table, 0, build.expand(build.reshape(at, [64, 1]), [64, 128]));
      return [build.add(scaled(build.matmul(a, b), 0.02), rows)];
    },
  },
  'few rows by panels, the sum whole': fewRows(1100),
  'few rows by panels, the sum in parts': fewRows(2300),
  'rows that are walked three times': {
    inputs: [f([130, 700]), f([130, 700])],
    make: ([x, g]) => {
      const e = build.unary('exp', build.sub(x, build.reduce('reduceMax', x, [1])));
      const y = build.binary('div', e, build.sum(e, [1]));
      return [y, build.mul(y, build.sub(g, build.sum(build.mul(g, y), [1])))];
    },
  },
};

describe.each(Object.entries(tierDevices(2)))('%s, 2 threads', (_, device) => {
  test.each(Object.entries(PROGRAMS))('%s', async (name, { inputs, make }) => {
    const data = makeData({ name, inputs });
    const leaves = makeLeaves(inputs, 'reference');
    const expected = await evaluateOn(reference, make(leaves), leaves, data);
    const own = makeLeaves(inputs, 'cpu');
    const actual = await evaluateOn(device, make(own), own, data);
    expected.forEach((values, i) => expect(worstError(actual[i], values)).toBeLessThan(1e-5));
  });
});
