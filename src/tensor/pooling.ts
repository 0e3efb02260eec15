// Pooling: the maximum or mean of windows, to a fixed number of parts, and back to where the maxima were.
// The windows themselves are windows.ts; here are types, and what is composed.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Exact } from '../tensor/shape-types/options.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import { nameIndices } from '../engine/ir/place.js';
import { type Shape, checkShape, formatShape, sameShape, sizeOf } from '../engine/ir/shape.js';
import { customOp } from './custom-op.js';
import { onesLike, tensor, zeros } from './creation.js';
import { largest } from './extremes.js';
import { where } from './functions.js';
import type { Forget } from './shape-types/shape.js';
import type { OptionOf } from './shape-types/options.js';
import type { AdaptivePoolShape, LayoutArg, PoolArg, PoolShape } from './shape-types/window.js';
import { type Tensor, checkTensor, wrap } from './tensor.js';
import * as windows from './windows.js';

type PoolResult<D extends 1 | 2, S extends Shape, K extends windows.PerAxis, O, E extends DType = 'float32'> = Tensor<
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

type PoolInput<Op extends string, D extends 1 | 2, S extends Shape, K extends windows.PerAxis, O> = PoolArg<
  Op,
  D,
  S,
  K,
  OptionOf<O, 'padding', 0, windows.PerAxis>,
  OptionOf<O, 'dilation', 1, windows.PerAxis>
>;

export interface AvgPoolOptions extends windows.PoolOptions {
  /** Whether padding counts as zeros in the mean. Default true. */
  readonly countIncludePad?: boolean;
}

const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  ceilMode: true,
  countIncludePad: true,
};

/** Largest element of each window; stride is the kernel size unless given; padding counts as −∞. PyTorch: F.max_pool2d. */
export function maxPool2d<S extends Shape, const K extends windows.PerAxis, const O extends windows.PoolOptions = {}>(
  x: Tensor<S> & PoolInput<'maxPool2d', 2, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): PoolResult<2, S, K, O> {
  checkTensor(x, 'maxPool2d', 'the input');
  checkOptions('maxPool2d', options, windows.POOL_OPTIONS);
  return wrap(windows.maxPool(2, x.node, kernel, options ?? {}));
}

export function maxPool1d<S extends Shape, const K extends windows.PerAxis, const O extends windows.PoolOptions = {}>(
  x: Tensor<S> & PoolInput<'maxPool1d', 1, S, K, O>,
  kernel: K,
  options?: O & Exact<O, windows.PoolOptions>,
): PoolResult<1, S, K, O> {
  checkTensor(x, 'maxPool1d', 'the input');
  checkOptions('maxPool1d', options, windows.POOL_OPTIONS);
  return wrap(windows.maxPool(1, x.node, kernel, options ?? {}));
}

/** Mean of each window; stride is the kernel size unless given. PyTorch: F.avg_pool2d. */
export function avgPool2d<S extends Shape, const K extends windows.PerAxis, const O extends AvgPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'avgPool2d', 2, S, K, O>,
  kernel: K,
  options?: O & Exact<O, AvgPoolOptions>,
): PoolResult<2, S, K, O> {
  checkTensor(x, 'avgPool2d', 'the input');
  checkOptions('avgPool2d', options, AVG_POOL_OPTIONS);
  return wrap(windows.avgPool(2, x.node, kernel, options ?? {}));
}

export function avgPool1d<S extends Shape, const K extends windows.PerAxis, const O extends AvgPoolOptions = {}>(
  x: Tensor<S> & PoolInput<'avgPool1d', 1, S, K, O>,
  kernel: K,
  options?: O & Exact<O, AvgPoolOptions>,
): PoolResult<1, S, K, O> {
  checkTensor(x, 'avgPool1d', 'the input');
  checkOptions('avgPool1d', options, AVG_POOL_OPTIONS);
  return wrap(windows.avgPool(1, x.node, kernel, options ?? {}));
}

export interface WithIndices<V, I> {
  readonly values: V;
  /** Where in its channel each value was, counted row by row. */
  readonly indices: I;
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
  checkTensor(x, 'maxPool1dWithIndices', 'the input');
  checkOptions('maxPool1dWithIndices', options, windows.POOL_OPTIONS);
  const { values, indices } = windows.maxPoolWithIndices(1, x.node, kernel, options ?? {});
  return { values: wrap(values), indices: wrap(indices) };
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
  checkTensor(x, 'maxPool2dWithIndices', 'the input');
  checkOptions('maxPool2dWithIndices', options, windows.POOL_OPTIONS);
  const { values, indices } = windows.maxPoolWithIndices(2, x.node, kernel, options ?? {});
  return { values: wrap(values), indices: wrap(indices) };
}

/** Hands [B, C, …] to `body`; an input without a batch gets one, and loses it again. */
function batched(dims: 1 | 2, x: Tensor, op: string, body: (x: Tensor) => Tensor): Tensor {
  const batch: Tensor = wrap(windows.withBatch(x.node, dims, op));
  return wrap(windows.asGiven(body(batch).node, x.node, dims));
}

// ---------------------------------------------------------------- back to where the maxima were

function unpool(dims: 1 | 2, x: Tensor, indices: Tensor<Shape, 'int32'>, size: readonly number[]): Tensor {
  const op = `maxUnpool${dims}d`;
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(`${op}: values ${formatShape(x.shape)} and indices ${formatShape(indices.shape)} differ`, [
      x.shape,
      indices.shape,
    ]);
  }
  return batched(dims, x, op, (images) => unpoolBatch(op, images, indices, size));
}

/** x [B, C, …] */
function unpoolBatch(op: string, x: Tensor, indices: Tensor<Shape, 'int32'>, size: readonly number[]): Tensor {
  const [batch, channels, ...spatial] = x.shape;
  checkShape(size, op);
  if (size.length !== spatial.length)
    throw new ArgumentError(`${op}: size ${formatShape(size)} is not valid. Give ${spatial.length} of them.`);
  checkShape([batch, channels, ...size], op);
  const flat = [batch, channels, sizeOf(spatial)];
  const at = indices.reshape(flat as Shape);
  const empty = zeros([batch, channels, sizeOf(size)]);
  // Windows that overlap can hold one element twice: it is put there once, and its gradient goes to both.
  const put = customOp({
    name: op,
    forward(_ctx, values) {
      return nameIndices(`${op}: index`, () => {
        const count = empty.scatterAdd(2, at, onesLike(values)).maximum(1);
        return empty.scatterAdd(2, at, values).div(count);
      });
    },
    backward: (_ctx, gradient) => nameIndices(`${op}: index`, () => [gradient.gather(2, at)]),
  });
  return put(x.reshape(flat as Shape)).reshape([batch, channels, ...size] as Shape);
}

/** x and indices [B, C, L] or [C, L] → [B, C, length] or [C, length]: each value at its index, zeros elsewhere. PyTorch: F.max_unpool1d. */
export function maxUnpool1d<S extends Shape>(
  x: Tensor<S> & LayoutArg<'maxUnpool1d', 1, S>,
  indices: Tensor<Shape, 'int32'>,
  size: readonly number[],
): Tensor<Forget<S>> {
  checkTensor(x, 'maxUnpool1d', 'the input');
  checkTensor(indices, 'maxUnpool1d', 'the indices');
  return unpool(1, x, indices, size);
}

/** x and indices [B, C, H, W] or [C, H, W] → [B, C, height, width] or [C, height, width]: each value at its index, zeros elsewhere. PyTorch: F.max_unpool2d. */
export function maxUnpool2d<S extends Shape>(
  x: Tensor<S> & LayoutArg<'maxUnpool2d', 2, S>,
  indices: Tensor<Shape, 'int32'>,
  size: readonly number[],
): Tensor<Forget<S>> {
  checkTensor(x, 'maxUnpool2d', 'the input');
  checkTensor(indices, 'maxUnpool2d', 'the indices');
  return unpool(2, x, indices, size);
}

// ---------------------------------------------------------------- to a fixed size

/** Where part i of a dimension begins and ends: ⌊i·size/parts⌋ to ⌈(i + 1)·size/parts⌉. */
function partsOf(size: number, parts: number): [from: number, to: number][] {
  return Array.from({ length: parts }, (_, i) => [Math.floor((i * size) / parts), Math.ceil(((i + 1) * size) / parts)]);
}

/** The means of the parts of one dimension: each part by itself, so that NaN and ∞ stay in theirs. */
function meansAlong(x: Tensor, axis: number, parts: number): Tensor {
  const { positions, width, lengths } = spreadParts(x.shape[axis], parts);
  const along = (...sizes: number[]): number[] => [...x.shape.slice(0, axis), ...sizes, ...x.shape.slice(axis + 1)];
  const column = (...sizes: number[]): number[] => x.shape.flatMap((_, i) => (i === axis ? sizes : [1]));
  const spread = x.indexSelect(axis, tensor(positions)).reshape(along(parts, width));
  const isInside = tensor(
    lengths.flatMap((length) => Array.from({ length: width }, (_, k) => k < length)),
    { shape: column(parts, width) },
  );
  const total = where(isInside, spread, 0).sum(axis + 1);
  return total.div(tensor(Float64Array.from(lengths), { shape: column(parts), dtype: x.dtype }));
}

/**
 * The positions of all parts, one part after the other and each as long as the longest: a shorter one repeats its last position.
 * With the length that all have, and what each has of its own.
 */
function spreadParts(size: number, parts: number): { positions: Int32Array; width: number; lengths: number[] } {
  const all = partsOf(size, parts);
  const lengths = all.map(([from, to]) => to - from);
  const width = largest(lengths);
  const positions = all.flatMap(([from, to]) => Array.from({ length: width }, (_, k) => Math.min(from + k, to - 1)));
  return { positions: Int32Array.from(positions), width, lengths };
}

/** How many parts each dimension of [B, C, …] is divided into. */
function partCounts(op: string, x: Tensor, size: windows.PerAxis): number[] {
  const sizes = x.shape.slice(2);
  const parts = windows.perAxis(size, sizes.length, 'outputSize', 1, op);
  if (sizes.some((n, i) => n === 0 && parts[i] > 1))
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}: a dimension of size 0 has no parts`, [x.shape]);
  return parts;
}

/** x [B, C, …] */
function adaptiveAvgPool(op: string, x: Tensor, size: windows.PerAxis): Tensor {
  const sizes = x.shape.slice(2);
  const parts = partCounts(op, x, size);
  const axes = sizes.map((_, i) => i + 2);
  if (parts.every((n) => n === 1)) return x.mean(axes, { keepdim: true });
  if (sizes.every((n, i) => n % parts[i] === 0)) {
    return wrap(
      windows.avgPool(
        sizes.length,
        x.node,
        sizes.map((n, i) => n / parts[i]),
        {},
      ),
    );
  }
  return axes.reduce((y, axis, i) => meansAlong(y, axis, parts[i]), x);
}

/** x [B, C, …]; a window of one size for every part: those that are shorter repeat their last element, which cannot win again. */
function adaptiveMaxPool(op: string, x: Tensor, size: windows.PerAxis): Tensor {
  const sizes = x.shape.slice(2);
  const parts = partCounts(op, x, size);
  const spreads = sizes.map((n, i) => spreadParts(n, parts[i]));
  const widths = spreads.map(({ width }) => width);
  const spread = sizes.reduce((y, n, i) => {
    return n % parts[i] === 0 ? y : y.indexSelect(i + 2, tensor(spreads[i].positions));
  }, x);
  return wrap(windows.maxPool(sizes.length, spread.node, widths, {}));
}

/** x [B, C, L] or [C, L] → [B, C, size] or [C, size]: means over ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉. PyTorch: F.adaptive_avg_pool1d. */
export function adaptiveAvgPool1d<S extends Shape, const Size extends windows.PerAxis>(
  x: Tensor<S> & LayoutArg<'adaptiveAvgPool1d', 1, S>,
  size: Size,
): Tensor<AdaptivePoolShape<1, S, Size>> {
  const op = 'adaptiveAvgPool1d';
  checkTensor(x, op, 'the input');
  return batched(1, x, op, (images) => adaptiveAvgPool(op, images, size));
}

/** x [B, C, H, W] or [C, H, W] → [B, C, …size] or [C, …size]: means over ⌊i·H/size⌋ to ⌈(i + 1)·H/size⌉. PyTorch: F.adaptive_avg_pool2d. */
export function adaptiveAvgPool2d<S extends Shape, const Size extends windows.PerAxis>(
  x: Tensor<S> & LayoutArg<'adaptiveAvgPool2d', 2, S>,
  size: Size,
): Tensor<AdaptivePoolShape<2, S, Size>> {
  const op = 'adaptiveAvgPool2d';
  checkTensor(x, op, 'the input');
  return batched(2, x, op, (images) => adaptiveAvgPool(op, images, size));
}

/** x [B, C, L] or [C, L] → [B, C, size] or [C, size]: maxima over ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉. PyTorch: F.adaptive_max_pool1d. */
export function adaptiveMaxPool1d<S extends Shape, const Size extends windows.PerAxis>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool1d', 1, S>,
  size: Size,
): Tensor<AdaptivePoolShape<1, S, Size>> {
  const op = 'adaptiveMaxPool1d';
  checkTensor(x, op, 'the input');
  return batched(1, x, op, (images) => adaptiveMaxPool(op, images, size));
}

/** x [B, C, H, W] or [C, H, W] → [B, C, …size] or [C, …size]: maxima over ⌊i·H/size⌋ to ⌈(i + 1)·H/size⌉. PyTorch: F.adaptive_max_pool2d. */
export function adaptiveMaxPool2d<S extends Shape, const Size extends windows.PerAxis>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool2d', 2, S>,
  size: Size,
): Tensor<AdaptivePoolShape<2, S, Size>> {
  const op = 'adaptiveMaxPool2d';
  checkTensor(x, op, 'the input');
  return batched(2, x, op, (images) => adaptiveMaxPool(op, images, size));
}
