// Pooling layers, in one and two dimensions, and their inverses.

import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
} from '../tensor/pooling.js';
import {
  ArgumentError,
  checkOptions,
  DTypeError,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
  checkShape,
} from '../tensor/library.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import type { LayoutArg, PerAxis, UnpoolShape } from '../tensor/shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { Layer, batched, checkCount, checkWindow, perAxis } from './layer.js';
import { Module } from './module.js';
import { type ReceptiveField, WHOLE } from './receptive-field.js';
import type { AdaptivePoolFn, Apply, ApplyArg, PoolFn } from './shape-types.js';

export interface PoolOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** Default 0; at most half the kernel size. */
  readonly padding?: PerAxis;
  /** A last window that reaches beyond the input counts, too. Default false. */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  /** Distance of the elements in a window. Default 1. */
  readonly dilation?: PerAxis;
}

const MAX_POOL_OPTIONS: OptionNames<MaxPoolOptions> = { stride: true, padding: true, dilation: true, ceilMode: true };

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the mean. Default true. */
  readonly countIncludePad?: boolean;
}

const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = {
  stride: true,
  padding: true,
  ceilMode: true,
  countIncludePad: true,
};

type PoolOf<Name extends string, D extends 1 | 2, K extends PerAxis, O> = PoolFn<
  Name,
  D,
  K,
  OptionOf<O, 'stride', K, PerAxis>,
  OptionOf<O, 'padding', 0, PerAxis>,
  OptionOf<O, 'dilation', 1, PerAxis>,
  OptionOf<O, 'ceilMode', false, boolean>
>;

/** What all pooling layers check and show. */
abstract class Pool<
  Name extends string,
  D extends 1 | 2,
  K extends PerAxis,
  O extends MaxPoolOptions & AvgPoolOptions,
> extends Layer<PoolOf<Name, D, K, O>> {
  readonly kernelSize: K;
  readonly options: O;
  protected readonly dims: D;

  constructor(dims: D, kernelSize: K, options: O | undefined) {
    super();
    const { name } = this.constructor;
    const { stride = kernelSize, padding = 0, dilation = 1 } = options ?? {};
    const kernel = perAxis(kernelSize, dims, `${name}: kernelSize`);
    for (const size of kernel) checkCount(size, 1, `${name}: kernelSize`);
    for (const size of perAxis(stride, dims, `${name}: stride`)) checkCount(size, 1, `${name}: stride`);
    for (const size of perAxis(dilation, dims, `${name}: dilation`)) checkCount(size, 1, `${name}: dilation`);
    perAxis(padding, dims, `${name}: padding`).forEach((size, i) => {
      checkCount(size, 0, `${name}: padding`);
      if (size * 2 > kernel[i])
        throw new ArgumentError(`${name}: padding ${size} is more than half of kernel ${kernel[i]}.`);
    });
    this.dims = dims;
    this.kernelSize = kernelSize;
    this.options = options ?? ({} as O);
  }

  protected compute(x: Tensor): Tensor {
    const { name } = this.constructor;
    const { padding, dilation } = this.options as MaxPoolOptions;
    return batched(name, x, this.dims, (images) => {
      checkWindow(name, x.shape, perAxis(this.kernelSize, this.dims, name), padding, dilation);
      return this.pool(images);
    });
  }

  protected abstract pool(x: Tensor): Tensor;

  protected override window(): ReceptiveField {
    const { stride = this.kernelSize, padding = 0, dilation = 1 } = this.options as MaxPoolOptions;
    const each = (value: PerAxis): number[] => perAxis(value, this.dims, this.constructor.name);
    const dilations = each(dilation);
    return {
      size: each(this.kernelSize).map((k, i) => dilations[i] * (k - 1) + 1),
      stride: each(stride),
      start: each(padding).map((n) => 0 - n),
    };
  }

  protected override describe(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return `${JSON.stringify(this.kernelSize)}${options.length > 0 ? `, { ${options.join(', ')} }` : ''}`;
  }
}

abstract class MaxPool<Name extends string, D extends 1 | 2, K extends PerAxis, O extends MaxPoolOptions> extends Pool<
  Name,
  D,
  K,
  O
> {
  protected pool(x: Tensor): Tensor {
    const options: MaxPoolOptions = this.options;
    return (this.dims === 1 ? maxPool1d : maxPool2d)(x, this.kernelSize, options);
  }

  /**
   * The maxima, and where each was found: its position in its channel, counted row by row (int32). What a MaxUnpool layer
   * needs. PyTorch: returnIndices.
   */
  forwardWithIndices<S extends Shape>(
    x: Tensor<S> & ApplyArg<PoolOf<Name, D, K, O>, S>,
  ): [values: Tensor<Apply<PoolOf<Name, D, K, O>, S>>, indices: Tensor<Apply<PoolOf<Name, D, K, O>, S>, 'int32'>] {
    checkTensor(x, this.constructor.name, 'the input');
    let indices: AnyTensor | undefined;
    const options: MaxPoolOptions = this.options;
    const pool = this.dims === 1 ? maxPool1dWithIndices : maxPool2dWithIndices;
    const values = batched(this.constructor.name, x, this.dims, (images) => {
      const found = pool(images, this.kernelSize, options);
      ({ indices } = found);
      return found.values;
    });
    return [values, (indices as AnyTensor).reshape(values.shape)] as never; // one of the forms that the options choose between
  }
}

/** x [N, C, L] or [C, L] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool1d. */
export class MaxPool1d<const K extends PerAxis, const O extends MaxPoolOptions = {}> extends MaxPool<
  'MaxPool1d',
  1,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, MaxPoolOptions>) {
    checkOptions(new.target.name, options, MAX_POOL_OPTIONS);
    super(1, kernelSize, options);
  }
}

/** x [N, C, H, W] or [C, H, W] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool2d. */
export class MaxPool2d<const K extends PerAxis, const O extends MaxPoolOptions = {}> extends MaxPool<
  'MaxPool2d',
  2,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, MaxPoolOptions>) {
    checkOptions(new.target.name, options, MAX_POOL_OPTIONS);
    super(2, kernelSize, options);
  }
}

/** x [N, C, L] or [C, L] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool1d. */
export class AvgPool1d<const K extends PerAxis, const O extends AvgPoolOptions = {}> extends Pool<
  'AvgPool1d',
  1,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, AvgPoolOptions>) {
    checkOptions(new.target.name, options, AVG_POOL_OPTIONS);
    super(1, kernelSize, options);
  }

  protected pool(x: Tensor): Tensor {
    const options: AvgPoolOptions = this.options;
    return avgPool1d(x, this.kernelSize, options);
  }
}

/** x [N, C, H, W] or [C, H, W] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool2d. */
export class AvgPool2d<const K extends PerAxis, const O extends AvgPoolOptions = {}> extends Pool<
  'AvgPool2d',
  2,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, AvgPoolOptions>) {
    checkOptions(new.target.name, options, AVG_POOL_OPTIONS);
    super(2, kernelSize, options);
  }

  protected pool(x: Tensor): Tensor {
    const options: AvgPoolOptions = this.options;
    return avgPool2d(x, this.kernelSize, options);
  }
}

// ---------------------------------------------------------------- to a fixed size

/** Element i is taken from ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉ of the input. */
abstract class AdaptivePool<Name extends string, D extends 1 | 2, Size extends PerAxis> extends Layer<
  AdaptivePoolFn<Name, D, Size>
> {
  readonly outputSize: Size;
  private readonly dims: D;

  constructor(dims: D, outputSize: Size) {
    super();
    const { name } = this.constructor;
    for (const size of perAxis(outputSize, dims, `${name}: outputSize`)) checkCount(size, 1, `${name}: outputSize`);
    this.dims = dims;
    this.outputSize = outputSize;
  }

  protected compute(x: Tensor): Tensor {
    return batched(this.constructor.name, x, this.dims, (images) => this.pool(images));
  }

  protected abstract pool(x: Tensor): Tensor;

  /** The whole image for size 1; otherwise it depends on the size of the input. */
  protected override window(): ReceptiveField | undefined {
    return perAxis(this.outputSize, this.dims, '').every((n) => n === 1) ? WHOLE : undefined;
  }

  protected override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

/** x [N, C, L] or [C, L] → [N, C, size], means. Size 1 is global average pooling. PyTorch: nn.AdaptiveAvgPool1d. */
export class AdaptiveAvgPool1d<const Size extends PerAxis> extends AdaptivePool<'AdaptiveAvgPool1d', 1, Size> {
  constructor(outputSize: Size) {
    super(1, outputSize);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * x [N, C, H, W] or [C, H, W] → [N, C, size, size] (or [height, width]): element i is the mean over ⌊i·H/size⌋ to
 * ⌈(i + 1)·H/size⌉. Size 1 is global average pooling. PyTorch: nn.AdaptiveAvgPool2d.
 */
export class AdaptiveAvgPool2d<const Size extends PerAxis> extends AdaptivePool<'AdaptiveAvgPool2d', 2, Size> {
  constructor(outputSize: Size) {
    super(2, outputSize);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** x [N, C, L] or [C, L] → [N, C, size], maxima. PyTorch: nn.AdaptiveMaxPool1d. */
export class AdaptiveMaxPool1d<const Size extends PerAxis> extends AdaptivePool<'AdaptiveMaxPool1d', 1, Size> {
  constructor(outputSize: Size) {
    super(1, outputSize);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** x [N, C, H, W] or [C, H, W] → [N, C, size, size] (or [height, width]), maxima. PyTorch: nn.AdaptiveMaxPool2d. */
export class AdaptiveMaxPool2d<const Size extends PerAxis> extends AdaptivePool<'AdaptiveMaxPool2d', 2, Size> {
  constructor(outputSize: Size) {
    super(2, outputSize);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
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

// ---------------------------------------------------------------- back to where the maxima were

export interface UnpoolOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** Default 0. */
  readonly padding?: PerAxis;
}

const UNPOOL_OPTIONS: OptionNames<UnpoolOptions> = { stride: true, padding: true };

abstract class MaxUnpool<D extends 1 | 2, K extends PerAxis, O> extends Module {
  readonly kernelSize: K;
  readonly options: UnpoolOptions;
  private readonly dims: D;

  constructor(dims: D, kernelSize: K, options: UnpoolOptions = {}) {
    checkOptions(new.target.name, options, UNPOOL_OPTIONS);
    super();
    const { name } = this.constructor;
    const { stride = kernelSize, padding = 0 } = options;
    for (const size of perAxis(kernelSize, dims, `${name}: kernelSize`)) checkCount(size, 1, `${name}: kernelSize`);
    for (const size of perAxis(stride, dims, `${name}: stride`)) checkCount(size, 1, `${name}: stride`);
    for (const size of perAxis(padding, dims, `${name}: padding`)) checkCount(size, 0, `${name}: padding`);
    this.dims = dims;
    this.kernelSize = kernelSize;
    this.options = options;
  }

  /**
   * x and indices as `forwardWithIndices` of the pooling layer gave them → the sizes before pooling. Several sizes have one size
   * after pooling; `outputSize`, the spatial ones, says which is meant.
   */
  forward<S extends Shape, const Size extends Shape | undefined = undefined>(
    x: Tensor<S> & LayoutArg<`MaxUnpool${D}d`, D, S>,
    indices: AnyTensor,
    outputSize?: Size,
  ): Tensor<UnpoolShape<D, S, K, OptionOf<O, 'stride', K, PerAxis>, OptionOf<O, 'padding', 0, PerAxis>, Size>> {
    checkTensor(x, this.constructor.name, 'the input');
    checkTensor(indices, this.constructor.name, 'the indices');
    return this.compute(x, indices, outputSize);
  }

  private compute(x: Tensor, indices: AnyTensor, outputSize: Shape | undefined): Tensor {
    const { name } = this.constructor;
    const dims: 1 | 2 = this.dims;
    checkIndices(name, x, indices);
    if (outputSize !== undefined) checkShape(outputSize, name);
    if (outputSize !== undefined && outputSize.length !== dims) {
      throw new ShapeError(
        `${name}: outputSize ${formatShape(outputSize)}: needs ${dims} ${dims === 1 ? 'size' : 'sizes'}`,
        [outputSize],
      );
    }
    const { stride = this.kernelSize, padding = 0 } = this.options;
    const [kernels, strides, pads] = ([this.kernelSize, stride, padding] as PerAxis[]).map((value) =>
      perAxis(value, dims, name),
    );
    return batched(name, x, dims, (images) => {
      const sizes = images.shape.slice(2).map((n, i) => (n - 1) * strides[i] - 2 * pads[i] + kernels[i]);
      const size = outputSize ?? sizes;
      size.forEach((n, i) => {
        if (Math.abs(n - sizes[i]) < strides[i]) return;
        throw new ShapeError(`${name}: output size ${n} is too far from ${sizes[i]}, which follows from the input`, [
          x.shape,
        ]);
      });
      const unpool = dims === 1 ? maxUnpool1d : maxUnpool2d;
      return unpool(images, indices.reshape(images.shape) as Tensor<Shape, 'int32'>, size);
    });
  }

  protected override describe(): string {
    return JSON.stringify(this.kernelSize);
  }
}

/**
 * Puts the elements of x [N, C, L] or [C, L] to where MaxPool1d found them, with zeros between. PyTorch: nn.MaxUnpool1d.
 */
export class MaxUnpool1d<const K extends PerAxis, const O extends UnpoolOptions = {}> extends MaxUnpool<1, K, O> {
  constructor(kernelSize: K, options?: O & Exact<O, UnpoolOptions>) {
    super(1, kernelSize, options);
  }
}

/**
 * Puts the elements of x [N, C, H, W] or [C, H, W] to where MaxPool2d found them, with zeros between (Zeiler and Fergus
 * 2014; SegNet). PyTorch: nn.MaxUnpool2d.
 *
 *     const [pooled, indices] = pool.forwardWithIndices(x);
 *     const y = new MaxUnpool2d(2).forward(pooled, indices);
 */
export class MaxUnpool2d<const K extends PerAxis, const O extends UnpoolOptions = {}> extends MaxUnpool<2, K, O> {
  constructor(kernelSize: K, options?: O & Exact<O, UnpoolOptions>) {
    super(2, kernelSize, options);
  }
}

function checkIndices(name: string, x: Tensor, indices: AnyTensor): void {
  if (indices.dtype !== 'int32')
    throw new DTypeError(`${name}: indices are ${indices.dtype}. Use those of forwardWithIndices.`, [indices.dtype]);
  if (sameShape(x.shape, indices.shape)) return;
  throw new ShapeError(`${name}: input ${formatShape(x.shape)}, indices ${formatShape(indices.shape)}: shapes differ`, [
    x.shape,
    indices.shape,
  ]);
}
