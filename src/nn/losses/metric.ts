// Losses of embeddings: what belongs together shall be near, the rest far.

import type { Exact } from '../../tensor/shape-types/options.js';
import { eye, tensor } from '../../tensor/creation.js';
import { cat, where } from '../../tensor/functions.js';
import type { SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import {
  ArgumentError,
  checkFunction,
  checkOptions,
  type DType,
  formatShape,
  type OptionNames,
  type Shape,
  ShapeError,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type LossOptions, type Reduced, checkSame, floats, reduce } from './common.js';
import { crossEntropy } from './classification.js';

export interface TripletOptions extends LossOptions {
  /** How much farther the negative has to be than the positive. Default 1. */
  readonly margin?: number;
  /** The distance is (Σ |a − b + eps|ᵖ)^(1/p). Default 2. */
  readonly p?: number;
  /** Keeps the gradient of the root finite. Default 1e-6. */
  readonly eps?: number;
  /** The negative is compared with the nearer one of anchor and positive (Balntas et al. 2016). Default false. */
  readonly swap?: boolean;
}

export const TRIPLET_OPTIONS: OptionNames<TripletOptions> = {
  margin: true,
  p: true,
  eps: true,
  swap: true,
  reduction: true,
};

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin) over the last axis of embeddings [N, D] (Schroff et al. 2015).
 * PyTorch: F.triplet_margin_loss.
 */
export function tripletMarginLoss<
  S extends Shape,
  P extends Shape,
  N extends Shape,
  const O extends TripletOptions = {},
>(
  anchor: Tensor<S, DType>,
  positive: Tensor<P, DType> & SameShapeArg<'tripletMarginLoss', S, P>,
  negative: Tensor<N, DType> & SameShapeArg<'tripletMarginLoss', S, N>,
  options?: O & Exact<O, TripletOptions>,
): Reduced<O> {
  checkTensor(anchor, 'tripletMarginLoss', 'the anchor');
  checkTensor(positive, 'tripletMarginLoss', 'the positive');
  checkTensor(negative, 'tripletMarginLoss', 'the negative');
  checkOptions('tripletMarginLoss', options, TRIPLET_OPTIONS);
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction }: TripletOptions = options ?? {};
  if (!(margin > 0)) throw new ArgumentError(`tripletMarginLoss: margin is ${margin}. Use a number above 0.`);
  const [a, near] = floats('tripletMarginLoss', anchor, positive);
  const [, far] = floats('tripletMarginLoss', anchor, negative);
  checkSame('tripletMarginLoss', positive, negative);
  const distance = (from: Tensor, to: Tensor): Tensor => from.sub(to).add(eps).norm(p, -1);
  const apart = swap ? distance(a, far).minimum(distance(near, far)) : distance(a, far);
  return reduce(distance(a, near).sub(apart).add(margin).relu(), reduction, 'tripletMarginLoss') as Reduced<O>;
}

export interface TripletDistanceOptions extends LossOptions {
  /** Of two embeddings [N, D], one number for each pair. Default: the Euclidean distance. */
  readonly distanceFunction?: (a: Tensor, b: Tensor) => Tensor;
  /** How much farther the negative has to be than the positive. Default 1. */
  readonly margin?: number;
  /** The negative is compared with the nearer one of anchor and positive. Default false. */
  readonly swap?: boolean;
}

const TRIPLET_DISTANCE_OPTIONS: OptionNames<TripletDistanceOptions> = {
  distanceFunction: true,
  margin: true,
  swap: true,
  reduction: true,
};

/** As tripletMarginLoss, with a distance of one's own. PyTorch: F.triplet_margin_with_distance_loss. */
export function tripletMarginWithDistanceLoss<const O extends TripletDistanceOptions = {}>(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: O & Exact<O, TripletDistanceOptions>,
): Reduced<O> {
  const op = 'tripletMarginWithDistanceLoss';
  checkTensor(anchor, op, 'the anchor');
  checkTensor(positive, op, 'the positive');
  checkTensor(negative, op, 'the negative');
  checkOptions(op, options, TRIPLET_DISTANCE_OPTIONS);
  const euclidean = (a: Tensor, b: Tensor): Tensor => a.sub(b).add(1e-6).norm(2, -1);
  const given: TripletDistanceOptions = options ?? {};
  const { distanceFunction = euclidean, margin = 1, swap = false, reduction } = given;
  checkFunction(op, distanceFunction, 'distanceFunction');
  if (!(margin > 0)) throw new ArgumentError(`${op}: margin is ${margin}. Use a number above 0.`);
  const distance = (a: Tensor, b: Tensor): Tensor => {
    const found = distanceFunction(a, b);
    checkTensor(found, op, 'what distanceFunction returned');
    return found;
  };
  const far = distance(anchor, negative);
  const apart = swap ? far.minimum(distance(positive, negative)) : far;
  return reduce(distance(anchor, positive).sub(apart).add(margin).relu(), reduction, op) as Reduced<O>;
}

export interface NtXentOptions extends LossOptions {
  /** Divides the cosine similarities. Default 0.5. */
  readonly temperature?: number;
}

export const NT_XENT_OPTIONS: OptionNames<NtXentOptions> = { temperature: true, reduction: true };

/**
 * Normalised temperature-scaled cross entropy of two views [N, D] of the same samples: each of the 2N embeddings has to
 * find its other view among all others by cosine similarity (Chen et al. 2020, SimCLR). N is at least 1.
 */
export function ntXentLoss<S extends Shape, T extends Shape, const O extends NtXentOptions = {}>(
  first: Tensor<S, DType>,
  second: Tensor<T, DType> & SameShapeArg<'ntXentLoss', S, T>,
  options?: O & Exact<O, NtXentOptions>,
): Reduced<O> {
  checkTensor(first, 'ntXentLoss', 'the first');
  checkTensor(second, 'ntXentLoss', 'the second');
  checkOptions('ntXentLoss', options, NT_XENT_OPTIONS);
  const { temperature = 0.5, reduction }: NtXentOptions = options ?? {};
  if (!(temperature > 0)) throw new ArgumentError(`ntXentLoss: temperature is ${temperature}. Use a number above 0.`);
  const [a, b] = floats('ntXentLoss', first, second);
  const [n, width] = a.shape;
  if (a.shape.length !== 2 || n === 0 || width === 0)
    throw new ShapeError(`ntXentLoss: views ${formatShape(a.shape)}: needs [N, D]`, [a.shape]);
  const both = cat([a, b], 0);
  const unit = both.div(both.norm(2, 1, { keepdim: true }).clamp(1e-8));
  const similar = unit.matmul(unit.transpose(0, 1)).mul(1 / temperature);
  const others = where(eye(2 * n).gt(0), -Infinity, similar);
  const partner = tensor(Int32Array.from({ length: 2 * n }, (_, i) => (i + n) % (2 * n)));
  return crossEntropy(others, partner, { reduction: reduction ?? 'mean' }) as Reduced<O>;
}
