// Losses of scores that have to be apart by a margin, and of pairs that belong together or do not.

import type { SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import type { Exact } from '../../tensor/shape-types/options.js';
import { arange } from '../../tensor/creation.js';
import { where } from '../../tensor/functions.js';
import {
  ArgumentError,
  checkNumber,
  checkOptions,
  DTypeError,
  formatShape,
  gatherLabels,
  type DType,
  type OptionNames,
  type Shape,
  ShapeError,
  isFloat,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import {
  type Labels,
  type LossOptions,
  type Reduced,
  LOSS_OPTIONS,
  checkFloat,
  checkSame,
  checkWeight,
  floats,
  reduce,
  tell,
} from './common.js';

export interface MarginOptions extends LossOptions {
  /** How far apart. */
  readonly margin?: number;
}

export const MARGIN_OPTIONS: OptionNames<MarginOptions> = { margin: true, reduction: true };

function checkTensors(op: string, tensors: Readonly<Record<string, AnyTensor>>): void {
  for (const [what, t] of Object.entries(tensors)) checkTensor(t, op, `the ${what}`);
}

/** Numbers of any kind as real ones: labels may be int32. */
const asFloat = (t: AnyTensor): Tensor => (isFloat(t.dtype) ? (t as Tensor) : t.to('float32'));

/**
 * 1 − cos(a, b) where the label is 1, max(0, cos(a, b) − margin) where it is −1, for embeddings [N, D] and labels [N], or one pair [D] and
 * []. The margin is 0 unless given. PyTorch: F.cosine_embedding_loss.
 */
export function cosineEmbeddingLoss<S extends Shape, T extends Shape, const O extends MarginOptions = {}>(
  a: Tensor<S, DType>,
  b: Tensor<T, DType> & SameShapeArg<'cosineEmbeddingLoss', S, T>,
  labels: AnyTensor,
  options?: O & Exact<O, MarginOptions>,
): Reduced<O> {
  const op = 'cosineEmbeddingLoss';
  checkTensors(op, { first: a, second: b, labels });
  checkOptions(op, options, MARGIN_OPTIONS);
  const { margin = 0, reduction }: MarginOptions = options ?? {};
  checkNumber(op, 'margin', margin);
  const [x, y] = floats(op, a, b);
  const lead = x.shape.slice(0, -1);
  if (x.rank < 1 || x.rank > 2 || labels.shape.length !== lead.length || labels.shape[0] !== lead[0]) {
    throw new ShapeError(
      `${op}: embeddings ${formatShape(x.shape)} and labels ${formatShape(labels.shape)}: needs [N, D] and [N]`,
      [x.shape, labels.shape],
    );
  }
  const squares = (t: Tensor): Tensor => t.square().sum(-1).add(1e-12);
  const cosine = x
    .mul(y)
    .sum(-1)
    .div(squares(x).mul(squares(y)).sqrt());
  const label = asFloat(labels);
  const apart = where(label.eq(-1), cosine.sub(margin).relu(), 0);
  const each = where(label.eq(1), cosine.neg().add(1), apart);
  return tell(op, a, labels, reduce(each, reduction, op)) as Reduced<O>;
}

/**
 * max(0, −label · (a − b) + margin): the first is to be larger where the label is 1, the second where it is −1. The margin is 0 unless
 * given. PyTorch: F.margin_ranking_loss.
 */
export function marginRankingLoss<S extends Shape, T extends Shape, const O extends MarginOptions = {}>(
  a: Tensor<S, DType>,
  b: Tensor<T, DType> & SameShapeArg<'marginRankingLoss', S, T>,
  labels: AnyTensor,
  options?: O & Exact<O, MarginOptions>,
): Reduced<O> {
  const op = 'marginRankingLoss';
  checkTensors(op, { first: a, second: b, labels });
  checkOptions(op, options, MARGIN_OPTIONS);
  const { margin = 0, reduction }: MarginOptions = options ?? {};
  checkNumber(op, 'margin', margin);
  const [x, y] = floats(op, a, b);
  checkSame(op, a, labels);
  const each = atLeastZero(x.sub(y).mul(asFloat(labels)).neg().add(margin));
  return tell(op, a, labels, reduce(each, reduction, op)) as Reduced<O>;
}

/** max(0, x), with slope 1 at 0. */
const atLeastZero = (x: Tensor): Tensor => where(x.lt(0), 0, x);

/** x where the label is 1, max(0, margin − x) where it is −1, for distances x. The margin is 1 unless given. PyTorch: F.hinge_embedding_loss. */
export function hingeEmbeddingLoss<S extends Shape, T extends Shape, const O extends MarginOptions = {}>(
  distances: Tensor<S, DType>,
  labels: Tensor<T, DType> & SameShapeArg<'hingeEmbeddingLoss', S, T>,
  options?: O & Exact<O, MarginOptions>,
): Reduced<O> {
  const op = 'hingeEmbeddingLoss';
  checkTensors(op, { distances, labels });
  checkOptions(op, options, MARGIN_OPTIONS);
  const { margin = 1, reduction }: MarginOptions = options ?? {};
  checkNumber(op, 'margin', margin);
  const x = checkFloat(distances, op);
  checkSame(op, x, labels);
  const label = asFloat(labels);
  const apart = where(label.ne(1), atLeastZero(x.neg().add(margin)), 0);
  const each = apart.add(where(label.ne(-1), x, 0));
  return tell(op, distances, labels, reduce(each, reduction, op)) as Reduced<O>;
}

/** log(1 + e^(−label · x)) for labels of 1 and −1. PyTorch: F.soft_margin_loss. */
export function softMarginLoss<S extends Shape, T extends Shape, const O extends LossOptions = {}>(
  scores: Tensor<S, DType>,
  labels: Tensor<T, DType> & SameShapeArg<'softMarginLoss', S, T>,
  options?: O & Exact<O, LossOptions>,
): Reduced<O> {
  const op = 'softMarginLoss';
  checkTensors(op, { scores, labels });
  checkOptions(op, options, LOSS_OPTIONS);
  const x = checkFloat(scores, op);
  checkSame(op, x, labels);
  const each = x.mul(asFloat(labels)).neg().softplus();
  return tell(op, scores, labels, reduce(each, options?.reduction, op)) as Reduced<O>;
}

// ---------------------------------------------------------------- many classes

export interface MultiMarginOptions extends MarginOptions {
  /** 1 or 2. Default 1. */
  readonly p?: number;
  /** float32 [C]: what a sample of each class counts. */
  readonly weight?: AnyTensor;
}

export const MULTI_MARGIN_OPTIONS: OptionNames<MultiMarginOptions> = {
  p: true,
  margin: true,
  weight: true,
  reduction: true,
};

/** [N, C] and whether there was no batch: scores [C] are those of one sample. */
function batchOf(op: string, scores: AnyTensor): { x: Tensor; isOne: boolean } {
  const x = checkFloat(scores, op);
  if (x.rank > 2) throw new ShapeError(`${op}: scores ${formatShape(x.shape)}: needs [N, C] or [C]`, [x.shape]);
  return x.rank === 2 ? { x, isOne: false } : { x: x.reshape([1, x.size]), isOne: true };
}

/** A weight for each class, or any that broadcasts to the scores. */
function checkSpreadWeight(op: string, weight: AnyTensor, x: Tensor): Tensor {
  checkTensor(weight, op, 'the weight');
  const lead = x.rank - weight.rank;
  if (lead >= 0 && weight.shape.every((n, i) => n === 1 || n === x.shape[lead + i])) return checkFloat(weight, op);
  throw new ShapeError(`${op}: weight ${formatShape(weight.shape)} does not broadcast to ${formatShape(x.shape)}`, [
    weight.shape,
    x.shape,
  ]);
}

function checkWhole(op: string, labels: AnyTensor): Labels {
  if (labels.dtype === 'int32') return labels as Labels;
  throw new DTypeError(`${op}: labels are ${labels.dtype}. Convert with to('int32').`, [labels.dtype]);
}

/**
 * Σ max(0, margin − x_label + xⱼ)ᵖ / C over the other classes j, for scores [N, C] and int32 labels [N]. The margin is 1 unless given.
 * PyTorch: F.multi_margin_loss; hingeLoss is the same without 1 / C.
 */
export function multiMarginLoss<const O extends MultiMarginOptions = {}>(
  scores: AnyTensor,
  labels: AnyTensor,
  options?: O & Exact<O, MultiMarginOptions>,
): Reduced<O> {
  const op = 'multiMarginLoss';
  checkTensors(op, { scores, labels });
  checkOptions(op, options, MULTI_MARGIN_OPTIONS);
  const { p = 1, margin = 1, weight, reduction }: MultiMarginOptions = options ?? {};
  checkNumber(op, 'margin', margin);
  if (p !== 1 && p !== 2) throw new ArgumentError(`${op}: p is ${String(p)}. Use 1 or 2.`);
  const { x, isOne } = batchOf(op, scores);
  const [n, classes] = x.shape;
  const given = checkWhole(op, labels);
  if (given.size !== n || given.rank > 1)
    throw new ShapeError(`${op}: labels ${formatShape(given.shape)} do not fit ${formatShape(x.shape)}: needs [${n}]`, [
      given.shape,
    ]);
  const label = given.reshape([n, 1]);
  const right = gatherLabels(op, x, 1, label);
  const short = atLeastZero(x.sub(right).add(margin));
  const power = p === 2 ? short.square() : short;
  const isOther = arange(classes).ne(label);
  const weights = checkWeight(weight, x, op);
  const counted =
    weights === undefined ? power : power.mul(gatherLabels(op, weights, 0, given.reshape([n])).reshape([n, 1]));
  const each = where(isOther, counted, 0).sum(1).div(classes);
  return tell(op, scores, labels, reduce(isOne ? each.squeeze(0) : each, reduction, op)) as Reduced<O>;
}

/**
 * Σ max(0, 1 − (x_label − xⱼ)) / C over the labels of a sample and the classes j that are none of them, for scores [N, C] and int32
 * labels [N, C], of which those before the first that is below 0 count. PyTorch: F.multilabel_margin_loss.
 */
export function multilabelMarginLoss<S extends Shape, T extends Shape, const O extends LossOptions = {}>(
  scores: Tensor<S, DType>,
  labels: Tensor<T, DType> & SameShapeArg<'multilabelMarginLoss', S, T>,
  options?: O & Exact<O, LossOptions>,
): Reduced<O> {
  const op = 'multilabelMarginLoss';
  checkTensors(op, { scores, labels });
  checkOptions(op, options, LOSS_OPTIONS);
  const { x, isOne } = batchOf(op, scores);
  checkSame(op, scores, labels);
  const [n, classes] = x.shape;
  const given = checkWhole(op, labels).reshape([n, classes]);
  const isValid = given.lt(0).cumsum(1).eq(0);
  const safe: Labels = where(isValid, given, 0);
  const right = gatherLabels(op, x, 1, safe); // [N, label]
  const isLabel = safe.unsqueeze(2).eq(arange(classes)).logicalAnd(isValid.unsqueeze(2)).any(1); // [N, class]
  const short = atLeastZero(x.unsqueeze(1).sub(right.unsqueeze(2)).add(1)); // [N, label, class]
  const counts = isValid.unsqueeze(2).logicalAnd(isLabel.logicalNot().unsqueeze(1));
  const each = where(counts, short, 0).sum([1, 2]).div(classes);
  return tell(op, scores, labels, reduce(isOne ? each.squeeze(0) : each, options?.reduction, op)) as Reduced<O>;
}

export interface MultilabelSoftMarginOptions extends LossOptions {
  /** float32 [C]: what each class counts; or any shape that broadcasts to the scores. */
  readonly weight?: AnyTensor;
}

export const MULTILABEL_SOFT_MARGIN_OPTIONS: OptionNames<MultilabelSoftMarginOptions> = {
  weight: true,
  reduction: true,
};

/** −(y·log σ(x) + (1 − y)·log σ(−x)), the mean over the classes of scores and targets [.., C]. PyTorch: F.multilabel_soft_margin_loss. */
export function multilabelSoftMarginLoss<
  S extends Shape,
  T extends Shape,
  const O extends MultilabelSoftMarginOptions = {},
>(
  scores: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'multilabelSoftMarginLoss', S, T>,
  options?: O & Exact<O, MultilabelSoftMarginOptions>,
): Reduced<O> {
  const op = 'multilabelSoftMarginLoss';
  checkTensors(op, { scores, target });
  checkOptions(op, options, MULTILABEL_SOFT_MARGIN_OPTIONS);
  const { weight, reduction }: MultilabelSoftMarginOptions = options ?? {};
  const [x, y] = floats(op, scores, target);
  if (x.rank === 0) throw new ShapeError(`${op}: scores []: needs [.., C]`, [x.shape]);
  const weights = weight === undefined ? undefined : checkSpreadWeight(op, weight, x);
  const plain = x.softplus().sub(x.mul(y));
  const each = (weights === undefined ? plain : plain.mul(weights)).mean(-1);
  return tell(op, scores, target, reduce(each, reduction, op)) as Reduced<O>;
}
