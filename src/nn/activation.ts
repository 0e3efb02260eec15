// Activations and dropout: the shape stays.

import { rand } from '../tensor/creation.js';
import { ArgumentError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import type { IdentityFn } from './shape-types.js';

/** max(x, 0); slope 0 at 0. */
export class ReLU extends Layer<IdentityFn> {
  protected compute(x: Tensor): Tensor {
    return x.relu();
  }
}

export class Tanh extends Layer<IdentityFn> {
  protected compute(x: Tensor): Tensor {
    return x.tanh();
  }
}

export class Sigmoid extends Layer<IdentityFn> {
  protected compute(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** x · Φ(x), with the exact error function. PyTorch: nn.GELU(). */
export class GELU extends Layer<IdentityFn> {
  protected compute(x: Tensor): Tensor {
    return x.gelu();
  }
}

/** eˣ / Σ eˣ along one dimension, the last one by default. PyTorch: nn.Softmax. */
export class Softmax extends Layer<IdentityFn> {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  protected compute(x: Tensor): Tensor {
    return x.softmax(this.dim);
  }

  protected override describe(): string {
    return `${this.dim}`;
  }
}

/** What comes in goes out. */
export class Identity extends Layer<IdentityFn> {
  protected compute(x: Tensor): Tensor {
    return x;
  }
}

/**
 * In training, sets each element to zero with probability `p` and multiplies the others by 1 / (1 − p), with new random
 * numbers in each call; otherwise the identity. PyTorch: nn.Dropout.
 */
export class Dropout extends Layer<IdentityFn> {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`Dropout: p is ${p}. Use a number from 0 to 1.`);
    this.p = p;
  }

  protected compute(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    if (this.p === 1) return x.mul(0);
    const kept = rand(x.shape).ge(this.p).to('float32') as Tensor;
    return x.mul(kept.mul(1 / (1 - this.p)));
  }

  protected override describe(): string {
    return `${this.p}`;
  }
}
