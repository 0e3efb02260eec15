// Mel-frequency cepstral coefficients: a cosine transform of the logarithms of a mel spectrogram (Davis and Mermelstein 1980); and how
// features change with time.

import { pad } from '../functions/padding.js';
import { conv1d } from '../tensor/convolution.js';
import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  type FloatDType,
  type OptionNames,
  checkChoice,
  checkNumber,
  checkOptions,
  checkWhole,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkFloatDType, overBatch, spectraOf } from './check.js';
import { powerToDb } from './decibels.js';
import { MEL_NAMES, type MelOptions, melSpectrogramOf } from './mel.js';

export interface MfccOptions extends MelOptions {
  /** How many coefficients. Default 40; 20 like librosa. */
  readonly nMfcc?: number;
  /** 'ortho' makes the cosine transform keep lengths; null is twice the plain sum. Default 'ortho'. */
  readonly dctNorm?: 'ortho' | null;
  /** Natural logarithms, of the powers plus 10⁻⁶, and not decibels down to 80 below the largest. Default false. */
  readonly logMels?: boolean;
  /** Makes the later coefficients larger: c(n) · (1 + L/2 · sin(π(n + 1)/L)). Default 0: not. */
  readonly lifter?: number;
}

const OPTIONS: OptionNames<MfccOptions> = { ...MEL_NAMES, nMfcc: true, dctNorm: true, logMels: true, lifter: true };

/**
 * The cosine transform of type II as a matrix [n, nMfcc]: a column is a cosine over the n inputs. torchaudio: functional.create_dct.
 */
export function dctMatrix(
  nMfcc: number,
  n: number,
  norm: 'ortho' | null = 'ortho',
  options: { readonly dtype?: FloatDType } = {},
): Tensor<[number, number]> {
  const op = 'dctMatrix';
  checkWhole(op, 'nMfcc', nMfcc, 1);
  checkWhole(op, 'n', n, 1);
  if (norm !== null) checkChoice(op, 'norm', norm, ['ortho']);
  checkOptions(op, options, { dtype: true });
  const { dtype = 'float32' } = options;
  checkFloatDType(op, dtype);
  const scale = norm === null ? () => 2 : (k: number) => Math.sqrt((k === 0 ? 1 : 2) / n);
  const weights = Float64Array.from(
    { length: n * nMfcc },
    (_, at) => scale(at % nMfcc) * Math.cos((Math.PI / n) * (Math.floor(at / nMfcc) + 0.5) * (at % nMfcc)),
  );
  return tensor(weights, { shape: [n, nMfcc], dtype }) as Tensor<[number, number]>;
}

/**
 * Mel-frequency cepstral coefficients of a signal: [..., time] → [..., nMfcc, pieces]. Options are those of `melSpectrogram`, and those of the
 * cosine transform behind it. torchaudio: transforms.MFCC; with `like: 'librosa'`, librosa: feature.mfcc.
 *
 *     mfcc(waveform, 16000, { nMfcc: 13, nMels: 40 })   // [1, 16000] → [1, 13, 81]
 */
export function mfcc(x: AnyTensor, sampleRate: number, options: MfccOptions = {}): Tensor<number[]> {
  const op = 'mfcc';
  checkOptions(op, options, OPTIONS);
  const { nMfcc: given, dctNorm = 'ortho', logMels = false, lifter = 0, ...mel } = options;
  const nMfcc = given ?? (mel.like === 'librosa' ? 20 : 40);
  checkWhole(op, 'nMfcc', nMfcc, 1);
  checkNumber(op, 'lifter', lifter);
  if (lifter < 0) throw new ArgumentError(`${op}: lifter is ${lifter}. Use a number of at least 0.`);
  const powers = melSpectrogramOf(op, x, sampleRate, mel);
  const bands = powers.shape[powers.rank - 2];
  if (nMfcc > bands) throw new ArgumentError(`${op}: ${nMfcc} coefficients of ${bands} mels. Use at most as many.`);
  const levels: Tensor = logMels ? powers.add(1e-6).log() : powerToDb(powers, { topDb: 80 });
  const cosines: Tensor = dctMatrix(nMfcc, bands, dctNorm, { dtype: powers.dtype });
  const found: Tensor = cosines.transpose(0, 1).matmul(levels);
  if (lifter === 0) return found;
  const lifts = Float64Array.from(
    { length: nMfcc },
    (_, i) => 1 + (lifter / 2) * Math.sin((Math.PI * (i + 1)) / lifter),
  );
  return found.mul(tensor(lifts, { shape: [nMfcc, 1], dtype: powers.dtype }));
}

export interface DeltaOptions {
  /** How many pieces the slope is fitted to, an odd number. Default 5. */
  readonly winLength?: number;
}

/**
 * How features [..., features, time] change with time: the slope of a line through `winLength` pieces, of the same shape; the first and the
 * last piece are continued. torchaudio: functional.compute_deltas.
 */
export function deltas(x: AnyTensor, options: DeltaOptions = {}): Tensor<number[]> {
  const op = 'deltas';
  const given = spectraOf(op, x, 'the features');
  checkOptions(op, options, { winLength: true });
  const { winLength = 5 } = options;
  checkWhole(op, 'winLength', winLength, 3);
  if (winLength % 2 === 0) throw new ArgumentError(`${op}: winLength is ${winLength}. Use an odd number.`);
  const n = (winLength - 1) / 2;
  const denominator = (n * (n + 1) * (2 * n + 1)) / 3;
  const slopes = Float64Array.from({ length: winLength }, (_, i) => (i - n) / denominator);
  const kernel: Tensor = tensor(slopes, { shape: [1, 1, winLength], dtype: given.dtype });
  return overBatch(given, 1, (rows): Tensor => {
    const around: Tensor = pad(rows.unsqueeze(1), [[n, n]], { mode: 'replicate' });
    return conv1d<number[], number[]>(around, kernel).squeeze(1);
  });
}
