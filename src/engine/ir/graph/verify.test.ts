// The verifier against the builders (all operator rows and their gradients pass, in rules.test.ts) and against faults.
import { expect, test } from 'vitest';
import { cases, makeLeaves } from '../../../../test/operators/cases.js';
import { add, constant, conv, matmul, pad, permute, slice, sum, unary } from '../build.js';
import { InternalError } from '../errors.js';
import { type Node, topologicalOrder } from '../node.js';
import { verifyGraph } from './verify.js';

const [x, y] = makeLeaves(
  [
    { shape: [2, 3], dtype: 'float32', domain: 'normal' },
    { shape: [3, 4], dtype: 'float32', domain: 'normal' },
  ],
  'reference',
);

test('what the builders make is right', () => {
  for (const row of cases) verifyGraph(topologicalOrder([row.build(makeLeaves(row.inputs, 'reference'))]));
});

const spec = { stride: [1], dilation: [1], lo: [0], hi: [0], groups: 1 };
const image = makeLeaves(
  [
    { shape: [1, 2, 5], dtype: 'float32', domain: 'normal' },
    { shape: [2, 2, 3], dtype: 'float32', domain: 'normal' },
  ],
  'reference',
);

test.each<[string, Node, Partial<Node>, RegExp]>([
  ['shape', unary('exp', x), { shape: [3, 2] }, /shape is \[3, 2\], should be \[2, 3\]/],
  ['dtype', unary('exp', x), { dtype: 'int32' }, /dtype is int32, should be float32/],
  ['size', unary('exp', x), { size: 5 }, /size is 5, should be 6/],
  ['operand dtype', unary('exp', x), { src: [{ ...x, dtype: 'bool' }] }, /does not stand before it|an operand is bool/],
  ['broadcast', add(x, x), { src: [x, y] }, /do not broadcast/],
  ['operand count', add(x, x), { src: [x] }, /has 1 operands, should have 2/],
  ['permutation', permute(x, [1, 0]), { arg: { axes: [1, 1] } }, /axes \[1, 1\] of rank 2/],
  [
    'slice',
    slice(x, [0, 0], [1, 2], [1, 1]),
    { arg: { start: [0, 2], size: [1, 2], step: [1, 1] } },
    /2 to 3 on axis 1 of size 3/,
  ],
  ['pad', pad(x, [0, 1], [0, 0]), { arg: { lo: [0, -1], hi: [0, 0] } }, /lo is \[0, -1\]/],
  ['reduced axis', sum(x, [1]), { arg: { axes: [2] } }, /axis 2 of rank 2/],
  ['matmul', matmul(x, y), { src: [y, x] }, /inner sizes 4 and 2/],
  [
    'conv groups',
    conv(image[0], image[1], spec),
    { arg: { ...spec, groups: 2 } },
    /2 channels, weight takes 2 × 2 groups/,
  ],
  ['conv kernel', conv(image[0], image[1], spec), { arg: { ...spec, dilation: [3] } }, /kernel 3 does not fit size 5/],
])('finds a wrong %s', (_, node, change, message) => {
  const nodes = [x, y, ...image, { ...node, ...change } as Node];
  expect(() => verifyGraph(nodes)).toThrow(message);
  expect(() => verifyGraph(nodes)).toThrow(InternalError);
});

test('the message holds the graph', () => {
  const wrong = { ...unary('exp', x), shape: [1] } as Node;
  expect(() => verifyGraph([x, wrong])).toThrow(/%1 = exp float32 \[1\] \(%0\)/);
});

test('operands stand before users', () => {
  expect(() => verifyGraph([unary('exp', x), x])).toThrow(/an operand does not stand before it/);
  verifyGraph([constant(1) as Node]);
});
