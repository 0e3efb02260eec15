// Distributions against their probabilities and moments (a seed is given, so that nothing depends on chance), draws that come again
// with the seed and anew in captured calls, and arguments that are refused.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  type Tensor,
  bernoulli,
  cauchy,
  compile,
  exponential,
  full,
  geometric,
  gumbelSoftmax,
  logNormal,
  manualSeed,
  multinomial,
  normal,
  ones,
  poisson,
  randLike,
  randintLike,
  randnLike,
  setDevice,
  tensor,
  uniform,
  zeros,
} from '../index.js';

const list = async (t: AnyTensor): Promise<number[]> => [...(await t.data())].map(Number);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const m = mean(values);
  return mean(values.map((v) => (v - m) ** 2));
};

/** How often each whole number comes, as shares. */
function shares(values: readonly number[], count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const v of values) counts[v]++;
  return counts.map((c) => c / values.length);
}

/** Shares of n draws are within five standard deviations of the probabilities. */
function expectShares(found: readonly number[], wanted: readonly number[], n: number): void {
  wanted.forEach((p, i) => {
    const limit = 5 * Math.sqrt((p * (1 - p)) / n) + 1 / n;
    if (!(Math.abs(found[i] - p) <= limit)) expect.fail(`${i} comes in ${found[i]} of ${n} draws instead of ${p}`);
  });
}

const N = 20_000;

test('draws from numbers are of the dtype that is asked for', async () => {
  setDevice('cpu');
  manualSeed(3);
  const dtype = 'float64';
  const draws = [
    [exponential([N], 2, { dtype }), 0.5, 0.25],
    [normal(3, 2, [N], { dtype }), 3, 4],
    [uniform([N], -1, 2, { dtype }), 0.5, 9 / 12],
    [geometric([N], 0.25, { dtype }), 4, 12],
    [logNormal([N], 0, 0.5, { dtype }), Math.exp(0.125), (Math.exp(0.25) - 1) * Math.exp(0.25)],
  ] as const;
  for (const [draw, centre, spread] of draws) {
    expect(draw.dtype).toBe('float64');
    const numbers = await list(draw);
    expect(Math.abs(mean(numbers) - centre)).toBeLessThan(5 * Math.sqrt(spread / N));
  }
  const fine = await list(exponential([N], 1, { dtype }));
  expect(fine.some((v) => v !== Math.fround(v))).toBe(true);
  expect(uniform([2], 0, 1, { dtype: 'float16' }).dtype).toBe('float16');
  const spread = await list(cauchy([N], 1, 2, { dtype }));
  expect(spread.filter((v) => Math.abs(v - 1) < 2).length / N).toBeCloseTo(0.5, 1);
  expect(() => exponential([2], 1, { dtype: 'int32' } as never)).toThrow('exponential: dtype is int32.');
  expect(() => (normal as (...given: unknown[]) => unknown)(tensor([1]), tensor([1]), undefined, { dtype })).toThrow(
    'normal: options are for',
  );
});

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('bernoulli, normal, exponential, and the shapes of others', async () => {
    setDevice(device);
    manualSeed(1);
    const p = tensor([0, 0.25, 0.5, 1]).expand([N / 4, 4]);
    const hits = await list(bernoulli(p).mean(0));
    expectShares(hits, [0, 0.25, 0.5, 1], N / 4);
    const given = await list(normal(tensor([-2, 10]), tensor([[0.5], [3]])).mul(0));
    expect(given).toEqual([0, 0, 0, 0].map((zero) => expect.closeTo(zero, 9) as number));
    const bent = await list(normal(full([N], 3), 2));
    expect(Math.abs(mean(bent) - 3)).toBeLessThan((5 * 2) / Math.sqrt(N));
    expect(Math.abs(variance(bent) - 4)).toBeLessThan(5 * 4 * Math.sqrt(2 / N));
    const times = await list(exponential([N], 4));
    expect(Math.abs(mean(times) - 1 / 4)).toBeLessThan(5 / 4 / Math.sqrt(N));
    expect(times.filter((t) => t > 0.5).length / N).toBeCloseTo(Math.exp(-2), 1);
    expect(Math.min(...times)).toBeGreaterThan(0);
    const like = zeros([50, 40]);
    expect(mean(await list(randLike(like)))).toBeCloseTo(0.5, 1);
    expect(variance(await list(randnLike(like)))).toBeCloseTo(1, 0);
    expectShares(shares(await list(randintLike(like, 0, 4)), 4), [0.25, 0.25, 0.25, 0.25], 2000);
    expect(normal(0, 1, [2, 3]).shape).toEqual([2, 3]);
  });

  test.each([0.3, 4, 9.9, 10.1, 40, 1e4])('poisson with rate %d', async (rate) => {
    setDevice(device);
    manualSeed(7);
    const values = await list(poisson(full([N], rate)));
    expect(values.every((v) => Number.isInteger(v) && v >= 0)).toBe(true);
    expect(Math.abs(mean(values) - rate)).toBeLessThan(5 * Math.sqrt(rate / N));
    expect(Math.abs(variance(values) / rate - 1)).toBeLessThan(5 * Math.sqrt((2 + 1 / rate) / N));
    if (rate > 100) return;
    const count = Math.ceil(rate + 8 * Math.sqrt(rate) + 8);
    const probabilities: number[] = [];
    for (let k = 0, logp = -rate; k < count; logp += Math.log(rate / ++k)) probabilities.push(Math.exp(logp));
    expectShares(shares(values, count), probabilities, N);
  });

  test('multinomial', async () => {
    setDevice(device);
    manualSeed(3);
    const weights = [1, 0, 2, 4, 0, 1];
    const wanted = weights.map((w) => w / 8);
    const again = multinomial(tensor(weights), N, { replacement: true });
    expect(again.shape).toEqual([N]);
    expectShares(shares(await list(again), 6), wanted, N);
    const first = await list(multinomial(tensor(weights).expand([N, 6]), 1));
    expectShares(shares(first, 6), wanted, N);
    // two without replacement: first i, then j with the weights that are left
    const pairs = await list(multinomial(tensor(weights).expand([N, 6]), 2));
    const found = new Array<number>(36).fill(0);
    for (let i = 0; i < pairs.length; i += 2) found[pairs[i] * 6 + pairs[i + 1]] += 1 / N;
    const both = weights.flatMap((a, i) => weights.map((b, j) => (i === j || a === 0 ? 0 : ((a / 8) * b) / (8 - a))));
    expectShares(found, both, N);
    const all = await list(multinomial(tensor(weights), 4));
    expect([...all].sort((a, b) => a - b)).toEqual([0, 2, 3, 5]);
    const rows = multinomial(tensor([[0, 1, 0], [3, 0, 0]]), 2, { replacement: true }); // prettier-ignore
    expect(await rows.array()).toEqual([[1, 1], [0, 0]]); // prettier-ignore
  });

  test('gumbelSoftmax draws as softmax gives, and hard draws have the gradient of soft ones', async () => {
    setDevice(device);
    manualSeed(5);
    const logits = tensor([0, Math.LN2, Math.log(5)]).expand([N, 3]);
    const hard = gumbelSoftmax(logits as Tensor, { hard: true });
    expectShares(await list(hard.mean(0)), [1 / 8, 2 / 8, 5 / 8], N);
    const x = tensor([[0.5, -1, 2], [1, 1, 1]], { requiresGrad: true }); // prettier-ignore
    const weights = tensor([1, -2, 3]);
    const gradients: number[][] = [];
    for (const isHard of [true, false]) {
      manualSeed(11);
      x.grad = undefined;
      const y = gumbelSoftmax(x, { hard: isHard, tau: 0.7 });
      expect(await list(y.sum(1))).toEqual([1, 1].map((one) => expect.closeTo(one, 6) as number));
      y.mul(weights).sum().backward();
      gradients.push(await list(x.grad!));
    }
    gradients[0].forEach((g, i) => expect(g).toBeCloseTo(gradients[1][i], 5));
    expect(Math.max(...gradients[0].map(Math.abs))).toBeGreaterThan(0);
  });

  test('what is wrong in the numbers is an error when they are read', async () => {
    setDevice(device);
    const cases: [AnyTensor, string][] = [
      [bernoulli(tensor([0.5, 1.5])), 'bernoulli: 1 of 2 probabilities are outside 0 to 1.'],
      [bernoulli(tensor([NaN])), 'bernoulli: 1 of 1'],
      [poisson(tensor([1, -1])), 'poisson: 1 of 2 rates are below 0'],
      [normal(tensor([0, 0]), tensor([1, -1])), 'normal: 1 standard deviations are below 0'],
      [multinomial(tensor([1, -1]), 1), 'multinomial: 1 of 2 weights are negative'],
      [multinomial(tensor([1, 0, 0]), 2), 'multinomial: 1 rows have fewer than 2 weights above 0'],
      [multinomial(tensor([0, 0]), 2, { replacement: true }), 'multinomial: 1 rows have fewer than 1 weights above 0'],
    ];
    for (const [t, message] of cases) {
      await expect(t.data()).rejects.toThrow(IndexError);
      await expect(t.data()).rejects.toThrow(message);
    }
  });
});

test('the seed gives the same draws, and captured calls draw anew', async () => {
  setDevice('cpu');
  const rates = full([64], 5);
  const draw = (x: Tensor): Tensor[] => [
    bernoulli(x.mul(0.1)),
    poisson(x),
    exponential([64]).mul(x.mul(0).add(1)),
    multinomial(x, 16).to('float32') as Tensor,
    gumbelSoftmax(x),
    normal(x, 1),
  ];
  const numbers = async (ts: Tensor[]): Promise<number[][]> => Promise.all(ts.map(list));
  manualSeed(9);
  const first = await numbers(draw(rates));
  const second = await numbers(draw(rates));
  manualSeed(9);
  const captured = compile((x: Tensor) => draw(x));
  expect(await numbers(await captured(rates))).toEqual(first);
  expect(await numbers(await captured(rates))).toEqual(second);
  first.forEach((values, i) => expect(values).not.toEqual(second[i]));
});

test('what is refused at once', () => {
  const w = ones([3]);
  const wrong: [() => unknown, string][] = [
    [() => multinomial(w, 4), 'multinomial: 4 draws from 3 weights. Use at most 3, or { replacement: true }.'],
    [() => multinomial(w, 0), 'multinomial: the count is 0. Use a whole number of at least 1.'],
    [() => multinomial(ones([1, 2, 3]), 1), 'multinomial: weights [1, 2, 3]: needs [n] or [m, n]'],
    [() => exponential([2], 0), 'exponential: the rate is 0. Use a number above 0.'],
    [() => gumbelSoftmax(w, { tau: 0 }), 'gumbelSoftmax: tau is 0. Use a number above 0.'],
    [() => normal(w, -1), 'normal: the standard deviation is -1. Use a number of at least 0.'],
    [() => normal(0, 1, undefined as never), 'normal: give a shape with two numbers, and none with tensors'],
  ];
  for (const [run, message] of wrong) expect(run).toThrow(message);
});
