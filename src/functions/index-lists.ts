// Positions as tensors: of triangles, and of elements that are counted row by row. Names and meaning are PyTorch's.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { Shape } from '../engine/ir/shape.js';
import { tensor } from '../tensor/creation.js';
import { checkIndex } from '../tensor/indexing.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

function triangle(
  op: string,
  rows: number,
  columns: number,
  offset: number,
  isIn: (i: number, j: number) => boolean,
): Tensor<[2, number], 'int32'> {
  checkWhole(op, 'the number of rows', rows);
  checkWhole(op, 'the number of columns', columns);
  checkWhole(op, 'the offset', offset, -Infinity);
  const [is, js]: [number[], number[]] = [[], []];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      if (!isIn(i, j)) continue;
      is.push(i);
      js.push(j);
    }
  }
  return tensor(Int32Array.from([...is, ...js]), { shape: [2, is.length] });
}

/** Rows and columns of the elements of a lower triangle, row by row: those with column − row ≤ offset. PyTorch: torch.tril_indices. */
export function trilIndices(rows: number, columns: number, offset = 0): Tensor<[2, number], 'int32'> {
  return triangle('trilIndices', rows, columns, offset, (i, j) => j - i <= offset);
}

/** Rows and columns of the elements of an upper triangle, row by row: those with column − row ≥ offset. PyTorch: torch.triu_indices. */
export function triuIndices(rows: number, columns: number, offset = 0): Tensor<[2, number], 'int32'> {
  return triangle('triuIndices', rows, columns, offset, (i, j) => j - i >= offset);
}

const MOST_INT32 = 2 ** 31 - 1;

/** Positions in a flattened tensor of this shape as positions along each dimension. PyTorch: torch.unravel_index. */
export function unravelIndex<S extends Shape>(
  index: Tensor<S, 'int32'>,
  shape: readonly number[],
): Tensor<S, 'int32'>[] {
  const op = 'unravelIndex';
  const at = checkIndex(nodeOf(index, op, 'the index'), op);
  checkList(op, 'the shape', shape, 'sizes');
  for (const size of shape) checkWhole(op, 'a size', size);
  const whole = (value: number) => build.constant(value, 'int32') as typeof at;
  // A shape may have more elements than int32 can count: what is divided by more than that is 0, or −1 below 0.
  const divided = (by: number): typeof at =>
    by <= MOST_INT32
      ? build.binary('idiv', at, whole(by))
      : build.where(build.binary('lt', at, whole(0)), whole(-1), whole(0));
  let stride = shape.reduce((a, b) => a * b, 1);
  return shape.map((n) => {
    stride /= Math.max(n, 1);
    const along = stride === 1 ? at : divided(stride);
    return wrap(n === 0 || n > MOST_INT32 ? along : build.binary('mod', along, whole(n)));
  });
}
