// Window functions: weights of the pieces of a signal, from 0 or a little at both ends to 1 in the middle, computed on the host in
// float64. Those of torch.hann_window and the like are periodic unless asked otherwise; those of torch.signal.windows are symmetric, and
// here all have the option `periodic` with its default.

import { checkList, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import type { FloatDType } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { tensor } from '../tensor/creation.js';
import { realDType } from '../tensor/operands.js';
import type { Tensor } from '../tensor/tensor.js';

export interface WindowOptions<D extends FloatDType = FloatDType> {
  /** Whether the window is the beginning of one that is longer by 1, so that it may be repeated, or is symmetric. */
  readonly periodic?: boolean;
  readonly dtype?: D;
}

const WINDOW_OPTIONS: OptionNames<WindowOptions> = { periodic: true, dtype: true };

/** w(k) for k from 0 to n − 1, of a window whose last place is `last`. A window of 1 is 1. */
function windowOf<D extends FloatDType>(
  op: string,
  n: number,
  options: WindowOptions<D>,
  periodic: boolean,
  w: (k: number, last: number) => number,
): Tensor<[number], D> {
  checkWhole(op, 'n', n);
  const dtype = realDType(options.dtype, op) as D; // the default one where D is not given
  const last = (options.periodic ?? periodic) ? n : n - 1;
  const values = Float64Array.from({ length: n }, (_, k) => (n === 1 ? 1 : w(k, last)));
  return tensor(values, { shape: [n], dtype });
}

/** Σ (−1)ⁱ aᵢ cos(i · 2πk / last) */
function cosines(a: readonly number[]): (k: number, last: number) => number {
  return (k, last) => a.reduce((sum, c, i) => sum + (i % 2 === 0 ? c : -c) * Math.cos((i * 2 * Math.PI * k) / last), 0);
}

/** ½ − ½ cos(2πk/n); periodic by default. PyTorch: torch.hann_window, torch.signal.windows.hann. */
export function hannWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  checkOptions('hannWindow', options, WINDOW_OPTIONS);
  return windowOf('hannWindow', n, options, true, cosines([0.5, 0.5]));
}

export interface HammingOptions<D extends FloatDType = FloatDType> extends WindowOptions<D> {
  /** Default 0.54. */
  readonly alpha?: number;
  /** Default 0.46. */
  readonly beta?: number;
}

/** α − β cos(2πk/n); periodic by default. PyTorch: torch.hamming_window, torch.signal.windows.hamming. */
export function hammingWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: HammingOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'hammingWindow';
  checkOptions(op, options, { ...WINDOW_OPTIONS, alpha: true, beta: true });
  const { alpha = 0.54, beta = 0.46 } = options;
  checkNumber(op, 'alpha', alpha);
  checkNumber(op, 'beta', beta);
  return windowOf(op, n, options, true, cosines([alpha, beta]));
}

/** 0.42 − 0.5 cos(2πk/n) + 0.08 cos(4πk/n); periodic by default. PyTorch: torch.blackman_window, torch.signal.windows.blackman. */
export function blackmanWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  checkOptions('blackmanWindow', options, WINDOW_OPTIONS);
  return windowOf('blackmanWindow', n, options, true, cosines([0.42, 0.5, 0.08]));
}

/** A triangle from 0 to 1 and back; periodic by default. PyTorch: torch.bartlett_window, torch.signal.windows.bartlett. */
export function bartlettWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  checkOptions('bartlettWindow', options, WINDOW_OPTIONS);
  return windowOf('bartlettWindow', n, options, true, (k, last) => 1 - Math.abs((2 * k) / last - 1));
}

/** The modified Bessel function of the first kind, of order 0, by its series, whose terms are all positive. */
export function bessel0(x: number): number {
  let [term, sum] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

export interface KaiserOptions<D extends FloatDType = FloatDType> extends WindowOptions<D> {
  /** The larger, the narrower. Default 12. */
  readonly beta?: number;
}

/** I₀(β√(1 − (2k/n − 1)²)) / I₀(β); periodic by default. PyTorch: torch.kaiser_window, torch.signal.windows.kaiser. */
export function kaiserWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: KaiserOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'kaiserWindow';
  checkOptions(op, options, { ...WINDOW_OPTIONS, beta: true });
  const { beta = 12 } = options;
  checkNumber(op, 'beta', beta);
  if (Math.abs(beta) > 700) throw new ArgumentError(`${op}: beta is ${beta}. Use a number up to 700.`);
  const top = bessel0(beta);
  return windowOf(op, n, options, true, (k, last) => {
    const at = (2 * k) / last - 1;
    return bessel0(beta * Math.sqrt(Math.max(1 - at * at, 0))) / top;
  });
}

/** Half a wave of a sine; symmetric by default. PyTorch: torch.signal.windows.cosine. */
export function cosineWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  checkOptions('cosineWindow', options, WINDOW_OPTIONS);
  return windowOf('cosineWindow', n, options, false, (k, last) => Math.sin((Math.PI * (k + 0.5)) / (last + 1)));
}

export interface ExponentialOptions<D extends FloatDType = FloatDType> extends WindowOptions<D> {
  /** The place of the 1, of a periodic window. Default: the middle. */
  readonly center?: number;
  /** How fast it falls. Default 1. */
  readonly tau?: number;
}

/** e^(−|k − center|/τ); symmetric by default. PyTorch: torch.signal.windows.exponential. */
export function exponentialWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: ExponentialOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'exponentialWindow';
  checkOptions(op, options, { ...WINDOW_OPTIONS, center: true, tau: true });
  const { tau = 1, center, periodic = false } = options;
  checkNumber(op, 'tau', tau);
  if (!(tau > 0)) throw new ArgumentError(`${op}: tau is ${tau}. Use a number above 0.`);
  if (center !== undefined) checkNumber(op, 'center', center);
  if (center !== undefined && !periodic)
    throw new ArgumentError(`${op}: a symmetric window has its center in the middle. Leave it out, or set periodic.`);
  return windowOf(op, n, options, false, (k, last) => Math.exp(-Math.abs(k - (center ?? last / 2)) / tau));
}

export interface GaussianOptions<D extends FloatDType = FloatDType> extends WindowOptions<D> {
  /** The standard deviation. Default 1. */
  readonly std?: number;
}

/** e^(−½(k − middle)²/std²); symmetric by default. PyTorch: torch.signal.windows.gaussian. */
export function gaussianWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: GaussianOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'gaussianWindow';
  checkOptions(op, options, { ...WINDOW_OPTIONS, std: true });
  const { std = 1 } = options;
  checkNumber(op, 'std', std);
  if (!(std > 0)) throw new ArgumentError(`${op}: std is ${std}. Use a number above 0.`);
  return windowOf(op, n, options, false, (k, last) => Math.exp(-0.5 * ((k - last / 2) / std) ** 2));
}

/** Σ (−1)ⁱ aᵢ cos(2πik/n) for coefficients a; symmetric by default. PyTorch: torch.signal.windows.general_cosine. */
export function generalCosineWindow<D extends FloatDType = 'float32'>(
  n: number,
  a: readonly number[],
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'generalCosineWindow';
  checkList(op, 'the coefficients', a, 'numbers');
  if (a.length === 0) throw new ArgumentError(`${op}: no coefficients. Give at least one.`);
  checkOptions(op, options, WINDOW_OPTIONS);
  return windowOf(op, n, options, false, cosines(a));
}

export interface GeneralHammingOptions<D extends FloatDType = FloatDType> extends WindowOptions<D> {
  /** Default 0.54. */
  readonly alpha?: number;
}

/** α − (1 − α) cos(2πk/n); symmetric by default. PyTorch: torch.signal.windows.general_hamming. */
export function generalHammingWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: GeneralHammingOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const op = 'generalHammingWindow';
  checkOptions(op, options, { ...WINDOW_OPTIONS, alpha: true });
  const { alpha = 0.54 } = options;
  checkNumber(op, 'alpha', alpha);
  return windowOf(op, n, options, false, cosines([alpha, 1 - alpha]));
}

/** Four cosines, with little outside of the main lobe (Nuttall 1981); symmetric by default. PyTorch: torch.signal.windows.nuttall. */
export function nuttallWindow<D extends FloatDType = 'float32'>(
  n: number,
  options: WindowOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  checkOptions('nuttallWindow', options, WINDOW_OPTIONS);
  return windowOf('nuttallWindow', n, options, false, cosines([0.3635819, 0.4891775, 0.1365995, 0.0106411]));
}
