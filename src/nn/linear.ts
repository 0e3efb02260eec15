// Linear and embedding layers.

import { embedding } from '../tensor/functions.js';
import { DTypeError, ShapeError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Shape } from '../tensor/shape-types/shape.js';
import * as init from './init.js';
import { checkCount } from './checks.js';
import { Layer } from './layer.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import type { LinearFn } from './shape-types.js';

export interface LinearOptions {
  readonly bias?: boolean;
}

/**
 * x [..., inFeatures] → x · weightᵀ + bias [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Both start uniform in ±1/√inFeatures. PyTorch: nn.Linear.
 */
export class Linear<const In extends number, const Out extends number> extends Layer<LinearFn<In, Out>> {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: In, outFeatures: Out, options: LinearOptions = {}) {
    super();
    checkCount(inFeatures, 1, 'Linear: inFeatures');
    checkCount(outFeatures, 1, 'Linear: outFeatures');
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = new Parameter(init.uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter(init.uniform([outFeatures], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    const features = this.weight.shape[1];
    const last = x.shape[x.rank - 1];
    if (last !== features) {
      const shape = x.shape.join(', ');
      throw new ShapeError(
        x.rank === 0
          ? 'Linear: input []: needs at least one dimension'
          : `Linear: input [${shape}]: last dimension ${last} is not inFeatures ${features}`,
        [x.shape],
      );
    }
    const y = x.matmul(this.weight.transpose(0, 1) as Tensor);
    return this.bias === undefined ? y : (y as Tensor).add(this.bias);
  }
}

/** index [...] (int32) → rows of a table [..., dim]; weight [count, dim] starts normal. PyTorch: nn.Embedding. */
export class Embedding<const Dim extends number> extends Module {
  readonly weight: Parameter;

  constructor(count: number, dim: Dim) {
    super();
    checkCount(count, 1, 'Embedding: count');
    checkCount(dim, 1, 'Embedding: dim');
    this.weight = new Parameter(init.normal([count, dim], 0, 1));
  }

  forward<S extends Shape>(index: Tensor<S, 'int32'>): Tensor<[...S, Dim]> {
    if ((index.dtype as string) !== 'int32')
      throw new DTypeError(`Embedding: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [
        index.dtype,
      ]);
    return embedding(this.weight as unknown as Tensor<[number, Dim]>, index);
  }
}
