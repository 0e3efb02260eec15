// The frequencies that belong to the results of Fourier transforms, and their order. Names are those of torch.fft.

import { checkList, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import type { DType, FloatDType } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, normalizeDims } from '../engine/ir/shape.js';
import { tensor } from '../tensor/creation.js';
import { realDType } from '../tensor/operands.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

export interface FrequencyOptions<D extends FloatDType = FloatDType> {
  /** The distance of the samples. Default 1. */
  readonly d?: number;
  readonly dtype?: D;
}

const FREQUENCY_OPTIONS: OptionNames<FrequencyOptions> = { d: true, dtype: true };

function frequencies<D extends FloatDType>(
  op: string,
  n: number,
  options: FrequencyOptions<D>,
  cycles: () => readonly number[],
): Tensor<number[], D> {
  checkWhole(op, 'n', n, 1);
  checkOptions(op, options, FREQUENCY_OPTIONS);
  const { d = 1 } = options;
  const dtype = realDType(options.dtype, op) as D; // the default one where D is not given
  checkNumber(op, 'd', d);
  if (d === 0) throw new ArgumentError(`${op}: d is 0. Use another number.`);
  const values = Float64Array.from(cycles(), (k) => k / (n * d));
  return tensor(values, { shape: [values.length], dtype });
}

/** The frequencies of fft's results for n samples: 0, 1, … ⌈n/2⌉ − 1, −⌊n/2⌋, … −1, divided by n·d. PyTorch: torch.fft.fftfreq. */
export function fftfreq<D extends FloatDType = 'float32'>(
  n: number,
  options: FrequencyOptions<D> = {},
): Tensor<number[], NoInfer<D>> {
  const half = Math.ceil(n / 2);
  return frequencies('fftfreq', n, options, () => Array.from({ length: n }, (_, i) => (i < half ? i : i - n)));
}

/** The frequencies of rfft's results for n samples: 0, 1, … ⌊n/2⌋, divided by n·d. PyTorch: torch.fft.rfftfreq. */
export function rfftfreq<D extends FloatDType = 'float32'>(
  n: number,
  options: FrequencyOptions<D> = {},
): Tensor<number[], NoInfer<D>> {
  return frequencies('rfftfreq', n, options, () => Array.from({ length: Math.floor(n / 2) + 1 }, (_, i) => i));
}

function shifted<S extends Shape, D extends DType>(
  op: string,
  x: Tensor<S, D>,
  dim: number | readonly number[] | undefined,
  by: (n: number) => number,
): Tensor<S, D> {
  checkTensor(x, op, 'the input');
  if (dim !== undefined && typeof dim !== 'number') checkList(op, 'dim', dim, 'dimensions');
  const { shape } = x as { readonly shape: readonly number[] };
  return normalizeDims(dim, shape.length, op).reduce((y, axis) => y.roll(by(shape[axis]), axis), x);
}

/**
 * The results of fft in the order of their frequencies, 0 in the middle, along `dim` (all dimensions by default). Dimensions are those of
 * the tensor: of complex pairs name the ones that are meant. PyTorch: torch.fft.fftshift.
 */
export function fftshift<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim?: number | readonly number[],
): Tensor<S, D> {
  return shifted('fftshift', x, dim, (n) => Math.floor(n / 2));
}

/** The inverse of fftshift. PyTorch: torch.fft.ifftshift. */
export function ifftshift<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim?: number | readonly number[],
): Tensor<S, D> {
  return shifted('ifftshift', x, dim, (n) => Math.ceil(n / 2));
}
