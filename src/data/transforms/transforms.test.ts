// Random transforms: the same numbers from the same generator, inputs left alone, and distributions as documented. Shares are
// checked to within five standard deviations of a fixed seed's draws.
import { beforeAll, expect, test } from 'vitest';
import { setDevice } from '../../index.js';
import { ArgumentError, ShapeError } from '../../tensor/library.js';
import { HostRandom } from '../../tensor/host-random.js';
import { ArrayDataset, DataLoader } from '../index.js';
import {
  type AnyImageTransform,
  type AutoPick,
  type Image,
  centerCrop,
  channelStatistics,
  colorJitter,
  compose,
  cutout,
  deterministic,
  functional as F,
  gaussianBlur,
  gaussianNoise,
  grayscale,
  imagesOf,
  meanImage,
  normalize,
  pad,
  randAugment,
  randomAdjustSharpness,
  randomAffine,
  randomApply,
  randomAutocontrast,
  randomChoice,
  randomCrop,
  randomEqualize,
  randomErasing,
  randomGrayscale,
  randomHorizontalFlip,
  randomInvert,
  randomOrder,
  randomPerspective,
  randomPosterize,
  randomResizedCrop,
  randomRotation,
  randomSolarize,
  randomVerticalFlip,
  resize,
  subtractMean,
  toBytes,
  toFloat,
  trivialAugment,
} from './index.js';

beforeAll(() => setDevice('reference'));

function noise(channels: number, height: number, width: number, seed = 1): Image<Uint8Array> {
  const random = new HostRandom(seed);
  const data = Uint8Array.from({ length: channels * height * width }, () => random.below(256));
  return { data, shape: [channels, height, width] };
}

/** Pixel (i, j) of each channel holds 16 i + j. */
function coordinates(height: number, width: number): Image<Uint8Array> {
  const data = Uint8Array.from({ length: height * width }, (_, k) => 16 * Math.floor(k / width) + (k % width));
  return { data, shape: [1, height, width] };
}

/** Within five standard deviations of a share of `count` draws. */
function expectShare(hits: number, count: number, share: number): void {
  expect(Math.abs(hits / count - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / count));
}

const EVERY: Record<string, AnyImageTransform> = {
  resize: resize([7, 9]),
  shorterSide: resize(20, { interpolation: 'bicubic' }),
  pad: pad([1, 2], { mode: 'reflect' }),
  centerCrop: centerCrop(6),
  randomCrop: randomCrop([8, 8], { padding: 3 }),
  randomResizedCrop: randomResizedCrop(8),
  randomHorizontalFlip: randomHorizontalFlip(),
  randomVerticalFlip: randomVerticalFlip(),
  randomRotation: randomRotation(30, { interpolation: 'bilinear' }),
  randomAffine: randomAffine({ degrees: 10, translate: [0.2, 0.1], scale: [0.8, 1.2], shear: [-5, 5, -3, 3] }),
  randomPerspective: randomPerspective(),
  toFloat: toFloat(),
  toBytes: toBytes(),
  normalize: normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2]),
  subtractMean: subtractMean({ data: new Float32Array(360).fill(0.5), shape: [3, 12, 10] }),
  grayscale: grayscale(),
  randomGrayscale: randomGrayscale(0.5),
  randomInvert: randomInvert(),
  randomPosterize: randomPosterize(2),
  randomSolarize: randomSolarize(0.5),
  randomAutocontrast: randomAutocontrast(),
  randomEqualize: randomEqualize(),
  randomAdjustSharpness: randomAdjustSharpness(2),
  colorJitter: colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  gaussianBlur: gaussianBlur(3),
  gaussianNoise: gaussianNoise(),
  randomErasing: randomErasing({ value: 'random' }),
  cutout: cutout(5),
  randAugment: randAugment(),
  trivialAugment: trivialAugment(),
  randomChoice: randomChoice([randomInvert(1), randomHorizontalFlip(1)]),
  randomOrder: randomOrder([randomInvert(), randomHorizontalFlip(), randomVerticalFlip()]),
  randomApply: randomApply(randomInvert(1), 0.3),
};

test.each(Object.entries(EVERY))('%s: repeatable, leaves its input alone, bytes and floats', (name, transform) => {
  const bytes = noise(3, 12, 10);
  for (const image of [bytes, F.toFloat(bytes)]) {
    const before = image.data.slice();
    for (let seed = 0; seed < 8; seed++) {
      const once = transform(image, new HostRandom(seed, 3));
      const again = transform(image, new HostRandom(seed, 3));
      expect(again).toEqual(once);
      expect(image.data).toEqual(before);
      expect(once.data.length).toBe(once.shape.reduce((a, b) => a * b, 1));
      expect(once.data.every((v) => Number.isFinite(v))).toBe(true);
      const keepsRange = !['normalize', 'subtractMean', 'randomErasing', 'shorterSide'].includes(name);
      if (keepsRange && once.data instanceof Float32Array) {
        expect(once.data.every((v) => v >= 0 && v <= 1)).toBe(true);
      }
    }
  }
  if (name === 'randomApply') return; // it does not look at its input
  expect(() => transform({ data: new Uint8Array(4), shape: [2, 2] as never }, new HostRandom(1))).toThrow(ShapeError);
});

test('flips and applications happen as often as asked', () => {
  const image = coordinates(2, 3);
  const flip = randomHorizontalFlip(0.3);
  const random = new HostRandom(5);
  let flipped = 0;
  for (let k = 0; k < 4000; k++) if (flip(image, random).data[0] === 2) flipped++;
  expectShare(flipped, 4000, 0.3);
  let applied = 0;
  for (let k = 0; k < 4000; k++) if (randomApply(randomInvert(1), 0.8)(image, random).data[0] === 255) applied++;
  expectShare(applied, 4000, 0.8);
});

test('crops begin at every possible place equally often', () => {
  const image = coordinates(4, 5);
  const crop = randomCrop([3, 3], { padding: 1, fill: 255 });
  const random = new HostRandom(2);
  const counts = new Map<string, number>();
  for (let k = 0; k < 8000; k++) {
    const { data } = crop(image, random);
    const middle = data[4]; // the border is one pixel wide: the middle of a crop is always a pixel of the image
    counts.set(String(middle), (counts.get(String(middle)) ?? 0) + 1);
  }
  expect(counts.size).toBe(4 * 5);
  for (const count of counts.values()) expectShare(count, 8000, 1 / 20);
  const corner = F.crop(F.pad(image, 1, { fill: 255 }), 0, 0, 3, 3);
  expect([...corner.data]).toEqual([255, 255, 255, 255, 0, 1, 255, 16, 17]);
});

test('a padded crop is the crop of the padded image, in each mode', () => {
  const image = noise(2, 6, 7);
  for (const mode of ['constant', 'edge', 'reflect', 'symmetric'] as const) {
    const padded = F.pad(image, [1, 2, 3, 4], { mode });
    const random = new HostRandom(7, 1);
    const [i, j] = [random.below(padded.shape[1] - 4), random.below(padded.shape[2] - 4)];
    const cropped = randomCrop([5, 5], { padding: [1, 2, 3, 4], mode })(image, new HostRandom(7, 1));
    expect(cropped).toEqual(F.crop(padded, i, j, 5, 5));
  }
});

test('random-resized crops cover the areas and shapes that were asked for', () => {
  // where each crop begins and ends is read off ramps along x and y
  const size = 200;
  const ramp = (along: (i: number, j: number) => number) =>
    Float32Array.from({ length: size * size }, (_, k) => along(Math.floor(k / size), k % size) + 0.5);
  const data = new Float32Array(2 * size * size);
  data.set(ramp((i) => i));
  data.set(
    ramp((_, j) => j),
    size * size,
  );
  const image = { data, shape: [2, size, size] } as const;
  const crop = randomResizedCrop([2, 2], { scale: [0.1, 0.5], ratio: [0.5, 2], interpolation: 'nearest' });
  const areas: number[] = [];
  const ratios: number[] = [];
  for (let k = 0; k < 400; k++) {
    const { data: out } = crop(image, new HostRandom(k));
    const [height, width] = [2 * (out[2] - out[0]), 2 * (out[5] - out[4])]; // the second pixel is taken from the middle
    areas.push((height * width) / size ** 2);
    ratios.push(width / height);
  }
  expect(Math.min(...areas)).toBeGreaterThan(0.1 - 0.01);
  expect(Math.max(...areas)).toBeLessThan(0.5 + 0.01);
  expect(Math.min(...ratios)).toBeGreaterThan(0.5 - 0.05);
  expect(Math.max(...ratios)).toBeLessThan(2 + 0.1);
  const mean = areas.reduce((a, b) => a + b) / areas.length;
  expect(Math.abs(mean - 0.3)).toBeLessThan((5 * (0.4 / Math.sqrt(12))) / Math.sqrt(400)); // uniform: variance range² / 12
  expectShare(ratios.filter((ratio) => ratio > 1).length, 400, 0.5);
});

test('angles are uniform', () => {
  // a bright pixel right of the middle: where it comes to says the angle
  const size = 101;
  const image = { data: new Float32Array(size * size), shape: [1, size, size] } as const;
  image.data[50 * size + 90] = 1;
  image.data.fill(1, 50 * size + 88, 50 * size + 93);
  const angles: number[] = [];
  const turn = randomRotation([-20, 60], { interpolation: 'bilinear' });
  for (let k = 0; k < 300; k++) {
    const { data } = turn(image, new HostRandom(k));
    let [x, y] = [0, 0];
    data.forEach((v, at) => {
      x += v * ((at % size) - 50);
      y += v * (Math.floor(at / size) - 50);
    });
    angles.push((Math.atan2(-y, x) * 180) / Math.PI);
  }
  expect(Math.min(...angles)).toBeGreaterThan(-20.5);
  expect(Math.max(...angles)).toBeLessThan(60.5);
  for (const edge of [0, 20, 40]) expectShare(angles.filter((a) => a < edge).length, 300, (edge + 20) / 80);
});

test('random affine maps move by at most what was asked', () => {
  const size = 40;
  const image = { data: new Float32Array(size * size), shape: [1, size, size] } as const;
  image.data[20 * size + 20] = 1;
  const seen = new Set<number>();
  const random = new HostRandom(3);
  for (let k = 0; k < 500; k++) {
    const at = randomAffine({ translate: [0.1, 0.05] })(image, random).data.indexOf(1);
    expect(Math.abs((at % size) - 20)).toBeLessThanOrEqual(4);
    expect(Math.abs(Math.floor(at / size) - 20)).toBeLessThanOrEqual(2);
    seen.add(at);
  }
  expect(seen.size).toBe(9 * 5);
});

test('colour jitter draws each factor from its range, in every order', () => {
  const image = { data: new Float32Array([0.5, 0.5, 0.5]), shape: [3, 1, 1] } as const;
  const random = new HostRandom(4);
  const factors: number[] = [];
  for (let k = 0; k < 1000; k++) factors.push(colorJitter({ brightness: 0.4 })(image, random).data[0] / 0.5);
  expect(Math.min(...factors)).toBeGreaterThan(0.6 - 1e-6);
  expect(Math.max(...factors)).toBeLessThan(1.4 + 1e-6);
  expectShare(factors.filter((factor) => factor < 0.8).length, 1000, 0.25);
  // brightness 2 and saturation 0 of orange do not commute: the clamp comes before or after the grey
  const orange = { data: new Float32Array([1, 0.5, 0]), shape: [3, 1, 1] } as const;
  const jitter = colorJitter({ brightness: [2, 2], saturation: [0, 0] });
  const greys = Array.from({ length: 400 }, () => jitter(orange, random).data[0].toFixed(3));
  expect(new Set(greys).size).toBe(2);
  expectShare(greys.filter((grey) => grey === greys[0]).length, 400, 0.5);
});

test('Gaussian noise has its mean and deviation, in bytes too', () => {
  const half = { data: new Float32Array(20_000).fill(0.5), shape: [1, 100, 200] } as const;
  for (const image of [half, F.toBytes(half)] as Image[]) {
    const unit = image.data instanceof Uint8Array ? 255 : 1;
    const { data } = gaussianNoise({ mean: 0.02, sigma: 0.1 })(image, new HostRandom(1));
    const values = Float64Array.from(data, (v) => v / unit);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean - 0.52)).toBeLessThan((5 * 0.1) / Math.sqrt(20_000) + 0.5 / 255);
    expect(Math.abs(deviation - 0.1)).toBeLessThan((5 * 0.1) / Math.sqrt(40_000));
  }
});

test('erased boxes have the areas that were asked for; cut-outs are cut off at the edges', () => {
  const image = { data: new Float32Array(3 * 40 * 40).fill(1), shape: [3, 40, 40] } as const;
  const random = new HostRandom(8);
  let untouched = 0;
  for (let k = 0; k < 600; k++) {
    const { data } = randomErasing({ p: 0.75, scale: [0.1, 0.2] })(image, random);
    const holes = data.filter((v) => v === 0).length / (3 * 1600);
    if (holes === 0) untouched++;
    else expect(Math.abs(holes - 0.15)).toBeLessThan(0.07); // sides are whole pixels
  }
  expectShare(untouched, 600, 0.25);
  const sizes = new Set<number>();
  for (let k = 0; k < 600; k++) sizes.add(cutout(8)(image, random).data.filter((v) => v === 0).length / 3);
  expect(Math.max(...sizes)).toBe(64);
  expect(Math.min(...sizes)).toBeLessThan(32);
});

test('RandAugment picks every operation equally often, with the magnitudes of its table', () => {
  const image = noise(3, 8, 32);
  const picks: AutoPick[] = [];
  const augment = randAugment({ onPick: (pick) => picks.push(pick) });
  const random = new HostRandom(1);
  for (let k = 0; k < 700; k++) augment(image, random);
  expect(picks).toHaveLength(1400);
  const wanted = {
    identity: 0,
    shearX: 0.3 * 0.3,
    shearY: 0.3 * 0.3,
    translateX: (150 / 331) * 32 * 0.3,
    translateY: (150 / 331) * 8 * 0.3,
    rotate: 9,
    brightness: 0.27,
    color: 0.27,
    contrast: 0.27,
    sharpness: 0.27,
    posterize: 6.8,
    solarize: 0.7,
    autocontrast: 0,
    equalize: 0,
  };
  const signed = Object.keys(wanted).slice(1, 10);
  for (const [operation, magnitude] of Object.entries(wanted)) {
    const own = picks.filter((pick) => pick.operation === operation);
    expectShare(own.length, 1400, 1 / 14);
    for (const pick of own) expect(Math.abs(pick.magnitude)).toBeCloseTo(magnitude, 10);
    if (signed.includes(operation)) expectShare(own.filter((pick) => pick.magnitude > 0).length, own.length, 0.5);
  }
});

test('TrivialAugment draws one operation and one of 31 magnitudes', () => {
  const image = noise(1, 8, 8);
  const picks: AutoPick[] = [];
  const random = new HostRandom(9);
  for (let k = 0; k < 3000; k++) trivialAugment({ onPick: (pick) => picks.push(pick) })(image, random);
  expect(picks).toHaveLength(3000);
  const turns = picks.filter((pick) => pick.operation === 'rotate').map((pick) => pick.magnitude);
  expectShare(turns.length, 3000, 1 / 14);
  expect(new Set(turns.map((turn) => Math.round(Math.abs(turn) / 4.5))).size).toBe(31);
  expect(Math.max(...turns)).toBeCloseTo(135, 10);
  expect(turns.every((turn) => Math.abs(turn / 4.5 - Math.round(turn / 4.5)) < 1e-9)).toBe(true);
});

test('choices follow their weights, orders are all possible', () => {
  const image = { data: Float32Array.of(0.25), shape: [1, 1, 1] } as const;
  const random = new HostRandom(6);
  const half = deterministic((x: Image) => F.adjustBrightness(x, 0.5));
  const invert = deterministic((x: Image) => F.invert(x));
  let halves = 0;
  for (let k = 0; k < 3000; k++) if (randomChoice([half, invert], [1, 3])(image, random).data[0] === 0.125) halves++;
  expectShare(halves, 3000, 0.25);
  const results = Array.from({ length: 1000 }, () => randomOrder([half, invert])(image, random).data[0]);
  expect([...new Set(results)].toSorted()).toEqual([0.375, 0.875]);
  expectShare(results.filter((v) => v === 0.375).length, 1000, 0.5);
});

test('a dataset augments by seed and epoch, whatever the batch size', async () => {
  const images = noise(3, 8, 8 * 6);
  const data = new ArrayDataset({ x: { data: images.data, shape: [3, 8, 8] as const } });
  const augment = compose(randomCrop(8, { padding: 2 }), randomHorizontalFlip(), normalize([0.5, 0.5, 0.5], 0.25));
  const augmented = data.transformed('x', augment);
  const draw = async (batchSize: number, epoch: number) => {
    const numbers: number[] = [];
    for await (const { x } of new DataLoader(augmented, { batchSize, seed: 4 }).batches(epoch)) {
      numbers.push(...(await x.data()));
    }
    return numbers;
  };
  const first = await draw(2, 0);
  expect(await draw(5, 0)).toEqual(first);
  expect(await draw(2, 1)).not.toEqual(first);
});

test('mean and deviation of a dataset make it standard; the mean image centres it', () => {
  const images = Array.from({ length: 20 }, (_, k) => noise(2, 5, 4, k));
  const { mean, std } = channelStatistics(images);
  const normal = images.map((image) => F.normalize(image, mean, std));
  for (let c = 0; c < 2; c++) {
    const values = normal.flatMap(({ data }) => [...data.subarray(c * 20, c * 20 + 20)]);
    const sum = values.reduce((a, b) => a + b, 0);
    expect(Math.abs(sum / values.length)).toBeLessThan(1e-6);
    expect(values.reduce((a, b) => a + b * b, 0) / values.length).toBeCloseTo(1, 5);
  }
  const average = meanImage(images);
  const centred = images.map((image) => F.subtractMean(image, average).data);
  for (let i = 0; i < 40; i++) expect(Math.abs(centred.reduce((a, data) => a + data[i], 0))).toBeLessThan(1e-5);
  const flat = { data: Uint8Array.from(images.flatMap(({ data }) => [...data])), shape: [2, 5, 4] };
  expect(channelStatistics(imagesOf(flat))).toEqual({ mean, std });
  expect([...imagesOf(flat, [3])][0].data).toEqual(images[3].data);
  expect(() => channelStatistics([])).toThrow('channelStatistics: no images. Give at least one.');
  expect(() => [...imagesOf(flat, [20])]).toThrow('imagesOf: image 20 of 20. Use 0 to 19.');
});

test('what does not fit is refused in words', () => {
  const image = noise(3, 4, 4);
  const random = new HostRandom(1);
  expect(() => randomCrop(9, { padding: 2 })(image, random)).toThrow(
    'randomCrop: [9, 9] from an image of [8, 8], border included. Use a smaller size or padding.',
  );
  expect(() => randomHorizontalFlip(1.5)).toThrow(
    'randomHorizontalFlip: a probability of 1.5. Use a number from 0 to 1.',
  );
  expect(() => colorJitter({ hue: 0.7 })).toThrow('colorJitter: hue is -0.7. Use a number of -0.5 to 0.5.');
  expect(() => randomRotation([5, -5])).toThrow(ArgumentError);
  expect(() => randAugment({ magnitude: 31 })).toThrow('randAugment: magnitude is 31. Use a whole number of 0 to 30.');
  expect(() => F.normalize(image, [0, 0], 1)).toThrow(ShapeError);
  expect(() => F.normalize(image, 0, 0)).toThrow(ArgumentError);
  expect(() => F.pad(image, 4, { mode: 'reflect' })).toThrow("Use at most 3, or mode 'edge'.");
  expect(() => F.pad(image, -1)).toThrow(ArgumentError);
  expect(() => F.fiveCrop(image, 5)).toThrow('fiveCrop: crops of [5, 5] from an image of [4, 4]. Use a smaller size.');
  expect(() => F.gaussianBlur(image, 4)).toThrow('gaussianBlur: a kernel of 4. Use an odd whole number.');
  expect(() => F.posterize(image, 9)).toThrow(ArgumentError);
  expect(() => F.adjustSaturation({ data: new Uint8Array(8), shape: [2, 2, 2] }, 1)).toThrow(ShapeError);
  expect(() =>
    F.perspective(
      image,
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [0, 3],
      ],
    ),
  ).toThrow(ArgumentError);
  expect(() => compose(undefined as never)).toThrow('compose: argument 1 is no transform.');
  expect(() => F.toFloat({ data: new Uint8Array(3), shape: [1, 2, 2] })).toThrow(
    'toFloat: 3 numbers are no image [1, 2, 2]. Give one for each pixel.',
  );
});
