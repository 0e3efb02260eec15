// How good generated samples are, in the eyes of a classifier that knows the real ones: each should clearly be of one class, and all
// classes should occur (Salimans et al. 2016).

import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkNumber,
  checkOptions,
  formatShape,
} from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

export interface ClassScoresOptions {
  /** The probability from which on the classifier counts as sure. Default 0.9. */
  readonly threshold?: number;
}

const CLASS_SCORES_OPTIONS: OptionNames<ClassScoresOptions> = { threshold: true };

export interface ClassScores {
  /** Share of samples of which the classifier is sure. */
  readonly sure: number;
  /** Mean of the largest probabilities. */
  readonly confidence: number;
  /** Samples of each class, by the largest probability. */
  readonly counts: readonly number[];
  /** Number of classes that occur. */
  readonly classes: number;
  /** Entropy of the mean probabilities in nats: ln C where all C classes are equally frequent, 0 where there is only one. */
  readonly entropy: number;
  /** exp of the mean divergence of a sample's probabilities from their mean, 1 to C: large where samples are clear, and differ. */
  readonly score: number;
}

/**
 * What the probabilities [N, C] of a classifier say about N generated samples. Throws ArgumentError for rows that are no probabilities:
 * logits need `softmax(1)` first.
 *
 *     const { sure, classes } = await classScores(classifier.forward(gan.sample(1000)).softmax(1));
 */
export async function classScores(
  probabilities: Tensor<[number, number]>,
  options: ClassScoresOptions = {},
): Promise<ClassScores> {
  checkTensor(probabilities, 'classScores', 'the probabilities');
  checkOptions('classScores', options, CLASS_SCORES_OPTIONS);
  const { threshold = 0.9 } = options;
  checkNumber('classScores', 'threshold', threshold);
  if (!(threshold >= 0 && threshold <= 1))
    throw new ArgumentError(`classScores: threshold is ${threshold}. Use a number from 0 to 1.`);
  if (probabilities.rank !== 2 || probabilities.size === 0)
    throw new ShapeError(`classScores: probabilities ${formatShape(probabilities.shape)}: need [N, C]`, [
      probabilities.shape,
    ]);
  const [count, classes] = probabilities.shape;
  const p = await probabilities.data();
  const mean = new Float64Array(classes);
  const counts = new Array<number>(classes).fill(0);
  let [sure, confidence, negative] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    let [best, sum] = [0, 0];
    for (let c = 0; c < classes; c++) {
      const value = p[i * classes + c];
      if (value > p[i * classes + best]) best = c;
      sum += value;
      mean[c] += value / count;
      negative += xLogX(value) / count;
    }
    if (!(Math.abs(sum - 1) < 1e-3))
      throw new ArgumentError(`classScores: row ${i} adds up to ${sum}, not to 1. Call softmax(1) first.`);
    const most = p[i * classes + best];
    counts[best]++;
    confidence += most / count;
    if (most >= threshold) sure += 1 / count;
  }
  const entropy = -mean.reduce((sum, value) => sum + xLogX(value), 0);
  return {
    sure,
    confidence,
    counts,
    classes: counts.filter((n) => n > 0).length,
    entropy,
    score: Math.exp(entropy + negative),
  };
}

const xLogX = (x: number): number => (x > 0 ? x * Math.log(x) : 0);
