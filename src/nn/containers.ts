// Containers: modules made of modules.

import { ArgumentError } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import { Module } from './module.js';
import type { CheckSequential, SequentialFn } from './shape-types.js';

/** What Sequential takes: anything with a `forward` of one tensor. */
export type Step = Module & { forward(x: never): AnyTensor };

/**
 * Modules one after the other. Neighbours that do not fit do not compile; what depends on the size of the input is
 * checked where `forward` is called. Names in the state dict are the positions: `0.weight`. PyTorch: nn.Sequential.
 */
export class Sequential<const Ms extends readonly Step[]> extends Layer<SequentialFn<Ms>> {
  readonly layers: Ms;

  constructor(...modules: CheckSequential<Ms>) {
    super();
    this.layers = modules as unknown as Ms;
    this.layers.forEach((m, i) => {
      if (!(m instanceof Module)) throw new ArgumentError(`Sequential: argument ${i} is not a module.`);
    });
  }

  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`${i}`, layer] as const);
  }

  protected compute(x: Tensor): Tensor {
    let out: AnyTensor = x;
    for (const m of this.layers) out = m.forward(out as never);
    return out as Tensor;
  }
}
