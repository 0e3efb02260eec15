// Rectangles painted over, and noise.

import { ArgumentError, checkOptions, type OptionNames, checkHas, checkRandom } from '../../../tensor/library.js';
import type { HostRandom } from '../../../tensor/host-random.js';
import { type Image, type Pixels, allocate, checkImage, checkRange, brightest } from '../image.js';
import { checkFill, fillOf } from './gather.js';
import { clamp } from './tone.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The image with a box painted over by `value` (one for all channels or one for each), or by normal noise if it is a generator.
 * What lies outside the image is left out. torchvision: erase.
 */
export function erase<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  box: Box,
  value: number | readonly number[] | HostRandom = 0,
): Image<D, C, H, W> {
  checkImage('erase', image);
  checkHas('erase', 'the box', box, ['top', 'left', 'height', 'width'], 'Give { top, left, height, width }');
  if (typeof value !== 'object' || Array.isArray(value)) checkFill('erase', 'the value', value);
  else checkRandom('erase', value);
  if (!Object.values(box).every((side) => Number.isInteger(side))) {
    throw new ArgumentError(`erase: a box of ${JSON.stringify(box)}. Use whole numbers.`);
  }
  const [channels, height, width] = image.shape;
  const data = image.data.slice() as D;
  const bound = brightest(data);
  const [top, left] = [Math.max(box.top, 0), Math.max(box.left, 0)];
  const bottom = Math.min(box.top + box.height, height);
  const right = Math.min(box.left + box.width, width);
  for (let c = 0; c < channels; c++) {
    for (let i = top; i < bottom; i++) {
      const row = (c * height + i) * width;
      if (typeof value === 'number' || Array.isArray(value)) {
        if (left < right) data.fill(fillOf(value as number | readonly number[], c), row + left, row + right);
      } else {
        for (let j = left; j < right; j++) {
          const noise = (value as HostRandom).normal();
          data[row + j] = bound === 1 ? noise : clamp(Math.round(noise * bound), bound);
        }
      }
    }
  }
  return { data, shape: image.shape };
}

export interface NoiseOptions {
  /** Of values from 0 to 1. Default 0. */
  readonly mean?: number;
  /** Standard deviation, of values from 0 to 1. Default 0.1. */
  readonly sigma?: number;
  /** Keep values within 0 … 1 (bytes always are). Default true. */
  readonly clip?: boolean;
}

export const NOISE_OPTIONS: OptionNames<NoiseOptions> = { mean: true, sigma: true, clip: true };

/** Normal noise added to each value. torchvision: gaussian_noise. */
export function gaussianNoise<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  random: HostRandom,
  options: NoiseOptions = {},
): Image<D, C, H, W> {
  checkOptions('gaussianNoise', options, NOISE_OPTIONS);
  const { mean = 0, sigma = 0.1, clip = true } = options;
  checkImage('gaussianNoise', image);
  checkRandom('gaussianNoise', random);
  checkRange('gaussianNoise', 'sigma', sigma, 0);
  const { data, shape } = image;
  const bound = brightest(data);
  const isBytes = isUint8Array(data);
  const out = allocate(data, data.length);
  for (let i = 0; i < data.length; i++) {
    const noise = (mean + sigma * random.normal()) * bound;
    const value = data[i] + (isBytes ? Math.round(noise) : noise);
    out[i] = clip || isBytes ? clamp(value, bound) : value;
  }
  return { data: out, shape };
}
