// Modules in another dtype, with the type that says so: `forward` takes tensors of that dtype, too, and gives such. A function and
// not a method: a method whose result depends on `this` makes compilers before TypeScript 7 follow every module through every other.

import type { FloatDType, Shape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import type { Apply, ApplyArg, ShapeFn } from './shape-types/shape-fn.js';

interface ConvertedLayer<F extends ShapeFn, D extends FloatDType> {
  forward<S extends Shape>(x: Tensor<S, D> & ApplyArg<F, S>): Tensor<Apply<F, S>, D>;
}

/** Whatever has a shape function is a layer of one input. */
type WithDType<M, D extends FloatDType> = M extends { readonly '~shape'?: infer F }
  ? ConvertedLayer<Extract<F, ShapeFn>, D> & M
  : M;

/** A module after `toDType(module, dtype)`. */
export type Converted<M, D extends FloatDType> = D extends 'float32' ? M : WithDType<M, D>;

/**
 * `module.to(dtype)`, and the same module with a type that knows it: layers of one input then take and give tensors of that dtype.
 *
 *     const model = toDType(new Sequential(new Linear(3, 8), new ReLU(), new Linear(8, 1)), 'float64');
 */
export function toDType<M extends Module, D extends FloatDType>(module: M, dtype: D): Converted<M, D> {
  return module.to(dtype) as Converted<M, D>; // the same object: only what its type says has changed
}
