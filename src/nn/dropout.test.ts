// Dropout: what is dropped, how the rest is scaled, in training only; and arguments that do not fit.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  ArgumentError,
  ShapeError,
  type Tensor,
  checkGradient,
  manualSeed,
  ones,
  randn,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { describeParity } from '../../test/support/layer-parity.js';
import * as nn from './index.js';

const numbers = async (t: unknown): Promise<number[]> => [...(await (t as AnyTensor).data())];
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

const kinds = { Dropout: nn.Dropout, Dropout1d: nn.Dropout1d, Dropout2d: nn.Dropout2d, AlphaDropout: nn.AlphaDropout };
describeParity(
  'dropout',
  Object.fromEntries(
    Object.entries(kinds).flatMap(([name, Layer]) => [
      [`${name} in evaluation`, () => new Layer()],
      [`${name} with probability 0`, () => new Layer(0)],
      [`${name} with probability 1`, () => new Layer(1)],
    ]),
  ),
);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeEach(() => {
    setDevice(device);
    manualSeed(3);
  });

  test.each([0.1, 0.5, 0.9])('a part %d of the elements is 0, the others are divided by the rest', async (p) => {
    const y = await numbers(new nn.Dropout(p).forward(ones([100, 100])));
    const kept = y.filter((v) => v !== 0);
    expect(new Set(kept).size).toBe(1);
    expect(kept[0]).toBeCloseTo(1 / (1 - p), 4);
    const error = Math.sqrt((p * (1 - p)) / y.length);
    expect(Math.abs(kept.length / y.length - (1 - p))).toBeLessThan(5 * error); // 5 standard errors
    expect(Math.abs(mean(y) - 1)).toBeLessThan((5 * error) / (1 - p));
  });

  test('0 keeps everything, 1 drops everything, and both have a gradient', async () => {
    const x = randn([4, 5]);
    expect(await numbers(new nn.Dropout(0).forward(x))).toEqual(await numbers(x));
    expect((await numbers(new nn.Dropout(1).forward(x))).every((v) => v === 0)).toBe(true);
    for (const p of [0, 1]) {
      const leaf = tensor([1, 2, 3], { requiresGrad: true });
      (new nn.Dropout(p).forward(leaf).sum() as unknown as Tensor).backward();
      expect(await numbers(leaf.grad)).toEqual([1 - p, 1 - p, 1 - p]);
    }
  });

  test('the gradient is dropped where the element was', async () => {
    const x = tensor(new Float32Array(50).fill(2), { requiresGrad: true });
    const y = new nn.Dropout(0.3).forward(x);
    (y.sum() as unknown as Tensor).backward();
    const [values, gradient] = [await numbers(y), await numbers(x.grad)];
    expect(gradient).toEqual(values.map((v) => v / 2));
  });

  test.each([
    ['Dropout1d', () => new nn.Dropout1d(0.4), [20, 30, 4], 4],
    ['Dropout1d unbatched', () => new nn.Dropout1d(0.4), [200, 3], 3],
    ['Dropout2d', () => new nn.Dropout2d(0.4), [20, 30, 3, 2], 6],
    ['Dropout3d', () => new nn.Dropout3d(0.4), [20, 30, 1, 2, 3], 6],
    ['Dropout2d unbatched', () => new nn.Dropout2d(0.4), [200, 3, 2], 6],
  ])('%s drops whole channels, each by itself', async (_name, make, shape, size) => {
    const y = await numbers((make() as nn.Dropout2d).forward(ones(shape)));
    const channels = Array.from({ length: y.length / size }, (_, i) => y.slice(i * size, (i + 1) * size));
    expect(channels.every((c) => new Set(c).size === 1)).toBe(true);
    const dropped = channels.filter(([v]) => v === 0).length / channels.length;
    expect(Math.abs(dropped - 0.4)).toBeLessThan(5 * Math.sqrt(0.24 / channels.length));
  });

  test('AlphaDropout keeps mean 0 and variance 1', async () => {
    const x = await numbers(randn([200, 200]));
    const y = await numbers(new nn.AlphaDropout(0.3).forward(tensor(Float32Array.from(x), { shape: [200, 200] })));
    expect(Math.abs(mean(y))).toBeLessThan(5 / 200);
    expect(Math.abs(mean(y.map((v) => v * v)) - 1)).toBeLessThan(0.03);
    // dropped elements have one value: a·(−λα) + b
    const [a, floor] = [1 / Math.sqrt(0.7 * (1 + 0.3 * 1.7580993408473766 ** 2)), -1.7580993408473766];
    const value = a * floor - a * floor * 0.3;
    const share = y.filter((v) => Math.abs(v - value) < 1e-4).length / y.length;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.02);
    expect((await numbers(new nn.AlphaDropout(1).forward(ones([3])))).every((v) => v === 0)).toBe(true);
  });

  test('every kind is the identity in evaluation, and new in each call of training', async () => {
    const x = randn([2, 30, 4, 3]);
    for (const layer of [new nn.Dropout(), new nn.Dropout2d(), new nn.AlphaDropout()]) {
      expect(await numbers(layer.forward(x))).not.toEqual(await numbers(layer.forward(x)));
      layer.eval();
      expect(await numbers(layer.forward(x))).toEqual(await numbers(x));
    }
  });
});

test('the gradient of AlphaDropout is that of finite differences', async () => {
  setDevice('reference');
  const layer = new nn.AlphaDropout(0.4);
  const f = (x: Tensor): Tensor => {
    manualSeed(5);
    return layer.forward(x).square().sum() as unknown as Tensor;
  };
  await checkGradient(f, [randn([3, 4]) as Tensor], { assert: true });
});

test('arguments that do not fit', () => {
  setDevice('reference');
  for (const p of [-0.1, 1.5, NaN]) {
    expect(() => new nn.Dropout(p)).toThrow(new ArgumentError(`Dropout: p is ${p}. Use a number from 0 to 1.`));
  }
  expect(() => new nn.AlphaDropout(-1)).toThrow('AlphaDropout: p is -1');
  expect(() => new nn.Dropout2d(2)).toThrow('Dropout2d: p is 2');
  expect(() => new nn.Dropout2d().forward(zeros([2, 3]))).toThrow(
    new ShapeError('Dropout2d: input [2, 3]: needs [N, C, H, W] or [C, H, W]', [[2, 3]]),
  );
  expect(() => new nn.Dropout1d().forward(zeros([2]))).toThrow('Dropout1d: input [2]: needs [N, C, L] or [C, L]');
});
