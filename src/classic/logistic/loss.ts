// The mean log loss of linear logits, with gradient and Hessian, as programs on the engine.
//   Weights are [outputs, d + 1] (the last column is the constant, where there is one), flat; one output is a logit for the second of two
//   classes, more are logits of a softmax.
// float64, or float32 for large float32 rows.

import { compile } from '../../tensor/compile.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { tensor } from '../../tensor/creation.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { isFloat32Array } from '../../tensor/typed-arrays.js';
import { type Floats, type Matrix, tensorOf, zerosLike } from '../rows.js';

/** Rows beyond this stay float32 if they are. */
const LARGE = 1 << 22;

export interface Slope {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface Curvature extends Slope {
  /** [size, size]. */
  readonly hessian: Float64Array;
}

export class LogLoss {
  /** Number of weights in all. */
  readonly size: number;
  readonly outputs: number;
  /** Weights of an output, the constant included. */
  readonly width: number;
  readonly hasConstant: boolean;
  private readonly rows: Tensor;
  private readonly targets: Tensor;
  private readonly valueOf: (w: AnyTensor) => Promise<Tensor>;
  private readonly slopeOf: (w: AnyTensor) => Promise<{ value: Tensor; gradient: Tensor }>;
  private readonly curvatureOf: (
    w: AnyTensor,
  ) => Promise<{ value: Tensor; gradient: Tensor; stacked: Tensor; blocks: Tensor }>;

  constructor(x: Matrix, y: Int32Array, outputs: number, hasConstant: boolean) {
    const like: Floats = isFloat32Array(x.data) && x.data.length > LARGE ? x.data : new Float64Array(0);
    this.outputs = outputs;
    this.hasConstant = hasConstant;
    this.width = x.columns + (hasConstant ? 1 : 0);
    this.size = outputs * this.width;
    this.rows = tensorOf(withConstant(x, this.width, like));
    this.targets = tensorOf(targetsOf(y, outputs, like));
    this.valueOf = compile((w: AnyTensor): Tensor => withoutGrad(() => this.loss(w)));
    this.slopeOf = compile((w: AnyTensor) => withoutGrad(() => this.slopeNodes(w)));
    this.curvatureOf = compile((w: AnyTensor) => withoutGrad(() => this.curvatureNodes(w)));
  }

  /** The mean loss as a function of the weights [size], with a gradient. */
  loss(weights: AnyTensor): Tensor {
    const z = this.logits(weights);
    const own: Tensor =
      this.outputs === 1
        ? (z.softplus().sub(z.mul(this.targets)) as Tensor)
        : (z.logsumexp(0).sub(z.mul(this.targets).sum(0)) as Tensor);
    const wide: unknown = own.to('float64').mean();
    return wide as Tensor;
  }

  async value(w: Float64Array): Promise<number> {
    return (await this.valueOf(tensor(w))).item();
  }

  async slope(w: Float64Array): Promise<Slope> {
    const { value, gradient } = await this.slopeOf(tensor(w));
    const [v, g] = await Promise.all([value.item(), gradient.data()]);
    return { value: v, gradient: Float64Array.from(g) };
  }

  async curvature(w: Float64Array): Promise<Curvature> {
    const { value, gradient, stacked, blocks } = await this.curvatureOf(tensor(w));
    const [v, g, s, b] = await Promise.all([value.item(), gradient.data(), stacked.data(), blocks.data()]);
    const { size, width, outputs } = this;
    // softmax: −ZᵀZ of the rows times each probability, and XᵀPX in the blocks of the diagonal
    const hessian = outputs === 1 ? new Float64Array(size * size) : Float64Array.from(s, (value) => -value);
    for (let k = 0; k < outputs; k++)
      for (let i = 0; i < width; i++)
        for (let j = 0; j < width; j++)
          hessian[(k * width + i) * size + k * width + j] += b[(k * width + i) * width + j];
    return { value: v, gradient: Float64Array.from(g), hessian };
  }

  /** [outputs, n]: the few outputs are the rows of the product, so that its vectors are full. */
  private logits(weights: AnyTensor): Tensor {
    const w = weights.to(this.rows.dtype).reshape([this.outputs, this.width]) as Tensor;
    return w.matmul(this.rows.T) as Tensor;
  }

  private probabilities(z: Tensor): Tensor {
    return this.outputs === 1 ? z.sigmoid() : (z.softmax(0) as Tensor);
  }

  private slopeNodes(w: AnyTensor): { value: Tensor; gradient: Tensor } {
    const p = this.probabilities(this.logits(w));
    const gradient = p.sub(this.targets).matmul(this.rows).div(this.rows.shape[0]) as Tensor;
    return { value: this.loss(w), gradient };
  }

  private curvatureNodes(w: AnyTensor): { value: Tensor; gradient: Tensor; stacked: Tensor; blocks: Tensor } {
    const { rows, outputs, width } = this;
    const [n] = rows.shape;
    const p = this.probabilities(this.logits(w));
    const share: Tensor = outputs === 1 ? (p.mul(p.neg().add(1)).T as Tensor) : p.T;
    const weighted = share.unsqueeze(2).mul(rows.unsqueeze(1)) as Tensor; // [n, outputs, width]
    const blocks = weighted
      .permute([1, 2, 0])
      .reshape([outputs * width, n])
      .matmul(rows)
      .div(n) as Tensor;
    const flat = weighted.reshape([n, outputs * width]) as Tensor;
    const stacked: Tensor = outputs === 1 ? share.sum() : (flat.T.matmul(flat).div(n) as Tensor);
    return { ...this.slopeNodes(w), stacked, blocks };
  }
}

function withConstant(x: Matrix, width: number, like: Floats): Matrix {
  const data = zerosLike(like, x.rows * width).fill(1);
  for (let i = 0; i < x.rows; i++) data.set(x.data.subarray(i * x.columns, (i + 1) * x.columns), i * width);
  return { data, rows: x.rows, columns: width };
}

/** 0 and 1 [outputs, n]: of the second class for one output, else of each class. */
function targetsOf(y: Int32Array, outputs: number, like: Floats): Matrix {
  const data = zerosLike(like, y.length * outputs);
  y.forEach((place, i) => {
    if (outputs === 1) data[i] = place;
    else data[place * y.length + i] = 1;
  });
  return { data, rows: outputs, columns: y.length };
}
