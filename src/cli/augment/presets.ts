// What `nabla augment` shows: sets of images, each with the augmentation that is usual for it, and transforms that can be
// shown in that one's place.

import {
  type ArrayDataset,
  CIFAR10_CLASSES,
  FASHION_MNIST_CLASSES,
  type Field,
  HostRandom,
  cifar10,
  digits,
  fashionMnist,
  mnist,
} from '../../data/index.js';
import {
  type AnyImageTransform,
  type Image,
  type Pixels,
  colorJitter,
  compose,
  cutout,
  gaussianBlur,
  gaussianNoise,
  randAugment,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomPerspective,
  randomResizedCrop,
  randomRotation,
  trivialAugment,
} from '../../data/transforms/index.js';

import type { PresetName, TransformName } from './names.js';

/** Some images, and what is written below each. */
export interface Samples {
  readonly images: readonly Image[];
  readonly labels: readonly string[];
}

export type Augmentation = AnyImageTransform;

export interface Preset {
  /** `count` images, the same for the same seed. */
  samples(count: number, seed: number): Promise<Samples>;
  readonly augmentation: Augmentation;
}

type LabelledImages<D extends Pixels> = ArrayDataset<{
  readonly x: Field<D, readonly [number, number, number]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

const smooth = { interpolation: 'bilinear' } as const;

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  digits: {
    samples: async (count, seed) => pick(digits(), count, seed, String),
    augmentation: randomAffine({ degrees: 10, translate: [0.7 / 8, 0.7 / 8], scale: [0.9, 1.1], ...smooth }),
  },
  mnist: {
    samples: async (count, seed) => pick((await mnist()).train, count, seed, String),
    augmentation: randomAffine({ degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1], shear: 5, ...smooth }),
  },
  'fashion-mnist': {
    samples: async (count, seed) => pick((await fashionMnist()).train, count, seed, (y) => FASHION_MNIST_CLASSES[y]),
    augmentation: compose(randomCrop([28, 28], { padding: 2 }), randomHorizontalFlip()),
  },
  cifar10: {
    samples: async (count, seed) => pick((await cifar10()).train, count, seed, (y) => CIFAR10_CLASSES[y]),
    augmentation: compose(randomCrop([32, 32], { padding: 4 }), randomHorizontalFlip()),
  },
};

/** Transforms by name, for images of height × width. */
export const TRANSFORMS: Readonly<Record<TransformName, (height: number, width: number) => Augmentation>> = {
  flip: () => randomHorizontalFlip(),
  crop: (height, width) => randomCrop([height, width], { padding: Math.ceil(Math.min(height, width) / 8) }),
  'resized-crop': (height, width) => randomResizedCrop([height, width]),
  rotation: () => randomRotation(30, smooth),
  affine: () => randomAffine({ degrees: 15, translate: [0.1, 0.1], scale: [0.8, 1.2], shear: 10, ...smooth }),
  perspective: () => randomPerspective({ p: 1 }),
  'color-jitter': () => colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  noise: () => gaussianNoise(),
  blur: () => gaussianBlur(5),
  erasing: () => randomErasing({ p: 1 }),
  cutout: (height, width) => cutout([Math.ceil(height / 2), Math.ceil(width / 2)]),
  'rand-augment': () => randAugment(),
  'trivial-augment': () => trivialAugment(),
};

function pick<D extends Pixels>(
  dataset: LabelledImages<D>,
  count: number,
  seed: number,
  nameOf: (label: number) => string,
): Samples {
  const order = new HostRandom(seed).shuffle(Int32Array.from({ length: dataset.length }, (_, i) => i));
  const { x, y } = dataset.gather(order.subarray(0, count));
  const [n, ...shape] = x.shape;
  const size = x.data.length / n;
  const images = Array.from({ length: n }, (_, i) => ({
    data: x.data.subarray(i * size, (i + 1) * size),
    shape,
  }));
  return { images, labels: Array.from(y.data, nameOf) };
}
