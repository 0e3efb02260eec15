// Pictures that a network calls by another name although no pixel has changed by more than a little.
//   FGSM: Goodfellow et al. 2015; PGD: Madry et al. 2018, both within the largest change of a pixel (L∞).

import { crossEntropy } from '../../nn/losses/classification.js';
import {
  ArgumentError,
  checkFunction,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  type OptionNames,
  wrongKind,
} from '../../tensor/library.js';
import { rand } from '../../tensor/creation.js';
import { type Tensor, realize } from '../../tensor/tensor.js';
import {
  type ClassList,
  type Classify,
  type Pictures,
  checkClasses,
  checkedPictures,
  gradientBy,
  logitsOf,
} from './classify.js';

export interface AttackOptions {
  /** By how much a pixel may change. Default 8/255, for pixels from 0 to 1. */
  readonly epsilon?: number;
  /** The labels are what the pictures are to be called, rather than what they are to be called no more. Default false. */
  readonly targeted?: boolean;
  /** Ends of the pixels' range. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number];
}

const ATTACK_OPTIONS: OptionNames<AttackOptions> = { epsilon: true, targeted: true, range: true };

interface Attack {
  readonly x: Pictures;
  readonly epsilon: number;
  readonly range: readonly [number, number];
  /** x moved by `step` against its labels (or towards them), pixel by pixel, and cut off at the range. */
  move(x: Tensor, step: number): Tensor;
}

function attack(op: string, classify: Classify, pictures: Pictures, labels: ClassList, options: AttackOptions): Attack {
  checkFunction(op, classify);
  const x = checkedPictures(op, pictures);
  checkClasses(op, labels, x.shape[0], 'the labels');
  const { epsilon = 8 / 255, targeted = false, range = [0, 1] } = options;
  checkNumber(op, 'epsilon', epsilon);
  if (typeof targeted !== 'boolean') throw wrongKind(op, 'targeted', targeted, 'Use true or false');
  if (!(epsilon >= 0)) throw new ArgumentError(`${op}: epsilon is ${epsilon}. Use a number of at least 0.`);
  const isRange = Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
  if (!isRange)
    throw new ArgumentError(`${op}: range is [${String(range)}]. Use two numbers, the lower first: [0, 1].`);
  const sign = targeted ? -1 : 1;
  return {
    x,
    epsilon,
    range,
    move(from, step) {
      const slope = gradientBy(from, (at) =>
        crossEntropy(logitsOf(op, classify, at as Pictures) as Tensor<[number, number]>, labels, { reduction: 'sum' }),
      );
      return from.add(slope.sign().mul(sign * step)).clamp(range[0], range[1]);
    },
  };
}

/**
 * The fast gradient sign method: every pixel by epsilon in the direction in which the cross entropy grows. Pictures [N, C, H, W], labels
 * int32 [N] → pictures.
 *
 *     const fooled = fgsm((x) => model.forward(x), pictures, labels, { epsilon: 0.05 });
 */
export function fgsm(classify: Classify, pictures: Pictures, labels: ClassList, options: AttackOptions = {}): Pictures {
  checkOptions('fgsm', options, ATTACK_OPTIONS);
  const { x, epsilon, move } = attack('fgsm', classify, pictures, labels, options);
  return move(x, epsilon) as Pictures;
}

export interface PgdOptions extends AttackOptions {
  /** Default 10. */
  readonly steps?: number;
  /** By how much a pixel changes in one step. Default 2.5 · epsilon / steps. */
  readonly stepSize?: number;
  /** Begin anywhere within epsilon, rather than at the picture. Default true. */
  readonly randomStart?: boolean;
}

const PGD_OPTIONS: OptionNames<PgdOptions> = { ...ATTACK_OPTIONS, steps: true, stepSize: true, randomStart: true };

/**
 * Projected gradient descent: small steps of `fgsm`, each followed by a return to within epsilon of the picture. Pictures [N, C, H, W], labels
 * int32 [N] → pictures, computed. Random numbers follow `manualSeed`.
 */
export async function pgd(
  classify: Classify,
  pictures: Pictures,
  labels: ClassList,
  options: PgdOptions = {},
): Promise<Pictures> {
  checkOptions('pgd', options, PGD_OPTIONS);
  const { x, epsilon, range, move } = attack('pgd', classify, pictures, labels, options);
  const { steps = 10, stepSize = (2.5 * epsilon) / steps, randomStart = true } = options;
  checkWhole('pgd', 'steps', steps, 1);
  checkGiven(checkNumber, 'pgd', { stepSize });
  if (typeof randomStart !== 'boolean') throw wrongKind('pgd', 'randomStart', randomStart, 'Use true or false');
  if (!(stepSize >= 0)) throw new ArgumentError(`pgd: stepSize is ${stepSize}. Use a number of at least 0.`);
  const [low, high]: readonly Tensor[] = [x.sub(epsilon), x.add(epsilon)];
  let y: Tensor = x;
  if (randomStart) y = x.add(rand(x.shape).mul(2).sub(1).mul(epsilon)).clamp(range[0], range[1]);
  for (let step = 0; step < steps; step++) {
    y = move(y, stepSize).maximum(low).minimum(high);
    await realize(y); // one program, run again and again
  }
  return y as Pictures;
}
