// The mel scale: pitches as people hear their distances, and spectrograms in it. Two formulas are in use: HTK's logarithm, and Slaney's, which
// is linear up to 1000 Hz.

import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  type FloatDType,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkFloatDType, spectraOf } from './check.js';
import {
  type AudioLibrary,
  type SpectrogramOptions,
  LIBRARIES,
  SPECTROGRAM_NAMES,
  spectrogramOf,
} from './spectrogram.js';

/** HTK's formula, 2595 · log₁₀(1 + f/700), or Slaney's, linear below 1000 Hz and logarithmic above. */
export type MelScale = 'htk' | 'slaney';

const SCALES: readonly MelScale[] = ['htk', 'slaney'];
/** Slaney's: 3 mels are 200 Hz up to 1000 Hz; 27 mels further the frequency is 6.4 times as high. */
const SLANEY = { linear: 200 / 3, corner: 1000, step: Math.log(6.4) / 27 } as const;

function checkScale(op: string, scale: MelScale): void {
  checkChoice(op, 'melScale', scale, SCALES);
}

/** A frequency in hertz as mels. librosa: hz_to_mel. */
export function hzToMel(hertz: number, melScale: MelScale = 'htk'): number {
  checkNumber('hzToMel', 'the frequency', hertz);
  checkScale('hzToMel', melScale);
  return toMel(hertz, melScale);
}

/** Mels as a frequency in hertz. librosa: mel_to_hz. */
export function melToHz(mels: number, melScale: MelScale = 'htk'): number {
  checkNumber('melToHz', 'the mels', mels);
  checkScale('melToHz', melScale);
  return toHz(mels, melScale);
}

function toMel(hertz: number, scale: MelScale): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + hertz / 700);
  const { linear, corner, step } = SLANEY;
  return hertz < corner ? hertz / linear : corner / linear + Math.log(hertz / corner) / step;
}

function toHz(mels: number, scale: MelScale): number {
  if (scale === 'htk') return 700 * (10 ** (mels / 2595) - 1);
  const { linear, corner, step } = SLANEY;
  return mels < corner / linear ? mels * linear : corner * Math.exp(step * (mels - corner / linear));
}

export interface MelFilterOptions {
  /** The lowest frequency, in hertz. Default 0. */
  readonly fMin?: number;
  /** The highest one. Default: half the sample rate. */
  readonly fMax?: number;
  /** 'slaney': each filter's area is the same; null: each one's height is 1. Default null. */
  readonly norm?: 'slaney' | null;
  /** Default 'htk'. */
  readonly melScale?: MelScale;
  /** Default 'float32'. */
  readonly dtype?: FloatDType;
}

const FILTER_NAMES: OptionNames<MelFilterOptions> = { fMin: true, fMax: true, norm: true, melScale: true, dtype: true };

/**
 * Triangular filters, evenly spaced on the mel scale: [nFreqs, nMels], a column for each of them over the frequencies of a spectrogram (0 to
 * half the sample rate). torchaudio: functional.melscale_fbanks; transposed, with norm and melScale 'slaney', librosa.filters.mel.
 *
 *     melFilterbank(201, 80, 16000)   // for spectrograms with nFft 400
 */
export function melFilterbank(
  nFreqs: number,
  nMels: number,
  sampleRate: number,
  options: MelFilterOptions = {},
): Tensor<[number, number]> {
  checkOptions('melFilterbank', options, FILTER_NAMES);
  return filterbankOf('melFilterbank', nFreqs, nMels, sampleRate, options);
}

function filterbankOf(
  op: string,
  nFreqs: number,
  nMels: number,
  sampleRate: number,
  options: MelFilterOptions,
): Tensor<[number, number]> {
  checkWhole(op, 'nFreqs', nFreqs, 2);
  checkWhole(op, 'nMels', nMels, 1);
  checkWhole(op, 'sampleRate', sampleRate, 1);
  const { fMin = 0, fMax = sampleRate / 2, norm = null, melScale = 'htk', dtype = 'float32' } = options;
  checkNumber(op, 'fMin', fMin);
  checkNumber(op, 'fMax', fMax);
  checkFloatDType(op, dtype);
  checkScale(op, melScale);
  if (norm !== null) checkChoice(op, 'norm', norm, ['slaney']);
  if (!(fMin >= 0 && fMin < fMax))
    throw new ArgumentError(`${op}: frequencies from ${fMin} to ${fMax}. fMin has to be at least 0, and below fMax.`);
  const [low, high] = [toMel(fMin, melScale), toMel(fMax, melScale)];
  const corners = Array.from({ length: nMels + 2 }, (_, i) => toHz(low + ((high - low) * i) / (nMels + 1), melScale));
  const weights = new Float64Array(nFreqs * nMels);
  for (let m = 0; m < nMels; m++) {
    const [left, top, right] = corners.slice(m, m + 3);
    const height = norm === 'slaney' ? 2 / (right - left) : 1;
    for (let f = 0; f < nFreqs; f++) {
      const hertz = (f * sampleRate) / 2 / (nFreqs - 1);
      const side = Math.min((hertz - left) / (top - left), (right - hertz) / (right - top));
      weights[f * nMels + m] = Math.max(0, side) * height;
    }
  }
  return tensor(weights, { shape: [nFreqs, nMels], dtype }) as Tensor<[number, number]>;
}

export interface MelOptions extends Omit<SpectrogramOptions, 'onesided'>, Omit<MelFilterOptions, 'dtype'> {
  /** How many filters. Default 128. */
  readonly nMels?: number;
  /** What magnitudes are raised to. Default 2. */
  readonly power?: number;
}

const { onesided: _, ...SPECTRA } = SPECTROGRAM_NAMES;
const { dtype: _dtype, ...FILTERS } = FILTER_NAMES;
export const MEL_NAMES: OptionNames<MelOptions> = { ...SPECTRA, ...FILTERS, nMels: true };

/** The defaults of a library where something is left out. */
function melDefaults(like: AudioLibrary): MelOptions {
  // librosa's hop does not follow from the window here
  return like === 'librosa' ? { norm: 'slaney', melScale: 'slaney', hopLength: 512 } : {};
}

/** As `melSpectrogram`, for calls of other names. */
export function melSpectrogramOf(op: string, x: AnyTensor, sampleRate: number, options: MelOptions): Tensor {
  const { like = 'torchaudio' } = options;
  checkWhole(op, 'sampleRate', sampleRate, 1);
  checkChoice(op, 'like', like, LIBRARIES);
  const { nMels = 128, fMin, fMax, norm, melScale, ...spectra } = { ...melDefaults(like), ...options };
  // MelOptions have no null; SpectrogramOptions do, and JavaScript may say it here.
  if (Object.is(spectra.power, null)) throw new ArgumentError(`${op}: power is null. Use a number above 0.`);
  const powers = spectrogramOf(op, x, spectra);
  const bands = { ...(fMin !== undefined && { fMin }), ...(fMax !== undefined && { fMax }) };
  const shapes = { ...(norm !== undefined && { norm }), ...(melScale !== undefined && { melScale }) };
  const filters: Tensor = filterbankOf(op, powers.shape[powers.rank - 2], nMels, sampleRate, {
    ...bands,
    ...shapes,
    dtype: powers.dtype,
  });
  return filters.transpose(0, 1).matmul(powers);
}

/**
 * How strong each band of the mel scale is in each piece of a signal: [..., time] → [..., nMels, pieces]. Defaults are torchaudio's (nFft 400,
 * HTK's scale); `like: 'librosa'` has librosa's (nFft 2048, hopLength 512, Slaney's scale and norm, zeros around). Logarithms are another
 * step: `powerToDb`. torchaudio: transforms.MelSpectrogram; librosa: feature.melspectrogram.
 *
 *     melSpectrogram(waveform, 16000, { nMels: 80 })   // [1, 16000] → [1, 80, 81]
 */
export function melSpectrogram(x: AnyTensor, sampleRate: number, options: MelOptions = {}): Tensor<number[]> {
  checkOptions('melSpectrogram', options, MEL_NAMES);
  return melSpectrogramOf('melSpectrogram', x, sampleRate, options);
}

/**
 * A spectrogram [..., nFreqs, time] in bands of the mel scale, by filters [nFreqs, nMels] of `melFilterbank` → [..., nMels, time].
 * torchaudio: transforms.MelScale.
 */
export function toMelScale(x: AnyTensor, filters: AnyTensor): Tensor<number[]> {
  const op = 'toMelScale';
  const given = spectraOf(op, x);
  const bank = spectraOf(op, filters, 'the filters');
  if (bank.rank !== 2 || bank.shape[0] !== given.shape[given.rank - 2])
    throw new ShapeError(
      `${op}: filters ${formatShape(bank.shape)} for a spectrogram ${formatShape(given.shape)}: need [${given.shape[given.rank - 2]}, nMels]`,
      [bank.shape, given.shape],
    );
  return bank.transpose(0, 1).matmul(given);
}
