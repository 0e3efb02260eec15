// Constants that all accesses to an operand share move into the operand (origins.ts).
import { expect, test } from 'vitest';
import { kernelOf as kernelOver } from '../../../test/support/kernels.js';
import * as L from './loop.js';
import type { Expr, KernelFunction, Stmt } from './loop.js';
import { moveOrigins } from './origins.js';
import { verifyKernel } from './verify.js';

const x = L.buffer('x', 'f32', 'param', 100);
const y = L.buffer('y', 'f32', 'param', 100);
const own = L.buffer('own', 'f32', 'scratch', 100);

const kernelOf = (body: readonly Stmt[]): KernelFunction => kernelOver([x, y], () => body, { scratch: [own] });

const at = (v: Expr, constant: number): Expr => L.add(v, L.int(constant));

/** y[i + 3] = x[i + first] + x[i + first + 2], and the same from scratch memory. */
function sums(first: number): Stmt[] {
  const i = L.variable('i', 'i32');
  const sum = L.add(L.load(x, at(i, first)), L.load(x, at(i, first + 2)));
  return [
    L.loop(i, L.int(0), L.int(4), 1, [
      L.prefetch(x, at(i, first + 64), false),
      L.store(y, at(i, 3), sum),
      L.store(own, at(i, 7), sum),
    ]),
  ];
}

/** The text of the constants, whatever the variables are called. */
const indices = (body: readonly Stmt[]): number[] =>
  [...JSON.stringify(body).matchAll(/"kind":"const","type":"i32","lanes":1,"value":(-?\d+)/g)].map((m) => Number(m[1]));

test('the least constant of each operand moves into it; scratch memory stays', () => {
  const { kernel, origins } = moveOrigins(kernelOf(sums(20)));
  expect(origins).toEqual([20, 3]);
  verifyKernel(kernel);
  const first = moveOrigins(kernelOf(sums(5)));
  expect(first.origins).toEqual([5, 3]);
  expect(indices(kernel.body)).toEqual(indices(first.kernel.body));
  expect(indices(kernel.body)).toEqual([0, 4, 64, 2, 7, 2]);
});

test('an operand that is read from its beginning stays where it is', () => {
  const kernel = kernelOf([L.store(y, L.int(0), L.load(x, L.int(9)))]);
  const moved = moveOrigins(kernel);
  expect(moved.origins).toEqual([9, 0]);
  verifyKernel(moved.kernel);
  const still = kernelOf([L.store(y, L.int(0), L.load(x, L.int(0)))]);
  expect(moveOrigins(still).kernel).toBe(still);
});
