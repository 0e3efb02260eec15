// The polynomials of math.ts against float64, in units in the last place, on both tiers: scalars and vectors.
import { describe, expect, test } from 'vitest';
import { f, makeLeaves } from '../../../../test/operators/case.js';
import { evaluateOn } from '../../../../test/operators/run.js';
import { tierDevices } from '../../../../test/support/tiers.js';
import type { CpuDevice } from '../../device/cpu/device.js';
import { ReferenceDevice } from '../../device/reference/device.js';
import * as build from '../../ir/build.js';
import type { UnaryOp } from '../../ir/op.js';

const reference = new ReferenceDevice();

/** The distance between neighbouring float32 numbers at x. */
function ulp(x: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126))) - 23);
}

/** Numbers between low and high, evenly spread and of every size, and the ends. */
function samples(low: number, high: number, count: number): Float32Array {
  const out = Float32Array.from({ length: count }, (_, i) => {
    const u = (i + 0.5) / count;
    const even = low + (high - low) * u;
    const small = (i % 4 === 1 ? -1 : 1) * 10 ** (-8 + 8 * u);
    return Math.min(Math.max(i % 2 === 0 ? even : small, low), high);
  });
  [out[0], out[1]] = [low, high];
  return out;
}

/** The function on the device and exactly. */
async function both(
  device: CpuDevice,
  op: UnaryOp,
  data: Float32Array,
): Promise<{ actual: ArrayLike<number>; exact: ArrayLike<number> }> {
  const leaves = makeLeaves([f([data.length])], 'test');
  const outputs = [build.unary(op, leaves[0])];
  const [actual] = await evaluateOn(device, outputs, leaves, [data]);
  const [exact] = await evaluateOn(reference, outputs, leaves, [data]);
  return { actual, exact };
}

describe.each(Object.entries(tierDevices(1)))('%s', (_, device) => {
  test.each<[op: UnaryOp, low: number, high: number, most: number]>([
    ['exp', -87, 88, 2],
    ['exp', -104, -87, 2], // denormal results
    ['expm1', -20, 88, 2],
    ['log', 1e-37, 3e38, 2],
    ['log1p', -0.999, 1e6, 2],
    ['sin', -100, 100, 2],
    ['cos', -100, 100, 2],
    ['tanh', -12, 12, 2],
    ['erf', -5, 5, 2],
    ['atan', -1e4, 1e4, 2],
    ['sigmoid', -80, 80, 3],
  ])('%s on [%d, %d]: at most %i ulp', async (op, low, high, most) => {
    for (const count of [3, 100_000]) {
      const data = samples(low, high, count); // 3 elements are computed one by one, not as vectors
      const { actual, exact } = await both(device, op, data);
      let [worst, where] = [0, 0];
      for (let i = 0; i < count; i++) {
        // Near a zero of sin and cos an ulp of the argument is more than one of the result.
        const unit = op === 'sin' || op === 'cos' ? Math.max(ulp(exact[i]), 2 ** -25) : ulp(exact[i]);
        const error = Math.abs(actual[i] - exact[i]) / unit;
        if (!(error <= worst)) [worst, where] = [error, data[i]];
      }
      if (!(worst <= most)) expect.fail(`${op}(${where}) is off by ${worst.toFixed(2)} ulp`);
    }
  });

  test.each<UnaryOp>(['exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'tanh', 'erf', 'atan', 'sqrt', 'sigmoid'])(
    '%s of zeros, infinities, NaN, the smallest and the largest',
    async (op) => {
      const largest = 3.4e38;
      const special = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, largest, -largest, 1, -1];
      const data = Float32Array.from({ length: 4 * special.length }, (_, i) => special[i % special.length]);
      const { actual, exact } = await both(device, op, data);
      data.forEach((x, i) => {
        const [a, e] = [actual[i], Math.fround(exact[i])];
        const fits = Object.is(a, e) || a === e || Math.abs(a - e) <= 3 * ulp(e);
        if (!fits) expect.fail(`${op}(${x}) is ${a} instead of ${e}`);
      });
    },
  );
});
