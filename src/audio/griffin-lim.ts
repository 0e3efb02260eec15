// Signals of spectrograms that lack their phases: phases are guessed, and changed until the spectrogram of the signal is the one that was
// given (Griffin and Lim 1984, with the momentum of Perraudin et al. 2013).

import { complexAbs } from '../functions/complex.js';
import { istft, stft } from '../functions/spectra.js';
import { rand } from '../tensor/creation.js';
import { stack } from '../tensor/functions.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, realize } from '../tensor/tensor.js';
import { spectraOf } from './check.js';
import { type FrameOptions, framesOf } from './spectrogram.js';

export interface GriffinLimOptions extends Pick<FrameOptions, 'winLength' | 'hopLength' | 'window'> {
  /** What the magnitudes were raised to. Default 2. */
  readonly power?: number;
  /** Default 32. */
  readonly iterations?: number;
  /** How far each step goes beyond the last one, from 0 to 1. Default 0.99. */
  readonly momentum?: number;
  /** Of the signal. Default: as long as the pieces are. */
  readonly length?: number;
  /** Whether the first phases are random (`manualSeed`), and not all 0. Default true. */
  readonly randomPhases?: boolean;
}

const OPTIONS: OptionNames<GriffinLimOptions> = {
  winLength: true,
  hopLength: true,
  window: true,
  power: true,
  iterations: true,
  momentum: true,
  length: true,
  randomPhases: true,
};

/**
 * A signal [..., time] whose spectrogram is about the given one, [..., ⌊nFft/2⌋ + 1, pieces], as `spectrogram` gives it with the same options.
 * It is computed step by step. torchaudio: functional.griffinlim.
 */
export async function griffinLim(x: AnyTensor, options: GriffinLimOptions = {}): Promise<Tensor<number[]>> {
  const op = 'griffinLim';
  const given = spectraOf(op, x);
  checkOptions(op, options, OPTIONS);
  const { power = 2, iterations = 32, momentum = 0.99, length, randomPhases = true, ...pieces } = options;
  checkNumber(op, 'power', power);
  checkNumber(op, 'momentum', momentum);
  checkWhole(op, 'iterations', iterations, 1);
  checkGiven(checkWhole, op, { length });
  if (!(power > 0)) throw new ArgumentError(`${op}: power is ${power}. Use a number above 0.`);
  if (!(momentum >= 0 && momentum <= 1))
    throw new ArgumentError(`${op}: momentum is ${momentum}. Use a number from 0 to 1.`);
  const [frequencies, count] = given.shape.slice(-2);
  if (frequencies < 2)
    throw new ShapeError(`${op}: the spectrogram ${formatShape(given.shape)} has fewer than 2 frequencies`, [
      given.shape,
    ]);
  const nFft = 2 * (frequencies - 1);
  const { winLength, hopLength, window } = framesOf(op, { ...pieces, nFft }, 'torchaudio', given.dtype);
  const frames = { winLength, hopLength, ...(window && { window }) };
  const held = length === undefined ? frames : { ...frames, length };
  const magnitudes: Tensor = given
    .detach()
    .reshape([-1, frequencies, count])
    .pow(1 / power)
    .unsqueeze(-1);
  const [rows] = magnitudes.shape;
  const first = (): Tensor => rand([rows, frequencies, count]) as Tensor;
  let angles: Tensor = randomPhases
    ? stack([first(), first()], -1)
    : stack([first().mul(0).add(1), first().mul(0)], -1);
  let before: Tensor | undefined;
  const share = momentum / (1 + momentum);
  for (let i = 0; i < iterations; i++) {
    const rebuilt: Tensor = stft(istft(magnitudes.mul(angles), nFft, held), nFft, frames);
    const ahead: Tensor = before === undefined ? rebuilt : rebuilt.sub(before.mul(share));
    angles = ahead.div(complexAbs(ahead).add(1e-16).unsqueeze(-1));
    before = rebuilt;
    await realize(angles, before); // each step is the same program
  }
  const signal: Tensor = istft(magnitudes.mul(angles), nFft, held);
  return signal.reshape([...given.shape.slice(0, -2), signal.shape[1]]);
}
