// Systems of linear equations and what follows from them as nodes: solutions by LU, inverses, determinants, pseudo-inverses.

import * as build from '../../engine/ir/build.js';
import type { Node } from '../../engine/ir/node.js';
import { eighOf, luOf, type LuFactors, permuted, svdOf, triangular, unpermuted } from './factorise.js';
import {
  add,
  asRow,
  batchOf,
  diagonalMatrix,
  diagonalOf,
  div,
  mul,
  neg,
  number,
  product,
  sub,
  sumLast,
  together,
  transpose,
  unitMatrix,
  where,
  zeros,
} from './matrices.js';

const UNIT_LOWER = { isUpper: false, isUnit: true };
const UPPER = { isUpper: true, isUnit: false };

/** The solution of A·X = B from the factors of A, or of Aᵀ·X = B. */
export function solveFactored({ lu, order }: Pick<LuFactors, 'lu' | 'order'>, b: Node, isTransposed: boolean): Node {
  if (!isTransposed) return triangular('', lu, triangular('', lu, permuted(order, b), UNIT_LOWER), UPPER);
  const across = transpose(lu);
  const first = triangular('', across, b, { isUpper: false, isUnit: false });
  return unpermuted(order, triangular('', across, first, { isUpper: true, isUnit: true }));
}

/** A⁻¹·B, or A⁻ᵀ·B, whose derivatives use the same factors, which are numbers and no function of A here. */
function solved(a: Node, factors: LuFactors, b: Node, isTransposed: boolean): Node {
  const x = solveFactored(factors, build.detach(b), isTransposed);
  return together('solve', [a, b], [x], batchOf(a), ([g], [out]) => {
    const right = solved(a, factors, g, !isTransposed);
    const left = product(right, transpose(out));
    return [neg(isTransposed ? transpose(left) : left), right];
  })[0];
}

export interface Solution {
  readonly x: Node;
  readonly info: Node;
  readonly factors: LuFactors;
}

/** A⁻¹·B of the same batch. */
export function solveNodes(call: string, a: Node, b: Node): Solution {
  const factors = luOf(call, build.detach(a));
  return { x: solved(a, factors, b, false), info: factors.info, factors };
}

export function inverseNodes(call: string, a: Node): Solution {
  const factors = luOf(call, build.detach(a));
  const value = solveFactored(factors, unitMatrix(batchOf(a), a.shape[a.shape.length - 1]), false);
  const [x] = together('inv', [a], [value], batchOf(a), ([g], [out]) => [
    neg(product(product(transpose(out), g), transpose(out))),
  ]);
  return { x, info: factors.info, factors };
}

// ---------------------------------------------------------------- determinants

/** 1 or −1: whether the number of row exchanges is even. */
function parity({ pivots }: LuFactors): Node {
  const count = pivots.shape[pivots.shape.length - 1];
  const own = build.cast(build.iota(count), 'float64');
  const signs = where(build.binary('eq', pivots, own), number(1), number(-1));
  return build.reshape(build.reduce('prod', signs, [signs.shape.length - 1]), pivots.shape.slice(0, -1));
}

const prodLast = (x: Node): Node => build.reshape(build.reduce('prod', x, [x.shape.length - 1]), x.shape.slice(0, -1));

/** g as a matrix of one number. */
const spread = (g: Node): Node => build.reshape(g, [...g.shape, 1, 1]);

/**
 * The determinant. Its derivative is the matrix of cofactors, det(A)·A⁻ᵀ; where A is singular, a pivot of 0 is taken as one that is too
 * small to see, which leaves the product of both factors what it should be.
 */
export function detNode(a: Node): Node {
  const factors = luOf('', build.detach(a));
  const diagonal = diagonalOf(factors.lu);
  const value = mul(prodLast(diagonal), parity(factors));
  return together('det', [a], [value], batchOf(a), ([g], [out]) => {
    const n = a.shape[a.shape.length - 1];
    if (a.size === 0) return [zeros(a.shape)];
    const isZero = build.binary('eq', diagonal, number(0));
    const absolute = build.unary('abs', factors.lu);
    const largest = build.reshape(
      build.reduce('reduceMax', absolute, [absolute.shape.length - 2, absolute.shape.length - 1]),
      [...batchOf(a), 1],
    );
    const tiny = add(mul(largest, number(2 ** -60)), number(1e-290));
    const pivots = where(isZero, tiny, diagonal);
    const near = { ...factors, lu: add(factors.lu, diagonalMatrix(sub(pivots, diagonal))) };
    const size = mul(prodLast(pivots), parity(factors));
    const det = where(build.binary('eq', build.detach(out), number(0)), size, out);
    return [mul(spread(mul(g, det)), solved(a, near, unitMatrix(batchOf(a), n), true))];
  })[0];
}

/** The determinant's sign, 0 for a singular matrix, and the logarithm of its absolute value, −∞ there. */
export function slogdetNodes(a: Node): { readonly sign: Node; readonly logabsdet: Node } {
  const factors = luOf('', build.detach(a));
  const diagonal = diagonalOf(factors.lu);
  const sign = mul(prodLast(build.unary('sign', diagonal)), parity(factors));
  const value = sumLast(build.unary('log', build.unary('abs', diagonal)));
  const [logabsdet] = together('slogdet', [a], [value], batchOf(a), ([g]) => [
    mul(spread(g), solved(a, factors, unitMatrix(batchOf(a), a.shape[a.shape.length - 1]), true)),
  ]);
  return { sign: where(build.binary('eq', sign, sign), sign, value), logabsdet };
}

// ---------------------------------------------------------------- pseudo-inverses

/** 1 / x where x is above the bound, which broadcasts, else 0. */
export function inverseAbove(x: Node, bound: Node): Node {
  const isAbove = build.binary('lt', bound, build.unary('abs', x));
  return where(isAbove, div(number(1), where(isAbove, x, number(1))), number(0));
}

/** The pseudo-inverse of A by singular values above `bound` of the largest one, which is a function of them. */
export function pinvNode(call: string, a: Node, bound: (largest: Node) => Node, isHermitian: boolean): Node {
  const constant = build.detach(a);
  let value: Node;
  if (isHermitian) {
    const { values, vectors } = eighOf(call, constant, true);
    const largest = largestOf(build.unary('abs', values));
    value = product(mul(vectors, asRow(inverseAbove(values, bound(largest)))), transpose(vectors));
  } else {
    const { u, s, vt } = svdOf(call, constant, true);
    value = product(mul(transpose(vt), asRow(inverseAbove(s, bound(largestOf(s))))), transpose(u));
  }
  return together('pinv', [a], [value], batchOf(a), ([g], [p]) => [pinvSlope(g, p, a)])[0];
}

/** [..., k] → [..., 1]; 0 of none. */
export function largestOf(x: Node): Node {
  const last = x.shape.length - 1;
  if (x.shape[last] === 0) return build.expand(number(0), x.shape.with(last, 1));
  return build.reduce('reduceMax', x, [last]);
}

/** dA⁺ = −A⁺·dA·A⁺ + A⁺·A⁺ᵀ·dAᵀ·(I − A·A⁺) + (I − A⁺·A)·dAᵀ·A⁺ᵀ·A⁺ (Golub and Pereyra, 1973) */
export function pinvSlope(g: Node, p: Node, a: Node): Node {
  const [pt, gt] = [transpose(p), transpose(g)];
  const main = neg(product(product(pt, g), pt));
  const left = product(product(gt, p), pt);
  const right = product(pt, product(p, gt));
  return add(add(main, sub(left, product(a, product(p, left)))), sub(right, product(product(right, p), a)));
}
