// Local response normalisation, of neighbouring channels.

import { checkOptions, formatShape, type OptionNames, ShapeError } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { localResponseNorm } from '../functional-layers.js';
import { Layer, checkCount, checkFloat, checkNumber } from '../layer.js';
import { POINT, type ReceptiveField } from '../receptive-field.js';
import type { IdentityFn } from '../shape-types/shape-fn.js';

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

const LOCAL_RESPONSE_NORM_OPTIONS: OptionNames<LocalResponseNormOptions> = { alpha: true, beta: true, k: true };

/**
 * x [N, C, …] divided by (k + α/size · Σ x²)^β, the sum over `size` neighbouring channels (Krizhevsky et al. 2012). PyTorch:
 * nn.LocalResponseNorm.
 */
export class LocalResponseNorm extends Layer<IdentityFn> {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    checkOptions(new.target.name, options, LOCAL_RESPONSE_NORM_OPTIONS);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    super();
    checkCount(size, 1, 'LocalResponseNorm: size');
    checkNumber(alpha, 'LocalResponseNorm: alpha');
    checkNumber(beta, 'LocalResponseNorm: beta');
    checkNumber(k, 'LocalResponseNorm: k');
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  protected compute(x: Tensor): Tensor {
    checkFloat('LocalResponseNorm', x);
    if (x.rank < 3)
      throw new ShapeError(`LocalResponseNorm: input ${formatShape(x.shape)}: needs [N, C, L, ...]`, [x.shape]);
    const { size, alpha, beta, k } = this;
    return localResponseNorm(x, size, { alpha, beta, k });
  }

  protected override window(): ReceptiveField {
    return POINT;
  }

  protected override describe(): string {
    return `${this.size}`;
  }
}
