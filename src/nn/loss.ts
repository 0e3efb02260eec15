// Losses. Logits go in, never probabilities; the reduction is the mean unless asked otherwise.

import { ArgumentError, DTypeError, ShapeError } from '../tensor/library.js';
import { where } from '../tensor/functions.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  readonly reduction?: Reduction;
}

export interface CrossEntropyOptions extends LossOptions {
  /** Part of the target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
  /** A label that counts nowhere. */
  readonly ignoreIndex?: number;
}

function reduce(each: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return each;
  if (reduction === 'sum') return each.sum() as Tensor;
  if (reduction === 'mean') return each.mean() as Tensor;
  throw new ArgumentError(`reduction is '${String(reduction)}'. Use 'mean', 'sum' or 'none'.`);
}

function shapeText(t: AnyTensor): string {
  return `[${t.shape.join(', ')}]`;
}

/**
 * Cross entropy of logits [N, C] (or [N, C, …]) and int32 labels [N] (or [N, …]), or float32 class probabilities of the
 * logits' shape. A label outside 0 … C − 1 is an IndexError when the loss is computed. PyTorch: F.cross_entropy.
 */
export function crossEntropy(logits: AnyTensor, target: AnyTensor, options: CrossEntropyOptions = {}): Tensor<[]> {
  const x = logits as unknown as Tensor;
  if (x.rank < 2) throw new ShapeError(`crossEntropy: logits ${shapeText(x)}: needs [N, C] or [N, C, ...]`, [x.shape]);
  const smoothing = options.labelSmoothing ?? 0;
  if (!(smoothing >= 0 && smoothing <= 1))
    throw new ArgumentError(`crossEntropy: labelSmoothing is ${smoothing}. Use a number from 0 to 1.`);
  const logp = x.logSoftmax(1);
  const classes = x.shape[1];
  if (target.dtype === 'float32') {
    if (target.shape.join() !== x.shape.join())
      throw new ShapeError(
        `crossEntropy: probabilities ${shapeText(target)} do not have the shape ${shapeText(x)} of the logits`,
        [target.shape, x.shape],
      );
    const wanted =
      smoothing === 0
        ? (target as unknown as Tensor)
        : ((target as unknown as Tensor).mul(1 - smoothing).add(smoothing / classes) as Tensor);
    return reduce(
      logp
        .mul(wanted as Tensor)
        .sum(1)
        .neg() as Tensor,
      options.reduction,
    ) as unknown as Tensor<[]>;
  }
  if (target.dtype !== 'int32')
    throw new DTypeError(`crossEntropy: labels are ${target.dtype}. Use int32 labels or float32 probabilities.`, [
      target.dtype,
    ]);
  const expected = [x.shape[0], ...x.shape.slice(2)];
  if (target.shape.join() !== expected.join()) {
    throw new ShapeError(
      `crossEntropy: labels ${shapeText(target)} do not fit logits ${shapeText(x)}: [${expected.join(', ')}] is needed`,
      [target.shape, x.shape],
    );
  }
  return pick(logp, target as unknown as Tensor<readonly number[], 'int32'>, smoothing, options) as unknown as Tensor<
    []
  >;
}

/** −log p of the labelled class, smoothed, with ignored labels left out of the mean. */
function pick(
  logp: Tensor,
  labels: Tensor<readonly number[], 'int32'>,
  smoothing: number,
  options: CrossEntropyOptions,
): Tensor {
  const { ignoreIndex } = options;
  const valid = ignoreIndex === undefined ? undefined : labels.ne(ignoreIndex);
  const safe = valid === undefined ? labels : (where(valid, labels, 0) as unknown as typeof labels);
  let each = logp
    .gather(1, safe.unsqueeze(1) as Tensor<readonly number[], 'int32'>)
    .squeeze(1)
    .neg() as Tensor;
  if (smoothing > 0) each = each.mul(1 - smoothing).add(logp.mean(1).mul(-smoothing) as Tensor) as Tensor;
  if (valid === undefined) return reduce(each, options.reduction);
  const counted = where(valid, each, 0) as unknown as Tensor;
  if ((options.reduction ?? 'mean') !== 'mean') return reduce(counted, options.reduction);
  return counted.sum().div(valid.sum() as unknown as Tensor) as Tensor;
}

/** −log p of the label, for log-probabilities [N, C]. PyTorch: F.nll_loss. */
export function nllLoss(
  logProbabilities: AnyTensor,
  labels: AnyTensor,
  options: LossOptions & { readonly ignoreIndex?: number } = {},
): Tensor<[]> {
  if (labels.dtype !== 'int32') throw new DTypeError(`nllLoss: labels are ${labels.dtype}. Use int32.`, [labels.dtype]);
  return pick(
    logProbabilities as unknown as Tensor,
    labels as unknown as Tensor<readonly number[], 'int32'>,
    0,
    options,
  ) as unknown as Tensor<[]>;
}

function checkSame(op: string, a: AnyTensor, b: AnyTensor): void {
  if (a.shape.join() !== b.shape.join())
    throw new ShapeError(`${op}: ${shapeText(a)} x ${shapeText(b)}: shapes differ`, [a.shape, b.shape]);
}

/** Mean of (prediction − target)². PyTorch: F.mse_loss. */
export function mseLoss(prediction: AnyTensor, target: AnyTensor, options: LossOptions = {}): Tensor<[]> {
  checkSame('mseLoss', prediction, target);
  return reduce(
    (prediction as unknown as Tensor).sub(target as unknown as Tensor).square() as Tensor,
    options.reduction,
  ) as unknown as Tensor<[]>;
}

/** Mean of |prediction − target|. PyTorch: F.l1_loss. */
export function l1Loss(prediction: AnyTensor, target: AnyTensor, options: LossOptions = {}): Tensor<[]> {
  checkSame('l1Loss', prediction, target);
  return reduce(
    (prediction as unknown as Tensor).sub(target as unknown as Tensor).abs() as Tensor,
    options.reduction,
  ) as unknown as Tensor<[]>;
}

/** Binary cross entropy of logits and targets in [0, 1], safe for large logits. PyTorch: F.binary_cross_entropy_with_logits. */
export function bceWithLogits(logits: AnyTensor, target: AnyTensor, options: LossOptions = {}): Tensor<[]> {
  checkSame('bceWithLogits', logits, target);
  const x = logits as unknown as Tensor;
  const y = target as unknown as Tensor;
  // log(1 + eˣ) − x·y
  return reduce(x.softplus().sub(x.mul(y) as Tensor) as Tensor, options.reduction) as unknown as Tensor<[]>;
}
