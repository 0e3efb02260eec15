// Layers that put values back to where max pooling found them, in one, two and three dimensions.

import {
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
import type { Dims, LayoutArg, PerAxis, UnpoolShape } from '../tensor/shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { unpool } from '../tensor/unpooling.js';
import { batched, checkCount, perAxis } from './layer.js';
import { Module } from './module.js';

export interface UnpoolOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** Default 0. */
  readonly padding?: PerAxis;
}

const UNPOOL_OPTIONS: OptionNames<UnpoolOptions> = { stride: true, padding: true };

abstract class MaxUnpool<D extends Dims, K extends PerAxis, O> extends Module {
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
    const dims: Dims = this.dims;
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
      return unpool(dims, images, indices.reshape(images.shape) as Tensor<Shape, 'int32'>, size);
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

/**
 * Puts the elements of x [N, C, D, H, W] or [C, D, H, W] to where MaxPool3d found them, with zeros between. PyTorch: nn.MaxUnpool3d.
 */
export class MaxUnpool3d<const K extends PerAxis, const O extends UnpoolOptions = {}> extends MaxUnpool<3, K, O> {
  constructor(kernelSize: K, options?: O & Exact<O, UnpoolOptions>) {
    super(3, kernelSize, options);
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
