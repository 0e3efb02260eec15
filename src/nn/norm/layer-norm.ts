// Normalisation of the last dimensions: by mean and variance, or by the root mean square alone.

import {
  ArgumentError,
  checkOptions,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
  shown,
} from '../../tensor/library.js';
import type { Mutable } from '../../tensor/shape-types/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { standardise } from '../functional-layers.js';
import * as init from '../init.js';
import { Layer, checkCount, checkFloat, checkLast } from '../layer.js';
import { Parameter } from '../parameter.js';
import type { LayerNormFn } from '../shape-types/last-dimension.js';
import { checkEps } from './check-eps.js';

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learned scale and shift. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether the learned part has a shift. Default true. */
  readonly bias?: boolean;
}

const LAYER_NORM_OPTIONS: OptionNames<LayerNormOptions> = { eps: true, elementwiseAffine: true, bias: true };

/** The last sizes of an input: one number, or several. */
type Sizes<Size extends number | Shape> = Size extends number ? [Size] : Size extends Shape ? Mutable<Size> : number[];

/** The sizes as a list, checked. */
function sizesOf<const Size extends number | Shape>(name: string, size: Size): Sizes<Size> {
  if (typeof size !== 'number' && !Array.isArray(size))
    throw new ArgumentError(`${name}: normalizedShape is ${shown(size)}. Use a size or a list of sizes.`);
  const sizes = typeof size === 'number' ? [size] : [...(size as Shape)];
  if (sizes.length === 0) throw new ArgumentError(`${name}: normalizedShape is []. Give at least one size.`);
  for (const n of sizes) checkCount(n, 1, `${name}: normalizedShape`);
  return sizes as Sizes<Size>;
}

/** Throws unless the input ends in these sizes. */
function checkEnd(name: string, x: Tensor, sizes: readonly number[]): void {
  checkFloat(name, x);
  if (sizes.length === 1) return checkLast(name, x.shape, sizes[0], 'normalizedShape');
  if (x.rank >= sizes.length && sameShape(x.shape.slice(-sizes.length), sizes)) return;
  throw new ShapeError(
    `${name}: input ${formatShape(x.shape)}: does not end in normalizedShape ${formatShape(sizes)}`,
    [x.shape],
  );
}

/**
 * x [..., size], normalised over the last dimension (or the last few: `new LayerNorm([C, H, W])`) by mean and biased variance;
 * weight and bias have the shape of what is normalised. PyTorch: nn.LayerNorm (Ba et al. 2016).
 */
export class LayerNorm<const Size extends number | Shape> extends Layer<LayerNormFn<Size>> {
  readonly weight: Parameter<Sizes<Size>> | undefined;
  readonly bias: Parameter<Sizes<Size>> | undefined;
  readonly normalizedShape: Sizes<Size>;
  readonly eps: number;

  constructor(size: Size, options: LayerNormOptions = {}) {
    checkOptions(new.target.name, options, LAYER_NORM_OPTIONS);
    const { eps = 1e-5, bias = true, elementwiseAffine = true } = options;
    super();
    const sizes = sizesOf('LayerNorm', size);
    checkEps('LayerNorm', eps);
    this.weight = elementwiseAffine ? new Parameter<Sizes<Size>>(init.constant(sizes, 1)) : undefined;
    this.bias = elementwiseAffine && bias ? new Parameter<Sizes<Size>>(init.constant(sizes, 0)) : undefined;
    this.normalizedShape = sizes;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    const sizes: readonly number[] = this.normalizedShape;
    checkEnd('LayerNorm', x, sizes);
    const y = standardise(x, x.rank - sizes.length, this.eps);
    const scaled = this.weight === undefined ? y : y.mul(this.weight);
    return this.bias === undefined ? scaled : scaled.add(this.bias);
  }

  protected override describe(): string {
    return describeSizes(this.normalizedShape);
  }
}

function describeSizes(sizes: Shape): string {
  return sizes.length === 1 ? `${sizes[0]}` : formatShape(sizes);
}

export interface RMSNormOptions {
  /** Added to the mean square. Default 2^-23, the distance of float32 numbers at 1. */
  readonly eps?: number;
  /** A learned scale. Default true. */
  readonly elementwiseAffine?: boolean;
}

const RMS_NORM_OPTIONS: OptionNames<RMSNormOptions> = { eps: true, elementwiseAffine: true };

/**
 * x [..., size] divided by its root mean square over the last dimension (or the last few), times weight. PyTorch: nn.RMSNorm
 * (Zhang and Sennrich 2019).
 */
export class RMSNorm<const Size extends number | Shape> extends Layer<LayerNormFn<Size, 'RMSNorm'>> {
  readonly weight: Parameter<Sizes<Size>> | undefined;
  readonly normalizedShape: Sizes<Size>;
  readonly eps: number;

  constructor(size: Size, options: RMSNormOptions = {}) {
    checkOptions(new.target.name, options, RMS_NORM_OPTIONS);
    const { eps = 2 ** -23, elementwiseAffine = true } = options;
    super();
    const sizes = sizesOf('RMSNorm', size);
    checkEps('RMSNorm', eps);
    this.weight = elementwiseAffine ? new Parameter<Sizes<Size>>(init.constant(sizes, 1)) : undefined;
    this.normalizedShape = sizes;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    const sizes: readonly number[] = this.normalizedShape;
    checkEnd('RMSNorm', x, sizes);
    const dims = sizes.map((_, i) => i - sizes.length);
    const square = x.square().mean(dims, { keepdim: true });
    const y = x.mul(square.add(this.eps).rsqrt());
    return this.weight === undefined ? y : y.mul(this.weight);
  }

  protected override describe(): string {
    return describeSizes(this.normalizedShape);
  }
}
