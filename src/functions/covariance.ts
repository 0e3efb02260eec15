// Covariances and correlations, distances of whole tensors, slices of limited length. Names and meaning are PyTorch's.

import { checkGiven, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, normalizeDim } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { vectorNorm } from './norms.js';
import { add, binary, constant, div, floatOf, floatPairOf, mul, sub, unary, where } from './operands.js';

export interface CovOptions {
  /** What is subtracted from the number of observations. Default 1. */
  readonly correction?: number;
  /** How often each observation was made: int32 [n]. */
  readonly fweights?: AnyTensor;
  /** How much each observation counts: [n]. */
  readonly aweights?: AnyTensor;
}

const COV_OPTIONS: OptionNames<CovOptions> = { correction: true, fweights: true, aweights: true };

/** The variables as rows, the observations as columns. */
function observations(op: string, x: AnyTensor): Node {
  const node = floatOf(x, op);
  if (node.shape.length > 2) throw new ShapeError(`${op}: ${formatShape(node.shape)} is not a matrix`, [node.shape]);
  return node.shape.length === 2 ? node : build.reshape(node, [1, node.size]);
}

function weightsOf(
  op: string,
  given: readonly (AnyTensor | undefined)[],
  n: number,
  dtype: DType,
): (Node | undefined)[] {
  return given.map((weights, i) => {
    if (weights === undefined) return undefined;
    const node = nodeOf(weights, op, i === 0 ? 'fweights' : 'aweights');
    if (node.shape.length > 1 || node.size !== n)
      throw new ShapeError(`${op}: weights ${formatShape(node.shape)} for ${n} observations: needs [${n}]`, [
        node.shape,
      ]);
    return build.cast(build.reshape(node, [1, n]), dtype);
  });
}

function covariance(op: string, x: Node, options: CovOptions): Node {
  checkOptions(op, options, COV_OPTIONS);
  const { correction = 1, fweights, aweights } = options;
  checkWhole(op, 'correction', correction, -Infinity);
  const n = x.shape[1];
  const [often, much] = weightsOf(op, [fweights, aweights], n, x.dtype);
  const weights = often === undefined ? much : much === undefined ? often : mul(often, much);
  const count = weights === undefined ? constant(n, x) : build.sum(weights, [1]);
  const weighed = (y: Node): Node => (weights === undefined ? y : mul(y, weights));
  const centred = sub(x, div(build.sum(weighed(x), [1]), count));
  const lost =
    much === undefined || weights === undefined || correction === 0
      ? constant(correction, x)
      : div(mul(build.sum(mul(weights, much), [1]), constant(correction, x)), count);
  const divisor = binary('max', sub(count, lost), constant(0, x));
  return div(build.matmul(weighed(centred), build.transposeLast(centred)), divisor);
}

/**
 * The covariances of variables, which are the rows of x; their observations are its columns. One variable has a variance, a number.
 * PyTorch: torch.cov.
 */
export function cov(x: AnyTensor, options: CovOptions = {}): Tensor<number[]> {
  const node = observations('cov', x);
  const matrix = covariance('cov', node, options);
  return wrap(matrix.size === 1 ? build.reshape(matrix, []) : matrix);
}

/** The correlations of variables, which are the rows of x, from −1 to 1. PyTorch: torch.corrcoef. */
export function corrcoef(x: AnyTensor): Tensor<number[]> {
  const node = observations('corrcoef', x);
  const matrix = covariance('corrcoef', node, {});
  const n = matrix.shape[0];
  if (n === 1) return wrap(build.reshape(div(matrix, matrix), []));
  const variances: Tensor = wrap<readonly number[], 'float32'>(matrix).diagonal(0, 0, 1);
  const deviations = unary('sqrt', variances.node);
  const scaled = div(div(matrix, build.reshape(deviations, [n, 1])), build.reshape(deviations, [1, n]));
  const [low, high] = [constant(-1, scaled), constant(1, scaled)];
  return wrap(where(binary('lt', scaled, low), low, where(binary('lt', high, scaled), high, scaled)));
}

/** The p-norm of the difference of two tensors, which broadcast. PyTorch: torch.dist. */
export function dist(a: AnyTensor, b: AnyTensor, p = 2): Tensor<[]> {
  const [x, y] = floatPairOf('dist', a, b);
  checkNumber('dist', 'p', p);
  const difference: Tensor = wrap(sub(x, y));
  const norm: Tensor = vectorNorm(difference, p);
  return wrap(norm.node);
}

/** Dot products of vectors along a dimension of two tensors, which broadcast. PyTorch: torch.linalg.vecdot. */
export function vecdot(a: AnyTensor, b: AnyTensor, dim = -1): Tensor<number[]> {
  const [x, y] = floatPairOf('vecdot', a, b);
  if (x.shape.length === 0) throw new ShapeError('vecdot: numbers are not vectors.', [x.shape]);
  const axis = normalizeDim(dim, x.shape.length, 'vecdot');
  const total = build.sum(mul(x, y), [axis]);
  return wrap(build.reshape(total, total.shape.toSpliced(axis, 1)));
}

/** Slices along `dim` whose p-norm is above `most` scaled down to it. PyTorch: torch.renorm. */
export function renorm(x: AnyTensor, p: number, dim: number, most: number): Tensor<number[]> {
  const op = 'renorm';
  const node = floatOf(x, op);
  checkGiven(checkNumber, op, { p, most });
  if (!(p > 0)) throw new ArgumentError(`${op}: p is ${p}. Use a number above 0.`);
  if (!(most >= 0)) throw new ArgumentError(`${op}: the largest norm is ${most}. Use a number of at least 0.`);
  if (node.shape.length < 2) throw new ShapeError(`${op}: ${formatShape(node.shape)} has no slices`, [node.shape]);
  const axis = normalizeDim(dim, node.shape.length, op);
  const others = node.shape.map((_, i) => i).filter((i) => i !== axis);
  const given: Tensor = wrap(node);
  const norms: Tensor = vectorNorm(given, p, others, { keepdim: true });
  const limit = constant(most, node);
  const isLong = binary('lt', limit, norms.node);
  const factor = where(isLong, div(limit, add(norms.node, constant(1e-7, node))), constant(1, node));
  return wrap(mul(node, factor));
}
