// Sums that need not wait for other sums (distribute.ts): how many are left one above the other, and that results stay the
// same.

import { describe, expect, test } from 'vitest';
import { f, makeData, makeLeaves } from '../../../../test/operators/case.js';
import { evaluateOn, worstError } from '../../../../test/operators/run.js';
import { tierDevices } from '../../../../test/support/tiers.js';
import { ReferenceDevice } from '../../device/reference/device.js';
import { gradient } from '../../grad/backward.js';
import * as build from '../../ir/build.js';
import { type Node, topologicalOrder } from '../../ir/node.js';
import { distributeSums } from './distribute.js';
import { isReduction } from './kinds.js';
import { joinSums } from './horizontal-sums.js';

const { add, constant, div, mul, sub, sum, unary } = build;
const SHAPE = [6, 20, 8, 8];
const inputs = [f(SHAPE), f([20, 1, 1]), f(SHAPE)];

const square = (x: Node): Node => mul(x, x);
const countOf = (axes: readonly number[]): number => axes.reduce((n, a) => n * SHAPE[a], 1);
const mean = (x: Node, axes: readonly number[]): Node => mul(sum(x, axes), constant(1 / countOf(axes)) as Node);
const centred = (x: Node, axes: readonly number[]): Node => sub(x, mean(x, axes));
const deviation = (c: Node, axes: readonly number[]): Node =>
  unary('sqrt', add(mean(square(c), axes), constant(1e-5) as Node));

function normalised(x: Node, axes: readonly number[]): Node {
  const c = centred(x, axes);
  return mul(c, unary('recip', deviation(c, axes)));
}

function quotient(x: Node, axes: readonly number[]): Node {
  const c = centred(x, axes);
  return div(c, deviation(c, axes));
}

/** The gradient with respect to x. */
const gradientOf = (y: Node, seed: Node, x: Node): Node => gradient([y], [seed], [x])[0] as Node;

const CASES: [name: string, make: (leaves: readonly Node[]) => Node, before: number, after: number][] = [
  ['a norm along rows', ([x, w, g]) => gradientOf(mul(normalised(x, [1, 2, 3]), w), g, x), 3, 2],
  ['a norm by channel', ([x, w, g]) => gradientOf(mul(normalised(x, [0, 2, 3]), w), g, x), 3, 2],
  ['a norm by quotient', ([x, w, g]) => gradientOf(mul(quotient(x, [2, 3]), w), g, x), 4, 3],
  ['a norm without mean', ([x, , g]) => gradientOf(div(x, deviation(x, [3])), g, x), 2, 2],
  ['a sum of two scaled terms', ([x, , g]) => sum(sub(div(x, mean(square(x), [3])), mul(g, mean(x, [3]))), [3]), 2, 1],
  ['one scaled term', ([x]) => sum(div(x, unary('sqrt', mean(square(x), [3]))), [3]), 2, 2],
  ['a factor of other rows', ([x, , g]) => sum(add(mul(x, mean(square(x), [1])), g), [3]), 2, 2],
  ['a term that waits itself', ([x, , g]) => sum(add(square(centred(x, [3])), mul(g, mean(x, [3]))), [3]), 2, 2],
];

/** The most sums of which each needs the one before. */
function longestChain(outputs: readonly Node[]): number {
  const depth = new Map<Node, number>();
  for (const n of topologicalOrder(outputs)) {
    depth.set(n, n.src.reduce((most, s) => Math.max(most, depth.get(s) as number), 0) + (isReduction(n) ? 1 : 0));
  }
  return Math.max(...outputs.map((n) => depth.get(n) as number));
}

test.each(CASES)('%s: sums one above the other', (_, make, before, after) => {
  const result = make(makeLeaves(inputs, 'cpu'));
  expect(longestChain([result])).toBe(before);
  const { now } = distributeSums(topologicalOrder([result]));
  expect(longestChain([now.get(result) as Node])).toBe(after);
});

test('a sum of ten thousand terms is left alone', () => {
  const [x, , g] = makeLeaves(inputs, 'cpu');
  let total = x;
  for (let i = 0; i < 10_000; i++) total = add(total, i % 2 === 0 ? g : mul(g, mean(x, [3])));
  const result = sum(total, [3]);
  const { now } = distributeSums(joinSums(topologicalOrder([result]), [result]).nodes);
  expect([...now.values()].filter((n) => n.op === 'sum')).toHaveLength(2);
});

const reference = new ReferenceDevice();

describe.each(Object.entries(tierDevices(2)))('%s, 2 threads', (_, device) => {
  test.each(CASES)('%s', async (name, make) => {
    const leaves = makeLeaves(inputs, 'cpu');
    const data = makeData({ name, inputs });
    const outputs = [make(leaves)];
    const [actual] = await evaluateOn(device, outputs, leaves, data);
    const [exact] = await evaluateOn(reference, outputs, leaves, data);
    expect(worstError(actual, exact)).toBeLessThan(1e-5);
  });

  test('what is not a number stays so', async () => {
    const leaves = makeLeaves(inputs, 'cpu');
    const data = makeData({ name: 'infinity', inputs });
    data[0][5] = Infinity;
    data[2][1280] = NaN; // the second row
    const outputs = [CASES[0][1](leaves)];
    const [actual] = await evaluateOn(device, outputs, leaves, data);
    const [exact] = await evaluateOn(reference, outputs, leaves, data);
    expect(Array.from(actual, Number.isNaN)).toEqual(Array.from(exact, Number.isNaN));
  });
});
