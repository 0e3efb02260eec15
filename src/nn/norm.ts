// Normalisation layers.

import { ShapeError, formatShape } from '../tensor/library.js';
import { noGrad } from '../tensor/grad-mode.js';
import { tensor } from '../tensor/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, checkChannels, checkCount, checkLast } from './layer.js';
import { Buffer, Parameter } from './parameter.js';
import type { BatchNormFn, LayerNormFn } from './shape-types.js';

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics; null for their plain average. Default 0.1. */
  readonly momentum?: number | null;
  /** Learned scale and shift. Default true. */
  readonly affine?: boolean;
}

/**
 * Normalises each channel over everything else: by the batch's mean and (biased) variance in training, by the running
 * ones otherwise. Ioffe and Szegedy 2015; numerics of PyTorch's nn.BatchNorm.
 */
abstract class BatchNorm<D extends 1 | 2, C extends number> extends Layer<BatchNormFn<D, C>> {
  readonly weight: Parameter<[C]> | undefined;
  readonly bias: Parameter<[C]> | undefined;
  readonly runningMean: Buffer<[C]>;
  readonly runningVar: Buffer<[C]>;
  readonly numBatchesTracked: Buffer<[], 'int32'>;
  readonly eps: number;
  readonly momentum: number | null;

  /** What the input has to be: its ranks, and their text for errors. */
  protected abstract readonly layout: {
    readonly name: string;
    readonly ranks: readonly number[];
    readonly text: string;
  };

  constructor(numFeatures: C, options: BatchNormOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true } = options;
    checkCount(numFeatures, 1, 'BatchNorm: numFeatures');
    const size: [C] = [numFeatures];
    this.weight = affine ? new Parameter<[C]>(init.constant(size, 1)) : undefined;
    this.bias = affine ? new Parameter<[C]>(init.constant(size, 0)) : undefined;
    this.runningMean = new Buffer<[C]>(init.constant(size, 0));
    this.runningVar = new Buffer<[C]>(init.constant(size, 1));
    this.numBatchesTracked = new Buffer<[], 'int32'>(tensor(Int32Array.of(0), { shape: [] }));
    this.eps = eps;
    this.momentum = momentum;
  }

  protected compute(x: Tensor): Tensor {
    const { name, ranks, text } = this.layout;
    const features = this.runningMean.size;
    if (!ranks.includes(x.rank))
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs ${text}`, [x.shape]);
    checkChannels(name, x.shape, 1, features, 'numFeatures');
    // statistics as [1, C, 1, 1], to go with x [N, C, H, W]
    const perChannel = x.shape.map((_, dim) => (dim === 1 ? features : 1));
    const column = (t: Tensor): Tensor => t.reshape(perChannel) as Tensor;
    const [mean, variance] = this.training
      ? this.measure(x)
      : [column(this.runningMean as Tensor), column(this.runningVar as Tensor)];
    const normal = x.sub(mean).mul(variance.add(this.eps).rsqrt());
    if (this.weight === undefined || this.bias === undefined) return normal;
    return normal.mul(column(this.weight as Tensor)).add(column(this.bias as Tensor));
  }

  /** Mean and variance of the batch, which the running ones move towards. */
  private measure(x: Tensor): [mean: Tensor, variance: Tensor] {
    const count = x.size / this.runningMean.size;
    if (count < 2) {
      throw new ShapeError(
        `${this.layout.name}: input ${formatShape(x.shape)}: one number a channel has no variance. Use a larger batch, or eval().`,
        [x.shape],
      );
    }
    const others = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
    const mean = x.mean(others, { keepdim: true }) as Tensor;
    const variance = x.sub(mean).square().mean(others, { keepdim: true }) as Tensor;
    noGrad(() => {
      const batches = this.numBatchesTracked.add(1);
      this.numBatchesTracked.assign_(batches);
      const weight = this.momentum ?? (batches.to('float32').reciprocal() as Tensor);
      follow(this.runningMean as Tensor, mean, weight);
      follow(this.runningVar as Tensor, variance.mul(count / (count - 1)), weight); // the unbiased one
    });
    return [mean, variance];
  }

  protected override describe(): string {
    return `${this.runningMean.size}`;
  }
}

/** running ← running + weight · (batch − running) */
function follow(running: Tensor, batch: Tensor, weight: Tensor | number): void {
  const step = (batch.reshape(running.shape) as Tensor).sub(running);
  running.assign_(running.add(typeof weight === 'number' ? step.mul(weight) : step.mul(weight)));
}

/** x [N, C] or [N, C, L], normalised per channel. PyTorch: nn.BatchNorm1d. */
export class BatchNorm1d<const C extends number> extends BatchNorm<1, C> {
  protected readonly layout = { name: 'BatchNorm1d', ranks: [2, 3], text: '[N, C] or [N, C, L]' };
}

/** x [N, C, H, W], normalised per channel. PyTorch: nn.BatchNorm2d. */
export class BatchNorm2d<const C extends number> extends BatchNorm<2, C> {
  protected readonly layout = { name: 'BatchNorm2d', ranks: [4], text: '[N, C, H, W]' };
}

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Default true. */
  readonly bias?: boolean;
}

/** x [..., size], normalised over the last dimension by mean and biased variance. PyTorch: nn.LayerNorm (Ba et al. 2016). */
export class LayerNorm<const Size extends number> extends Layer<LayerNormFn<Size>> {
  readonly weight: Parameter<[Size]>;
  readonly bias: Parameter<[Size]> | undefined;
  readonly eps: number;

  constructor(size: Size, { eps = 1e-5, bias = true }: LayerNormOptions = {}) {
    super();
    checkCount(size, 1, 'LayerNorm: normalizedShape');
    this.weight = new Parameter<[Size]>(init.constant([size], 1));
    this.bias = bias ? new Parameter<[Size]>(init.constant([size], 0)) : undefined;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    checkLast('LayerNorm', x.shape, this.weight.size, 'normalizedShape');
    const centred = x.sub(x.mean(-1, { keepdim: true }) as Tensor);
    const variance = centred.square().mean(-1, { keepdim: true }) as Tensor;
    const y = centred.mul(variance.add(this.eps).rsqrt()).mul(this.weight as Tensor);
    return this.bias === undefined ? y : y.add(this.bias as Tensor);
  }

  protected override describe(): string {
    return `${this.weight.size}`;
  }
}
