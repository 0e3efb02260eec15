// PNG files of 8-bit images, still or animated: filtered rows, compressed by fflate. In: channel, row, column. Out: the bytes of the
// file.
// Must not know: files, tensors.

import { zlibSync } from 'fflate';
import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkList,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { smallest } from '../tensor/extremes.js';
import { crc32 } from './formats/crc32.js';

export interface ImageBytes {
  /** Row-major over channel, row, column: 0 … 255. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** [channels, height, width]; 1 channel is grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly shape: readonly [channels: number, height: number, width: number];
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOUR_TYPES: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

/** The bytes of a PNG file. Throws ArgumentError for other shapes and for data that does not fill them. */
export function encodePng(image: ImageBytes): Uint8Array {
  checkImage('encodePng', 'the image', image);
  const { shape } = image;
  return fileOf([chunk('IHDR', header(shape)), chunk('IDAT', compressed(image, wholeOf(shape)))]);
}

export interface ApngOptions {
  /** Milliseconds that a picture is shown: for all, or for each of them. Default 50. */
  readonly delay?: number | readonly number[];
  /** How often the animation is shown; 0 for ever. Default 0. */
  readonly plays?: number;
}

const APNG_OPTIONS: OptionNames<ApngOptions> = { delay: true, plays: true };

/**
 * The bytes of an animated PNG file, which browsers and viewers show as a film, and others as its first picture. Of each picture only
 * what has changed is kept. Throws ArgumentError for pictures of different shapes.
 */
export function encodeApng(images: readonly ImageBytes[], options: ApngOptions = {}): Uint8Array {
  checkList('encodeApng', 'the pictures', images, '{ data, shape }');
  checkOptions('encodeApng', options, APNG_OPTIONS);
  const { delay = 50, plays = 0 } = options;
  if (images.length === 0) throw new ArgumentError('encodeApng: there are no pictures. Give at least one.');
  checkWhole('encodeApng', 'plays', plays);
  const delays = typeof delay === 'number' ? images.map(() => delay) : delay;
  checkList('encodeApng', 'delay', delays, 'milliseconds');
  if (delays.length !== images.length)
    throw new ArgumentError(`encodeApng: ${delays.length} delays for ${images.length} pictures. Give one for each.`);
  delays.forEach((ms, i) => {
    checkWhole('encodeApng', `delay ${i}`, ms);
    if (ms > 65_535) throw new ArgumentError(`encodeApng: delay ${i} is ${ms}. Use at most 65535 milliseconds.`);
  });
  images.forEach((image, i) => {
    checkImage('encodeApng', `picture ${i}`, image);
    if (String(image.shape) !== String(images[0].shape))
      throw new ArgumentError(
        `encodeApng: picture ${i} is ${formatShape(image.shape)}, the first ${formatShape(images[0].shape)}. Give pictures of one shape.`,
      );
  });
  const chunks = [chunk('IHDR', header(images[0].shape)), chunk('acTL', words(images.length, plays))];
  let sequence = 0;
  images.forEach((image, i) => {
    const area = i === 0 ? wholeOf(image.shape) : changedArea(images[i - 1], image);
    const { left, top, width, height } = area;
    const control = new Uint8Array(26);
    control.set(words(sequence++, width, height, left, top));
    control.set([delays[i] >> 8, delays[i], 1000 >> 8, 1000 & 255, 0, 0], 20); // nothing is cleared, pixels are replaced
    chunks.push(chunk('fcTL', control));
    const pixels = compressed(image, area);
    if (i === 0) chunks.push(chunk('IDAT', pixels));
    else chunks.push(chunk('fdAT', joined([words(sequence++), pixels])));
  });
  return fileOf(chunks);
}

/** A part of an image. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const wholeOf = ([, height, width]: ImageBytes['shape']): Area => ({ left: 0, top: 0, width, height });

/** The smallest rectangle with all pixels that differ; a single pixel where none does. */
function changedArea(before: ImageBytes, { data, shape: [channels, height, width] }: ImageBytes): Area {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = (c * height + y) * width + x;
        if (data[at] === before.data[at]) continue;
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < top) top = y;
        if (y > bottom) bottom = y;
      }
  if (right < 0) return { left: 0, top: 0, width: 1, height: 1 };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function checkImage(op: string, what: string, image: ImageBytes): void {
  checkHas(op, what, image, ['data', 'shape'], 'Give { data, shape }: bytes, and [channels, height, width]');
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const sizes = shape.length === 3 && [height, width].every((n) => Number.isInteger(n) && n > 0 && n < 2 ** 31);
  if (!sizes || !Object.hasOwn(COLOUR_TYPES, channels))
    throw new ArgumentError(`${op}: shape ${formatShape(shape)}. Use [channels, height, width] with 1 to 4 channels.`);
  if (data.length !== channels * height * width)
    throw new ArgumentError(`${op}: ${data.length} bytes do not fill ${formatShape(shape)}.`);
}

function header([channels, height, width]: ImageBytes['shape']): Uint8Array {
  return joined([words(width, height), Uint8Array.of(8, COLOUR_TYPES[channels], 0, 0, 0)]);
}

function compressed({ data, shape }: ImageBytes, area: Area): Uint8Array {
  const { width, height } = area;
  return zlibSync(filterRows(interleave(data, shape, area), shape[0], height, width));
}

function fileOf(chunks: readonly Uint8Array[]): Uint8Array {
  return joined([Uint8Array.from(SIGNATURE), ...chunks, chunk('IEND', new Uint8Array(0))]);
}

/** Whole numbers of 32 bits, as the format has them. */
function words(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => view.setUint32(4 * i, number));
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Channels behind each other → channels of a pixel next to each other, of a part of the image. */
function interleave(
  data: Uint8Array | Uint8ClampedArray,
  [channels, rows, columns]: ImageBytes['shape'],
  { left, top, width, height }: Area,
): Uint8Array {
  const out = new Uint8Array(channels * width * height);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        out[(y * width + x) * channels + c] = data[(c * rows + top + y) * columns + left + x];
  return out;
}

/** Each row as it is, or minus the pixel to the left, or minus the row above: whichever is smaller in sum. */
function filterRows(pixels: Uint8Array, channels: number, height: number, width: number): Uint8Array {
  const stride = channels * width;
  const out = new Uint8Array(height * (stride + 1));
  for (let row = 0; row < height; row++) {
    const line = pixels.subarray(row * stride, (row + 1) * stride);
    const filtered = [
      line,
      line.map((v, i) => v - (i < channels ? 0 : line[i - channels])),
      line.map((v, i) => v - (row === 0 ? 0 : pixels[(row - 1) * stride + i])),
    ];
    const sums = filtered.map((bytes) => bytes.reduce((sum, v) => sum + Math.min(v, 256 - v), 0));
    const best = sums.indexOf(smallest(sums));
    out[row * (stride + 1)] = best;
    out.set(filtered[best], row * (stride + 1) + 1);
  }
  return out;
}

/** Length, name, content, checksum of name and content. */
function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}
