// Another size: nearest pixel, or weighted means of neighbours, first along rows, then along columns. Both passes round to the type of
// the image. Bytes that are averaged have Pillow's numbers: weights in fixed point, of 22 bits behind the point.
// Must not know: random numbers.

import { ArgumentError, type OptionNames, checkOptions, checkChoice } from '../../../tensor/library.js';
import { type Image, type Pixels, allocate, checkImage, checkSizePair, checkSizes } from '../image.js';
import { crop, gather } from './gather.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

export const INTERPOLATIONS = ['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'lanczos', 'box', 'hamming'] as const;

/**
 * 'nearest' is PyTorch's, from the upper left corners of pixels, 'nearest-exact' Pillow's, from their centres. The last three are Pillow's
 * and always average.
 */
export type Interpolation = (typeof INTERPOLATIONS)[number];

export interface ResizeOptions {
  /** Default 'bilinear'. */
  readonly interpolation?: Interpolation;
  /** Average over all pixels that a smaller image's pixel stands for, instead of its neighbours alone. Default true. */
  readonly antialias?: boolean;
}

export const RESIZE_OPTIONS: OptionNames<ResizeOptions> = { interpolation: true, antialias: true };

/** For each position of the result, the first position that it is made of and the weights of those from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `width` weights for each position. */
  readonly weights: Float64Array;
  readonly width: number;
}

/**
 * The image in the size [height, width], or with its shorter side made `size`. Bytes that are averaged (`antialias`) are Pillow's to the
 * last one. torchvision: resize.
 */
export function resize<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  size: number | readonly [H, W],
  options: ResizeOptions = {},
): Image<D, C, H, W> {
  checkOptions('resize', options, RESIZE_OPTIONS);
  const { interpolation = 'bilinear', antialias = true } = options;
  checkImage('resize', image);
  checkChoice('resize', 'interpolation', interpolation, INTERPOLATIONS);
  const [, oldHeight, oldWidth] = image.shape;
  const [height, width] = outputSize(size, oldHeight, oldWidth);
  if (height === oldHeight && width === oldWidth) return image as Image<D, C, H, W>;
  if (interpolation === 'nearest' || interpolation === 'nearest-exact') {
    const positions = interpolation === 'nearest' ? nearest : nearestCentre;
    return gather(image, positions(oldHeight, height), positions(oldWidth, width)) as Image<D, C, H, W>;
  }
  if (!antialias && interpolation !== 'bilinear' && interpolation !== 'bicubic')
    throw new ArgumentError(`resize: '${interpolation}' always averages. Leave antialias out, or use 'bicubic'.`);
  const along = (from: Image<D, C>, axis: 'rows' | 'columns', oldSize: number, newSize: number): Image<D, C> => {
    if (oldSize === newSize) return from;
    const found = taps(oldSize, newSize, interpolation, antialias);
    return antialias && isUint8Array(from.data) ? averageBytes(from, found, axis) : resample(from, found, axis);
  };
  const wide = along(image, 'rows', oldWidth, width);
  return along(wide, 'columns', oldHeight, height) as Image<D, C, H, W>;
}

/** A part of the image, resized. torchvision: resized_crop. */
export function resizedCrop<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  box: { readonly top: number; readonly left: number; readonly height: number; readonly width: number },
  size: readonly [H, W],
  options: ResizeOptions = {},
): Image<D, C, H, W> {
  return resize(crop(image, box.top, box.left, box.height, box.width), size, options);
}

/** Height and width of an image that is resized. */
export function outputSize(size: number | readonly number[], height: number, width: number): readonly number[] {
  if (typeof size !== 'number') {
    checkSizePair('resize', size);
    return size;
  }
  checkSizes('resize', size);
  const long = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  return height <= width ? [size, long] : [long, size];
}

function nearest(size: number, outSize: number): Int32Array {
  const scale = Math.fround(size / outSize); // in float32, as PyTorch: the positions are then the same
  return Int32Array.from({ length: outSize }, (_, i) => Math.min(Math.floor(Math.fround(i * scale)), size - 1));
}

/** As Pillow walks: the sum of the steps, and not their product. */
function nearestCentre(size: number, outSize: number): Int32Array {
  const positions = new Int32Array(outSize);
  const step = size / outSize;
  let at = step * 0.5;
  for (let i = 0; i < outSize; i++, at += step) positions[i] = Math.min(Math.trunc(at), size - 1);
  return positions;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

interface Filter {
  /** Beyond this distance it is 0. */
  readonly reach: number;
  weigh(x: number): number;
}

type Averaging = Exclude<Interpolation, 'nearest' | 'nearest-exact'>;

const FILTERS: Readonly<Record<Averaging, Filter>> = {
  box: { reach: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, weigh: triangle },
  hamming: {
    reach: 1,
    weigh: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: { reach: 2, weigh: (x) => cubic(x, -0.5) },
  lanczos: { reach: 3, weigh: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
/** −0.75 where it interpolates, as OpenCV, −0.5 where it averages, as Pillow: PyTorch has both. */
const INTERPOLATED_CUBIC: Filter = { reach: 2, weigh: (x) => cubic(x, -0.75) };

/** Keys' cubic. */
function cubic(x: number, a: number): number {
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

function taps(size: number, outSize: number, interpolation: Averaging, antialias: boolean): Taps {
  const filter = interpolation === 'bicubic' && !antialias ? INTERPOLATED_CUBIC : FILTERS[interpolation];
  const scale = size / outSize;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const reach = filter.reach * stretch;
  const shrink = 1 / stretch;
  const width = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Float64Array(outSize * width);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.floor(center - reach + 0.5);
    const high = Math.floor(center + reach + 0.5);
    const from = Math.min(Math.max(low, 0), size - 1);
    const to = Math.max(Math.min(high, size), from + 1);
    first[i] = from;
    count[i] = to - from;
    let sum = 0;
    for (let j = low; j < high; j++) {
      const weight = filter.weigh((j - center + 0.5) * shrink);
      // beyond the edge an average has nothing to take; an interpolation repeats the edge's pixel
      if (antialias && (j < 0 || j >= size)) continue;
      weights[i * width + Math.min(Math.max(j, 0), size - 1) - from] += weight;
      sum += weight;
    }
    for (let k = 0; k < width; k++) weights[i * width + k] /= sum;
  }
  return { first, count, weights, width };
}

function resample<D extends Pixels, C extends number>(
  { data, shape }: Image<D, C>,
  { first, count, weights, width: stride }: Taps,
  axis: 'rows' | 'columns',
): Image<D, C> {
  const [channels, height, width] = shape;
  const outHeight = axis === 'columns' ? first.length : height;
  const outWidth = axis === 'rows' ? first.length : width;
  const step = axis === 'rows' ? 1 : width;
  const out = allocate(data, channels * outHeight * outWidth);
  const isBytes = isUint8Array(data);
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const target = axis === 'rows' ? j : i;
        let from = (c * height + (axis === 'rows' ? i : first[i])) * width + (axis === 'rows' ? first[j] : j);
        let sum = 0;
        for (let k = target * stride, end = k + count[target]; k < end; k++) {
          sum += weights[k] * data[from];
          from += step;
        }
        out[at++] = isBytes ? (sum < 0 ? 0 : sum > 255 ? 255 : sum + 0.5) : sum;
      }
    }
  }
  return { data: out, shape: [channels, outHeight, outWidth] };
}

/** Bits behind the point of a weight: a sum of 255 times weights that add up to 1, some below 0, stays below 2³¹. */
const WEIGHT_BITS = 22;

/** `resample` in Pillow's whole numbers. */
function averageBytes<D extends Pixels, C extends number>(
  { data, shape }: Image<D, C>,
  { first, count, weights: exact, width: stride }: Taps,
  axis: 'rows' | 'columns',
): Image<D, C> {
  const [channels, height, width] = shape;
  const outHeight = axis === 'columns' ? first.length : height;
  const outWidth = axis === 'rows' ? first.length : width;
  const step = axis === 'rows' ? 1 : width;
  const weights = Int32Array.from(exact, (w) => Math.trunc(w * 2 ** WEIGHT_BITS + (w < 0 ? -0.5 : 0.5)));
  const out = allocate(data, channels * outHeight * outWidth);
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const target = axis === 'rows' ? j : i;
        let from = (c * height + (axis === 'rows' ? i : first[i])) * width + (axis === 'rows' ? first[j] : j);
        let sum = 1 << (WEIGHT_BITS - 1);
        for (let k = target * stride, end = k + count[target]; k < end; k++) {
          sum = (sum + Math.imul(weights[k], data[from])) | 0;
          from += step;
        }
        const level = sum >> WEIGHT_BITS;
        out[at++] = level < 0 ? 0 : level > 255 ? 255 : level;
      }
    }
  }
  return { data: out, shape: [channels, outHeight, outWidth] };
}
