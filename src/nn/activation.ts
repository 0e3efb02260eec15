// Activations as layers: the shape stays, but for Maxout and GLU. The functions are the tensor's methods and functional.ts.

import { ArgumentError, ShapeError, formatShape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import * as f from './functional.js';
import * as init from './init.js';
import { Layer, Pointwise, checkCount, checkLast, checkNumber } from './layer.js';
import { Linear } from './linear.js';
import { Parameter } from './parameter.js';
import { POINT, type ReceptiveField } from './receptive-field.js';
import type { GLUFn, LinearFn } from './shape-types/last-dimension.js';
import type { IdentityFn } from './shape-types/shape-fn.js';

/** max(x, 0); slope 0 at 0. */
export class ReLU extends Pointwise {
  protected compute(x: Tensor): Tensor {
    return x.relu();
  }
}

/** tanh(x). PyTorch: nn.Tanh. */
export class Tanh extends Pointwise {
  protected compute(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** σ(x) = 1 / (1 + e⁻ˣ). PyTorch: nn.Sigmoid. */
export class Sigmoid extends Pointwise {
  protected compute(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** x · Φ(x), with the exact error function unless `approximate` is 'tanh'. PyTorch: nn.GELU (Hendrycks and Gimpel 2016). */
export class GELU extends Pointwise {
  readonly approximate: 'none' | 'tanh';

  constructor(approximate: 'none' | 'tanh' = 'none') {
    super();
    if (approximate !== 'none' && approximate !== 'tanh')
      throw new ArgumentError(`GELU: approximate is '${String(approximate)}'. Use 'none' or 'tanh'.`);
    this.approximate = approximate;
  }

  protected compute(x: Tensor): Tensor {
    return f.gelu(x, this.approximate);
  }

  protected override describe(): string {
    return this.approximate === 'none' ? '' : `'${this.approximate}'`;
  }
}

/** A layer that is one function of one tensor. */
class Elementwise extends Pointwise {
  protected compute(x: Tensor): Tensor {
    return x;
  }
}

function layerOf(compute: (x: Tensor) => Tensor): new () => Elementwise {
  return class extends Elementwise {
    protected override compute(x: Tensor): Tensor {
      return compute(x);
    }
  };
}

/** λ·elu(x, α) with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017). PyTorch: nn.SELU. */
export class SELU extends layerOf(f.selu) {}
/** x · σ(x), the swish (Ramachandran et al. 2017). PyTorch: nn.SiLU. */
export class SiLU extends layerOf(f.silu) {}
/** x · tanh(softplus(x)) (Misra 2019). PyTorch: nn.Mish. */
export class Mish extends layerOf(f.mish) {}
/** log σ(x). PyTorch: nn.LogSigmoid. */
export class LogSigmoid extends layerOf(f.logSigmoid) {}
/** x / (1 + |x|). PyTorch: nn.Softsign. */
export class Softsign extends layerOf(f.softsign) {}
/** x − tanh(x). PyTorch: nn.Tanhshrink. */
export class Tanhshrink extends layerOf(f.tanhshrink) {}
/** x limited to [0, 6]. PyTorch: nn.ReLU6. */
export class ReLU6 extends layerOf(f.relu6) {}
/** (x + 3) / 6 limited to [0, 1]. PyTorch: nn.Hardsigmoid. */
export class Hardsigmoid extends layerOf(f.hardsigmoid) {}
/** x · hardsigmoid(x). PyTorch: nn.Hardswish. */
export class Hardswish extends layerOf(f.hardswish) {}
/** 1 where x ≥ 0, else 0 (Heaviside): the perceptron's activation. No gradient flows. */
export class Step extends layerOf(f.step) {}

/** What comes in goes out. */
export class Identity extends layerOf((x) => x) {}

/** A layer with numbers as arguments, which `toString` shows. */
abstract class Shaped extends Pointwise {
  protected readonly arguments: readonly number[];

  constructor(...args: readonly number[]) {
    super();
    for (const value of args) {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new ArgumentError(`${this.constructor.name}: ${String(value)} is not a number.`);
    }
    this.arguments = args;
  }

  protected override describe(): string {
    return this.arguments.join(', ');
  }
}

/** max(x, 0) + slope · min(x, 0), slope 0.01 unless given (Maas et al. 2013). PyTorch: nn.LeakyReLU. */
export class LeakyReLU extends Shaped {
  constructor(slope = 0.01) {
    super(slope);
  }
  protected compute(x: Tensor): Tensor {
    return f.leakyRelu(x, this.arguments[0]);
  }
}

/** x where positive, α·(eˣ − 1) elsewhere, α = 1 unless given (Clevert et al. 2016). PyTorch: nn.ELU. */
export class ELU extends Shaped {
  constructor(alpha = 1) {
    super(alpha);
  }
  protected compute(x: Tensor): Tensor {
    return f.elu(x, this.arguments[0]);
  }
}

/** x where positive, α·(e^(x/α) − 1) elsewhere, α = 1 unless given (Barron 2017). PyTorch: nn.CELU. */
export class CELU extends Shaped {
  constructor(alpha = 1) {
    if (alpha === 0) throw new ArgumentError('CELU: alpha is 0. Use another number.');
    super(alpha);
  }
  protected compute(x: Tensor): Tensor {
    return f.celu(x, this.arguments[0]);
  }
}

/** x limited to [min, max], [−1, 1] unless given. PyTorch: nn.Hardtanh. */
export class Hardtanh extends Shaped {
  constructor(min = -1, max = 1) {
    if (!(min < max)) throw new ArgumentError(`Hardtanh: min ${min} is not below max ${max}.`);
    super(min, max);
  }
  protected compute(x: Tensor): Tensor {
    return f.hardtanh(x, this.arguments[0], this.arguments[1]);
  }
}

/** x where |x| > λ, 0 elsewhere; λ = 0.5 unless given. PyTorch: nn.Hardshrink. */
export class Hardshrink extends Shaped {
  constructor(lambda = 0.5) {
    super(lambda);
  }
  protected compute(x: Tensor): Tensor {
    return f.hardshrink(x, this.arguments[0]);
  }
}

/** x moved towards 0 by λ, 0 within λ of it; λ = 0.5 unless given. PyTorch: nn.Softshrink. */
export class Softshrink extends Shaped {
  constructor(lambda = 0.5) {
    if (!(lambda >= 0)) throw new ArgumentError(`Softshrink: lambda is ${lambda}. Use a number of at least 0.`);
    super(lambda);
  }
  protected compute(x: Tensor): Tensor {
    return f.softshrink(x, this.arguments[0]);
  }
}

/** x where above the threshold, `value` elsewhere. PyTorch: nn.Threshold. */
export class Threshold extends Shaped {
  constructor(threshold: number, value: number) {
    super(threshold, value);
  }
  protected compute(x: Tensor): Tensor {
    return f.threshold(x, this.arguments[0], this.arguments[1]);
  }
}

/** log(1 + e^(βx)) / β, x itself where βx is above the threshold; β = 1, threshold 20 unless given. PyTorch: nn.Softplus. */
export class Softplus extends Shaped {
  constructor(beta = 1, threshold = 20) {
    if (!(beta > 0)) throw new ArgumentError(`Softplus: beta is ${beta}. Use a number above 0.`);
    super(beta, threshold);
  }
  protected compute(x: Tensor): Tensor {
    return f.softplus(x, this.arguments[0], this.arguments[1]);
  }
}

/**
 * Leaky ReLU whose slopes are random in training, uniform in [lower, upper) (1/8 and 1/3 unless given), and their mean
 * otherwise (Xu et al. 2015). PyTorch: nn.RReLU.
 */
export class RReLU extends Shaped {
  constructor(lower = 1 / 8, upper = 1 / 3) {
    if (!(lower <= upper)) throw new ArgumentError(`RReLU: lower ${lower} is above upper ${upper}. Exchange them.`);
    super(lower, upper);
  }
  protected compute(x: Tensor): Tensor {
    return f.rrelu(x, this.arguments[0], this.arguments[1], this.training);
  }
}

/**
 * max(x, 0) + weight · min(x, 0) with a learned slope: one, or one for each channel (dimension 1); weight [count] starts at
 * 0.25 (He et al. 2015). PyTorch: nn.PReLU.
 */
export class PReLU extends Pointwise {
  readonly weight: Parameter<[number]>;

  constructor(count = 1, init0 = 0.25) {
    super();
    checkCount(count, 1, 'PReLU: count');
    checkNumber(init0, 'PReLU: the first slope');
    this.weight = new Parameter<[number]>(init.constant([count], init0));
  }

  protected compute(x: Tensor): Tensor {
    const [count] = this.weight.shape;
    if (count !== 1 && x.shape[1] !== count) {
      throw new ShapeError(`PReLU: input ${formatShape(x.shape)}: ${count} slopes need ${count} channels`, [x.shape]);
    }
    return f.prelu(x, this.weight);
  }

  protected override describe(): string {
    return `${this.weight.size}`;
  }
}

function checkDim(name: string, dim: number): number {
  if (!Number.isInteger(dim)) throw new ArgumentError(`${name}: dim is ${dim}. Use a whole number.`);
  return dim;
}

/** Along one dimension, the last one by default: the shape stays. */
abstract class AlongDim extends Layer<IdentityFn> {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = checkDim(this.constructor.name, dim);
  }

  protected override window(): ReceptiveField | undefined {
    return this.dim === 1 ? POINT : undefined; // along the channels
  }

  protected override describe(): string {
    return `${this.dim}`;
  }
}

/** eˣ / Σ eˣ along one dimension, the last one by default. PyTorch: nn.Softmax. */
export class Softmax extends AlongDim {
  protected compute(x: Tensor): Tensor {
    return x.softmax(this.dim);
  }
}

/** log(eˣ / Σ eˣ) along one dimension, the last one by default. PyTorch: nn.LogSoftmax. */
export class LogSoftmax extends AlongDim {
  protected compute(x: Tensor): Tensor {
    return x.logSoftmax(this.dim);
  }
}

/** e⁻ˣ / Σ e⁻ˣ along one dimension, the last one by default. PyTorch: nn.Softmin. */
export class Softmin extends AlongDim {
  protected compute(x: Tensor): Tensor {
    return f.softmin(x, this.dim);
  }
}

/**
 * The first half of a dimension times σ of the second: x [..., 2·E] → [..., E]; the last dimension unless given (Dauphin et al.
 * 2017). PyTorch: nn.GLU.
 */
export class GLU<const Dim extends number = -1> extends Layer<GLUFn<Dim>> {
  readonly dim: number;

  constructor(dim?: Dim) {
    super();
    this.dim = checkDim('GLU', dim ?? -1);
  }

  protected compute(x: Tensor): Tensor {
    const axis = this.dim < 0 ? this.dim + x.rank : this.dim;
    if (axis < 0 || axis >= x.rank)
      throw new ShapeError(`GLU: input ${formatShape(x.shape)} has no dimension ${this.dim}`, [x.shape]);
    if (x.shape[axis] % 2 !== 0) {
      throw new ShapeError(
        `GLU: input ${formatShape(x.shape)}: dimension ${this.dim} of size ${x.shape[axis]} has no halves`,
        [x.shape],
      );
    }
    return f.glu(x, this.dim);
  }

  protected override describe(): string {
    return this.dim === -1 ? '' : `${this.dim}`;
  }
}

/**
 * The largest of `pieces` affine maps: x [..., inFeatures] → [..., outFeatures]. linear.weight [outFeatures · pieces,
 * inFeatures] starts as Linear's; output i takes the largest of rows i·pieces … i·pieces + pieces − 1 (Goodfellow et al. 2013).
 */
export class Maxout<const In extends number, const Out extends number> extends Layer<LinearFn<In, Out, 'Maxout'>> {
  readonly linear: Linear<number, number>;
  readonly outFeatures: Out;
  readonly pieces: number;

  constructor(inFeatures: In, outFeatures: Out, pieces = 2) {
    super();
    checkCount(outFeatures, 1, 'Maxout: outFeatures');
    checkCount(pieces, 1, 'Maxout: pieces');
    this.linear = new Linear(inFeatures as number, outFeatures * pieces);
    this.outFeatures = outFeatures;
    this.pieces = pieces;
  }

  protected compute(x: Tensor): Tensor {
    checkLast('Maxout', x.shape, this.linear.weight.shape[1], 'inFeatures');
    const all = this.linear.forward(x);
    const apart = all.reshape([...all.shape.slice(0, -1), this.outFeatures, this.pieces] as readonly number[]);
    return apart.max(-1).values;
  }

  protected override describe(): string {
    return `${this.linear.weight.shape[1]}, ${this.outFeatures}, ${this.pieces}`;
  }
}
