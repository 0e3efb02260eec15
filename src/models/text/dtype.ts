// The dtype of a model's parameters.

import type { Module } from '../../nn/index.js';
import { type FloatDType, isFloat } from '../../tensor/library.js';

/** Of its first parameter of real numbers; float32 for none. */
export function dtypeOf(model: Module): FloatDType {
  for (const { dtype } of model.parameters()) if (isFloat(dtype)) return dtype;
  return 'float32';
}
