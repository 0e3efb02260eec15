// Householder reflections I − tau·v·vᵀ with v₀ = 1, as LAPACK has them: one that turns a line of numbers into its first one.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { type Int, type MatrixWriter, absolute, negated, plus, quotient, real, root } from './matrix-writer.js';

/** The inverse of a smaller number may be infinite. */
const SMALL = 2 ** -500;

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
    // Squares of numbers beyond 10¹⁵⁰ would overflow, and very small numbers have few digits: with all of them divided by the largest first, v and
    // tau belong to each other whatever the numbers are.
    const unit = w.named('unit', L.binary('max', largest, absolute(alpha)));
    const up = w.named('up', L.select(L.compare('lt', unit, real(SMALL)), real(1 / SMALL), real(1)));
    const by = w.named('by', quotient(real(1), L.mul(unit, up)));
    const scaled = (x: Expr): Expr => w.named('scaled', L.mul(L.mul(x, up), by));
    const start = scaled(alpha);
    const sum = w.variable('sum', L.mul(start, start));
    w.loop(second, to, (i) => {
      const x = scaled(get(i));
      w.set(sum, L.fma(x, x, sum));
      put(i, x);
    });
    const norm = w.named('norm', root(sum));
    const end = w.named('end', L.select(L.compare('lt', alpha, real(0)), norm, negated(norm)));
    w.set(beta, L.mul(unit, end));
    w.set(tau, quotient(L.sub(end, start), end));
    const factor = w.named('factor', quotient(real(1), L.sub(start, end)));
    w.loop(second, to, (i) => put(i, L.mul(get(i), factor)));
  });
  return { tau, beta };
}
