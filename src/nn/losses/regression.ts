// Losses of numbers: the distance between a prediction and a target of the same shape.

import type { Exact } from '../../tensor/shape-types/options.js';
import { where } from '../../tensor/functions.js';
import type { SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import { ArgumentError, checkOptions, type DType, type OptionNames, type Shape } from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { floats, LOSS_OPTIONS, type LossOptions, reduce, type Reduced, tell } from './common.js';

/** (prediction − target)². PyTorch: F.mse_loss. */
export function mseLoss<S extends Shape, T extends Shape, const O extends LossOptions = {}>(
  prediction: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'mseLoss', S, T>,
  options?: O & Exact<O, LossOptions>,
): Reduced<O> {
  checkTensor(prediction, 'mseLoss', 'the prediction');
  checkTensor(target, 'mseLoss', 'the target');
  checkOptions('mseLoss', options, LOSS_OPTIONS);
  const [x, y] = floats('mseLoss', prediction, target);
  const each = x.sub(y).square();
  return tell('mseLoss', prediction, target, reduce(each, options?.reduction, 'mseLoss')) as Reduced<O>;
}

/** |prediction − target|. PyTorch: F.l1_loss. */
export function l1Loss<S extends Shape, T extends Shape, const O extends LossOptions = {}>(
  prediction: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'l1Loss', S, T>,
  options?: O & Exact<O, LossOptions>,
): Reduced<O> {
  checkTensor(prediction, 'l1Loss', 'the prediction');
  checkTensor(target, 'l1Loss', 'the target');
  checkOptions('l1Loss', options, LOSS_OPTIONS);
  const [x, y] = floats('l1Loss', prediction, target);
  const each = x.sub(y).abs();
  return tell('l1Loss', prediction, target, reduce(each, options?.reduction, 'l1Loss')) as Reduced<O>;
}

export interface HuberOptions extends LossOptions {
  /** Where the square becomes a straight line. Default 1. */
  readonly delta?: number;
}

export const HUBER_OPTIONS: OptionNames<HuberOptions> = { reduction: true, delta: true };

/** d²/2 for |d| ≤ δ, else δ·(|d| − δ/2), of d = prediction − target. Huber 1964; PyTorch: F.huber_loss. */
export function huberLoss<S extends Shape, T extends Shape, const O extends HuberOptions = {}>(
  prediction: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'huberLoss', S, T>,
  options?: O & Exact<O, HuberOptions>,
): Reduced<O> {
  checkTensor(prediction, 'huberLoss', 'the prediction');
  checkTensor(target, 'huberLoss', 'the target');
  checkOptions('huberLoss', options, HUBER_OPTIONS);
  const { delta = 1, reduction }: HuberOptions = options ?? {};
  if (!(delta > 0)) throw new ArgumentError(`huberLoss: delta is ${delta}. Use a number above 0.`);
  const [x, y] = floats('huberLoss', prediction, target);
  const each = huber(x.sub(y), delta);
  return tell('huberLoss', prediction, target, reduce(each, reduction, 'huberLoss')) as Reduced<O>;
}

export interface SmoothL1Options extends LossOptions {
  /** Where the square becomes a straight line; 0 is the L1 loss. Default 1. */
  readonly beta?: number;
}

export const SMOOTH_L1_OPTIONS: OptionNames<SmoothL1Options> = { reduction: true, beta: true };

/** d²/2β for |d| < β, else |d| − β/2, of d = prediction − target. Girshick 2015; PyTorch: F.smooth_l1_loss. */
export function smoothL1Loss<S extends Shape, T extends Shape, const O extends SmoothL1Options = {}>(
  prediction: Tensor<S, DType>,
  target: Tensor<T, DType> & SameShapeArg<'smoothL1Loss', S, T>,
  options?: O & Exact<O, SmoothL1Options>,
): Reduced<O> {
  checkTensor(prediction, 'smoothL1Loss', 'the prediction');
  checkTensor(target, 'smoothL1Loss', 'the target');
  checkOptions('smoothL1Loss', options, SMOOTH_L1_OPTIONS);
  const { beta = 1, reduction }: SmoothL1Options = options ?? {};
  if (!(beta >= 0)) throw new ArgumentError(`smoothL1Loss: beta is ${beta}. Use a number of at least 0.`);
  const [x, y] = floats('smoothL1Loss', prediction, target);
  const d = x.sub(y);
  const each = beta === 0 ? d.abs() : huber(d, beta).mul(1 / beta);
  return tell('smoothL1Loss', prediction, target, reduce(each, reduction, 'smoothL1Loss')) as Reduced<O>;
}

function huber(d: Tensor, delta: number): Tensor {
  const size = d.abs();
  const square = d.square().mul(0.5);
  return where(size.le(delta), square, size.sub(delta / 2).mul(delta));
}
