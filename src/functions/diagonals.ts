// Diagonals of matrices: taken out, put in, added up. Names and meaning are PyTorch's.

import { checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import * as arrangement from '../tensor/arranging.js';
import { asNumber } from '../tensor/operands.js';
import { positions } from '../tensor/reductions.js';
import { type Counted, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

/**
 * The elements (i, i + offset) of the matrices in dimensions dim1 and dim2, along a new last dimension; those above the main diagonal for
 * an offset above 0. PyTorch: torch.diagonal.
 */
export function diagonal<D extends DType>(x: Tensor<Shape, D>, offset = 0, dim1 = 0, dim2 = 1): Tensor<number[], D> {
  return wrap(arrangement.diagonal(nodeOf(x, 'diagonal'), offset, dim1, dim2));
}

/** A vector as the diagonal of a matrix of zeros; of a matrix its diagonal. PyTorch: torch.diag. */
export function diag<D extends DType>(x: Tensor<Shape, D>, offset = 0): Tensor<number[], D> {
  const node = nodeOf(x, 'diag');
  if (node.shape.length === 1) return wrap(embedded('diag', node, offset, 0, 1));
  if (node.shape.length === 2) return wrap(arrangement.diagonal(node, offset, 0, 1, 'diag'));
  throw new ShapeError(
    `diag: ${formatShape(node.shape)} is neither a vector nor a matrix. Use diagonal or diagEmbed.`,
    [node.shape],
  );
}

/** Vectors along the last dimension as diagonals of matrices in dimensions dim1 and dim2 of the result. PyTorch: torch.diag_embed. */
export function diagEmbed<D extends DType>(x: Tensor<Shape, D>, offset = 0, dim1 = -2, dim2 = -1): Tensor<number[], D> {
  return wrap(embedded('diagEmbed', nodeOf(x, 'diagEmbed'), offset, dim1, dim2));
}

function embedded(op: string, x: Node, offset: number, dim1: number, dim2: number): Node {
  checkWhole(op, 'the offset', offset, -Infinity);
  if (x.shape.length === 0) throw new ShapeError(`${op}: a tensor of rank 0 has no dimension to spread.`, [x.shape]);
  const rank = x.shape.length + 1;
  const [a, b] = arrangement.matrixDims(op, rank, dim1, dim2);
  const lead = x.shape.slice(0, -1);
  const n = x.shape[lead.length];
  const width = n + Math.abs(offset);
  // Row i holds its element of the diagonal in all columns: x[i], or x[i + offset] for an offset below 0.
  const none = lead.map(() => 0);
  const column = build.reshape(build.pad(x, [...none, Math.max(-offset, 0)], [...none, Math.max(offset, 0)]), [
    ...lead,
    width,
    1,
  ]);
  const isOn = build.binary(
    'eq',
    build.add(positions(2, 0, width), build.constant(offset, 'int32') as Node),
    positions(2, 1, width),
  );
  const matrices = build.where(isOn, build.expand(column, [...lead, width, width]), build.constant(0, x.dtype) as Node);
  return arrangement.movedim(matrices, [-2, -1], [a, b]);
}

/** All elements as the diagonal of a matrix of zeros. PyTorch: torch.diagflat. */
export function diagflat<D extends DType>(x: Tensor<Shape, D>, offset = 0): Tensor<number[], D> {
  const node = nodeOf(x, 'diagflat');
  return wrap(embedded('diagflat', build.reshape(node, [node.size]), offset, 0, 1));
}

/** The sum of a matrix's diagonal. PyTorch: torch.trace. */
export function trace<D extends DType>(x: Tensor<Shape, D>): Tensor<[], Counted<D>> {
  const node = nodeOf(x, 'trace');
  if (node.shape.length !== 2) throw new ShapeError(`trace: ${formatShape(node.shape)} is not a matrix`, [node.shape]);
  const line = arrangement.diagonal(node, 0, 0, 1, 'trace');
  return wrap(build.reshape(build.sum(asNumber(line), [0]), []));
}
