// What the functions of linear algebra share: matrices as float64 nodes [..., m, n], checked, and the pieces that formulas are made of.
// Everything is computed in float64 and rounded once, at the end: so float32 results are as good as float32 can hold.

import { type DenseArg, type Routine } from '../../engine/ir/dense.js';
import type { DType } from '../../engine/ir/dtype.js';
import * as build from '../../engine/ir/build.js';
import { ShapeError } from '../../engine/ir/errors.js';
import type { Node } from '../../engine/ir/node.js';
import { type Shape, broadcastShapes, formatShape, sizeOf } from '../../engine/ir/shape.js';
import { asFloat } from '../../tensor/operands.js';
import { positions } from '../../tensor/reductions.js';
import { type AnyTensor, nodeOf } from '../../tensor/tensor.js';

/** A matrix, or a batch of them, and the dtype that results get. */
export interface Given {
  readonly a: Node;
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
}

export const widened = (x: Node): Node => build.cast(x, 'float64');
export const narrowed = (x: Node, dtype: DType): Node => build.cast(x, dtype);

/** An argument that has to be a matrix or a batch of matrices. */
export function matrixOf(op: string, t: AnyTensor, what = 'the matrix'): Given {
  const node = asFloat(nodeOf(t, op, what));
  const { shape } = node;
  if (shape.length < 2)
    throw new ShapeError(`${op}: ${what} ${formatShape(shape)} has no rows and columns: needs [..., m, n].`, [shape]);
  const [rows, columns] = shape.slice(-2);
  return { a: widened(node), dtype: node.dtype, rows, columns };
}

/** As matrixOf, with as many rows as columns. */
export function squareOf(op: string, t: AnyTensor, what = 'the matrix'): Given {
  const given = matrixOf(op, t, what);
  if (given.rows !== given.columns)
    throw new ShapeError(`${op}: ${what} ${formatShape(given.a.shape)} is not square, nor a batch of square ones.`, [
      given.a.shape,
    ]);
  return given;
}

export const batchOf = (a: Node): Shape => a.shape.slice(0, -2);
export const transpose = build.transposeLast;
export const product = build.matmul;
export { add, div, mul, neg, sub, where } from '../../engine/ir/build.js';

export const number = (value: number): Node => build.constant(value, 'float64') as Node;
export const zeros = (shape: Shape): Node => build.expand(number(0), shape);

/** The unit matrix [.., n, m] of a batch. */
export function unitMatrix(batch: Shape, rows: number, columns = rows): Node {
  const isOn = build.binary('eq', positions(2, 0, rows), positions(2, 1, columns));
  return build.expand(build.cast(isOn, 'float64'), [...batch, rows, columns]);
}

/** What lies on the diagonal and below it, or from `offset` on; the rest is 0. */
export function lower(a: Node, offset = 0): Node {
  return masked(a, (row, column) => build.binary('le', column, build.add(row, whole(offset))));
}

export function upper(a: Node, offset = 0): Node {
  return masked(a, (row, column) => build.binary('le', build.add(row, whole(offset)), column));
}

const whole = (value: number): Node => build.constant(value, 'int32') as Node;

function masked(a: Node, isIn: (row: Node, column: Node) => Node): Node {
  const rank = a.shape.length;
  const [rows, columns] = [positions(rank, rank - 2, a.shape[rank - 2]), positions(rank, rank - 1, a.shape[rank - 1])];
  return build.where(isIn(rows, columns), a, number(0));
}

/** [.., n] → [.., n, 1] */
export const asColumn = (x: Node): Node => build.reshape(x, [...x.shape, 1]);
/** [.., n] → [.., 1, n] */
export const asRow = (x: Node): Node => build.reshape(x, [...x.shape.slice(0, -1), 1, x.shape[x.shape.length - 1]]);

/** The diagonal of a matrix: [.., m, n] → [.., min(m, n)]. */
export function diagonalOf(a: Node): Node {
  const batch = batchOf(a);
  const [m, n] = a.shape.slice(-2);
  const count = Math.min(m, n);
  if (sizeOf(a.shape) === 0) return zeros([...batch, count]);
  const flat = build.reshape(a, [...batch, m * n]);
  const ones = batch.map(() => 1);
  return build.slice(flat, batch.map(() => 0).concat(0), [...batch, count], [...ones, n + 1]);
}

/** Diagonal matrices of vectors: [.., n] → [.., n, n]. */
export function diagonalMatrix(x: Node): Node {
  const n = x.shape[x.shape.length - 1];
  return build.mul(asColumn(x), unitMatrix([], n));
}

/** The sum of the last dimension, which goes. */
export function sumLast(x: Node): Node {
  const last = x.shape.length - 1;
  return build.reshape(build.sum(x, [last]), x.shape.slice(0, -1));
}

/** Rows `from` … `to` − 1, or columns. */
export const rowsOf = (a: Node, from: number, to: number): Node => build.sliceAxis(a, a.shape.length - 2, from, to);
export const columnsOf = (a: Node, from: number, to: number): Node => build.sliceAxis(a, a.shape.length - 1, from, to);

/** Both with the batch dimensions of both. */
export function sameBatch(op: string, a: Node, b: Node): [Node, Node] {
  const batch = broadcastShapes(batchOf(a), batchOf(b), op);
  return [withBatch(a, batch), withBatch(b, batch)];
}

export const withBatch = (a: Node, batch: Shape): Node => build.expand(a, [...batch, ...a.shape.slice(-2)]);

/** Runs a routine of the engine; each result by its name. `call` is whose failure is an error, '' where none is. */
export function routine(
  name: Routine,
  call: string,
  operands: readonly Node[],
  options: Partial<DenseArg> = {},
): (part: string) => Node {
  const { isUpper = false, isUnit = false, hasVectors = true, columns = 0 } = options;
  const arg: DenseArg = { routine: name, isUpper, isUnit, hasVectors, columns, call };
  const packed = build.dense(arg, operands);
  return (part) => build.densePart(packed, arg, operands, part);
}

/**
 * Several results with one derivative: `slopes` is given the gradients of all of them and the results themselves, through which second
 * derivatives flow, and gives the gradients of the inputs. Results have the batch dimensions in front.
 */
export function together(
  name: string,
  inputs: readonly Node[],
  results: readonly Node[],
  batch: Shape,
  slopes: (gradients: readonly Node[], results: readonly Node[]) => readonly (Node | null)[],
): readonly Node[] {
  if (!inputs.some(({ requiresGrad }) => requiresGrad)) return results;
  const sizes = results.map(({ shape }) => sizeOf(shape.slice(batch.length)));
  const flat = results.map((x, i) => build.reshape(x, [...batch, sizes[i]]));
  const apart = (packed: Node): Node[] => {
    let end = 0;
    return results.map(({ shape }, i) =>
      build.reshape(build.sliceAxis(packed, batch.length, end, (end += sizes[i])), shape),
    );
  };
  const value = flat.length === 1 ? flat[0] : build.concat(flat, batch.length);
  let own: readonly Node[] = results;
  const backward = (g: unknown): readonly (Node | null)[] => slopes(apart(g as Node), own);
  own = apart(build.custom(value, inputs, { name, backward }));
  return own;
}
