// Layers over the last dimension: affine and bilinear maps.

import { checkOptions, formatShape, type OptionNames, sameShape, ShapeError } from '../tensor/library.js';
import type { Shape } from '../tensor/shape-types/shape.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, checkCount, checkFloat, checkLast } from './layer.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import { POINT, type ReceptiveField } from './receptive-field.js';
import type { LastArg, LinearFn, ReplaceLast } from './shape-types/last-dimension.js';

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
