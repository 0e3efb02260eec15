// Another sample rate: band-limited interpolation by windowed sincs (Smith and Gossett 1984), one filter for each place that a sample of the
// result may have between two of the signal, as one convolution. Formulas and options are torchaudio's.

import { bessel0 } from '../functions/signal-windows.js';
import { pad } from '../functions/padding.js';
import { conv1d } from '../tensor/convolution.js';
import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  type OptionNames,
  checkChoice,
  checkNumber,
  checkOptions,
  checkWhole,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { overBatch, signalOf } from './check.js';

export interface ResampleOptions {
  /** Zero crossings of the sinc on each side: the more, the sharper the filter. Default 6. */
  readonly lowpassFilterWidth?: number;
  /** Where the filter begins to cut off, as a share of half the lower rate. Default 0.99. */
  readonly rolloff?: number;
  /** What the sincs are weighted with: half a wave of a squared cosine, or a Kaiser window. Default 'hann'. */
  readonly window?: 'hann' | 'kaiser';
  /** Of the Kaiser window. Default 14.769656459379492. */
  readonly beta?: number;
}

const OPTIONS: OptionNames<ResampleOptions> = { lowpassFilterWidth: true, rolloff: true, window: true, beta: true };

/** Elements of all filters, for rates that have hardly a common divisor. */
const MOST = 2 ** 26;

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

interface Filters {
  /** [to, 1, 2·width + from] */
  readonly weights: Float64Array;
  readonly length: number;
  readonly width: number;
}

function filtersOf(from: number, to: number, options: Required<ResampleOptions>): Filters {
  const { lowpassFilterWidth: crossings, rolloff, window, beta } = options;
  const base = Math.min(from, to) * rolloff;
  const width = Math.ceil((crossings * from) / base);
  const length = 2 * width + from;
  if (length * to > MOST)
    throw new ArgumentError(
      `resample: from ${from} to ${to} (without common divisors) takes ${to} filters of ${length} elements. Use rates that have a larger common divisor.`,
    );
  const top = bessel0(beta);
  const weights = new Float64Array(to * length);
  for (let phase = 0; phase < to; phase++) {
    for (let i = 0; i < length; i++) {
      const at = (-phase / to + (i - width) / from) * base;
      const t = Math.min(Math.max(at, -crossings), crossings);
      const weight =
        window === 'hann'
          ? Math.cos((t * Math.PI) / crossings / 2) ** 2
          : bessel0(beta * Math.sqrt(1 - (t / crossings) ** 2)) / top;
      const sinc = t === 0 ? 1 : Math.sin(t * Math.PI) / (t * Math.PI);
      weights[phase * length + i] = (sinc * weight * base) / from;
    }
  }
  return { weights, length, width };
}

/**
 * The signal [..., time] at another sample rate: [..., ⌈time · to / from⌉]. Rates are whole numbers; those with a large common divisor
 * (16,000 and 48,000) are cheap. torchaudio: functional.resample.
 *
 *     const speech = resample(waveform, 44100, 16000);
 */
export function resample(x: AnyTensor, from: number, to: number, options: ResampleOptions = {}): Tensor<number[]> {
  const op = 'resample';
  const signal = signalOf(op, x);
  checkWhole(op, 'the rate of the signal', from, 1);
  checkWhole(op, 'the new rate', to, 1);
  checkOptions(op, options, OPTIONS);
  const { lowpassFilterWidth = 6, rolloff = 0.99, window = 'hann', beta = 14.769656459379492 } = options;
  checkWhole(op, 'lowpassFilterWidth', lowpassFilterWidth, 1);
  checkNumber(op, 'rolloff', rolloff);
  checkNumber(op, 'beta', beta);
  checkChoice(op, 'window', window, ['hann', 'kaiser']);
  if (!(rolloff > 0 && rolloff <= 1))
    throw new ArgumentError(`${op}: rolloff is ${rolloff}. Use a number above 0, at most 1.`);
  if (Math.abs(beta) > 700) throw new ArgumentError(`${op}: beta is ${beta}. Use a number up to 700.`);
  if (from === to) return signal;
  const divisor = commonDivisor(from, to);
  const [step, phases] = [from / divisor, to / divisor];
  const { weights, length, width } = filtersOf(step, phases, { lowpassFilterWidth, rolloff, window, beta });
  const filters: Tensor = tensor(weights, {
    shape: [phases, 1, length],
    dtype: signal.dtype,
  });
  return overBatch(signal, 1, (rows): Tensor => {
    const time = rows.shape[1];
    const around: Tensor = pad(rows, [[width, width + step]]);
    const found: Tensor = conv1d<number[], number[]>(around.unsqueeze(1), filters, { stride: step });
    const all: Tensor = found.transpose(1, 2).flatten(1);
    return all.slice(-1, 0, Math.ceil((phases * time) / step));
  });
}
