// Singular values and vectors of a square matrix: reflections from both sides make it bidiagonal, implicit QR steps make that diagonal (Golub
// and Kahan; Golub and Van Loan, 8.6). Vectors are rows, so that a rotation walks through memory in order.
//   Where a value is 0 as far as can be known, a step without a shift brings it to the end, where it stays.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { RowReflections } from '../parts/block-reflections.js';
import { EPS, isSmall, takeSteps, toGoodSize, toOwnSize } from './diagonalise.js';
import {
  type Line,
  type Matrix,
  type MatrixWriter,
  absolute,
  minus,
  negated,
  plus,
  quotient,
  real,
  root,
} from '../parts/matrix-writer.js';
import { reflect } from '../parts/reflection.js';
import { Sweeps, type Turns, fixSign, rotation, sortValues } from '../parts/rotations.js';
import { type Writing, infoOf } from '../parts/writing.js';

/** Steps whose rotations are done together. */
const SWEEPS = 24;
/** Rows that are read together. */
const TOGETHER = 4;

interface Bidiagonal {
  readonly d: Line;
  readonly e: Line;
}

export function writeSvd(g: Writing): void {
  const { w, n, node, operand, matrix, line, scratch, copyIn, fail } = g;
  const { hasVectors } = node.arg;
  const a = matrix('work');
  const [u, v, d] = [matrix('u'), matrix('v'), line('values')];
  const e = scratch('beside', n);
  const odd = copyIn(operand(0), a, n, n);
  const factor = toGoodSize(w, a, n);
  const [left, right] = [scratch('left', n), scratch('right', n)];
  bidiagonalise(w, a, u, v, { d, e }, [left, right], n, scratch('sums', n));
  if (hasVectors) {
    new RowReflections(g, u, left, 0, 'left').form();
    new RowReflections(g, v, right, 1, 'right').form();
  }
  const sweeps = new Sweeps(g, hasVectors ? [u, v] : [], SWEEPS);
  const single = { cosines: scratch('singleCosines', n), sines: scratch('singleSines', n) };
  const norm = w.variable('norm', real(0));
  w.loop(0, n, (i) => {
    const size = L.add(absolute(w.get(d, i)), absolute(w.get(e, i)));
    w.set(norm, L.binary('max', norm, size));
  });
  const least = w.named('least', L.mul(real(EPS / 4), norm));
  const info = takeSteps(w, d, e, 0, n, odd, {
    prepare: (last) =>
      w.loop(0, plus(last, 1), (i) => {
        w.when(isSmall(w, w.get(d, i), least), () => w.put(d, i, real(0)));
      }),
    negligible: (size) => L.binary('max', L.mul(real(EPS), size), least),
    step: (first, last) => {
      const [ofU = single, ofV = single] = hasVectors ? sweeps.add(first, last) : [];
      step(w, { d, e }, ofU, ofV, first, last);
    },
    ...(hasVectors && { settle: (isDone: Expr) => sweeps.settle(isDone) }),
  });
  w.loop(0, n, (i) => {
    const value = w.get(d, i);
    w.when(L.compare('lt', value, real(0)), () => {
      w.put(d, i, negated(value));
      if (hasVectors) w.scale(w.row(v, i), real(-1), 0, n);
    });
  });
  sortValues(w, d, n, true, (i, j) => {
    if (!hasVectors) return;
    for (const rows of [u, v]) w.swap(w.row(rows, i), w.row(rows, j), 0, n);
  });
  toOwnSize(w, d, n, factor, odd);
  if (hasVectors) w.loop(0, n, (i) => fixSign(w, w.row(v, i), [w.row(u, i)], n));
  fail(infoOf(w, odd, info));
}

/** Row k of `u` becomes v of the reflection of column k, from k on, row k of `v` that of row k, from k + 1 on. */
function bidiagonalise(
  w: MatrixWriter,
  a: Matrix,
  u: Matrix,
  v: Matrix,
  { d, e }: Bidiagonal,
  [left, right]: readonly [Line, Line],
  n: number,
  sums: Line,
): void {
  w.loop(0, n, (k) => {
    const [down, across, row] = [w.row(u, k), w.row(v, k), w.row(a, k)];
    const from = w.int(plus(k, 1), 'from');
    w.loop(k, n, (i) => w.put(down, i, w.at(a, i, k)));
    const ofColumn = reflect(
      w,
      k,
      n,
      (i) => w.get(down, i),
      (i, x) => w.put(down, i, x),
    );
    w.put(left, k, ofColumn.tau);
    w.put(d, k, ofColumn.beta);
    // sums = −tau·vᵀ·A
    w.fill(sums, from, n, real(0));
    addRows(w, sums, down, a, k, from, n);
    w.scale(sums, negated(ofColumn.tau), from, n);
    w.addTo(row, real(1), sums, from, n);
    w.put(right, k, real(0));
    w.put(e, k, real(0));
    w.when(L.compare('lt', from, L.int(n)), () => {
      w.copy(row, across, from, n);
      const ofRow = reflect(
        w,
        from,
        n,
        (i) => w.get(across, i),
        (i, x) => w.put(across, i, x),
      );
      w.put(right, k, ofRow.tau);
      w.put(e, k, ofRow.beta);
      // Both reflections of a row while it is at hand.
      w.loop(from, n, (i) => {
        const line = w.row(a, i);
        w.addTo(line, w.get(down, i), sums, from, n);
        const product = w.dot(line, across, from, n);
        w.addTo(line, negated(L.mul(ofRow.tau, product)), across, from, n);
      });
    });
  });
}

/** y += Σ factors_i · row i, for the rows from `first` on, TOGETHER of them at a time. */
function addRows(w: MatrixWriter, y: Line, factors: Line, a: Matrix, first: Expr, from: Expr, n: number): void {
  const whole = w.int(minus(n, L.binary('rems', minus(n, first), L.int(TOGETHER))), 'whole');
  w.loop(
    first,
    whole,
    (i) => {
      const lines = Array.from({ length: TOGETHER }, (_, r) => w.row(a, plus(i, r)));
      const by = lines.map((_, r) => w.get(factors, plus(i, r)));
      w.strips(from, n, (at, lanes) => {
        const sum = lines.reduce<Expr>(
          (total, line, r) => w.named('sum', L.fma(L.splat(by[r], lanes), w.get(line, at, lanes), total)),
          w.get(y, at, lanes),
        );
        w.put(y, at, sum);
      });
    },
    TOGETHER,
  );
  w.loop(whole, n, (i) => w.addTo(y, w.get(factors, i), w.row(a, i), from, n));
}

/** The smaller singular value of the last two rows; 0 where one of the block is 0, or the shift would be lost in rounding. */
function shiftOf(w: MatrixWriter, { d, e }: Bidiagonal, from: Expr, to: Expr): Expr {
  const smallest = w.variable('smallest', real(Infinity));
  w.loop(from, plus(to, 1), (i) => w.set(smallest, L.binary('min', smallest, absolute(w.get(d, i)))));
  const before = w.int(minus(to, 1), 'before');
  const [f, h, g] = [w.named('f', absolute(w.get(d, before))), w.named('h', absolute(w.get(d, to))), w.get(e, before)];
  const squared = w.named('squared', L.mul(g, g));
  const [sum, difference] = [w.named('sum', L.add(f, h)), w.named('difference', L.sub(f, h))];
  const largest = L.add(root(L.fma(sum, sum, squared)), root(L.fma(difference, difference, squared)));
  const shift = w.named('shift', quotient(L.mul(L.mul(real(2), f), h), w.named('largest', largest)));
  const ratio = w.named('ratio', quotient(shift, absolute(w.get(d, from))));
  const isLost = L.compare('lt', L.mul(ratio, ratio), real(EPS));
  const isZero = L.binary('or', isLost, L.compare('eq', smallest, real(0)));
  return w.named('shift', L.select(isZero, real(0), shift));
}

/** One implicit QR step on the rows from … to, and its rotations. */
function step(w: MatrixWriter, b: Bidiagonal, ofU: Turns, ofV: Turns, from: Expr, to: Expr): void {
  const { d, e } = b;
  const shift = shiftOf(w, b, from, to);
  const first = w.get(d, from);
  const sign = L.select(L.compare('lt', first, real(0)), real(-1), real(1));
  const shifted = L.mul(L.sub(absolute(first), shift), L.add(sign, quotient(shift, first)));
  const f = w.variable('f', L.select(L.compare('eq', shift, real(0)), first, shifted));
  const g = w.variable('g', w.get(e, from));
  w.loop(from, to, (k) => {
    const turned = rotation(w, f, g);
    w.put(ofV.cosines, k, turned.c);
    w.put(ofV.sines, k, turned.s);
    w.when(L.compare('lt', from, k), () => w.put(e, minus(k, 1), turned.r));
    const [upper, lower, beside] = [w.get(d, k), w.get(d, plus(k, 1)), w.get(e, k)];
    const { c, s } = turned;
    const x = w.named('x', L.fma(c, upper, L.mul(s, beside)));
    const side = w.named('side', L.sub(L.mul(c, beside), L.mul(s, upper)));
    const bulge = w.named('bulge', L.mul(s, lower));
    const below = w.named('below', L.mul(c, lower));
    const back = rotation(w, x, bulge);
    w.put(ofU.cosines, k, back.c);
    w.put(ofU.sines, k, back.s);
    w.put(d, k, back.r);
    const next = w.named('next', L.fma(back.c, side, L.mul(back.s, below)));
    w.put(d, plus(k, 1), L.sub(L.mul(back.c, below), L.mul(back.s, side)));
    w.put(e, k, next);
    w.set(f, next);
    w.when(L.compare('lt', plus(k, 1), to), () => {
      const following = w.get(e, plus(k, 1));
      w.set(g, L.mul(back.s, following));
      w.put(e, plus(k, 1), L.mul(back.c, following));
    });
  });
}
