// Eigenvalues of diag(d) + rho·z·zᵀ, which lie between those of diag(d): the roots of 1/rho + Σ z_j² / (d_j − λ) (Golub and Van Loan, 8.4).
// Each is looked for as its distance from the nearer pole, by a hyperbola with both poles beside it that has the value and the slopes of the
// function (Li's middle way, LAPACK working note 89), inside of an interval that shrinks with each step.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { EPS } from './diagonalise.js';
import {
  type Line,
  type MatrixWriter,
  absolute,
  minus,
  negated,
  plus,
  quotient,
  real,
  root,
} from '../parts/matrix-writer.js';

export interface Secular {
  /** Ascending and apart from each other. */
  readonly d: Line;
  /** None of them 0. */
  readonly z: Line;
  readonly count: Expr;
  readonly rhoInverse: Expr;
  /** rho·Σz²: how far the last root can lie beyond the last pole. */
  readonly reach: Expr;
}

/** Three to five are usual. */
const STEPS = 60;

/** Root i, of at least two. `row` gets d_j − λ for all j, each to almost all its digits. */
export function findRoot(w: MatrixWriter, s: Secular, i: Expr, row: Line): Expr {
  const { d, count } = s;
  const isLast = w.named('isLast', L.compare('eq', i, minus(count, 1)));
  // The poles of the hyperbola: on both sides of the root, but for the last one, which lies beyond both.
  const left = w.int(L.select(isLast, minus(i, 1), i), 'left');
  const right = w.int(plus(left, 1), 'right');
  const gap = w.named('gap', L.sub(w.get(d, right), w.get(d, left)));
  const half = w.named('half', L.mul(real(0.5), L.select(isLast, s.reach, gap)));
  const measure = (origin: Expr): void => {
    const from = w.get(d, origin);
    w.strips(0, count, (at, lanes) => w.put(row, at, L.sub(w.get(d, at, lanes), L.splat(from, lanes))));
  };
  measure(i);
  const middle = evaluate(w, s, row, right, half);
  const isBeyond = w.named('isBeyond', L.compare('le', middle.value, real(0)));
  const isRight = w.named('isRight', L.binary('and', isBeyond, L.unary('not', isLast)));
  const origin = w.int(L.select(isRight, right, i), 'origin');
  w.when(isRight, () => measure(right));
  const low = w.variable('low', L.select(isRight, negated(half), L.select(isBeyond, half, real(0))));
  const high = w.variable('high', L.select(isRight, real(0), L.select(isBeyond, s.reach, half)));
  const inside = (x: Expr): Expr => {
    const isIn = L.binary('and', L.compare('lt', low, x), L.compare('lt', x, high));
    return w.named('inside', L.select(isIn, x, L.mul(real(0.5), L.add(low, high))));
  };
  const start = w.named('start', firstGuess(w, s, middle.value, left, right, gap, isRight));
  const tau = w.variable('tau', inside(L.select(isLast, half, start)));
  const isDone = w.variable('isDone', L.int(0));
  w.loop(0, STEPS, () => {
    w.when(L.compare('eq', isDone, L.int(0)), () => {
      const { value, slopeLeft, slopeRight, error } = evaluate(w, s, row, right, tau);
      w.when(
        L.compare('le', absolute(value), L.mul(real(EPS), error)),
        () => w.set(isDone, L.int(1)),
        () => {
          const isNegative = w.named('isNegative', L.compare('lt', value, real(0)));
          w.set(low, L.select(isNegative, tau, low));
          w.set(high, L.select(isNegative, high, tau));
          const [l, r] = [w.get(row, left), w.get(row, right)];
          const poles = [w.named('l', L.sub(l, tau)), w.named('r', L.sub(r, tau))] as const;
          const way = middleWay(w, value, slopeLeft, slopeRight, poles, isLast);
          const slope = L.add(slopeLeft, slopeRight);
          const isUphill = L.compare('lt', L.mul(value, way), real(0));
          const next = inside(L.add(tau, L.select(isUphill, way, negated(quotient(value, slope)))));
          w.set(isDone, L.select(L.compare('eq', next, tau), L.int(1), isDone));
          w.set(tau, next);
        },
      );
    });
  });
  const found = w.named('found', tau);
  w.strips(0, count, (at, lanes) => w.put(row, at, L.sub(w.get(row, at, lanes), L.splat(found, lanes))));
  return w.named('value', L.add(w.get(d, origin), found));
}

interface Evaluated {
  readonly value: Expr;
  /** Of the part that belongs to poles up to the left one, and of the others. */
  readonly slopeLeft: Expr;
  readonly slopeRight: Expr;
  /** What rounding may make of the value, in units of the last place of 1. */
  readonly error: Expr;
}

/** The function at `tau` from the pole that the distances in `row` are from. */
function evaluate(w: MatrixWriter, s: Secular, row: Line, right: Expr, tau: Expr): Evaluated {
  const at = w.named('at', tau);
  const part = (from: Expr, to: Expr): readonly Expr[] =>
    w.sums(2, from, to, (j, lanes, [value, slope]) => {
      const z = w.get(s.z, j, lanes);
      const term = w.named('term', quotient(z, L.sub(w.get(row, j, lanes), L.splat(at, lanes))));
      w.set(value, L.fma(z, term, value));
      w.set(slope, L.fma(term, term, slope));
    });
  const [below, slopeLeft] = part(L.int(0), right);
  const [above, slopeRight] = part(right, s.count);
  const value = w.named('value', L.add(s.rhoInverse, L.add(below, above)));
  const sizes = L.mul(real(8), L.add(absolute(below), absolute(above)));
  const spread = L.mul(absolute(at), L.add(slopeLeft, slopeRight));
  return { value, slopeLeft, slopeRight, error: w.named('error', L.add(s.rhoInverse, L.add(sizes, spread))) };
}

/** Where the function would be 0 if all but its two nearest terms stayed as they are in the middle; between two poles only. */
function firstGuess(
  w: MatrixWriter,
  { z }: Secular,
  middle: Expr,
  left: Expr,
  right: Expr,
  gap: Expr,
  isRight: Expr,
): Expr {
  const square = (j: Expr): Expr => {
    const x = w.get(z, j);
    return w.named('square', L.mul(x, x));
  };
  const [l, r] = [square(left), square(right)];
  const rest = w.named('rest', L.fma(quotient(real(2), gap), L.sub(l, r), middle));
  // Seen from the right pole, everything is mirrored.
  const c = w.named('c', L.select(isRight, negated(rest), rest));
  const a = w.named('a', L.fma(c, gap, L.add(l, r)));
  const b = w.named('b', L.mul(L.select(isRight, r, l), gap));
  const from = w.named('from', smallerRoot(w, a, b, c));
  return L.select(isRight, negated(from), from);
}

/** The step to where the hyperbola c + s/(l − x) + S/(r − x) with the function's value and slopes is 0. */
function middleWay(
  w: MatrixWriter,
  value: Expr,
  slopeLeft: Expr,
  slopeRight: Expr,
  [l, r]: readonly [Expr, Expr],
  isLast: Expr,
): Expr {
  const slope = L.add(slopeLeft, slopeRight);
  const both = w.named('both', L.mul(l, r));
  const constant = L.sub(L.sub(value, L.mul(l, slopeLeft)), L.mul(r, slopeRight));
  const a = w.named('a', L.sub(L.mul(L.add(l, r), value), L.mul(both, slope)));
  const b = w.named('b', L.mul(both, value));
  const named = w.named('constant', constant);
  // Beyond both poles it is the other root: minus that of the equation with the sign of a turned.
  const c = w.named('c', L.select(isLast, absolute(named), named));
  const turned = w.named('a', L.select(isLast, negated(a), a));
  const way = w.named('way', smallerRoot(w, turned, b, c));
  return L.select(isLast, negated(way), way);
}

/** Of c·x² − a·x + b = 0, the root (a − √(a² − 4·b·c)) / (2·c), without a difference of like numbers. */
function smallerRoot(w: MatrixWriter, a: Expr, b: Expr, c: Expr): Expr {
  const distance = w.named('distance', root(absolute(L.sub(L.mul(a, a), L.mul(L.mul(real(4), b), c)))));
  const near = quotient(L.mul(real(2), b), L.add(a, distance));
  const far = quotient(L.sub(a, distance), L.mul(real(2), c));
  return L.select(L.compare('lt', real(0), a), near, far);
}
