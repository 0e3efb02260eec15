// Picture files as images of bytes: sharp decodes them in Node, the page itself in a browser.

import { type FileSource, isInNode, openSource } from '../io/source.js';
import { ArgumentError, FormatError, type OptionNames, checkChoice, checkOptions } from '../tensor/library.js';
import { greyOf } from './grey.js';
import type { HostImage } from './transform.js';

export interface ReadImageOptions {
  /** 3: red, green, blue, whatever the file has; 1: grey; 4: with opacity. Default 3. */
  readonly channels?: 1 | 3 | 4;
}

const OPTIONS: OptionNames<ReadImageOptions> = { channels: true };

/** Bytes [channels, height, width]. */
export type ReadImage = HostImage<readonly [channels: number, height: number, width: number], Uint8Array>;

/**
 * A picture (PNG, JPEG, WebP, GIF, AVIF, …) as bytes [channels, height, width], turned as its EXIF entry says; what is transparent lies on
 * white. From a path or file: URL (Node), an address, a File or Blob, or bytes. In Node it needs `npm install sharp`; a page decodes what its
 * browser does. Throws FormatError for what is no picture.
 *
 *     const picture = await readImage('palace.jpg');
 *     const x = await imagePreprocessing('imagenet')(picture);
 */
export async function readImage(source: FileSource, options: ReadImageOptions = {}): Promise<ReadImage> {
  const call = 'readImage';
  checkOptions(call, options, OPTIONS);
  const { channels = 3 } = options;
  checkChoice(call, 'channels', channels, [1, 3, 4]);
  const opened = await openSource(call, source, { cache: false });
  const name = opened.name ?? 'the picture';
  if (opened.size === 0) throw new FormatError(`${call}: ${name} is empty.`, opened.name);
  const bytes = await opened.read(0, opened.size);
  if (isInNode()) {
    const { decodePicture } = await import('./node/decode-picture.js');
    return planar(await decodePicture(call, bytes, name, channels));
  }
  return planar(await decodedByThePage(call, bytes, name, channels));
}

/** Channels of a pixel next to each other. */
export interface Interleaved {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

function planar({ data, width, height, channels }: Interleaved): ReadImage {
  const plane = width * height;
  const pixels = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++)
    for (let i = 0, from = c; i < plane; i++, from += channels) pixels[c * plane + i] = data[from];
  return { data: pixels, shape: [channels, height, width] };
}

async function decodedByThePage(call: string, bytes: Uint8Array, name: string, channels: number): Promise<Interleaved> {
  if (typeof createImageBitmap !== 'function' || typeof OffscreenCanvas !== 'function')
    throw new ArgumentError(`${call}: nothing here decodes pictures. Give pixels to the preprocessing.`);
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob).catch((cause: unknown) => {
    const error = new FormatError(`${call}: ${name} cannot be decoded.`);
    error.cause = cause;
    throw error;
  });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (canvas === null) throw new ArgumentError(`${call}: the page has no canvas. Give pixels to the preprocessing.`);
  if (channels !== 4) {
    canvas.fillStyle = 'white';
    canvas.fillRect(0, 0, width, height);
  }
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = canvas.getImageData(0, 0, width, height);
  if (channels === 4) return { data, width, height, channels };
  const plane = width * height;
  const out = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 3) out.set([r, g, b], 3 * i);
    else out[i] = greyOf(r, g, b);
  }
  return { data: out, width, height, channels };
}
