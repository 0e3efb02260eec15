// What every image function of this folder shares: the type of an image whose sizes are known where they can be, the check
// of its arguments, and memory for results.
// Must not know: what is done to the pixels.

import {
  ArgumentError,
  ShapeError,
  formatShape,
  checkHas,
  checkNumber,
  checkNumbers,
  wrongKind,
} from '../../tensor/library.js';
import type { HostImage, Transform } from '../transform.js';
import type { HostRandom } from '../../tensor/host-random.js';
import { isFloat32Array, isUint8Array } from '../../tensor/typed-arrays.js';

/** Pixels from 0 to 255 in a Uint8Array, from 0 to 1 in a Float32Array. */
export type Pixels = Uint8Array | Float32Array;

/** An image [C, H, W], row by row and channel by channel. */
export type Image<
  D extends Pixels = Pixels,
  C extends number = number,
  H extends number = number,
  W extends number = number,
> = HostImage<readonly [C, H, W], D>;

/** A transform that keeps type and size. */
export type ImageTransform = <D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  random: HostRandom,
) => Image<D, C, H, W>;

/** A transform to images of H × W. */
export type SizeTransform<H extends number = number, W extends number = number> = <D extends Pixels, C extends number>(
  image: Image<D, C>,
  random: HostRandom,
) => Image<D, C, H, W>;

/** A transform that keeps the size and changes the type of the pixels. */
export type PixelTransform<D extends Pixels> = <C extends number, H extends number, W extends number>(
  image: Image<Pixels, C, H, W>,
  random: HostRandom,
) => Image<D, C, H, W>;

/** Any transform of an image to an image. */
export type AnyImageTransform = Transform<Image, Image>;

/** [height, width], or one number for both. */
export type Size<H extends number = number, W extends number = number> = number | readonly [H, W];

/** Throws unless `image` is [C, H, W] with as many numbers as that. */
export function checkImage(op: string, image: HostImage): void {
  checkHas(op, 'the image', image, ['data', 'shape'], 'Give { data, shape } of one image, [C, H, W]');
  const { data, shape } = image;
  if (!isFloat32Array(data) && !isUint8Array(data))
    throw wrongKind(op, 'data of the image', data, 'Give the pixels as Float32Array or Uint8Array');
  checkNumbers(op, 'the shape of the image', shape);
  if (shape.length !== 3) {
    throw new ShapeError(
      `${op}: an image ${formatShape(shape)} is not [C, H, W]. Give one image with its channels first.`,
    );
  }
  if (data.length !== shape[0] * shape[1] * shape[2]) {
    throw new ShapeError(`${op}: ${data.length} numbers are no image ${formatShape(shape)}. Give one for each pixel.`);
  }
}

/** As `checkImage`, and throws unless the image is grey or RGB. */
export function checkColors(op: string, image: Image): void {
  checkImage(op, image);
  const [channels] = image.shape;
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(`${op}: an image of ${channels} channels. Give 1 (grey) or 3 (RGB).`);
  }
}

/** Throws unless every number is a whole one of at least 1. */
export function checkSizes(op: string, ...sizes: readonly number[]): void {
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new ArgumentError(`${op}: a size of [${sizes.join(', ')}]. Use whole numbers of at least 1.`);
  }
}

/** Throws unless `pair` is [height, width]. */
export function checkSizePair(op: string, pair: readonly number[]): void {
  checkNumbers(op, 'the size', pair);
  if (pair.length !== 2)
    throw new ArgumentError(`${op}: a size of [${pair.join(', ')}]. Use one number, or [height, width].`);
  checkSizes(op, ...pair);
}

/** Throws unless `value` lies within [low, high]. */
export function checkRange(op: string, name: string, value: number, low: number, high = Infinity): void {
  checkNumber(op, name, value);
  if (value >= low && value <= high) return;
  const range = high === Infinity ? `at least ${low}` : `${low} to ${high}`;
  throw new ArgumentError(`${op}: ${name} is ${value}. Use a number of ${range}.`);
}

/** Height and width of `size`, checked. */
export function sizePair<H extends number, W extends number>(op: string, size: Size<H, W>): readonly [H, W] {
  const pair = typeof size === 'number' ? ([size as H, size as W] as const) : size;
  checkSizePair(op, pair);
  return pair;
}

/** Zeros of the same type. */
export function allocate<D extends Pixels>(like: D, length: number): D {
  return (isUint8Array(like) ? new Uint8Array(length) : new Float32Array(length)) as D;
}

/** The brightest value of the type: 255 or 1. */
export function brightest(data: Pixels): number {
  return isUint8Array(data) ? 255 : 1;
}

/** The whole number next to `x`, the even one of two: as PyTorch rounds. */
export function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
