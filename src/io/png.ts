// PNG files of 8-bit images: filtered rows, compressed by fflate. In: channel, row, column. Out: the bytes of the file.
// Must not know: files, tensors.

import { zlibSync } from 'fflate';
import { ArgumentError, formatShape, checkHas } from '../tensor/library.js';
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
  checkHas(
    'encodePng',
    'the image',
    image,
    ['data', 'shape'],
    'Give { data, shape }: bytes, and [channels, height, width]',
  );
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const sizes = shape.length === 3 && [height, width].every((n) => Number.isInteger(n) && n > 0 && n < 2 ** 31);
  if (!sizes || !Object.hasOwn(COLOUR_TYPES, channels))
    throw new ArgumentError(
      `encodePng: shape ${formatShape(shape)}. Use [channels, height, width] with 1 to 4 channels.`,
    );
  if (data.length !== channels * height * width)
    throw new ArgumentError(`encodePng: ${data.length} bytes do not fill ${formatShape(shape)}.`);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPES[channels], 0, 0, 0], 8);
  const rows = filterRows(interleave(data, channels, height * width), channels, height, width);
  const chunks = [chunk('IHDR', header), chunk('IDAT', zlibSync(rows)), chunk('IEND', new Uint8Array(0))];
  const file = new Uint8Array(8 + chunks.reduce((sum, c) => sum + c.length, 0));
  file.set(SIGNATURE);
  let at = 8;
  for (const c of chunks) {
    file.set(c, at);
    at += c.length;
  }
  return file;
}

/** Channels behind each other → channels of a pixel next to each other. */
function interleave(data: Uint8Array | Uint8ClampedArray, channels: number, pixels: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < pixels; i++) out[i * channels + c] = data[c * pixels + i];
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
