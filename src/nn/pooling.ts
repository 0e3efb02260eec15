// Pooling and flattening layers.

import { avgPool2d, maxPool2d } from '../tensor/functions.js';
import { ArgumentError, ShapeError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { PerAxis } from '../tensor/shape-types/window.js';
import { Layer } from './layer.js';
import type { AdaptivePoolFn, FlattenFn, OptionOf, PoolFn } from './shape-types.js';

export interface Pool2dOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  readonly padding?: PerAxis;
}

/** x [B, C, H, W] → the largest element of each window. PyTorch: nn.MaxPool2d. */
export class MaxPool2d<const K extends PerAxis, const O extends Pool2dOptions = {}> extends Layer<
  PoolFn<'MaxPool2d', 2, K, OptionOf<O, 'stride', K, PerAxis>, OptionOf<O, 'padding', 0, PerAxis>>
> {
  readonly kernelSize: K;
  readonly options: Pool2dOptions;
  constructor(kernelSize: K, options?: O) {
    super();
    this.kernelSize = kernelSize;
    this.options = options ?? {};
  }
  protected compute(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options) as Tensor;
  }
}

/** x [B, C, H, W] → the mean of each window. PyTorch: nn.AvgPool2d. */
export class AvgPool2d<const K extends PerAxis, const O extends Pool2dOptions = {}> extends Layer<
  PoolFn<'AvgPool2d', 2, K, OptionOf<O, 'stride', K, PerAxis>, OptionOf<O, 'padding', 0, PerAxis>>
> {
  readonly kernelSize: K;
  readonly options: Pool2dOptions;
  constructor(kernelSize: K, options?: O) {
    super();
    this.kernelSize = kernelSize;
    this.options = options ?? {};
  }
  protected compute(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options) as Tensor;
  }
}

/** x [B, C, H, W] → [B, C, size, size], each the mean of its part; sizes that divide H and W. PyTorch: nn.AdaptiveAvgPool2d. */
export class AdaptiveAvgPool2d<const N extends number> extends Layer<AdaptivePoolFn<'AdaptiveAvgPool2d', 2, N>> {
  readonly outputSize: N;
  constructor(outputSize: N) {
    super();
    if (!Number.isInteger(outputSize) || outputSize < 1)
      throw new ArgumentError(`AdaptiveAvgPool2d: output size is ${outputSize}. Use a whole number above 0.`);
    this.outputSize = outputSize;
  }
  protected compute(x: Tensor): Tensor {
    if (x.rank !== 4)
      throw new ShapeError(`AdaptiveAvgPool2d: input [${x.shape.join(', ')}]: needs [N, C, H, W]`, [x.shape]);
    if (this.outputSize === 1) return x.mean([2, 3], { keepdim: true }) as Tensor;
    const [, , h, w] = x.shape;
    if (h % this.outputSize !== 0 || w % this.outputSize !== 0) {
      throw new ShapeError(
        `AdaptiveAvgPool2d: ${h} x ${w} does not divide into ${this.outputSize} x ${this.outputSize} equal parts`,
        [x.shape],
      );
    }
    return avgPool2d(x, [h / this.outputSize, w / this.outputSize]) as Tensor;
  }
}

/** Dimensions start to end as one; the batch stays by default. PyTorch: nn.Flatten. */
export class Flatten<const Start extends number = 1, const End extends number = -1> extends Layer<
  FlattenFn<Start, End>
> {
  readonly start: number;
  readonly end: number;
  constructor(start?: Start, end?: End) {
    super();
    this.start = start ?? 1;
    this.end = end ?? -1;
  }
  protected compute(x: Tensor): Tensor {
    return x.flatten(this.start, this.end) as Tensor;
  }
}
