// Another size: nearest pixel, or weighted means of neighbours (bilinear, bicubic), first along rows, then along columns.
// Both passes round to the type of the image, as Pillow and PyTorch do for bytes.
// Must not know: random numbers.

import { type OptionNames, checkOptions, checkChoice } from '../../../tensor/library.js';
import { type Image, type Pixels, allocate, checkImage, checkSizePair, checkSizes } from '../image.js';
import { crop, gather } from './gather.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic';

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
 * The image in the size [height, width], or with its shorter side made `size`. torchvision: resize.
 */
export function resize<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C>,
  size: number | readonly [H, W],
  options: ResizeOptions = {},
): Image<D, C, H, W> {
  checkOptions('resize', options, RESIZE_OPTIONS);
  const { interpolation = 'bilinear', antialias = true } = options;
  checkImage('resize', image);
  checkChoice('resize', 'interpolation', interpolation, ['nearest', 'bilinear', 'bicubic']);
  const [, oldHeight, oldWidth] = image.shape;
  const [height, width] = outputSize(size, oldHeight, oldWidth);
  if (height === oldHeight && width === oldWidth) return image as Image<D, C, H, W>;
  if (interpolation === 'nearest') {
    return gather(image, nearest(oldHeight, height), nearest(oldWidth, width)) as Image<D, C, H, W>;
  }
  const wide = width === oldWidth ? image : resample(image, taps(oldWidth, width, interpolation, antialias), 'rows');
  const done =
    height === oldHeight ? wide : resample(wide, taps(oldHeight, height, interpolation, antialias), 'columns');
  return done as Image<D, C, H, W>;
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

function outputSize(size: number | readonly number[], height: number, width: number): readonly number[] {
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

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Keys' cubic. */
function cubic(x: number, a: number): number {
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

function taps(size: number, outSize: number, interpolation: 'bilinear' | 'bicubic', antialias: boolean): Taps {
  // −0.5 where it averages, as Pillow, −0.75 where it interpolates, as OpenCV: PyTorch has both
  const kernel = interpolation === 'bilinear' ? triangle : (x: number) => cubic(x, antialias ? -0.5 : -0.75);
  const scale = size / outSize;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const reach = (interpolation === 'bilinear' ? 1 : 2) * stretch;
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
      const weight = kernel((j - center + 0.5) / stretch);
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
