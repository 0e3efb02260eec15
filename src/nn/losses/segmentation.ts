// The usual loss of segmentation: cross entropy, which is steady, and dice, which counts a small class as much as a large one.

import {
  ArgumentError,
  type DType,
  type OptionNames,
  type Shape,
  checkGiven,
  checkNumber,
  checkOptions,
} from '../../tensor/library.js';
import { where } from '../../tensor/functions.js';
import type { LabelsArg } from '../../tensor/shape-types/labels.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { crossEntropy } from './classification.js';
import { CLASS_DIM, checkFloat, checkLabels, checkRank } from './common.js';

export interface DiceCrossEntropyOptions {
  /** What the dice part counts beside the cross entropy. Default 1. */
  readonly diceWeight?: number;
  /** Added above and below in the dice part, so that a class that is nowhere fits itself. Default 1. */
  readonly smooth?: number;
  /** A label that counts nowhere. Default −100. */
  readonly ignoreIndex?: number;
}

export const DICE_CROSS_ENTROPY_OPTIONS: OptionNames<DiceCrossEntropyOptions> = {
  diceWeight: true,
  smooth: true,
  ignoreIndex: true,
};

/**
 * Cross entropy of logits [N, C, …] and int32 labels [N, …], plus the mean over classes of 1 − (2 Σ p·y + s) / (Σ p + Σ y + s), whose sums go
 * over all pixels of the batch. p are the probabilities of the logits, y is 1 where the label is the class. MONAI: DiceCELoss with softmax,
 * to_onehot_y and batch.
 */
export function diceCrossEntropy<S extends Shape, T extends Shape>(
  logits: Tensor<S, DType>,
  labels: Tensor<T, DType> & LabelsArg<'diceCrossEntropy', S, T>,
  options: DiceCrossEntropyOptions = {},
): Tensor<[]> {
  const op = 'diceCrossEntropy';
  checkTensor(logits, op, 'the logits');
  checkTensor(labels, op, 'the labels');
  checkOptions(op, options, DICE_CROSS_ENTROPY_OPTIONS);
  const { diceWeight = 1, smooth = 1, ignoreIndex = -100 } = options;
  checkGiven(checkNumber, op, { diceWeight, smooth, ignoreIndex });
  if (!(smooth >= 0)) throw new ArgumentError(`${op}: smooth is ${smooth}. Use a number of at least 0.`);
  const x = checkFloat(logits, op);
  checkRank(x.shape, op, 'logits');
  const y = checkLabels(labels, x.shape, op);
  const plain: Tensor = crossEntropy(x, y, { ignoreIndex });
  const classes = x.shape[CLASS_DIM];
  const counts = y.ne(ignoreIndex);
  const known: Tensor = counts.unsqueeze(CLASS_DIM).to('float32');
  const truth: Tensor = where(counts, y, 0).oneHot(classes).movedim(-1, CLASS_DIM).mul(known);
  const p: Tensor = x.softmax(CLASS_DIM).mul(known);
  const perClass = (t: Tensor): Tensor => t.sum(t.shape.map((_, dim) => dim).filter((dim) => dim !== CLASS_DIM));
  const overlap = perClass(p.mul(truth)).mul(2).add(smooth);
  const all = perClass(p).add(perClass(truth)).add(smooth);
  const dice: Tensor = overlap.div(all).neg().add(1).mean();
  return plain.add(dice.mul(diceWeight)) as Tensor<[]>;
}
