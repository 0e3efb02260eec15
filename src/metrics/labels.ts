// What an output says and what is true, as class numbers: the one place that decides how outputs are read.
//   scores float32 [N, C, …], labels int32 [N, …]          the class with the highest score
//   scores float32 [N, …] or [N, 1, …], labels of 0 and 1  two classes, by a threshold
//   scores float32 [N, C, …], targets of 0 and 1 likewise  multi-label: each class for itself, by the threshold
//   classes int32 or bool, labels alike                    as they are
// A sample whose scores contain NaN has no prediction: it counts as wrong.

import { where } from '../tensor/functions.js';
import {
  ArgumentError,
  checkedLabels,
  DTypeError,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
  wrongKind,
  isFloat,
} from '../tensor/library.js';
import { areLogits, areProbabilities } from '../tensor/probabilities.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import type { Bools, Ints } from './state.js';

export interface LabelOptions {
  /** Where the classes are in the output. Default 1, as for crossEntropy; -1 for [batch, position, class]. */
  readonly classDim?: number;
  /** Number of classes; needed only where the output is class numbers. */
  readonly numClasses?: number;
  /** A label that counts nowhere. None by default. */
  readonly ignoreIndex?: number;
  /**
   * Scores above it mean 1, where there is one score a label. Default 0.5 for probabilities, 0 for logits: the result of sigmoid
   * is one, what was given to a loss of logits the other, and else scores that all lie in [0, 1] are probabilities.
   */
  readonly threshold?: number;
}

export const LABEL_OPTIONS: OptionNames<LabelOptions> = {
  classDim: true,
  numClasses: true,
  ignoreIndex: true,
  threshold: true,
};

export interface Labelled {
  readonly kind: 'classes' | 'multi-label';
  readonly classes: number;
  /** Where the classes are in `truth` and `predicted`, for multi-label. */
  readonly classDim: number;
  /** Class numbers, or 0 and 1; ignored ones are 0. */
  readonly truth: Ints;
  readonly predicted: Ints;
  /** Labels that count; undefined if all do. */
  readonly valid: Bools | undefined;
  /** Where there is a prediction; undefined if everywhere. */
  readonly ranked: Bools | undefined;
}

/**
 * Throws ShapeError, DTypeError or ArgumentError if the two do not fit each other. `isCompared`: class numbers are only compared, and
 * may be any.
 */
export function readLabels(
  op: string,
  output: AnyTensor,
  target: AnyTensor,
  options: LabelOptions,
  isCompared = false,
): Labelled {
  const dim = classDimOf(op, output, options.classDim);
  checkTensor(target, op, 'the target');
  if (!isFloat(output.dtype)) return fromClasses(op, output, target, options, isCompared);
  const perClass = without(output.shape, dim);
  const isPerScore = sameShape(output.shape, target.shape);
  const isSingle = dim === undefined || output.shape[dim] === 1;
  if (isSingle && (isPerScore || sameShape(perClass, target.shape))) {
    const scores = (isPerScore ? output : output.reshape(target.shape)) as Tensor;
    return { ...fromScores(op, scores, target, options), kind: 'classes', classes: 2, classDim: -1 };
  }
  if (isPerScore && dim !== undefined) {
    return {
      ...fromScores(op, output as Tensor, target, options),
      kind: 'multi-label',
      classes: output.shape[dim],
      classDim: dim,
    };
  }
  checkTarget(op, output, target, dim);
  const scores = output;
  const { truth, valid } = truthOf(op, target, options.ignoreIndex, output.shape[dim as number]);
  return {
    kind: 'classes',
    classes: output.shape[dim as number],
    classDim: -1,
    truth,
    valid,
    predicted: target.size === 0 ? truth : (scores.argmax(dim) as Ints),
    ranked: scores.isNaN().any(dim).logicalNot() as Bools,
  };
}

/** The class dimension; undefined for a vector of scores. */
export function classDimOf(op: string, output: AnyTensor, asked = 1): number | undefined {
  checkTensor(output, op, 'the output');
  if (typeof asked !== 'number') throw wrongKind(op, 'classDim', asked, 'Use a whole number');
  const { rank } = output;
  if (rank < 2) return undefined;
  const dim = asked < 0 ? asked + rank : asked;
  if (Number.isInteger(dim) && dim >= 0 && dim < rank) return dim;
  throw new ArgumentError(
    `${op}: classDim is ${asked}, the output ${formatShape(output.shape)} has no such dimension.`,
  );
}

/** Throws ShapeError unless the target has one label where the output [N, C, …] has C scores. */
export function checkTarget(op: string, output: AnyTensor, target: AnyTensor, dim: number | undefined): void {
  checkTensor(target, op, 'the target');
  const wanted = without(output.shape, dim);
  if (dim !== undefined && sameShape(wanted, target.shape)) {
    if (target.dtype === 'int32') return;
    throw new DTypeError(`${op}: labels are ${target.dtype}. Convert with to('int32').`, [target.dtype]);
  }
  const classLast = output.rank > 2 && sameShape(output.shape.slice(0, -1), target.shape);
  const needs = dim === undefined ? formatShape(output.shape) : `${formatShape(wanted)} (one label for each sample)`;
  throw new ShapeError(
    `${op}: target ${formatShape(target.shape)} does not fit output ${formatShape(output.shape)}: needs ${needs}` +
      (classLast ? '. Are the classes the last dimension? Use classDim: -1.' : ''),
    [output.shape, target.shape],
  );
}

/**
 * The labels with ignored ones made 0, and which of them count. Targets of 0 and 1 may be float32 or bool. A label that is
 * none of `classes` is an IndexError when the metric is computed; without `classes` it may be any number.
 */
export function truthOf(
  op: string,
  target: AnyTensor,
  ignoreIndex: number | undefined,
  classes: number | undefined,
): Pick<Labelled, 'truth' | 'valid'> {
  const whole = target.dtype === 'int32' ? target : (target.dtype === 'bool' ? target : target.round()).to('int32');
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex))
    throw new ArgumentError(`${op}: ignoreIndex is ${ignoreIndex}. Use a label.`);
  const valid = ignoreIndex === undefined ? undefined : (whole.ne(ignoreIndex) as Bools);
  const truth = (valid === undefined ? whole : where(valid, whole as Ints, 0)) as Ints;
  if (classes === undefined) return { truth, valid };
  return {
    truth: checkedLabels(op, truth, classes, 'label', ', or pass { ignoreIndex } for what counts nowhere'),
    valid,
  };
}

/** 1 where every number lies in [0, 1] (NaN aside), else 0: numbers of which nothing else is known are probabilities then. */
function areAllInside(scores: Tensor): Tensor {
  return scores.lt(0).logicalOr(scores.gt(1)).any().logicalNot().to('float32');
}

/** Above which score an answer is 1. */
function thresholdOf(op: string, scores: Tensor, asked: number | undefined): number | Tensor {
  if (asked !== undefined && typeof asked !== 'number') throw wrongKind(op, 'threshold', asked, 'Use a number');
  if (Number.isNaN(asked)) throw new ArgumentError(`${op}: threshold is NaN. Use a number.`);
  if (asked !== undefined) return asked;
  if (areProbabilities(scores.node)) return 0.5;
  return areLogits(scores.node) ? 0 : areAllInside(scores).mul(0.5);
}

/** Probabilities of classes along `dim`: softmax of logits, and what are probabilities already as they are. */
export function probabilitiesOf(scores: Tensor, dim: number): Tensor {
  if (areProbabilities(scores.node)) return scores;
  const p = scores.softmax(dim);
  if (areLogits(scores.node) || scores.size === 0) return p;
  return where(areAllInside(scores).gt(0), scores, p);
}

/** a ∧ b, where undefined stands for true everywhere. */
export function both(a: Bools | undefined, b: Bools | undefined): Bools | undefined {
  return a === undefined ? b : b === undefined ? a : (a.logicalAnd(b) as Bools);
}

function without(shape: Shape, dim: number | undefined): number[] {
  return shape.filter((_, i) => i !== dim);
}

function fromScores(
  op: string,
  scores: Tensor,
  target: AnyTensor,
  { threshold, ignoreIndex }: LabelOptions,
): Pick<Labelled, 'truth' | 'valid' | 'predicted' | 'ranked'> {
  const limit = thresholdOf(op, scores, threshold);
  return {
    ...truthOf(op, target, ignoreIndex, 2),
    predicted: (typeof limit === 'number' ? scores.gt(limit) : scores.gt(limit)).to('int32') as Ints,
    ranked: scores.isNaN().logicalNot() as Bools,
  };
}

function fromClasses(
  op: string,
  output: AnyTensor,
  target: AnyTensor,
  { numClasses, ignoreIndex }: LabelOptions,
  isCompared: boolean,
): Labelled {
  const classes = numClasses ?? (output.dtype === 'bool' ? 2 : undefined);
  if (classes === undefined || !Number.isInteger(classes) || classes < 2) {
    throw new ArgumentError(
      `${op}: the output is class numbers (int32), and numClasses is ${classes}. Pass { numClasses } of 2 or more.`,
    );
  }
  if (!sameShape(output.shape, target.shape)) {
    throw new ShapeError(
      `${op}: predicted classes ${formatShape(output.shape)} and labels ${formatShape(target.shape)} differ in shape`,
      [output.shape, target.shape],
    );
  }
  const given = (output.dtype === 'bool' ? output.to('int32') : output) as Ints;
  const { truth, valid } = truthOf(op, target, ignoreIndex, isCompared ? undefined : classes);
  const counted = (valid === undefined ? given : where(valid, given, 0)) as Ints;
  const predicted = isCompared ? given : checkedLabels(op, counted, classes, 'prediction');
  return { kind: 'classes', classes, classDim: -1, predicted, ranked: undefined, truth, valid };
}
