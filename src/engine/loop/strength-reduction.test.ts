// Quotients by what a loop does not change (strength-reduction.ts): the same numbers, to the last bit, as division.
import { describe, expect, test } from 'vitest';
import { f, makeLeaves } from '../../../test/operators/case.js';
import { evaluateOn } from '../../../test/operators/run.js';
import { kernelOf } from '../../../test/support/kernels.js';
import { tierDevices } from '../../../test/support/tiers.js';
import * as build from '../ir/build.js';
import * as L from './loop.js';
import type { Expr, KernelFunction } from './loop.js';
import { printKernel } from './print.js';
import { reduceStrength } from './strength-reduction.js';
import { verifyKernel } from './verify.js';

const COLUMNS = 70; // four vectors of 16 lanes and a rest

describe.each(Object.entries(tierDevices(1)))('%s', (_, device) => {
  async function expectQuotients(numerators: Float32Array, divisors: Float32Array): Promise<void> {
    const rows = divisors.length;
    const leaves = makeLeaves([f([rows, COLUMNS]), f([rows, 1])], 'test');
    const [actual] = await evaluateOn(device, [build.div(leaves[0], leaves[1])], leaves, [numerators, divisors]);
    numerators.forEach((a, i) => {
      const s = divisors[Math.floor(i / COLUMNS)];
      if (!Object.is(actual[i], Math.fround(a / s))) expect.fail(`${a} / ${s} is ${actual[i]}`);
    });
  }

  test('of ordinary numbers', async () => {
    const rows = 500;
    const spread = (i: number) => Math.sin(i * 12.9898) * 2 ** ((i * 7) % 60);
    await expectQuotients(
      Float32Array.from({ length: rows * COLUMNS }, (_, i) => spread(i)),
      Float32Array.from({ length: rows }, (_, i) => spread(i + 0.5)),
    );
  });

  test('of zeros, infinities, NaN, the smallest and the largest', async () => {
    const numerators = [0, -0, 1, -1, Infinity, -Infinity, NaN, 3.4028234663852886e38, -3.4028234663852886e38, 1e-30];
    const divisors = [1, -1, 3, -7, 1e10, 2 ** 60, 2 ** 61, 3e38, 0.3, 1e-30, 1e-40, 0, -0, Infinity, -Infinity, NaN];
    await expectQuotients(
      Float32Array.from({ length: divisors.length * COLUMNS }, (_, i) => numerators[i % numerators.length]),
      Float32Array.from(divisors),
    );
  });
});

const x = L.buffer('x', 'f32', 'param', 1024);
const y = L.buffer('y', 'f32', 'param', 1024);

/** y[v …] = x[v …] / divisor, 16 at a time, where the divisor may be of the loop's own. */
function divisions(turns: number, divisorOf: (v: Expr, s: L.Var) => Expr): KernelFunction {
  const [s, v] = [L.variable('s', 'f32'), L.variable('v', 'i32')];
  const loop = L.loop(v, L.int(0), L.int(16 * turns), 16, [
    L.store(y, v, L.binary('div', L.load(x, v, 16), divisorOf(v, s))),
  ]);
  return kernelOf([x, y], () => [L.define(s, L.load(x, L.int(3))), loop]);
}

test('divisors that a loop changes, and loops of few turns, stay as they are', () => {
  const isChanged = (kernel: KernelFunction): boolean => {
    const made = reduceStrength(kernel);
    verifyKernel(made);
    return printKernel(made) !== printKernel(kernel);
  };
  expect(isChanged(divisions(8, (_, s) => s))).toBe(true);
  expect(isChanged(divisions(2, (_, s) => s))).toBe(false);
  expect(isChanged(divisions(8, (v) => L.load(y, v)))).toBe(false);
  expect(isChanged(divisions(8, (_, s) => L.splat(L.add(s, L.float(1)), 16)))).toBe(false);
});
