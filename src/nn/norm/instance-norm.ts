// Normalisation of each channel of each image, by its own or by running statistics.

import { checkOptions, formatShape, type OptionNames, ShapeError } from '../../tensor/library.js';
import { checkProbability } from '../../tensor/dropout.js';
import type { Dims } from '../../tensor/shape-types/window.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { tensor } from '../../tensor/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { follow, perChannel, standardise } from '../functional-layers.js';
import * as init from '../init.js';
import { Layer, batched, checkChannels, checkCount, checkFloat } from '../layer.js';
import { Buffer, Parameter } from '../parameter.js';
import type { ChannelNormFn } from '../shape-types/normalisation.js';
import { checkEps } from './check-eps.js';

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
