// Results that are exact whatever the rounding on the way, on every tier: products are rounded before they are subtracted (no
// contraction to a fused multiply-add that nobody asked for), and a mean is a quotient.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, cat, full, realize, setDevice, tensor } from 'nabla';
import { AvgPool2d, BatchNorm1d, GroupNorm, LayerNorm } from 'nabla/nn';
import { TIERS } from './support/tiers.js';

const numbers = async (x: AnyTensor): Promise<number[]> => Array.from(await x.data(), (v) => v + 0);

/** Counts whose product with their reciprocal in float32 is not 1, and others. */
const COUNTS = [1, 2, 3, 5, 7, 41, 47, 55, 61, 82, 83, 97, 107, 194, 1000];

const X = [0.1, 1.7, -2.3, 1e10, 3.3333333, 1 / 3, 1e-20, 7];
const Y = [3, -0.3, 1.1, 1e-3, 0.7, 3, 1e-20, 1 / 7];

const f = Math.fround;

/** a, b, a modulo b and ⌊a / b⌋ as PyTorch has them. */
const QUOTIENTS: readonly (readonly [a: number, b: number, rest: number, quotient: number])[] = [
  [1e9, 7, 6, 142857142],
  [1e10, 7, 4, 1428571428],
  [3e8, 7, 6, 42857142],
  [-1e9, 7, 1, -142857143],
  [1e9, -7, -1, -142857143],
  [f(1e30), 7, f(1e30) % 7, f(1e30) / 7],
  [f(3e38), f(1e-30), f(3e38) % f(1e-30), Infinity],
  [1, f(0.1), 1 % f(0.1), 9],
  [f(0.3), f(0.1), f(0.3) % f(0.1), 3],
  [6, f(0.1), 6 % f(0.1), 59],
  [-3, Infinity, Infinity, -1],
  [3, -Infinity, -Infinity, -1],
  [3, Infinity, 3, 0],
  [-1, 3, 2, -1],
  [1, 0, NaN, Infinity],
  [-1, 0, NaN, -Infinity],
  [0, 0, NaN, NaN],
  [Infinity, 2, NaN, NaN],
  [NaN, 2, NaN, NaN],
  [2, NaN, NaN, NaN],
  [-0, 5, -0, -0],
  [0, -5, 0, -0],
  [f(1e-40), f(3e-41), f(1e-40) % f(3e-41), 3],
];

describe.each(TIERS)('on $device', ({ device }) => {
  const given = (data: readonly number[]): Tensor => {
    setDevice(device);
    return tensor(Float32Array.from(data));
  };
  // One program: a call of the C compiler for each count would take its time.
  test('equal numbers have no variance', async () => {
    const results: Tensor[] = COUNTS.flatMap((n) => {
      const x = given(Array.from({ length: n }, () => 1));
      const some = { correction: 0 };
      return [x.var(0, some), x.std(0, some), x.sub(x.mean()), x.mean().sub(1), ...(n > 1 ? [x.var()] : [])];
    });
    const table = full([41, 47], 3);
    results.push(table.var(0), table.var(1), table.var());
    await realize(...results);
    for (const result of results) expect(new Set(await numbers(result))).toEqual(new Set([0]));
  });

  test('x·y − x·y is 0, and other differences of equal results', async () => {
    const [x, y] = [given(X), given(Y)];
    const zeros = X.map(() => 0);
    const product = x.mul(y);
    expect(await numbers(product.sub(product.mul(1)))).toEqual(zeros);
    expect(await numbers(x.mul(y).sub(y.mul(x)))).toEqual(zeros);
    expect(await numbers(x.mul(x).sub(x.square()))).toEqual(zeros);
    expect(await numbers(x.mul(y).add(y.neg().mul(x)))).toEqual(zeros);
    expect(
      await numbers(
        cat([x, y])
          .mul(cat([y, x]))
          .sub(cat([product, product])),
      ),
    ).toEqual([...zeros, ...zeros]);
  });

  test('a quotient times its divisor is rounded before it is subtracted', async () => {
    const [x, y] = [given([1, 2, 5, 10]), given([3, 3, 3, 3])];
    const rest = await numbers(x.sub(x.div(y).mul(y)));
    if (device !== 'reference') expect(rest).toEqual([0, 0, 0, 0]);
  });

  test('norms of equal numbers are 0', async () => {
    setDevice(device);
    const x = full([41, 82], 1);
    expect(new Set(await numbers(new LayerNorm(82).forward(x)))).toEqual(new Set([0]));
    expect(new Set(await numbers(new BatchNorm1d(82).forward(x)))).toEqual(new Set([0]));
    expect(new Set(await numbers(new GroupNorm(2, 82).forward(x)))).toEqual(new Set([0]));
  });

  test('equal numbers share softmax alike, and pools of ones are ones', async () => {
    setDevice(device);
    expect(new Set(await numbers(full([5, 41], 3).softmax(1))).size).toBe(1);
    expect(new Set(await numbers(new AvgPool2d(11).forward(full([1, 1, 11, 22], 1))))).toEqual(new Set([1]));
  });

  test('remainders and rounded quotients are those of the exact quotient', async () => {
    const { length } = QUOTIENTS;
    const [x, y] = [given(QUOTIENTS.map(([a]) => a)), given(QUOTIENTS.map(([, b]) => b))];
    const results = [x.remainder(y), x.floorDivide(y)];
    await realize(...results);
    const [rest, quotient] = await Promise.all(results.map(async (t) => Array.from(await t.data(), f)));
    for (let k = 0; k < length; k++) {
      const [a, b, r, q] = QUOTIENTS[k];
      expect([a, b, rest[k], quotient[k]]).toEqual([a, b, f(r), f(q)]);
    }
  });

  test('an int32 to the power of 2 is the float32 that its type says', async () => {
    setDevice(device);
    const square = tensor(Int32Array.of(3, -4, 100_000)).pow(2);
    expect(square.dtype).toBe('float32');
    expect(await numbers(square)).toEqual([9, 16, 1e10]);
  });
});
