// What routines share that make a tridiagonal or bidiagonal matrix diagonal by implicit QR steps: numbers are brought to a good size
// first, steps are taken on the last block that is still coupled, and the values get their size back.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import {
  type Int,
  type Line,
  type Matrix,
  type MatrixWriter,
  absolute,
  minus,
  plus,
  quotient,
  real,
} from '../parts/matrix-writer.js';

export const EPS = 2 ** -53;
/** Steps that one value may take; the shift makes it two or three. */
const STEPS = 60;

/** The largest of the numbers of a matrix in size, or `least` if that is larger. */
export function largestOf(w: MatrixWriter, a: Matrix, n: number, least = 0): Expr {
  const largest = w.variable('largest', real(least));
  w.loop(0, n, (i) => {
    const row = w.row(a, i);
    w.loop(0, n, (j) => w.set(largest, L.binary('max', largest, absolute(w.get(row, j)))));
  });
  return w.named('largest', largest);
}

/** Brings the numbers of a matrix near 1 where squares of them would overflow or vanish; the factor in return, 1 where nothing was done. */
export function toGoodSize(w: MatrixWriter, a: Matrix, n: number): Expr {
  const largest = largestOf(w, a, n);
  const isExtreme = L.binary('or', L.compare('lt', largest, real(1e-100)), L.compare('lt', real(1e100), largest));
  const isUseful = L.binary('and', isExtreme, L.compare('ne', largest, real(0)));
  const factor = w.named('factor', L.select(isUseful, quotient(real(1), largest), real(1)));
  w.when(L.compare('ne', factor, real(1)), () => w.loop(0, n, (i) => w.scale(w.row(a, i), factor, 0, n)));
  return factor;
}

/** The inverse of `toGoodSize` for the values; they are NaN where `odd` is. */
export function toOwnSize(w: MatrixWriter, values: Line, n: number, factor: Expr, odd: Expr): void {
  w.loop(0, n, (i) => w.put(values, i, L.add(quotient(w.get(values, i), factor), odd)));
}

export const isSmall = (w: MatrixWriter, x: Expr, beside: Expr): Expr =>
  w.named('isSmall', L.compare('le', absolute(x), beside));

export interface QrSteps {
  /** What is done to the rows begin … last each time before a block is looked for. */
  readonly prepare?: (last: Expr) => void;
  /** The largest number that counts as 0 beside two values whose sizes add up to `size`. */
  readonly negligible: (size: Expr) => Expr;
  /** One step on the rows first … last. */
  readonly step: (first: Expr, last: Expr) => void;
  /** After each step, and when there is none left to take. */
  readonly settle?: (isDone: Expr) => void;
}

/**
 * Steps on the rows begin … end − 1 until no number of `e` is left between the values `d`: 0 in return, or the row where it was given up.
 */
export function takeSteps(w: MatrixWriter, d: Line, e: Line, begin: Int, end: Int, odd: Expr, steps: QrSteps): Expr {
  const first = w.int(begin, 'first');
  const hi = w.variable('hi', L.int(0));
  w.set(hi, minus(end, 1));
  // A matrix that is not finite would never be done.
  const size = minus(end, first);
  const most = w.int(L.select(L.compare('eq', odd, real(0)), L.mul(L.int(STEPS + 1), size), L.int(0)), 'most');
  w.loop(0, most, () => {
    w.when(L.compare('lt', first, hi), () => {
      const last = w.int(hi, 'last');
      const lo = w.variable('lo', first);
      steps.prepare?.(last);
      w.loop(first, last, (i) => {
        const beside = L.add(absolute(w.get(d, i)), absolute(w.get(d, plus(i, 1))));
        w.when(isSmall(w, w.get(e, i), steps.negligible(beside)), () => {
          w.put(e, i, real(0));
          w.set(lo, plus(i, 1));
        });
      });
      w.when(
        L.compare('eq', lo, last),
        () => w.set(hi, minus(last, 1)),
        () => steps.step(w.int(lo, 'lo'), last),
      );
    });
    steps.settle?.(L.compare('le', hi, first));
  });
  return w.named('left', L.select(L.compare('le', hi, first), L.int(0), hi));
}
