// Spectrograms: how strong each frequency is in each of many overlapping pieces of a signal. Options are torchaudio's; `like` chooses
// whose defaults hold where something is left out.

import { complexAbs } from '../functions/complex.js';
import { PAD_MODES, pad as padded, type PadMode } from '../functions/padding.js';
import {
  bartlettWindow,
  blackmanWindow,
  hammingWindow,
  hannWindow,
  kaiserWindow,
} from '../functions/signal-windows.js';
import { stft } from '../functions/spectra.js';
import {
  ArgumentError,
  type FloatDType,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { Tensor, type AnyTensor } from '../tensor/tensor.js';
import { overBatch, signalOf } from './check.js';

const WINDOWS = {
  hann: hannWindow,
  hamming: hammingWindow,
  blackman: blackmanWindow,
  bartlett: bartlettWindow,
  kaiser: kaiserWindow,
  ones: undefined,
} as const;

/** Windows by their names, all periodic; 'ones' weighs nothing. */
export type WindowName = keyof typeof WINDOWS;

/** Whose defaults hold. */
export type AudioLibrary = 'torchaudio' | 'librosa';

export const LIBRARIES: readonly AudioLibrary[] = ['torchaudio', 'librosa'];

export interface FrameOptions {
  /** The length of the transform. Default 400; 2048 like librosa. */
  readonly nFft?: number;
  /** The length of the window, which stands in the middle of a piece. Default nFft. */
  readonly winLength?: number;
  /** From the beginning of one piece to that of the next. Default ⌊winLength/2⌋; ⌊winLength/4⌋ like librosa. */
  readonly hopLength?: number;
  /** A name, or [winLength] weights. Default 'hann'. */
  readonly window?: WindowName | AnyTensor;
  /** Whether piece t has position t·hopLength in its middle, and not at its beginning. Default true. */
  readonly center?: boolean;
  /** What is around the signal, with `center`. Default 'reflect'; 'constant', zeros, like librosa. */
  readonly padMode?: PadMode;
}

export interface SpectrogramOptions extends FrameOptions {
  /** Zeros before and behind the signal, before anything else. Default 0. */
  readonly pad?: number;
  /** What magnitudes are raised to: 1 magnitudes, 2 powers; null for the complex spectra as pairs. Default 2. */
  readonly power?: number | null;
  /** Divide by the window's length √Σw² ('window', or true), or by √nFft ('frameLength'). Default false. */
  readonly normalized?: boolean | 'window' | 'frameLength';
  /** Whether there are the frequencies up to half the rate alone, of which the rest follow. Default true. */
  readonly onesided?: boolean;
  /** Whose defaults hold: 'torchaudio' or 'librosa'. Default 'torchaudio'. */
  readonly like?: AudioLibrary;
}

export const FRAME_NAMES: OptionNames<FrameOptions> = {
  nFft: true,
  winLength: true,
  hopLength: true,
  window: true,
  center: true,
  padMode: true,
};

export const SPECTROGRAM_NAMES: OptionNames<SpectrogramOptions> = {
  ...FRAME_NAMES,
  pad: true,
  power: true,
  normalized: true,
  onesided: true,
  like: true,
};

export interface Frames {
  readonly nFft: number;
  readonly winLength: number;
  readonly hopLength: number;
  /** [winLength] */
  readonly window: Tensor | undefined;
  readonly center: boolean;
  readonly padMode: PadMode;
}

/** The weights of a window by its name, or as they were passed in. */
function windowOf(op: string, window: WindowName | AnyTensor, length: number, dtype: FloatDType): Tensor | undefined;
function windowOf(
  op: string,
  window: WindowName | AnyTensor,
  length: number,
  dtype: FloatDType,
): AnyTensor | undefined {
  if (window instanceof Tensor) {
    if (window.rank === 1 && window.shape[0] === length) return window;
    throw new ShapeError(`${op}: window ${formatShape(window.shape)}: needs [${length}]`, [window.shape]);
  }
  checkChoice(op, 'window', window, Object.keys(WINDOWS));
  return WINDOWS[window]?.(length, { dtype });
}

/** The pieces of a spectrogram, checked, with the defaults of a library. */
export function framesOf(op: string, options: FrameOptions, like: AudioLibrary, dtype: FloatDType): Frames {
  checkChoice(op, 'like', like, LIBRARIES);
  const isTorch = like === 'torchaudio';
  const { nFft = isTorch ? 400 : 2048, center = true, window = 'hann' } = options;
  const { padMode = isTorch ? 'reflect' : 'constant' } = options;
  checkWhole(op, 'nFft', nFft, 1);
  checkChoice(op, 'padMode', padMode, PAD_MODES);
  checkGiven((call, what, value) => checkWhole(call, what, value, 1), op, {
    winLength: options.winLength,
    hopLength: options.hopLength,
  });
  const winLength = options.winLength ?? nFft;
  if (winLength > nFft)
    throw new ArgumentError(`${op}: winLength ${winLength} is more than nFft ${nFft}. Make nFft larger.`);
  const hopLength = options.hopLength ?? Math.max(1, Math.floor(winLength / (isTorch ? 2 : 4)));
  return { nFft, winLength, hopLength, window: windowOf(op, window, winLength, dtype), center, padMode };
}

/** As `spectrogram`, for calls of other names. */
export function spectrogramOf(op: string, x: AnyTensor, options: SpectrogramOptions): Tensor {
  const signal = signalOf(op, x);
  const { pad = 0, power = 2, normalized = false, onesided = true, like = 'torchaudio' } = options;
  checkWhole(op, 'pad', pad);
  if (power !== null) {
    checkNumber(op, 'power', power);
    if (!(power > 0)) throw new ArgumentError(`${op}: power is ${power}. Use a number above 0, or null for pairs.`);
  }
  checkChoice(op, 'normalized', normalized, [false, true, 'window', 'frameLength']);
  const { nFft, window, ...frames } = framesOf(op, options, like, signal.dtype);
  const time = signal.shape[signal.rank - 1] + 2 * pad;
  const least = !frames.center ? nFft : frames.padMode === 'reflect' ? Math.floor(nFft / 2) + 1 : 1;
  if (time < least)
    throw new ShapeError(
      `${op}: the signal ${formatShape(signal.shape)} is too short for nFft ${nFft}: needs ${least} samples${frames.center ? ", or padMode 'constant'" : ''}`,
      [signal.shape],
    );
  return overBatch(signal, 1, (rows) => {
    const whole: Tensor = pad === 0 ? rows : padded(rows, [[pad, pad]]);
    const normal = normalized === 'frameLength';
    let spectra: Tensor = stft(whole, nFft, { ...frames, ...(window && { window }), onesided, normalized: normal });
    if (normalized === true || normalized === 'window')
      spectra =
        window === undefined ? spectra.div(Math.sqrt(frames.winLength)) : spectra.div(window.square().sum().sqrt());
    if (power === null) return spectra;
    if (power === 2) return spectra.square().sum(-1); // without the root, whose slope at 0 is infinite
    const magnitudes: Tensor = complexAbs(spectra);
    return power === 1 ? magnitudes : magnitudes.pow(power);
  });
}

/**
 * How strong each frequency is in each piece of a signal [..., time] → [..., frequencies, pieces]: ⌊nFft/2⌋ + 1 frequencies from 0 to half the
 * sample rate. With power null complex pairs, [..., frequencies, pieces, 2]. torchaudio: functional.spectrogram.
 *
 *     spectrogram(waveform, { nFft: 512, hopLength: 128 })   // [1, 16000] → [1, 257, 126]
 */
export function spectrogram(x: AnyTensor, options: SpectrogramOptions = {}): Tensor<number[]> {
  checkOptions('spectrogram', options, SPECTROGRAM_NAMES);
  return spectrogramOf('spectrogram', x, options);
}
