// Numbers that JavaScript has computed from what it has read, on the device from which they came.

import { getDefaultDevice, storageFrom, storageLater } from '../engine/engine.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';
import { type Tensor, wrapStorage } from './tensor.js';

/** A tensor of these numbers on the named device; `op` names the call in errors. */
export function fromHost<S extends Shape, D extends DType>(
  op: string,
  data: ArrayLike<number>,
  shape: S,
  dtype: D,
  device: string,
): Tensor<S, D> {
  return wrapStorage(storageFrom(data, shape, dtype, device, op));
}

/**
 * A tensor on the default device whose numbers `make` gives, the same at each call, when they are needed for the first time. What is
 * overwritten before is never made: the starting values of a model whose weights are loaded.
 */
export function fromHostLater<S extends Shape, D extends DType>(
  make: () => ArrayLike<number>,
  shape: S,
  dtype: D,
): Tensor<S, D> {
  return wrapStorage(storageLater(make, [...shape], dtype, getDefaultDevice()));
}
