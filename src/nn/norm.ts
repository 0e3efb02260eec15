// Normalisation layers.

import {
  ArgumentError,
  checkOptions,
  formatShape,
  inUnit,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
  sizeOf,
  shown,
} from '../tensor/library.js';
import { checkProbability } from '../tensor/dropout.js';
import type { Mutable } from '../tensor/shape-types/shape.js';
import type { Dims } from '../tensor/shape-types/window.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { tensor } from '../tensor/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { channelStatistics, follow, localResponseNorm, perChannel, standardise } from './functional-layers.js';
import * as init from './init.js';
import type { Module } from './module.js';
import { Layer, batched, checkChannels, checkCount, checkFloat, checkLast, checkNumber } from './layer.js';
import { Buffer, Parameter } from './parameter.js';
import { POINT, type ReceptiveField } from './receptive-field.js';
import type { BatchNormFn, ChannelNormFn, GroupNormFn, IdentityFn, LayerNormFn } from './shape-types.js';

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics; null for their plain average. Default 0.1. */
  readonly momentum?: number | null;
  /** Learned scale and shift. Default true. */
  readonly affine?: boolean;
  /** Keep running statistics and use them in evaluation; without, the batch's own serve there, too. Default true. */
  readonly trackRunningStats?: boolean;
}

const BATCH_NORM_OPTIONS: OptionNames<BatchNormOptions> = {
  eps: true,
  momentum: true,
  affine: true,
  trackRunningStats: true,
};

/** How batches are measured where they are not one process's alone. */
export interface BatchStatistics {
  /** Mean, biased and unbiased variance of each channel of x [N, C, …], as [1, C, 1, …]; `name` is the layer's, for errors. */
  measure(name: string, x: Tensor): readonly [mean: Tensor, variance: Tensor, unbiased: Tensor];
  /** What the layer gives. */
  finish(y: Tensor): Tensor;
}

function measure(name: string, x: Tensor): readonly [mean: Tensor, variance: Tensor, unbiased: Tensor] {
  const [mean, variance, count] = channelStatistics(name, x, 'eval()');
  return [mean, variance, variance.mul(count / (count - 1))];
}

/** Has all batch normalisations in a module measure their batches by `statistics` in training, or themselves; gives their number. */
export function measureBatchesBy(module: Module, statistics: BatchStatistics | undefined): number {
  let count = 0;
  for (const [, part] of module.namedModules()) {
    if (!(part instanceof BatchNorm)) continue;
    part.measureBy(statistics);
    count++;
  }
  return count;
}

/**
 * Normalises each channel over everything else: by the batch's mean and (biased) variance in training, by the running
 * ones otherwise. Ioffe and Szegedy 2015; numerics of PyTorch's nn.BatchNorm.
 */
abstract class BatchNorm<D extends Dims, C extends number> extends Layer<BatchNormFn<D, C>> {
  readonly weight: Parameter<[C]> | undefined;
  readonly bias: Parameter<[C]> | undefined;
  readonly runningMean: Buffer<[C]> | undefined;
  readonly runningVar: Buffer<[C]> | undefined;
  readonly numBatchesTracked: Buffer<[], 'int32'> | undefined;
  readonly numFeatures: C;
  readonly eps: number;
  readonly momentum: number | null;
  /** Measures the batch in training, where that is not this process's alone. */
  private statistics: BatchStatistics | undefined;

  /** What the input has to be: its ranks, and their text for errors. */
  protected abstract readonly layout: {
    readonly name: string;
    readonly ranks: readonly number[];
    readonly text: string;
  };

  constructor(numFeatures: C, options: BatchNormOptions = {}) {
    checkOptions(new.target.name, options, BATCH_NORM_OPTIONS);
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    const { name } = this.constructor;
    checkCount(numFeatures, 1, `${name}: numFeatures`);
    checkEps(name, eps);
    if (momentum !== null) checkProbability(momentum, `${name}: momentum`);
    const size: [C] = [numFeatures];
    this.weight = affine ? new Parameter<[C]>(init.constant(size, 1)) : undefined;
    this.bias = affine ? new Parameter<[C]>(init.constant(size, 0)) : undefined;
    this.runningMean = trackRunningStats ? new Buffer<[C]>(init.constant(size, 0)) : undefined;
    this.runningVar = trackRunningStats ? new Buffer<[C]>(init.constant(size, 1)) : undefined;
    this.numBatchesTracked = trackRunningStats ? new Buffer(tensor(Int32Array.of(0), { shape: [] })) : undefined;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
  }

  protected compute(x: Tensor): Tensor {
    const { name, ranks, text } = this.layout;
    const features = this.numFeatures;
    checkFloat(name, x);
    if (!ranks.includes(x.rank))
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs ${text}`, [x.shape]);
    checkChannels(name, x.shape, 1, features, 'numFeatures');
    // statistics as [1, C, 1, 1], to go with x [N, C, H, W]
    const perChannel = x.shape.map((_, dim) => (dim === 1 ? features : 1));
    const column = (t: Tensor): Tensor => t.reshape(perChannel);
    const { runningMean, runningVar } = this;
    const [mean, variance]: readonly Tensor[] =
      this.training || runningMean === undefined || runningVar === undefined
        ? this.measure(x)
        : [column(runningMean), column(runningVar)];
    const normal = x.sub(mean).mul(variance.add(this.eps).rsqrt());
    const { weight, bias } = this;
    const y = weight === undefined || bias === undefined ? normal : normal.mul(column(weight)).add(column(bias));
    return this.training && this.statistics !== undefined ? this.statistics.finish(y) : y;
  }

  /** Mean and variance of the batch, which the running ones move towards. */
  private measure(x: Tensor): readonly [mean: Tensor, variance: Tensor] {
    const { name } = this.layout;
    const shared = this.training ? this.statistics : undefined;
    const [mean, variance, unbiased] = shared === undefined ? measure(name, x) : shared.measure(name, x);
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (this.training && runningMean !== undefined && runningVar !== undefined && numBatchesTracked !== undefined) {
      const update = (): void => {
        const batches = numBatchesTracked.add(1);
        numBatchesTracked.assign_(batches);
        const weight = this.momentum ?? batches.to(mean.dtype).reciprocal();
        follow(runningMean, mean, weight);
        follow(runningVar, unbiased, weight);
      };
      inUnit(() => withoutGrad(update));
    }
    return [mean, variance];
  }

  /** Has batches measured by `statistics` in training; `measureBatchesBy` calls it. */
  measureBy(statistics: BatchStatistics | undefined): void {
    this.statistics = statistics;
  }

  /** Of a trained network: in training every position depends on the whole batch. */
  protected override window(): ReceptiveField {
    return POINT;
  }

  protected override describe(): string {
    return `${this.numFeatures}`;
  }
}

/** x [N, C] or [N, C, L], normalised per channel. PyTorch: nn.BatchNorm1d. */
export class BatchNorm1d<const C extends number> extends BatchNorm<1, C> {
  protected readonly layout = { name: 'BatchNorm1d', ranks: [2, 3], text: '[N, C] or [N, C, L]' };
}

/** x [N, C, H, W], normalised per channel. PyTorch: nn.BatchNorm2d. */
export class BatchNorm2d<const C extends number> extends BatchNorm<2, C> {
  protected readonly layout = { name: 'BatchNorm2d', ranks: [4], text: '[N, C, H, W]' };
}

/** x [N, C, D, H, W], normalised per channel. PyTorch: nn.BatchNorm3d. */
export class BatchNorm3d<const C extends number> extends BatchNorm<3, C> {
  protected readonly layout = { name: 'BatchNorm3d', ranks: [5], text: '[N, C, D, H, W]' };
}

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learned scale and shift. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether the learned part has a shift. Default true. */
  readonly bias?: boolean;
}

const LAYER_NORM_OPTIONS: OptionNames<LayerNormOptions> = { eps: true, elementwiseAffine: true, bias: true };

/** The last sizes of an input: one number, or several. */
type Sizes<Size extends number | Shape> = Size extends number ? [Size] : Size extends Shape ? Mutable<Size> : number[];

/** The sizes as a list, checked. */
function sizesOf<const Size extends number | Shape>(name: string, size: Size): Sizes<Size> {
  if (typeof size !== 'number' && !Array.isArray(size))
    throw new ArgumentError(`${name}: normalizedShape is ${shown(size)}. Use a size or a list of sizes.`);
  const sizes = typeof size === 'number' ? [size] : [...(size as Shape)];
  if (sizes.length === 0) throw new ArgumentError(`${name}: normalizedShape is []. Give at least one size.`);
  for (const n of sizes) checkCount(n, 1, `${name}: normalizedShape`);
  return sizes as Sizes<Size>;
}

/** Throws unless the input ends in these sizes. */
function checkEnd(name: string, x: Tensor, sizes: readonly number[]): void {
  checkFloat(name, x);
  if (sizes.length === 1) return checkLast(name, x.shape, sizes[0], 'normalizedShape');
  if (x.rank >= sizes.length && sameShape(x.shape.slice(-sizes.length), sizes)) return;
  throw new ShapeError(
    `${name}: input ${formatShape(x.shape)}: does not end in normalizedShape ${formatShape(sizes)}`,
    [x.shape],
  );
}

function checkEps(name: string, eps: number): void {
  if (!(eps >= 0 && eps < Infinity)) throw new ArgumentError(`${name}: eps is ${eps}. Use a number of at least 0.`);
}

/**
 * x [..., size], normalised over the last dimension (or the last few: `new LayerNorm([C, H, W])`) by mean and biased variance;
 * weight and bias have the shape of what is normalised. PyTorch: nn.LayerNorm (Ba et al. 2016).
 */
export class LayerNorm<const Size extends number | Shape> extends Layer<LayerNormFn<Size>> {
  readonly weight: Parameter<Sizes<Size>> | undefined;
  readonly bias: Parameter<Sizes<Size>> | undefined;
  readonly normalizedShape: Sizes<Size>;
  readonly eps: number;

  constructor(size: Size, options: LayerNormOptions = {}) {
    checkOptions(new.target.name, options, LAYER_NORM_OPTIONS);
    const { eps = 1e-5, bias = true, elementwiseAffine = true } = options;
    super();
    const sizes = sizesOf('LayerNorm', size);
    checkEps('LayerNorm', eps);
    this.weight = elementwiseAffine ? new Parameter<Sizes<Size>>(init.constant(sizes, 1)) : undefined;
    this.bias = elementwiseAffine && bias ? new Parameter<Sizes<Size>>(init.constant(sizes, 0)) : undefined;
    this.normalizedShape = sizes;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    const sizes: readonly number[] = this.normalizedShape;
    checkEnd('LayerNorm', x, sizes);
    const y = standardise(x, x.rank - sizes.length, this.eps);
    const scaled = this.weight === undefined ? y : y.mul(this.weight);
    return this.bias === undefined ? scaled : scaled.add(this.bias);
  }

  protected override describe(): string {
    return describeSizes(this.normalizedShape);
  }
}

function describeSizes(sizes: Shape): string {
  return sizes.length === 1 ? `${sizes[0]}` : formatShape(sizes);
}

export interface RMSNormOptions {
  /** Added to the mean square. Default 2^-23, the distance of float32 numbers at 1. */
  readonly eps?: number;
  /** A learned scale. Default true. */
  readonly elementwiseAffine?: boolean;
}

const RMS_NORM_OPTIONS: OptionNames<RMSNormOptions> = { eps: true, elementwiseAffine: true };

/**
 * x [..., size] divided by its root mean square over the last dimension (or the last few), times weight. PyTorch: nn.RMSNorm
 * (Zhang and Sennrich 2019).
 */
export class RMSNorm<const Size extends number | Shape> extends Layer<LayerNormFn<Size, 'RMSNorm'>> {
  readonly weight: Parameter<Sizes<Size>> | undefined;
  readonly normalizedShape: Sizes<Size>;
  readonly eps: number;

  constructor(size: Size, options: RMSNormOptions = {}) {
    checkOptions(new.target.name, options, RMS_NORM_OPTIONS);
    const { eps = 2 ** -23, elementwiseAffine = true } = options;
    super();
    const sizes = sizesOf('RMSNorm', size);
    checkEps('RMSNorm', eps);
    this.weight = elementwiseAffine ? new Parameter<Sizes<Size>>(init.constant(sizes, 1)) : undefined;
    this.normalizedShape = sizes;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    const sizes: readonly number[] = this.normalizedShape;
    checkEnd('RMSNorm', x, sizes);
    const dims = sizes.map((_, i) => i - sizes.length);
    const square = x.square().mean(dims, { keepdim: true });
    const y = x.mul(square.add(this.eps).rsqrt());
    return this.weight === undefined ? y : y.mul(this.weight);
  }

  protected override describe(): string {
    return describeSizes(this.normalizedShape);
  }
}

export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learned scale and shift, one for each channel. Default true. */
  readonly affine?: boolean;
}

const GROUP_NORM_OPTIONS: OptionNames<GroupNormOptions> = { eps: true, affine: true };

/**
 * x [N, C, …]: the channels in `numGroups` groups, each normalised by its own mean and biased variance. PyTorch:
 * nn.GroupNorm (Wu and He 2018).
 */
export class GroupNorm<const C extends number> extends Layer<GroupNormFn<C>> {
  readonly numGroups: number;
  readonly numChannels: C;
  readonly weight: Parameter<[C]> | undefined;
  readonly bias: Parameter<[C]> | undefined;
  readonly eps: number;

  constructor(numGroups: number, numChannels: C, options: GroupNormOptions = {}) {
    checkOptions(new.target.name, options, GROUP_NORM_OPTIONS);
    const { eps = 1e-5, affine = true } = options;
    super();
    checkCount(numGroups, 1, 'GroupNorm: numGroups');
    checkCount(numChannels, 1, 'GroupNorm: numChannels');
    if (numChannels % numGroups !== 0)
      throw new ArgumentError(`GroupNorm: ${numGroups} groups do not divide ${numChannels} channels.`);
    checkEps('GroupNorm', eps);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.weight = affine ? new Parameter<[C]>(init.constant([numChannels] as [C], 1)) : undefined;
    this.bias = affine ? new Parameter<[C]>(init.constant([numChannels] as [C], 0)) : undefined;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    checkFloat('GroupNorm', x);
    if (x.rank < 2) throw new ShapeError(`GroupNorm: input ${formatShape(x.shape)}: needs [N, C, ...]`, [x.shape]);
    checkChannels('GroupNorm', x.shape, 1, this.numChannels, 'numChannels');
    const perGroup = sizeOf(x.shape.slice(1)) / this.numGroups;
    const groups = x.reshape([x.shape[0], this.numGroups, perGroup] as readonly number[]);
    const normal = standardise(groups, 2, this.eps).reshape(x.shape);
    return perChannel(normal, this.weight, this.bias);
  }

  protected override describe(): string {
    return `${this.numGroups}, ${this.numChannels}`;
  }
}

export interface InstanceNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Learned scale and shift. Default false. */
  readonly affine?: boolean;
  /** Keep running statistics and use them in evaluation. Default false. */
  readonly trackRunningStats?: boolean;
}

const INSTANCE_NORM_OPTIONS: OptionNames<InstanceNormOptions> = {
  eps: true,
  momentum: true,
  affine: true,
  trackRunningStats: true,
};

/** Each channel of each image normalised by its own mean and biased variance (Ulyanov et al. 2016). */
abstract class InstanceNorm<D extends Dims, C extends number> extends Layer<ChannelNormFn<`InstanceNorm${D}d`, D, C>> {
  readonly weight: Parameter<[C]> | undefined;
  readonly bias: Parameter<[C]> | undefined;
  readonly runningMean: Buffer<[C]> | undefined;
  readonly runningVar: Buffer<[C]> | undefined;
  /** Stays 0: PyTorch has it in the state dict, and does not count either. */
  readonly numBatchesTracked: Buffer<[], 'int32'> | undefined;
  readonly numFeatures: C;
  readonly eps: number;
  readonly momentum: number;
  private readonly dims: D;

  constructor(dims: D, numFeatures: C, options: InstanceNormOptions = {}) {
    checkOptions(new.target.name, options, INSTANCE_NORM_OPTIONS);
    super();
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    const { name } = this.constructor;
    checkCount(numFeatures, 1, `${name}: numFeatures`);
    checkEps(name, eps);
    checkProbability(momentum, `${name}: momentum`);
    const filled = (value: number) => init.constant([numFeatures] as [C], value);
    this.weight = affine ? new Parameter<[C]>(filled(1)) : undefined;
    this.bias = affine ? new Parameter<[C]>(filled(0)) : undefined;
    this.runningMean = trackRunningStats ? new Buffer<[C]>(filled(0)) : undefined;
    this.runningVar = trackRunningStats ? new Buffer<[C]>(filled(1)) : undefined;
    this.numBatchesTracked = trackRunningStats ? new Buffer(tensor(Int32Array.of(0), { shape: [] })) : undefined;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.dims = dims;
  }

  protected compute(x: Tensor): Tensor {
    const { name } = this.constructor;
    checkFloat(name, x);
    return batched(name, x, this.dims, (images) => {
      checkChannels(name, x.shape, x.rank - this.dims - 1, this.numFeatures, 'numFeatures');
      const normal = this.runningMean !== undefined && !this.training ? this.byRunning(images) : this.byOwn(images);
      return perChannel(normal, this.weight, this.bias);
    });
  }

  private byOwn(x: Tensor): Tensor {
    const count = x.shape.slice(2).reduce((a, b) => a * b, 1);
    if (this.training && count < 2) {
      throw new ShapeError(
        `${this.constructor.name}: input ${formatShape(x.shape)}: one number a channel has no variance. Use a larger input, or eval().`,
        [x.shape],
      );
    }
    if (this.runningMean !== undefined) this.track(x);
    return standardise(x, 2, this.eps);
  }

  private byRunning(x: Tensor): Tensor {
    const column = (t: unknown): Tensor =>
      (t as Tensor).reshape(x.shape.map((_, dim) => (dim === 1 ? this.numFeatures : 1)));
    return x.sub(column(this.runningMean)).mul(column(this.runningVar).add(this.eps).rsqrt());
  }

  /** The running statistics follow the mean over the batch of each image's own. */
  private track(x: Tensor): void {
    withoutGrad(() => {
      const flat = x.reshape([x.shape[0], this.numFeatures, -1] as readonly number[]);
      const mean = flat.mean(2).mean(0);
      const variance = flat.var(2).mean(0);
      follow(this.runningMean as Tensor, mean, this.momentum);
      follow(this.runningVar as Tensor, variance, this.momentum);
    });
  }

  protected override describe(): string {
    return `${this.numFeatures}`;
  }
}

/** x [N, C, L] or [C, L]. PyTorch: nn.InstanceNorm1d. */
export class InstanceNorm1d<const C extends number> extends InstanceNorm<1, C> {
  constructor(numFeatures: C, options?: InstanceNormOptions) {
    super(1, numFeatures, options);
  }
}

/** x [N, C, H, W] or [C, H, W]. PyTorch: nn.InstanceNorm2d. */
export class InstanceNorm2d<const C extends number> extends InstanceNorm<2, C> {
  constructor(numFeatures: C, options?: InstanceNormOptions) {
    super(2, numFeatures, options);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W]. PyTorch: nn.InstanceNorm3d. */
export class InstanceNorm3d<const C extends number> extends InstanceNorm<3, C> {
  constructor(numFeatures: C, options?: InstanceNormOptions) {
    super(3, numFeatures, options);
  }
}

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

const LOCAL_RESPONSE_NORM_OPTIONS: OptionNames<LocalResponseNormOptions> = { alpha: true, beta: true, k: true };

/**
 * x [N, C, …] divided by (k + α/size · Σ x²)^β, the sum over `size` neighbouring channels (Krizhevsky et al. 2012). PyTorch:
 * nn.LocalResponseNorm.
 */
export class LocalResponseNorm extends Layer<IdentityFn> {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    checkOptions(new.target.name, options, LOCAL_RESPONSE_NORM_OPTIONS);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    super();
    checkCount(size, 1, 'LocalResponseNorm: size');
    checkNumber(alpha, 'LocalResponseNorm: alpha');
    checkNumber(beta, 'LocalResponseNorm: beta');
    checkNumber(k, 'LocalResponseNorm: k');
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  protected compute(x: Tensor): Tensor {
    checkFloat('LocalResponseNorm', x);
    if (x.rank < 3)
      throw new ShapeError(`LocalResponseNorm: input ${formatShape(x.shape)}: needs [N, C, L, ...]`, [x.shape]);
    const { size, alpha, beta, k } = this;
    return localResponseNorm(x, size, { alpha, beta, k });
  }

  protected override window(): ReceptiveField {
    return POINT;
  }

  protected override describe(): string {
    return `${this.size}`;
  }
}
