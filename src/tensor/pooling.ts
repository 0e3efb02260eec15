// Pooling in one, two and three dimensions: the maximum, mean or power mean of windows. The windows themselves are windows.ts, the
// same for every number of dimensions; here are types, and what is composed.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { checkGiven, checkNumber } from '../engine/ir/arguments.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Shape } from '../engine/ir/shape.js';
import type { Exact, OptionOf } from './shape-types/options.js';
import type { Dims, PoolArg, PoolShape } from './shape-types/window.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from './tensor.js';
import * as windows from './windows.js';

export type PoolResult<
  D extends Dims,
  S extends Shape,
  K extends windows.PerAxis,
  O,
  E extends DType = 'float32',
> = Tensor<
  PoolShape<
    D,
    S,
    K,
    OptionOf<O, 'stride', K, windows.PerAxis>,
    OptionOf<O, 'padding', 0, windows.PerAxis>,
    OptionOf<O, 'dilation', 1, windows.PerAxis>,
    OptionOf<O, 'ceilMode', false, boolean>
  >,
  E
>;

export type PoolInput<Op extends string, D extends Dims, S extends Shape, K extends windows.PerAxis, O> = PoolArg<
  Op,
  D,
  S,
  K,
  OptionOf<O, 'padding', 0, windows.PerAxis>,
  OptionOf<O, 'dilation', 1, windows.PerAxis>
>;

export interface WithIndices<V, I> {
  readonly values: V;
  /** Where in its channel each value was, counted row by row. */
  readonly indices: I;
}

// ---------------------------------------------------------------- maxima

/** @internal Maxima over the last `dims` dimensions, without the types. */
export function poolMaxima(dims: Dims, x: AnyTensor, kernel: windows.PerAxis, options?: windows.PoolOptions): Tensor {
  const op = `maxPool${dims}d`;
  checkOptions(op, options, windows.POOL_OPTIONS);
  return wrap(windows.maxPool(dims, nodeOf(x, op, 'the input'), kernel, options ?? {}));
}

/** @internal Maxima and where they were, without the types. */
export function poolMaximaWithIndices(
  dims: Dims,
  x: AnyTensor,
  kernel: windows.PerAxis,
  options?: windows.PoolOptions,
): WithIndices<Tensor, Tensor<Shape, 'int32'>> {
  const op = `maxPool${dims}dWithIndices`;
  const node = nodeOf(x, op, 'the input');
  checkOptions(op, options, windows.POOL_OPTIONS);
  const { values, indices } = windows.maxPoolWithIndices(dims, node, kernel, options ?? {});
  return { values: wrap(values), indices: wrap(indices) };
}

/** As maxPool2d, of [B, C, L] or [C, L]. PyTorch: F.max_pool1d. */
export function maxPool1d<S extends Shape, const K extends windows.PerAxis, const O extends windows.PoolOptions = {}>(
  x: Tensor<S> & PoolInput<'maxPool1d', 1, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): PoolResult<1, S, K, O> {
  return poolMaxima(1, x, kernel, options);
}

/** Largest element of each window; stride is the kernel size unless given; padding counts as −∞. PyTorch: F.max_pool2d. */
export function maxPool2d<S extends Shape, const K extends windows.PerAxis, const O extends windows.PoolOptions = {}>(
  x: Tensor<S> & PoolInput<'maxPool2d', 2, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): PoolResult<2, S, K, O> {
  return poolMaxima(2, x, kernel, options);
}

/** As maxPool2d, of [B, C, D, H, W] or [C, D, H, W]. PyTorch: F.max_pool3d. */
export function maxPool3d<S extends Shape, const K extends windows.PerAxis, const O extends windows.PoolOptions = {}>(
  x: Tensor<S> & PoolInput<'maxPool3d', 3, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): PoolResult<3, S, K, O> {
  return poolMaxima(3, x, kernel, options);
}

/** maxPool1d, and where each maximum was: what maxUnpool1d needs. PyTorch: F.max_pool1d with return_indices. */
export function maxPool1dWithIndices<
  S extends Shape,
  const K extends windows.PerAxis,
  const O extends windows.PoolOptions = {},
>(
  x: Tensor<S> & PoolInput<'maxPool1d', 1, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): WithIndices<PoolResult<1, S, K, O>, PoolResult<1, S, K, O, 'int32'>> {
  return poolMaximaWithIndices(1, x, kernel, options);
}

/** maxPool2d, and where each maximum was: what maxUnpool2d needs. PyTorch: F.max_pool2d with return_indices. */
export function maxPool2dWithIndices<
  S extends Shape,
  const K extends windows.PerAxis,
  const O extends windows.PoolOptions = {},
>(
  x: Tensor<S> & PoolInput<'maxPool2d', 2, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): WithIndices<PoolResult<2, S, K, O>, PoolResult<2, S, K, O, 'int32'>> {
  return poolMaximaWithIndices(2, x, kernel, options);
}

/** maxPool3d, and where each maximum was: what maxUnpool3d needs. PyTorch: F.max_pool3d with return_indices. */
export function maxPool3dWithIndices<
  S extends Shape,
  const K extends windows.PerAxis,
  const O extends windows.PoolOptions = {},
>(
  x: Tensor<S> & PoolInput<'maxPool3d', 3, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): WithIndices<PoolResult<3, S, K, O>, PoolResult<3, S, K, O, 'int32'>> {
  return poolMaximaWithIndices(3, x, kernel, options);
}

// ---------------------------------------------------------------- means

export interface AvgPoolOptions extends windows.PoolOptions {
  /** Whether padding counts as zeros in the mean. Default true. */
  readonly countIncludePad?: boolean;
  /** What the sum of a window is divided by, whatever it holds. Default: how many elements it has. */
  readonly divisorOverride?: number;
}

const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  ceilMode: true,
  countIncludePad: true,
  divisorOverride: true,
};

/** @internal Means over the last `dims` dimensions, without the types. */
export function poolMeans(dims: Dims, x: AnyTensor, kernel: windows.PerAxis, options: AvgPoolOptions = {}): Tensor {
  const op = `avgPool${dims}d`;
  const node = nodeOf(x, op, 'the input');
  checkOptions(op, options, AVG_POOL_OPTIONS);
  const { divisorOverride } = options;
  checkGiven(checkNumber, op, { divisorOverride });
  if (divisorOverride === 0) throw new ArgumentError(`${op}: divisorOverride is 0. Use another number.`);
  return wrap(windows.avgPool(dims, node, kernel, options));
}

/** As avgPool2d, of [B, C, L] or [C, L]. PyTorch: F.avg_pool1d. */
export function avgPool1d<S extends Shape, const K extends windows.PerAxis, const O extends AvgPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'avgPool1d', 1, S, K, O>,
  kernel: K,
  options?: O & Exact<O, AvgPoolOptions>,
): PoolResult<1, S, K, O> {
  return poolMeans(1, x, kernel, options);
}

/** Mean of each window; stride is the kernel size unless given. PyTorch: F.avg_pool2d. */
export function avgPool2d<S extends Shape, const K extends windows.PerAxis, const O extends AvgPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'avgPool2d', 2, S, K, O>,
  kernel: K,
  options?: O & Exact<O, AvgPoolOptions>,
): PoolResult<2, S, K, O> {
  return poolMeans(2, x, kernel, options);
}

/** As avgPool2d, of [B, C, D, H, W] or [C, D, H, W]. PyTorch: F.avg_pool3d. */
export function avgPool3d<S extends Shape, const K extends windows.PerAxis, const O extends AvgPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'avgPool3d', 3, S, K, O>,
  kernel: K,
  options?: O & Exact<O, AvgPoolOptions>,
): PoolResult<3, S, K, O> {
  return poolMeans(3, x, kernel, options);
}

// ---------------------------------------------------------------- power means

export interface LpPoolOptions {
  /** Default: the kernel size. */
  readonly stride?: windows.PerAxis;
  /** A last window that reaches beyond the input counts, too, as if it were full. Default false. */
  readonly ceilMode?: boolean;
}

const LP_POOL_OPTIONS: OptionNames<LpPoolOptions> = { stride: true, ceilMode: true };

/** @internal (Σ xᵖ)^(1/p) over the last `dims` dimensions, without the types. */
export function poolPowers(
  dims: Dims,
  x: AnyTensor,
  p: number,
  kernel: windows.PerAxis,
  options: LpPoolOptions = {},
): Tensor {
  const op = `lpPool${dims}d`;
  const given: Tensor = wrap(nodeOf(x, op, 'the input'));
  checkNumber(op, 'p', p);
  if (p === 0) throw new ArgumentError(`${op}: p is 0. Use another number.`);
  checkOptions(op, options, LP_POOL_OPTIONS);
  const size = windows.perAxis(kernel, dims, 'kernel', 1, op).reduce((a, b) => a * b, 1);
  const powers: Tensor = wrap(windows.avgPool(dims, given.pow(p).node, kernel, options));
  return powers
    .sign()
    .mul(powers.abs().relu())
    .mul(size)
    .pow(1 / p);
}

/** As lpPool2d, of [B, C, L] or [C, L]. PyTorch: F.lp_pool1d. */
export function lpPool1d<S extends Shape, const K extends windows.PerAxis, const O extends LpPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'lpPool1d', 1, S, K, O>,
  p: number,
  kernel: K,
  options?: O & Exact<O, LpPoolOptions>,
): PoolResult<1, S, K, O> {
  return poolPowers(1, x, p, kernel, options);
}

/** (Σ xᵖ)^(1/p) of each window of x [B, C, H, W] or [C, H, W]; the sum for p = 1. PyTorch: F.lp_pool2d. */
export function lpPool2d<S extends Shape, const K extends windows.PerAxis, const O extends LpPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'lpPool2d', 2, S, K, O>,
  p: number,
  kernel: K,
  options?: O & Exact<O, LpPoolOptions>,
): PoolResult<2, S, K, O> {
  return poolPowers(2, x, p, kernel, options);
}

/** As lpPool2d, of [B, C, D, H, W] or [C, D, H, W]. PyTorch: F.lp_pool3d. */
export function lpPool3d<S extends Shape, const K extends windows.PerAxis, const O extends LpPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'lpPool3d', 3, S, K, O>,
  p: number,
  kernel: K,
  options?: O & Exact<O, LpPoolOptions>,
): PoolResult<3, S, K, O> {
  return poolPowers(3, x, p, kernel, options);
}
