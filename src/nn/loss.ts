// Losses. Logits go in, never probabilities; the reduction is the mean unless asked otherwise.

import { ArgumentError, DTypeError, type Shape, ShapeError, formatShape, sameShape } from '../tensor/library.js';
import { where } from '../tensor/functions.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction;
}

export interface LabelOptions extends LossOptions {
  /** A label that counts nowhere, not in the mean either. None by default. */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyOptions extends LabelOptions {
  /** Part of the target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

/** One number, unless the reduction is 'none' (or not known to the compiler). */
export type Reduced<O> = O extends { readonly reduction: infer R }
  ? 'none' extends R
    ? Tensor
    : Tensor<[]>
  : Tensor<[]>;

type Labels = Tensor<Shape, 'int32'>;

/** Classes are dimension 1. */
const CLASS_DIM = 1;

/**
 * Cross entropy of logits [N, C] (or [N, C, …]) and int32 labels [N] (or [N, …]), or float32 probabilities of the logits'
 * shape. A label outside 0 … C − 1 is an IndexError when the loss is computed. PyTorch: F.cross_entropy.
 */
export function crossEntropy<const O extends CrossEntropyOptions = {}>(
  logits: AnyTensor,
  target: AnyTensor,
  options?: O,
): Reduced<O> {
  const { labelSmoothing: smoothing = 0, reduction, ignoreIndex }: CrossEntropyOptions = options ?? {};
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing is ${smoothing}. Use a number from 0 to 1.`);
  }
  const x = checkFloat(logits, 'crossEntropy');
  checkRank(x.shape, 'crossEntropy', 'logits');
  const logp = x.logSoftmax(CLASS_DIM);
  if (target.dtype === 'float32') {
    checkSame('crossEntropy', x, target);
    const wanted = target as unknown as Tensor;
    const smooth = smoothing === 0 ? wanted : wanted.mul(1 - smoothing).add(smoothing / x.shape[CLASS_DIM]);
    const each = logp.mul(smooth).sum(CLASS_DIM).neg() as Tensor;
    // PyTorch's mean is over samples and positions, not classes
    return reduce(each, reduction, 'crossEntropy') as Reduced<O>;
  }
  const labels = checkLabels(target, x.shape, 'crossEntropy');
  return pick(logp, labels, { smoothing, reduction, ignoreIndex, op: 'crossEntropy' }) as Reduced<O>;
}

/** −log p of the label, for log-probabilities [N, C] (or [N, C, …]) and int32 labels. PyTorch: F.nll_loss. */
export function nllLoss<const O extends LabelOptions = {}>(
  logProbabilities: AnyTensor,
  target: AnyTensor,
  options?: O,
): Reduced<O> {
  const { reduction, ignoreIndex }: LabelOptions = options ?? {};
  const logp = checkFloat(logProbabilities, 'nllLoss');
  checkRank(logp.shape, 'nllLoss', 'log-probabilities');
  const labels = checkLabels(target, logp.shape, 'nllLoss');
  return pick(logp, labels, { smoothing: 0, reduction, ignoreIndex, op: 'nllLoss' }) as Reduced<O>;
}

interface Picking {
  readonly smoothing: number;
  readonly reduction: Reduction | undefined;
  readonly ignoreIndex: number | undefined;
  readonly op: string;
}

/** −log p of the labelled class, smoothed, with ignored labels left out of the mean. */
function pick(logp: Tensor, labels: Labels, { smoothing, reduction, ignoreIndex, op }: Picking): Tensor {
  const valid = ignoreIndex === undefined ? undefined : labels.ne(ignoreIndex);
  const safe: Labels = valid === undefined ? labels : (where(valid, labels, 0) as Labels);
  // A gather of one element along the classes fuses with the row reductions of logSoftmax, forward and backward.
  const chosen = logp.gather(CLASS_DIM, safe.unsqueeze(CLASS_DIM) as Labels);
  let each = chosen.squeeze(CLASS_DIM).neg() as Tensor;
  if (smoothing > 0) each = each.mul(1 - smoothing).sub((logp.mean(CLASS_DIM) as Tensor).mul(smoothing));
  if (valid === undefined) return reduce(each, reduction, op);
  const counted = where(valid, each, 0) as Tensor;
  if ((reduction ?? 'mean') !== 'mean') return reduce(counted, reduction, op);
  return counted.sum().div(valid.sum()) as Tensor;
}

/** (prediction − target)². PyTorch: F.mse_loss. */
export function mseLoss<const O extends LossOptions = {}>(
  prediction: AnyTensor,
  target: AnyTensor,
  options?: O,
): Reduced<O> {
  const [x, y] = floats('mseLoss', prediction, target);
  return reduce(x.sub(y).square() as Tensor, options?.reduction, 'mseLoss') as Reduced<O>;
}

/** |prediction − target|. PyTorch: F.l1_loss. */
export function l1Loss<const O extends LossOptions = {}>(
  prediction: AnyTensor,
  target: AnyTensor,
  options?: O,
): Reduced<O> {
  const [x, y] = floats('l1Loss', prediction, target);
  return reduce(x.sub(y).abs() as Tensor, options?.reduction, 'l1Loss') as Reduced<O>;
}

/**
 * Binary cross entropy of logits and targets in [0, 1], log(1 + eˣ) − x·y, exact for large logits too. PyTorch:
 * F.binary_cross_entropy_with_logits.
 */
export function bceWithLogits<const O extends LossOptions = {}>(
  logits: AnyTensor,
  target: AnyTensor,
  options?: O,
): Reduced<O> {
  const [x, y] = floats('bceWithLogits', logits, target);
  return reduce(x.softplus().sub(x.mul(y)), options?.reduction, 'bceWithLogits') as Reduced<O>;
}

function reduce(each: Tensor, reduction: Reduction = 'mean', op: string): Tensor {
  if (reduction === 'none') return each;
  if (reduction === 'sum') return each.sum() as Tensor;
  if (reduction === 'mean') return each.mean() as Tensor;
  throw new ArgumentError(`${op}: reduction is '${String(reduction)}'. Use 'mean', 'sum' or 'none'.`);
}

// ---------------------------------------------------------------- checks

function checkFloat(t: AnyTensor, op: string): Tensor {
  if (t.dtype === 'float32') return t as unknown as Tensor;
  throw new DTypeError(`${op}: takes float32, not ${t.dtype}. Convert with to('float32').`, [t.dtype]);
}

function checkRank(shape: Shape, op: string, what: string): void {
  if (shape.length < 2)
    throw new ShapeError(`${op}: ${what} ${formatShape(shape)}: needs [N, C] or [N, C, ...]`, [shape]);
}

function checkLabels(target: AnyTensor, shape: Shape, op: string): Labels {
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
  return target as unknown as Labels;
}

function checkSame(op: string, a: AnyTensor, b: AnyTensor): void {
  if (sameShape(a.shape, b.shape)) return;
  throw new ShapeError(`${op}: ${formatShape(a.shape)} x ${formatShape(b.shape)}: shapes differ`, [a.shape, b.shape]);
}

function floats(op: string, a: AnyTensor, b: AnyTensor): [Tensor, Tensor] {
  checkSame(op, a, b);
  return [checkFloat(a, op), checkFloat(b, op)];
}
