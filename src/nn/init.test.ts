// Starting values: PyTorch's gains and fans, the distributions they promise, and PyTorch's defaults of every layer.
// Statistical tests have fixed seeds; their bounds are stated in standard errors, so that a wrong scale fails for any seed.
import { beforeEach, describe, expect, test } from 'vitest';
import { type AnyTensor, ArgumentError, type Tensor, manualSeed, setDevice } from '../index.js';
import { type Packed, expectNear, readFixture } from '../../test/support/pytorch.js';
import * as nn from './index.js';

const { init } = nn;

beforeEach(() => {
  setDevice('reference');
  manualSeed(11);
});

const numbers = async (t: unknown): Promise<number[]> => [...(await (t as AnyTensor).data())];
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
function std(x: readonly number[]): number {
  const middle = mean(x);
  return Math.sqrt(mean(x.map((v) => (v - middle) ** 2)));
}

/** Kolmogorov and Smirnov: the largest distance of the empirical distribution from `cdf`, times √n. */
function distance(x: readonly number[], cdf: (v: number) => number): number {
  const sorted = [...x].sort((a, b) => a - b);
  const n = x.length;
  const gaps = sorted.map((v, i) => Math.max(Math.abs(cdf(v) - i / n), Math.abs(cdf(v) - (i + 1) / n)));
  return Math.max(...gaps) * Math.sqrt(n);
}

/** Φ, by Simpson's rule: slow and plain. */
function phi(x: number): number {
  const [steps, density] = [200, (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)];
  const h = x / steps;
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += density(i * h) * (i % 2 === 1 ? 4 : 2);
  return 0.5 + (sum * h) / 3;
}

const fixture = readFixture<{
  gains: [nn.init.Nonlinearity, number | null, number][];
  /** Names of the parameters of each layer, in order. */
  keys: Record<string, string[]>;
  /** Of each parameter: mean, standard deviation, largest magnitude. */
  layers: Record<string, Record<string, Packed>>;
}>('initial.safetensors');

const LIMIT = 1.95; // exceeded by 1 of 1000 right generators

test.each(fixture.gains)('the gain of %s (%s) is %d', (name, slope, gain) =>
  expect(init.calculateGain(name, slope ?? undefined)).toBeCloseTo(gain, 12),
);

describe('distributions', () => {
  const shape = [40, 20, 3, 2];
  const [fanIn, fanOut] = [120, 240];
  const rows: [name: string, make: () => Tensor<number[]>, kind: 'uniform' | 'normal', std: number][] = [
    ['uniform', () => init.uniform(shape, -3, 3), 'uniform', Math.sqrt(3)],
    ['normal', () => init.normal(shape, 0, 0.01), 'normal', 0.01],
    ['kaimingUniform', () => init.kaimingUniform(shape), 'uniform', Math.sqrt(2 / fanIn)],
    [
      'kaimingUniform with slope √5',
      () => init.kaimingUniform(shape, { slope: Math.sqrt(5) }),
      'uniform',
      Math.sqrt(1 / 3 / fanIn),
    ],
    ['kaimingNormal', () => init.kaimingNormal(shape, { nonlinearity: 'relu' }), 'normal', Math.sqrt(2 / fanIn)],
    [
      'kaimingNormal fanOut, tanh',
      () => init.kaimingNormal(shape, { mode: 'fanOut', nonlinearity: 'tanh' }),
      'normal',
      5 / 3 / Math.sqrt(fanOut),
    ],
    ['xavierUniform', () => init.xavierUniform(shape, 0.5), 'uniform', 0.5 * Math.sqrt(2 / (fanIn + fanOut))],
    ['xavierNormal', () => init.xavierNormal(shape), 'normal', Math.sqrt(2 / (fanIn + fanOut))],
  ];

  test.each(rows)('%s', async (_name, make, kind, sigma) => {
    const t = make();
    expect(t.shape).toEqual(shape);
    const x = await numbers(t);
    const half = sigma * Math.sqrt(3);
    expect(distance(x, (v) => (kind === 'normal' ? phi(v / sigma) : (v + half) / (2 * half)))).toBeLessThan(LIMIT);
    expect(Math.abs(std(x) / sigma - 1)).toBeLessThan(5 / Math.sqrt(2 * x.length));
    if (kind === 'uniform') expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(half * (1 + 1e-6));
    expect(await numbers(make())).not.toEqual(x);
    manualSeed(11);
    expect(await numbers(make())).toEqual(x);
  });

  test.each([
    ['both sides', 0, 1, -2, 2],
    ['a wide one', 1, 2, -9, 12],
    ['a short one', 0, 1, -0.2, 0.4],
    ['the upper tail', 0, 1, 4, 9],
    ['a short piece of the tail', 0, 1, 3, 3.1],
    ['the lower side', 1, 0.5, -3, 0.5],
    ['from just above the mean', 0, 1, 0.4, 3],
  ])('truncNormal within %s', async (_name, mu, sigma, low, high) => {
    const x = await numbers(init.truncNormal([3000], mu, sigma, low, high));
    expect(Math.min(...x)).toBeGreaterThanOrEqual(Math.fround(low));
    expect(Math.max(...x)).toBeLessThanOrEqual(Math.fround(high));
    const at = (v: number): number => phi((v - mu) / sigma);
    expect(distance(x, (v) => (at(v) - at(low)) / (at(high) - at(low)))).toBeLessThan(LIMIT);
  });

  test('sparse: the asked part of each column is 0, in different rows, the rest is normal', async () => {
    const x = await numbers(init.sparse([50, 80], 0.31, 2));
    const columns = Array.from({ length: 80 }, (_, c) => x.filter((_v, i) => i % 80 === c));
    expect(new Set(columns.map((c) => c.filter((v) => v === 0).length))).toEqual(new Set([16]));
    const zeroRows = columns.map((c) => c.map((v) => +(v === 0)).join(''));
    expect(new Set(zeroRows).size).toBeGreaterThan(70);
    expect(
      distance(
        x.filter((v) => v !== 0),
        (v) => phi(v / 2),
      ),
    ).toBeLessThan(LIMIT);
  });
});

describe('orthogonal', () => {
  test.each([
    ['square', [30, 30], 1],
    ['wide', [8, 40], 2],
    ['high', [40, 8], 0.5],
    ['a kernel', [12, 3, 3, 3], 1],
  ])('%s', async (_name, shape, gain) => {
    const x = await numbers(init.orthogonal(shape, gain));
    const [rows, columns] = [shape[0], x.length / shape[0]];
    const entry = (i: number, j: number): number => (rows <= columns ? x[i * columns + j] : x[j * columns + i]);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < length; i++) product += entry(a, i) * entry(b, i);
        expect(Math.abs(product - (a === b ? gain * gain : 0))).toBeLessThan(1e-6 * Math.max(1, gain * gain));
      }
    }
  });

  test('every direction is as likely: entries of a 2 × 2 rotation or reflection follow the arcsine law', async () => {
    const first: number[] = [];
    for (let k = 0; k < 1500; k++) first.push((await numbers(init.orthogonal([2, 2])))[0]);
    expect(distance(first, (v) => 0.5 + Math.asin(v) / Math.PI)).toBeLessThan(LIMIT);
  });
});

test('fixed values', async () => {
  expect(await init.eye([2, 3]).array()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  expect(await numbers(init.zeros([2]))).toEqual([0, 0]);
  expect(await numbers(init.ones([2]))).toEqual([1, 1]);
  const conv = new nn.Conv2d(3, 3, 3, { padding: 1, bias: false });
  init.dirac_(conv.weight);
  const x = init.normal([1, 3, 4, 5]);
  expectNear(await numbers(conv.forward(x)), await numbers(x), 'dirac hands on its input', 1e-12);
  const grouped = new nn.Conv1d(4, 6, 3, { padding: 1, groups: 2, bias: false });
  init.dirac_(grouped.weight, 2);
  const line = init.normal([1, 4, 5]);
  const rows = (await (grouped.forward(line) as AnyTensor).array()) as number[][][];
  const given = (await line.array()) as number[][][];
  expect(rows[0]).toEqual([given[0][0], given[0][1], [0, 0, 0, 0, 0], given[0][2], given[0][3], [0, 0, 0, 0, 0]]);
});

test('in place: a parameter stays what it is, with other numbers', async () => {
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const parameters = model.parameters();
  model.apply((m) => {
    if (!(m instanceof nn.Linear)) return;
    init.orthogonal_(m.weight);
    if (m.bias !== undefined) init.constant_(m.bias, 0.25);
  });
  expect(model.parameters()).toEqual(parameters);
  expect(await numbers(model.layers[2].bias)).toEqual([0.25, 0.25]);
  expect(model.layers[0].weight.requiresGrad).toBe(true);
  const x = await numbers(init.kaimingNormal_(model.layers[0].weight));
  expect(x).toEqual(await numbers(parameters[0]));
});

describe('the defaults of layers are PyTorch’s', () => {
  const layers: Record<string, () => nn.Module> = {
    Linear: () => new nn.Linear(300, 200),
    Bilinear: () => new nn.Bilinear(30, 20, 40),
    Embedding: () => new nn.Embedding(300, 50),
    Conv1d: () => new nn.Conv1d(16, 64, 5),
    'Conv2d groups': () => new nn.Conv2d(16, 64, 3, { groups: 4 }),
    ConvTranspose1d: () => new nn.ConvTranspose1d(32, 48, 4),
    'ConvTranspose2d groups': () => new nn.ConvTranspose2d(32, 48, 3, { groups: 2 }),
    RNN: () => new nn.RNN(30, 60, { numLayers: 2 }),
    LSTM: () => new nn.LSTM(30, 60, { bidirectional: true }),
    GRU: () => new nn.GRU(30, 60),
    LSTMCell: () => new nn.LSTMCell(30, 60),
    GRUCell: () => new nn.GRUCell(30, 60),
    RNNCell: () => new nn.RNNCell(30, 60),
    MultiheadAttention: () => new nn.MultiheadAttention(64, 4),
    'MultiheadAttention kdim': () => new nn.MultiheadAttention(64, 4, { kdim: 32, vdim: 16 }),
    TransformerEncoderLayer: () => new nn.TransformerEncoderLayer(64, 4, { dimFeedforward: 128 }),
    Transformer: () => new nn.Transformer(64, 4, { numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 128 }),
    BatchNorm2d: () => new nn.BatchNorm2d(8),
    InstanceNorm1d: () => new nn.InstanceNorm1d(8, { affine: true, trackRunningStats: true }),
    GroupNorm: () => new nn.GroupNorm(2, 8),
    LayerNorm: () => new nn.LayerNorm([4, 8]),
    RMSNorm: () => new nn.RMSNorm(8),
    PReLU: () => new nn.PReLU(3),
  };

  test.each(Object.entries(fixture.layers))('%s', async (name, expected) => {
    const state = layers[name]().stateDict();
    const keys = Object.keys(state).filter((key) => state[key].dtype === 'float32');
    expect(keys).toEqual(fixture.keys[name]);
    for (const key of keys) {
      const x = await numbers(state[key]);
      const [theirMean, theirStd, theirLargest] = expected[key].data;
      const bound = 5 / Math.sqrt(x.length); // of two samples, each with a standard error of σ/√n at most
      expect(Math.abs(mean(x) - theirMean), `${key}: mean`).toBeLessThanOrEqual(Math.SQRT2 * theirStd * bound);
      expect(Math.abs(std(x) - theirStd), `${key}: standard deviation`).toBeLessThanOrEqual(theirStd * bound + 1e-12);
      if (theirLargest > 1.8 * theirStd) continue; // not uniform
      // the largest of n uniform magnitudes misses the bound by 1/n of it on average
      const largest = Math.max(...x.map(Math.abs));
      expect(Math.abs(largest - theirLargest), `${key}: bound`).toBeLessThanOrEqual((20 / x.length) * theirLargest);
    }
  });
});

test('arguments that do not fit', () => {
  const options = (text: string): ArgumentError => new ArgumentError(text);
  expect(() => init.kaimingNormal([3])).toThrow(
    options('init: [3] has fewer than 2 dimensions, so it has no fan-in. Use uniform or normal.'),
  );
  expect(() => init.kaimingUniform([3, 3], { mode: 'fan_in' as never })).toThrow(
    options("kaimingUniform: mode 'fan_in' is not known. Use 'fanIn' or 'fanOut'."),
  );
  expect(() => init.kaimingNormal([3, 3], { nonlinearity: 'swish' as never })).toThrow("nonlinearity 'swish' is not");
  expect(() => init.normal([3], 0, -1)).toThrow(options('normal: std is -1. Use a number of at least 0.'));
  expect(() => init.uniform([3], 1, 0)).toThrow(options('uniform: low 1 is above high 0. Exchange them.'));
  expect(() => init.truncNormal([3], 0, 1, 2, 2)).toThrow(options('truncNormal: low 2 is not below high 2.'));
  expect(() => init.sparse([3, 3], 1.5)).toThrow(options('sparse: sparsity is 1.5. Use a number from 0 to 1.'));
  expect(() => init.sparse([3], 0.5)).toThrow('sparse: [3] is not a matrix');
  expect(() => init.eye([3])).toThrow('eye: [3] is not a matrix');
  expect(() => init.dirac([3, 3])).toThrow('dirac: [3, 3] is no kernel of a convolution');
  expect(() => init.dirac([3, 3, 3], 2)).toThrow('dirac: 2 groups do not divide 3 output channels.');
  expect(() => init.orthogonal([3])).toThrow('orthogonal: [3] has fewer than 2 dimensions');
});
