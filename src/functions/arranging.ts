// Functions that arrange elements: copies, other orders of dimensions, grids, joins. Names and meaning are PyTorch's.

import { checkChoice, checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape, normalizeDim, sizeOf } from '../engine/ir/shape.js';
import * as arrangement from '../tensor/arranging.js';
import * as indexing from '../tensor/indexing.js';
import * as movement from '../tensor/movement.js';
import type { DimArg } from '../tensor/shape-types/axis.js';
import type { Resize } from '../tensor/shape-types/indexing.js';
import type { Transpose } from '../tensor/shape-types/movement.js';
import type { Reduce } from '../tensor/shape-types/reduce.js';
import { type AnyTensor, type Tensor, nodeOf, nodesOf, wrap } from '../tensor/tensor.js';

/** The tensor beside itself, counts[i] times along dimension i; more counts than dimensions put some in front. PyTorch: Tensor.repeat. */
export function repeat<D extends DType>(x: Tensor<Shape, D>, counts: readonly number[]): Tensor<number[], D> {
  return wrap(arrangement.repeat(nodeOf(x, 'repeat'), counts));
}

/** As repeat; fewer counts than dimensions are those of the last ones. PyTorch: torch.tile. */
export function tile<D extends DType>(x: Tensor<Shape, D>, counts: readonly number[]): Tensor<number[], D> {
  const node = nodeOf(x, 'tile');
  checkList('tile', 'the counts', counts, 'whole numbers, one for each dimension');
  const missing = Math.max(node.shape.length - counts.length, 0);
  return wrap(arrangement.repeat(node, [...Array.from({ length: missing }, () => 1), ...counts], 'tile'));
}

/**
 * Each element (along `dim`; without it of the flattened tensor) several times in a row: [a, b] twice is [a, a, b, b]. A list
 * gives a number for each position. PyTorch: torch.repeat_interleave.
 */
export function repeatInterleave<D extends DType>(
  x: Tensor<Shape, D>,
  repeats: number | readonly number[],
  dim?: number,
): Tensor<number[], D> {
  const op = 'repeatInterleave';
  const given = nodeOf(x, op);
  if (dim !== undefined && given.shape.length === 0)
    throw new ShapeError(`${op}: a tensor of rank 0 has no dimension to repeat along.`, [given.shape]);
  const node = dim === undefined ? build.reshape(given, [given.size]) : given;
  const axis = dim === undefined ? 0 : normalizeDim(dim, node.shape.length, op);
  const n = node.shape[axis];
  if (typeof repeats === 'number') {
    checkWhole(op, 'repeats', repeats);
    return wrap(repeatEach(node, axis, repeats));
  }
  checkList(op, 'repeats', repeats, 'whole numbers, or one number');
  for (const [i, count] of repeats.entries()) checkWhole(op, `number ${i} of repeats`, count);
  if (repeats.length === 1) return wrap(repeatEach(node, axis, repeats[0]));
  if (repeats.length !== n)
    throw new ArgumentError(
      `${op}: ${repeats.length} numbers for dimension ${axis} with size ${n}. Give one for each position, or one number.`,
    );
  // Neighbours with the same number go together.
  const parts: Node[] = [];
  for (let from = 0; from < n;) {
    let to = from + 1;
    while (to < n && repeats[to] === repeats[from]) to++;
    parts.push(repeatEach(build.sliceAxis(node, axis, from, to), axis, repeats[from]));
    from = to;
  }
  return wrap(n === 0 ? node : build.concat(parts, axis));
}

function repeatEach(x: Node, axis: number, count: number): Node {
  const { shape } = x;
  const [before, after] = [shape.slice(0, axis + 1), shape.slice(axis + 1)];
  const wide = build.expand(build.reshape(x, [...before, 1, ...after]), [...before, count, ...after]);
  return build.reshape(wide, shape.with(axis, shape[axis] * count));
}

interface MeshgridOptions {
  /** 'ij' (the default): the first vector along dimension 0; 'xy': along dimension 1, as columns of a picture. */
  readonly indexing?: 'ij' | 'xy';
}

const MESHGRID_OPTIONS: OptionNames<MeshgridOptions> = { indexing: true };

/** The coordinates of all points of a grid whose axes are the given vectors, one tensor for each vector. PyTorch: torch.meshgrid. */
export function meshgrid<D extends DType>(
  vectors: readonly Tensor<Shape, D>[],
  options: MeshgridOptions = {},
): Tensor<number[], D>[] {
  const op = 'meshgrid';
  const nodes = nodesOf(vectors, op);
  checkOptions(op, options, MESHGRID_OPTIONS);
  const { indexing = 'ij' } = options;
  checkChoice(op, 'indexing', indexing, ['ij', 'xy']);
  if (nodes.length === 0) throw new ArgumentError(`${op}: no tensors. Give at least one.`);
  for (const { shape, dtype } of nodes) {
    if (shape.length > 1) throw new ShapeError(`${op}: ${formatShape(shape)} is not a vector`, [shape]);
    if (dtype !== nodes[0].dtype)
      throw new DTypeError(`${op}: vectors are ${nodes[0].dtype} and ${dtype}. Convert one with to('${dtype}').`, [
        nodes[0].dtype,
        dtype,
      ]);
  }
  const sizes = nodes.map(({ size }) => size);
  const grids = nodes.map((node, i) => {
    const line = build.reshape(
      node,
      sizes.map((n, k) => (k === i ? n : 1)),
    );
    const grid = build.expand(line, sizes);
    return indexing === 'xy' && nodes.length > 1 ? movement.transpose(grid, 0, 1) : grid;
  });
  return grids.map((grid) => wrap(grid));
}

/** The slices along `dim`, without that dimension. PyTorch: torch.unbind. */
export function unbind<X extends Shape, D extends DType, Dim extends number = 0>(
  x: Tensor<X, D>,
  dim?: Dim & DimArg<'unbind', X, Dim>,
): Tensor<Reduce<X, Dim>, D>[] {
  return arrangement.unbind(nodeOf(x, 'unbind'), dim ?? 0).map((node) => wrap(node));
}

/** Dimension `source` (or several) at place `destination`; the others keep their order. PyTorch: torch.movedim. */
export function movedim<D extends DType>(
  x: Tensor<Shape, D>,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor<number[], D> {
  return wrap(arrangement.movedim(nodeOf(x, 'movedim'), source, destination));
}

/** Two dimensions exchanged: transpose under NumPy's name. PyTorch: torch.swapaxes. */
export function swapaxes<X extends Shape, D extends DType, A extends number, B extends number>(
  x: Tensor<X, D>,
  a: A & DimArg<'swapaxes', X, A>,
  b: B & DimArg<'swapaxes', X, B>,
): Tensor<Transpose<X, A, B>, D> {
  return wrap(movement.transpose(nodeOf(x, 'swapaxes'), a, b, 'swapaxes'));
}

/**
 * `length` positions of `dim` from `start` on, which may count from the end. A start that is a tensor is looked at when the result is
 * computed. PyTorch: torch.narrow.
 */
export function narrow<X extends Shape, D extends DType, Dim extends number, N extends number>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'narrow', X, Dim>,
  start: number | Tensor<[], 'int32'>,
  length: N,
): Tensor<Resize<X, Dim, N>, D> {
  if (typeof start !== 'number')
    return wrap(narrowAt(nodeOf(x, 'narrow'), dim, nodeOf(start, 'narrow', 'start'), length));
  return wrap(arrangement.narrow(nodeOf(x, 'narrow'), dim, start, length));
}

function narrowAt(x: Node, dim: number, start: Node, length: number): Node {
  const op = 'narrow';
  const axis = normalizeDim(dim, x.shape.length, op);
  checkWhole(op, 'length', length, 0);
  if (start.shape.length > 0 || start.dtype !== 'int32')
    throw new ShapeError(
      `${op}: start is ${start.dtype} ${formatShape(start.shape)}. Give a whole number, or an int32 tensor of rank 0.`,
      [start.shape],
    );
  const n = build.constant(x.shape[axis], 'int32') as Node;
  const isFromEnd = build.binary('lt', start, build.constant(0, 'int32') as Node);
  const first = build.where(isFromEnd, build.add(start, n), start);
  return indexing.indexSelect(x, axis, build.add(build.iota(length), first));
}

/** Position `at` of `dim`, which goes. PyTorch: torch.select. */
export function select<X extends Shape, D extends DType, Dim extends number>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'select', X, Dim>,
  at: number,
): Tensor<Reduce<X, Dim>, D> {
  return wrap(movement.select(nodeOf(x, 'select'), dim, at, 'select'));
}

/**
 * The same numbers in memory of their own; gradients flow through. What is cloned before an optimiser's step or an `assign_` keeps the
 * numbers from before. PyTorch: torch.clone.
 */
export function clone<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap<S, D>(arrangement.clone(nodeOf(x, 'clone'))).keep();
}

/** Turned by `turns` quarters from the first of the two dimensions towards the second. PyTorch: torch.rot90. */
export function rot90<D extends DType>(
  x: Tensor<Shape, D>,
  turns = 1,
  dims: readonly [number, number] = [0, 1],
): Tensor<number[], D> {
  const node = nodeOf(x, 'rot90');
  checkWhole('rot90', 'the number of turns', turns, -Infinity);
  checkList('rot90', 'dims', dims, 'two dimensions');
  if (dims.length !== 2 || node.shape.length < 2)
    throw new ArgumentError(`rot90: ${dims.length} dimensions of ${formatShape(node.shape)}. Give two.`);
  const [a, b] = arrangement.matrixDims('rot90', node.shape.length, ...dims);
  switch (((turns % 4) + 4) % 4) {
    case 1:
      return wrap(movement.transpose(movement.flip(node, [b]), a, b));
    case 2:
      return wrap(movement.flip(node, [a, b]));
    case 3:
      return wrap(movement.flip(movement.transpose(node, a, b), [b]));
    default:
      return wrap(node);
  }
}

/** `dim` as several dimensions of these sizes, one of which may be -1. PyTorch: torch.unflatten. */
export function unflatten<D extends DType>(
  x: Tensor<Shape, D>,
  dim: number,
  sizes: readonly number[],
): Tensor<number[], D> {
  const node = nodeOf(x, 'unflatten');
  const axis = normalizeDim(dim, node.shape.length, 'unflatten');
  checkList('unflatten', 'the sizes', sizes, 'whole numbers');
  if (node.shape.length === 0)
    throw new ShapeError('unflatten: a tensor of rank 0 has no dimension to divide.', [node.shape]);
  const n = node.shape[axis];
  for (const [i, size] of sizes.entries()) checkWhole('unflatten', `size ${i}`, size, -1);
  const known = sizeOf(sizes.filter((size) => size !== -1));
  const unknown = sizes.filter((size) => size === -1).length;
  const fits = unknown === 0 ? known === n && sizes.length > 0 : unknown === 1 && known > 0 && n % known === 0;
  if (!fits) {
    throw new ShapeError(`unflatten: dimension ${axis} of size ${n} does not divide into ${formatShape(sizes)}`, [
      node.shape,
      sizes,
    ]);
  }
  const parts = sizes.map((size) => (size === -1 ? n / known : size));
  return wrap(build.reshape(node, [...node.shape.slice(0, axis), ...parts, ...node.shape.slice(axis + 1)]));
}

/** At least `rank` dimensions, with 1 where PyTorch puts it: before a vector, behind a matrix. */
function atleast(x: Node, rank: 1 | 2 | 3): Node {
  const { shape } = x;
  if (shape.length >= rank) return x;
  if (rank === 3 && shape.length === 2) return build.reshape(x, [...shape, 1]);
  if (rank === 3 && shape.length === 1) return build.reshape(x, [1, ...shape, 1]);
  return build.reshape(x, [...Array.from({ length: rank - shape.length }, () => 1), ...shape]);
}

/** A number as a vector; all else as it is. PyTorch: torch.atleast_1d. */
export function atleast1d<D extends DType>(x: Tensor<Shape, D>): Tensor<number[], D> {
  return wrap(atleast(nodeOf(x, 'atleast1d'), 1));
}

/** A number as [1, 1], a vector as a row; all else as it is. PyTorch: torch.atleast_2d. */
export function atleast2d<D extends DType>(x: Tensor<Shape, D>): Tensor<number[], D> {
  return wrap(atleast(nodeOf(x, 'atleast2d'), 2));
}

/** A number as [1, 1, 1], a vector as [1, n, 1], a matrix as [n, m, 1]; all else as it is. PyTorch: torch.atleast_3d. */
export function atleast3d<D extends DType>(x: Tensor<Shape, D>): Tensor<number[], D> {
  return wrap(atleast(nodeOf(x, 'atleast3d'), 3));
}

/** Side by side: vectors one behind the other, all else joined along dimension 1. PyTorch: torch.hstack. */
export function hstack<const Ts extends readonly AnyTensor[]>(tensors: Ts): Tensor<number[], Ts[number]['dtype']> {
  const nodes = nodesOf(tensors, 'hstack').map((node) => atleast(node, 1));
  return wrap(movement.cat(nodes, (nodes[0]?.shape.length ?? 0) > 1 ? 1 : 0, 'hstack'));
}

/** One below the other: vectors are rows, all else is joined along dimension 0. PyTorch: torch.vstack. */
export function vstack<const Ts extends readonly AnyTensor[]>(tensors: Ts): Tensor<number[], Ts[number]['dtype']> {
  return wrap(
    movement.cat(
      nodesOf(tensors, 'vstack').map((node) => atleast(node, 2)),
      0,
      'vstack',
    ),
  );
}

/** One behind the other, joined along dimension 2. PyTorch: torch.dstack. */
export function dstack<const Ts extends readonly AnyTensor[]>(tensors: Ts): Tensor<number[], Ts[number]['dtype']> {
  return wrap(
    movement.cat(
      nodesOf(tensors, 'dstack').map((node) => atleast(node, 3)),
      2,
      'dstack',
    ),
  );
}
