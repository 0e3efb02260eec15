// Random changes to images, made in JavaScript on samples that are about to be used. Each image is drawn again through a
// random similarity: turned, scaled and moved about its centre, with bilinear interpolation and zeros outside.

import {
  ArgumentError,
  formatShape,
  type OptionNames,
  type Shape,
  checkGiven,
  checkHas,
  checkNumber,
  checkNumbers,
  wrongKind,
  checkNeededOptions,
} from '../tensor/library.js';
import { isFloat32Array } from '../tensor/typed-arrays.js';
import type { HostRandom } from '../tensor/host-random.js';
import { inverseAffineMatrix, warpInto } from './transforms/functional/warp.js';

export interface JitterOptions {
  /** Largest shift in pixels, each way and axis. Default 0. */
  readonly shift?: number;
  /** Largest angle in degrees, each way. Default 0. */
  readonly rotate?: number;
  /** Largest relative change of size, each way: 0.1 gives factors from 0.9 to 1.1. Default 0. */
  readonly scale?: number;
}

const JITTER_OPTIONS: OptionNames<JitterOptions> = { shift: true, rotate: true, scale: true };

/** Changes one image [C, H, W], or several [N, C, H, W], in place. */
export function jitter(
  images: { readonly data: Float32Array; readonly shape: Shape },
  random: HostRandom,
  options: JitterOptions,
): void {
  checkNeededOptions('jitter', options, JITTER_OPTIONS, '{ shift: 1 }');
  const { shift = 0, rotate = 0, scale = 0 } = options;
  checkHas('jitter', 'the images', images, ['data', 'shape'], 'Give { data, shape }, [C, H, W] or [N, C, H, W]');
  if (!isFloat32Array(images.data)) throw wrongKind('jitter', 'data of the images', images.data, 'Give a Float32Array');
  checkNumbers('jitter', 'the shape of the images', images.shape);
  checkHas('jitter', 'the generator', random, ['between'], 'Pass a generator: new HostRandom(seed)');
  checkGiven(checkNumber, 'jitter', { shift, rotate, scale });
  const { data } = images;
  const shape = images.shape.length === 3 ? [1, ...images.shape] : images.shape;
  if (shape.length !== 4)
    throw new ArgumentError(`jitter: images ${formatShape(shape)} are neither [C, H, W] nor [N, C, H, W].`);
  const [count, channels, height, width] = shape;
  const size = channels * height * width;
  const planes = [channels, height, width] as const;
  for (let n = 0; n < count; n++) {
    const angle = random.between(-rotate, rotate);
    const zoom = 1 + random.between(-scale, scale);
    const [dy, dx] = [random.between(-shift, shift), random.between(-shift, shift)];
    const target = { data: data.subarray(n * size, (n + 1) * size), shape: planes };
    const matrix = inverseAffineMatrix([0, 0], -angle, [dx, dy], zoom, [0, 0]);
    warpInto(target, { data: target.data.slice(), shape: planes }, matrix, 'bilinear');
  }
}
