// Tensors with other values at some positions: new ones, tensors do not change. Where positions repeat, the last one wins, and the gradient
// goes to it alone; `accumulate`, indexAdd and scatterReduce join them. Names and meaning are PyTorch's.

import { checkList, checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError, IndexError, ShapeError, outside } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { nameIndices } from '../engine/ir/place.js';
import { type Shape, broadcastShapes, formatShape, normalizeDim, sameShape } from '../engine/ir/shape.js';
import { checkIndex, fromEnd, inRange, pairedLists, tableOf } from '../tensor/indexing.js';
import { numberAs } from '../tensor/operands.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { isWritten, lastOf, lastWriters } from './last-writers.js';
import { putAtMask } from './mask-writing.js';

interface PutOptions {
  /** Adds to what is there, equal positions together, instead of overwriting it. */
  readonly accumulate?: boolean;
}

const PUT_OPTIONS: OptionNames<PutOptions> = { accumulate: true };

/**
 * x with `values` at positions that are given as in `x.index`: an int32 tensor for each of the first dimensions, or null for all of it.
 * The values broadcast to what `x.index(...positions)` gives. One of the positions may be a mask instead, of one dimension or several, beside
 * others that are null: its true elements are numbered, and of several values they take one each; how many they are is found when
 * numbers are computed, and another number than that of the values is an IndexError. PyTorch: torch.index_put.
 */
export function indexPut<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  positions: readonly (Tensor<Shape, 'int32'> | Tensor<Shape, 'bool'> | null)[],
  values: Tensor<Shape, NoInfer<D>> | number,
  options: PutOptions = {},
): Tensor<S, D> {
  const op = 'indexPut';
  const node = nodeOf(x, op);
  checkList(op, 'the positions', positions, 'int32 tensors, one for each dimension, or null for all of it');
  const items = positions.map((item, i) => (item === null ? null : nodeOf(item, op, `position ${i}`)));
  checkOptions(op, options, PUT_OPTIONS);
  const given = valuesOf(op, node, values);
  const masked = items.findIndex((item) => item?.dtype === 'bool');
  if (masked >= 0) return wrap(putAtMask(op, node, masked, onlyMask(op, items), given, options.accumulate === true));
  const picked = pairedLists(op, node, items);
  const { dims, others, together, before } = picked;
  const kept = others.map((i) => node.shape[i]);
  const placed = [...kept.slice(0, before), ...together, ...kept.slice(before)];
  const wide = broadcastTo(op, given, placed);
  // [those before, together…, those behind] → [together…, others…] → rows of the table
  const inner = together.map((_, i) => before + i);
  const outer = placed.map((_, i) => i).filter((i) => !inner.includes(i));
  const table = tableOf(node, picked);
  const [count, width] = table.shape;
  const row = build.reshape(picked.row, [picked.row.size]);
  const rows = build.reshape(build.permute(wide, [...inner, ...outer]), [row.size, width]);
  const written = options.accumulate === true ? addRows(table, row, rows) : putRows(table, row, rows);
  const apart = build.reshape(written, [...dims.map((i) => node.shape[i]), ...kept]);
  const order = [...dims, ...others];
  return wrap(
    count * width === 0
      ? node
      : build.permute(
          apart,
          order.map((_, i) => order.indexOf(i)),
        ),
  );
}

/** The mask among positions, beside which there are no others. */
function onlyMask(op: string, items: readonly (Node | null)[]): Node {
  const [mask, ...others] = items.filter((item) => item !== null);
  if (others.length === 0) return mask;
  throw new ArgumentError(
    `${op}: a mask stands beside other positions. Give positions in its place: (await nonzero(mask)).unbind(1).`,
  );
}

function addRows(table: Node, row: Node, rows: Node): Node {
  return added(table, 0, build.expand(build.reshape(row, [row.size, 1]), rows.shape), rows);
}

function putRows(table: Node, row: Node, rows: Node): Node {
  if (row.size === 0 || table.size === 0) return table;
  const writers = lastWriters(row, table.shape[0]);
  const [isHit, at] = [writers.isWritten, writers.at].map((n) => build.reshape(n, [n.size, 1]));
  return build.where(isHit, build.gather(rows, 0, build.expand(at, table.shape)), table);
}

/** A scatter-add; truth values that are added are true if one is. */
function added(x: Node, axis: number, index: Node, source: Node): Node {
  if (x.dtype !== 'bool') return build.scatterAdd(x, axis, index, source);
  const [base, more] = [x, source].map((n) => build.cast(n, 'int32'));
  return build.cast(build.scatterAdd(base, axis, index, more), 'bool');
}

/** What is written into x: a tensor of its dtype, or a number. */
export function valuesOf(op: string, x: Node, values: Tensor<Shape, DType> | number, what = 'the values'): Node {
  if (typeof values === 'number') return numberAs(values, x.dtype, op, what);
  const node = nodeOf(values, op, what);
  if (node.dtype !== x.dtype)
    throw new DTypeError(`${op}: ${node.dtype} into ${x.dtype}. Convert with to('${x.dtype}').`, [node.dtype, x.dtype]);
  return node;
}

function broadcastTo(op: string, x: Node, shape: Shape): Node {
  if (!sameShape(broadcastShapes(x.shape, shape, op), shape))
    throw new ShapeError(`${op}: values ${formatShape(x.shape)} do not fit into ${formatShape(shape)}`, [
      x.shape,
      shape,
    ]);
  return build.expand(x, shape);
}

// ---------------------------------------------------------------- whole slices

interface SliceArguments {
  /** As given; `node` is a vector where that has rank 0. */
  readonly shape: Shape;
  readonly node: Node;
  readonly axis: number;
  readonly at: Node;
}

/** The arguments of a call that writes slices: positions of `dim` in a vector. */
function sliceArguments(
  op: string,
  x: Tensor<Shape, DType>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
): SliceArguments {
  const given = nodeOf(x, op);
  const axis = normalizeDim(dim, given.shape.length, op);
  const node = given.shape.length === 0 ? build.reshape(given, [1]) : given;
  const at = checkIndex(nodeOf(index, op, 'the index'), op);
  if (at.shape.length > 1) throw new ShapeError(`${op}: index ${formatShape(at.shape)} is not a vector`, [at.shape]);
  return { shape: given.shape, node, axis, at: build.reshape(at, [at.size]) };
}

/** `source` as slices for the positions; one number for one position of a vector. */
function slicesFor(op: string, { node, axis, at }: SliceArguments, source: Node): Node {
  const shape = node.shape.with(axis, at.size);
  const isNumber = source.shape.length === 0 && shape.length === 1 && at.size === 1;
  if (!sameShape(source.shape, shape) && !isNumber) {
    throw new ShapeError(`${op}: source ${formatShape(source.shape)} does not have the shape ${formatShape(shape)}`, [
      source.shape,
      shape,
    ]);
  }
  return build.reshape(source, shape);
}

/** A vector along one axis of a shape. */
function along(x: Node, shape: Shape, axis: number): Node {
  return build.reshape(
    x,
    shape.map((_, i) => (i === axis ? x.size : 1)),
  );
}

interface AddOptions {
  /** What the source is multiplied with; 1 by default. */
  readonly alpha?: number;
}

const ADD_OPTIONS: OptionNames<AddOptions> = { alpha: true };

/** x with alpha · source[.., i, ..] added at [.., index[i], ..]; equal positions add up. PyTorch: torch.index_add. */
export function indexAdd<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>>,
  options: AddOptions = {},
): Tensor<S, D> {
  const op = 'indexAdd';
  const given = sliceArguments(op, x, dim, index);
  const { shape, node, axis, at } = given;
  const values = valuesOf(op, node, source, 'the source');
  checkOptions(op, options, ADD_OPTIONS);
  const { alpha = 1 } = options;
  checkNumber(op, 'alpha', alpha);
  if (shape.length === 0 && values.shape.length > 0)
    throw new ShapeError(`${op}: source ${formatShape(values.shape)} is added to one number. Give one.`, [
      values.shape,
    ]);
  const slices = slicesFor(op, given, values);
  const scaled = alpha === 1 ? slices : build.mul(slices, numberAs(alpha, node.dtype, op, 'alpha'));
  const wide = build.expand(along(at, node.shape, axis), scaled.shape);
  return wrap(
    build.reshape(
      nameIndices(`${op}: index`, () => added(node, axis, wide, scaled)),
      shape,
    ),
  );
}

/** x with source[.., i, ..] at [.., index[i], ..]. PyTorch: torch.index_copy. */
export function indexCopy<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>>,
): Tensor<S, D> {
  const op = 'indexCopy';
  const given = sliceArguments(op, x, dim, index);
  const { shape, node, axis, at } = given;
  const slices = slicesFor(op, given, valuesOf(op, node, source, 'the source'));
  if (at.size === 0 || node.size === 0) return wrap(build.reshape(node, shape));
  const writers = lastWriters(checkedRange(op, at, axis, node.shape[axis]), node.shape[axis]);
  const from = build.expand(along(writers.at, node.shape, axis), node.shape);
  const copied = build.where(along(writers.isWritten, node.shape, axis), build.gather(slices, axis, from), node);
  return wrap(build.reshape(copied, shape));
}

/**
 * x with `value`, a number or a tensor of rank 0, at the positions of `dim` in the index, which may count from the end. PyTorch:
 * torch.index_fill.
 */
export function indexFill<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
  value: number | Tensor<[], NoInfer<D>>,
): Tensor<S, D> {
  const op = 'indexFill';
  const { shape, node, axis, at } = sliceArguments(op, x, dim, index);
  const filled = valuesOf(op, node, value, 'the value');
  if (filled.shape.length > 0)
    throw new ShapeError(`${op}: the value is ${formatShape(filled.shape)}, not one number`, [filled.shape]);
  if (at.size === 0) return wrap(build.reshape(node, shape));
  const n = node.shape[axis];
  const { list, says } = fromEnd(op, at, axis, n);
  const isHit = isWritten([n], 0, inRange(list, n, says));
  return wrap(build.reshape(build.where(along(isHit, node.shape, axis), filled, node), shape));
}

// ---------------------------------------------------------------- element by element

/** The arguments of a call that writes element by element along `dim`; numbers of rank 0 are vectors of one. */
export function scatterArguments(op: string, x: Tensor<Shape, DType>, dim: number, index: Tensor<Shape, 'int32'>) {
  const [given, list] = [nodeOf(x, op), checkIndex(nodeOf(index, op, 'the index'), op)];
  const axis = normalizeDim(dim, given.shape.length, op);
  const [node, at] = [given, list].map((n) => (n.shape.length === 0 ? build.reshape(n, [1]) : n));
  checkFits(op, at.shape, node.shape, 'tensor', axis);
  return { shape: given.shape, node, axis, at };
}

/** The index, whose positions are in range. What is made of it may then be read by an index of its own. */
export function checkedRange(op: string, index: Node, axis: number, size: number): Node {
  if (size === 0) throw new IndexError(`${op}: dimension ${axis} has size 0: no index is in range.`, 0, 0);
  return inRange(index, size, outside(`${op}: index`, axis, size));
}

/** An index has the rank of `shape`, and is nowhere larger but along `axis`. */
function checkFits(op: string, index: Shape, shape: Shape, what: string, axis?: number): void {
  if (index.length === shape.length && index.every((n, i) => i === axis || n <= shape[i])) return;
  if (index.length === shape.length && index.includes(0)) return; // nothing is written
  throw new ShapeError(`${op}: index ${formatShape(index)} does not fit ${what} ${formatShape(shape)}`, [index, shape]);
}

/** The part of the source that the index speaks of. */
export function sourceFor(op: string, index: Node, source: Node): Node {
  const wide = source.shape.length === 0 ? build.reshape(source, [1]) : source;
  checkFits(op, index.shape, wide.shape, 'source');
  if (index.size === 0) return build.filled(0, index.shape, source.dtype);
  return index.shape.reduce((part, n, i) => build.sliceAxis(part, i, 0, n), wide);
}

/**
 * x with `source`, a tensor or a number, at positions along `dim`: out[index[i][j]][j] = source[i][j] for dim 0. The source is at least as
 * large as the index. PyTorch: torch.scatter.
 */
export function scatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>> | number,
): Tensor<S, D> {
  const op = 'scatter';
  const { shape, node, axis, at } = scatterArguments(op, x, dim, index);
  const values = valuesOf(op, node, source, 'the source');
  const part = typeof source === 'number' ? values : sourceFor(op, at, values);
  if (at.size === 0) return wrap(build.reshape(node, shape));
  return wrap(
    build.reshape(
      nameIndices(`${op}: index`, () => putAlong(node, axis, at, part)),
      shape,
    ),
  );
}

function putAlong(x: Node, axis: number, index: Node, source: Node): Node {
  if (source.shape.length === 0) return build.where(isWritten(x.shape, axis, index), source, x);
  if (x.dtype === 'bool') {
    const [base, values] = [x, source].map((n) => build.cast(n, 'int32'));
    return build.cast(putAlong(base, axis, index, values), 'bool');
  }
  const value = build.scatterCombine('set', x, axis, index, source);
  if (!x.requiresGrad && !source.requiresGrad) return value;
  const { isLast, isWritten: isHit } = lastOf(x.shape, axis, index);
  const zero = build.constant(0, x.dtype) as Node;
  const backward = (gradient: unknown): Node[] => {
    const g = gradient as Node;
    return [build.where(isHit, zero, g), build.where(isLast, build.gather(g, axis, index), zero)];
  };
  return build.custom(value, [x, source], { name: 'scatter', backward });
}
