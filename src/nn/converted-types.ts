// The type of a module that `to(dtype)` has converted: its `forward` takes tensors of that dtype, too, and gives such.

import type { FloatDType, Shape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Apply, ApplyArg, ShapeFn } from './shape-types.js';

interface ConvertedLayer<F extends ShapeFn, D extends FloatDType> {
  forward<S extends Shape>(x: Tensor<S, D> & ApplyArg<F, S>): Tensor<Apply<F, S>, D>;
}

/** Whatever has a shape function is a layer of one input. */
type WithDType<M, D extends FloatDType> = M extends { readonly '~shape'?: infer F }
  ? ConvertedLayer<Extract<F, ShapeFn>, D> & M
  : M;

/** A module after `to(dtype)`. */
export type Converted<M, D extends FloatDType> = D extends 'float32' ? M : WithDType<M, D>;
