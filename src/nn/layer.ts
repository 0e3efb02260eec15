// What layers share: a shape function known to the compiler, and the same check at run time, in the same words.

import {
  isFloat,
  ArgumentError,
  DTypeError,
  type DType,
  type Shape,
  ShapeError,
  formatShape,
  shown,
} from '../tensor/library.js';
import type { Dims, Padding, PerAxis } from '../tensor/shape-types/window.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { tellsOfCalls } from './module-guards.js';
import { POINT, type ReceptiveField } from './receptive-field.js';
import type { Apply, ApplyArg, IdentityFn, ShapeFn } from './shape-types/shape-fn.js';

/** A module with one input and one output. `F` says what it does to shapes, `D` is the dtype of the input. */
export abstract class Layer<F extends ShapeFn, D extends DType = 'float32'> extends Module {
  /** The shape function; a type only, nothing is there at run time. */
  declare readonly '~shape'?: F;

  static {
    tellsOfCalls(this.prototype);
  }

  forward<S extends Shape>(x: Tensor<S, D> & ApplyArg<F, S>): Tensor<Apply<F, S>> {
    checkTensor(x, this.constructor.name, 'the input');
    return this.compute(x);
  }

  /** `forward` without the types. */
  protected abstract compute(x: Tensor<Shape, D>): Tensor;
}

/** A layer that treats every position alone and keeps the shape: activations, dropout. */
export abstract class Pointwise extends Layer<IdentityFn> {
  protected override window(): ReceptiveField {
    return POINT;
  }
}

/** Throws unless `value` is a whole number of at least `least`. */
export function checkCount(value: number, least: number, what: string): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ArgumentError(`${what} is ${shown(value)}. Use a whole number of at least ${least}.`);
  }
}

/** Throws DTypeError unless the tensor holds floating-point numbers. */
export function checkFloat(name: string, { dtype }: { readonly dtype: DType }): void {
  if (isFloat(dtype)) return;
  throw new DTypeError(`${name}: input is ${dtype}. Convert with to('float32').`, [dtype]);
}

/** Throws unless `value` is a finite number. */
export function checkNumber(value: number, what: string): void {
  if (!Number.isFinite(value)) throw new ArgumentError(`${what} is ${shown(value)}. Use a number.`);
}

export function checkLast(name: string, shape: Shape, size: number, what: string): void {
  if (shape.length === 0) throw new ShapeError(`${name}: input []: needs at least one dimension`, [shape]);
  const last = shape[shape.length - 1];
  if (last !== size) {
    throw new ShapeError(`${name}: input ${formatShape(shape)}: last dimension ${last} is not ${what} ${size}`, [
      shape,
    ]);
  }
}

export function checkChannels(name: string, shape: Shape, dim: number, size: number, what: string): void {
  if (shape[dim] === size) return;
  throw new ShapeError(`${name}: input ${formatShape(shape)}: channel dimension ${shape[dim]} is not ${what} ${size}`, [
    shape,
  ]);
}

/** One number for each of `dims` dimensions. */
export function perAxis(value: PerAxis, dims: number, what: string): number[] {
  if (typeof value === 'number') return new Array<number>(dims).fill(value);
  if (!Array.isArray(value)) throw new ArgumentError(`${what} is ${shown(value)}. Use one number, or ${dims}.`);
  if (value.length !== dims) {
    throw new ArgumentError(`${what} is [${value.map(shown).join(', ')}]. Use one number, or ${dims}.`);
  }
  return [...value];
}

/** Throws unless a window fits at least once into the last dimensions. */
export function checkWindow(
  name: string,
  shape: Shape,
  kernels: readonly number[],
  padding: Padding = 0,
  dilation: PerAxis = 1,
): void {
  if (padding === 'same') return;
  const dims = kernels.length;
  const pads = perAxis(padding === 'valid' ? 0 : padding, dims, `${name}: padding`);
  const dilations = perAxis(dilation, dims, `${name}: dilation`);
  shape.slice(-dims).forEach((size, i) => {
    const reach = dilations[i] * (kernels[i] - 1) + 1;
    if (size + 2 * pads[i] >= reach) return;
    throw new ShapeError(
      `${name}: kernel of size ${reach} does not fit an input of size ${size} with padding ${pads[i]} and ${pads[i]}`,
      [shape],
    );
  });
}

const LAYOUT = {
  1: '[N, C, L] or [C, L]',
  2: '[N, C, H, W] or [C, H, W]',
  3: '[N, C, D, H, W] or [C, D, H, W]',
};

/** Hands [N, C, …] with `dims` more dimensions to `body`; an input without a batch gets one, and loses it again. */
export function batched(name: string, x: Tensor, dims: Dims, body: (x: Tensor) => Tensor): Tensor {
  if (x.rank === dims + 2) return body(x);
  if (x.rank === dims + 1) return body(x.unsqueeze(0)).squeeze(0);
  throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs ${LAYOUT[dims]}`, [x.shape]);
}
