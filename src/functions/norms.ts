// Norms of vectors and matrices, and tensors divided by theirs.

import { checkChoice, checkGiven, checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape, normalizeDim, normalizeDims } from '../engine/ir/shape.js';
import { asFloat } from '../tensor/operands.js';
import { type Dim, amin, norm as positiveNorm, sum } from '../tensor/reductions.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import type { Reduce } from '../tensor/shape-types/reduce.js';
import { type AnyTensor, type ReduceOptions, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { type MatrixNorm, matrixNormNode } from './linalg/matrix-norms.js';
import { absOf, binary, div, isEqual, mul, tensorsOf, where, withSlope } from './operands.js';

const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };

function keeps(op: string, options: ReduceOptions | undefined): boolean {
  checkOptions(op, options, REDUCE_OPTIONS);
  return options?.keepdim ?? false;
}

/** (Σ |x|ᵖ)^(1/p) for any p: 0 counts what is not 0, ±∞ take the extremes. */
export function normOf(op: string, x: Node, p: number, dim: Dim, keepdim: boolean): Node {
  checkNumber(op, 'p', p);
  normalizeDims(dim, x.shape.length, op);
  const f = asFloat(x);
  if (p > 0) return positiveNorm(f, p, dim, keepdim);
  const a = absOf(f);
  if (p === 0) return sum(build.cast(build.unary('not', isEqual(build.detach(f), 0)), f.dtype), dim, keepdim);
  if (p === -Infinity) return amin(a, dim, keepdim);
  if (normalizeDims(dim, x.shape.length, op).some((axis) => x.shape[axis] === 0))
    throw new ShapeError(`${op}: ${formatShape(x.shape)} has no elements to reduce`, [x.shape]);
  // 0 where an element is 0, and slope 0 there, which the formula would have as 0 · ∞
  const isFlat = amin(a, dim, true);
  const isZero = isEqual(build.detach(isFlat), 0);
  const safe = where(build.expand(isZero, a.shape), build.filled(1, a.shape, f.dtype), a);
  const total = binary(
    'pow',
    sum(binary('pow', safe, build.scalar(p, f.dtype)), dim, true),
    build.scalar(1 / p, f.dtype),
  );
  const result = where(isZero, build.filled(0, total.shape, f.dtype), total);
  if (keepdim) return result;
  const axes = normalizeDims(dim, x.shape.length, op);
  return build.reshape(
    result,
    result.shape.filter((_, i) => !axes.includes(i)),
  );
}

/**
 * (Σ |x|ᵖ)^(1/p) over `dim` (one, several, or all): 2 by default, ±Infinity the largest and the smallest, 0 the number of elements that
 * are not 0. PyTorch: torch.linalg.vector_norm.
 */
export function vectorNorm<
  S extends Shape,
  const Dims extends number | readonly number[] | undefined = undefined,
  K extends boolean = false,
>(x: Tensor<S, DType>, p = 2, dim?: Dims, options?: ReduceOptions<K>): Tensor<Reduce<S, Dims, K>> {
  const node = nodeOf(x, 'vectorNorm', 'the input');
  return wrap(normOf('vectorNorm', node, p, dim, keeps('vectorNorm', options)));
}

/** As vectorNorm; 'fro' (the default) is 2. PyTorch: torch.norm. */
export function norm<
  S extends Shape,
  const Dims extends number | readonly number[] | undefined = undefined,
  K extends boolean = false,
>(x: Tensor<S, DType>, p: number | 'fro' = 'fro', dim?: Dims, options?: ReduceOptions<K>): Tensor<Reduce<S, Dims, K>> {
  const node = nodeOf(x, 'norm', 'the input');
  if (typeof p === 'string') checkChoice('norm', 'p', p, ['fro', 'a number']);
  return wrap(normOf('norm', node, p === 'fro' ? 2 : p, dim, keeps('norm', options)));
}

export type { MatrixNorm };

export interface MatrixNormOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** Rows and columns. Default [−2, −1]. */
  readonly dim?: readonly [number, number];
}

const MATRIX_NORM_OPTIONS: OptionNames<MatrixNormOptions> = { dim: true, keepdim: true };

/**
 * The norm of matrices: 'fro' (the default) the root of all squares, 1 and −1 the largest and smallest sum of a column, Infinity and
 * −Infinity those of a row (of absolute values), 2 and −2 the largest and smallest singular value, 'nuc' the sum of all singular values.
 * PyTorch: torch.linalg.matrix_norm.
 */
export function matrixNorm(x: AnyTensor, ord: MatrixNorm = 'fro', options?: MatrixNormOptions): Tensor<number[]> {
  const op = 'matrixNorm';
  const node = asFloat(nodeOf(x, op, 'the input'));
  checkChoice(op, 'ord', ord, MATRIX_NORMS);
  checkOptions(op, options, MATRIX_NORM_OPTIONS);
  const { dim = [-2, -1], keepdim = false } = options ?? {};
  return wrap(matrixNormOf(op, node, ord, dim, keepdim));
}

export const MATRIX_NORMS: readonly MatrixNorm[] = ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity];

/** The norm of the matrices in two dimensions. */
export function matrixNormOf(
  op: string,
  node: Node,
  ord: MatrixNorm,
  dim: readonly [number, number],
  keepdim: boolean,
): Node {
  const rank = node.shape.length;
  if (rank < 2)
    throw new ShapeError(`${op}: ${formatShape(node.shape)} is not a matrix, nor a batch of them`, [node.shape]);
  if (!Array.isArray(dim) || dim.length !== 2)
    throw new ArgumentError(`${op}: dim is not a pair. Give rows and columns: [-2, -1].`);
  const axes = normalizeDims(dim, rank, op);
  const [rows, columns] = dim.map((d) => normalizeDim(d, rank, op));
  if (ord === 'fro') return positiveNorm(node, 2, axes, keepdim);
  const others = [...node.shape.keys()].filter((i) => i !== rows && i !== columns);
  const made = matrixNormNode(op, build.permute(node, [...others, rows, columns]), ord);
  if (!keepdim) return made;
  return build.reshape(
    made,
    node.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  );
}

export interface NormalizeOptions {
  /** Of the norm. Default 2. */
  readonly p?: number;
  /** Default 1. */
  readonly dim?: number | readonly number[];
  /** The norm is at least this. Default 1e-12. */
  readonly eps?: number;
}

const NORMALIZE_OPTIONS: OptionNames<NormalizeOptions> = { p: true, dim: true, eps: true };

/** x / max(‖x‖ₚ, eps) along `dim`. PyTorch: F.normalize. */
export function normalize<S extends Shape>(x: Tensor<S, DType>, options?: NormalizeOptions): Tensor<S> {
  const node = asFloat(nodeOf(x, 'normalize', 'the input'));
  checkOptions('normalize', options, NORMALIZE_OPTIONS);
  const { p = 2, dim = 1, eps = 1e-12 } = options ?? {};
  checkGiven(checkNumber, 'normalize', { p, eps });
  const size = normOf('normalize', node, p, dim, true);
  return wrap(div(node, atLeast(size, eps)));
}

/** max(x, bound), with slope 1 at the bound. */
function atLeast(x: Node, bound: number): Node {
  const least = build.scalar(bound, x.dtype);
  return where(binary('lt', x, least), least, x);
}

export interface CosineSimilarityOptions {
  /** Default 1. */
  readonly dim?: number;
  /** Each norm is at least this. Default 1e-8. */
  readonly eps?: number;
}

const COSINE_SIMILARITY_OPTIONS: OptionNames<CosineSimilarityOptions> = { dim: true, eps: true };

/** Σ a·b / (max(‖a‖, eps) · max(‖b‖, eps)) along `dim`: the cosine of the angle, −1 to 1. PyTorch: F.cosine_similarity. */
export function cosineSimilarity<S extends Shape, B extends Shape>(
  a: Tensor<S, DType>,
  b: Tensor<B, DType>,
  options?: CosineSimilarityOptions,
): Tensor<Reduce<Broadcast<S, B>, number, false>> {
  const op = 'cosineSimilarity';
  const [x, y] = tensorsOf(op, a, b).map(asFloat);
  checkOptions(op, options, COSINE_SIMILARITY_OPTIONS);
  const { dim = 1, eps = 1e-8 } = options ?? {};
  checkGiven(checkNumber, op, { eps });
  const axis = normalizeDim(dim, x.shape.length, op);
  const unit = (t: Node): Node => {
    const size = positiveNorm(t, 2, axis, true);
    const least = binary('max', build.detach(size), build.scalar(eps, size.dtype));
    // the slope is that of the norm below eps, too, as in PyTorch
    return div(
      t,
      withSlope(op, size, least, (g) => g),
    );
  };
  return wrap(sum(mul(unit(x), unit(y)), axis, false));
}
