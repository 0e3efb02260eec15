// Elements by their rank: medians, quantiles, the most frequent one. They sort; gradients go to the elements that were selected.
// Names and meaning are PyTorch's.

import { checkChoice, checkNumber, wrongKind } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape, shown } from '../engine/ir/shape.js';
import * as orders from '../tensor/order.js';
import { asFloat, asNumber } from '../tensor/operands.js';
import { checkedProbabilities } from '../tensor/ranges.js';
import { placeOfRank } from '../tensor/ranks.js';
import { any, argExtreme, positions } from '../tensor/reductions.js';
import { scan } from '../tensor/scans.js';
import type { DimArg } from '../tensor/shape-types/axis.js';
import type { Reduce } from '../tensor/shape-types/reduce.js';
import { type Counted, type Extreme, type ReduceOptions, Tensor, nodeOf, wrap } from '../tensor/tensor.js';

const KEEP: OptionNames<ReduceOptions> = { keepdim: true };

function kept(op: string, options: ReduceOptions | undefined): boolean {
  checkOptions(op, options, KEEP);
  return options?.keepdim ?? false;
}

function wrapped<S extends Shape, D extends DType>({ values, indices }: orders.Selected): Extreme<S, D> {
  return { values: wrap(values), indices: wrap(indices) };
}

/**
 * The lower median of all; with `dim`, along it, and where it is. NaN if one is NaN. Elements that equal the median of all share its
 * gradient. PyTorch: torch.median.
 */
export function median<D extends DType>(x: Tensor<Shape, D>): Tensor<[], Counted<D>>;
export function median<X extends Shape, D extends DType, Dim extends number, K extends boolean = false>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'median', X, Dim>,
  options?: ReduceOptions<K>,
): Extreme<Reduce<X, Dim, K>, Counted<D>>;
export function median(x: Tensor<Shape, DType>, dim?: number, options?: ReduceOptions): unknown {
  return medianOf('median', nodeOf(x, 'median'), dim, options, false);
}

/** As median, NaN passed over; NaN where there is nothing else. PyTorch: torch.nanmedian. */
export function nanmedian<D extends DType>(x: Tensor<Shape, D>): Tensor<[], Counted<D>>;
export function nanmedian<X extends Shape, D extends DType, Dim extends number, K extends boolean = false>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'nanmedian', X, Dim>,
  options?: ReduceOptions<K>,
): Extreme<Reduce<X, Dim, K>, Counted<D>>;
export function nanmedian(x: Tensor<Shape, DType>, dim?: number, options?: ReduceOptions): unknown {
  return medianOf('nanmedian', nodeOf(x, 'nanmedian'), dim, options, true);
}

function medianOf(
  op: string,
  x: Node,
  dim: number | undefined,
  options: ReduceOptions | undefined,
  isNaNIgnored: boolean,
): unknown {
  const keepdim = kept(op, options);
  if (dim === undefined) return wrap(orders.medianOfAll(op, x, isNaNIgnored));
  return wrapped(orders.medianAlong(op, x, dim, keepdim, isNaNIgnored));
}

/** The k-th smallest along `dim` (from 1), and where it is; NaN counts as largest. PyTorch: torch.kthvalue. */
export function kthvalue<X extends Shape, D extends DType, Dim extends number = -1, K extends boolean = false>(
  x: Tensor<X, D>,
  k: number,
  dim?: Dim & DimArg<'kthvalue', X, Dim>,
  options?: ReduceOptions<K>,
): Extreme<Reduce<X, Dim, K>, D> {
  const node = nodeOf(x, 'kthvalue');
  const keepdim = kept('kthvalue', options);
  const axis = orders.fullAxis('kthvalue', node, dim ?? -1);
  const n = node.shape[axis] ?? 1;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new ArgumentError(`kthvalue: k is ${shown(k)}, dimension ${axis} has size ${n}. Use 1 to ${n}.`);
  const place = placeOfRank(asNumber(build.detach(node)), axis, build.constant(k - 1, 'int32') as Node);
  return wrapped(orders.taken(node, axis, place, keepdim));
}

/** The most frequent element along `dim`, the smallest of several, and the last place where it is. PyTorch: torch.mode. */
export function mode<X extends Shape, D extends DType, Dim extends number = -1, K extends boolean = false>(
  x: Tensor<X, D>,
  dim?: Dim & DimArg<'mode', X, Dim>,
  options?: ReduceOptions<K>,
): Extreme<Reduce<X, Dim, K>, D> {
  const node = nodeOf(x, 'mode');
  const keepdim = kept('mode', options);
  const axis = orders.fullAxis('mode', node, dim ?? -1);
  if (node.shape.length === 0) return wrapped({ values: node, indices: build.constant(0, 'int32') as Node });
  const plain = asNumber(build.detach(node));
  const n = node.shape[axis];
  const order = build.argsort(plain, axis, false);
  const sorted = build.gather(plain, axis, order);
  const place = build.expand(positions(node.shape.length, axis, n), node.shape);
  // Each place minus where its run of equal elements begins: how many were counted so far.
  const isSame = build.binary('eq', build.sliceAxis(sorted, axis, 1, n), build.sliceAxis(sorted, axis, 0, n - 1));
  const zero = build.constant(0, 'int32') as Node;
  const begins = build.concat(
    [build.filled(0, node.shape.with(axis, 1), 'int32'), build.where(isSame, zero, build.sliceAxis(place, axis, 1, n))],
    axis,
  );
  const [begin] = scan([begins], axis, ([a], [b]) => [build.binary('max', a, b)]);
  const longest = argExtreme('reduceMax', 'mode', build.sub(place, begin), axis, true);
  return wrapped(orders.taken(node, axis, build.gather(order, axis, longest), keepdim));
}

// ---------------------------------------------------------------- quantiles

type Fractions = number | readonly number[] | Tensor;
type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

interface QuantileOptions extends ReduceOptions {
  /** What lies between two elements: 'linear' (the default), 'lower', 'higher', 'midpoint' or 'nearest'. */
  readonly interpolation?: Interpolation;
}

const QUANTILE_OPTIONS: OptionNames<QuantileOptions> = { keepdim: true, interpolation: true };

/**
 * The value below which the fraction q of the elements lies, of all or along `dim`; several fractions (a list or a vector) are the first
 * dimension of the result. NaN if one is NaN. PyTorch: torch.quantile.
 */
export function quantile(
  x: Tensor<Shape, DType>,
  q: Fractions,
  dim?: number,
  options: QuantileOptions = {},
): Tensor<number[]> {
  return wrap(quantileOf('quantile', nodeOf(x, 'quantile'), q, dim, options, false));
}

/** As quantile, NaN passed over; NaN where there is nothing else. PyTorch: torch.nanquantile. */
export function nanquantile(
  x: Tensor<Shape, DType>,
  q: Fractions,
  dim?: number,
  options: QuantileOptions = {},
): Tensor<number[]> {
  return wrap(quantileOf('nanquantile', nodeOf(x, 'nanquantile'), q, dim, options, true));
}

/** Of rank 0 or 1; in their range, which of a tensor's is looked at when it is computed. */
function fractions(op: string, q: Fractions, dtype: DType): Node {
  if (q instanceof Tensor) {
    if (q.rank > 1)
      throw new ShapeError(`${op}: q ${formatShape(q.shape)} is neither a number nor a vector`, [q.shape]);
    const { node } = checkedProbabilities(
      op,
      wrap(build.cast(q.node, dtype)),
      'Quantiles are of fractions.',
      'fractions',
    );
    // What is read by them then has a place.
    return build.binary(
      'max',
      build.binary('min', node, build.constant(1, dtype) as Node),
      build.constant(0, dtype) as Node,
    );
  }
  if (typeof q !== 'number' && !Array.isArray(q))
    throw wrongKind(op, 'q', q, 'Use a number, a list of them or a vector');
  for (const one of typeof q === 'number' ? [q] : q) {
    checkNumber(op, 'q', one);
    if (one < 0 || one > 1) throw new ArgumentError(`${op}: q is ${one}. Use 0 to 1.`);
  }
  if (typeof q === 'number') return build.scalar(q, dtype);
  if (q.length === 0) return build.filled(0, [0], dtype);
  return build.concat(
    q.map((one: number) => build.reshape(build.scalar(one, dtype), [1])),
    0,
  );
}

function quantileOf(
  op: string,
  x: Node,
  fraction: Fractions,
  dim: number | undefined,
  options: QuantileOptions,
  isNaNIgnored: boolean,
): Node {
  checkOptions(op, options, QUANTILE_OPTIONS);
  const { keepdim = false, interpolation = 'linear' } = options;
  checkChoice(op, 'the interpolation', interpolation, ['linear', 'lower', 'higher', 'midpoint', 'nearest']);
  const f = asFloat(x);
  const q = fractions(op, fraction, f.dtype);
  if (f.size === 0) throw new ShapeError(`${op}: ${formatShape(x.shape)} has no elements to reduce`, [x.shape]);
  const axis = dim === undefined ? 0 : orders.fullAxis(op, f, dim);
  const lines = dim === undefined || f.shape.length === 0 ? build.reshape(f, [f.size]) : toLast(f, axis);
  const found = atFractions(lines, q, interpolation, isNaNIgnored);
  const rest = lines.shape.slice(0, -1);
  const single = keepdim ? f.shape.map((n, i) => (dim === undefined || i === axis ? 1 : n)) : rest;
  if (q.shape.length === 0) return build.reshape(found, single);
  const last = found.shape.length - 1;
  return build.reshape(build.permute(found, [last, ...rest.map((_, i) => i)]), [q.size, ...single]);
}

/** More ranks than these are found by sorting once. */
const FEW = 2;

function toLast(x: Node, axis: number): Node {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
  return build.permute(x, [...others, axis]);
}

/** Lines [.., n] and fractions → [.., fractions]. */
function atFractions(lines: Node, q: Node, interpolation: Interpolation, isNaNIgnored: boolean): Node {
  const axis = lines.shape.length - 1;
  const n = lines.shape[axis];
  const number = (value: number): Node => build.constant(value, lines.dtype) as Node;
  const plain = build.detach(lines);
  const last = number(n - 1);
  const fraction = build.reshape(q, [...lines.shape.slice(0, -1).fill(1), q.size]);
  let rank: Node;
  if (isNaNIgnored) {
    const count = build.sum(build.cast(build.binary('eq', plain, plain), lines.dtype), [axis]);
    rank = build.mul(fraction, build.binary('max', build.sub(count, number(1)), number(0)));
  } else {
    // NaN stands last.
    rank = build.where(any(build.binary('ne', plain, plain), axis, true), last, build.mul(fraction, last));
  }
  const at = valuesAt(lines, build.expand(rank, [...lines.shape.slice(0, -1), q.size]));
  if (interpolation === 'lower') return at('floor');
  if (interpolation === 'higher') return at('ceil');
  if (interpolation === 'nearest') return at('round');
  const [below, above] = [at('floor'), at('ceil')];
  const weight = interpolation === 'midpoint' ? number(0.5) : build.sub(rank, build.unary('floor', rank));
  const step = build.sub(above, below);
  return build.where(
    build.binary('lt', weight, number(0.5)),
    build.add(below, build.mul(weight, step)),
    build.sub(above, build.mul(build.sub(number(1), weight), step)),
  );
}

/** Of lines [.., n] the elements of some ranks [.., count], which are rounded. Few ranks are found one by one, many by sorting. */
function valuesAt(lines: Node, rank: Node): (rounding: 'floor' | 'ceil' | 'round') => Node {
  const axis = lines.shape.length - 1;
  const count = rank.shape[axis];
  const plain = build.detach(lines);
  const whole = (rounding: 'floor' | 'ceil' | 'round'): Node => build.cast(build.unary(rounding, rank), 'int32');
  if (count > FEW || count === 0) {
    const sorted = build.gather(lines, axis, build.argsort(plain, axis, false));
    return (rounding) => build.gather(sorted, axis, whole(rounding));
  }
  return (rounding) => {
    const ranks = whole(rounding);
    const places = Array.from({ length: count }, (_, i) =>
      placeOfRank(plain, axis, build.sliceAxis(ranks, axis, i, i + 1)),
    );
    return build.gather(lines, axis, build.concat(places, axis));
  };
}
