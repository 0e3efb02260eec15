// Image filters: each pixel becomes a weighted sum of its neighbours. The kernels that the course shows, a filter for any
// kernel, and the two that augmentation uses: Gaussian blur and sharpness.
//   As in convolutional networks the kernel is not mirrored: out(i, j) = Σ kernel(a, b) · image(i + a, j + b).
// Must not know: random numbers.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  ShapeError,
  checkList,
  checkNumber,
  checkNumbers,
} from '../../../tensor/library.js';
import {
  type Image,
  type Pixels,
  allocate,
  brightest,
  checkColors,
  checkImage,
  checkRange,
  roundEven,
} from '../image.js';
import { type PaddingMode, pad, positions } from './gather.js';
import { clamp } from './tone.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

const { fround } = Math;

/** Rows of equal length. */
export type Kernel = readonly (readonly number[])[];

const scaled = (factor: number, kernel: Kernel): Kernel => kernel.map((row) => row.map((value) => value * factor));

/** The filters of the lecture on convolutions. `sobel` and `scharr` answer to vertical edges; `transposeKernel` gives the others. */
export const kernels = {
  /** 8 in the middle, −1 around: what differs from its neighbours. */
  edge: [
    [-1, -1, -1],
    [-1, 8, -1],
    [-1, -1, -1],
  ],
  /** The mean of nine. */
  box: scaled(1 / 9, [
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ]),
  sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  /** The binomial approximation of a Gaussian. */
  gaussian: scaled(1 / 16, [
    [1, 2, 1],
    [2, 4, 2],
    [1, 2, 1],
  ]),
  sobel: [
    [1, 0, -1],
    [2, 0, -2],
    [1, 0, -1],
  ],
  scharr: [
    [3, 0, -3],
    [10, 0, -10],
    [3, 0, -3],
  ],
} as const satisfies Record<string, Kernel>;

/** Rows become columns: a filter for vertical edges becomes one for horizontal edges. */
export function transposeKernel(kernel: Kernel): Kernel {
  return kernel[0].map((_, j) => kernel.map((row) => row[j]));
}

/** A kernel of `size` × `size` that adds up to 1, with the standard deviation `sigma` in pixels. */
export function gaussianKernel(size: number, sigma: number): Kernel {
  const weights = gaussianWeights(size, sigma);
  return Array.from(weights, (a) => Array.from(weights, (b) => a * b));
}

export interface FilterOptions {
  /** `valid`: only where the whole kernel fits, so the result is smaller; else how the image goes on outside. Default 'constant', zeros. */
  readonly padding?: PaddingMode | 'valid';
}

const FILTER_OPTIONS: OptionNames<FilterOptions> = { padding: true };

/**
 * Every channel filtered. The result is not cut to the range of an image: an edge filter gives negative numbers.
 *
 *     filter2d(image, kernels.sobel, { padding: 'valid' })
 */
export function filter2d<C extends number>(
  image: Image<Pixels, C>,
  kernel: Kernel,
  options: FilterOptions = {},
): Image<Float32Array, C> {
  checkOptions('filter2d', options, FILTER_OPTIONS);
  const { padding = 'constant' } = options;
  checkImage('filter2d', image);
  checkList('filter2d', 'the kernel', kernel, 'rows of numbers');
  for (const row of kernel) checkNumbers('filter2d', 'a row of the kernel', row);
  const [rows, columns] = [kernel.length, kernel[0]?.length ?? 0];
  if (rows === 0 || columns === 0 || kernel.some((row) => row.length !== columns)) {
    throw new ShapeError(
      'filter2d: the kernel has no rows, or rows of different lengths. Give a rectangle of numbers.',
    );
  }
  const [up, left] = [(rows - 1) >> 1, (columns - 1) >> 1];
  const padded =
    padding === 'valid' ? image : pad(image, [left, up, columns - 1 - left, rows - 1 - up], { mode: padding });
  const { data, shape } = padded;
  const [channels, height, width] = shape;
  const [outHeight, outWidth] = [height - rows + 1, width - columns + 1];
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(
      `filter2d: a kernel of ${rows} × ${columns} does not fit into ${height} × ${width}. Use a smaller one, or another padding.`,
      [shape],
    );
  }
  const out = new Float32Array(channels * outHeight * outWidth);
  const flat = Float64Array.from(kernel.flat());
  const offsets = Int32Array.from(flat, (_, k) => Math.floor(k / columns) * width + (k % columns));
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const from = (c * height + i) * width + j;
        let sum = 0;
        for (let k = 0; k < flat.length; k++) sum += flat[k] * data[from + offsets[k]];
        out[at++] = sum;
      }
    }
  }
  return { data: out, shape: [channels, outHeight, outWidth] };
}

function gaussianWeights(size: number, sigma: number): Float64Array {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new ArgumentError(`gaussianBlur: a kernel of ${size}. Use an odd whole number.`);
  }
  checkNumber('gaussianBlur', 'sigma', sigma);
  if (!(sigma > 0)) throw new ArgumentError(`gaussianBlur: sigma is ${sigma}. Use a number above 0.`);
  const weights = Float64Array.from({ length: size }, (_, i) => Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Blurred by a Gaussian of `kernelSize` (odd) pixels, the image mirrored at its edges. `sigma` is 0.15 · size + 0.35 unless
 * given. torchvision: gaussian_blur. Throws if the image is too small to be mirrored.
 */
export function gaussianBlur<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  kernelSize: number,
  sigma: number = kernelSize * 0.15 + 0.35,
): Image<D, C, H, W> {
  checkImage('gaussianBlur', image);
  const weights = gaussianWeights(kernelSize, sigma);
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const half = kernelSize >> 1;
  const columns = positions(width, half, half, 'reflect');
  const rows = positions(height, half, half, 'reflect');
  const across = new Float64Array(data.length);
  const out = allocate(data, data.length);
  const isBytes = isUint8Array(data);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let i = 0; i < height; i++) {
      const from = (c * height + i) * width;
      for (let j = 0; j < width; j++, at++) {
        let sum = 0;
        for (let k = 0; k < kernelSize; k++) sum += weights[k] * data[from + columns[j + k]];
        across[at] = sum;
      }
    }
  }
  for (let c = 0, at = 0; c < channels; c++) {
    const from = c * height * width;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++, at++) {
        let sum = 0;
        for (let k = 0; k < kernelSize; k++) sum += weights[k] * across[from + rows[i + k] * width + j];
        out[at] = isBytes ? roundEven(sum) : sum;
      }
    }
  }
  return { data: out, shape };
}

/** Blurred (factor below 1) or sharpened (above 1), the outermost pixels excepted. torchvision: adjust_sharpness. */
export function adjustSharpness<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  factor: number,
): Image<D, C, H, W> {
  checkColors('adjustSharpness', image);
  checkRange('adjustSharpness', 'factor', factor, 0);
  const { data, shape } = image;
  const [channels, height, width] = shape;
  if (height <= 2 || width <= 2) return image;
  const isBytes = isUint8Array(data);
  const bound = brightest(data);
  const share = fround(1 - factor);
  const out = data.slice() as D;
  for (let c = 0; c < channels; c++) {
    for (let i = 1; i < height - 1; i++) {
      for (let j = 1; j < width - 1; j++) {
        const at = (c * height + i) * width + j;
        const own = data[at];
        const above = data[at - width - 1] + data[at - width] + data[at - width + 1];
        const below = data[at + width - 1] + data[at + width] + data[at + width + 1];
        const smooth = (above + data[at - 1] + 5 * own + data[at + 1] + below) / 13;
        const goal = isBytes ? Math.round(smooth) : smooth; // thirteenths are never halves
        out[at] = clamp(fround(own + share * (goal - own)), bound);
      }
    }
  }
  if (!isBytes) for (let i = 0; i < out.length; i++) out[i] = clamp(out[i], bound);
  return { data: out, shape };
}
