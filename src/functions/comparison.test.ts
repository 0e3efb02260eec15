// Comparisons, what is not a number, and arguments that are refused. Values: test/composed.test.ts, test/special-functions.test.ts.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  allclose,
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseRightShift,
  clamp,
  copysign,
  equal,
  fmax,
  fmin,
  fmod,
  gcd,
  heaviside,
  isclose,
  lcm,
  nanToNum,
  ones,
  setDevice,
  signbit,
  tensor,
  zeros,
} from '../index.js';

const list = async (t: AnyTensor): Promise<number[]> => [...(await t.data())].map(Number);
const int = (...values: number[]) => tensor(Int32Array.from(values));

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('isclose, allclose and equal', async () => {
    setDevice(device);
    const a = tensor([1, 1, 1e10, Infinity, Infinity, NaN, 0]);
    const b = tensor([1, 1.0001, 1.000005e10, Infinity, -Infinity, NaN, 1e-9]);
    expect(await list(isclose(a, b))).toEqual([1, 0, 1, 1, 0, 0, 1]);
    expect(await list(isclose(a, b, { equalNan: true, rtol: 1e-3 }))).toEqual([1, 1, 1, 1, 0, 1, 1]);
    expect(await list(isclose(a, b, { rtol: 0, atol: 0 }))).toEqual([1, 0, 0, 1, 0, 0, 0]);
    expect(await allclose(ones([2, 3]), tensor([1, 1 + 1e-6, 1]))).toBe(true);
    expect(await allclose(ones([2, 3]), tensor([1, 1.1, 1]))).toBe(false);
    expect(await allclose(zeros([0]), zeros([0]))).toBe(true);
    expect(await equal(int(1, 2), tensor([1, 2]))).toBe(true);
    expect(await equal(int(1, 2), int(1, 3))).toBe(false);
    expect(await equal(zeros([2, 3]), zeros([3, 2]))).toBe(false);
    expect(await equal(tensor([NaN]), tensor([NaN]))).toBe(false);
    expect(await equal(zeros([0, 2]), zeros([0, 2]))).toBe(true);
  });

  test('NaN, infinities and signs of zeros', async () => {
    setDevice(device);
    const a = tensor([NaN, 1, NaN, -0, 2]);
    const b = tensor([1, NaN, NaN, 0, -3]);
    expect(await list(fmax(a, b))).toEqual([1, 1, NaN, -0, 2]);
    expect(await list(fmin(a, b))).toEqual([1, 1, NaN, -0, -3]);
    expect(await list(heaviside(a, 0.5))).toEqual([NaN, 1, NaN, 0.5, 1]);
    expect(await list(signbit(tensor([0, -0, -1, Infinity, -Infinity])))).toEqual([0, 1, 1, 0, 1]);
    expect(await list(copysign(tensor([1, -2]), -0))).toEqual([-1, -2]);
    const largest = 3.4028234663852886e38;
    const odd = tensor([NaN, Infinity, -Infinity, 5], { requiresGrad: true });
    const finite = nanToNum(odd);
    expect(await list(finite)).toEqual([0, largest, -largest, 5]);
    finite.sum().backward();
    expect(await list(odd.grad!)).toEqual([0, 0, 0, 1]);
    expect(await list(clamp(tensor([0, 5, NaN]), tensor([3, 3, 3]), tensor([1, 1, 1])))).toEqual([1, 1, NaN]);
  });

  test('whole numbers to the ends of their range', async () => {
    setDevice(device);
    const least = -0x80000000;
    expect(await list(bitwiseRightShift(int(-5, 5, least, -1), int(1, 1, 31, 40)))).toEqual([-3, 2, -1, -1]);
    expect(await list(bitwiseLeftShift(int(1, -1, 3, 3), int(31, 1, 32, -1)))).toEqual([least, -2, 0, 0]);
    expect(await list(gcd(int(0, 1836311903, -12, 2147483647), int(0, 1134903170, 18, 5)))).toEqual([0, 1, 6, 1]);
    expect(await list(lcm(int(0, 4, -6, 0), int(5, 6, 4, 0)))).toEqual([0, 12, 12, 0]);
    expect(await list(fmod(int(-5, 5, 7, 3), int(3, -3, 7, 0)))).toEqual([-2, 2, 0, 0]);
  });
});

test('what is refused', () => {
  expect(() => bitwiseAnd(zeros([2]) as never, int(1, 2))).toThrow(
    "bitwiseAnd: takes int32, uint8 or bool, not float32. Convert with to('int32').",
  );
  expect(() => gcd(tensor([true]) as never, int(1))).not.toThrow();
  expect(() => isclose(zeros([2]), zeros([3]))).toThrow('isclose: [2] x [3]: sizes 2 and 3 do not broadcast');
  expect(() => isclose(zeros([2]), zeros([2]), { rtol: -1 })).toThrow(
    'isclose: rtol is -1. Use a number of at least 0.',
  );
});
