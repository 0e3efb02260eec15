// Plane rotations: of two numbers into one, and sequences of them on the rows of a matrix.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Line,
  type Matrix,
  type MatrixWriter,
  absolute,
  negated,
  plus,
  quotient,
  real,
  root,
} from './matrix-writer.js';

export interface Rotation {
  readonly c: Expr;
  readonly s: Expr;
  readonly r: Expr;
}

/** [c s; −s c]·[f; g] = [r; 0] */
export function rotation(w: MatrixWriter, f: Expr, g: Expr): Rotation {
  const [x, y] = [w.named('f', f), w.named('g', g)];
  const r = w.named('r', root(L.fma(x, x, L.mul(y, y))));
  const isNothing = w.named('isNothing', L.compare('eq', r, real(0)));
  const c = w.named('c', L.select(isNothing, real(1), quotient(x, r)));
  const s = w.named('s', L.select(isNothing, real(0), quotient(y, r)));
  return { c, s, r };
}

/** Vectors of a row that are turned together: each is loaded and stored once a rotation, and its neighbour stays in a register. */
const BESIDE = 4;

/** For k from … to − 1 in order: rows k and k + 1 become c·k + s·(k + 1) and c·(k + 1) − s·k. */
export function rotateRows(
  w: MatrixWriter,
  rows: Matrix,
  cosines: Line,
  sines: Line,
  from: Expr,
  to: Expr,
  n: number,
): void {
  const turn = (at: Expr, vectors: number, lanes: number): void => {
    const first = w.row(rows, from);
    const carried = Array.from({ length: vectors }, (_, v) =>
      w.variable('row', w.get(first, plus(at, v * lanes), lanes)),
    );
    w.loop(from, to, (k) => {
      const [c, s] = [w.get(cosines, k), w.get(sines, k)];
      const wideC = w.named('c', L.splat(c, lanes));
      const wideS = w.named('s', L.splat(s, lanes));
      const [upper, lower] = [w.row(rows, k), w.row(rows, plus(k, 1))];
      carried.forEach((x, v) => {
        const here = w.int(plus(at, v * lanes), 'at');
        const y = w.get(lower, here, lanes);
        w.put(upper, here, L.fma(wideC, x, L.mul(wideS, y)));
        w.set(x, L.fma(wideC, y, negated(L.mul(wideS, x))));
      });
    });
    const last = w.row(rows, to);
    carried.forEach((x, v) => w.put(last, plus(at, v * lanes), x));
  };
  const { lanes } = w;
  const wide = lanes * BESIDE;
  const whole = n - (n % wide);
  if (whole > 0) w.loop(0, whole, (at) => turn(at, BESIDE, lanes), wide, 'v');
  const vectors = n - (n % lanes);
  if (lanes > 1 && vectors > whole) w.loop(whole, vectors, (at) => turn(at, 1, lanes), lanes, 'v');
  if (vectors < n || lanes === 1) w.loop(lanes === 1 ? whole : vectors, n, (at) => turn(at, 1, 1), 1, 'v');
}

/** Puts the largest (or smallest) value first, and so on; `swap` exchanges what belongs to the values. */
export function sortValues(
  w: MatrixWriter,
  values: Line,
  n: number,
  isDescending: boolean,
  swap: (i: Expr, j: Expr) => void,
): void {
  w.loop(0, n - 1, (i) => {
    const best = w.variable('best', i);
    const value = w.variable('value', w.get(values, i));
    w.loop(plus(i, 1), n, (j) => {
      const other = w.get(values, j);
      const isBefore = w.named(
        'isBefore',
        isDescending ? L.compare('lt', value, other) : L.compare('lt', other, value),
      );
      w.set(best, L.select(isBefore, j, best));
      w.set(value, L.select(isBefore, other, value));
    });
    w.when(L.compare('ne', best, i), () => {
      w.put(values, best, w.get(values, i));
      w.put(values, i, value);
      swap(i, best);
    });
  });
}

/** Turns a row around if its largest element is negative, and the others of `along` with it: signs are then the same on every machine. */
export function fixSign(w: MatrixWriter, row: Line, along: readonly Line[], n: number): void {
  const largest = w.variable('largest', real(0));
  const sign = w.variable('sign', real(1));
  w.loop(0, n, (j) => {
    const x = w.get(row, j);
    const size = w.named('size', absolute(x));
    const isLarger = w.named('isLarger', L.compare('lt', largest, size));
    w.set(largest, L.select(isLarger, size, largest));
    w.set(sign, L.select(isLarger, L.select(L.compare('lt', x, real(0)), real(-1), real(1)), sign));
  });
  w.when(L.compare('lt', sign, real(0)), () => {
    for (const line of [row, ...along]) w.scale(line, real(-1), 0, n);
  });
}
