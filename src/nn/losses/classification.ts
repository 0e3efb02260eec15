// Losses of classes. Logits go in unless the name says otherwise; the reduction is the mean unless asked otherwise.

import type { Exact } from '../../tensor/shape-types/options.js';
import {
  isFloat,
  ArgumentError,
  checkedProbabilities,
  checkOptions,
  type DType,
  formatShape,
  gatherLabels,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
} from '../../tensor/library.js';
import type { SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import type { LabelsArg, TargetArg } from '../../tensor/shape-types/labels.js';
import { customOp } from '../../tensor/custom-op.js';
import { where } from '../../tensor/functions.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import {
  CLASS_DIM,
  type Labels,
  type LossOptions,
  type Reduced,
  type Reduction,
  checkFloat,
  checkLabels,
  checkRank,
  checkSame,
  checkWeight,
  floats,
  reduce,
  tell,
  warnOfProbabilities,
} from './common.js';

export interface LabelOptions extends LossOptions {
  /** A label that counts nowhere, not in the mean either. Default −100. */
  readonly ignoreIndex?: number;
  /** float32 [C]: what a sample of each class counts, in the mean too. All the same by default. */
  readonly weight?: AnyTensor;
}

/** PyTorch's. */
const IGNORED = -100;

export const LABEL_OPTIONS: OptionNames<LabelOptions> = { weight: true, ignoreIndex: true, reduction: true };

export interface CrossEntropyOptions extends LabelOptions {
  /** Part of the target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

export const CROSS_ENTROPY_OPTIONS: OptionNames<CrossEntropyOptions> = {
  weight: true,
  ignoreIndex: true,
  reduction: true,
  labelSmoothing: true,
};

/**
 * Cross entropy of logits [N, C] (or [N, C, …]) and int32 labels [N] (or [N, …]), or float32 probabilities of the logits'
 * shape. A label outside 0 … C − 1 other than `ignoreIndex` is an IndexError when the loss is computed; without any label that
 * counts the mean is NaN. PyTorch: F.cross_entropy.
 */
export function crossEntropy<S extends Shape, T extends Shape, const O extends CrossEntropyOptions = {}>(
  logits: Tensor<S, DType>,
  target: Tensor<T, DType> & TargetArg<'crossEntropy', S, T>,
  options?: O & Exact<O, CrossEntropyOptions>,
): Reduced<O> {
  checkTensor(logits, 'crossEntropy', 'the input');
  checkTensor(target, 'crossEntropy', 'the target');
  checkOptions('crossEntropy', options, CROSS_ENTROPY_OPTIONS);
  const {
    labelSmoothing: smoothing = 0,
    reduction,
    ignoreIndex = IGNORED,
    weight,
  }: CrossEntropyOptions = options ?? {};
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing is ${smoothing}. Use a number from 0 to 1.`);
  }
  const { x, wanted, isOne } = batchOf('crossEntropy', logits, target, 'logits');
  warnOfProbabilities('crossEntropy', logits);
  const weights = checkWeight(weight, x, 'crossEntropy');
  const logp = x.logSoftmax(CLASS_DIM);
  if (isFloat(wanted.dtype) && wanted.shape.length !== x.shape.length - 1) {
    checkSame('crossEntropy', x, wanted);
    const p = wanted as Tensor;
    const smooth = smoothing === 0 ? p : p.mul(1 - smoothing).add(smoothing / x.shape[CLASS_DIM]);
    const counted = weights === undefined ? smooth : smooth.mul(acrossClasses(weights, x));
    const each = logp.mul(counted).sum(CLASS_DIM).neg();
    // PyTorch's mean is over samples and positions, not classes
    return tell(
      'crossEntropy',
      logits,
      target,
      unbatched(reduce(each, reduction, 'crossEntropy'), isOne),
    ) as Reduced<O>;
  }
  const labels = checkLabels(wanted, x.shape, 'crossEntropy');
  const result = pick(logp, labels, { smoothing, reduction, ignoreIndex, weights, op: 'crossEntropy' });
  return tell('crossEntropy', logits, target, unbatched(result, isOne)) as Reduced<O>;
}

/** −log p of the label, for log-probabilities [N, C] (or [N, C, …], or [C]) and int32 labels. PyTorch: F.nll_loss. */
export function nllLoss<S extends Shape, T extends Shape, const O extends LabelOptions = {}>(
  logProbabilities: Tensor<S, DType>,
  target: Tensor<T, DType> & LabelsArg<'nllLoss', S, T>,
  options?: O & Exact<O, LabelOptions>,
): Reduced<O> {
  checkTensor(logProbabilities, 'nllLoss', 'the input');
  checkTensor(target, 'nllLoss', 'the target');
  checkOptions('nllLoss', options, LABEL_OPTIONS);
  const { reduction, ignoreIndex = IGNORED, weight }: LabelOptions = options ?? {};
  const { x: logp, wanted, isOne } = batchOf('nllLoss', logProbabilities, target, 'log-probabilities');
  const labels = checkLabels(wanted, logp.shape, 'nllLoss');
  const weights = checkWeight(weight, logp, 'nllLoss');
  const result = pick(logp, labels, { smoothing: 0, reduction, ignoreIndex, weights, op: 'nllLoss' });
  return tell('nllLoss', logProbabilities, target, unbatched(result, isOne)) as Reduced<O>;
}

interface Batch {
  readonly x: Tensor;
  readonly wanted: AnyTensor;
  /** Scores [C] of one sample, with a label of rank 0 or probabilities [C]. */
  readonly isOne: boolean;
}

/** Scores and targets with a batch; what has none becomes a batch of one. */
function batchOf(op: string, scores: AnyTensor, target: AnyTensor, what: string): Batch {
  const x = checkFloat(scores, op);
  if (x.rank !== 1) {
    checkRank(x.shape, op, what);
    return { x, wanted: target, isOne: false };
  }
  if (target.rank > 0 && !(isFloat(target.dtype) && sameShape(target.shape, x.shape)))
    throw new ShapeError(
      `${op}: labels ${formatShape(target.shape)} do not fit ${formatShape(x.shape)}: needs [], the label of one sample`,
      [target.shape, x.shape],
    );
  return { x: x.unsqueeze(0), wanted: target.unsqueeze(0), isOne: true };
}

/** A loss of each sample loses the batch again. */
function unbatched(loss: Tensor, isOne: boolean): Tensor {
  return isOne && loss.rank > 0 ? loss.squeeze(0) : loss;
}

interface Picking {
  readonly smoothing: number;
  readonly reduction: Reduction | undefined;
  readonly ignoreIndex: number;
  readonly weights: Tensor | undefined;
  readonly op: string;
}

/** −log p of the labelled class, smoothed, with ignored labels left out of the mean. */
function pick(logp: Tensor, labels: Labels, { smoothing, reduction, ignoreIndex, weights, op }: Picking): Tensor {
  if (!Number.isInteger(ignoreIndex))
    throw new ArgumentError(`${op}: ignoreIndex is ${String(ignoreIndex)}. Use the label that counts nowhere.`);
  const valid = labels.ne(ignoreIndex);
  const safe: Labels = where(valid, labels, 0);
  const advice = `, or ignoreIndex (${ignoreIndex}) for what counts nowhere`;
  // A gather of one element along the classes fuses with the row reductions of logSoftmax, forward and backward.
  const chosen = gatherLabels(op, logp, CLASS_DIM, safe.unsqueeze(CLASS_DIM), advice);
  let each = chosen.squeeze(CLASS_DIM).neg();
  const ofLabel = weights && gatherLabels(op, weights, 0, safe.reshape([-1]), advice).reshape(safe.shape);
  if (ofLabel !== undefined) each = each.mul(ofLabel);
  if (smoothing > 0) {
    const all = weights === undefined ? logp : logp.mul(acrossClasses(weights, logp));
    each = each.mul(1 - smoothing).sub(all.mean(CLASS_DIM).mul(smoothing));
  }
  const counted = where(valid, each, 0);
  if ((reduction ?? 'mean') !== 'mean') return reduce(counted, reduction, op);
  const share = ofLabel === undefined ? valid : where(valid, ofLabel, 0);
  return counted.sum().div(share.sum());
}

/** [C] as [1, C, 1, …]. */
function acrossClasses(weights: Tensor, x: Tensor): Tensor {
  return weights.reshape(x.shape.map((n, dim) => (dim === CLASS_DIM ? n : 1)));
}

export interface BceOptions extends LossOptions {
  /** float32, broadcast to the result: what each element counts (the mean is still over their number). All the same by default. */
  readonly weight?: AnyTensor;
}

export const BCE_OPTIONS: OptionNames<BceOptions> = { weight: true, reduction: true };

export interface BceWithLogitsOptions extends BceOptions {
  /** float32, broadcast to the logits: what a positive target counts. 1 by default. */
  readonly posWeight?: AnyTensor;
}

export const BCE_WITH_LOGITS_OPTIONS: OptionNames<BceWithLogitsOptions> = {
  weight: true,
  reduction: true,
  posWeight: true,
};

/**
 * Binary cross entropy of logits and targets in [0, 1], log(1 + eˣ) − x·y, exact for large logits too. PyTorch:
 * F.binary_cross_entropy_with_logits.
 */
export function bceWithLogits<S extends Shape, T extends Shape, const O extends BceWithLogitsOptions = {}>(
  logits: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'bceWithLogits', S, T>,
  options?: O & Exact<O, BceWithLogitsOptions>,
): Reduced<O> {
  checkTensor(logits, 'bceWithLogits', 'the input');
  checkTensor(target, 'bceWithLogits', 'the target');
  checkOptions('bceWithLogits', options, BCE_WITH_LOGITS_OPTIONS);
  const [x, y] = floats('bceWithLogits', logits, target);
  warnOfProbabilities('bceWithLogits', logits);
  const { posWeight, weight, reduction }: BceWithLogitsOptions = options ?? {};
  let each = x.softplus().sub(x.mul(y));
  if (posWeight !== undefined) {
    const extra = spread(posWeight, x, 'bceWithLogits: posWeight').sub(1).mul(y);
    each = each.add(extra.mul(x.neg().softplus()));
  }
  const result = reduce(weighed(each, weight, 'bceWithLogits'), reduction, 'bceWithLogits');
  return tell('bceWithLogits', logits, target, result) as Reduced<O>;
}

/** Each element times its weight. */
function weighed(each: Tensor, weight: AnyTensor | undefined, op: string): Tensor {
  return weight === undefined ? each : each.mul(spread(weight, each, `${op}: weight`));
}

/** A float tensor that broadcasts to the shape of x, and no further. */
function spread(t: AnyTensor, x: Tensor, what: string): Tensor {
  const fits = t.shape.length <= x.rank && t.shape.every((n, i) => n === 1 || n === x.shape[x.rank - t.rank + i]);
  if (!fits)
    throw new ShapeError(`${what} ${formatShape(t.shape)} does not broadcast to ${formatShape(x.shape)}`, [
      t.shape,
      x.shape,
    ]);
  return checkFloat(t, what);
}

/** Logarithms are at least this, as in PyTorch: no infinite loss of a probability 0. */
const LEAST_LOG = -100;
/** p·(1 − p) is at least this under its gradient, as in PyTorch: a wrong certainty has a large slope, not an infinite one. */
const LEAST_SPREAD = Math.fround(1e-12); // a float32 constant there

/** −y·log p − (1 − y)·log(1 − p). The gradient is its own: those of the logarithms are infinite at 0 and 1. */
const entropyOfPair = customOp({
  name: 'bceLoss',
  forward: (ctx, p, y) => {
    const log = (t: Tensor): Tensor => t.log().clamp(LEAST_LOG) as Tensor;
    const rest = (t: Tensor): Tensor => t.neg().add(1) as Tensor;
    const [positive, negative] = [log(p), log(rest(p))];
    Object.assign(ctx.saved, { p, y, slope: negative.sub(positive) });
    return y.mul(positive).add(rest(y).mul(negative)).neg() as Tensor;
  },
  backward: (ctx, gradient) => {
    const { p, y, slope } = ctx.saved as Record<'p' | 'y' | 'slope', Tensor>;
    const spread = p.mul(p.neg().add(1) as Tensor).clamp(LEAST_SPREAD) as Tensor;
    return [gradient.mul(p.sub(y).div(spread) as Tensor), gradient.mul(slope)] as AnyTensor[];
  },
});

/**
 * Binary cross entropy of probabilities and targets in [0, 1]; a number outside is an IndexError when the loss is computed.
 * Prefer bceWithLogits. PyTorch: F.binary_cross_entropy.
 */
export function bceLoss<S extends Shape, T extends Shape, const O extends BceOptions = {}>(
  probabilities: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'bceLoss', S, T>,
  options?: O & Exact<O, BceOptions>,
): Reduced<O> {
  checkTensor(probabilities, 'bceLoss', 'the input');
  checkTensor(target, 'bceLoss', 'the target');
  checkOptions('bceLoss', options, BCE_OPTIONS);
  const [p, y] = floats('bceLoss', probabilities, target);
  const each = entropyOfPair(
    checkedProbabilities('bceLoss', p, 'Call sigmoid() first, or use bceWithLogits.'),
    checkedProbabilities('bceLoss', y, 'Use 0, 1 or what lies between.', 'targets'),
  );
  const result = reduce(weighed(each, options?.weight, 'bceLoss'), options?.reduction, 'bceLoss');
  return tell('bceLoss', probabilities, target, result) as Reduced<O>;
}

export interface KlOptions {
  /** `batchMean` is the sum divided by the first axis: the divergence of a sample. Default 'mean', over all elements. */
  readonly reduction?: Reduction | 'batchMean';
  /** Are targets log-probabilities too? Default false. */
  readonly logTarget?: boolean;
}

export const KL_OPTIONS: OptionNames<KlOptions> = { reduction: true, logTarget: true };

/** target · (log target − x) for log-probabilities x; 0 · log 0 = 0. Kullback and Leibler 1951; PyTorch: F.kl_div. */
export function klDivLoss<S extends Shape, T extends Shape>(
  logProbabilities: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'klDivLoss', S, T>,
  options: KlOptions = {},
): Tensor {
  checkTensor(logProbabilities, 'klDivLoss', 'the input');
  checkTensor(target, 'klDivLoss', 'the target');
  checkOptions('klDivLoss', options, KL_OPTIONS);
  const { reduction = 'mean', logTarget = false } = options;
  const [x, t] = floats('klDivLoss', logProbabilities, target);
  const log = where(t.eq(0), 1, t).log(); // NaN for targets below 0, as in PyTorch
  const each = logTarget ? t.exp().mul(t.sub(x)) : t.mul(log).sub(t.mul(x));
  if (reduction === 'batchMean') return each.sum().div(x.shape[0] ?? 1);
  return reduce(each, reduction, 'klDivLoss');
}

export interface HingeOptions extends LossOptions {
  /** How much the right score has to be above the others. Default 1. */
  readonly margin?: number;
}

export const HINGE_OPTIONS: OptionNames<HingeOptions> = { margin: true, reduction: true };

/**
 * Σ max(0, sⱼ − s_label + margin) over the wrong classes j, for scores [N, C] and int32 labels [N]: the multi-class support
 * vector machine (Weston and Watkins 1999). PyTorch's F.multi_margin_loss is this divided by C.
 */
export function hingeLoss<S extends Shape, T extends Shape, const O extends HingeOptions = {}>(
  scores: Tensor<S, DType>,
  labels: Tensor<T, DType> & LabelsArg<'hingeLoss', S, T>,
  options?: O & Exact<O, HingeOptions>,
): Reduced<O> {
  checkTensor(scores, 'hingeLoss', 'the scores');
  checkTensor(labels, 'hingeLoss', 'the labels');
  checkOptions('hingeLoss', options, HINGE_OPTIONS);
  const { margin = 1, reduction }: HingeOptions = options ?? {};
  const x = checkFloat(scores, 'hingeLoss');
  checkRank(x.shape, 'hingeLoss', 'scores');
  const y = checkLabels(labels, x.shape, 'hingeLoss');
  const right = gatherLabels('hingeLoss', x, CLASS_DIM, y.unsqueeze(CLASS_DIM));
  // The right class adds max(0, margin).
  const each = x.sub(right).add(margin).relu().sum(CLASS_DIM).sub(Math.max(0, margin));
  return tell('hingeLoss', scores, labels, reduce(each, reduction, 'hingeLoss')) as Reduced<O>;
}

export interface DiceOptions extends LossOptions {
  /** Added above and below, so that empty masks fit each other. Default 1. */
  readonly smooth?: number;
}

export const DICE_OPTIONS: OptionNames<DiceOptions> = { smooth: true, reduction: true };

/** 1 − (2 Σ p·y + s) / (Σ p + Σ y + s) of each sample, for probabilities and masks [N, …] (Milletari et al. 2016). */
export function diceLoss<S extends Shape, T extends Shape, const O extends DiceOptions = {}>(
  probabilities: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'diceLoss', S, T>,
  options?: O & Exact<O, DiceOptions>,
): Reduced<O> {
  checkTensor(probabilities, 'diceLoss', 'the input');
  checkTensor(target, 'diceLoss', 'the target');
  checkOptions('diceLoss', options, DICE_OPTIONS);
  const { smooth = 1, reduction }: DiceOptions = options ?? {};
  const [p, y] = floats('diceLoss', probabilities, target);
  checkRank(p.shape, 'diceLoss', 'probabilities');
  const q = checkedProbabilities('diceLoss', p, 'Call sigmoid() or softmax(1) first.');
  const total = (t: Tensor): Tensor => t.reshape([t.shape[0], -1]).sum(1);
  const overlap = total(q.mul(y)).mul(2).add(smooth);
  const each = overlap
    .div(total(q).add(total(y)).add(smooth))
    .neg()
    .add(1);
  return tell('diceLoss', probabilities, target, reduce(each, reduction, 'diceLoss')) as Reduced<O>;
}
