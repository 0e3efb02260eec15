// Pooling layers in one, two and three dimensions: the largest element of each window, its mean or its power mean.

import { poolMaxima, poolMaximaWithIndices, poolMeans, poolPowers } from '../tensor/pooling.js';
import { ArgumentError, checkOptions, type OptionNames, type Shape } from '../tensor/library.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import type { Dims, PerAxis } from '../tensor/shape-types/window.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { Layer, batched, checkCount, checkNumber, checkWindow, perAxis } from './layer.js';
import type { ReceptiveField } from './receptive-field.js';
import type { Apply, ApplyArg } from './shape-types/shape-fn.js';
import type { PoolFn } from './shape-types/windows.js';

export interface PoolOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** Default 0; at most half the kernel size. */
  readonly padding?: PerAxis;
  /** A last window that reaches beyond the input counts, too. Default false. */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  /** Distance of the elements in a window. Default 1. */
  readonly dilation?: PerAxis;
}

const MAX_POOL_OPTIONS: OptionNames<MaxPoolOptions> = { stride: true, padding: true, dilation: true, ceilMode: true };

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the mean. Default true. */
  readonly countIncludePad?: boolean;
  /** What the sum of a window is divided by, whatever it holds. Default: how many elements it has. */
  readonly divisorOverride?: number;
}

const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = {
  stride: true,
  padding: true,
  ceilMode: true,
  countIncludePad: true,
  divisorOverride: true,
};

type PoolOf<Name extends string, D extends Dims, K extends PerAxis, O> = PoolFn<
  Name,
  D,
  K,
  OptionOf<O, 'stride', K, PerAxis>,
  OptionOf<O, 'padding', 0, PerAxis>,
  OptionOf<O, 'dilation', 1, PerAxis>,
  OptionOf<O, 'ceilMode', false, boolean>
>;

/** What all pooling layers check and show. */
abstract class Pool<Name extends string, D extends Dims, K extends PerAxis, O extends PoolOptions> extends Layer<
  PoolOf<Name, D, K, O>
> {
  readonly kernelSize: K;
  readonly options: O;
  protected readonly dims: D;

  constructor(dims: D, kernelSize: K, options: O | undefined) {
    super();
    const { name } = this.constructor;
    const given: MaxPoolOptions = options ?? {};
    const { stride = kernelSize, padding = 0, dilation = 1 } = given;
    const kernel = perAxis(kernelSize, dims, `${name}: kernelSize`);
    for (const size of kernel) checkCount(size, 1, `${name}: kernelSize`);
    for (const size of perAxis(stride, dims, `${name}: stride`)) checkCount(size, 1, `${name}: stride`);
    for (const size of perAxis(dilation, dims, `${name}: dilation`)) checkCount(size, 1, `${name}: dilation`);
    perAxis(padding, dims, `${name}: padding`).forEach((size, i) => {
      checkCount(size, 0, `${name}: padding`);
      if (size * 2 > kernel[i])
        throw new ArgumentError(`${name}: padding ${size} is more than half of kernel ${kernel[i]}.`);
    });
    this.dims = dims;
    this.kernelSize = kernelSize;
    this.options = options ?? ({} as O);
  }

  protected compute(x: Tensor): Tensor {
    const { name } = this.constructor;
    const { padding, dilation } = this.options as MaxPoolOptions;
    return batched(name, x, this.dims, (images) => {
      checkWindow(name, x.shape, perAxis(this.kernelSize, this.dims, name), padding, dilation);
      return this.pool(images);
    });
  }

  protected abstract pool(x: Tensor): Tensor;

  protected override window(): ReceptiveField {
    const { stride = this.kernelSize, padding = 0, dilation = 1 } = this.options as MaxPoolOptions;
    const each = (value: PerAxis): number[] => perAxis(value, this.dims, this.constructor.name);
    const dilations = each(dilation);
    return {
      size: each(this.kernelSize).map((k, i) => dilations[i] * (k - 1) + 1),
      stride: each(stride),
      start: each(padding).map((n) => 0 - n),
    };
  }

  protected override describe(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return `${JSON.stringify(this.kernelSize)}${options.length > 0 ? `, { ${options.join(', ')} }` : ''}`;
  }
}

abstract class MaxPool<Name extends string, D extends Dims, K extends PerAxis, O extends MaxPoolOptions> extends Pool<
  Name,
  D,
  K,
  O
> {
  protected pool(x: Tensor): Tensor {
    return poolMaxima(this.dims, x, this.kernelSize, this.options);
  }

  /**
   * The maxima, and where each was found: its position in its channel, counted row by row (int32). What a MaxUnpool layer
   * needs. PyTorch: returnIndices.
   */
  forwardWithIndices<S extends Shape>(
    x: Tensor<S> & ApplyArg<PoolOf<Name, D, K, O>, S>,
  ): [values: Tensor<Apply<PoolOf<Name, D, K, O>, S>>, indices: Tensor<Apply<PoolOf<Name, D, K, O>, S>, 'int32'>] {
    checkTensor(x, this.constructor.name, 'the input');
    batched(this.constructor.name, x, this.dims, (images) => images); // checks the rank
    const { values, indices } = poolMaximaWithIndices(this.dims, x, this.kernelSize, this.options);
    return [values, indices];
  }
}

/** x [N, C, L] or [C, L] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool1d. */
export class MaxPool1d<const K extends PerAxis, const O extends MaxPoolOptions = {}> extends MaxPool<
  'MaxPool1d',
  1,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, MaxPoolOptions>) {
    checkOptions(new.target.name, options, MAX_POOL_OPTIONS);
    super(1, kernelSize, options);
  }
}

/** x [N, C, H, W] or [C, H, W] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool2d. */
export class MaxPool2d<const K extends PerAxis, const O extends MaxPoolOptions = {}> extends MaxPool<
  'MaxPool2d',
  2,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, MaxPoolOptions>) {
    checkOptions(new.target.name, options, MAX_POOL_OPTIONS);
    super(2, kernelSize, options);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] → the largest element of each window; padding counts as −∞. PyTorch: nn.MaxPool3d. */
export class MaxPool3d<const K extends PerAxis, const O extends MaxPoolOptions = {}> extends MaxPool<
  'MaxPool3d',
  3,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, MaxPoolOptions>) {
    checkOptions(new.target.name, options, MAX_POOL_OPTIONS);
    super(3, kernelSize, options);
  }
}

abstract class AvgPool<Name extends string, D extends Dims, K extends PerAxis, O extends AvgPoolOptions> extends Pool<
  Name,
  D,
  K,
  O
> {
  constructor(dims: D, kernelSize: K, options: O | undefined) {
    const { name } = new.target;
    checkOptions(name, options, AVG_POOL_OPTIONS);
    const divisor = options?.divisorOverride;
    if (divisor !== undefined) checkNumber(divisor, `${name}: divisorOverride`);
    if (divisor === 0) throw new ArgumentError(`${name}: divisorOverride is 0. Use another number.`);
    super(dims, kernelSize, options);
  }

  protected pool(x: Tensor): Tensor {
    return poolMeans(this.dims, x, this.kernelSize, this.options);
  }
}

/** x [N, C, L] or [C, L] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool1d. */
export class AvgPool1d<const K extends PerAxis, const O extends AvgPoolOptions = {}> extends AvgPool<
  'AvgPool1d',
  1,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, AvgPoolOptions>) {
    super(1, kernelSize, options);
  }
}

/** x [N, C, H, W] or [C, H, W] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool2d. */
export class AvgPool2d<const K extends PerAxis, const O extends AvgPoolOptions = {}> extends AvgPool<
  'AvgPool2d',
  2,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, AvgPoolOptions>) {
    super(2, kernelSize, options);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] → the mean of each window; padding counts as zeros. PyTorch: nn.AvgPool3d. */
export class AvgPool3d<const K extends PerAxis, const O extends AvgPoolOptions = {}> extends AvgPool<
  'AvgPool3d',
  3,
  K,
  O
> {
  constructor(kernelSize: K, options?: O & Exact<O, AvgPoolOptions>) {
    super(3, kernelSize, options);
  }
}

export interface LPPoolOptions {
  /** Default: the kernel size. */
  readonly stride?: PerAxis;
  /** A last window that reaches beyond the input counts, too, as if it were full. Default false. */
  readonly ceilMode?: boolean;
}

const LP_POOL_OPTIONS: OptionNames<LPPoolOptions> = { stride: true, ceilMode: true };

abstract class LPPool<Name extends string, D extends Dims, K extends PerAxis, O extends LPPoolOptions> extends Pool<
  Name,
  D,
  K,
  O
> {
  readonly normType: number;

  constructor(dims: D, normType: number, kernelSize: K, options: O | undefined) {
    const { name } = new.target;
    checkOptions(name, options, LP_POOL_OPTIONS);
    checkNumber(normType, `${name}: normType`);
    if (normType === 0) throw new ArgumentError(`${name}: normType is 0. Use another number.`);
    super(dims, kernelSize, options);
    this.normType = normType;
  }

  protected pool(x: Tensor): Tensor {
    return poolPowers(this.dims, x, this.normType, this.kernelSize, this.options);
  }

  protected override describe(): string {
    return `${this.normType}, ${super.describe()}`;
  }
}

/** x [N, C, L] or [C, L] → (Σ xᵖ)^(1/p) of each window, p being `normType`. PyTorch: nn.LPPool1d. */
export class LPPool1d<const K extends PerAxis, const O extends LPPoolOptions = {}> extends LPPool<'LPPool1d', 1, K, O> {
  constructor(normType: number, kernelSize: K, options?: O & Exact<O, LPPoolOptions>) {
    super(1, normType, kernelSize, options);
  }
}

/** x [N, C, H, W] or [C, H, W] → (Σ xᵖ)^(1/p) of each window, p being `normType`. PyTorch: nn.LPPool2d. */
export class LPPool2d<const K extends PerAxis, const O extends LPPoolOptions = {}> extends LPPool<'LPPool2d', 2, K, O> {
  constructor(normType: number, kernelSize: K, options?: O & Exact<O, LPPoolOptions>) {
    super(2, normType, kernelSize, options);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] → (Σ xᵖ)^(1/p) of each window, p being `normType`. PyTorch: nn.LPPool3d. */
export class LPPool3d<const K extends PerAxis, const O extends LPPoolOptions = {}> extends LPPool<'LPPool3d', 3, K, O> {
  constructor(normType: number, kernelSize: K, options?: O & Exact<O, LPPoolOptions>) {
    super(3, normType, kernelSize, options);
  }
}
