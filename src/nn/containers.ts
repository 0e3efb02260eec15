// Containers: modules made of modules.

import { ArgumentError } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import { Module } from './module.js';
import type { CheckSequential, SequentialFn } from './shape-types.js';

/**
 * Modules one after the other. Neighbours that do not fit do not compile; what depends on the size of the input is
 * checked where `forward` is called. Names in the state dict are the positions: `0.weight`. PyTorch: nn.Sequential.
 *
 *     new Sequential(new Flatten(), new Linear(784, 128), new ReLU(), new Linear(128, 10))
 */
export class Sequential<const Ms extends readonly Module[]> extends Layer<SequentialFn<Ms>> {
  readonly layers: Ms;

  constructor(...modules: CheckSequential<Ms>) {
    super();
    this.layers = modules as unknown as Ms;
    this.layers.forEach((module, i) => {
      if (!(module instanceof Module) || typeof (module as Partial<Step>).forward !== 'function') {
        throw new ArgumentError(`Sequential: argument ${i} is not a module with a forward method.`);
      }
    });
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`${i}`, layer] as const);
  }

  protected compute(x: Tensor): Tensor {
    let out: AnyTensor = x as AnyTensor;
    for (const module of this.layers) out = (module as unknown as Step).forward(out);
    return out as Tensor;
  }
}

interface Step {
  forward(x: AnyTensor): AnyTensor;
}
