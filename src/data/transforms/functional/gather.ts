// Flips, crops and paddings: each row and each column of the result is one of the image, or none. Two lists of
// positions say which, and one loop copies the pixels.
// Must not know: random numbers, interpolation.

import { ArgumentError, checkOptions, type OptionNames, checkNumbers, checkWhole } from '../../../tensor/library.js';
import { type Image, type Pixels, type Size, allocate, checkImage, checkSizes, sizePair } from '../image.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

/** What lies outside an image: one value, or the image continued. Names of torchvision and NumPy. */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

/** One width for all sides, [horizontal, vertical], or [left, top, right, bottom]. */
export type Padding =
  | number
  | readonly [horizontal: number, vertical: number]
  | readonly [left: number, top: number, right: number, bottom: number];

export interface PadOptions {
  /** Value of constant padding, one for all channels or one for each. Default 0. */
  readonly fill?: number | readonly number[];
  /** Default 'constant'. */
  readonly mode?: PaddingMode;
}

export const PAD_OPTIONS: OptionNames<PadOptions> = { fill: true, mode: true };

/** The value of channel c of a `fill`. */
export function fillOf(fill: number | readonly number[], channel: number): number {
  return typeof fill === 'number' ? fill : (fill[channel] ?? fill[0] ?? 0);
}

/** Throws unless `fill` is a number, or one for each channel. */
export function checkFill(op: string, name: string, fill: unknown): void {
  if (typeof fill !== 'number') checkNumbers(op, name, fill);
}

/** Row i, column j of the result is row `rows[i]`, column `columns[j]` of the image; a negative position gives `fill`. */
export function gather<D extends Pixels, C extends number>(
  { data, shape }: Image<D, C>,
  rows: Int32Array,
  columns: Int32Array,
  fill: number | readonly number[] = 0,
): Image<D, C> {
  const [channels, height, width] = shape;
  const [outHeight, outWidth] = [rows.length, columns.length];
  const out = allocate(data, channels * outHeight * outWidth);
  const run = findRun(columns);
  const bytes = run !== undefined && isUint8Array(data) ? { from: viewOf(data), to: viewOf(out) } : undefined;
  for (let c = 0; c < channels; c++) {
    const value = fillOf(fill, c);
    for (let i = 0; i < outHeight; i++) {
      const at = (c * outHeight + i) * outWidth;
      const isOutside = rows[i] < 0;
      if (value !== 0 && (isOutside || run !== undefined)) out.fill(value, at, at + outWidth);
      if (isOutside) continue;
      const from = (c * height + rows[i]) * width;
      if (run !== undefined) {
        const first = from + columns[run.begin];
        const count = run.end - run.begin;
        if (bytes !== undefined) copyByteRun(bytes.to, at + run.begin, bytes.from, first, run.step, count);
        else copyRun(out, at + run.begin, data, first, run.step, count);
        continue;
      }
      for (let j = 0; j < outWidth; j++) {
        const column = columns[j];
        out[at + j] = column < 0 ? value : data[from + column];
      }
    }
  }
  return { data: out, shape: [channels, outHeight, outWidth] };
}

/** Where `columns` are neighbours in either direction, apart from a border outside the image; undefined if they are not. */
function findRun(columns: Int32Array): { begin: number; end: number; step: 1 | -1 } | undefined {
  let [begin, end] = [0, columns.length];
  while (begin < end && columns[begin] < 0) begin++;
  while (end > begin && columns[end - 1] < 0) end--;
  const step = end - begin > 1 && columns[begin + 1] < columns[begin] ? -1 : 1;
  for (let j = begin + 1; j < end; j++) if (columns[j] !== columns[j - 1] + step || columns[j] < 0) return undefined;
  return { begin, end, step };
}

/** `count` pixels, four a turn: a third faster than one by one. */
function copyRun(out: Pixels, at: number, data: Pixels, from: number, step: 1 | -1, count: number): void {
  const end = at + count;
  const last = end - 3;
  while (at < last) {
    out[at] = data[from];
    out[at + 1] = data[from + step];
    out[at + 2] = data[from + 2 * step];
    out[at + 3] = data[from + 3 * step];
    at += 4;
    from += 4 * step;
  }
  for (; at < end; at++, from += step) out[at] = data[from];
}

/** The same for bytes: four at once as one number, written the other way round where the run goes backwards. Twice as fast. */
function copyByteRun(out: DataView, at: number, data: DataView, from: number, step: 1 | -1, count: number): void {
  const end = at + count;
  const last = end - 3;
  if (step === 1) for (; at < last; at += 4, from += 4) out.setUint32(at, data.getUint32(from, true), true);
  else for (; at < last; at += 4, from -= 4) out.setUint32(at, data.getUint32(from - 3, true), false);
  for (; at < end; at++, from += step) out.setUint8(at, data.getUint8(from));
}

const viewOf = (data: Pixels): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);

/** Positions first, first + step, …; those outside 0 … size − 1 are −1. */
function range(length: number, first: number, step: number, size: number): Int32Array {
  const positions = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const at = first + i * step;
    positions[i] = at >= 0 && at < size ? at : -1;
  }
  return positions;
}

/** Left and right change places. torchvision: hflip. */
export function horizontalFlip<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
): Image<D, C, H, W> {
  checkImage('horizontalFlip', image);
  const [, height, width] = image.shape;
  const flipped = gather(image, range(height, 0, 1, height), range(width, width - 1, -1, width));
  return flipped as Image<D, C, H, W>;
}

/** Top and bottom change places. torchvision: vflip. */
export function verticalFlip<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
): Image<D, C, H, W> {
  checkImage('verticalFlip', image);
  const [, height, width] = image.shape;
  const flipped = gather(image, range(height, height - 1, -1, height), range(width, 0, 1, width));
  return flipped as Image<D, C, H, W>;
}

/** Turned by quarters of a circle, counter-clockwise; a copy for 0. */
export function quarterTurns<D extends Pixels, C extends number>(image: Image<D, C>, turns: number): Image<D, C> {
  checkImage('quarterTurns', image);
  checkWhole('quarterTurns', 'turns', turns, -Infinity);
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const quarter = ((turns % 4) + 4) % 4;
  if (quarter === 0) return { data: data.slice() as D, shape };
  if (quarter === 2) return horizontalFlip(verticalFlip(image));
  const out = allocate(data, data.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const row = quarter === 1 ? width - 1 - j : j;
        const column = quarter === 1 ? i : height - 1 - i;
        out[(c * width + row) * height + column] = data[(c * height + i) * width + j];
      }
    }
  }
  return { data: out, shape: [channels, width, height] };
}

/** The part of `height` × `width` whose upper left corner is at (top, left); what lies outside the image is `fill`. torchvision: crop. */
export function crop<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  top: number,
  left: number,
  height: H,
  width: W,
  fill: number | readonly number[] = 0,
): Image<D, C, H, W> {
  checkImage('crop', image);
  checkWhole('crop', 'top', top, -Infinity);
  checkWhole('crop', 'left', left, -Infinity);
  checkFill('crop', 'fill', fill);
  checkSizes('crop', height, width);
  if (!Number.isInteger(top) || !Number.isInteger(left)) {
    throw new ArgumentError(`crop: a corner of (${top}, ${left}). Use whole numbers.`);
  }
  const [, imageHeight, imageWidth] = image.shape;
  const cropped = gather(image, range(height, top, 1, imageHeight), range(width, left, 1, imageWidth), fill);
  return cropped as Image<D, C, H, W>;
}

/** The middle of the image; an image that is too small gets a border of zeros. torchvision: center_crop. */
export function centerCrop<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  size: Size<H, W>,
): Image<D, C, H, W> {
  checkImage('centerCrop', image);
  const [height, width] = sizePair('centerCrop', size);
  return crop(image, middleBegin(image.shape[1], height), middleBegin(image.shape[2], width), height, width);
}

/** Where the middle `size` of `length` begins: halves go to the even number, as Python rounds them; a border's odd pixel goes after. */
export function middleBegin(length: number, size: number): number {
  const free = (length - size) / 2;
  if (free < 0) return -Math.floor(-free);
  const floor = Math.floor(free);
  return free === floor || floor % 2 === 0 ? floor : floor + 1;
}

/** The image with a border. torchvision: pad. Throws if the continued image is smaller than what is asked of it. */
export function pad<D extends Pixels, C extends number>(
  image: Image<D, C>,
  padding: Padding,
  options: PadOptions = {},
): Image<D, C> {
  checkOptions('pad', options, PAD_OPTIONS);
  const { fill = 0, mode = 'constant' } = options;
  checkImage('pad', image);
  checkFill('pad', 'fill', fill);
  const [left, top, right, bottom] = sides(padding);
  const [, height, width] = image.shape;
  return gather(image, positions(height, top, bottom, mode), positions(width, left, right, mode), fill);
}

/** [left, top, right, bottom] of a padding. */
export function sides(padding: Padding): readonly [number, number, number, number] {
  if (typeof padding !== 'number') checkNumbers('pad', 'the padding', padding);
  const list = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  const [left, top, right = left, bottom = top] = list as readonly number[];
  if ([left, top, right, bottom].some((width) => !Number.isInteger(width) || width < 0)) {
    throw new ArgumentError(`pad: a padding of [${list.join(', ')}]. Use whole numbers of at least 0.`);
  }
  return [left, top, right, bottom];
}

/** Positions of an axis of `size` with a border. */
export function positions(size: number, before: number, after: number, mode: PaddingMode): Int32Array {
  const most = { constant: Infinity, edge: Infinity, reflect: size - 1, symmetric: size }[mode];
  if (before > most || after > most) {
    throw new ArgumentError(
      `pad: a ${mode} border of ${Math.max(before, after)} at an axis of ${size}. Use at most ${most}, or mode 'edge'.`,
    );
  }
  const list = range(before + size + after, -before, 1, size);
  if (mode === 'constant') return list;
  for (let i = 0; i < list.length; i++) {
    const at = i - before;
    if (at >= 0 && at < size) continue;
    if (mode === 'edge') list[i] = at < 0 ? 0 : size - 1;
    else if (mode === 'reflect') list[i] = at < 0 ? -at : 2 * size - 2 - at;
    else list[i] = at < 0 ? -1 - at : 2 * size - 1 - at;
  }
  return list;
}

type Crop<D extends Pixels, C extends number, H extends number, W extends number> = Image<D, C, H, W>;

/** Four corners and the middle: upper left, upper right, lower left, lower right, middle. torchvision: five_crop. */
export function fiveCrop<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  size: Size<H, W>,
): [Crop<D, C, H, W>, Crop<D, C, H, W>, Crop<D, C, H, W>, Crop<D, C, H, W>, Crop<D, C, H, W>] {
  checkImage('fiveCrop', image);
  const [height, width] = sizePair('fiveCrop', size);
  const [bottom, right] = [image.shape[1] - height, image.shape[2] - width];
  if (bottom < 0 || right < 0) {
    throw new ArgumentError(
      `fiveCrop: crops of [${height}, ${width}] from an image of [${image.shape[1]}, ${image.shape[2]}]. Use a smaller size.`,
    );
  }
  return [
    crop(image, 0, 0, height, width),
    crop(image, 0, right, height, width),
    crop(image, bottom, 0, height, width),
    crop(image, bottom, right, height, width),
    centerCrop(image, [height, width]),
  ];
}

/** The five crops of the image, and the five of its mirror image. torchvision: ten_crop. */
export function tenCrop<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  size: Size<H, W>,
  options: { readonly vertical?: boolean } = {},
): Crop<D, C, H, W>[] {
  checkOptions('tenCrop', options, { vertical: true });
  const { vertical = false } = options;
  checkImage('tenCrop', image);
  sizePair('tenCrop', size);
  return [...fiveCrop(image, size), ...fiveCrop(vertical ? verticalFlip(image) : horizontalFlip(image), size)];
}
