// Pooling and flattening layers.

import { avgPool2d, maxPool2d } from '../tensor/functions.js';
import type { PerAxis } from '../tensor/shape-types/window.js';
import { tensor } from '../tensor/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, batched, checkCount, checkWindow, pair } from './layer.js';
import type { AdaptivePoolFn, FlattenFn, PoolFn } from './shape-types.js';
import type { OptionOf } from '../tensor/shape-types/options.js';

export interface Pool2dOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** Default 0; at most half the kernel size. */
  readonly padding?: PerAxis;
}

type Pool2dShape<Name extends string, K extends PerAxis, O> = PoolFn<
  Name,
  2,
  K,
  OptionOf<O, 'stride', K, PerAxis>,
  OptionOf<O, 'padding', 0, PerAxis>
>;

/** x [N, C, H, W] or [C, H, W] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool2d. */
export class MaxPool2d<const K extends PerAxis, const O extends Pool2dOptions = {}> extends Layer<
  Pool2dShape<'MaxPool2d', K, O>
> {
  readonly kernelSize: K;
  readonly options: Pool2dOptions;

  constructor(kernelSize: K, options?: O) {
    super();
    this.kernelSize = kernelSize;
    this.options = options ?? {};
  }

  protected compute(x: Tensor): Tensor {
    return batched('MaxPool2d', x, (images) => {
      checkWindow('MaxPool2d', x.shape, this.kernelSize, this.options.padding);
      return maxPool2d(images, this.kernelSize, this.options) as Tensor;
    });
  }

  protected override describe(): string {
    return JSON.stringify(this.kernelSize);
  }
}

/** x [N, C, H, W] or [C, H, W] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool2d. */
export class AvgPool2d<const K extends PerAxis, const O extends Pool2dOptions = {}> extends Layer<
  Pool2dShape<'AvgPool2d', K, O>
> {
  readonly kernelSize: K;
  readonly options: Pool2dOptions;

  constructor(kernelSize: K, options?: O) {
    super();
    this.kernelSize = kernelSize;
    this.options = options ?? {};
  }

  protected compute(x: Tensor): Tensor {
    return batched('AvgPool2d', x, (images) => {
      checkWindow('AvgPool2d', x.shape, this.kernelSize, this.options.padding);
      return avgPool2d(images, this.kernelSize, this.options) as Tensor;
    });
  }

  protected override describe(): string {
    return JSON.stringify(this.kernelSize);
  }
}

/**
 * x [N, C, H, W] or [C, H, W] → [N, C, size, size] (or [height, width]): element i is the mean over ⌊i·H/size⌋ to
 * ⌈(i + 1)·H/size⌉. Size 1 is global average pooling. PyTorch: nn.AdaptiveAvgPool2d.
 */
export class AdaptiveAvgPool2d<const Size extends PerAxis> extends Layer<AdaptivePoolFn<'AdaptiveAvgPool2d', 2, Size>> {
  readonly outputSize: Size;

  constructor(outputSize: Size) {
    super();
    for (const size of pair(outputSize)) checkCount(size, 1, 'AdaptiveAvgPool2d: outputSize');
    this.outputSize = outputSize;
  }

  protected compute(x: Tensor): Tensor {
    const [height, width] = pair(this.outputSize);
    return batched('AdaptiveAvgPool2d', x, (images) => {
      const [h, w] = images.shape.slice(2);
      if (height === 1 && width === 1) return images.mean([2, 3], { keepdim: true }) as Tensor;
      if (h % height === 0 && w % width === 0) return avgPool2d(images, [h / height, w / width]) as Tensor;
      return means(h, height).matmul(images).matmul(means(w, width).transpose(0, 1)) as Tensor;
    });
  }

  protected override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

/** The matrix [parts, size] whose product with a column gives the means of its parts. */
function means(size: number, parts: number): Tensor {
  const rows = Array.from({ length: parts }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / parts), Math.ceil(((i + 1) * size) / parts)];
    return Array.from({ length: size }, (_column, j) => (j >= from && j < to ? 1 / (to - from) : 0));
  });
  return tensor(rows as number[][]) as Tensor;
}

/** The mean of each channel: x [N, C, H, W] → [N, C, 1, 1]. */
export class GlobalAvgPool2d extends AdaptiveAvgPool2d<1> {
  constructor() {
    super(1);
  }

  protected override describe(): string {
    return '';
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
