// Powers and amplitudes as decibels, and back. torchaudio: functional.amplitude_to_DB, DB_to_amplitude; librosa: power_to_db, amplitude_to_db.

import { ArgumentError, type OptionNames, checkGiven, checkNumber, checkOptions } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { signalOf } from './check.js';

export interface DecibelOptions {
  /** What 0 dB is: a number, or 'max', the largest value (of each item of a batch). Default 1. */
  readonly ref?: number | 'max';
  /** Values are at least this. Default 1e-10 of powers, 1e-5 of amplitudes. */
  readonly amin?: number;
  /** Nothing is further below the largest value (of each item of a batch) than this. Default: no limit; librosa has 80. */
  readonly topDb?: number;
}

const OPTIONS: OptionNames<DecibelOptions> = { ref: true, amin: true, topDb: true };

/**
 * The largest value of each item: dimensions before the last three are a batch, those before the last two channels, whose largest value is
 * one, as torchaudio has it. Without four dimensions all is one item.
 */
function largestOf(x: Tensor): Tensor {
  const dims = Array.from({ length: Math.min(x.rank, 3) }, (_, i) => x.rank - 1 - i);
  return x.amax(dims, { keepdim: true });
}

function decibels(op: string, x: AnyTensor, options: DecibelOptions, factor: number, least: number): Tensor {
  const given = signalOf(op, x);
  checkOptions(op, options, OPTIONS);
  const { ref = 1, amin = least, topDb } = options;
  checkGiven(checkNumber, op, { amin, topDb });
  if (!(amin > 0)) throw new ArgumentError(`${op}: amin is ${amin}. Use a number above 0.`);
  if (topDb !== undefined && topDb < 0)
    throw new ArgumentError(`${op}: topDb is ${topDb}. Use a number of at least 0.`);
  if (ref !== 'max') checkNumber(op, 'ref', ref);
  const logOf = (t: Tensor): Tensor => t.clamp(amin, Infinity).log10().mul(factor);
  const levels: Tensor = logOf(given);
  const level: Tensor =
    ref === 'max'
      ? levels.sub(logOf(largestOf(given.abs())))
      : levels.sub(factor * Math.log10(Math.max(amin, Math.abs(ref))));
  return topDb === undefined ? level : level.maximum(largestOf(level).sub(topDb));
}

/**
 * 10 · log₁₀(power / ref) of powers [...], as spectrograms with power 2 are. torchaudio: transforms.AmplitudeToDB('power'); librosa:
 * power_to_db, with topDb 80.
 */
export function powerToDb(x: AnyTensor, options: DecibelOptions = {}): Tensor<number[]> {
  return decibels('powerToDb', x, options, 10, 1e-10);
}

/**
 * 20 · log₁₀(amplitude / ref) of amplitudes [...], as spectrograms with power 1 are. torchaudio: transforms.AmplitudeToDB('magnitude');
 * librosa: amplitude_to_db, with topDb 80.
 */
export function amplitudeToDb(x: AnyTensor, options: DecibelOptions = {}): Tensor<number[]> {
  return decibels('amplitudeToDb', x, options, 20, 1e-5);
}

function undone(op: string, x: AnyTensor, ref: number, factor: number): Tensor {
  const given = signalOf(op, x);
  checkNumber(op, 'ref', ref);
  return given
    .mul(Math.LN10 / factor)
    .exp()
    .mul(ref);
}

/** ref · 10^(dB / 10). librosa: db_to_power. */
export function dbToPower(x: AnyTensor, ref = 1): Tensor<number[]> {
  return undone('dbToPower', x, ref, 10);
}

/** ref · 10^(dB / 20). librosa: db_to_amplitude. */
export function dbToAmplitude(x: AnyTensor, ref = 1): Tensor<number[]> {
  return undone('dbToAmplitude', x, ref, 20);
}
