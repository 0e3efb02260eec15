// Negative log-likelihoods of counts and of normal numbers, and the focal loss of detections.

import type { BroadcastArg, SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import type { Exact } from '../../tensor/shape-types/options.js';
import { where } from '../../tensor/functions.js';
import {
  broadcastShapes,
  checkedElements,
  checkGiven,
  checkNumber,
  checkOptions,
  formatShape,
  type DType,
  type OptionNames,
  type Shape,
  sameShape,
  ShapeError,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type LossOptions, type Reduced, checkFloat, floats, reduce, tell, warnOfProbabilities } from './common.js';

export interface PoissonNllOptions extends LossOptions {
  /** The input is the logarithm of the rate. Default true. */
  readonly logInput?: boolean;
  /** With Stirling's approximation of log target!, which does not depend on the input. Default false. */
  readonly full?: boolean;
  /** Added under the logarithm of a rate. Default 1e-8. */
  readonly eps?: number;
}

export const POISSON_NLL_OPTIONS: OptionNames<PoissonNllOptions> = {
  logInput: true,
  full: true,
  eps: true,
  reduction: true,
};

/** e^x − target·x of the logarithm x of a rate, or rate − target·log(rate + eps). PyTorch: F.poisson_nll_loss. */
export function poissonNllLoss<S extends Shape, T extends Shape, const O extends PoissonNllOptions = {}>(
  input: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'poissonNllLoss', S, T>,
  options?: O & Exact<O, PoissonNllOptions>,
): Reduced<O> {
  const op = 'poissonNllLoss';
  checkTensor(input, op, 'the input');
  checkTensor(target, op, 'the target');
  checkOptions(op, options, POISSON_NLL_OPTIONS);
  const { logInput = true, full = false, eps = 1e-8, reduction }: PoissonNllOptions = options ?? {};
  checkNumber(op, 'eps', eps);
  const [x, t] = floats(op, input, target);
  const plain = logInput ? x.exp().sub(t.mul(x)) : x.sub(t.mul(x.add(eps).log()));
  const isLarge = t.gt(1);
  const safe = where(isLarge, t, 2);
  const stirling = safe
    .mul(safe.log())
    .sub(safe)
    .add(
      safe
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    );
  const each = full ? plain.add(where(isLarge, stirling, 0)) : plain;
  return tell(op, input, target, reduce(each, reduction, op)) as Reduced<O>;
}

export interface GaussianNllOptions extends LossOptions {
  /** With ½·log 2π, which depends on nothing. Default false. */
  readonly full?: boolean;
  /** The variance is at least this. Default 1e-6. */
  readonly eps?: number;
}

export const GAUSSIAN_NLL_OPTIONS: OptionNames<GaussianNllOptions> = { full: true, eps: true, reduction: true };

/**
 * ½·(log v + (input − target)² / v) for a normal target with this mean and variance v, which has the input's shape, or one number for each
 * of its last dimension. The target broadcasts to the input, or the input to the target. A variance below 0 is an IndexError when the loss is computed. PyTorch: F.gaussian_nll_loss.
 */
export function gaussianNllLoss<S extends Shape, T extends Shape, const O extends GaussianNllOptions = {}>(
  input: Tensor<S, DType>,
  target: Tensor<T, DType> & BroadcastArg<'gaussianNllLoss', S, T>,
  variance: AnyTensor | number,
  options?: O & Exact<O, GaussianNllOptions>,
): Reduced<O> {
  const op = 'gaussianNllLoss';
  checkTensor(input, op, 'the input');
  checkTensor(target, op, 'the target');
  if (typeof variance !== 'number') checkTensor(variance, op, 'the variance');
  checkOptions(op, options, GAUSSIAN_NLL_OPTIONS);
  const { full = false, eps = 1e-6, reduction }: GaussianNllOptions = options ?? {};
  checkGiven(checkNumber, op, { eps });
  const [x, t] = [checkFloat(input, op), checkFloat(target, op)];
  broadcastShapes(x.shape, t.shape, op);
  const v =
    typeof variance === 'number' ? x.detach().mul(0).add(variance) : varianceOf(op, checkFloat(variance, op), x);
  const checked: Tensor = checkedElements(v, v.lt(0), `${op}: {index} of ${v.size} variances are below 0.`);
  // the slope is that of the variance below eps, too, as in PyTorch
  const raised = checked.add(checked.maximum(eps).sub(checked).detach());
  const plain = raised.log().add(x.sub(t).square().div(raised)).mul(0.5);
  const each = full ? plain.add(0.5 * Math.log(2 * Math.PI)) : plain;
  return tell(op, input, target, reduce(each, reduction, op)) as Reduced<O>;
}

function varianceOf(op: string, variance: Tensor, x: Tensor): Tensor {
  if (sameShape(variance.shape, x.shape)) return variance;
  const lead = x.shape.slice(0, -1);
  if (x.rank > 0 && sameShape(variance.shape, lead)) return variance.unsqueeze(-1);
  if (x.rank > 0 && sameShape(variance.shape, [...lead, 1])) return variance;
  throw new ShapeError(
    `${op}: variance ${formatShape(variance.shape)} does not fit ${formatShape(x.shape)}: needs the same, or ${formatShape(lead)}`,
    [variance.shape, x.shape],
  );
}

export interface FocalOptions extends LossOptions {
  /** What a target of 1 counts, and 1 − α one of 0; below 0 all count the same. Default 0.25. */
  readonly alpha?: number;
  /** How much less what is right already counts. Default 2. */
  readonly gamma?: number;
}

export const FOCAL_OPTIONS: OptionNames<FocalOptions> = { alpha: true, gamma: true, reduction: true };

/**
 * α·(1 − p)^γ · (−log p) of the probability p that the logit gives the target (Lin et al. 2017). torchvision:
 * ops.sigmoid_focal_loss, which is not reduced unless asked.
 */
export function focalLoss<S extends Shape, T extends Shape, const O extends FocalOptions = {}>(
  logits: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'focalLoss', S, T>,
  options?: O & Exact<O, FocalOptions>,
): Reduced<O> {
  const op = 'focalLoss';
  checkTensor(logits, op, 'the logits');
  checkTensor(target, op, 'the target');
  checkOptions(op, options, FOCAL_OPTIONS);
  const { alpha = 0.25, gamma = 2, reduction }: FocalOptions = options ?? {};
  checkGiven(checkNumber, op, { alpha, gamma });
  const [x, y] = floats(op, logits, target);
  warnOfProbabilities(op, logits);
  const rest = y.neg().add(1);
  const missing = x.neg().sigmoid().mul(y).add(x.sigmoid().mul(rest)); // 1 − p, without a difference
  const plain = x.softplus().sub(x.mul(y)).mul(missing.pow(gamma));
  const each = alpha >= 0 ? plain.mul(y.mul(alpha).add(rest.mul(1 - alpha))) : plain;
  return tell(op, logits, target, reduce(each, reduction, op)) as Reduced<O>;
}
