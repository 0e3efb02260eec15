// Transforms that change how pixels look and leave them where they are: type, normalisation, colour, blur, noise, holes.
// Names, defaults and distributions of torchvision; thresholds and noise are in values from 0 to 1, for bytes too.

import {
  type OptionNames,
  checkOptions,
  checkChoice,
  checkNumber,
  checkWhole,
  checkRandom,
  checkNeededOptions,
} from '../../tensor/library.js';
import { NOISE_OPTIONS } from './functional/erase.js';
import type { HostRandom } from '../../tensor/host-random.js';
import { checkFill } from './functional/gather.js';
import * as F from './functional/index.js';
import { randomBox, rangeOf, sometimes } from './geometry.js';
import {
  type Image,
  type ImageTransform,
  type PixelTransform,
  type Pixels,
  type Size,
  brightest,
  checkImage,
  checkRange,
  sizePair,
} from './image.js';

/** Bytes become floats from 0 to 1. torchvision: ToTensor. */
export function toFloat(): PixelTransform<Float32Array> {
  return (image) => F.toFloat(image);
}

/** Floats from 0 to 1 become bytes. torchvision: ToDtype(uint8, scale=True). */
export function toBytes(): PixelTransform<Uint8Array> {
  return (image) => F.toBytes(image);
}

/** (image − mean) / std for each channel; bytes become floats from 0 to 1 first, in the same pass. torchvision: Normalize. */
export function normalize(
  mean: number | readonly number[],
  std: number | readonly number[],
): PixelTransform<Float32Array> {
  checkFill('normalize', 'mean', mean);
  checkFill('normalize', 'std', std);
  return (image) => F.normalize(image, mean, std);
}

/** The image minus the mean image of a dataset: `subtractMean(meanImage(images))`. */
export function subtractMean(mean: Image<Float32Array>): PixelTransform<Float32Array> {
  checkImage('subtractMean', mean);
  return (image) => F.subtractMean(image, mean);
}

/** Grey, with one channel or three equal ones. torchvision: Grayscale. */
export function grayscale<const N extends 1 | 3 = 1>(
  channels: N = 1 as N,
): <D extends Pixels, H extends number, W extends number>(
  image: Image<D, number, H, W>,
  random: HostRandom,
) => Image<D, N, H, W> {
  checkChoice('grayscale', 'channels', channels, [1, 3]);
  return (image) => {
    checkImage('grayscale', image);
    return F.toGrayscale(image, channels);
  };
}

/** Grey of as many channels with probability `p`. torchvision: RandomGrayscale. */
export function randomGrayscale(p = 0.1): ImageTransform {
  return sometimes('randomGrayscale', p, (image) => {
    const grey = F.toGrayscale(image, image.shape[0] === 1 ? 1 : 3);
    return grey as typeof image;
  });
}

/** The negative with probability `p`. torchvision: RandomInvert. */
export function randomInvert(p = 0.5): ImageTransform {
  return sometimes('randomInvert', p, (image) => F.invert(image));
}

/** Fewer bits with probability `p`. torchvision: RandomPosterize. */
export function randomPosterize(bits: number, p = 0.5): ImageTransform {
  checkWhole('randomPosterize', 'bits', bits);
  return sometimes('randomPosterize', p, (image) => F.posterize(image, bits));
}

/** The negative of what is at least `threshold` (0 to 1) with probability `p`. torchvision: RandomSolarize. */
export function randomSolarize(threshold: number, p = 0.5): ImageTransform {
  checkRange('randomSolarize', 'threshold', threshold, 0, 1);
  return sometimes('randomSolarize', p, (image) => F.solarize(image, threshold * brightest(image.data)));
}

/** Full contrast with probability `p`. torchvision: RandomAutocontrast. */
export function randomAutocontrast(p = 0.5): ImageTransform {
  return sometimes('randomAutocontrast', p, (image) => F.autocontrast(image));
}

/** Equalised with probability `p`. torchvision: RandomEqualize. */
export function randomEqualize(p = 0.5): ImageTransform {
  return sometimes('randomEqualize', p, (image) => F.equalize(image));
}

/** Sharper (factor above 1) or blurred with probability `p`. torchvision: RandomAdjustSharpness. */
export function randomAdjustSharpness(factor: number, p = 0.5): ImageTransform {
  checkRange('randomAdjustSharpness', 'the factor', factor, 0);
  return sometimes('randomAdjustSharpness', p, (image) => F.adjustSharpness(image, factor));
}

/** One number x stands for the factors max(0, 1 − x) … 1 + x. */
export type Factor = number | readonly [low: number, high: number];

export interface ColorJitterOptions {
  /** Default 0: not changed. */
  readonly brightness?: Factor;
  readonly contrast?: Factor;
  readonly saturation?: Factor;
  /** Share of the colour circle, 0 to 0.5 each way, or both ends. Default 0. */
  readonly hue?: number | readonly [low: number, high: number];
}

const COLOR_JITTER_OPTIONS: OptionNames<ColorJitterOptions> = {
  brightness: true,
  contrast: true,
  saturation: true,
  hue: true,
};

/** Brightness, contrast, saturation and hue by random factors, in random order. torchvision: ColorJitter. */
export function colorJitter(options: ColorJitterOptions): ImageTransform {
  checkNeededOptions('colorJitter', options, COLOR_JITTER_OPTIONS, '{ brightness: 0.2 }');
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const factors = (name: string, value: Factor): readonly [number, number] => {
    const range = rangeOf('colorJitter', name, typeof value === 'number' ? [Math.max(0, 1 - value), 1 + value] : value);
    checkRange('colorJitter', name, range[0], 0);
    return range;
  };
  const turns = rangeOf('colorJitter', 'hue', hue);
  for (const end of turns) checkRange('colorJitter', 'hue', end, -0.5, 0.5);
  const all = [
    { range: factors('brightness', brightness), neutral: 1, change: F.adjustBrightness },
    { range: factors('contrast', contrast), neutral: 1, change: F.adjustContrast },
    { range: factors('saturation', saturation), neutral: 1, change: F.adjustSaturation },
    { range: turns, neutral: 0, change: F.adjustHue },
  ];
  const used = all.filter(({ range: [low, high], neutral }) => low !== neutral || high !== neutral);
  return (image, random) => {
    checkImage('colorJitter', image);
    checkRandom('colorJitter', random);
    const order = random.shuffle(Int32Array.from(used, (_, i) => i));
    let current = image;
    for (const i of order) {
      const { range, change } = used[i];
      current = change(current, random.between(range[0], range[1]));
    }
    return current;
  };
}

/** Blurred by a Gaussian of random width. torchvision: GaussianBlur (`sigma` defaults to [0.1, 2]). */
export function gaussianBlur(kernelSize: number, sigma: number | readonly [number, number] = [0.1, 2]): ImageTransform {
  checkWhole('gaussianBlur', 'the kernel size', kernelSize, 1);
  if (typeof sigma === 'number') checkNumber('gaussianBlur', 'sigma', sigma);
  const [low, high] = typeof sigma === 'number' ? [sigma, sigma] : rangeOf('gaussianBlur', 'sigma', sigma);
  return (image, random) => {
    checkRandom('gaussianBlur', random);
    return F.gaussianBlur(image, kernelSize, random.between(low, high));
  };
}

/** Normal noise. torchvision: GaussianNoise. */
export function gaussianNoise(options: F.NoiseOptions = {}): ImageTransform {
  checkOptions('gaussianNoise', options, NOISE_OPTIONS);
  return (image, random) => F.gaussianNoise(image, random, options);
}

export interface RandomErasingOptions {
  /** Default 0.5. */
  readonly p?: number;
  /** Share of the image's area. Default [0.02, 0.33]. */
  readonly scale?: readonly [number, number];
  /** Height over width. Default [0.3, 3.3]. */
  readonly ratio?: readonly [number, number];
  /** Of the pixels' type, one for all channels or one for each, or 'random' for normal noise. Default 0. */
  readonly value?: number | readonly number[] | 'random';
}

const RANDOM_ERASING_OPTIONS: OptionNames<RandomErasingOptions> = { p: true, scale: true, ratio: true, value: true };

/** A random box painted over with probability `p` (Zhong et al., 2017). torchvision: RandomErasing. */
export function randomErasing(options: RandomErasingOptions = {}): ImageTransform {
  checkOptions('randomErasing', options, RANDOM_ERASING_OPTIONS);
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
  if (value !== 'random') checkFill('randomErasing', 'the value', value);
  rangeOf('randomErasing', 'scale', scale);
  rangeOf('randomErasing', 'ratio', ratio);
  return sometimes('randomErasing', p, (image, random) => {
    const box = randomBox(random, image.shape[1], image.shape[2], scale, [1 / ratio[1], 1 / ratio[0]]);
    return box === undefined ? image : F.erase(image, box, value === 'random' ? random : value);
  });
}

/** A box of `size` around a random pixel painted over; at the edges it is cut off (DeVries and Taylor, 2017). */
export function cutout(size: Size, value: number | readonly number[] = 0): ImageTransform {
  const [height, width] = sizePair('cutout', size);
  checkFill('cutout', 'the value', value);
  return (image, random) => {
    checkImage('cutout', image);
    checkRandom('cutout', random);
    const [top, left] = [random.below(image.shape[1]) - (height >> 1), random.below(image.shape[2]) - (width >> 1)];
    return F.erase(image, { top, left, height, width }, value);
  };
}
