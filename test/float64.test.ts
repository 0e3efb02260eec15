// float64 on both tiers: functions to the last digits over all exponents (against mpmath), promotion as PyTorch's, sums without
// losses, products, gradients, solvers, modules, files.
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Tensor,
  cat,
  compile,
  conv2d,
  defaultDType,
  linspace,
  ones,
  rand,
  randn,
  realize,
  setDefaultDType,
  setDevice,
  tensor,
  where,
  zeros,
} from 'nabla';
import { fromSafetensors, toSafetensors } from 'nabla/io';
import { Linear, ReLU, Sequential, crossEntropy, toDType } from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { type Packed, readFixture } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

afterAll(() => setDevice('cpu'));

const bits = new DataView(new ArrayBuffer(8));

/** The place of a number among all float64 numbers. */
function place(x: number): bigint {
  bits.setFloat64(0, x);
  const n = bits.getBigInt64(0);
  return n < 0n ? -(n & 0x7fffffffffffffffn) : n;
}

/** How many numbers lie between two. */
function distance(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  const d = place(a) - place(b);
  return Number(d < 0n ? -d : d);
}

const { functions } = readFixture<{ functions: Record<string, Packed> }>('functions64.safetensors');

/** Units in the last place that each may be off, everywhere. */
const MOST: Record<string, number> = {
  tanh: 3,
  log1p: 2,
  expm1: 2,
  log10: 2,
  tan: 2,
  sinh: 2,
  asin: 2,
  pow: 2,
  sigmoid: 2,
};

describe.each(TIERS.filter(({ device }) => device !== 'reference'))('on $device', ({ device }) => {
  beforeEach(() => setDevice(device));

  test.each(Object.keys(functions))('%s over all exponents', async (name) => {
    const { shape, data } = functions[name];
    const rows = Array.from({ length: shape[0] }, (_, i) =>
      Float64Array.from(data.slice(i * shape[1], (i + 1) * shape[1])),
    );
    const [x, y] = rows.map((row) => tensor(row));
    const result = name === 'pow' ? x.pow(y) : x[name as 'exp']();
    expect(result.dtype).toBe('float64');
    const expected = rows[rows.length - 1];
    const actual = await result.data();
    const off = Array.from(actual, (value, i) => distance(value, expected[i]));
    const worst = off.indexOf(Math.max(...off));
    expect(
      off[worst],
      `${name}(${rows
        .slice(0, -1)
        .map((row) => row[worst])
        .join(', ')})`,
    ).toBeLessThanOrEqual(MOST[name] ?? 1);
  });

  test('infinities, NaN and zeros are what they are in float32', async () => {
    const special = Float64Array.of(Infinity, -Infinity, NaN, 0, -0);
    const names = [
      'exp',
      'log',
      'log1p',
      'expm1',
      'sin',
      'tanh',
      'atan',
      'erf',
      'sigmoid',
      'softplus',
      'gelu',
      'sign',
      'round',
    ] as const;
    for (const name of names) {
      const [wide, narrow] = [tensor(special)[name](), tensor(special, { dtype: 'float32' })[name]()];
      const expected = [...(await narrow.data())];
      const actual = [...(await wide.data())];
      actual.forEach((value, i) => {
        if (Math.abs(expected[i]) < Infinity && expected[i] !== 0) expect(value).toBeCloseTo(expected[i], 6);
        else expect(value).toBe(expected[i]);
      });
    }
  });

  test('whole numbers beyond 2⁵³ / 3 add up exactly, and 0.1 is 0.1', async () => {
    const x = tensor(Float64Array.of(2 ** 52, 1, -(2 ** 52)));
    expect(await x.sum().item()).toBe(1);
    expect(await x.cumsum(0).array()).toEqual([2 ** 52, 2 ** 52 + 1, 1]);
    expect(await zeros([2], { dtype: 'float64' }).add(0.1).array()).toEqual([0.1, 0.1]);
    expect(await tensor(Float64Array.of(0.1)).mul(3).item()).toBe(0.1 * 3);
  });

  test('linspace counts from both ends, to the last digit', async () => {
    const [from, to, count] = [-0.1, 0.7, 41];
    const step = (to - from) / (count - 1);
    const expected = Array.from({ length: count }, (_, i) =>
      i < count / 2 ? from + i * step : to - (count - 1 - i) * step,
    );
    const plain = await linspace(from, to, count, { dtype: 'float64' }).array();
    const ends = [from, to].map((end) => tensor(Float64Array.of(end), { shape: [] }));
    const ofTensors = await linspace(ends[0], ends[1], count, { dtype: 'float64' }).array();
    for (const [i, x] of expected.entries())
      expect(Math.max(Math.abs(plain[i] - x), Math.abs(ofTensors[i] - x)), `element ${i}`).toBeLessThan(2 ** -52);
    expect([plain[0], plain[count - 1], ofTensors[0], ofTensors[count - 1]]).toEqual([from, to, from, to]);
  });

  test('conversions: rounded to float32, cut off to int32, exact back', async () => {
    const x = tensor(Float64Array.of(1 / 3, 3e9, -3e9, 2.9, -2.9, NaN, 1e300));
    expect(await x.to('float32').array()).toEqual([...x32(1 / 3, 3e9, -3e9, 2.9, -2.9, NaN, 1e300)]);
    expect(await x.to('int32').array()).toEqual([0, 2147483647, -2147483648, 2, -2, 0, 2147483647]);
    expect(await x.to('bool').array()).toEqual([true, true, true, true, true, true, true]);
    const wide = tensor(Int32Array.of(1, -7)).to('float64').div(3);
    expect(await wide.array()).toEqual([1 / 3, -7 / 3]);
    const narrow = tensor([0.1]);
    expect(await narrow.to('float64').item()).toBe(Math.fround(0.1));
  });

  test('promotion is PyTorch’s: float64 wins, but a tensor without dimensions does not widen one with them', async () => {
    const [wide, narrow, whole] = [ones([2], { dtype: 'float64' }), ones([2]), ones([2], { dtype: 'int32' })];
    expect(
      [wide.add(narrow), whole.mul(wide), narrow.maximum(wide), wide.div(whole)].map(({ dtype }) => dtype),
    ).toEqual(Array(4).fill('float64'));
    expect(where(wide.gt(0), wide, narrow).dtype).toBe('float64');
    const scalar = tensor(Float64Array.of(0.1), { shape: [] });
    expect(narrow.mul(scalar).dtype as string).toBe('float32');
    expect(whole.mul(scalar).dtype).toBe('float64');
    expect(() => wide.matmul(tensor([1, 2]) as never)).toThrow('operands are float64 and float32');
    expect(await cat([wide, tensor([0.5]), tensor(Int32Array.of(3))]).array()).toEqual([1, 1, 0.5, 3]);
    expect(cat([tensor([0.5]), whole]).dtype).toBe('float32');
    await wide.data();
  });

  test('products and convolutions, with their gradients, agree with sums in JavaScript', async () => {
    const [m, k, n] = [13, 70, 9];
    const a = randn([m, k], { dtype: 'float64' });
    const b = randn([k, n], { dtype: 'float64' });
    const [x, y] = [
      tensor(await a.data(), { shape: [m, k], requiresGrad: true }),
      tensor(await b.data(), { shape: [k, n] }),
    ];
    const z = x.matmul(y);
    z.square().sum().backward();
    const [p, q, r, g] = await Promise.all([x.data(), y.data(), z.data(), x.grad!.data()]);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += p[i * k + l] * q[l * n + j];
        expect(Math.abs(sum - r[i * n + j])).toBeLessThan(1e-12);
      }
    let slope = 0;
    for (let j = 0; j < n; j++) slope += 2 * r[j] * q[j];
    expect(Math.abs(slope - g[0])).toBeLessThan(1e-11);
    const image = randn([2, 16, 12, 12], { dtype: 'float64' });
    const kernel = randn([16, 16, 3, 3], { dtype: 'float64' });
    const [i1, w1] = [
      tensor(await image.data(), { shape: [2, 16, 12, 12] }),
      tensor(await kernel.data(), { shape: [16, 16, 3, 3] }),
    ];
    const direct = await conv2d(i1 as never, w1 as never, { padding: 1 }).data();
    setDevice('reference');
    const [i2, w2] = [
      tensor(await image.data(), { shape: [2, 16, 12, 12] }),
      tensor(await kernel.data(), { shape: [16, 16, 3, 3] }),
    ];
    const expected = await conv2d(i2 as never, w2 as never, { padding: 1 }).data();
    setDevice(device);
    expect(Math.max(...Array.from(direct as ArrayLike<number>, (v, i) => Math.abs(v - expected[i])))).toBeLessThan(
      1e-11,
    );
  });

  test('long products of which nothing but a conversion is stored', async () => {
    for (const [rows, width] of [
      [1100, 20],
      [40_000, 3],
    ]) {
      const numbers = Float64Array.from({ length: rows * width }, (_, i) => ((i * 7) % 11) - 5);
      const sums = Array.from({ length: width * width }, (_, at) => {
        let sum = 0;
        for (let i = 0; i < rows; i++)
          sum += numbers[i * width + Math.floor(at / width)] * numbers[i * width + (at % width)];
        return sum;
      });
      for (const [from, to] of [
        ['float32', 'float64'],
        ['float64', 'float32'],
        ['float32', 'int32'],
      ] as const) {
        const x = tensor(numbers, { shape: [rows, width] }).to(from);
        await realize(x);
        expect(Array.from(await x.T.matmul(x).to(to).data())).toEqual(sums);
      }
    }
  });

  test('gradients flow through conversions, each in the dtype of its tensor', async () => {
    const [a, b] = [tensor([1, 2], { requiresGrad: true }), tensor([3, 4], { dtype: 'float64', requiresGrad: true })];
    a.mul(b).sum().backward();
    expect([a.grad!.dtype, b.grad!.dtype]).toEqual(['float32', 'float64']);
    expect([await a.grad!.array(), await b.grad!.array()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  test('Newton’s method ends at the last digit', async () => {
    const step = compile((x: Tensor<[3], 'float64'>, a: Tensor<[3], 'float64'>) => x.add(a.div(x)).mul(0.5));
    const a = tensor(Float64Array.of(2, 3, 1e-8));
    let x = ones([3], { dtype: 'float64' });
    for (let i = 0; i < 40; i++) x = tensor(await (await step(x, a)).data(), { shape: [3] });
    expect(await x.array()).toEqual([Math.SQRT2, Math.sqrt(3), 1e-4].map((v) => expect.closeTo(v, 15)));
  });

  test('a network trains in float64; steps are captured anew when its dtype changes', async () => {
    const model = toDType(new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3)), 'float64');
    const optimizer = new Adam(model.parameters(), { lr: 0.05 });
    const x = rand([16, 4], { dtype: 'float64' });
    const [inputs, labels] = [
      tensor(await x.data(), { shape: [16, 4] }),
      tensor(Int32Array.from({ length: 16 }, (_, i) => i % 3)),
    ];
    const losses: number[] = [];
    for (let i = 0; i < 30; i++) {
      const loss = crossEntropy(model.forward(inputs), labels);
      expect(loss.dtype).toBe('float64');
      optimizer.zeroGrad();
      loss.backward();
      await optimizer.step();
      losses.push(await loss.item());
    }
    expect(losses[29]).toBeLessThan(losses[0]);
    expect(
      model.parameters().every((p) => (p.dtype as string) === 'float64' && (p.grad!.dtype as string) === 'float64'),
    ).toBe(true);
    const plain = new Linear(4, 2);
    const forward = compile((t: Tensor<[16, 4], 'float64'> | Tensor<[16, 4]>) => plain.forward(t as Tensor<[16, 4]>));
    expect((await forward(inputs.to('float32'))).dtype).toBe('float32');
    plain.to('float64');
    expect((await forward(inputs)).dtype).toBe('float64');
  });

  test('a model that is converted between two steps needs another optimiser, which is said', async () => {
    const model = new Linear(2, 1);
    const optimizer = new Adam(model.parameters());
    model
      .forward(ones([3, 2]))
      .sum()
      .backward();
    await optimizer.step();
    const wide = toDType(model, 'float64');
    optimizer.zeroGrad();
    wide
      .forward(ones([3, 2], { dtype: 'float64' }))
      .sum()
      .backward();
    await expect(async () => optimizer.step()).rejects.toThrow(
      /^Adam: parameter 0 is float64, its \w+ float32: it was converted after a step\. Make the optimiser after to\('float64'\)\.$/,
    );
  });

  test('the default dtype', async () => {
    setDefaultDType('float64');
    try {
      expect(defaultDType()).toBe('float64');
      expect(
        [tensor([1, 2]), zeros([2]), rand([2]), tensor(Int32Array.of(1)).div(3)].map(({ dtype }) => dtype as string),
      ).toEqual(Array(4).fill('float64'));
      expect(new Linear(2, 2).weight.dtype as string).toBe('float64');
    } finally {
      setDefaultDType('float32');
    }
    expect(() => setDefaultDType('int32' as never)).toThrow("'int32' is not a dtype of real numbers");
  });

  test('uniform and normal numbers have all their bits', async () => {
    const [u, n] = [await rand([4000], { dtype: 'float64' }).data(), await randn([4000], { dtype: 'float64' }).data()];
    expect(u.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(u.filter((v) => (v * 2 ** 32) % 1 !== 0).length).toBeGreaterThan(3900);
    const mean = n.reduce((a, b) => a + b) / n.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(n.reduce((a, b) => a + (b - mean) ** 2, 0) / n.length - 1)).toBeLessThan(0.15);
  });

  test('files hold it', async () => {
    const given = { a: tensor(Float64Array.of(1 / 3, 1e300)), b: tensor([0.5]) };
    const read = fromSafetensors(await toSafetensors(given)).tensors;
    expect([read['a'].dtype, read['b'].dtype]).toEqual(['float64', 'float32']);
    expect([...(await read['a'].data())]).toEqual([1 / 3, 1e300]);
  });
});

function x32(...values: number[]): Float32Array {
  return Float32Array.from(values);
}
