// What is kept from run to run (prologue.ts) must follow what it was made from.

import { expect, test } from 'vitest';
import { type Tensor, compile, conv2d, randn, tensor } from '../../src/index.js';

const CHANNELS = 192;

test('kept weights are transformed again when they change', async () => {
  const x = randn([1, CHANNELS, 7, 7]);
  const numbers = await randn([CHANNELS, CHANNELS, 3, 3]).mul(0.02).data();
  const weight = tensor(numbers, { shape: [CHANNELS, CHANNELS, 3, 3] });
  const step = compile((input: Tensor) => conv2d(input, weight, { padding: 1 }));
  const run = async () => (await step(x)).data();
  const first = await run();
  expect(await run()).toEqual(first);

  weight.assign_(weight.mul(2));
  const doubled = await run();
  doubled.forEach((v, i) => expect(Math.abs(v - 2 * first[i])).toBeLessThan(1e-4));

  const other = tensor(numbers, { shape: [CHANNELS, CHANNELS, 3, 3] });
  const same = await conv2d(x, other, { padding: 1 }).data(); // the same program, other weights
  same.forEach((v, i) => expect(Math.abs(v - first[i])).toBeLessThan(1e-4));
});
