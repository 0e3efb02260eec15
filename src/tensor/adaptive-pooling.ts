// Pooling to a fixed number of parts: element i of the result is the mean or maximum of ⌊i·size/parts⌋ to ⌈(i + 1)·size/parts⌉.
// In one, two or three dimensions by the same code; types are at the end.

import { ShapeError } from '../engine/ir/errors.js';
import { type Shape, formatShape, sizeOf } from '../engine/ir/shape.js';
import { tensor } from './creation.js';
import { largest } from './extremes.js';
import { where } from './functions.js';
import type { WithIndices } from './pooling.js';
import type { AdaptivePoolShape, AdaptiveSize, Dims, LayoutArg } from './shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor, wrap } from './tensor.js';
import { batched } from './unpooling.js';
import * as windows from './windows.js';

/** Where part i of a dimension begins and ends: ⌊i·size/parts⌋ to ⌈(i + 1)·size/parts⌉. */
function partsOf(size: number, parts: number): [from: number, to: number][] {
  return Array.from({ length: parts }, (_, i) => [Math.floor((i * size) / parts), Math.ceil(((i + 1) * size) / parts)]);
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

function withOwn(size: AdaptiveSize, sizes: readonly number[]): windows.PerAxis {
  return Array.isArray(size) ? size.map((n: number | null, i) => n ?? sizes[i]) : (size as number);
}

/** How many parts each dimension of [B, C, …] is divided into. */
function partCounts(op: string, x: Tensor, size: AdaptiveSize): number[] {
  const sizes = x.shape.slice(2);
  const parts = windows.perAxis(withOwn(size, sizes), sizes.length, 'outputSize', 1, op);
  if (sizes.some((n, i) => n === 0 && parts[i] > 1))
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}: a dimension of size 0 has no parts`, [x.shape]);
  return parts;
}

// ---------------------------------------------------------------- means

/** The means of the parts of one dimension: each part by itself, so that NaN and ∞ stay in theirs. */
function meansAlong(x: Tensor, axis: number, parts: number): Tensor {
  const { device, dtype } = x;
  const { positions, width, lengths } = spreadParts(x.shape[axis], parts);
  const along = (...sizes: number[]): number[] => [...x.shape.slice(0, axis), ...sizes, ...x.shape.slice(axis + 1)];
  const column = (...sizes: number[]): number[] => x.shape.flatMap((_, i) => (i === axis ? sizes : [1]));
  const spread = x.indexSelect(axis, tensor(positions, { device })).reshape(along(parts, width));
  const isInside = tensor(
    lengths.flatMap((length) => Array.from({ length: width }, (_, k) => k < length)),
    { shape: column(parts, width), device },
  );
  const total = where(isInside, spread, 0).sum(axis + 1);
  return total.div(tensor(Float64Array.from(lengths), { shape: column(parts), dtype, device }));
}

/** x [B, C, …] */
export function adaptiveMeans(op: string, x: Tensor, size: AdaptiveSize): Tensor {
  const sizes = x.shape.slice(2);
  const parts = partCounts(op, x, size);
  const axes = sizes.map((_, i) => i + 2);
  if (parts.every((n) => n === 1)) return x.mean(axes, { keepdim: true });
  if (sizes.every((n, i) => n % parts[i] === 0)) {
    const kernel = sizes.map((n, i) => n / parts[i]);
    return wrap(windows.avgPool(sizes.length, x.node, kernel, {}));
  }
  return axes.reduce((y, axis, i) => meansAlong(y, axis, parts[i]), x);
}

/** @internal Means of parts of the last `dims` dimensions, without the types. */
export function poolMeansTo(dims: Dims, x: AnyTensor, size: AdaptiveSize): Tensor {
  const op = `adaptiveAvgPool${dims}d`;
  checkTensor(x, op, 'the input');
  return batched(dims, x, op, (images) => adaptiveMeans(op, images, size));
}

// ---------------------------------------------------------------- maxima

interface Spread {
  /** [B, C, …]: windows of one size and without overlap for every part. */
  readonly images: Tensor;
  readonly widths: readonly number[];
  /** Where in the input each element of `images` is, along each dimension. */
  readonly positions: readonly Int32Array[];
}

/** A window of one size for every part of x [B, C, …]: those that are shorter repeat their last element, which cannot win again. */
function spreadWindows(op: string, x: Tensor, size: AdaptiveSize): Spread {
  const sizes = x.shape.slice(2);
  const parts = partCounts(op, x, size);
  const spreads = sizes.map((n, i) => spreadParts(n, parts[i]));
  const images = sizes.reduce((y, n, i) => {
    return n % parts[i] === 0 ? y : y.indexSelect(i + 2, tensor(spreads[i].positions, { device: x.device }));
  }, x);
  return { images, widths: spreads.map(({ width }) => width), positions: spreads.map((s) => s.positions) };
}

/** @internal Maxima of parts of the last `dims` dimensions, without the types. */
export function poolMaximaTo(dims: Dims, x: AnyTensor, size: AdaptiveSize): Tensor {
  const op = `adaptiveMaxPool${dims}d`;
  checkTensor(x, op, 'the input');
  return batched(dims, x, op, (given) => {
    const { images, widths } = spreadWindows(op, given, size);
    return wrap(windows.maxPool(dims, images.node, widths, {}));
  });
}

/** The number in an input of `sizes`, row by row, of each element at all combinations of positions. */
function elementNumbers(positions: readonly Int32Array[], sizes: readonly number[]): Int32Array {
  return positions.reduce((before, along, i) => {
    const next = new Int32Array(before.length * along.length);
    before.forEach((start, a) => along.forEach((at, b) => (next[a * along.length + b] = start * sizes[i] + at)));
    return next;
  }, Int32Array.of(0));
}

/** @internal Maxima and where they were, without the types. */
export function poolMaximaWithIndicesTo(
  dims: Dims,
  x: AnyTensor,
  size: AdaptiveSize,
): WithIndices<Tensor, Tensor<Shape, 'int32'>> {
  const op = `adaptiveMaxPool${dims}dWithIndices`;
  checkTensor(x, op, 'the input');
  const given: Tensor = wrap(windows.withBatch(x.node, dims, op));
  const { images, widths, positions } = spreadWindows(op, given, size);
  const { values, indices } = windows.maxPoolWithIndices(dims, images.node, widths, {});
  const back = <D extends 'float32' | 'int32'>(t: Tensor<Shape, D>): Tensor<Shape, D> =>
    wrap(windows.asGiven(t.node, x.node, dims));
  const inSpread: Tensor<Shape, 'int32'> = wrap(indices);
  if (images === given) return { values: back(wrap(values)), indices: back(inSpread) };
  const numbers = tensor(elementNumbers(positions, given.shape.slice(2)), { device: x.device });
  const found = numbers.indexSelect(0, inSpread.reshape([sizeOf(indices.shape)]));
  return { values: back(wrap(values)), indices: back(found.reshape(indices.shape)) };
}

// ---------------------------------------------------------------- with types

/** x [B, C, L] or [C, L] → [B, C, size] or [C, size]: means over ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉. PyTorch: F.adaptive_avg_pool1d. */
export function adaptiveAvgPool1d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveAvgPool1d', 1, S>,
  size: Size,
): Tensor<AdaptivePoolShape<1, S, Size>> {
  return poolMeansTo(1, x, size);
}

/** x [B, C, H, W] or [C, H, W] → [B, C, …size] or [C, …size]: means over ⌊i·H/size⌋ to ⌈(i + 1)·H/size⌉. PyTorch: F.adaptive_avg_pool2d. */
export function adaptiveAvgPool2d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveAvgPool2d', 2, S>,
  size: Size,
): Tensor<AdaptivePoolShape<2, S, Size>> {
  return poolMeansTo(2, x, size);
}

/** x [B, C, D, H, W] or [C, D, H, W] → [B, C, …size] or [C, …size]: means, as adaptiveAvgPool2d. PyTorch: F.adaptive_avg_pool3d. */
export function adaptiveAvgPool3d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveAvgPool3d', 3, S>,
  size: Size,
): Tensor<AdaptivePoolShape<3, S, Size>> {
  return poolMeansTo(3, x, size);
}

/** x [B, C, L] or [C, L] → [B, C, size] or [C, size]: maxima over ⌊i·L/size⌋ to ⌈(i + 1)·L/size⌉. PyTorch: F.adaptive_max_pool1d. */
export function adaptiveMaxPool1d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool1d', 1, S>,
  size: Size,
): Tensor<AdaptivePoolShape<1, S, Size>> {
  return poolMaximaTo(1, x, size);
}

/** x [B, C, H, W] or [C, H, W] → [B, C, …size] or [C, …size]: maxima over ⌊i·H/size⌋ to ⌈(i + 1)·H/size⌉. PyTorch: F.adaptive_max_pool2d. */
export function adaptiveMaxPool2d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool2d', 2, S>,
  size: Size,
): Tensor<AdaptivePoolShape<2, S, Size>> {
  return poolMaximaTo(2, x, size);
}

/** x [B, C, D, H, W] or [C, D, H, W] → [B, C, …size] or [C, …size]: maxima, as adaptiveMaxPool2d. PyTorch: F.adaptive_max_pool3d. */
export function adaptiveMaxPool3d<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool3d', 3, S>,
  size: Size,
): Tensor<AdaptivePoolShape<3, S, Size>> {
  return poolMaximaTo(3, x, size);
}

type Found<D extends Dims, S extends Shape, Size extends AdaptiveSize> = WithIndices<
  Tensor<AdaptivePoolShape<D, S, Size>>,
  Tensor<AdaptivePoolShape<D, S, Size>, 'int32'>
>;

/** adaptiveMaxPool1d, and where each maximum was. PyTorch: F.adaptive_max_pool1d with return_indices. */
export function adaptiveMaxPool1dWithIndices<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool1d', 1, S>,
  size: Size,
): Found<1, S, Size> {
  return poolMaximaWithIndicesTo(1, x, size);
}

/** adaptiveMaxPool2d, and where in its channel each maximum was, counted row by row. PyTorch: F.adaptive_max_pool2d with return_indices. */
export function adaptiveMaxPool2dWithIndices<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool2d', 2, S>,
  size: Size,
): Found<2, S, Size> {
  return poolMaximaWithIndicesTo(2, x, size);
}

/** adaptiveMaxPool3d, and where in its channel each maximum was, counted row by row. PyTorch: F.adaptive_max_pool3d with return_indices. */
export function adaptiveMaxPool3dWithIndices<S extends Shape, const Size extends AdaptiveSize>(
  x: Tensor<S> & LayoutArg<'adaptiveMaxPool3d', 3, S>,
  size: Size,
): Found<3, S, Size> {
  return poolMaximaWithIndicesTo(3, x, size);
}
