// What all layers share: a shape function known to the compiler, the same check at run time with the same words.

import { type DType, type Shape, ShapeError, formatShape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import type { Apply, ApplyArg, ShapeFn } from './shape-types.js';

/** A module with one input and one output. `F` says what it does to shapes. */
export abstract class Layer<F extends ShapeFn, D extends DType = 'float32'> extends Module {
  declare readonly '~shape'?: F;

  forward<S extends Shape>(x: Tensor<S, D> & ApplyArg<F, S>): Tensor<Apply<F, S>> {
    return this.compute(x as unknown as Tensor<Shape, D>) as unknown as Tensor<Apply<F, S>>;
  }

  /** `forward` without the types. */
  protected abstract compute(x: Tensor<Shape, D>): Tensor;
}

export function checkLast(name: string, shape: Shape, size: number, what: string): void {
  if (shape.length === 0) throw new ShapeError(`${name}: input []: needs at least one dimension`, [shape]);
  const last = shape[shape.length - 1];
  if (last !== size)
    throw new ShapeError(`${name}: input ${formatShape(shape)}: last dimension ${last} is not ${what} ${size}`, [
      shape,
    ]);
}

export function checkChannels(name: string, shape: Shape, dim: number, size: number, what: string): void {
  if (shape[dim] !== size)
    throw new ShapeError(
      `${name}: input ${formatShape(shape)}: channel dimension ${shape[dim]} is not ${what} ${size}`,
      [shape],
    );
}

/** An image without a batch dimension gets one for `body`, and loses it again. */
export function batched(name: string, x: Tensor, body: (x: Tensor) => Tensor): Tensor {
  if (x.rank === 4) return body(x);
  if (x.rank === 3) return body(x.unsqueeze(0) as Tensor).squeeze(0) as Tensor;
  throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs [N, C, H, W] or [C, H, W]`, [x.shape]);
}
