// Factorisations as nodes, with their derivatives: float64 matrices in, factors out. The formulas are those of Giles, "Collected matrix
// derivative results" (2008), Walter and Lehmann for QR (2010), Townsend for singular values (2016); all can be derived again.

import { GradError } from '../../engine/ir/errors.js';
import * as build from '../../engine/ir/build.js';
import type { Node } from '../../engine/ir/node.js';
import {
  add,
  asColumn,
  asRow,
  batchOf,
  columnsOf,
  diagonalMatrix,
  div,
  lower,
  mul,
  neg,
  number,
  product,
  routine,
  rowsOf,
  sub,
  together,
  transpose,
  unitMatrix,
  upper,
  where,
  zeros,
} from './matrices.js';

// ---------------------------------------------------------------- triangles

export interface Triangle {
  readonly isUpper: boolean;
  readonly isUnit: boolean;
}

/** A⁻¹·B for a triangular A, of which the other triangle is not read. Both have the same batch. */
export function triangular(call: string, a: Node, b: Node, triangle: Triangle): Node {
  const x = routine('triangular', call, [a, b], triangle)('x');
  const slopes = ([g]: readonly Node[], [out]: readonly Node[]): Node[] => {
    const right = triangular('', transpose(a), g, { ...triangle, isUpper: !triangle.isUpper });
    const left = neg(product(right, transpose(out)));
    const offset = triangle.isUnit ? 1 : 0;
    return [triangle.isUpper ? upper(left, offset) : lower(left, 0 - offset), right];
  };
  return together('solveTriangular', [a, b], [x], batchOf(a), slopes)[0];
}

/** B·A⁻¹ */
export function triangularRight(call: string, a: Node, b: Node, triangle: Triangle): Node {
  return transpose(triangular(call, transpose(a), transpose(b), { ...triangle, isUpper: !triangle.isUpper }));
}

const LOWER: Triangle = { isUpper: false, isUnit: false };
const UPPER: Triangle = { isUpper: true, isUnit: false };

// ---------------------------------------------------------------- Cholesky

/** A = L·Lᵀ of the lower triangle of A. */
export function choleskyOf(call: string, a: Node): { readonly l: Node; readonly info: Node } {
  const part = routine('cholesky', call, [a]);
  const [l] = together('cholesky', [a], [part('l')], batchOf(a), ([g], [out]) => {
    const half = lower(product(transpose(out), lower(g)));
    const phi = mul(half, sub(number(1), mul(unitMatrix([], a.shape[a.shape.length - 1]), number(0.5))));
    const left = triangular('', transpose(out), phi, UPPER);
    const all = triangularRight('', out, left, LOWER);
    return [mul(number(0.5), add(all, transpose(all)))];
  });
  return { l, info: part('info') };
}

// ---------------------------------------------------------------- LU

export interface LuFactors {
  /** U, and L below the diagonal, whose own diagonal is 1. */
  readonly lu: Node;
  /** The row of A that is row i of P·A, float64. */
  readonly order: Node;
  /** The row that was exchanged with row i, from 0, float64. */
  readonly pivots: Node;
  readonly info: Node;
}

/** P·A = L·U */
export function luOf(call: string, a: Node): LuFactors {
  const part = routine('lu', call, [a]);
  const [m, n] = a.shape.slice(-2);
  const isNothing = a.size === 0;
  const counted = build.expand(build.cast(build.iota(m), 'float64'), [...batchOf(a), m]);
  const order = isNothing ? counted : part('order');
  const [lu] = together('lu', [a], [part('lu')], batchOf(a), ([g], [out]) => [
    unpermuted(order, luSlope(g, out, m, n)),
  ]);
  return { lu, order, pivots: part('pivots'), info: part('info') };
}

export const lowerFactor = (lu: Node): Node => {
  const [m, n] = lu.shape.slice(-2);
  const k = Math.min(m, n);
  return add(lower(columnsOf(lu, 0, k), -1), unitMatrix(batchOf(lu), m, k));
};

export const upperFactor = (lu: Node): Node => {
  const [m, n] = lu.shape.slice(-2);
  return upper(rowsOf(lu, 0, Math.min(m, n)));
};

/** The gradient of P·A, from that of both factors in one matrix. */
function luSlope(g: Node, lu: Node, m: number, n: number): Node {
  const k = Math.min(m, n);
  const [l, u] = [lowerFactor(lu), upperFactor(lu)];
  const [l1, u1] = [rowsOf(l, 0, k), columnsOf(u, 0, k)];
  const corner = (x: Node): Node => columnsOf(rowsOf(x, 0, k), 0, k);
  let [gl, gu] = [lower(corner(g), -1), upper(corner(g))];
  const unit = { isUpper: true, isUnit: true };
  let beside: Node | undefined;
  if (n > k) {
    // the columns beside are L⁻¹ of those of A
    beside = triangular('', transpose(l1), columnsOf(g, k, n), unit);
    gl = sub(gl, lower(product(beside, transpose(columnsOf(u, k, n))), -1));
  } else if (m > k) {
    beside = triangularRight('', transpose(u1), rowsOf(g, k, m), LOWER);
    gu = sub(gu, upper(product(transpose(rowsOf(l, k, m)), beside)));
  }
  const inner = add(lower(product(transpose(l1), gl), -1), upper(product(gu, transpose(u1))));
  const main = triangular('', transpose(l1), triangularRight('', transpose(u1), inner, LOWER), unit);
  if (beside === undefined) return main;
  return build.concat([main, beside], n > k ? main.shape.length - 1 : main.shape.length - 2);
}

/** Rows of x in another order: row i is row order[i]. */
export function permuted(order: Node, x: Node): Node {
  const axis = x.shape.length - 2;
  const index = build.expand(asColumn(build.cast(build.detach(order), 'int32')), x.shape);
  return build.gather(x, axis, index);
}

/** The inverse of `permuted`. */
export function unpermuted(order: Node, x: Node): Node {
  return permuted(build.cast(inverseOrder(order), 'float64'), x);
}

const inverseOrder = (order: Node): Node =>
  build.argsort(build.cast(build.detach(order), 'int32'), order.shape.length - 1, false);

// ---------------------------------------------------------------- QR

export interface QrFactors {
  readonly q: Node;
  readonly r: Node;
}

/** A = Q·R; Q has min(m, n) columns, or m if it is complete. */
export function qrOf(call: string, a: Node, isComplete: boolean): QrFactors {
  const [m, n] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const columns = isComplete ? m : k;
  const part = routine('qr', call, [a]);
  const qr = part('qr');
  const q =
    k === 0 ? unitMatrix(batchOf(a), m, columns) : routine('householder', '', [qr, part('tau')], { columns })('q');
  const top = upper(rowsOf(qr, 0, k));
  const r = columns === k ? top : build.concat([top, zeros([...batchOf(a), m - k, n])], a.shape.length - 2);
  const [qOut, rOut] = together(call, [a], [q, r], batchOf(a), ([gq, gr], [qHere, rHere]) => {
    if (columns > k && n < m)
      throw new GradError(
        `${call}: the complete Q of ${m} rows and ${n} columns has no derivative. Use mode 'reduced'.`,
      );
    return [qrSlope(gq, gr, qHere, rHere, a)];
  });
  return { q: qOut, r: rOut };
}

function qrSlope(gq: Node, gr: Node, q: Node, r: Node, a: Node): Node {
  const [m, n] = a.shape.slice(-2);
  if (n <= m) return squareSlope(gq, gr, q, r);
  // R = [R₁, Qᵀ·A₂]
  const [first, second] = [columnsOf(gr, 0, m), columnsOf(gr, m, n)];
  const all = add(gq, product(columnsOf(a, m, n), transpose(second)));
  const left = squareSlope(all, first, q, columnsOf(r, 0, m));
  return build.concat([left, product(q, second)], a.shape.length - 1);
}

function squareSlope(gq: Node, gr: Node, q: Node, r: Node): Node {
  const inner = upper(sub(product(upper(gr), transpose(r)), product(transpose(q), gq)));
  const symmetric = add(inner, transpose(upper(inner, 1)));
  return triangularRight('', transpose(r), add(gq, product(q, symmetric)), LOWER);
}

// ---------------------------------------------------------------- eigenvalues of symmetric matrices

/** 1 / (x_j − x_i) at (i, j), 0 on the diagonal and where both are equal: there what it is multiplied with is 0 for every well-defined loss. */
function inverseGaps(x: Node): Node {
  const gaps = sub(asRow(x), asColumn(x));
  const isEqual = build.binary('eq', gaps, number(0));
  return where(isEqual, number(0), div(number(1), where(isEqual, number(1), gaps)));
}

export interface Spectrum {
  /** Ascending, [..., n]. */
  readonly values: Node;
  /** As columns, [..., n, n]. */
  readonly vectors: Node;
}

/** Of one triangle of A. Vectors are computed where somebody wants them, the gradient of the values included. */
export function eighOf(call: string, a: Node, hasVectors: boolean, isUpper = false): Spectrum {
  const part = routine('eigh', call, [isUpper ? transpose(a) : a], { hasVectors: hasVectors || a.requiresGrad });
  const [values, vectors] = together(
    call,
    [a],
    [part('values'), transpose(part('vectors'))],
    batchOf(a),
    ([gl, gv], [l, v]) => {
      const turned = mul(product(transpose(v), gv), inverseGaps(l));
      const symmetric = mul(number(0.5), add(turned, transpose(turned)));
      return [product(product(v, add(symmetric, diagonalMatrix(gl))), transpose(v))];
    },
  );
  return { values, vectors };
}

// ---------------------------------------------------------------- singular values

export interface SingularFactors {
  /** [..., m, k] */
  readonly u: Node;
  /** Descending, [..., k]. */
  readonly s: Node;
  /** [..., k, n] */
  readonly vt: Node;
}

/** A = U·diag(s)·Vᵀ with k = min(m, n); U and Vᵀ are square where `isFull`. */
export function svdOf(call: string, a: Node, hasVectors: boolean, isFull = false): SingularFactors {
  const [m, n] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const { u, s, vt } = svdValues(call, build.detach(a), hasVectors || a.requiresGrad, isFull);
  const [uOut, sOut, vOut] = together(call, [a], [u, s, vt], batchOf(a), ([gu, gs, gv], results) => {
    const narrow = [columnsOf(results[0], 0, k), results[1], rowsOf(results[2], 0, k)];
    return [svdSlope(columnsOf(gu, 0, k), gs, rowsOf(gv, 0, k), narrow, m, n)];
  });
  return { u: uOut, s: sOut, vt: vOut };
}

/** Of tall matrices those of R in A = Q·R; of wide ones those of the transpose. */
function svdValues(call: string, a: Node, hasVectors: boolean, isFull: boolean): SingularFactors {
  const [m, n] = a.shape.slice(-2);
  if (m < n) {
    const { u, s, vt } = svdValues(call, transpose(a), hasVectors, isFull);
    return { u: transpose(vt), s, vt: transpose(u) };
  }
  if (m > n) {
    const { q, r } = qrOf(call, a, isFull);
    const inner = svdValues(call, rowsOf(r, 0, n), hasVectors, false);
    if (!hasVectors) return { u: zeros([...batchOf(a), m, isFull ? m : n]), s: inner.s, vt: inner.vt };
    const u = product(columnsOf(q, 0, n), inner.u);
    return { ...inner, u: isFull ? build.concat([u, columnsOf(q, n, m)], a.shape.length - 1) : u };
  }
  const part = routine('svd', call, [a], { hasVectors });
  return { u: transpose(part('u')), s: part('values'), vt: part('v') };
}

function svdSlope(gu: Node, gs: Node, gvt: Node, [u, s, vt]: readonly Node[], m: number, n: number): Node {
  const k = Math.min(m, n);
  const skew = (x: Node): Node => sub(x, transpose(x));
  const gaps = inverseGaps(mul(s, s));
  const ofU = product(transpose(u), gu);
  const ofV = product(vt, transpose(gvt));
  const inner = add(
    add(mul(mul(skew(ofU), gaps), asRow(s)), mul(mul(skew(ofV), gaps), asColumn(s))),
    diagonalMatrix(gs),
  );
  let left = product(u, inner);
  if (m > k) left = add(left, div(sub(gu, product(u, ofU)), asRow(s)));
  const gradient = product(left, vt);
  if (n <= k) return gradient;
  const outside = sub(gvt, product(transpose(ofV), vt));
  return add(gradient, product(u, div(outside, asColumn(s))));
}
