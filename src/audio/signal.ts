// Plain features of signals, and what is done to them before others are taken.

import { pad } from '../functions/padding.js';
import { slidingWindows } from '../functions/patches.js';
import { cat } from '../tensor/functions.js';
import { type OptionNames, ShapeError, checkNumber, checkOptions, checkWhole, formatShape } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { overBatch, signalOf } from './check.js';

/** The mean of the channels, [..., channels, time] → [..., 1, time]. librosa: to_mono, without the dimension. */
export function toMono(x: AnyTensor): Tensor<number[]> {
  const signal = signalOf('toMono', x);
  if (signal.rank < 2)
    throw new ShapeError(`toMono: the signal ${formatShape(signal.shape)}: needs [..., channels, time]`, [
      signal.shape,
    ]);
  return signal.mean(-2, { keepdim: true });
}

/** x(t) − coeff · x(t − 1), of signals [..., time]: high frequencies become stronger. torchaudio: functional.preemphasis. */
export function preemphasis(x: AnyTensor, coeff = 0.97): Tensor<number[]> {
  const signal = signalOf('preemphasis', x);
  checkNumber('preemphasis', 'coeff', coeff);
  const time = signal.shape[signal.rank - 1];
  const before: Tensor = signal.slice(-1, 0, time - 1).mul(coeff);
  return cat([signal.slice(-1, 0, 1), signal.slice(-1, 1).sub(before)], -1);
}

export interface PieceOptions {
  /** Samples of a piece. Default 2048. */
  readonly frameLength?: number;
  /** From the beginning of one piece to that of the next. Default 512. */
  readonly hopLength?: number;
  /** Whether piece t has position t·hopLength in its middle, and not at its beginning. Default true. */
  readonly center?: boolean;
}

const OPTIONS: OptionNames<PieceOptions> = { frameLength: true, hopLength: true, center: true };

/** The pieces of a signal along a new last dimension: [..., time] → [..., pieces, frameLength]. */
function piecesOf(op: string, x: AnyTensor, options: PieceOptions, mode: 'constant' | 'replicate'): Tensor {
  const signal = signalOf(op, x);
  checkOptions(op, options, OPTIONS);
  const { frameLength = 2048, hopLength = 512, center = true } = options;
  checkWhole(op, 'frameLength', frameLength, 1);
  checkWhole(op, 'hopLength', hopLength, 1);
  const around = center ? Math.floor(frameLength / 2) : 0;
  const time = signal.shape[signal.rank - 1];
  if (time + 2 * around < frameLength)
    throw new ShapeError(`${op}: the signal ${formatShape(signal.shape)} is shorter than a piece of ${frameLength}`, [
      signal.shape,
    ]);
  return overBatch(signal, 1, (rows): Tensor => {
    const whole: Tensor = around === 0 ? rows : pad(rows, [[around, around]], { mode });
    return slidingWindows(whole, -1, frameLength, hopLength) as Tensor;
  });
}

/** The root of the mean square of each piece: [..., time] → [..., pieces]. librosa: feature.rms. */
export function rms(x: AnyTensor, options: PieceOptions = {}): Tensor<number[]> {
  return piecesOf('rms', x, options, 'constant').square().mean(-1).sqrt();
}

/** How often a signal changes its sign, as a share of the samples of each piece: [..., time] → [..., pieces]. Has no slope. librosa: feature.zero_crossing_rate. */
export function zeroCrossingRate(x: AnyTensor, options: PieceOptions = {}): Tensor<number[]> {
  const pieces = piecesOf('zeroCrossingRate', x, options, 'replicate').detach();
  const length = pieces.shape[pieces.rank - 1];
  const isNegative = pieces.lt(-1e-10); // what is nearer to 0 counts as 0
  const changes = isNegative.slice(-1, 1).ne(isNegative.slice(-1, 0, length - 1));
  return changes.to('float32').sum(-1).div(length);
}
