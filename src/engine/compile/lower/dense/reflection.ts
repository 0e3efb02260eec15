// Householder reflections I − tau·v·vᵀ with v₀ = 1, as LAPACK has them: one that turns a line of numbers into its first one, and the product
// of many, row by row.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Int,
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
} from './matrix-writer.js';

export interface Reflection {
  readonly tau: Expr;
  /** What the first number becomes; the others become 0. */
  readonly beta: Expr;
}

/** Of the numbers from … to − 1, which become v, the first one 1. Where the others are 0 already, tau is 0. */
export function reflect(
  w: MatrixWriter,
  from: Int,
  to: Int,
  get: (i: Expr) => Expr,
  put: (i: Expr, x: Expr) => void,
): Reflection {
  const [first, second] = [w.int(from, 'first'), w.int(plus(from, 1), 'second')];
  const alpha = get(first);
  const largest = w.variable('largest', real(0));
  w.loop(second, to, (i) => w.set(largest, L.binary('max', largest, absolute(get(i)))));
  const tau = w.variable('tau', real(0));
  const beta = w.variable('beta', alpha);
  put(first, real(1));
  w.when(L.compare('ne', largest, real(0)), () => {
    // Squares of numbers beyond 10¹⁵⁰ would overflow: all are divided by the largest first.
    const unit = w.named('unit', L.binary('max', largest, absolute(alpha)));
    const scaled = w.named('scaled', quotient(alpha, unit));
    const sum = w.variable('sum', L.mul(scaled, scaled));
    w.loop(second, to, (i) => {
      const x = w.named('x', quotient(get(i), unit));
      w.set(sum, L.fma(x, x, sum));
    });
    const norm = w.named('norm', L.mul(unit, root(sum)));
    w.set(beta, L.select(L.compare('lt', alpha, real(0)), norm, negated(norm)));
    w.set(tau, quotient(L.sub(beta, alpha), beta));
    const factor = w.named('factor', L.sub(alpha, beta));
    w.loop(second, to, (i) => put(i, quotient(get(i), factor)));
  });
  return { tau, beta };
}

/** Rows that are made together, and share what they read of the reflections. */
export const TOGETHER = 4;

/**
 * Row k of `rows` holds v of reflection k from k + lead on. In their place comes the transpose of the product of all reflections, in order:
 * row i is that of the unit matrix, reflected by the last of them first. Those of later rows than i leave it as it is, so rows are made from
 * the last one on, and overwrite only what is no longer needed. `work` has room for TOGETHER rows.
 */
export function formRows(w: MatrixWriter, rows: Matrix, taus: Line, n: number, lead: number, work: Matrix): void {
  const form = (begin: Expr, count: number): void => {
    const lines = Array.from({ length: count }, (_, r) => w.row(work, r));
    lines.forEach((line, r) => {
      w.fill(line, 0, n, real(0));
      w.put(line, plus(begin, r), real(1));
    });
    w.down(0, w.int(minus(plus(begin, count), lead), 'count'), (k) => {
      const tau = w.get(taus, k);
      w.when(L.compare('ne', tau, real(0)), () => {
        const v = w.row(rows, k);
        const from = w.int(plus(k, lead), 'from');
        const factors = w.dots(lines, v, from, n).map((sum) => w.named('factor', negated(L.mul(tau, sum))));
        w.strips(from, n, (at, lanes) => {
          const x = w.get(v, at, lanes);
          lines.forEach((line, r) => w.put(line, at, L.fma(L.splat(factors[r], lanes), x, w.get(line, at, lanes))));
        });
      });
    });
    lines.forEach((line, r) => w.copy(line, w.row(rows, plus(begin, r)), 0, n));
  };
  const single = n % TOGETHER;
  w.loop(0, (n - single) / TOGETHER, (i) =>
    form(w.int(minus(n - TOGETHER, L.mul(i, L.int(TOGETHER))), 'begin'), TOGETHER),
  );
  if (single > 0) w.down(0, single, (i) => form(i, 1));
}
