// Activations: the shape stays.

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
