// Parameters: stored tensors that are trained. A module finds them in its fields.

import { stored, storedValue } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import type { DType, Shape } from '../tensor/library.js';

const parameters = new WeakSet<AnyTensor>();

/**
 * A tensor that is trained, made from the numbers of another. PyTorch: nn.Parameter.
 *
 *     scale = new Parameter(ones([64]));
 */
export class Parameter<S extends Shape = Shape> extends Tensor<S> {
  constructor(values: Tensor<S>, options: { readonly requiresGrad?: boolean } = {}) {
    super(storedValue(values));
    this.requiresGrad_(options.requiresGrad ?? true);
    parameters.add(this as unknown as AnyTensor);
  }
}

/** A tensor that is saved with the model and not trained. Assign to it with `assign_`. */
export function buffer<S extends Shape, D extends DType>(values: Tensor<S, D>): Tensor<S, D> {
  return stored(values);
}

/** A Parameter, or a stored tensor that requires a gradient; it stays one when it is frozen later. */
export function isParameter(t: Tensor<Shape, DType>): boolean {
  if (parameters.has(t)) return true;
  if (!t.isLeaf || !t.requiresGrad) return false;
  parameters.add(t);
  return true;
}
