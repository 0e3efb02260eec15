// Norms of the matrices in the last two dimensions, as nodes: sums of rows and columns, and singular values.

import * as build from '../../engine/ir/build.js';
import { ShapeError } from '../../engine/ir/errors.js';
import type { Node } from '../../engine/ir/node.js';
import { formatShape } from '../../engine/ir/shape.js';
import { amax, amin, norm, sum } from '../../tensor/reductions.js';
import { svdOf } from './factorise.js';
import { narrowed, sumLast, widened } from './matrices.js';

export type MatrixNorm = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | typeof Infinity;

/** [..., m, n] → [...] */
export function matrixNormNode(op: string, a: Node, ord: MatrixNorm): Node {
  const rank = a.shape.length;
  const [m, n] = a.shape.slice(-2);
  if (ord === 'fro') return norm(a, 2, [rank - 2, rank - 1], false);
  if (ord === 'nuc' || ord === 2 || ord === -2) {
    const values = svdOf(op, widened(a), false).s;
    if (ord === 'nuc') return narrowed(sumLast(values), a.dtype);
    return narrowed(extreme(op, values, ord > 0, a), a.dtype);
  }
  const isOfColumns = Math.abs(ord) === 1;
  const sums = sum(build.unary('abs', a), isOfColumns ? rank - 2 : rank - 1, false);
  if (ord > 0 && (isOfColumns ? n : m) === 0) return build.detach(sum(sums, rank - 2, false)); // of nothing: 0
  return extreme(op, sums, ord > 0, a);
}

function extreme(op: string, x: Node, isLargest: boolean, a: Node): Node {
  const last = x.shape.length - 1;
  if (x.shape[last] === 0) {
    if (isLargest) return build.detach(sum(x, last, false));
    throw new ShapeError(`${op}: ${formatShape(a.shape)} has no elements to reduce`, [a.shape]);
  }
  return isLargest ? amax(x, last, false) : amin(x, last, false);
}
