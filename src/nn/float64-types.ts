// The type of a module that `to('float64')` has converted: its `forward` takes tensors of float64, too, and gives such.

import type { FloatDType, Shape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Apply, ApplyArg, ShapeFn } from './shape-types.js';

interface Float64Layer<F extends ShapeFn> {
  forward<S extends Shape>(x: Tensor<S, 'float64'> & ApplyArg<F, S>): Tensor<Apply<F, S>, 'float64'>;
}

/** Whatever has a shape function is a layer of one input. */
type Float64<M> = M extends { readonly '~shape'?: infer F } ? Float64Layer<Extract<F, ShapeFn>> & M : M;

/** A module after `to(dtype)`. */
export type Converted<M, D extends FloatDType> = D extends 'float64' ? Float64<M> : M;
