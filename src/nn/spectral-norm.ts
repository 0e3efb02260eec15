// Spectral normalisation (Miyato et al. 2018): a layer whose weight is divided by its largest singular value, so that no input is
// stretched by more than its own length. The value is followed by power iteration: a step in each forward pass of training.

import {
  ArgumentError,
  type OptionNames,
  checkNumber,
  checkOptions,
  checkWhole,
  inUnit,
  type Shape,
} from '../tensor/library.js';
import { randn } from '../tensor/creation.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import type { Tensor } from '../tensor/tensor.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv.js';
import { functionalCall } from './functional-call.js';
import { Layer } from './layer.js';
import { Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';
import type { ReceptiveField } from './receptive-field.js';
import type { ShapeFn } from './shape-types/shape-fn.js';

export interface SpectralNormOptions {
  /** Steps of the power iteration in a forward pass. Default 1. */
  readonly iterations?: number;
  /** Vectors are divided by at least this. Default 1e-12. */
  readonly eps?: number;
}

const SPECTRAL_NORM_OPTIONS: OptionNames<SpectralNormOptions> = { iterations: true, eps: true };

/** Steps before the first forward pass. */
const STARTING = 15;

interface HasWeight extends Module {
  readonly weight: Parameter<Shape>;
}

/**
 * `layer` (Linear, a convolution or a transposed one) with weight / σ in the place of its weight, σ the largest singular value of the
 * weight as a matrix [out, everything else]. Gradients go through σ; its vectors `u` [out] and `v` are buffers, which evaluation leaves
 * as they are. Keys: `layer.weight`, `layer.bias`, `u`, `v`. PyTorch: nn.utils.parametrizations.spectral_norm.
 *
 *     new SpectralNorm(new Conv2d(3, 64, 4, { stride: 2 }))
 */
export class SpectralNorm<F extends ShapeFn> extends Layer<F> {
  readonly layer: Layer<F> & HasWeight;
  readonly u: Buffer<[number]>;
  readonly v: Buffer<[number]>;
  readonly iterations: number;
  readonly eps: number;

  constructor(layer: Layer<F> & HasWeight, options: SpectralNormOptions = {}) {
    checkOptions(new.target.name, options, SPECTRAL_NORM_OPTIONS);
    super();
    const { iterations = 1, eps = 1e-12 } = options;
    const { name } = this.constructor;
    if (!(layer instanceof Module) || !(layer.weight instanceof Parameter) || layer.weight.rank < 2)
      throw new ArgumentError(`${name}: the layer has no weight of two dimensions or more. Give a Linear or a Conv2d.`);
    checkWhole(name, 'iterations', iterations, 1);
    checkNumber(name, 'eps', eps);
    if (!(eps >= 0)) throw new ArgumentError(`${name}: eps is ${eps}. Use a number of at least 0.`);
    this.layer = layer;
    this.iterations = iterations;
    this.eps = eps;
    const matrix = this.matrix().detach();
    const [rows, columns] = matrix.shape;
    const { dtype } = layer.weight;
    const start = [rows, columns].map((size): Tensor => this.unit(randn([size, 1], { dtype })));
    const [u, v] = withoutGrad(() => this.iterate(matrix, start[0], start[1], STARTING));
    this.u = new Buffer<[number]>(u.reshape([rows]));
    this.v = new Buffer<[number]>(v.reshape([columns]));
  }

  /** The weight as [out, everything else]; that of a transposed convolution has its outputs in the second place. */
  private matrix(): Tensor {
    const { layer } = this;
    const weight: Tensor = layer.weight;
    const isTransposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((kind) => layer instanceof kind);
    const turned: Tensor = isTransposed ? weight.transpose(0, 1) : weight;
    return turned.reshape([turned.shape[0], -1]);
  }

  private unit(x: Tensor): Tensor {
    return x.div(x.square().sum().sqrt().maximum(this.eps));
  }

  private iterate(matrix: Tensor, u: Tensor, v: Tensor, steps: number): readonly [u: Tensor, v: Tensor] {
    let [left, right] = [u, v];
    for (let i = 0; i < steps; i++) {
      left = this.unit(matrix.matmul(right));
      right = this.unit(matrix.transpose(0, 1).matmul(left));
    }
    return [left, right];
  }

  protected compute(x: Tensor): Tensor {
    const { u, v, layer } = this;
    const matrix = this.matrix();
    let [left, right]: readonly Tensor[] = [u.reshape([-1, 1]), v.reshape([-1, 1])];
    if (this.training) {
      // kept, as they are made of what is overwritten
      const next = withoutGrad(() => this.iterate(matrix.detach(), left, right, this.iterations));
      [left, right] = next.map((vector) => vector.keep());
      const follow = (): void => {
        u.assign_(left.reshape([u.shape[0]]));
        v.assign_(right.reshape([v.shape[0]]));
      };
      inUnit(() => withoutGrad(follow));
    }
    const sigma: Tensor = left.detach().transpose(0, 1).matmul(matrix).matmul(right.detach()).reshape([]);
    const weight: Tensor = layer.weight.div(sigma);
    return functionalCall(layer, { weight }, x) as Tensor;
  }

  protected override window(): ReceptiveField {
    return this.layer.receptiveField();
  }

  protected override describe(): string {
    return this.iterations === 1 ? '' : `iterations ${this.iterations}`;
  }
}
