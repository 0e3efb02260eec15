// A = Q·T·Qᵀ of a general matrix with a quasi-triangular T (real Schur form): reflections make A a Hessenberg matrix, QR steps with Francis'
// double shift leave blocks of one and two rows (Golub and Van Loan, 7.4 and 7.5). A block of two rows has a pair of complex eigenvalues.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { RowReflections } from '../parts/block-reflections.js';
import { isSmall, largestOf } from './diagonalise.js';
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
import { turnRows } from '../parts/rotations.js';
import type { Writing } from '../parts/writing.js';

export const EPS = 2 ** -52;
/** Steps that one eigenvalue may take; the shifts make it two or three. */
const STEPS = 60;
/** What counts as 0 beside the largest number anyway: squares of it are far from the least numbers that there are. */
const SMALL = 2 ** -200;
/** After so many, shifts that belong to no eigenvalue break a circle. */
const UNUSUAL = 10;

/** What is turned: T, and where it is wanted Q, whose columns are rows here. */
export interface Schur {
  readonly t: Matrix;
  readonly q: Matrix | undefined;
}

/** T in the place of A; 0 in return, or the row where it was given up. */
export function toSchur(g: Writing, s: Schur, odd: Expr): Expr {
  const { w, n } = g;
  toHessenberg(g, s);
  const { t } = s;
  const least = w.named('least', L.mul(real(SMALL), largestOf(w, t, n)));
  const hi = w.variable('hi', L.int(n - 1));
  const steps = w.variable('steps', L.int(0));
  const most = w.int(L.select(L.compare('eq', odd, real(0)), L.int((STEPS + 1) * n), L.int(0)), 'most');
  w.loop(0, most, () => {
    w.when(L.compare('lt', L.int(0), hi), () => {
      const last = w.int(hi, 'last');
      const lo = w.variable('lo', L.int(0));
      w.loop(0, last, (i) => {
        const next = w.int(plus(i, 1), 'next');
        const size = w.named('size', L.add(absolute(w.at(t, i, i)), absolute(w.at(t, next, next))));
        const bound = L.binary('max', L.mul(real(EPS), size), least);
        w.when(isSmall(w, w.at(t, next, i), bound), () => {
          w.putAt(t, next, i, real(0));
          w.set(lo, next);
        });
      });
      const first = w.int(lo, 'first');
      w.when(
        L.compare('le', minus(last, 1), first),
        () => {
          w.when(L.compare('lt', first, last), () => split(w, s, first, n));
          w.set(hi, minus(first, 1));
          w.set(steps, L.int(0));
        },
        () => {
          w.set(steps, plus(steps, 1));
          step(w, s, first, last, L.compare('eq', L.binary('rems', steps, L.int(UNUSUAL)), L.int(0)), n);
        },
      );
    });
  });
  return w.named('left', L.binary('max', hi, L.int(0)));
}

function toHessenberg(g: Writing, { t, q }: Schur): void {
  const { w, n, scratch } = g;
  const [sums, taus] = [scratch('sums', n), scratch('taus', n)];
  const single = scratch('reflection', n);
  w.fill(taus, 0, n, real(0));
  if (q !== undefined) w.loop(0, n, (i) => w.fill(w.row(q, i), 0, n, real(0)));
  w.loop(0, n - 2, (k) => {
    const from = w.int(plus(k, 1), 'from');
    const v = q === undefined ? single : w.row(q, k);
    w.loop(from, n, (i) => w.put(v, i, w.at(t, i, k)));
    const { tau, beta } = reflect(
      w,
      from,
      n,
      (i) => w.get(v, i),
      (i, x) => w.put(v, i, x),
    );
    w.put(taus, k, tau);
    w.loop(from, n, (i) => w.putAt(t, i, k, real(0)));
    w.putAt(t, from, k, beta);
    w.fill(sums, from, n, real(0));
    w.loop(from, n, (i) => w.addTo(sums, w.get(v, i), w.row(t, i), from, n));
    w.scale(sums, negated(tau), from, n);
    w.loop(from, n, (i) => w.addTo(w.row(t, i), w.get(v, i), sums, from, n));
    w.loop(0, n, (i) => {
      const row = w.row(t, i);
      w.addTo(row, negated(L.mul(tau, w.dot(row, v, from, n))), v, from, n);
    });
  });
  if (q !== undefined) new RowReflections(g, q, taus, 1, 'schur').form();
}

/** One step with both shifts on the rows lo … hi, which are three at least. */
function step(w: MatrixWriter, s: Schur, lo: Expr, hi: Expr, isUnusual: Expr, n: number): void {
  const { t } = s;
  const m = w.int(minus(hi, 1), 'm');
  const [upper, above, below, lower] = [w.at(t, m, m), w.at(t, m, hi), w.at(t, hi, m), w.at(t, hi, hi)];
  const size = w.named('size', L.add(absolute(below), absolute(w.at(t, m, minus(m, 1)))));
  const trace = w.named('trace', L.select(isUnusual, L.mul(real(1.5), size), L.add(upper, lower)));
  const own = L.sub(L.mul(upper, lower), L.mul(above, below));
  const det = w.named('det', L.select(isUnusual, L.mul(size, size), own));
  const [second, third] = [w.int(plus(lo, 1), 'second'), w.int(plus(lo, 2), 'third')];
  const [a, b, c, d] = [w.at(t, lo, lo), w.at(t, lo, second), w.at(t, second, lo), w.at(t, second, second)];
  // The first column of (T − λ₁)·(T − λ₂).
  const first = L.add(L.add(L.mul(a, L.sub(a, trace)), L.mul(b, c)), det);
  const x = w.variable('x', first);
  const y = w.variable('y', L.mul(c, L.sub(L.add(a, d), trace)));
  const z = w.variable('z', L.mul(c, w.at(t, third, second)));
  w.loop(lo, m, (k) => {
    turn(w, s, k, [x, y, z], lo, hi, n);
    const [one, two, three] = [1, 2, 3].map((i) => w.int(plus(k, i), 'row'));
    w.set(x, w.at(t, one, k));
    w.set(y, w.at(t, two, k));
    w.when(
      L.compare('le', three, hi),
      () => w.set(z, w.at(t, three, k)),
      () => w.set(z, real(0)),
    );
  });
  turn(w, s, m, [x, y], lo, hi, n);
}

/** Rows and columns from k on are reflected so that of `given`, the numbers in column k − 1, only the first one stays. */
function turn(w: MatrixWriter, { t, q }: Schur, k: Expr, given: readonly Expr[], lo: Expr, hi: Expr, n: number): void {
  const [first, ...others] = given.map((value) => w.named('given', value));
  const largest = w.named(
    'largest',
    others.reduce((most, value) => L.binary('max', most, absolute(value)), real(0)),
  );
  w.when(L.compare('ne', largest, real(0)), () => {
    const unit = w.named('unit', L.binary('max', largest, absolute(first)));
    const [start, ...rest] = [first, ...others].map((value) => w.named('scaled', quotient(value, unit)));
    const norm = w.named('norm', root(rest.reduce((sum, value) => L.fma(value, value, sum), L.mul(start, start))));
    const end = w.named('end', L.select(L.compare('lt', first, real(0)), norm, negated(norm)));
    const beta = w.named('beta', L.mul(unit, end));
    const tau = w.named('tau', quotient(L.sub(end, start), end));
    const v = rest.map((value) => w.named('v', quotient(value, L.sub(start, end))));
    const rows = given.map((_, i) => w.int(plus(k, i), 'row'));
    w.when(L.compare('lt', lo, k), () => {
      const before = w.int(minus(k, 1), 'before');
      rows.forEach((row, i) => w.putAt(t, row, before, i === 0 ? beta : real(0)));
    });
    const mirror = (lines: readonly Line[], from: Expr, to: Expr): void =>
      w.strips(from, to, (at, lanes) => {
        const values = lines.map((line) => w.get(line, at, lanes));
        const sum = v.reduce((total, x, i) => L.fma(L.splat(x, lanes), values[i + 1], total), values[0]);
        const part = w.named('part', L.mul(L.splat(negated(tau), lanes), sum));
        w.put(lines[0], at, L.add(values[0], part));
        v.forEach((x, i) => w.put(lines[i + 1], at, L.fma(L.splat(x, lanes), part, values[i + 1])));
      });
    // Without vectors only the block itself is of interest.
    const isWhole = q !== undefined;
    const stop = isWhole ? L.int(n) : w.int(plus(hi, 1), 'stop');
    mirror(
      rows.map((row) => w.row(t, row)),
      k,
      stop,
    );
    const reach = w.int(L.binary('min', plus(k, 4), plus(hi, 1)), 'reach');
    w.loop(isWhole ? 0 : lo, reach, (i) => {
      const line = w.row(t, i);
      const values = rows.map((column) => w.get(line, column));
      const sum = v.reduce((total, x, r) => L.fma(x, values[r + 1], total), values[0]);
      const part = w.named('part', L.mul(negated(tau), sum));
      w.put(line, rows[0], L.add(values[0], part));
      v.forEach((x, r) => w.put(line, rows[r + 1], L.fma(x, part, values[r + 1])));
    });
    if (q !== undefined)
      mirror(
        rows.map((row) => w.row(q, row)),
        L.int(0),
        L.int(n),
      );
  });
}

/** half² + b·c of the block [[a, b], [c, d]], half = (a − d)/2: below 0 where its eigenvalues are a pair of complex ones. */
export function discriminant(
  w: MatrixWriter,
  t: Matrix,
  i: Expr,
  j: Expr,
): { readonly half: Expr; readonly square: Expr } {
  const half = w.named('half', L.mul(real(0.5), L.sub(w.at(t, i, i), w.at(t, j, j))));
  const cross = w.named('cross', L.mul(w.at(t, i, j), w.at(t, j, i)));
  return { half, square: w.named('square', L.add(w.named('own', L.mul(half, half)), cross)) };
}

/** The block of rows i and i + 1 becomes triangular, if its eigenvalues are real. */
function split(w: MatrixWriter, { t, q }: Schur, i: Expr, n: number): void {
  const j = w.int(plus(i, 1), 'j');
  const { half, square } = discriminant(w, t, i, j);
  w.when(L.compare('le', real(0), square), () => {
    const distance = w.named('distance', root(square));
    const z = w.named('z', L.add(half, L.select(L.compare('lt', half, real(0)), negated(distance), distance)));
    const below = w.at(t, j, i);
    const length = w.named('length', root(L.fma(z, z, L.mul(below, below))));
    const [c, s] = [w.named('c', quotient(z, length)), w.named('s', quotient(below, length))];
    const rotate = (rows: Matrix, from: Expr): void => turnRows(w, w.row(rows, i), w.row(rows, j), c, s, from, n);
    rotate(t, i);
    w.loop(0, plus(j, 1), (r) => {
      const row = w.row(t, r);
      const [x, y] = [w.get(row, i), w.get(row, j)];
      w.put(row, i, L.fma(c, x, L.mul(s, y)));
      w.put(row, j, L.fma(c, y, negated(L.mul(s, x))));
    });
    w.putAt(t, j, i, real(0));
    if (q !== undefined) rotate(q, L.int(0));
  });
}
