// Numbers that say something of a matrix: determinants, rank, condition. Names and meaning are PyTorch's.

import { checkChoice } from '../../engine/ir/arguments.js';
import * as build from '../../engine/ir/build.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import type { Node } from '../../engine/ir/node.js';
import type { Shape } from '../../engine/ir/shape.js';
import { type Tensor, wrap } from '../../tensor/tensor.js';
import { eighOf, svdOf } from './factorise.js';
import { matrixNormNode, type MatrixNorm } from './matrix-norms.js';
import { batchOf, div, matrixOf, mul, narrowed, number, squareOf, sumLast, where, zeros } from './matrices.js';
import { boundOf, type ToleranceOptions } from './solving.js';
import { detNode, inverseNodes, largestOf, slogdetNodes } from './systems.js';
import type { BatchShape } from './types.js';

/** The determinant of [..., n, n]; 0 of a singular matrix, whose gradient, the matrix of cofactors, is there as well. PyTorch: torch.linalg.det. */
export function det<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Tensor<BatchShape<S>, D> {
  const given = squareOf('det', a);
  return wrap(narrowed(detNode(given.a), given.dtype));
}

export interface Slogdet<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  /** 1 or −1; 0 of a singular matrix. No gradient flows through it. */
  readonly sign: Tensor<BatchShape<S>, D>;
  /** log |det A|; −∞ of a singular matrix. */
  readonly logabsdet: Tensor<BatchShape<S>, D>;
}

/** The determinant as sign · exp(logabsdet), which neither overflows nor vanishes. PyTorch: torch.linalg.slogdet. */
export function slogdet<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Slogdet<S, D> {
  const given = squareOf('slogdet', a);
  const { sign, logabsdet } = slogdetNodes(given.a);
  return { sign: wrap(narrowed(sign, given.dtype)), logabsdet: wrap(narrowed(logabsdet, given.dtype)) };
}

/** log det A; NaN where the determinant is negative, −∞ where it is 0. PyTorch: torch.logdet. */
export function logdet<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Tensor<BatchShape<S>, D> {
  const given = squareOf('logdet', a);
  const { sign, logabsdet } = slogdetNodes(given.a);
  const isNegative = build.binary('lt', sign, number(0));
  return wrap(narrowed(where(isNegative, build.expand(number(NaN), sign.shape), logabsdet), given.dtype));
}

/** How many singular values (eigenvalues of `hermitian` matrices) are above the tolerance, int32. PyTorch: torch.linalg.matrix_rank. */
export function matrixRank<S extends Shape>(
  a: Tensor<S, FloatDType>,
  options?: ToleranceOptions,
): Tensor<BatchShape<S>, 'int32'> {
  const op = 'matrixRank';
  const isHermitian = options?.hermitian === true;
  const given = isHermitian ? squareOf(op, a) : matrixOf(op, a);
  const { a: matrices, bound } = boundOf(op, given, options);
  const x = build.detach(matrices);
  const values = isHermitian ? build.unary('abs', eighOf(op, x, false).values) : svdOf(op, x, false).s;
  return wrap(sumLast(build.cast(build.binary('lt', bound(largestOf(values)), values), 'int32')));
}

/**
 * The condition number for inversion, by a norm of matrices: 2 (the default) and −2 by singular values, of any matrix; 'fro', 'nuc', 1, −1,
 * Infinity and −Infinity as ‖A‖·‖A⁻¹‖, of square ones. Infinity of a singular matrix. PyTorch: torch.linalg.cond.
 */
export function cond<S extends Shape, D extends FloatDType>(
  a: Tensor<S, D>,
  p: MatrixNorm = 2,
): Tensor<BatchShape<S>, D> {
  const op = 'cond';
  checkChoice(op, 'p', p, ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity]);
  const given = p === 2 || p === -2 ? matrixOf(op, a) : squareOf(op, a);
  return wrap(narrowed(condition(op, given.a, p), given.dtype));
}

function condition(op: string, a: Node, p: MatrixNorm): Node {
  const batch = batchOf(a);
  const [m, n] = a.shape.slice(-2);
  if (m === 0 || n === 0) return zeros(batch);
  if (p === 2 || p === -2) {
    const { s } = svdOf(op, a, false);
    const value = (at: number): Node => build.reshape(build.sliceAxis(s, batch.length, at, at + 1), batch);
    const [largest, smallest] = [value(0), value(Math.min(m, n) - 1)];
    return p === 2 ? div(largest, smallest) : div(smallest, largest);
  }
  const { x, info } = inverseNodes('', a);
  const isSingular = build.binary('lt', number(0), info);
  const mask = build.reshape(isSingular, [...batch, 1, 1]);
  const size = mul(matrixNormNode(op, a, p), matrixNormNode(op, where(mask, number(0), x), p));
  return where(isSingular, build.expand(number(Infinity), batch), size);
}
