// The two kinds of tensors that a module holds: parameters, which an optimiser changes, and buffers, which are saved with
// the module without being learned. A tensor in a field that is neither is left alone.

import type { DType, Shape } from '../tensor/library.js';
import { storedValue } from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * A tensor that is learned, made from the numbers of another. It requires a gradient until it is frozen with
 * `requiresGrad_(false)`, and stays a parameter then. PyTorch: nn.Parameter.
 *
 *     scale = new Parameter(ones([64]));
 */
export class Parameter<S extends Shape = Shape> extends Tensor<S> {
  constructor(values: Tensor<S>) {
    super(storedValue(values));
    this.requiresGrad_();
  }
}

/** A tensor that is saved with the module and not learned, such as a running mean; written with `assign_`. PyTorch: nn.Buffer. */
export class Buffer<S extends Shape = Shape, D extends DType = 'float32'> extends Tensor<S, D> {
  constructor(values: Tensor<S, D>) {
    super(storedValue(values));
  }
}
