// The input of Whisper and of models made like it.

import { pad } from '../functions/padding.js';
import { type OptionNames, checkOptions, checkWhole } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { signalOf } from './check.js';
import { melFilterbank, toMelScale } from './mel.js';
import { spectrogramOf } from './spectrogram.js';

export interface WhisperOptions {
  /** 80, or 128 of large-v3. Default 80. */
  readonly nMels?: number;
  /** Samples that the signal is cut or filled up to with zeros; null for as many as there are. Default 480000: 30 seconds. */
  readonly samples?: number | null;
}

const OPTIONS: OptionNames<WhisperOptions> = { nMels: true, samples: true };

/**
 * The logarithmic mel spectrogram that Whisper (Radford et al. 2022) hears, of speech at 16,000 samples a second: [..., time] → [..., nMels,
 * samples / 160], 3,000 pieces of 30 seconds. transformers: WhisperFeatureExtractor.
 */
export function whisperLogMel(x: AnyTensor, options: WhisperOptions = {}): Tensor<number[]> {
  const op = 'whisperLogMel';
  const signal = signalOf(op, x);
  checkOptions(op, options, OPTIONS);
  const { nMels = 80, samples = 480_000 } = options;
  checkWhole(op, 'nMels', nMels, 1);
  const time = signal.shape[signal.rank - 1];
  if (samples !== null) checkWhole(op, 'samples', samples, 400);
  const wanted = samples ?? time;
  const whole: Tensor = time > wanted ? signal.slice(-1, 0, wanted) : pad(signal, [[0, wanted - time]]);
  const powers = spectrogramOf(op, whole, { nFft: 400, hopLength: 160 });
  const filters = melFilterbank(201, nMels, 16_000, { norm: 'slaney', melScale: 'slaney', dtype: powers.dtype });
  const last = powers.shape[powers.rank - 1] - 1;
  const levels: Tensor = toMelScale(powers.slice(-1, 0, last), filters)
    .clamp(1e-10, Infinity)
    .log10();
  const largest: Tensor = levels.amax([-2, -1], { keepdim: true });
  return levels.maximum(largest.sub(8)).add(4).div(4);
}
