// What layers with parameters compute, as functions of them: linear maps, normalisation; and dropout and shuffling of whole channels.
// Names, defaults and numerics are those of torch.nn.functional. Dropout is always on: whether a model trains is a module's knowledge.

import { checkProbability, drop, kept } from '../tensor/dropout.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  type OptionNames,
  type Shape,
  ShapeError,
  broadcastShapes,
  checkGiven,
  checkList,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
  inUnit,
  sameShape,
  shown,
} from '../tensor/library.js';
import { avgPool1d } from '../tensor/pooling.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** @internal running ← running + weight · (batch − running) */
export function follow(running: Tensor, batch: Tensor, weight: Tensor | number): void {
  const step = batch.reshape(running.shape).sub(running);
  running.assign_(running.add(typeof weight === 'number' ? step.mul(weight) : step.mul(weight)));
}

/** @internal x minus its mean over the dimensions from `start`, divided by the root of its biased variance. */
export function standardise(x: Tensor, start: number, eps: number): Tensor {
  const dims = x.shape.map((_, dim) => dim).filter((dim) => dim >= start);
  const centred = x.sub(x.mean(dims, { keepdim: true }));
  const variance = centred.square().mean(dims, { keepdim: true });
  return centred.mul(variance.add(eps).rsqrt());
}

/** A vector beside the channels of x [N, C, …]. */
function column(x: Tensor, t: Tensor): Tensor {
  return t.reshape(x.shape.map((_, dim) => (dim === 1 ? t.size : 1)));
}

/** @internal x [N, C, …] times weight [C] plus bias [C], as far as they are there. */
export function perChannel(x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined): Tensor {
  const scaled = weight === undefined ? x : x.mul(column(x, weight));
  return bias === undefined ? scaled : scaled.add(column(x, bias));
}

/** @internal Mean and biased variance of each channel of x [N, C, …], as [1, C, 1, …], of so many numbers each. */
export function channelStatistics(
  op: string,
  x: Tensor,
  advice: string,
): [mean: Tensor, variance: Tensor, count: number] {
  const count = x.size / x.shape[1];
  if (count < 2)
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)}: one number a channel has no variance. Use a larger batch, or ${advice}.`,
      [x.shape],
    );
  const others = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
  const mean: Tensor = x.mean(others, { keepdim: true });
  return [mean, x.sub(mean).square().mean(others, { keepdim: true }), count];
}

/** Throws unless those that are given are tensors of this shape. */
function checkShaped(op: string, shape: Shape, tensors: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [what, t] of Object.entries(tensors)) {
    if (t === undefined) continue;
    checkTensor(t, op, what);
    if (!sameShape(t.shape, shape))
      throw new ShapeError(`${op}: ${what} ${formatShape(t.shape)}: needs ${formatShape(shape)}`, [t.shape, shape]);
  }
}

// ---------------------------------------------------------------- linear maps

/** x [..., in] · weightᵀ + bias, for weight [out, in] and bias [out] → [..., out]. PyTorch: F.linear. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor<number[]> {
  checkTensor(x, 'linear', 'the input');
  checkTensor(weight, 'linear', 'the weight');
  if (weight.rank === 1) {
    if (x.shape.at(-1) !== weight.size) throw misfit('linear', x, weight);
    return withBias('linear', x.mul(weight).sum(-1), bias);
  }
  if (weight.rank !== 2 || x.rank === 0 || x.shape.at(-1) !== weight.shape[1]) throw misfit('linear', x, weight);
  return withBias('linear', x.rank === 1 ? weight.matmul(x) : x.matmul(weight.T), bias);
}

function withBias(op: string, y: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return y;
  checkTensor(bias, op, 'the bias');
  broadcastShapes(y.shape, bias.shape, op);
  return y.add(bias);
}

function misfit(op: string, x: AnyTensor, weight: AnyTensor): ShapeError {
  return new ShapeError(`${op}: input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} do not fit`, [
    x.shape,
    weight.shape,
  ]);
}

/** x1ᵀ · weight[o] · x2 + bias[o] for x1 [..., in1], x2 [..., in2], weight [out, in1, in2] → [..., out]. PyTorch: F.bilinear. */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor): Tensor<number[]> {
  const op = 'bilinear';
  checkTensor(x1, op, 'the first input');
  checkTensor(x2, op, 'the second input');
  checkTensor(weight, op, 'the weight');
  const [out, in1, in2] = weight.shape;
  if (weight.rank !== 3 || x1.shape.at(-1) !== in1) throw misfit(op, x1, weight);
  if (x2.shape.at(-1) !== in2 || !sameShape(x1.shape.slice(0, -1), x2.shape.slice(0, -1))) throw misfit(op, x2, weight);
  const lead = x1.shape.slice(0, -1);
  // (…, in1) · (in1, out·in2) → (…, out, in2), then the product with x2 over the last dimension
  const matrix: Tensor = weight.permute([1, 0, 2]).reshape([in1, out * in2] as Shape);
  const half: Tensor = linear(x1, matrix.T);
  const y: Tensor = half
    .reshape([...lead, out, in2] as Shape)
    .mul(x2.unsqueeze(-2))
    .sum(-1);
  return withBias(op, y, bias);
}

// ---------------------------------------------------------------- normalisation

export interface AffineOptions {
  /** Scale and shift. Default: none. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const AFFINE: OptionNames<AffineOptions> = { weight: true, bias: true, eps: true };

function checkEps(op: string, eps: number): void {
  if (!Number.isFinite(eps)) throw new ArgumentError(`${op}: eps is ${shown(eps)}. Use a number.`);
}

/** The dimensions that x ends with, from which it is normalised. */
function startOf(op: string, x: Tensor, sizes: readonly number[]): number {
  checkList(op, 'normalizedShape', sizes, 'sizes');
  const start = x.rank - sizes.length;
  if (sizes.length > 0 && start >= 0 && sameShape(x.shape.slice(start), sizes)) return start;
  throw new ShapeError(`${op}: input ${formatShape(x.shape)}: does not end in normalizedShape ${formatShape(sizes)}`, [
    x.shape,
  ]);
}

/** x normalised over its last dimensions, `normalizedShape`, with weight and bias of that shape. PyTorch: F.layer_norm. */
export function layerNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  options: AffineOptions = {},
): Tensor<number[]> {
  checkTensor(x, 'layerNorm', 'the input');
  checkOptions('layerNorm', options, AFFINE);
  const { weight, bias, eps = 1e-5 } = options;
  checkEps('layerNorm', eps);
  const start = startOf('layerNorm', x, normalizedShape);
  checkShaped('layerNorm', normalizedShape, { weight, bias });
  const y = standardise(x, start, eps);
  const scaled = weight === undefined ? y : y.mul(weight);
  return bias === undefined ? scaled : scaled.add(bias);
}

export interface RMSNormArguments {
  /** Default: none. */
  readonly weight?: Tensor;
  /** Added to the mean square. Default: the distance of numbers at 1, 2⁻²³ or in float64 2⁻⁵². */
  readonly eps?: number;
}

/** x divided by its root mean square over its last dimensions, `normalizedShape`, times weight. PyTorch: F.rms_norm. */
export function rmsNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  options: RMSNormArguments = {},
): Tensor<number[]> {
  checkTensor(x, 'rmsNorm', 'the input');
  checkOptions('rmsNorm', options, { weight: true, eps: true });
  const given: AnyTensor = x;
  const { weight, eps = given.dtype === 'float64' ? 2 ** -52 : 2 ** -23 } = options;
  checkEps('rmsNorm', eps);
  const start = startOf('rmsNorm', x, normalizedShape);
  checkShaped('rmsNorm', normalizedShape, { weight });
  const dims = x.shape.map((_, dim) => dim).filter((dim) => dim >= start);
  const y = x.mul(x.square().mean(dims, { keepdim: true }).add(eps).rsqrt());
  return weight === undefined ? y : y.mul(weight);
}

/** x [N, C, …]: the channels in groups, each normalised by its own mean and variance; weight and bias [C]. PyTorch: F.group_norm. */
export function groupNorm(x: Tensor, numGroups: number, options: AffineOptions = {}): Tensor<number[]> {
  const op = 'groupNorm';
  checkTensor(x, op, 'the input');
  checkOptions(op, options, AFFINE);
  const { weight, bias, eps = 1e-5 } = options;
  checkEps(op, eps);
  if (x.rank < 2) throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs [N, C, ...]`, [x.shape]);
  checkShaped(op, [x.shape[1]], { weight, bias });
  checkWhole(op, 'numGroups', numGroups, 1);
  if (x.shape[1] % numGroups !== 0)
    throw new ArgumentError(`${op}: ${numGroups} groups do not divide ${x.shape[1]} channels.`);
  const perGroup = x.shape.slice(1).reduce((a, b) => a * b, 1) / numGroups;
  const groups = x.reshape([x.shape[0], numGroups, perGroup] as readonly number[]);
  return perChannel(standardise(groups, 2, eps).reshape(x.shape), weight, bias);
}

export interface BatchNormArguments extends AffineOptions {
  /** Whether the statistics are those of the batch, which the running ones then follow. Default false. */
  readonly training?: boolean;
  /** Weight of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
}

const BATCH_NORM: OptionNames<BatchNormArguments> = { ...AFFINE, training: true, momentum: true };

/**
 * x [N, C, …] normalised per channel by running statistics [C], or in training by the batch's own, which the running ones then follow at
 * the next run; weight and bias [C]. PyTorch: F.batch_norm.
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | undefined,
  runningVar: Tensor | undefined,
  options: BatchNormArguments = {},
): Tensor<number[]> {
  const op = 'batchNorm';
  checkTensor(x, op, 'the input');
  checkOptions(op, options, BATCH_NORM);
  const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = options;
  checkEps(op, eps);
  checkNumber(op, 'momentum', momentum);
  if (x.rank < 2) throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs [N, C, ...]`, [x.shape]);
  checkShaped(op, [x.shape[1]], { runningMean, runningVar, weight, bias });
  if (training) {
    const [mean, variance, count] = channelStatistics(op, x, 'running statistics');
    inUnit(() =>
      withoutGrad(() => {
        if (runningMean !== undefined) follow(runningMean, mean, momentum);
        if (runningVar !== undefined) follow(runningVar, variance.mul(count / (count - 1)), momentum);
      }),
    );
    return perChannel(x.sub(mean).mul(variance.add(eps).rsqrt()), weight, bias);
  }
  if (runningMean === undefined || runningVar === undefined)
    throw new ArgumentError(`${op}: running statistics are missing. Give them, or set training.`);
  return perChannel(normalised(x, runningMean, runningVar, eps), weight, bias);
}

/** x [N, C, …] by a mean and a variance for each channel. */
function normalised(x: Tensor, mean: Tensor, variance: Tensor, eps: number): Tensor {
  return x.sub(column(x, mean)).mul(column(x, variance).add(eps).rsqrt());
}

export interface InstanceNormArguments extends AffineOptions {
  /** Running statistics [C]: what x is normalised by without `useInputStats`, and what follows the mean of the images' own with it. */
  readonly runningMean?: Tensor;
  readonly runningVar?: Tensor;
  /** Default true: each channel of each image is normalised by its own statistics. */
  readonly useInputStats?: boolean;
  /** Weight of the new images in the running statistics. Default 0.1. */
  readonly momentum?: number;
}

const INSTANCE_NORM: OptionNames<InstanceNormArguments> = {
  ...AFFINE,
  runningMean: true,
  runningVar: true,
  useInputStats: true,
  momentum: true,
};

/**
 * x [N, C, …]: each channel of each image normalised by its own mean and variance, or by running ones; weight and bias [C]. PyTorch:
 * F.instance_norm.
 */
export function instanceNorm(x: Tensor, options: InstanceNormArguments = {}): Tensor<number[]> {
  const op = 'instanceNorm';
  checkTensor(x, op, 'the input');
  checkOptions(op, options, INSTANCE_NORM);
  const { weight, bias, eps = 1e-5, runningMean, runningVar, useInputStats = true, momentum = 0.1 } = options;
  checkEps(op, eps);
  checkNumber(op, 'momentum', momentum);
  if (x.rank < 3) throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs [N, C, L, ...]`, [x.shape]);
  checkShaped(op, [x.shape[1]], { runningMean, runningVar, weight, bias });
  if (useInputStats) {
    followImages(x, runningMean, runningVar, momentum);
    return perChannel(standardise(x, 2, eps), weight, bias);
  }
  if (runningMean === undefined || runningVar === undefined)
    throw new ArgumentError(`${op}: running statistics are missing. Give them, or set useInputStats.`);
  return perChannel(normalised(x, runningMean, runningVar, eps), weight, bias);
}

/** Running statistics follow the mean over the images of each one's own. */
function followImages(x: Tensor, mean: Tensor | undefined, variance: Tensor | undefined, momentum: number): void {
  if (mean === undefined && variance === undefined) return;
  inUnit(() =>
    withoutGrad(() => {
      const flat = x.reshape([x.shape[0], x.shape[1], -1] as readonly number[]);
      if (mean !== undefined) follow(mean, flat.mean(2).mean(0), momentum);
      if (variance !== undefined) follow(variance, flat.var(2).mean(0), momentum);
    }),
  );
}

export interface LocalResponseOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/** x [N, C, L, …] divided by (k + α/size · Σ x²)^β, the sum over `size` neighbouring channels. PyTorch: F.local_response_norm. */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseOptions = {}): Tensor<number[]> {
  const op = 'localResponseNorm';
  checkTensor(x, op, 'the input');
  checkOptions(op, options, { alpha: true, beta: true, k: true });
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  checkGiven(checkNumber, op, { alpha, beta, k });
  checkWhole(op, 'size', size, 1);
  if (x.rank < 3) throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs [N, C, L, ...]`, [x.shape]);
  const [batch, channels] = x.shape;
  // (N, C, …) → (N, positions, C), so that neighbouring channels are a window
  const positions = x.shape.slice(2).reduce((a, b) => a * b, 1);
  const line: Tensor = x
    .square()
    .reshape([batch, channels, positions] as Shape)
    .transpose(1, 2);
  const padded = line.pad([[Math.floor(size / 2), Math.floor((size - 1) / 2)]]);
  const means: Tensor = avgPool1d(padded, size, { stride: 1 }).transpose(1, 2).reshape(x.shape);
  return x.mul(means.mul(alpha).add(k).pow(-beta));
}

// ---------------------------------------------------------------- channels

/** Channels of x [N, C, …] in groups, then one of each group after the other (Zhang et al. 2018). PyTorch: F.channel_shuffle. */
export function channelShuffle<S extends Shape>(x: Tensor<S>, groups: number): Tensor<S> {
  const op = 'channelShuffle';
  checkTensor(x, op, 'the input');
  const { shape } = x as { readonly shape: readonly number[] };
  if (shape.length < 3) throw new ShapeError(`${op}: input ${formatShape(shape)}: needs [N, C, L, ...]`, [shape]);
  const [n, channels, ...rest] = shape;
  checkWhole(op, 'the number of groups', groups, 1);
  if (channels % groups !== 0) throw new ArgumentError(`${op}: ${groups} groups do not divide ${channels} channels.`);
  const apart: Tensor = x.reshape([n, groups, channels / groups, ...rest] as Shape);
  const turned: Tensor = apart.transpose(1, 2);
  return turned.reshape(shape);
}

/** Whole channels of [N, C, …] or of [C, …] with `spatial` more dimensions: one draw for each. */
function dropChannels(op: string, x: Tensor, p: number, spatial: number): Tensor {
  checkTensor(x, op, 'the input');
  checkProbability(p, `${op}: p`);
  if (x.rank !== spatial + 1 && x.rank !== spatial + 2)
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs ${spatial + 1} or ${spatial + 2} dimensions`, [
      x.shape,
    ]);
  const lead = x.rank - spatial;
  return drop(
    x,
    p,
    x.shape.map((n, i) => (i < lead ? n : 1)),
  );
}

/** Whole channels of x [N, C, L] or [C, L] zero with probability p, the others times 1 / (1 − p). PyTorch: F.dropout1d in training. */
export function dropout1d<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  return dropChannels('dropout1d', x, p, 1);
}

/** Whole channels of x [N, C, H, W] or [C, H, W] zero with probability p, the others times 1 / (1 − p). PyTorch: F.dropout2d in training. */
export function dropout2d<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  return dropChannels('dropout2d', x, p, 2);
}

/** Whole channels of x [N, C, D, H, W] or [C, D, H, W] zero with probability p, the others times 1 / (1 − p). PyTorch: F.dropout3d in training. */
export function dropout3d<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  return dropChannels('dropout3d', x, p, 3);
}

/** What SELU approaches at −∞: −λ·α. */
const SELU_FLOOR = -1.7580993408473766;

/** @internal Alpha dropout with one draw for each element of `shape`, which broadcasts to x. */
export function alphaDrop(x: Tensor, p: number, shape: Shape): Tensor {
  if (p === 0) return x;
  if (p === 1) return x.mul(0);
  const scale = 1 / Math.sqrt((SELU_FLOOR ** 2 * p + 1) * (1 - p));
  const keep = kept(shape, p);
  const mixed = x.mul(keep).add(keep.mul(-SELU_FLOOR).add(SELU_FLOOR));
  return mixed.mul(scale).add(-scale * SELU_FLOOR * p);
}

/** For networks of SELUs: each element SELU's lowest value with probability p, scaled so that mean 0 and variance 1 stay. PyTorch: F.alpha_dropout in training. */
export function alphaDropout<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  checkTensor(x, 'alphaDropout', 'the input');
  checkProbability(p, 'alphaDropout: p');
  return alphaDrop(x, p, x.shape);
}

/** As alphaDropout, of whole channels of x [N, C, …]. PyTorch: F.feature_alpha_dropout in training. */
export function featureAlphaDropout<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  checkTensor(x, 'featureAlphaDropout', 'the input');
  checkProbability(p, 'featureAlphaDropout: p');
  const { shape } = x as { readonly shape: readonly number[] };
  if (shape.length < 2)
    throw new ShapeError(`featureAlphaDropout: input ${formatShape(shape)}: needs [N, C, ...]`, [shape]);
  return alphaDrop(
    x,
    p,
    shape.map((n, i) => (i < 2 ? n : 1)),
  );
}
