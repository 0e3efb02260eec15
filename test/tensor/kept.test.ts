// What is kept from run to run (compile/keep.ts) must follow what it was made from.

import { expect, test } from 'vitest';
import { type Tensor, compile, conv2d, randn, tensor } from '../../src/index.js';

test('kept weights are transformed again when they change', async () => {
  const x = randn([1, 192, 7, 7]);
  const weight = randn([192, 192, 3, 3]).mul(0.02);
  const twice = tensor(await weight.mul(2).data(), { shape: weight.shape });
  const step = compile((input: Tensor) => conv2d(input, weight, { padding: 1 }));
  const first = await step(x).then((y) => y.data());
  const again = await step(x).then((y) => y.data());
  expect(again).toEqual(first);
  weight.assign_(twice);
  const doubled = await step(x).then((y) => y.data());
  doubled.forEach((v, i) => expect(Math.abs(v - 2 * first[i])).toBeLessThan(1e-4));
  const other = await conv2d(x.mul(1), weight.mul(1), { padding: 1 }).data();
  doubled.forEach((v, i) => expect(Math.abs(v - other[i])).toBeLessThan(1e-4));
});
