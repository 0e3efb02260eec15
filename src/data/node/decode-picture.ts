// Bytes of a picture file as pixels, by the optional package sharp.
// Node's modules and sharp are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { FormatError, NablaError } from '../../tensor/library.js';
import { greyOf } from '../grey.js';
import type { Interleaved } from '../read-image.js';

/** Not a literal, for the same reason; webpack sees through it, and is told to leave it. */
const SHARP: string = 'sharp';

/** The part of sharp that is used here. */
interface Picture {
  rotate(): Picture;
  flatten(options: { background: string }): Picture;
  ensureAlpha(): Picture;
  toColourspace(name: 'srgb'): Picture;
  raw(options: { depth: 'uchar' }): Picture;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number; readonly channels: number };
  }>;
}

/** Throws NablaError where sharp is missing, FormatError where it cannot decode the picture. */
export async function decodePicture(
  call: string,
  bytes: Uint8Array,
  name: string,
  channels: 1 | 3 | 4,
): Promise<Interleaved> {
  let sharp: (bytes: Uint8Array) => Picture;
  try {
    sharp = (await import(/* webpackIgnore: true */ SHARP)).default;
  } catch (cause) {
    throw new NablaError(
      `${call}: pictures are decoded by the package sharp, which is not here. Run npm install sharp.`,
      {
        cause,
      },
    );
  }
  const turned = sharp(bytes).rotate(); // as its EXIF entry says
  const flat = channels === 4 ? turned.ensureAlpha() : turned.flatten({ background: 'white' });
  const { data, info } = await flat
    .toColourspace('srgb') // sharp's own grey is another one than Pillow's and a page's
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new FormatError(`${call}: ${name} cannot be decoded (${reason}).`, name);
      error.cause = cause;
      throw error;
    });
  if (info.channels === channels) return { data, ...info };
  const plane = info.width * info.height;
  const out = new Uint8Array(channels * plane);
  if (channels === 1) {
    for (let i = 0, at = 0; i < plane; i++, at += info.channels)
      out[i] = info.channels < 3 ? data[at] : greyOf(data[at], data[at + 1], data[at + 2]);
    return { data: out, width: info.width, height: info.height, channels };
  }
  // grey files stay grey, whatever is asked for
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++)
      out[i * channels + c] = data[i * info.channels + (c === 3 ? info.channels - 1 : Math.min(c, info.channels - 1))];
  return { data: out, width: info.width, height: info.height, channels };
}
