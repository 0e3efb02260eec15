// Layers over the last dimension: affine and bilinear maps, and rows of a table.

import {
  ArgumentError,
  checkOptions,
  DTypeError,
  formatShape,
  nameIndices,
  type OptionNames,
  sameShape,
  ShapeError,
} from '../tensor/library.js';
import { embedding, where } from '../tensor/functions.js';
import type { Shape } from '../tensor/shape-types/shape.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { arange } from '../tensor/creation.js';
import * as init from './init.js';
import { Layer, checkCount, checkFloat, checkLast } from './layer.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import { POINT, type ReceptiveField } from './receptive-field.js';
import type { EmbeddingFn, LastArg, LinearFn, ReplaceLast } from './shape-types.js';

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
}

const LINEAR_OPTIONS: OptionNames<LinearOptions> = { bias: true };

/**
 * x [..., inFeatures] → x · weightᵀ + bias [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures].
 * Both start uniform in ±1/√inFeatures. PyTorch: nn.Linear.
 */
export class Linear<const In extends number, const Out extends number> extends Layer<LinearFn<In, Out>> {
  readonly weight: Parameter<[Out, In]>;
  readonly bias: Parameter<[Out]> | undefined;

  constructor(inFeatures: In, outFeatures: Out, options: LinearOptions = {}) {
    checkOptions(new.target.name, options, LINEAR_OPTIONS);
    super();
    checkCount(inFeatures, 1, 'Linear: inFeatures');
    checkCount(outFeatures, 1, 'Linear: outFeatures');
    const bound = 1 / Math.sqrt(inFeatures); // kaiming_uniform(a = √5)
    this.weight = new Parameter<[Out, In]>(init.uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter<[Out]>(init.uniform([outFeatures], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    checkFloat('Linear', x);
    checkLast('Linear', x.shape, this.weight.shape[1], 'inFeatures');
    const y = x.matmul(this.weight.transpose(0, 1));
    return this.bias === undefined ? y : y.add(this.bias);
  }

  protected override window(): ReceptiveField {
    return POINT;
  }

  protected override describe(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}${this.bias === undefined ? ', { bias: false }' : ''}`;
  }
}

/**
 * `forward(x1, x2)`: x1 [..., in1Features], x2 [..., in2Features] → [..., outFeatures], y_o = x1ᵀ·weight_o·x2 + bias_o; weight
 * [outFeatures, in1Features, in2Features] and bias start uniform in ±1/√in1Features. PyTorch: nn.Bilinear.
 */
export class Bilinear<const In1 extends number, const In2 extends number, const Out extends number> extends Module {
  readonly weight: Parameter<[Out, In1, In2]>;
  readonly bias: Parameter<[Out]> | undefined;

  constructor(in1Features: In1, in2Features: In2, outFeatures: Out, options: LinearOptions = {}) {
    checkOptions(new.target.name, options, LINEAR_OPTIONS);
    super();
    checkCount(in1Features, 1, 'Bilinear: in1Features');
    checkCount(in2Features, 1, 'Bilinear: in2Features');
    checkCount(outFeatures, 1, 'Bilinear: outFeatures');
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = new Parameter<[Out, In1, In2]>(init.uniform([outFeatures, in1Features, in2Features], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter<[Out]>(init.uniform([outFeatures], -bound, bound)) : undefined;
  }

  forward<S extends Shape, T extends Shape>(
    x1: Tensor<S> & LastArg<'Bilinear', S, In1, 'in1Features'>,
    x2: Tensor<T> & LastArg<'Bilinear', T, In2, 'in2Features'>,
  ): Tensor<ReplaceLast<S, Out>> {
    checkTensor(x1, this.constructor.name, 'the x1');
    checkTensor(x2, this.constructor.name, 'the x2');
    const [out, in1, in2] = this.weight.shape as readonly number[];
    checkFloat('Bilinear', x1);
    checkFloat('Bilinear', x2);
    checkLast('Bilinear', x1.shape, in1, 'in1Features');
    checkLast('Bilinear', x2.shape, in2, 'in2Features');
    if (!sameShape(x1.shape.slice(0, -1), x2.shape.slice(0, -1))) {
      throw new ShapeError(
        `Bilinear: inputs ${formatShape(x1.shape)} and ${formatShape(x2.shape)}: all sizes but the last have to agree`,
        [x1.shape, x2.shape],
      );
    }
    // (…, in1) · (in1, out·in2) → (…, out, in2), then the product with x2 over the last dimension
    const matrix = this.weight.permute([1, 0, 2]).reshape([in1, out * in2] as Shape);
    const half = x1.matmul(matrix);
    const parts = half.reshape([...x1.shape.slice(0, -1), out, in2] as Shape);
    const y: Tensor = parts.mul(x2.unsqueeze(-2)).sum(-1);
    return (this.bias === undefined ? y : y.add(this.bias)) as Tensor<ReplaceLast<S, Out>>;
  }

  protected override describe(): string {
    const [out, in1, in2] = this.weight.shape;
    return `${in1}, ${in2}, ${out}${this.bias === undefined ? ', { bias: false }' : ''}`;
  }
}

export interface EmbeddingOptions {
  /** A row that starts at 0 and takes no gradient, for padding; a negative one counts from the end. */
  readonly paddingIdx?: number;
}

const EMBEDDING_OPTIONS: OptionNames<EmbeddingOptions> = { paddingIdx: true };

/**
 * index [...] (int32) → rows of a table [..., dim]; weight [count, dim] starts normal with variance 1. An index outside
 * 0 … count − 1 is an IndexError when the result is computed. PyTorch: nn.Embedding.
 */
export class Embedding<const Dim extends number> extends Layer<EmbeddingFn<Dim>, 'int32'> {
  readonly weight: Parameter<[number, Dim]>;
  readonly paddingIdx: number | undefined;

  constructor(count: number, dim: Dim, options: EmbeddingOptions = {}) {
    checkOptions(new.target.name, options, EMBEDDING_OPTIONS);
    const { paddingIdx } = options;
    super();
    checkCount(count, 1, 'Embedding: count');
    checkCount(dim, 1, 'Embedding: dim');
    const row = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + count : paddingIdx;
    if (row !== undefined && !(Number.isInteger(row) && row >= 0 && row < count)) {
      throw new ArgumentError(
        `Embedding: paddingIdx is ${paddingIdx}. Use a whole number from ${-count} to ${count - 1}.`,
      );
    }
    this.weight = new Parameter<[number, Dim]>(init.normal([count, dim]));
    if (row !== undefined) {
      const padding = arange(count).eq(row).unsqueeze(1);
      this.weight.assign_(where(padding, 0, this.weight));
    }
    this.paddingIdx = row;
  }

  protected compute(index: Tensor<Shape, 'int32'>): Tensor {
    if ((index.dtype as string) !== 'int32') {
      throw new DTypeError(`Embedding: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [
        index.dtype,
      ]);
    }
    const rows = nameIndices('Embedding: index', () => embedding(this.weight, index));
    if (this.paddingIdx === undefined) return rows;
    const padding = index.eq(this.paddingIdx).unsqueeze(-1);
    return where(padding, rows.detach(), rows);
  }

  protected override describe(): string {
    const padding = this.paddingIdx === undefined ? '' : `, { paddingIdx: ${this.paddingIdx} }`;
    return `${this.weight.shape.join(', ')}${padding}`;
  }
}
