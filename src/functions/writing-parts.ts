// Tensors with another one in the place of a part: a slice, a diagonal, what a mask picks. Names and meaning are PyTorch's; the elements
// that are replaced get no gradient, and what replaces them does.

import { checkChoice, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { nameIndices } from '../engine/ir/place.js';
import { type Shape, broadcastShapes, formatShape, normalizeDim, sameShape } from '../engine/ir/shape.js';
import * as arrangement from '../tensor/arranging.js';
import { select } from '../tensor/movement.js';
import { tensor } from '../tensor/creation.js';
import { positions } from '../tensor/reductions.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { trueBefore } from './mask-writing.js';
import { scatterReduce } from './scatter-reduce.js';
import { indexPut, valuesOf } from './writing.js';

/** Throws unless the source has the shape of what it replaces. */
function checkSource(op: string, source: Node, shape: Shape): void {
  if (sameShape(source.shape, shape)) return;
  throw new ShapeError(`${op}: source ${formatShape(source.shape)} does not have the shape ${formatShape(shape)}`, [
    source.shape,
    shape,
  ]);
}

/** x with `source` at position `at` of `dim`. PyTorch: torch.select_scatter. */
export function selectScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: Tensor<Shape, NoInfer<D>>,
  dim: number,
  at: number,
): Tensor<S, D> {
  const op = 'selectScatter';
  const node = nodeOf(x, op);
  const values = valuesOf(op, node, source, 'the source');
  if (node.shape.length === 0) throw new ShapeError(`${op}: a number has no dimension.`, [node.shape]);
  const axis = normalizeDim(dim, node.shape.length, op);
  checkSource(op, values, node.shape.toSpliced(axis, 1));
  select(node, axis, at, op); // checks the position
  const from = at < 0 ? at + node.shape[axis] : at;
  return wrap(replaced(node, build.reshape(values, node.shape.with(axis, 1)), axis, from));
}

/** x with `part` from a position of an axis on. */
function replaced(x: Node, part: Node, axis: number, from: number): Node {
  const to = from + part.shape[axis];
  const pieces = [build.sliceAxis(x, axis, 0, from), part, build.sliceAxis(x, axis, to, x.shape[axis])];
  return build.concat(
    pieces.filter(({ shape }) => shape[axis] > 0),
    axis,
  );
}

export interface SliceScatterOptions {
  /** Default 0. */
  readonly dim?: number;
  /** The first position. Default 0; may count from the end. */
  readonly start?: number;
  /** The position behind the last one. Default: the end. */
  readonly end?: number;
  /** Default 1: all positions between. */
  readonly step?: number;
}

const SLICE_SCATTER_OPTIONS: OptionNames<SliceScatterOptions> = { dim: true, start: true, end: true, step: true };

/** x with `source` at the positions start, start + step, … of a dimension. PyTorch: torch.slice_scatter. */
export function sliceScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: Tensor<Shape, NoInfer<D>>,
  options: SliceScatterOptions = {},
): Tensor<S, D> {
  const op = 'sliceScatter';
  const node = nodeOf(x, op);
  const values = valuesOf(op, node, source, 'the source');
  checkOptions(op, options, SLICE_SCATTER_OPTIONS);
  const { dim = 0, start = 0, step = 1 } = options;
  if (node.shape.length === 0) throw new ShapeError(`${op}: a number has no dimension.`, [node.shape]);
  const axis = normalizeDim(dim, node.shape.length, op);
  const n = node.shape[axis];
  const end = options.end ?? n;
  checkWhole(op, 'start', start, -Infinity);
  checkWhole(op, 'end', end, -Infinity);
  checkWhole(op, 'step', step, 1);
  const [from, to] = [start, end].map((at) => Math.min(Math.max(at < 0 ? at + n : at, 0), n));
  const count = Math.max(Math.ceil((to - from) / step), 0);
  checkSource(op, values, node.shape.with(axis, count));
  if (count === 0) return wrap(node);
  if (step === 1) return wrap(replaced(node, values, axis, from));
  // each position takes the element that is written to it, or its own
  const isHit = Uint8Array.from({ length: n }, (_, i) => Number(i >= from && i < to && (i - from) % step === 0));
  const at = Int32Array.from(isHit, (hit, i) => (hit === 1 ? (i - from) / step : 0));
  const column = node.shape.map((_, i) => (i === axis ? n : 1));
  const { device } = x;
  const spread = build.gather(values, axis, build.expand(tensor(at, { shape: column, device }).node, node.shape));
  return wrap(build.where(tensor(isHit, { shape: column, dtype: 'bool', device }).node, spread, node));
}

/** x with `source` as the diagonal of the matrices in dim1 and dim2, as `diagonal` gives it. PyTorch: torch.diagonal_scatter. */
export function diagonalScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: Tensor<Shape, NoInfer<D>>,
  offset = 0,
  dim1 = 0,
  dim2 = 1,
): Tensor<S, D> {
  const op = 'diagonalScatter';
  const node = nodeOf(x, op);
  const values = valuesOf(op, node, source, 'the source');
  const line = arrangement.diagonal(node, offset, dim1, dim2, op);
  checkSource(op, values, line.shape);
  const [a, b] = arrangement.matrixDims(op, node.shape.length, dim1, dim2);
  const last = line.shape.length - 1;
  const [length, rows, columns] = [line.shape[last], node.shape[a], node.shape[b]];
  if (length === 0) return wrap(node);
  // row i holds its element of the diagonal, in all columns
  const first = Math.max(-offset, 0);
  const none = line.shape.map(() => 0);
  const column = build.pad(values, none.with(-1, first), none.with(-1, rows - first - length));
  const wide = build.expand(build.reshape(column, [...column.shape, 1]), [...column.shape, columns]);
  const diagonal = build.add(positions(2, 0, rows), build.constant(offset, 'int32') as Node);
  const isOn = build.binary('eq', diagonal, positions(2, 1, columns));
  const matrices = build.where(isOn, wide, arrangement.movedim(node, [a, b], [-2, -1]));
  return wrap(arrangement.movedim(matrices, [-2, -1], [a, b]));
}

export interface PutOptions {
  /** Adds to what is there, equal positions together, instead of overwriting it. */
  readonly accumulate?: boolean;
}

/** x with the elements of `source` at these positions of the flattened tensor, which may count from the end. PyTorch: Tensor.put. */
export function put<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  index: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>>,
  options: PutOptions = {},
): Tensor<S, D> {
  const op = 'put';
  const node = nodeOf(x, op);
  const at = nodeOf(index, op, 'the index');
  const values = valuesOf(op, node, source, 'the source');
  if (at.size !== values.size)
    throw new ShapeError(`${op}: ${values.size} elements for ${at.size} positions`, [values.shape, at.shape]);
  const flat = <E extends DType>(t: Node): Tensor<number[], E> => wrap(build.reshape(t, [t.size]));
  if (at.size === 0) return wrap(node);
  const written: Tensor<number[], D> = indexPut(flat<D>(node), [flat<'int32'>(at)], flat<D>(values), options);
  return wrap(build.reshape(written.node, node.shape));
}

/**
 * x with the elements of `source`, one after the other, where the mask is true; the mask broadcasts. The source has at least as many as the
 * mask picks. PyTorch: Tensor.masked_scatter.
 */
export function maskedScatter<D extends DType>(
  x: Tensor<Shape, D>,
  mask: Tensor<Shape, 'bool'>,
  source: Tensor<Shape, NoInfer<D>>,
): Tensor<number[], D> {
  const op = 'maskedScatter';
  const [node, given] = [nodeOf(x, op), nodeOf(mask, op, 'the mask')];
  if (given.dtype !== 'bool')
    throw new DTypeError(`${op}: the mask is ${given.dtype}. Convert it with to('bool').`, [given.dtype]);
  const values = valuesOf(op, node, source, 'the source');
  const shape = broadcastShapes(node.shape, given.shape, op);
  const [base, isPicked] = [build.expand(node, shape), build.expand(given, shape)];
  if (base.size === 0 || values.size === 0) return wrap(base);
  const [flat, chosen, list] = [base, isPicked, values].map((t) => build.reshape(t, [t.size]));
  const taken = nameIndices(`${op}: the source has too few elements: position`, () =>
    build.gather(list, 0, trueBefore(chosen)),
  );
  return wrap(build.reshape(build.where(chosen, taken, flat), shape));
}

type Reduction = 'prod' | 'mean' | 'amax' | 'amin';

export interface IndexReduceOptions {
  /** Default true: what x has at a position is one of the values. */
  readonly includeSelf?: boolean;
}

/**
 * x with the slices of `source` that belong to a position of `dim` reduced to one: 'prod', 'mean', 'amax' or 'amin'; for sums there is
 * indexAdd. PyTorch: torch.index_reduce.
 */
export function indexReduce<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>>,
  reduce: Reduction,
  options: IndexReduceOptions = {},
): Tensor<S, D> {
  const op = 'indexReduce';
  const [node, at] = [nodeOf(x, op), nodeOf(index, op, 'the index')];
  const values = valuesOf(op, node, source, 'the source');
  checkChoice(op, 'the reduction', reduce, ['prod', 'mean', 'amax', 'amin']);
  checkOptions(op, options, { includeSelf: true });
  if (at.shape.length > 1) throw new ShapeError(`${op}: index ${formatShape(at.shape)} is not a vector`, [at.shape]);
  const axis = normalizeDim(dim, node.shape.length, op);
  if (node.shape.length === 0) {
    const vector = <E extends DType>(t: Node): Tensor<[number], E> => wrap(build.reshape(t, [t.size]));
    const all = scatterReduce(vector<D>(node), 0, vector<'int32'>(at), vector<D>(values), reduce, options);
    return wrap(build.reshape(all.node, []));
  }
  checkSource(op, values, node.shape.with(axis, at.size));
  const column = node.shape.map((_, i) => (i === axis ? at.size : 1));
  const wide: Tensor<Shape, 'int32'> = wrap(build.expand(build.reshape(at, column), values.shape));
  const slices: Tensor<Shape, D> = wrap(values);
  return scatterReduce(x, axis, wide, slices, reduce, options);
}
