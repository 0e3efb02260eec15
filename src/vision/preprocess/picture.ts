// What callers have as a picture (pixels of the page's canvas, of sharp, arrays and tensors with channels first or last, grey, RGB, RGBA) as
// images [channels, height, width] of red, green and blue or of grey, bytes or floats from 0 to 1.
// Must not know: sizes, means.

import { type Image, type Pixels, allocate, roundEven } from '../../data/transforms/image.js';
import { toGrayscale } from '../../data/transforms/functional/color.js';
import { ArgumentError, ShapeError, formatShape, isFloat, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { isFloat32Array, typedArrayKind } from '../../tensor/typed-arrays.js';
import type { Preprocessing } from './options.js';

type Bytes = Uint8Array | Uint8ClampedArray;

/** Pixels with their channels last, as a page's canvas gives them (`ImageData`): four channels, the last one opaque at 255. */
export interface PixelData {
  readonly data: Bytes;
  readonly width: number;
  readonly height: number;
}

/** What sharp gives for `raw().toBuffer({ resolveWithObject: true })`: bytes with their channels last. */
export interface RawPicture {
  readonly data: Bytes;
  readonly info: { readonly width: number; readonly height: number; readonly channels: number };
}

/** Pixels in an array: [channels, height, width], [height, width, channels] or [height, width]. */
export interface PixelArray {
  readonly data: Bytes | Float32Array;
  readonly shape: readonly number[];
}

/**
 * A decoded picture: an image of nabla/data, an ImageData, what sharp gives as raw bytes, or a tensor. Bytes (uint8) are 0 to 255, floats 0
 * to 1; one channel is grey, two are grey and opacity, three RGB, four RGB and opacity. A tensor of four dimensions holds several pictures.
 */
export type Picture = PixelArray | PixelData | RawPicture | AnyTensor;

const WANTED = 'Give an image { data, shape }, an ImageData, raw bytes of sharp, or a tensor';

/** The images in what was passed in, one after the other. */
export async function imagesIn(call: string, given: unknown, options: Preprocessing): Promise<Image[]> {
  if (!Array.isArray(given)) return imagesOf(call, given, options);
  if (given.length === 0) throw new ArgumentError(`${call}: no pictures. Give at least one.`);
  const all = await Promise.all(given.map((picture) => imagesOf(call, picture, options)));
  return all.flat();
}

async function imagesOf(call: string, picture: unknown, options: Preprocessing): Promise<Image[]> {
  if (!(picture instanceof Tensor)) return [imageOf(call, picture, options)];
  const { shape, dtype, rank }: AnyTensor = picture;
  if (dtype !== 'uint8' && !isFloat(dtype))
    throw new ArgumentError(
      `${call}: a picture of ${dtype}. Use uint8 from 0 to 255 (to('uint8')), or floats from 0 to 1.`,
    );
  if (rank < 2 || rank > 4)
    throw new ShapeError(
      `${call}: a picture ${formatShape(shape)}: needs [height, width, channels], [channels, height, width] or several of them`,
      [shape],
    );
  const read: ArrayLike<number> = await picture.data();
  const numbers = dtype === 'uint8' ? Uint8Array.from(read) : Float32Array.from(read);
  if (rank < 4) return [arranged(call, numbers, shape, options)];
  const [count, ...one] = shape;
  if (count === 0) throw new ShapeError(`${call}: ${formatShape(shape)} holds no pictures`, [shape]);
  const size = one[0] * one[1] * one[2];
  return Array.from({ length: count }, (_, i) =>
    arranged(call, numbers.subarray(i * size, (i + 1) * size), one, options),
  );
}

/** An image of what lies in host memory. */
export function imageOf(call: string, picture: unknown, options: Preprocessing): Image {
  if (typeof picture !== 'object' || picture === null || !('data' in picture))
    throw wrongKind(call, 'a picture', picture, WANTED);
  const { data } = picture;
  const kind = typedArrayKind(data);
  const isOurs = kind === 'Uint8Array' || kind === 'Uint8ClampedArray' || isFloat32Array(data);
  if (!isOurs) throw wrongKind(call, 'data of a picture', data, 'Give pixels as Uint8Array or Float32Array');
  const pixels: Pixels = isFloat32Array(data) ? data : bytesOf(data as Bytes);
  if ('shape' in picture) return arranged(call, pixels, shapeOf(call, picture.shape), options);
  const info: object = 'info' in picture && isObject(picture.info) ? picture.info : picture;
  const { width, height, channels = 4 } = info as { width?: unknown; height?: unknown; channels?: unknown };
  if (typeof width !== 'number' || typeof height !== 'number' || typeof channels !== 'number')
    throw wrongKind(call, 'a picture', picture, WANTED);
  return arranged(call, pixels, [height, width, channels], { ...options, layout: 'hwc' });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** A Uint8ClampedArray is the same bytes. */
function bytesOf(data: Bytes): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

function shapeOf(call: string, shape: unknown): readonly number[] {
  if (Array.isArray(shape) && (shape.length === 2 || shape.length === 3)) return shape;
  throw wrongKind(call, 'shape of a picture', shape, 'Give [channels, height, width] or [height, width, channels]');
}

const isCount = (n: number): boolean => n >= 1 && n <= 4;

/** Channels first, in the colours that are wanted. */
function arranged(call: string, data: Pixels, shape: readonly number[], options: Preprocessing): Image {
  const size = shape.length === 2 ? [1, ...shape] : shape;
  if (size.some((n) => !Number.isInteger(n) || n < 1))
    throw new ShapeError(`${call}: a picture ${formatShape(shape)} has no pixels`, [shape]);
  if (size[0] * size[1] * size[2] !== data.length)
    throw new ShapeError(`${call}: ${data.length} numbers are no picture ${formatShape(shape)}`, [shape]);
  const image = isLast(call, size, shape.length === 2 ? 'chw' : options.layout)
    ? channelsFirst(data, size)
    : ([data, size] as const);
  return coloured(call, ...image, options);
}

function isLast(call: string, size: readonly number[], layout: Preprocessing['layout']): boolean {
  const [first, , last] = size;
  if (layout !== 'auto') {
    const channels = layout === 'hwc' ? last : first;
    if (isCount(channels)) return layout === 'hwc';
    throw new ShapeError(`${call}: a picture ${formatShape(size)} has ${channels} channels. Pictures have 1 to 4.`, [
      size,
    ]);
  }
  if (isCount(first) !== isCount(last)) return isCount(last);
  const problem = isCount(first) ? 'may have its channels first or last' : 'has no dimension of 1 to 4 channels';
  throw new ShapeError(`${call}: a picture ${formatShape(size)} ${problem}. Say which with layout: 'hwc' or 'chw'.`, [
    size,
  ]);
}

function channelsFirst(data: Pixels, [height, width, channels]: readonly number[]) {
  const plane = height * width;
  const out = allocate(data, data.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0, from = c; i < plane; i++, from += channels) out[c * plane + i] = data[from];
  return [out, [channels, height, width]] as const;
}

/** Red, green and blue, or grey, without opacity. */
function coloured(call: string, data: Pixels, shape: readonly number[], options: Preprocessing): Image {
  const [channels, height, width] = shape;
  if (isFloat32Array(data)) checkFloats(call, data);
  const plane = height * width;
  const own = channels < 3 ? 1 : 3;
  let pixels = data;
  if (channels === 2 || channels === 4) {
    pixels = allocate(data, own * plane);
    const most = isFloat32Array(data) ? 1 : 255;
    for (let c = 0; c < own; c++) {
      const behind = (options.background[c] * most) / 255;
      for (let i = 0; i < plane; i++) {
        const share = data[own * plane + i] / most;
        const mixed = share * data[c * plane + i] + (1 - share) * behind;
        pixels[c * plane + i] = most === 255 ? roundEven(mixed) : mixed;
      }
    }
  }
  const image = { data: pixels, shape: [own, height, width] } as const;
  if (own === options.channels) return image;
  if (options.channels === 1) return toGrayscale(image);
  const three = allocate(data, 3 * plane);
  for (let c = 0; c < 3; c++) three.set(pixels.subarray(0, plane), c * plane);
  return { data: three, shape: [3, height, width] };
}

/** Bytes that became floats on the way give a picture that is white all over, and nobody would see why. */
function checkFloats(call: string, data: Float32Array): void {
  const at = data.findIndex((value) => !(value >= -1 && value <= 2));
  if (at < 0) return;
  throw new ArgumentError(
    `${call}: a picture of floats with a pixel of ${data[at]}. Floats go from 0 to 1: divide by 255, or give bytes (uint8).`,
  );
}
