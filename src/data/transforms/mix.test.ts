// Mixup, CutMix and averages over views: what comes out of whole batches.
import { beforeAll, expect, test } from 'vitest';
import { ShapeError, type Tensor, setDevice, tensor } from '../../index.js';
import { HostRandom } from '../../tensor/host-random.js';
import { averageViews, cutmix, functional as F, mixup, stackImages } from './index.js';
import { sampleBeta } from './mix.js';

beforeAll(() => setDevice('reference'));

const batch = () => ({
  // image n is n everywhere
  x: tensor(
    Float32Array.from({ length: 4 * 2 * 6 * 5 }, (_, i) => Math.floor(i / 60)),
    { shape: [4, 2, 6, 5] },
  ),
  y: tensor(Int32Array.of(2, 0, 1, 2), { shape: [4] }),
});
const rowsOf = async (t: Tensor<[number, number]>) => (await t.array()) as number[][];
const oneHot = [
  [0, 0, 1],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

test('mixup: images and labels are the same weighted means of neighbours', async () => {
  const { x, y, lambda } = mixup(batch(), new HostRandom(3), { classes: 3 });
  expect(lambda).toBeGreaterThan(0);
  expect(lambda).toBeLessThan(1);
  const [pixels, labels] = [await x.data(), await rowsOf(y)];
  for (let n = 0; n < 4; n++) {
    const before = (n + 3) % 4;
    expect(pixels[n * 60 + 7]).toBeCloseTo(lambda * n + (1 - lambda) * before, 6);
    oneHot[n].forEach((own, k) => expect(labels[n][k]).toBeCloseTo(lambda * own + (1 - lambda) * oneHot[before][k], 6));
  }
});

test('cutmix: a box of each image is its neighbour, labels as its area', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const { x, y, lambda } = cutmix(batch(), new HostRandom(seed), { classes: 3 });
    const [pixels, labels] = [await x.data(), await rowsOf(y)];
    for (let n = 0; n < 4; n++) {
      const plane = [...pixels.subarray(n * 60, n * 60 + 30)];
      const before = (n + 3) % 4;
      expect(plane.every((v) => v === n || v === before)).toBe(true);
      expect(plane.filter((v) => v === n).length / 30).toBeCloseTo(lambda, 6);
      expect(labels[n].reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      oneHot[n].forEach((own, k) =>
        expect(labels[n][k]).toBeCloseTo(lambda * own + (1 - lambda) * oneHot[before][k], 6),
      );
    }
  }
  const flat = { x: tensor([[1, 2]]), y: tensor(Int32Array.of(0), { shape: [1] }) };
  expect(() => cutmix(flat as never, new HostRandom(1), { classes: 2 })).toThrow(ShapeError);
  expect(() => mixup(batch(), new HostRandom(1), { classes: 3, alpha: 0 })).toThrow('mixup: alpha is 0.');
});

test('Beta(a, a) has mean 1/2 and variance 1 / (8a + 4)', () => {
  for (const alpha of [0.02, 0.2, 1, 5]) {
    const random = new HostRandom(1);
    const values = Float64Array.from({ length: 20_000 }, () => sampleBeta(random, alpha));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    const wanted = 1 / (8 * alpha + 4);
    expect(values.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(wanted / values.length));
    expect(Math.abs(variance / wanted - 1)).toBeLessThan(0.05);
  }
});

test('ten crops go through a model as one batch and come out as one average', async () => {
  const image = { data: Float32Array.from({ length: 36 }, (_, i) => i / 36), shape: [1, 6, 6] } as const;
  const views = F.tenCrop(image, [4, 4]);
  const x = stackImages(views);
  expect(x.shape).toEqual([10, 1, 4, 4]);
  const sums = x.reshape([10, 16]).sum(1, { keepdim: true });
  const average = await rowsOf(averageViews(sums as never, 10));
  const wanted = views.reduce((total, { data }) => total + data.reduce((a, b) => a + b), 0) / 10;
  expect(average[0][0]).toBeCloseTo(wanted, 4);
  expect(() => averageViews(sums as never, 3)).toThrow(ShapeError);
  expect(() => stackImages([])).toThrow('stackImages: no images. Give at least one.');
});
