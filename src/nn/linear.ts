// Layers over the last dimension: affine maps, and rows of a table.

import { DTypeError } from '../tensor/library.js';
import { embedding } from '../tensor/functions.js';
import type { Shape } from '../tensor/shape-types/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, checkCount, checkLast } from './layer.js';
import { Parameter } from './parameter.js';
import type { EmbeddingFn, LinearFn } from './shape-types.js';

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * x [..., inFeatures] → x · weightᵀ + bias [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Both start uniform in ±1/√inFeatures. PyTorch: nn.Linear.
 */
export class Linear<const In extends number, const Out extends number> extends Layer<LinearFn<In, Out>> {
  readonly weight: Parameter<[Out, In]>;
  readonly bias: Parameter<[Out]> | undefined;

  constructor(inFeatures: In, outFeatures: Out, options: LinearOptions = {}) {
    super();
    checkCount(inFeatures, 1, 'Linear: inFeatures');
    checkCount(outFeatures, 1, 'Linear: outFeatures');
    const bound = 1 / Math.sqrt(inFeatures); // kaiming_uniform(a = √5)
    this.weight = new Parameter<[Out, In]>(init.uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter<[Out]>(init.uniform([outFeatures], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    checkLast('Linear', x.shape, this.weight.shape[1], 'inFeatures');
    const y = x.matmul((this.weight as Tensor).transpose(0, 1)) as Tensor;
    return this.bias === undefined ? y : y.add(this.bias as Tensor);
  }

  protected override describe(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}${this.bias === undefined ? ', { bias: false }' : ''}`;
  }
}

/**
 * index [...] (int32) → rows of a table [..., dim]; weight [count, dim] starts normal with variance 1. An index outside
 * 0 … count − 1 is an IndexError when the result is computed. PyTorch: nn.Embedding.
 */
export class Embedding<const Dim extends number> extends Layer<EmbeddingFn<Dim>, 'int32'> {
  readonly weight: Parameter<[number, Dim]>;

  constructor(count: number, dim: Dim) {
    super();
    checkCount(count, 1, 'Embedding: count');
    checkCount(dim, 1, 'Embedding: dim');
    this.weight = new Parameter<[number, Dim]>(init.normal([count, dim]));
  }

  protected compute(index: Tensor<Shape, 'int32'>): Tensor {
    if ((index.dtype as string) !== 'int32') {
      throw new DTypeError(`Embedding: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [
        index.dtype,
      ]);
    }
    return embedding(this.weight, index) as Tensor;
  }

  protected override describe(): string {
    return this.weight.shape.join(', ');
  }
}
