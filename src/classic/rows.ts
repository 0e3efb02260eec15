// What estimators are given: rows of numbers, as a tensor or as JavaScript has them, and targets beside them.
//   Tensor [n, d], number[][] or Float32Array rows in → a Matrix, checked: a rectangle, not empty, every number finite.
// float32 and narrower numbers stay float32; all others (those of JavaScript among them) are float64.
// Must not know: estimators.

import { tensor } from '../tensor/creation.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, ShapeError, checkHas, formatShape, wrongKind } from '../tensor/library.js';
import { type AnyTensor, Tensor, realize } from '../tensor/tensor.js';
import { isFloat32Array, isFloat64Array, typedArrayKind } from '../tensor/typed-arrays.js';

/** Rows of features: a tensor [n, d], or a list of rows of the same length. */
export type Rows = AnyTensor | readonly ArrayLike<number>[];

/** One number for each row. */
export type Targets = AnyTensor | ArrayLike<number>;

export type Floats = Float32Array | Float64Array;

/** Numbers in memory, row after row. */
export interface Matrix {
  readonly data: Floats;
  readonly rows: number;
  readonly columns: number;
  /** The tensor that they were read from, for use during the same call: later its owner may have changed it. */
  readonly source?: Tensor<[number, number]>;
}

/** The rows of a matrix as a tensor of its dtype. */
export function tensorOf({ data, rows, columns, source }: Matrix): Tensor<[number, number]> {
  if (source !== undefined) return source;
  const t: AnyTensor = tensor(data as Float32Array, { shape: [rows, columns] });
  return t as Tensor<[number, number]>;
}

export function vectorOf(data: Floats | Int32Array): Tensor<[number]> {
  const t: AnyTensor = tensor(data as Float32Array, { shape: [data.length] });
  return t as Tensor<[number]>;
}

/** A matrix of zeros; its numbers are of the kind of `like`. */
export function zeroMatrix(rows: number, columns: number, like?: Floats): Matrix {
  return { data: zerosLike(like, rows * columns), rows, columns };
}

export function zerosLike(like: Floats | undefined, length: number): Floats {
  return isFloat32Array(like) ? new Float32Array(length) : new Float64Array(length);
}

/** The rows at these positions, in that order. */
export function rowsAt({ data, columns }: Matrix, positions: ArrayLike<number>): Matrix {
  const out = zeroMatrix(positions.length, columns, data);
  for (let i = 0; i < positions.length; i++)
    out.data.set(data.subarray(positions[i] * columns, (positions[i] + 1) * columns), i * columns);
  return out;
}

/** The same numbers in float64. */
export function asDouble(matrix: Matrix): Matrix & { readonly data: Float64Array } {
  const { data } = matrix;
  if (isFloat64Array(data)) return { ...matrix, data };
  return { data: Float64Array.from(data), rows: matrix.rows, columns: matrix.columns };
}

/**
 * The rows that a call was given. `columns` is the width that an estimator was fitted to. Throws ArgumentError or ShapeError for what is no
 * rectangle of finite numbers with at least one row and one column.
 */
export async function readRows(op: string, x: Rows, columns?: number): Promise<Matrix> {
  const matrix = x instanceof Tensor ? await fromTensor(op, x) : fromLists(op, x);
  if (matrix.rows === 0) throw new ArgumentError(`${op}: x has no rows. Give at least one.`);
  if (matrix.columns === 0) throw new ArgumentError(`${op}: the rows of x have no columns. Give at least one feature.`);
  if (columns !== undefined && matrix.columns !== columns)
    throw new ShapeError(
      `${op}: x has ${counted(matrix.columns, 'column')}, and this was fitted to ${columns}. Give the same features in the same order.`,
      [[matrix.rows, matrix.columns]],
    );
  checkFinite(op, matrix);
  return matrix;
}

async function fromTensor(op: string, x: AnyTensor): Promise<Matrix> {
  const { shape } = x;
  if (shape.length !== 2) {
    const advice = shape.length > 2 ? 'x.flatten(1) makes rows' : 'x.reshape([-1, 1]) makes rows of one feature';
    throw new ShapeError(`${op}: x has shape ${formatShape(shape)}. Give [rows, features]; ${advice}.`, [shape]);
  }
  const data: ArrayLike<number> = await x.data();
  const [rows, columns] = shape;
  if (!isFloat32Array(data) && !isFloat64Array(data)) return { data: Float64Array.from(data), rows, columns };
  // The reference device keeps float32 in float64: there the numbers are of another kind than the tensor.
  const isSame = x.dtype === (isFloat32Array(data) ? 'float32' : 'float64');
  const isOwn = x.storage !== undefined && !x.requiresGrad && isSame;
  return { data, rows, columns, ...(isOwn && { source: x as Tensor<[number, number]> }) };
}

/**
 * Rows that are a tensor of floats, so that none is copied to the host; their numbers are not looked at. Undefined where they are not: readRows
 * takes all, and says what is wrong.
 */
export function tensorOfFloats(x: Rows, columns?: number): Tensor | undefined {
  if (!(x instanceof Tensor) || x.requiresGrad) return undefined;
  if (x.shape.length !== 2 || x.size === 0 || (columns !== undefined && x.shape[1] !== columns)) return undefined;
  return x.dtype === 'float32' || x.dtype === 'float64' ? (x as Tensor) : undefined;
}

/** Computed, together with the check. */
export async function areFinite(t: Tensor): Promise<boolean> {
  const largest: Tensor = withoutGrad(() => t.abs().amax()); // NaN if there is one
  await realize(t, largest);
  return Number.isFinite(await largest.item());
}

function fromLists(op: string, x: unknown): Matrix {
  const wanted = 'Give a tensor [rows, features], or a list of rows';
  if (!Array.isArray(x)) throw wrongKind(op, 'x', x, wanted);
  const list: readonly unknown[] = x;
  if (typeof list[0] === 'number')
    throw new ArgumentError(`${op}: x is a list of numbers. Give a list of rows: [[…], …].`);
  const columns = list.length === 0 ? 0 : lengthOf(op, list[0], 0);
  const isNarrow = list.every((row) => isFloat32Array(row));
  const data = isNarrow ? new Float32Array(list.length * columns) : new Float64Array(list.length * columns);
  list.forEach((row, i) => {
    const length = lengthOf(op, row, i);
    if (length !== columns)
      throw new ShapeError(`${op}: row ${i} of x has ${length} numbers, and row 0 has ${columns}.`, []);
    const numbers = row as ArrayLike<unknown>;
    for (let j = 0; j < length; j++) {
      const value = numbers[j];
      if (typeof value !== 'number') throw wrongKind(op, `x[${i}][${j}]`, value, 'Give numbers');
      data[i * columns + j] = value;
    }
  });
  return { data, rows: list.length, columns };
}

function lengthOf(op: string, row: unknown, i: number): number {
  const isList = Array.isArray(row) || typedArrayKind(row) !== undefined;
  if (!isList) throw wrongKind(op, `row ${i} of x`, row, 'Give a list of numbers');
  return (row as ArrayLike<number>).length;
}

function checkFinite(op: string, { data, columns }: Matrix): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i] - data[i] === 0) continue;
    throw new ArgumentError(
      `${op}: x has ${data[i]} in row ${Math.floor(i / columns)}, column ${i % columns}. Leave such rows out, or fill in what is missing.`,
    );
  }
}

/** The numbers to predict, one for each of `rows` rows. */
export async function readTargets(op: string, y: Targets, rows: number): Promise<Float64Array> {
  const list = await listOf(op, y, rows, 'numbers');
  const values = Float64Array.from(list, (value, i) => {
    if (typeof value !== 'number') throw wrongKind(op, `y[${i}]`, value, 'Give numbers');
    return value;
  });
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new ArgumentError(`${op}: y[${wrong}] is ${values[wrong]}. Leave such rows out.`);
  return values;
}

/** The elements of y as they are: numbers of a tensor or a typed array, or whatever a list holds. */
export async function listOf(op: string, y: unknown, rows: number, of: string): Promise<readonly unknown[]> {
  let list: readonly unknown[];
  if (y instanceof Tensor) {
    if (y.shape.length !== 1)
      throw new ShapeError(
        `${op}: y has shape ${formatShape(y.shape)}. Give one number for each row: [${rows}]${y.size === rows ? ', y.flatten()' : ''}.`,
        [y.shape],
      );
    list = Array.from<number>(await y.data());
  } else if (Array.isArray(y)) list = y;
  else if (typedArrayKind(y) !== undefined) list = Array.from(y as ArrayLike<number>);
  else throw wrongKind(op, 'y', y, `Give a list of ${of}, one for each row of x`);
  if (list.length !== rows)
    throw new ArgumentError(
      `${op}: x has ${counted(rows, 'row')}, and y has ${list.length}. Give one of y for each row.`,
    );
  return list;
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What a set holds, as estimators take it. */
export interface Table {
  /** float32, a row for each item: pictures are laid out flat. */
  readonly x: Tensor<[number, number]>;
  readonly y: number[];
}

/** A set with fields x and y, as those of `nabla/data` are. */
interface TableSource {
  readonly length: number;
  gather(positions: ArrayLike<number>): {
    readonly x: { readonly data: ArrayLike<number>; readonly shape: readonly number[] };
    readonly y: { readonly data: ArrayLike<number> };
  };
}

/**
 * A set of `nabla/data` in memory as rows and targets, in its order.
 *
 *     const { x, y } = tableOf(iris());
 */
export function tableOf(set: TableSource): Table {
  checkHas('tableOf', 'the set', set, ['length', 'gather'], 'Give a set with fields x and y, such as iris()');
  if (set.length === 0) throw new ArgumentError('tableOf: the set has no items.');
  const { x, y } = set.gather(Int32Array.from({ length: set.length }, (_, i) => i));
  const data = Float32Array.from(x.data);
  return { x: tensorOf({ data, rows: set.length, columns: data.length / set.length }), y: Array.from(y.data) };
}
