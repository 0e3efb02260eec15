// Normalisation layers.

import { ones, zeros } from '../tensor/creation.js';
import { type Shape, ShapeError } from '../tensor/library.js';
import { noGrad } from '../tensor/grad-mode.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCount } from './checks.js';
import { Layer } from './layer.js';
import { Parameter, buffer } from './parameter.js';
import type { BatchNormFn, LayerNormFn } from './shape-types.js';

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics; undefined for their plain average. Default 0.1. */
  readonly momentum?: number | undefined;
  /** Learned scale and shift. Default true. */
  readonly affine?: boolean;
}

abstract class BatchNorm<D extends 1 | 2, C extends number> extends Layer<BatchNormFn<D, C>> {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly numBatchesTracked: Tensor<[], 'int32'>;
  readonly eps: number;
  readonly momentum: number | undefined;
  private readonly ranks: readonly number[];
  private readonly layout: string;

  constructor(numFeatures: C, options: BatchNormOptions, ranks: readonly number[], layout: string) {
    super();
    checkCount(numFeatures, 1, 'BatchNorm: numFeatures');
    const affine = options.affine ?? true;
    this.weight = affine ? new Parameter<Shape>(ones([numFeatures])) : undefined;
    this.bias = affine ? new Parameter<Shape>(zeros([numFeatures])) : undefined;
    this.runningMean = buffer(zeros([numFeatures]));
    this.runningVar = buffer(ones([numFeatures]));
    this.numBatchesTracked = buffer(zeros([], { dtype: 'int32' }));
    this.eps = options.eps ?? 1e-5;
    this.momentum = 'momentum' in options ? options.momentum : 0.1;
    this.ranks = ranks;
    this.layout = layout;
  }

  protected compute(x: Tensor): Tensor {
    const name = this.constructor.name;
    const features = this.runningMean.size;
    const shape = x.shape.join(', ');
    if (!this.ranks.includes(x.rank))
      throw new ShapeError(`${name}: input [${shape}]: needs ${this.layout}`, [x.shape]);
    if (x.shape[1] !== features)
      throw new ShapeError(
        `${name}: input [${shape}]: channel dimension ${x.shape[1]} is not numFeatures ${features}`,
        [x.shape],
      );
    const perChannel = [1, features, ...x.shape.slice(2).map(() => 1)];
    const dims = x.shape.map((_, i) => i).filter((i) => i !== 1);
    let mean = this.runningMean.reshape(perChannel) as Tensor;
    let variance = this.runningVar.reshape(perChannel) as Tensor;
    if (this.training) {
      const count = x.size / features;
      if (count < 2)
        throw new ShapeError(
          `${name}: input [${shape}] has one value a channel, training needs more. Use a larger batch or eval().`,
          [x.shape],
        );
      mean = x.mean(dims, { keepdim: true }) as Tensor;
      variance = x.sub(mean).square().mean(dims, { keepdim: true }) as Tensor;
      this.track(mean, variance, count);
    }
    const scale = variance.add(this.eps).rsqrt() as Tensor;
    const normal = x.sub(mean).mul(scale) as Tensor;
    if (this.weight === undefined || this.bias === undefined) return normal;
    return (normal.mul(this.weight.reshape(perChannel) as Tensor) as Tensor).add(
      this.bias.reshape(perChannel) as Tensor,
    );
  }

  /** Running statistics move towards the batch's; the running variance is the unbiased one. */
  private track(mean: Tensor, variance: Tensor, count: number): void {
    noGrad(() => {
      const features = [this.runningMean.size];
      const { momentum } = this;
      const batches = this.numBatchesTracked.add(1);
      this.numBatchesTracked.assign_(batches);
      const weight = momentum ?? (batches.to('float32').reciprocal() as Tensor);
      const follow = (running: Tensor, batch: Tensor) => {
        const step = batch.reshape(features).sub(running) as Tensor;
        running.assign_(
          running.add((typeof weight === 'number' ? step.mul(weight) : step.mul(weight as Tensor)) as Tensor),
        );
      };
      follow(this.runningMean, mean);
      follow(this.runningVar, variance.mul(count / (count - 1)) as Tensor);
    });
  }
}

/** x [N, C] or [N, C, L], normalised per channel over the rest. PyTorch: nn.BatchNorm1d (Ioffe and Szegedy 2015). */
export class BatchNorm1d<const C extends number> extends BatchNorm<1, C> {
  constructor(numFeatures: C, options: BatchNormOptions = {}) {
    super(numFeatures, options, [2, 3], '[N, C] or [N, C, L]');
  }
}

/** x [N, C, H, W], normalised per channel over the rest. PyTorch: nn.BatchNorm2d (Ioffe and Szegedy 2015). */
export class BatchNorm2d<const C extends number> extends BatchNorm<2, C> {
  constructor(numFeatures: C, options: BatchNormOptions = {}) {
    super(numFeatures, options, [4], '[N, C, H, W]');
  }
}

/** x [..., size], normalised over the last dimension. PyTorch: nn.LayerNorm (Ba et al. 2016). */
export class LayerNorm<const Size extends number> extends Layer<LayerNormFn<Size>> {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly eps: number;

  constructor(size: Size, options: { readonly eps?: number; readonly bias?: boolean } = {}) {
    super();
    checkCount(size, 1, 'LayerNorm: size');
    this.weight = new Parameter<Shape>(ones([size]));
    this.bias = (options.bias ?? true) ? new Parameter<Shape>(zeros([size])) : undefined;
    this.eps = options.eps ?? 1e-5;
  }

  protected compute(x: Tensor): Tensor {
    const last = x.shape[x.rank - 1];
    if (last !== this.weight.size) {
      throw new ShapeError(
        `LayerNorm: input [${x.shape.join(', ')}]: last dimension ${last} is not normalizedShape ${this.weight.size}`,
        [x.shape],
      );
    }
    const centred = x.sub(x.mean(-1, { keepdim: true }) as Tensor) as Tensor;
    const scale = centred.square().mean(-1, { keepdim: true }).add(this.eps).rsqrt() as Tensor;
    const y = (centred.mul(scale) as Tensor).mul(this.weight) as Tensor;
    return this.bias === undefined ? y : y.add(this.bias);
  }
}
