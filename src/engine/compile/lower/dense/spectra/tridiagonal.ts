// A symmetric matrix made tridiagonal by reflections from both sides (Golub and Van Loan, 8.3.1), of its lower triangle alone. What a reflection
// changes is not written at once: the next one reads each row anyway, changes it then, and multiplies it in the same walk through memory.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { type Line, type Matrix, type MatrixWriter, minus, negated, plus, real } from '../parts/matrix-writer.js';
import { reflect } from '../parts/reflection.js';

export interface Tridiagonal {
  readonly d: Line;
  /** Beside the diagonal: e_k couples rows k and k + 1. */
  readonly e: Line;
}

/** Rows of a walk: they share what they read of the reflection. */
const PAIR = 2;

/**
 * A = Q·T·Qᵀ with Q = H₀·H₁·…; row k of `a`, whose numbers above the diagonal are any finite ones, becomes v of H_k, from k + 1 on. `p` and
 * `sums` have room for n numbers each.
 */
export function tridiagonalise(
  w: MatrixWriter,
  a: Matrix,
  { d, e }: Tridiagonal,
  taus: Line,
  n: number,
  p: Line,
  sums: Line,
): void {
  // A loses v·pᵀ + p·vᵀ of the reflection before; there is none before the first.
  w.fill(p, 0, n, real(0));
  w.loop(0, n, (k) => {
    const from = w.int(plus(k, 1), 'from');
    const [v, before] = [w.row(a, k), w.row(a, L.binary('max', minus(k, 1), L.int(0)))];
    const change = { v: before, p };
    w.put(d, k, changed(w, w.get(v, k), change, k, k));
    w.loop(from, n, (i) => w.put(v, i, changed(w, w.at(a, i, k), change, i, k)));
    w.put(taus, k, real(0));
    w.put(e, k, real(0));
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
      w.fill(sums, from, n, real(0));
      const whole = w.int(minus(n, L.binary('rems', minus(n, from), L.int(PAIR))), 'whole');
      w.loop(from, whole, (i) => changeAndMultiply(w, a, change, v, sums, i, from, PAIR), PAIR);
      w.loop(whole, n, (i) => changeAndMultiply(w, a, change, v, sums, i, from, 1));
      // p = tau·A·v, then p − (tau/2)·(pᵀv)·v
      w.strips(from, n, (at, lanes) => w.put(p, at, L.mul(L.splat(tau, lanes), w.get(sums, at, lanes))));
      const half = w.named('half', L.mul(L.mul(real(-0.5), tau), w.dot(p, v, from, n)));
      w.addTo(p, half, v, from, n);
    });
  });
}

interface Change {
  readonly v: Line;
  readonly p: Line;
}

/** Element (i, j) less v_i·p_j + p_i·v_j. */
function changed(w: MatrixWriter, x: Expr, { v, p }: Change, i: Expr, j: Expr): Expr {
  const less = w.named('less', L.fma(negated(w.get(v, i)), w.get(p, j), x));
  return w.named('changed', L.fma(negated(w.get(p, i)), w.get(v, j), less));
}

/** Rows i, i + 1, … of the lower triangle, from column `from` on: they are changed, and `sums` gets their part of A·v. */
function changeAndMultiply(
  w: MatrixWriter,
  a: Matrix,
  change: Change,
  v: Line,
  sums: Line,
  i: Expr,
  from: Expr,
  count: number,
): void {
  const rows = Array.from({ length: count }, (_, r) => {
    const at = w.int(plus(i, r), 'i');
    const [x, y] = [w.named('x', negated(w.get(change.v, at))), w.named('y', negated(w.get(change.p, at)))];
    return { at, line: w.row(a, at), x, y, v: w.get(v, at) };
  });
  const totals = w.sums(count, from, i, (at, lanes, own) => {
    const [beforeV, beforeP] = [w.get(change.v, at, lanes), w.get(change.p, at, lanes)];
    const here = w.get(v, at, lanes);
    let below = w.get(sums, at, lanes);
    rows.forEach((row, r) => {
      const less = L.fma(L.splat(row.x, lanes), beforeP, w.get(row.line, at, lanes));
      const element = w.named('element', L.fma(L.splat(row.y, lanes), beforeV, less));
      w.put(row.line, at, element);
      w.set(own[r], L.fma(element, here, own[r]));
      below = w.named('below', L.fma(element, L.splat(row.v, lanes), below));
    });
    w.put(sums, at, below);
  });
  // The corner on the diagonal.
  rows.forEach(({ at, line, v: own }, r) => {
    const total = w.variable('total', totals[r]);
    for (let c = 0; c <= r; c++) {
      const column = rows[c].at;
      const element = changed(w, w.get(line, column), change, at, column);
      w.put(line, column, element);
      w.set(total, L.fma(element, rows[c].v, total));
      if (c < r) w.put(sums, column, L.fma(element, own, w.get(sums, column)));
    }
    w.put(sums, at, L.add(w.get(sums, at), total));
  });
}
