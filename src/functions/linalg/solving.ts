// Systems of linear equations: one solution, the nearest one, inverses. Names and meaning are PyTorch's.

import { checkChoice, checkGiven, checkNumber } from '../../engine/ir/arguments.js';
import * as build from '../../engine/ir/build.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../../engine/ir/errors.js';
import type { Node } from '../../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../../engine/ir/options.js';
import { type Shape, broadcastShapes, formatShape, sameShape } from '../../engine/ir/shape.js';
import { asFloat } from '../../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../../tensor/tensor.js';
import { qrOf, svdOf, triangular } from './factorise.js';
import type { LuFactorisation } from './factors.js';
import {
  type Given,
  add,
  asColumn,
  batchOf,
  diagonalMatrix,
  diagonalOf,
  matrixOf,
  mul,
  narrowed,
  product,
  sameBatch,
  squareOf,
  sub,
  sumLast,
  together,
  transpose,
  unitMatrix,
  where,
  widened,
  withBatch,
} from './matrices.js';
import { inverseAbove, inverseNodes, pinvNode, pinvSlope, solveFactored, solveNodes, largestOf } from './systems.js';
import type { BatchShape } from './types.js';

export interface SolveOptions {
  /** False: X·A = B instead of A·X = B. Default true. */
  readonly left?: boolean;
}

const SOLVE_OPTIONS: OptionNames<SolveOptions> = { left: true };

/** The right side as a matrix, with the batch of the left one. */
interface System {
  readonly given: Given;
  readonly a: Node;
  readonly b: Node;
  readonly isVector: boolean;
}

/** B is a vector if it has one dimension, or the shape of A without its last one, as PyTorch sees it. */
function systemOf(op: string, a: AnyTensor, b: AnyTensor, isLeft: boolean): System {
  const given = squareOf(op, a);
  const right = widened(asFloat(nodeOf(b, op, 'the right side')));
  const isVector = right.shape.length === 1 || sameShape(right.shape, given.a.shape.slice(0, -1));
  const matrix = isVector ? asColumn(right) : right;
  if (matrix.shape.length < 2)
    throw new ShapeError(`${op}: the right side ${formatShape(right.shape)} is no vector and no matrix.`, [
      right.shape,
    ]);
  if (isVector && !isLeft)
    throw new ArgumentError(
      `${op}: the right side ${formatShape(right.shape)} is a vector, and left is false. Give [..., k, n].`,
    );
  const n = isLeft ? matrix.shape[matrix.shape.length - 2] : matrix.shape[matrix.shape.length - 1];
  if (n !== given.rows)
    throw new ShapeError(
      `${op}: ${formatShape(given.a.shape)} and ${formatShape(right.shape)}: the matrix has ${given.rows} rows, the right side ${n} ${isLeft ? 'rows' : 'columns'}`,
      [given.a.shape, right.shape],
    );
  const [left, own] = sameBatch(op, given.a, matrix);
  return { given, a: left, b: own, isVector };
}

function finished({ given, isVector }: System, x: Node): Node {
  const made = narrowed(x, given.dtype);
  return isVector ? build.reshape(made, made.shape.slice(0, -1)) : made;
}

function solvedBy(
  op: string,
  call: string,
  a: AnyTensor,
  b: AnyTensor,
  options: SolveOptions | undefined,
): [Node, Node] {
  checkOptions(op, options, SOLVE_OPTIONS);
  const isLeft = options?.left ?? true;
  const system = systemOf(op, a, b, isLeft);
  const { x, info } = isLeft
    ? solveNodes(call, system.a, system.b)
    : solveNodes(call, transpose(system.a), transpose(system.b));
  return [finished(system, isLeft ? x : transpose(x)), narrowed(info, 'int32')];
}

/**
 * X of A·X = B, by LU with partial pivoting: A [..., n, n], B [..., n] or [..., n, k]; batch dimensions broadcast. A singular matrix is a
 * LinAlgError when the result is computed. PyTorch: torch.linalg.solve.
 */
export function solve<D extends FloatDType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options?: SolveOptions,
): Tensor<number[], D> {
  return wrap(solvedBy('solve', 'solve', a, b, options)[0]);
}

export interface SolveResult<D extends FloatDType = 'float32'> {
  readonly result: Tensor<number[], D>;
  /** 0, or the first pivot that is 0, counted from 1; −1 for NaN and infinity. */
  readonly info: Tensor<number[], 'int32'>;
}

/** As solve, without an error: `info` tells which matrices are singular. PyTorch: torch.linalg.solve_ex. */
export function solveEx<D extends FloatDType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options?: SolveOptions,
): SolveResult<D> {
  const [result, info] = solvedBy('solveEx', '', a, b, options);
  return { result: wrap(result), info: wrap(info) };
}

export interface SolveTriangularOptions extends SolveOptions {
  /** A is an upper triangle; false: a lower one. The other triangle is not read. */
  readonly upper: boolean;
  /** The diagonal of A counts as ones and is not read. Default false. */
  readonly unitriangular?: boolean;
}

const SOLVE_TRIANGULAR_OPTIONS: OptionNames<SolveTriangularOptions> = { upper: true, left: true, unitriangular: true };

/** X of A·X = B for a triangular A; B [..., n, k]. A zero on the diagonal is a LinAlgError. PyTorch: torch.linalg.solve_triangular. */
export function solveTriangular<D extends FloatDType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: SolveTriangularOptions,
): Tensor<number[], D> {
  const op = 'solveTriangular';
  checkOptions(op, options, SOLVE_TRIANGULAR_OPTIONS);
  if (typeof options?.upper !== 'boolean')
    throw new ArgumentError(`${op}: which triangle is meant is missing. Pass { upper: true } or { upper: false }.`);
  const { upper, left = true, unitriangular = false } = options;
  const system = systemOf(op, a, b, left);
  if (left)
    return wrap(finished(system, triangular(op, system.a, system.b, { isUpper: upper, isUnit: unitriangular })));
  const across = { isUpper: !upper, isUnit: unitriangular };
  return wrap(finished(system, transpose(triangular(op, transpose(system.a), transpose(system.b), across))));
}

export interface LuSolveOptions extends SolveOptions {
  /** Aᵀ·X = B instead of A·X = B. Default false. */
  readonly adjoint?: boolean;
}

const LU_SOLVE_OPTIONS: OptionNames<LuSolveOptions> = { left: true, adjoint: true };

/** X of A·X = B, from what luFactor gives of A; B [..., n, k]. PyTorch: torch.linalg.lu_solve. */
export function luSolve<D extends FloatDType>(
  factors: LuFactorisation<Shape, D>,
  b: Tensor<Shape, D>,
  options?: LuSolveOptions,
): Tensor<number[], D> {
  const op = 'luSolve';
  checkOptions(op, options, LU_SOLVE_OPTIONS);
  if (typeof factors !== 'object' || factors === null || !('lu' in factors && 'permutation' in factors))
    throw new ArgumentError(`${op}: the first argument is not what luFactor gives: { lu, pivots, permutation }.`);
  const { left = true, adjoint = false } = options ?? {};
  const system = systemOf(op, factors.lu, b, left);
  const order = widened(nodeOf(factors.permutation, op, 'the permutation'));
  const batch = batchOf(system.a);
  const own = { lu: system.a, order: build.expand(order, [...batch, system.given.rows]) };
  if (left) return wrap(finished(system, solveFactored(own, system.b, adjoint)));
  return wrap(finished(system, transpose(solveFactored(own, transpose(system.b), !adjoint))));
}

export interface CholeskySolveOptions {
  /** The factor is U of A = Uᵀ·U. Default false: L of A = L·Lᵀ. */
  readonly upper?: boolean;
}

const CHOLESKY_SOLVE_OPTIONS: OptionNames<CholeskySolveOptions> = { upper: true };

/** X of A·X = B, from the factor that cholesky gives of A; B [..., n, k]. PyTorch: torch.cholesky_solve. */
export function choleskySolve<D extends FloatDType>(
  b: Tensor<Shape, D>,
  factor: Tensor<Shape, D>,
  options?: CholeskySolveOptions,
): Tensor<number[], D> {
  const op = 'choleskySolve';
  checkOptions(op, options, CHOLESKY_SOLVE_OPTIONS);
  const isUpper = options?.upper ?? false;
  const system = systemOf(op, factor, b, true);
  return wrap(finished(system, choleskySolved(op, isUpper ? transpose(system.a) : system.a, system.b)));
}

function choleskySolved(op: string, l: Node, b: Node): Node {
  const first = triangular(op, l, b, { isUpper: false, isUnit: false });
  return triangular(op, transpose(l), first, { isUpper: true, isUnit: false });
}

/** A⁻¹ from the factor that cholesky gives of A. PyTorch: torch.cholesky_inverse. */
export function choleskyInverse<S extends Shape, D extends FloatDType>(
  factor: Tensor<S, D>,
  options?: CholeskySolveOptions,
): Tensor<S, D> {
  const op = 'choleskyInverse';
  const given = squareOf(op, factor, 'the factor');
  checkOptions(op, options, CHOLESKY_SOLVE_OPTIONS);
  const l = options?.upper === true ? transpose(given.a) : given.a;
  return wrap(narrowed(choleskySolved(op, l, unitMatrix(batchOf(l), given.rows)), given.dtype));
}

// ---------------------------------------------------------------- inverses

/** A⁻¹ of [..., n, n]. A singular matrix is a LinAlgError when the result is computed. PyTorch: torch.linalg.inv. */
export function inv<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Tensor<S, D> {
  const given = squareOf('inv', a);
  return wrap(narrowed(inverseNodes('inv', given.a).x, given.dtype));
}

export interface InverseResult<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  readonly inverse: Tensor<S, D>;
  /** 0, or the first pivot that is 0, counted from 1; −1 for NaN and infinity. */
  readonly info: Tensor<BatchShape<S>, 'int32'>;
}

/** As inv, without an error: `info` tells which matrices are singular. PyTorch: torch.linalg.inv_ex. */
export function invEx<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): InverseResult<S, D> {
  const given = squareOf('invEx', a);
  const { x, info } = inverseNodes('', given.a);
  return { inverse: wrap(narrowed(x, given.dtype)), info: wrap(narrowed(info, 'int32')) };
}

/** What counts as 0 beside the largest singular value, or eigenvalue: numbers, or tensors with one for each matrix of a batch. */
export interface ToleranceOptions {
  /** Absolute. Default 0. */
  readonly atol?: number | AnyTensor;
  /** A share of the largest one. Default: the dtype's rounding error times the larger size, or 0 where atol is above 0. */
  readonly rtol?: number | AnyTensor;
  /** The matrices are symmetric, of which the lower triangle is read: eigenvalues do. Default false. */
  readonly hermitian?: boolean;
}

export const TOLERANCE_OPTIONS: OptionNames<ToleranceOptions> = { atol: true, rtol: true, hermitian: true };

/** The rounding error of a dtype: the distance from 1 to the next number. */
export const epsOf = ({ dtype }: Given): number => (dtype === 'float64' ? 2 ** -52 : 2 ** -23);

function toleranceOf(op: string, name: string, given: number | AnyTensor): Node {
  if (typeof given === 'object' && given !== null) {
    const node = widened(asFloat(nodeOf(given, op, name)));
    return build.detach(node);
  }
  checkNumber(op, name, given);
  return build.scalar(given, 'float64');
}

/** The matrices with the batch of their tolerances, and the bound as a function of the largest value, [..., 1]. */
export function boundOf(
  op: string,
  given: Given,
  options: ToleranceOptions | undefined,
): { readonly a: Node; readonly bound: (largest: Node) => Node } {
  checkOptions(op, options, TOLERANCE_OPTIONS);
  const atol = toleranceOf(op, 'atol', options?.atol === undefined ? 0 : options.atol);
  const usual = build.scalar(epsOf(given) * Math.max(given.rows, given.columns), 'float64');
  const zero = build.constant(0, 'float64') as Node;
  const rtol =
    options?.rtol === undefined
      ? where(build.binary('lt', zero, atol), zero, usual)
      : toleranceOf(op, 'rtol', options.rtol);
  const batch = broadcastShapes(broadcastShapes(atol.shape, rtol.shape, op), batchOf(given.a), op);
  const spread = (x: Node): Node => (x.shape.length === 0 ? x : asColumn(x));
  return {
    a: withBatch(given.a, batch),
    bound: (largest) => build.binary('max', mul(largest, spread(rtol)), spread(atol)),
  };
}

/** The pseudo-inverse (Moore and Penrose) of [..., m, n], by singular values: [..., n, m]. PyTorch: torch.linalg.pinv. */
export function pinv<D extends FloatDType>(a: Tensor<Shape, D>, options?: ToleranceOptions): Tensor<number[], D> {
  const isHermitian = options?.hermitian === true;
  const given = isHermitian ? squareOf('pinv', a) : matrixOf('pinv', a);
  const { a: matrices, bound } = boundOf('pinv', given, options);
  return wrap(narrowed(pinvNode('pinv', matrices, bound, isHermitian), given.dtype));
}

// ---------------------------------------------------------------- least squares

export interface LstsqOptions {
  /** Of driver 'gelsd': singular values below this share of the largest count as 0. Default: the dtype's rounding error times the larger size. */
  readonly rcond?: number;
  /**
   * 'gelsd' (the default) works for every matrix, by singular values; 'gels' needs one of full rank, by QR, which is several times faster,
   * and is a LinAlgError for another one.
   */
  readonly driver?: 'gelsd' | 'gels';
}

const LSTSQ_OPTIONS: OptionNames<LstsqOptions> = { rcond: true, driver: true };

export interface LeastSquares<D extends FloatDType = 'float32'> {
  /** X with the smallest ‖A·X − B‖, and of those the smallest one: [..., n] or [..., n, k]. */
  readonly solution: Tensor<number[], D>;
  /** Σ (A·X − B)² of each column of B: [..., k], or [...] of a vector. Where A·X = B has a solution it is 0 up to rounding. */
  readonly residuals: Tensor<number[], D>;
  /** How many singular values count; min(m, n) for driver 'gels'. */
  readonly rank: Tensor<number[], 'int32'>;
  /** Descending; none for driver 'gels'. */
  readonly singularValues: Tensor<number[], D>;
}

/**
 * The least-squares solution of A·X = B: A [..., m, n], B [..., m] or [..., m, k]. PyTorch: torch.linalg.lstsq, whose residuals are empty where
 * a matrix is wide or not of full rank.
 */
export function lstsq<D extends FloatDType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options?: LstsqOptions,
): LeastSquares<D> {
  const op = 'lstsq';
  const given = matrixOf(op, a);
  checkOptions(op, options, LSTSQ_OPTIONS);
  checkGiven(checkNumber, op, { rcond: options?.rcond });
  const { driver = 'gelsd', rcond } = options ?? {};
  checkChoice(op, 'driver', driver, ['gelsd', 'gels']);
  const right = widened(asFloat(nodeOf(b, op, 'the right side')));
  const isVector = right.shape.length === 1 || sameShape(right.shape, given.a.shape.slice(0, -1));
  const matrix = isVector ? asColumn(right) : right;
  if (matrix.shape.length < 2 || matrix.shape[matrix.shape.length - 2] !== given.rows)
    throw new ShapeError(
      `${op}: ${formatShape(given.a.shape)} and ${formatShape(right.shape)}: needs as many rows on the right as the matrix has, ${given.rows}`,
      [given.a.shape, right.shape],
    );
  const [left, own] = sameBatch(op, given.a, matrix);
  const made = driver === 'gels' ? byQr(op, left, own) : bySingularValues(op, given, left, own, rcond);
  const error = add(product(left, made.x), mul(own, build.constant(-1, 'float64') as Node));
  const residuals = sumLast(transpose(mul(error, error)));
  const shaped = (x: Node): Node => (isVector ? build.reshape(x, x.shape.slice(0, -1)) : x);
  return {
    solution: wrap(narrowed(shaped(made.x), given.dtype)),
    residuals: wrap(narrowed(shaped(residuals), given.dtype)),
    rank: wrap(made.rank),
    singularValues: wrap(narrowed(made.values, given.dtype)),
  };
}

interface Nearest {
  readonly x: Node;
  readonly rank: Node;
  readonly values: Node;
}

/** R·X = Qᵀ·B of a tall matrix; of a wide one Q·R⁻ᵀ·B with Aᵀ = Q·R, the smallest solution. */
function byQr(op: string, a: Node, b: Node): Nearest {
  const [m, n] = a.shape.slice(-2);
  const batch = batchOf(a);
  const { q, r: given } = qrOf(op, m >= n ? a : transpose(a), false);
  const r = withoutRounding(given, Math.max(m, n));
  const x =
    m >= n
      ? triangular(op, r, product(transpose(q), b), { isUpper: true, isUnit: false })
      : product(q, triangular(op, transpose(r), b, { isUpper: false, isUnit: false }));
  const rank = build.expand(build.constant(Math.min(m, n), 'int32') as Node, batch);
  return { x, rank, values: build.expand(build.constant(0, 'float64') as Node, [...batch, 0]) };
}

/** R with zeros on its diagonal where there is nothing but rounding: the matrix is not of full rank, and the triangle is then refused. */
function withoutRounding(r: Node, size: number): Node {
  const diagonal = build.detach(diagonalOf(r));
  const sizes = build.unary('abs', diagonal);
  const least = mul(largestOf(sizes), build.constant(size * 2 ** -52, 'float64') as Node);
  const isNothing = build.binary('le', sizes, least);
  return sub(r, diagonalMatrix(where(isNothing, diagonal, build.constant(0, 'float64') as Node)));
}

function bySingularValues(op: string, given: Given, a: Node, b: Node, rcond: number | undefined): Nearest {
  const { bound } = boundOf(op, given, rcond === undefined ? undefined : { rtol: rcond });
  const { u, s, vt } = svdOf(op, build.detach(a), true);
  const least = bound(largestOf(s));
  const inverse = inverseAbove(s, least);
  const value = product(transpose(vt), mul(asColumn(inverse), product(transpose(u), build.detach(b))));
  const [x] = together(op, [a, b], [value], batchOf(a), ([g]) => {
    const p = pinvNode(op, a, bound, false);
    return [pinvSlope(product(g, transpose(b)), p, a), product(transpose(p), g)];
  });
  const counts = build.cast(build.binary('lt', least, s), 'int32');
  return { x, rank: sumLast(counts), values: s };
}
