// Convolutions with a stride that read a copy of their input phase by phase (layouts.ts): which do, and that results stay the
// same.

import { describe, expect, test } from 'vitest';
import { type Input, f, makeData, makeLeaves } from '../../../../test/operators/case.js';
import { evaluateOn, worstError } from '../../../../test/operators/run.js';
import { tierDevices } from '../../../../test/support/tiers.js';
import { ReferenceDevice } from '../../device/reference/device.js';
import * as build from '../../ir/build.js';
import { type Node, topologicalOrder } from '../../ir/node.js';
import type { ConvSpec } from '../../ir/op.js';
import { CPU_TARGETS } from '../../loop/target.js';
import { chooseLayouts } from './layouts.js';

const spec = (stride: number[], lo: number[], more: Partial<ConvSpec> = {}): ConvSpec => ({
  stride,
  lo,
  hi: lo,
  dilation: stride.map(() => 1),
  groups: 1,
  ...more,
});

const HALF = spec([2, 2], [1, 1]);
const SHORTCUT = spec([2, 2], [0, 0], { hi: [-1, -1] });

type Case = [name: string, inputs: Input[], make: (x: Node, w: Node, more: Node) => Node[], copies: number];

const CASES: Case[] = [
  ['3×3, half the size', [f([2, 5, 14, 10]), f([7, 5, 3, 3])], (x, w) => [build.conv(x, w, HALF)], 1],
  ['7×7', [f([1, 3, 64, 64]), f([8, 3, 7, 7])], (x, w) => [build.conv(x, w, spec([2, 2], [3, 3]))], 1],
  ['along one axis', [f([3, 4, 30]), f([6, 4, 5])], (x, w) => [build.conv(x, w, spec([3], [2], { hi: [1] }))], 1],
  ['rows alone', [f([2, 4, 12, 9]), f([6, 4, 3, 3])], (x, w) => [build.conv(x, w, spec([2, 1], [1, 1]))], 1],
  [
    'dilated, padded on one side',
    [f([2, 4, 12, 12]), f([6, 4, 3, 3])],
    (x, w) => [build.conv(x, w, spec([2, 2], [3, 0], { hi: [0, 2], dilation: [2, 1] }))],
    1,
  ],
  [
    'a shortcut beside it reads the same copy',
    [f([1, 6, 14, 14]), f([8, 6, 3, 3]), f([8, 6, 1, 1])],
    (x, w, one) => [build.conv(x, w, HALF), build.conv(x, one, SHORTCUT)],
    1,
  ],
  [
    'so does the gradient of its weights',
    [f([2, 6, 14, 14]), f([8, 6, 3, 3]), f([2, 8, 7, 7])],
    (x, w, dy) => [build.conv(x, w, HALF), build.convWeight(x, dy, HALF, [3, 3])],
    1,
  ],
  ['a shortcut alone', [f([1, 6, 14, 14]), f([8, 6, 1, 1])], (x, w) => [build.conv(x, w, SHORTCUT)], 0],
  ['odd sizes', [f([1, 6, 13, 13]), f([8, 6, 3, 3])], (x, w) => [build.conv(x, w, HALF)], 0],
  ['groups', [f([1, 6, 14, 14]), f([8, 3, 3, 3])], (x, w) => [build.conv(x, w, { ...HALF, groups: 2 })], 0],
  ['many columns', [f([64, 2, 14, 14]), f([4, 2, 3, 3])], (x, w) => [build.conv(x, w, HALF)], 0],
];

test.each(CASES)('%s: copies', (_, inputs, make, copies) => {
  const [x, w, more] = makeLeaves(inputs, 'cpu');
  const nodes = topologicalOrder(make(x, w, more));
  nodes.forEach((n, i) => (n.slot = i));
  expect(chooseLayouts(nodes, CPU_TARGETS[0]).copies).toHaveLength(copies);
});

const reference = new ReferenceDevice();

describe.each(Object.entries(tierDevices(2)))('%s, 2 threads', (_, device) => {
  test.each(CASES)('%s', async (name, inputs, make) => {
    const leaves = makeLeaves(inputs, 'cpu');
    const outputs = make(leaves[0], leaves[1], leaves[2]);
    const data = makeData({ name, inputs });
    const expected = await evaluateOn(reference, outputs, leaves, data);
    const actual = await evaluateOn(device, outputs, leaves, data);
    expected.forEach((values, k) => expect(worstError(actual[k], values)).toBeLessThan(1e-5));
  });
});
