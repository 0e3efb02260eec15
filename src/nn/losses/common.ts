// What losses share: reductions, and the checks of their arguments.

import {
  isFloat,
  ArgumentError,
  DTypeError,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
} from '../../tensor/library.js';
import { areProbabilities, markLogits } from '../../tensor/probabilities.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction;
}

export const LOSS_OPTIONS: OptionNames<LossOptions> = { reduction: true };

/** One number, unless the reduction is 'none' (or not known to the compiler). */
export type Reduced<O> = O extends { readonly reduction: infer R }
  ? 'none' extends R
    ? Tensor
    : Tensor<[]>
  : Tensor<[]>;

export type Labels = Tensor<Shape, 'int32'>;

/** Classes are dimension 1. */
export const CLASS_DIM = 1;

export function reduce(each: Tensor, reduction: Reduction = 'mean', op: string): Tensor {
  if (reduction === 'none') return each;
  if (reduction === 'sum') return each.sum();
  if (reduction === 'mean') return each.mean();
  throw new ArgumentError(`${op}: reduction is '${String(reduction)}'. Use 'mean', 'sum' or 'none'.`);
}

// ---------------------------------------------------------------- checks

export function checkFloat(t: AnyTensor, op: string): Tensor {
  if (isFloat(t.dtype)) return t as Tensor;
  throw new DTypeError(`${op}: takes real numbers, not ${t.dtype}. Convert with to('float32').`, [t.dtype]);
}

export function checkRank(shape: Shape, op: string, what: string): void {
  if (shape.length < 2)
    throw new ShapeError(`${op}: ${what} ${formatShape(shape)}: needs [N, C] or [N, C, ...]`, [shape]);
}

export function checkLabels(target: AnyTensor, shape: Shape, op: string): Labels {
  if (target.dtype !== 'int32') {
    throw new DTypeError(`${op}: labels are ${target.dtype}. Convert with to('int32').`, [target.dtype]);
  }
  const expected = shape.filter((_, dim) => dim !== CLASS_DIM);
  if (!sameShape(target.shape, expected)) {
    throw new ShapeError(
      `${op}: labels ${formatShape(target.shape)} do not fit ${formatShape(shape)}: needs ${formatShape(expected)}`,
      [target.shape, shape],
    );
  }
  return target as Labels;
}

export function checkSame(op: string, a: AnyTensor, b: AnyTensor): void {
  if (sameShape(a.shape, b.shape)) return;
  throw new ShapeError(`${op}: ${formatShape(a.shape)} x ${formatShape(b.shape)}: shapes differ`, [a.shape, b.shape]);
}

export function floats(op: string, a: AnyTensor, b: AnyTensor): [Tensor, Tensor] {
  checkSame(op, a, b);
  return [checkFloat(a, op), checkFloat(b, op)];
}

// ---------------------------------------------------------------- who is told

/** One call of a loss: what the model said, what is wanted, and the result (one number, unless not reduced). */
export interface LossCall {
  readonly op: string;
  readonly input: AnyTensor;
  readonly target: AnyTensor;
  readonly result: Tensor;
  /** Probabilities (the result of softmax or sigmoid) where logits are expected. */
  readonly isOfProbabilities: boolean;
}

const watchers = new Set<(call: LossCall) => void>();

/** Calls `watcher` whenever a loss is built, until the function that is returned is called. For probes of training. */
export function watchLosses(watcher: (call: LossCall) => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

const LOGITS = new Set(['crossEntropy', 'bceWithLogits']);

/** Hands the result on, and tells it to who watches. */
export function tell(op: string, input: AnyTensor, target: AnyTensor, result: Tensor): Tensor {
  if (watchers.size === 0) return result;
  const isOfProbabilities = LOGITS.has(op) && areProbabilities(input.node);
  for (const watcher of watchers) watcher({ op, input, target, result, isOfProbabilities });
  return result;
}

let hasWarned = false;

/** Notes that these are logits; says once on the console that a loss of logits was given the result of softmax or sigmoid. */
export function warnOfProbabilities(op: string, x: AnyTensor): void {
  if (!areProbabilities(x.node)) return markLogits(x.node);
  if (hasWarned) return;
  hasWarned = true;
  console.warn(
    `nabla: ${op} takes logits and was given probabilities (the result of softmax or sigmoid). Leave that layer out: the loss contains it.`,
  );
}

/** The weights of the classes of x, which are along its second dimension. */
export function checkWeight(weight: AnyTensor | undefined, x: Tensor, op: string): Tensor | undefined {
  if (weight === undefined) return undefined;
  checkTensor(weight, op, 'the weight');
  const classes = x.shape[CLASS_DIM];
  if (weight.shape.length !== 1 || weight.shape[0] !== classes) {
    throw new ShapeError(
      `${op}: weight ${formatShape(weight.shape)} does not fit ${formatShape(x.shape)}: needs [${classes}]`,
      [weight.shape, x.shape],
    );
  }
  return checkFloat(weight, op);
}
