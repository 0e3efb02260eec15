// Image files for `nabla predict`: IDX (with or without gzip), and PNG, JPEG and the like through sharp.

import { basename } from 'node:path';
import { FormatError } from '../../index.js';
import { readIdx } from '../../data/index.js';
import { CliError, fileFault } from '../errors.js';
import { oneLine } from '../printable.js';
import type { ImageFormat, Images } from './image-text.js';

/** The part of sharp that is used. */
interface Sharp {
  ensureAlpha(): Sharp;
  flatten(options: { background: string }): Sharp;
  resize(width: number, height: number, options: { fit: 'fill' }): Sharp;
  greyscale(): Sharp;
  toColourspace(space: string): Sharp;
  raw(): Sharp;
  toBuffer(): Promise<Uint8Array>;
}

/** The images of a file; undefined for a file that is none of these by its name. Throws CliError if it cannot be read. */
export async function readImageFile(path: string, format: ImageFormat): Promise<Images | undefined> {
  try {
    if (/idx\d?-ubyte(\.gz)?$|\.idx(\.gz)?$/i.test(path)) return await readIdxImages(path, format);
    if (/\.(png|jpe?g|webp|gif|tiff?|avif)$/i.test(path)) return await readPicture(path, format);
    return undefined;
  } catch (error) {
    if (typeof (error as { code?: unknown } | null)?.code === 'string') throw fileFault('read', path, error);
    if (error instanceof FormatError) throw new CliError(oneLine(error));
    throw error;
  }
}

async function readIdxImages(path: string, { shape: [channels, height, width], most }: ImageFormat): Promise<Images> {
  const { data, shape } = await readIdx(path);
  const [count, ...size] = shape;
  if (size.join() !== (channels === 1 ? [height, width] : [channels, height, width]).join()) {
    throw new CliError(`${path} holds [${shape.join(', ')}]. This network takes images of ${height}x${width}.`);
  }
  const wrong = (data as Uint8Array).findIndex((value) => !(value >= 0 && value <= most));
  if (wrong >= 0) throw new CliError(`${path}: value ${wrong + 1} is ${data[wrong]}. Pixels go from 0 to ${most}.`);
  return {
    pixels: Float32Array.from(data as Uint8Array, (value) => value / most),
    count,
    names: Array.from({ length: count }, (_, i) => `${i + 1}`),
    labels: Array.from({ length: count }, () => undefined),
  };
}

/** One picture, brought to the size and the colours of the network; what is transparent is the opposite of what is drawn on it. */
async function readPicture(path: string, { shape: [channels, height, width] }: ImageFormat): Promise<Images> {
  let open: (path: string) => Sharp;
  try {
    ({ default: open } = await import('sharp'));
  } catch {
    throw new CliError(`cannot read ${path}: pictures need the package sharp. Run npm install sharp.`);
  }
  let bytes: Uint8Array;
  try {
    const background = await groundFor(open(path));
    const sized = open(path).flatten({ background }).resize(width, height, { fit: 'fill' });
    bytes = await (channels === 1 ? sized.greyscale().toColourspace('b-w') : sized.toColourspace('srgb'))
      .raw()
      .toBuffer();
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${(error as Error).message}.`);
  }
  const area = height * width;
  const pixels = Float32Array.from(
    { length: channels * area },
    (_, i) => bytes[(i % area) * channels + Math.floor(i / area)] / 255,
  );
  return { pixels, count: 1, names: [basename(path)], labels: [undefined], isPicture: true };
}

const SAMPLED = 64;

/** Black, or white for what is drawn dark on nothing: on black it would be gone. */
async function groundFor(picture: Sharp): Promise<string> {
  const bytes = await picture
    .ensureAlpha()
    .resize(SAMPLED, SAMPLED, { fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const channels = bytes.length / (SAMPLED * SAMPLED);
  let [light, solid, nothing] = [0, 0, 0];
  for (let i = 0; i < bytes.length; i += channels) {
    const alpha = bytes[i + channels - 1] / 255;
    for (let c = 0; c < channels - 1; c++) light += (alpha * bytes[i + c]) / 255 / (channels - 1);
    solid += alpha;
    nothing += 1 - alpha;
  }
  return nothing > 0 && solid > 0 && light / solid < 0.5 ? '#fff' : '#000';
}
