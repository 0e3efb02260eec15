// The dtype of a model's parameters. Types of models say float32, as those of all modules do, whatever `to` has made of them.

import type { Module } from '../../nn/index.js';
import { type FloatDType, isFloat } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Of its first parameter of real numbers; float32 for none. */
export function dtypeOf(model: Module): FloatDType {
  for (const { dtype } of model.parameters()) if (isFloat(dtype)) return dtype;
  return 'float32';
}

/** x in the dtype of a model, with the type that its tensors have. */
export function inDType(x: Tensor, dtype: FloatDType): Tensor;
export function inDType(x: Tensor, dtype: FloatDType): unknown {
  return x.to(dtype);
}
