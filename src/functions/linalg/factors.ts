// Factorisations of matrices under the names that PyTorch gives them: Cholesky, LU, QR.

import { checkChoice } from '../../engine/ir/arguments.js';
import * as build from '../../engine/ir/build.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import { GradError, ShapeError } from '../../engine/ir/errors.js';
import type { Node } from '../../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../../engine/ir/options.js';
import { type Shape, formatShape, sameShape, sizeOf } from '../../engine/ir/shape.js';
import { asFloat, promoted } from '../../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../../tensor/tensor.js';
import { choleskyOf, lowerFactor, luOf, qrOf, upperFactor } from './factorise.js';
import {
  add,
  asColumn,
  asRow,
  batchOf,
  columnsOf,
  diagonalMatrix,
  matrixOf,
  mul,
  narrowed,
  neg,
  product,
  routine,
  squareOf,
  together,
  transpose,
  unitMatrix,
  widened,
} from './matrices.js';
import type { BatchShape } from './types.js';

export interface CholeskyOptions {
  /** The factor is U of A = Uᵀ·U, and the upper triangle of A is read. Default false: L of A = L·Lᵀ. */
  readonly upper?: boolean;
}

const CHOLESKY_OPTIONS: OptionNames<CholeskyOptions> = { upper: true };

function choleskyNodes(op: string, call: string, a: AnyTensor, options: CholeskyOptions | undefined): [Node, Node] {
  const given = squareOf(op, a);
  checkOptions(op, options, CHOLESKY_OPTIONS);
  const isUpper = options?.upper === true;
  const { l, info } = choleskyOf(call, isUpper ? transpose(given.a) : given.a);
  return [narrowed(isUpper ? transpose(l) : l, given.dtype), narrowed(info, 'int32')];
}

/**
 * The lower triangle L of A = L·Lᵀ, for symmetric positive definite A [..., n, n], of which the lower triangle is read. Another A is a
 * LinAlgError when the result is computed. PyTorch: torch.linalg.cholesky.
 */
export function cholesky<S extends Shape, D extends FloatDType>(
  a: Tensor<S, D>,
  options?: CholeskyOptions,
): Tensor<S, D> {
  return wrap(choleskyNodes('cholesky', 'cholesky', a, options)[0]);
}

export interface CholeskyResult<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  readonly l: Tensor<S, D>;
  /** 0 where A has the factor, else the order of its first leading block that is not positive definite; −1 for NaN and infinity. */
  readonly info: Tensor<BatchShape<S>, 'int32'>;
}

/** As cholesky, without an error: `info` tells where it failed, and the factor means nothing there. PyTorch: torch.linalg.cholesky_ex. */
export function choleskyEx<S extends Shape, D extends FloatDType>(
  a: Tensor<S, D>,
  options?: CholeskyOptions,
): CholeskyResult<S, D> {
  const [l, info] = choleskyNodes('choleskyEx', '', a, options);
  return { l: wrap(l), info: wrap(info) };
}

// ---------------------------------------------------------------- LU

export interface LuMatrices<D extends FloatDType = 'float32'> {
  /** Permutation matrix [..., m, m]. */
  readonly p: Tensor<number[], D>;
  /** [..., m, k], k = min(m, n), with ones on its diagonal. */
  readonly l: Tensor<number[], D>;
  /** [..., k, n] */
  readonly u: Tensor<number[], D>;
}

/** A = P·L·U by partial pivoting, of any matrix [..., m, n]; a singular one has a 0 on U's diagonal. PyTorch: torch.linalg.lu. */
export function lu<D extends FloatDType>(a: Tensor<Shape, D>): LuMatrices<D> {
  const given = matrixOf('lu', a);
  const { lu: packed, order } = luOf('', given.a);
  const m = given.rows;
  const columns = build.cast(build.iota(m), 'float64');
  const p = build.cast(build.binary('eq', asRow(order), asColumn(columns)), given.dtype);
  return {
    p: wrap(p),
    l: wrap(narrowed(lowerFactor(packed), given.dtype)),
    u: wrap(narrowed(upperFactor(packed), given.dtype)),
  };
}

export interface LuFactorisation<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  /** U, and below its diagonal L, whose own diagonal is 1: [..., m, n]. */
  readonly lu: Tensor<S, D>;
  /** LAPACK's pivots, counted from 1: row i was exchanged with row pivots[i]. */
  readonly pivots: Tensor<number[], 'int32'>;
  /** The row of A that is row i of L·U, counted from 0: what all exchanges together come to. */
  readonly permutation: Tensor<number[], 'int32'>;
}

export interface LuFactorisationEx<S extends Shape = Shape, D extends FloatDType = 'float32'> extends LuFactorisation<
  S,
  D
> {
  /** 0, or the first pivot that is 0, counted from 1; −1 for NaN and infinity. */
  readonly info: Tensor<BatchShape<S>, 'int32'>;
}

function factorised<S extends Shape, D extends FloatDType>(
  op: string,
  call: string,
  a: Tensor<S, D>,
): LuFactorisationEx<S, D> {
  const given = matrixOf(op, a);
  const { lu: packed, order, pivots, info } = luOf(call, given.a);
  const one = build.constant(1, 'int32') as Node;
  return {
    lu: wrap(narrowed(packed, given.dtype)),
    pivots: wrap(add(narrowed(pivots, 'int32'), one)),
    permutation: wrap(narrowed(order, 'int32')),
    info: wrap(narrowed(info, 'int32')),
  };
}

/**
 * L and U in one matrix, for luSolve. A singular matrix, which luSolve could not use, is a LinAlgError when the result is computed.
 * PyTorch: torch.linalg.lu_factor.
 */
export function luFactor<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): LuFactorisation<S, D> {
  const { lu: packed, pivots, permutation } = factorised('luFactor', 'luFactor', a);
  return { lu: packed, pivots, permutation };
}

/** As luFactor, without an error: `info` tells which pivot is 0. PyTorch: torch.linalg.lu_factor_ex. */
export function luFactorEx<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): LuFactorisationEx<S, D> {
  return factorised('luFactorEx', '', a);
}

// ---------------------------------------------------------------- L·D·Lᵀ

export interface LdlMatrices<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  /** Permutation matrix. */
  readonly p: Tensor<S, D>;
  /** Lower triangular, with ones on its diagonal. */
  readonly l: Tensor<S, D>;
  /** Symmetric, with blocks of one and two rows on its diagonal; as many negative eigenvalues as A has. */
  readonly d: Tensor<S, D>;
}

/**
 * A = P·L·D·Lᵀ·Pᵀ by Bunch and Kaufman's pivoting, for symmetric matrices [..., n, n] that need not be positive definite, of which the lower
 * triangle is read. A singular one has a 0 among D's eigenvalues. No gradient flows through it. SciPy: ldl, whose `lu` is P·L.
 */
export function ldl<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): LdlMatrices<S, D> {
  const given = squareOf('ldl', a);
  const part = routine('ldl', 'ldl', [given.a]);
  const n = given.rows;
  const positions = asColumn(build.cast(build.iota(n), 'float64'));
  let d = diagonalMatrix(part('d'));
  if (n > 1) {
    const lead = batchOf(given.a).map(() => 0);
    const beside = diagonalMatrix(build.sliceAxis(part('e'), lead.length, 0, n - 1));
    const below = build.pad(beside, [...lead, 1, 0], [...lead, 0, 1]);
    d = add(d, add(below, transpose(below)));
  }
  const results = [build.cast(build.binary('eq', asRow(part('order')), positions), 'float64'), part('l'), d];
  const [p, l, middle] = together('ldl', [given.a], results, batchOf(given.a), () => {
    throw new GradError('ldl: it has no derivative. Use cholesky, lu or eigh.');
  });
  const made = (x: Node): Tensor<S, D> => wrap(narrowed(x, given.dtype));
  return { p: made(p), l: made(l), d: made(middle) };
}

// ---------------------------------------------------------------- QR

export interface QrMatrices<D extends FloatDType = 'float32'> {
  /** Orthonormal columns: [..., m, k], or [..., m, m] of mode 'complete'; of mode 'r' nothing, [0]. */
  readonly q: Tensor<number[], D>;
  /** Upper triangular: [..., k, n], or [..., m, n]. */
  readonly r: Tensor<number[], D>;
}

export type QrMode = 'reduced' | 'complete' | 'r';

/**
 * A = Q·R by Householder reflections, of any matrix [..., m, n]; k = min(m, n). Signs are LAPACK's: R's diagonal may be negative. Mode 'r' is for
 * R alone; unlike PyTorch's it has a gradient.
 * PyTorch: torch.linalg.qr.
 */
export function qr<D extends FloatDType>(a: Tensor<Shape, D>, mode: QrMode = 'reduced'): QrMatrices<D> {
  const given = matrixOf('qr', a);
  checkChoice('qr', 'mode', mode, ['reduced', 'complete', 'r']);
  const { q, r } = qrOf('qr', given.a, mode === 'complete');
  const left = mode === 'r' ? build.filled(0, [0], given.dtype) : narrowed(q, given.dtype);
  return { q: wrap(left), r: wrap(narrowed(r, given.dtype)) };
}

/**
 * The first n columns of H₁·H₂·…·H_k with H_i = I − tau_i·v_i·v_iᵀ, where v_i is column i of the matrix [..., m, n], with 1 on the diagonal
 * and 0 above it. PyTorch: torch.linalg.householder_product.
 */
export function householderProduct<S extends Shape, D extends FloatDType>(
  matrix: Tensor<S, D>,
  tau: Tensor<Shape, D>,
): Tensor<S, D> {
  const op = 'householderProduct';
  const given = matrixOf(op, matrix);
  const [t] = promoted(asFloat(nodeOf(tau, op, 'tau')), given.a, op);
  const { rows: m, columns: n } = given;
  const count = t.shape[t.shape.length - 1];
  if (m < n || !sameShape(t.shape.slice(0, -1), batchOf(given.a)) || t.shape.length === 0 || count > n)
    throw new ShapeError(
      `${op}: ${formatShape(given.a.shape)} and ${formatShape(t.shape)}: needs [..., m, n] with m ≥ n, and tau [..., k] with k ≤ n`,
      [given.a.shape, t.shape],
    );
  return wrap(narrowed(reflected(given.a, widened(t), count), given.dtype));
}

function reflected(a: Node, tau: Node, count: number): Node {
  const [m, n] = a.shape.slice(-2);
  const batch = batchOf(a);
  const unit = unitMatrix(batch, m, n);
  if (sizeOf(a.shape) === 0 || count === 0) return unit;
  if (!a.requiresGrad && !tau.requiresGrad) return routine('householder', '', [a, tau], { columns: n })('q');
  // One reflection after the other, each with its own derivative.
  let q = unit;
  for (let c = count - 1; c >= 0; c--) {
    const below = build.sliceAxis(columnsOf(a, c, c + 1), a.shape.length - 2, c + 1, m);
    const rank = batch.length;
    const lead = batch.map(() => 0);
    const start = columnsOf(unitMatrix(batch, m), c, c + 1);
    const v = add(start, build.pad(below, [...lead, c + 1, 0], [...lead, 0, 0]));
    const factor = asColumn(build.sliceAxis(tau, rank, c, c + 1));
    q = add(q, neg(mul(factor, product(v, product(transpose(v), q)))));
  }
  return q;
}
