// Elements in another order along a dimension. Names and meaning are PyTorch's.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import { type Shape, normalizeDim } from '../engine/ir/shape.js';
import * as movement from '../tensor/movement.js';
import * as reductions from '../tensor/reductions.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

/** Columns from the last to the first: dimension 1 reversed. PyTorch: torch.fliplr. */
export function fliplr<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  const node = nodeOf(x, 'fliplr');
  if (node.shape.length < 2) throw new ShapeError('fliplr: needs at least 2 dimensions', [node.shape]);
  return wrap(build.flip(node, [1]));
}

/** Rows from the last to the first: dimension 0 reversed. PyTorch: torch.flipud. */
export function flipud<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  const node = nodeOf(x, 'flipud');
  if (node.shape.length < 1) throw new ShapeError('flipud: needs at least 1 dimension', [node.shape]);
  return wrap(build.flip(node, [0]));
}

/**
 * Elements moved by `shifts[i]` along `dims[i]`; those that leave at an end come in at the other one. Without `dims` the flattened tensor is
 * meant. PyTorch: torch.roll.
 */
export function roll<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor<S, D> {
  const op = 'roll';
  const node = nodeOf(x, op);
  const by = typeof shifts === 'number' ? [shifts] : shifts;
  checkList(op, 'the shifts', by, 'whole numbers');
  for (const [i, shift] of by.entries()) checkWhole(op, `shift ${i}`, shift, -Infinity);
  if (dims === undefined) {
    if (by.length !== 1) throw new ArgumentError(`${op}: ${by.length} shifts without dims. Give a dimension for each.`);
    if (node.size === 0) return x;
    return wrap(build.reshape(movement.roll(build.reshape(node, [node.size]), by[0], 0), node.shape));
  }
  const along = typeof dims === 'number' ? [dims] : dims;
  checkList(op, 'dims', along, 'dimensions');
  if (along.length !== by.length)
    throw new ArgumentError(`${op}: ${by.length} shifts for ${along.length} dimensions. Give one for each.`);
  const axes = along.map((dim) => normalizeDim(dim, node.shape.length, op));
  if (node.shape.length === 0 || node.size === 0) return x;
  return wrap(axes.reduce((y, axis, i) => movement.roll(y, by[i], axis), node));
}

/** Sorted along dimension 0. PyTorch: torch.msort. */
export function msort<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  const node = nodeOf(x, 'msort');
  if (node.shape.length === 0) return x;
  return wrap(build.gather(node, 0, reductions.argsort(node, 0, false, 'msort')));
}
