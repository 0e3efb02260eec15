// Eigenvalues and eigenvectors of a symmetric matrix: reflections make it tridiagonal (Householder), implicit QR steps with Wilkinson's shift
// make that diagonal (Golub and Van Loan, 8.3). Vectors are rows, so that a rotation walks through memory in order.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import { EPS, takeSteps, toGoodSize, toOwnSize } from './diagonalise.js';
import {
  type Line,
  type Matrix,
  type MatrixWriter,
  minus,
  negated,
  plus,
  quotient,
  real,
  root,
} from './matrix-writer.js';
import { TOGETHER, formRows, reflect } from './reflection.js';
import { fixSign, rotateRows, rotation, sortValues } from './rotations.js';
import { type Writing, infoOf } from './writing.js';

const TINY = 2 ** -1000;

export function writeEigh({ w, n, node, operand, matrix, line, scratch, fail }: Writing): void {
  const { hasVectors } = node.arg;
  const [a, d] = [matrix('vectors'), line('values')];
  const [e, taus] = [scratch('beside', n), scratch('taus', n)];
  const odd = mirror(w, operand(0), a, n);
  const factor = toGoodSize(w, a, n);
  tridiagonalise(w, a, d, e, taus, n, scratch('p', n));
  if (hasVectors) formRows(w, a, taus, n, 1, { ...scratch('work', TOGETHER * n), ld: n });
  const [cosines, sines] = [scratch('cosines', n), scratch('sines', n)];
  const info = takeSteps(w, d, e, n, odd, {
    negligible: (size) => L.add(L.mul(real(EPS), size), real(TINY)),
    step: (first, last) => {
      step(w, d, e, cosines, sines, first, last);
      if (hasVectors) rotateRows(w, a, cosines, sines, first, last, n);
    },
  });
  sortValues(w, d, n, false, (i, j) => {
    if (hasVectors) w.swap(w.row(a, i), w.row(a, j), 0, n);
  });
  toOwnSize(w, d, n, factor, odd);
  if (hasVectors) w.loop(0, n, (i) => fixSign(w, w.row(a, i), [], n));
  fail(infoOf(w, odd, info));
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

/** Row k of `a` becomes v of reflection k, from k + 1 on; d and e are the diagonal and what is beside it. */
function tridiagonalise(w: MatrixWriter, a: Matrix, d: Line, e: Line, taus: Line, n: number, p: Line): void {
  w.loop(0, n, (k) => {
    const v = w.row(a, k);
    w.put(d, k, w.get(v, k));
    w.put(taus, k, real(0));
    w.put(e, k, real(0));
    const from = w.int(plus(k, 1), 'from');
    w.when(L.compare('lt', from, L.int(n)), () => {
      const { tau, beta } = reflect(
        w,
        from,
        n,
        (i) => w.get(v, i),
        (i, x) => w.put(v, i, x),
      );
      w.put(taus, k, tau);
      w.put(e, k, beta);
      w.when(L.compare('ne', tau, real(0)), () => {
        // p = tau·A·v, then p − (tau/2)·(pᵀv)·v, with which A loses v·pᵀ + p·vᵀ.
        const whole = w.int(minus(n, L.binary('rems', minus(n, from), L.int(TOGETHER))), 'whole');
        const multiply = (i: Expr, count: number): void => {
          const lines = Array.from({ length: count }, (_, r) => w.row(a, plus(i, r)));
          w.dots(lines, v, from, n).forEach((sum, r) => w.put(p, plus(i, r), L.mul(tau, sum)));
        };
        w.loop(from, whole, (i) => multiply(i, TOGETHER), TOGETHER);
        w.loop(whole, n, (i) => multiply(i, 1));
        const half = w.named('half', L.mul(L.mul(real(-0.5), tau), w.dot(p, v, from, n)));
        w.addTo(p, half, v, from, n);
        w.loop(from, n, (i) => {
          const row = w.row(a, i);
          const [x, y] = [w.named('x', negated(w.get(v, i))), w.named('y', negated(w.get(p, i)))];
          w.strips(from, n, (at, lanes) => {
            const less = L.fma(L.splat(x, lanes), w.get(p, at, lanes), w.get(row, at, lanes));
            w.put(row, at, L.fma(L.splat(y, lanes), w.get(v, at, lanes), less));
          });
        });
      });
    });
  });
}

/** One implicit QR step on the rows from … to, and its rotations. */
function step(w: MatrixWriter, d: Line, e: Line, cosines: Line, sines: Line, from: Expr, to: Expr): void {
  const before = w.int(minus(to, 1), 'before');
  const [end, beside] = [w.get(d, to), w.get(e, before)];
  const half = w.named('half', L.mul(real(0.5), L.sub(w.get(d, before), end)));
  const distance = w.named('distance', root(L.fma(half, half, L.mul(beside, beside))));
  const signed = L.select(L.compare('lt', half, real(0)), negated(distance), distance);
  const shift = w.named('shift', L.sub(end, quotient(L.mul(beside, beside), L.add(half, signed))));
  const x = w.variable('x', L.sub(w.get(d, from), shift));
  const z = w.variable('z', w.get(e, from));
  w.loop(from, to, (k) => {
    const { c, s, r } = rotation(w, x, z);
    w.put(cosines, k, c);
    w.put(sines, k, s);
    w.when(L.compare('lt', from, k), () => w.put(e, minus(k, 1), r));
    const [upper, lower, side] = [w.get(d, k), w.get(d, plus(k, 1)), w.get(e, k)];
    const q = w.named('q', L.fma(L.sub(lower, upper), s, L.mul(L.mul(real(2), c), side)));
    w.put(d, k, L.fma(s, q, upper));
    w.put(d, plus(k, 1), L.fma(negated(s), q, lower));
    const next = w.named('next', L.sub(L.mul(c, q), side));
    w.put(e, k, next);
    w.set(x, next);
    w.when(L.compare('lt', plus(k, 1), to), () => {
      const following = w.get(e, plus(k, 1));
      w.set(z, L.mul(s, following));
      w.put(e, plus(k, 1), L.mul(c, following));
    });
  });
}
