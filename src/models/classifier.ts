import type { Module } from '../nn/module.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';

/** A network that gives logits [N, classes] for inputs whose sizes are known only when it runs. */
export interface Classifier extends Module {
  forward(x: AnyTensor): Tensor<[number, number]>;
}
