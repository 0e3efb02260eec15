// Image files for `nabla predict`: IDX (with or without gzip), and PNG, JPEG and the like through sharp.

import { basename } from 'node:path';
import { FormatError } from '../../index.js';
import { readIdx } from '../../data/index.js';
import { CliError, fileFault } from '../errors.js';
import { largest } from '../../tensor/extremes.js';
import { oneLine } from '../printable.js';
import type { ImageFormat, Images } from './image-text.js';

/** The part of sharp that is used. */
interface Sharp {
  ensureAlpha(): Sharp;
  flatten(options: { background: string }): Sharp;
  extract(box: { left: number; top: number; width: number; height: number }): Sharp;
  resize(width: number, height: number, options: { fit: 'fill' | 'cover' }): Sharp;
  greyscale(): Sharp;
  toColourspace(space: string): Sharp;
  raw(): Sharp;
  toBuffer(): Promise<Uint8Array>;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number; readonly channels: number };
  }>;
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
async function readPicture(path: string, { shape: [channels, height, width], drawing }: ImageFormat): Promise<Images> {
  let open: (path: string) => Sharp;
  try {
    ({ default: open } = await import('sharp'));
  } catch {
    throw new CliError(`cannot read ${path}: pictures need the package sharp. Run npm install sharp.`);
  }
  let bytes: Uint8Array;
  try {
    const background = await groundFor(open(path));
    const coloured = (picture: Sharp): Sharp =>
      channels === 1 ? picture.greyscale().toColourspace('b-w') : picture.toColourspace('srgb');
    const whole = await coloured(open(path).flatten({ background })).raw().toBuffer({ resolveWithObject: true });
    const ink = drawing === undefined ? undefined : inkOf(whole.data, whole.info);
    if (ink === undefined || (whole.info.width === width && whole.info.height === height)) {
      // the middle of a photo, as networks are tested on them
      bytes = await coloured(open(path).flatten({ background }).resize(width, height, { fit: 'cover' }))
        .raw()
        .toBuffer();
    } else {
      const { margin } = drawing!;
      const scale = Math.min((width - 2 * margin) / ink.box.width, (height - 2 * margin) / ink.box.height);
      const size = [ink.box.width, ink.box.height].map((n) => Math.max(1, Math.round(n * scale)));
      const cut = await coloured(
        open(path).flatten({ background }).extract(ink.box).resize(size[0], size[1], { fit: 'fill' }),
      )
        .raw()
        .toBuffer();
      bytes = centred(cut, [channels, size[1], size[0]], [height, width], ink.ground);
    }
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

interface Ink {
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** What lies around it, a number for each channel. */
  readonly ground: readonly number[];
}

/** Where something is drawn: what differs from the edge of the picture by a quarter of what differs most; undefined for an even picture. */
function inkOf(
  bytes: Uint8Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
): Ink | undefined {
  const edge = Array.from({ length: width * height }, (_, i) => i).filter((i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  const ground = Array.from({ length: channels }, (_, c) => {
    const values = edge.map((i) => bytes[i * channels + c]).sort((a, b) => a - b);
    return values[values.length >> 1];
  });
  const difference = Float32Array.from({ length: width * height }, (_, i) =>
    ground.reduce((most, value, c) => Math.max(most, Math.abs(bytes[i * channels + c] - value)), 0),
  );
  const most = largest(difference);
  if (most < 16) return undefined;
  let [left, top, right, bottom] = [width, height, -1, -1];
  difference.forEach((value, i) => {
    if (value < most / 4) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  return { box: { left, top, width: right - left + 1, height: bottom - top + 1 }, ground };
}

/** The drawing on a sheet of its ground, with its centre of mass in the middle as far as there is room. */
function centred(
  bytes: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
  [sheetHeight, sheetWidth]: readonly [number, number],
  ground: readonly number[],
): Uint8Array {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < height * width; i++) {
    const ink = ground.reduce((sum, value, c) => sum + Math.abs(bytes[i * channels + c] - value), 0);
    mass += ink;
    x += ink * (i % width);
    y += ink * Math.floor(i / width);
  }
  const place = (room: number, size: number, centre: number): number =>
    Math.min(Math.max(Math.round((room - 1) / 2 - centre), 0), room - size);
  const left = place(sheetWidth, width, x / mass);
  const top = place(sheetHeight, height, y / mass);
  const sheet = Uint8Array.from({ length: sheetHeight * sheetWidth * channels }, (_, i) => ground[i % channels]);
  for (let row = 0; row < height; row++) {
    const line = bytes.subarray(row * width * channels, (row + 1) * width * channels);
    sheet.set(line, ((top + row) * sheetWidth + left) * channels);
  }
  return sheet;
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
