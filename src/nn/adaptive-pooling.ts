// Layers that pool to a fixed number of parts, in one, two and three dimensions: means and maxima.

import { poolMaximaTo, poolMaximaWithIndicesTo, poolMeansTo } from '../tensor/adaptive-pooling.js';
import type { Shape } from '../tensor/library.js';
import type { AdaptivePoolShape, AdaptiveSize, Dims } from '../tensor/shape-types/window.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { Layer, batched, checkCount, perAxis } from './layer.js';
import { type ReceptiveField, WHOLE } from './receptive-field.js';
import type { AdaptivePoolFn } from './shape-types/windows.js';
import type { ApplyArg } from './shape-types/shape-fn.js';

/** The sizes with a number in the place of null. */
function known(size: AdaptiveSize, own: number): number | readonly number[] {
  const sizes: unknown = size;
  return Array.isArray(sizes) ? sizes.map((n: number | null) => n ?? own) : (size as number); // perAxis says what else it is
}

/** Element i is taken from ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉ of the input; a size of null stays. */
abstract class AdaptivePool<Name extends string, D extends Dims, Size extends AdaptiveSize> extends Layer<
  AdaptivePoolFn<Name, D, Size>
> {
  readonly outputSize: Size;
  protected readonly dims: D;

  constructor(dims: D, outputSize: Size) {
    super();
    const { name } = this.constructor;
    // null, a size that stays, passes as the least number
    for (const size of perAxis(known(outputSize, 1), dims, `${name}: outputSize`))
      checkCount(size, 1, `${name}: outputSize`);
    this.dims = dims;
    this.outputSize = outputSize;
  }

  protected compute(x: Tensor): Tensor {
    return batched(this.constructor.name, x, this.dims, (images) => this.pool(images));
  }

  protected abstract pool(x: Tensor): Tensor;

  /** The whole image for size 1; otherwise it depends on the size of the input. */
  protected override window(): ReceptiveField | undefined {
    return perAxis(known(this.outputSize, 0), this.dims, '').every((n) => n === 1) ? WHOLE : undefined;
  }

  protected override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

abstract class AdaptiveAvgPool<Name extends string, D extends Dims, Size extends AdaptiveSize> extends AdaptivePool<
  Name,
  D,
  Size
> {
  protected pool(x: Tensor): Tensor {
    return poolMeansTo(this.dims, x, this.outputSize);
  }
}

abstract class AdaptiveMaxPool<Name extends string, D extends Dims, Size extends AdaptiveSize> extends AdaptivePool<
  Name,
  D,
  Size
> {
  protected pool(x: Tensor): Tensor {
    return poolMaximaTo(this.dims, x, this.outputSize);
  }

  /** The maxima, and where each was found: its position in its channel, counted row by row (int32). PyTorch: returnIndices. */
  forwardWithIndices<S extends Shape>(
    x: Tensor<S> & ApplyArg<AdaptivePoolFn<Name, D, Size>, S>,
  ): [values: Tensor<AdaptivePoolShape<D, S, Size>>, indices: Tensor<AdaptivePoolShape<D, S, Size>, 'int32'>] {
    checkTensor(x, this.constructor.name, 'the input');
    const { values, indices } = poolMaximaWithIndicesTo(this.dims, x, this.outputSize);
    return [values, indices];
  }
}

/** x [N, C, L] or [C, L] → [N, C, size], means. Size 1 is global average pooling. PyTorch: nn.AdaptiveAvgPool1d. */
export class AdaptiveAvgPool1d<const Size extends AdaptiveSize> extends AdaptiveAvgPool<'AdaptiveAvgPool1d', 1, Size> {
  constructor(outputSize: Size) {
    super(1, outputSize);
  }
}

/**
 * x [N, C, H, W] or [C, H, W] → [N, C, size, size] (or [height, width]): element i is the mean over ⌊i·H/size⌋ to
 * ⌈(i + 1)·H/size⌉. Size 1 is global average pooling. PyTorch: nn.AdaptiveAvgPool2d.
 */
export class AdaptiveAvgPool2d<const Size extends AdaptiveSize> extends AdaptiveAvgPool<'AdaptiveAvgPool2d', 2, Size> {
  constructor(outputSize: Size) {
    super(2, outputSize);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] → [N, C, size, size, size] (or [depth, height, width]), means. PyTorch: nn.AdaptiveAvgPool3d. */
export class AdaptiveAvgPool3d<const Size extends AdaptiveSize> extends AdaptiveAvgPool<'AdaptiveAvgPool3d', 3, Size> {
  constructor(outputSize: Size) {
    super(3, outputSize);
  }
}

/** x [N, C, L] or [C, L] → [N, C, size], maxima. PyTorch: nn.AdaptiveMaxPool1d. */
export class AdaptiveMaxPool1d<const Size extends AdaptiveSize> extends AdaptiveMaxPool<'AdaptiveMaxPool1d', 1, Size> {
  constructor(outputSize: Size) {
    super(1, outputSize);
  }
}

/** x [N, C, H, W] or [C, H, W] → [N, C, size, size] (or [height, width]), maxima. PyTorch: nn.AdaptiveMaxPool2d. */
export class AdaptiveMaxPool2d<const Size extends AdaptiveSize> extends AdaptiveMaxPool<'AdaptiveMaxPool2d', 2, Size> {
  constructor(outputSize: Size) {
    super(2, outputSize);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] → [N, C, size, size, size] (or [depth, height, width]), maxima. PyTorch: nn.AdaptiveMaxPool3d. */
export class AdaptiveMaxPool3d<const Size extends AdaptiveSize> extends AdaptiveMaxPool<'AdaptiveMaxPool3d', 3, Size> {
  constructor(outputSize: Size) {
    super(3, outputSize);
  }
}

/** The mean of each channel: x [N, C, L] → [N, C, 1]. */
export class GlobalAvgPool1d extends AdaptiveAvgPool1d<1> {
  constructor() {
    super(1);
  }

  protected override describe(): string {
    return '';
  }
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

/** The largest element of each channel: x [N, C, L] → [N, C, 1]. */
export class GlobalMaxPool1d extends AdaptiveMaxPool1d<1> {
  constructor() {
    super(1);
  }

  protected override describe(): string {
    return '';
  }
}

/** The largest element of each channel: x [N, C, H, W] → [N, C, 1, 1]. */
export class GlobalMaxPool2d extends AdaptiveMaxPool2d<1> {
  constructor() {
    super(1);
  }

  protected override describe(): string {
    return '';
  }
}
