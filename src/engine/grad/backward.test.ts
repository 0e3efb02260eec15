import { expect, test } from 'vitest';
import { makeLeaves } from '../../../test/operators/case.js';
import { evaluateOn } from '../../../test/operators/run.js';
import { ReferenceDevice } from '../device/reference/device.js';
import {
  add,
  cast,
  constant,
  custom,
  detach,
  filled,
  gather,
  iota,
  leaf,
  mul,
  reshape,
  sum,
  unary,
} from '../ir/build.js';
import { GradError } from '../ir/errors.js';
import { type Node, clearInterned, topologicalOrder } from '../ir/node.js';
import { createStorage } from '../ir/storage.js';
import { differentiate, gradient, leafGradients } from './backward.js';

const device = new ReferenceDevice();
const one = (): Node => constant(1) as Node;
const leaves = (...shapes: number[][]): Node[] =>
  makeLeaves(
    shapes.map((shape) => ({ shape, dtype: 'float32', domain: 'normal' })),
    'reference',
  );

test('a node used twice gets the sum', async () => {
  const [x] = leaves([]);
  const y = unary('exp', x);
  const [g] = gradient([mul(y, add(y, x))], [one()], [x]);
  const [value] = await evaluateOn(device, [g!], [x], [[0.5]]);
  const e = Math.exp(0.5);
  expect(value[0]).toBeCloseTo(e * (e + 0.5) + e * (e + 1), 12);
});

test('several outputs with their seeds, one of them twice', async () => {
  const [x] = leaves([2]);
  const y = mul(x, x);
  const seed = filled(1, [2], 'float32');
  const [g] = gradient([y, x, y], [seed, seed, seed], [x]);
  const [value] = await evaluateOn(device, [g!], [x], [[1, 3]]);
  expect([...value]).toEqual([5, 13]);
});

test('gradient to an inner node, and undefined where nothing leads', () => {
  const [x, y] = leaves([], []);
  const inner = unary('sin', x);
  const [g, none] = gradient([unary('exp', inner)], [one()], [inner, y]);
  expect(g?.op).toBe('exp');
  expect(none).toBeUndefined();
});

test('only nodes that lead to what is asked for are visited', () => {
  const [x, w] = leaves([3, 3], [3, 3]);
  const out = mul(unary('tanh', x), w);
  const before = unary('sign', w).id;
  gradient([out], [filled(1, [3, 3], 'float32')], [w]);
  // seed (constant, expanded): the gradient to w is tanh(x) itself, and nothing was built for x.
  expect(unary('ceil', w).id - before).toBeLessThanOrEqual(3);
});

test('detach stops, also for nodes given by name', () => {
  const [x] = leaves([]);
  expect(gradient([detach(unary('exp', x))], [one()], [x])).toEqual([undefined]);
  expect(leafGradients(mul(detach(x), x), one())).toHaveLength(1);
});

test('integers and comparisons carry no gradient', () => {
  const [x] = leaves([3]);
  const at = cast(x, 'int32');
  const [g] = gradient([cast(at, 'float32')], [filled(1, [3], 'float32')], [x]);
  expect(g).toBeUndefined();
  const picked = gather(x, 0, iota(3));
  expect(gradient([picked], [filled(1, [3], 'float32')], [x])[0]?.op).toBe('scatterAdd');
});

test('leafGradients lists the leaves that require a gradient', () => {
  const [x, w] = leaves([2, 3], [3]);
  const fixed = leaf(createStorage('reference', 'float32', [3], 3, null)) as Node;
  const loss = reshape(sum(mul(add(x, w), fixed), [0, 1]), []);
  const pairs = leafGradients(loss, one());
  expect(pairs.map(([node]) => node)).toEqual([x, w]);
  expect(pairs.map(([, g]) => g.shape)).toEqual([[2, 3], [3]]);
});

test('differentiate shows the gradient of every node', () => {
  const [x] = leaves([]);
  const y = unary('exp', x);
  const z = unary('sin', y);
  const { order, gradients } = differentiate([z], [one()]);
  expect(order).toEqual([x, y, z]);
  expect(gradients.map((g) => g?.op)).toEqual(['mul', 'cos', 'const']);
});

test('it walks through realised nodes', () => {
  const [x] = leaves([]);
  const y = unary('exp', x);
  y.storage = createStorage('reference', 'float32', [], 1, null);
  expect(gradient([unary('sin', y)], [one()], [x])[0]?.op).toBe('mul');
  y.storage = undefined;
  clearInterned();
});

test('graphs deeper than the call stack', () => {
  const [x] = leaves([]);
  let y = x;
  for (let k = 0; k < 50_000; k++) y = unary('sin', y);
  const [g] = gradient([y], [one()], [x]);
  expect(g?.op).toBe('mul');
});

test('custom: backward may walk graphs of its own, and its answers are checked', () => {
  const [x, y] = leaves([2], [2]);
  const seed = filled(1, [2], 'float32');
  const make = (backward: (g: unknown) => unknown[]): Node =>
    add(custom(mul(x, y), [x, y], { name: 'myMul', backward }), unary('exp', x));
  const out = make((g) => {
    topologicalOrder([mul(y, x)]); // overwrites the scratch fields of nodes in the outer walk
    return [mul(g as Node, y), null];
  });
  const [gx, gy] = gradient([out], [seed], [x, y]);
  expect(gx?.shape).toEqual([2]);
  expect(gy).toBeUndefined();
  expect(() => gradient([make((g) => [g])], [seed], [x])).toThrow(GradError);
  expect(() => gradient([make((g) => [g])], [seed], [x])).toThrow(/myMul: backward gave 1 gradients for 2 inputs/);
  expect(() => gradient([make(() => [one(), null])], [seed], [x])).toThrow(
    /myMul: gradient 0 is \[\], its input \[2\]/,
  );
});

test('a seed of another shape', () => {
  const [x] = leaves([2]);
  expect(() => gradient([unary('exp', x)], [one()], [x])).toThrow(GradError);
});
