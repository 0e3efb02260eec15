// Batch normalisation: each channel over everything else, with running statistics for evaluation.

import { checkOptions, formatShape, inUnit, type OptionNames, ShapeError } from '../../tensor/library.js';
import { checkProbability } from '../../tensor/dropout.js';
import type { Dims } from '../../tensor/shape-types/window.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { tensor } from '../../tensor/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { channelStatistics, follow } from '../functional-layers.js';
import * as init from '../init.js';
import type { Module } from '../module.js';
import { Layer, checkChannels, checkCount, checkFloat } from '../layer.js';
import { Buffer, Parameter } from '../parameter.js';
import { POINT, type ReceptiveField } from '../receptive-field.js';
import type { BatchNormFn } from '../shape-types/normalisation.js';
import { checkEps } from './check-eps.js';

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
