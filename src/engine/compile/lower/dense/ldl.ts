// P·A·Pᵀ = L·D·Lᵀ of a symmetric matrix, which may be indefinite, with Bunch and Kaufman's pivoting (Golub and Van Loan, 4.4.4): of one row or of
// two at a time. What is left of the matrix is kept on both sides of its diagonal, so that all is done along rows.

import { LDL_ALPHA } from '../../../ir/dense.js';
import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Line,
  type Matrix,
  type MatrixWriter,
  absolute,
  asInt,
  minus,
  negated,
  plus,
  quotient,
  real,
} from './parts/matrix-writer.js';
import { type Writing, infoOf } from './parts/writing.js';

export function writeLdl(g: Writing): void {
  const { w, n, operand, matrix, line, scratch, integers, fail } = g;
  const l = matrix('l');
  const [d, e, order] = [line('d'), line('e'), line('order')];
  const a = { ...scratch('a', n * n), ld: n };
  const rows = integers('rows', n);
  const [first, second] = [scratch('first', n), scratch('second', n)];
  const odd = mirror(w, operand(0), a, n);
  w.loop(0, n, (i) => {
    w.put(rows, i, i);
    const row = w.row(l, i);
    w.fill(row, 0, n, real(0));
    w.put(row, i, real(1));
    w.put(e, i, real(0));
  });
  const next = w.variable('next', L.int(0));
  w.loop(0, n, (k) => {
    // After a pivot of two rows one is skipped.
    w.when(L.compare('eq', k, next), () => {
      const own = w.named('own', absolute(w.at(a, k, k)));
      const below = largestOf(w, w.row(a, k), plus(k, 1), L.int(n), L.int(n));
      const other = largestOf(w, w.row(a, below.at), k, L.int(n), below.at);
      const bound = w.named('bound', L.mul(real(LDL_ALPHA), below.size));
      const isEnough = L.compare('le', bound, own);
      const isBeside = L.compare('le', L.mul(bound, below.size), L.mul(own, other.size));
      const isNothing = L.compare('eq', below.size, real(0));
      const isOwn = w.named('isOwn', L.binary('or', isNothing, L.binary('or', isEnough, isBeside)));
      const corner = absolute(w.at(a, below.at, below.at));
      const isRow = L.compare('le', L.mul(real(LDL_ALPHA), other.size), corner);
      const isSingle = w.named('isSingle', L.binary('or', isOwn, isRow));
      const place = w.int(L.select(isSingle, k, plus(k, 1)), 'place');
      const taken = w.int(L.select(isOwn, k, below.at), 'taken');
      w.when(L.compare('ne', place, taken), () => exchange(w, a, l, rows, place, taken, k, n));
      w.when(
        isSingle,
        () => eliminateOne(w, a, l, d, k, n),
        () => eliminateTwo(w, a, l, { d, e }, [first, second], k, n),
      );
      w.set(next, L.select(isSingle, plus(k, 1), plus(k, 2)));
    });
  });
  w.loop(0, n, (i) => w.put(order, i, L.convert('i32.f64', w.get(rows, i))));
  fail(infoOf(w, odd, L.int(0)));
}

/** The lower triangle on both sides of the diagonal; 0 in return if its numbers are finite, else NaN. */
function mirror(w: MatrixWriter, from: Matrix, to: Matrix, n: number): Expr {
  const odd = w.variable('odd', real(0));
  w.loop(0, n, (i) => {
    const row = w.row(from, i);
    w.loop(0, plus(i, 1), (j) => {
      const x = w.get(row, j);
      w.set(odd, L.add(odd, L.sub(x, x)));
      w.putAt(to, i, j, x);
      w.putAt(to, j, i, x);
    });
  });
  return odd;
}

/** The largest number in size of a line but one, and where the first one of that size is; `from` where all are 0 (or the last place). */
function largestOf(
  w: MatrixWriter,
  x: Line,
  from: Expr,
  to: Expr,
  skipped: Expr,
): { readonly size: Expr; readonly at: Expr } {
  const size = w.variable('largest', real(0));
  const at = w.variable('at', L.int(0));
  w.set(at, L.binary('min', from, minus(to, 1)));
  w.loop(from, to, (i) => {
    const own = w.named('own', absolute(w.get(x, i)));
    const isMore = L.binary('and', L.compare('lt', size, own), L.compare('ne', i, skipped));
    const isLarger = w.named('isLarger', isMore);
    w.set(size, L.select(isLarger, own, size));
    w.set(at, L.select(isLarger, i, at));
  });
  return { size: w.named('size', size), at: w.int(at, 'at') };
}

/** Rows and columns i and j change places, and what L has of them in its first `done` columns. */
function exchange(w: MatrixWriter, a: Matrix, l: Matrix, rows: Line, i: Expr, j: Expr, done: Expr, n: number): void {
  w.swap(w.row(a, i), w.row(a, j), 0, n);
  w.loop(0, n, (r) => {
    const row = w.row(a, r);
    const [x, y] = [w.get(row, i), w.get(row, j)];
    w.put(row, i, y);
    w.put(row, j, x);
  });
  w.swap(w.row(l, i), w.row(l, j), 0, done);
  const [x, y] = [w.get(rows, i), w.get(rows, j)];
  w.put(rows, i, y);
  w.put(rows, j, x);
}

function eliminateOne(w: MatrixWriter, a: Matrix, l: Matrix, d: Line, k: Expr, n: number): void {
  const row = w.row(a, k);
  const pivot = w.get(row, k);
  w.put(d, k, pivot);
  const from = plus(k, 1);
  w.when(L.compare('ne', pivot, real(0)), () =>
    w.loop(from, n, (i) => {
      const share = w.named('share', quotient(w.get(row, i), pivot));
      w.putAt(l, i, k, share);
      w.addTo(w.row(a, i), negated(share), row, from, n);
    }),
  );
}

function eliminateTwo(
  w: MatrixWriter,
  a: Matrix,
  l: Matrix,
  { d, e }: { readonly d: Line; readonly e: Line },
  [first, second]: readonly Line[],
  k: Expr,
  n: number,
): void {
  const j = w.int(plus(k, 1), 'j');
  const [p, q, r] = [w.at(a, k, k), w.at(a, k, j), w.at(a, j, j)];
  w.put(d, k, p);
  w.put(e, k, q);
  w.put(d, j, r);
  // Divided by q first, which is the largest: no square overflows.
  const [x, y] = [w.named('x', quotient(p, q)), w.named('y', quotient(r, q))];
  const scale = w.named('scale', quotient(quotient(real(1), L.sub(L.mul(x, y), real(1))), q));
  const from = plus(k, 2);
  const [upper, lower] = [w.row(a, k), w.row(a, j)];
  w.copy(upper, first, from, asInt(n));
  w.copy(lower, second, from, asInt(n));
  w.loop(from, n, (i) => {
    const [s, t] = [w.get(first, i), w.get(second, i)];
    const ofK = w.named('share', L.mul(scale, L.sub(L.mul(y, s), t)));
    const ofJ = w.named('share', L.mul(scale, L.sub(L.mul(x, t), s)));
    w.putAt(l, i, k, ofK);
    w.putAt(l, i, j, ofJ);
    const row = w.row(a, i);
    w.addTo(row, negated(ofK), first, from, n);
    w.addTo(row, negated(ofJ), second, from, n);
  });
}
