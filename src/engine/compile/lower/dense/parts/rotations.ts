// Plane rotations: of two numbers into one, and sequences of them on the rows of a matrix.

import * as L from '../../../../loop/loop.js';
import type { Expr, Var } from '../../../../loop/loop.js';
import {
  type Int,
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
import type { Writing } from './writing.js';

export interface Rotation {
  readonly c: Expr;
  readonly s: Expr;
  readonly r: Expr;
}

/** Rotations of a step, by their first row. */
export interface Turns {
  readonly cosines: Line;
  readonly sines: Line;
}

/** [c s; −s c]·[f; g] = [r; 0] */
export function rotation(w: MatrixWriter, f: Expr, g: Expr): Rotation {
  const [x, y] = [w.named('f', f), w.named('g', g)];
  // Squares of very small or large numbers would lose their digits: both are divided by the larger one first.
  const size = w.named('size', L.binary('max', absolute(x), absolute(y)));
  const isNothing = w.named('isNothing', L.compare('eq', size, real(0)));
  const by = w.named('by', L.select(isNothing, real(1), size));
  const [a, b] = [w.named('a', quotient(x, by)), w.named('b', quotient(y, by))];
  const length = w.named('length', root(L.fma(a, a, L.mul(b, b))));
  const c = w.named('c', L.select(isNothing, real(1), quotient(a, length)));
  const s = w.named('s', L.select(isNothing, real(0), quotient(b, length)));
  return { c, s, r: w.named('r', L.mul(by, length)) };
}

/** Lines x and y become c·x + s·y and c·y − s·x, from … to − 1. */
export function turnRows(w: MatrixWriter, x: Line, y: Line, c: Expr, s: Expr, from: Int, to: Int): void {
  w.strips(from, to, (at, lanes) => {
    const [a, b] = [w.get(x, at, lanes), w.get(y, at, lanes)];
    const [wideC, wideS] = [L.splat(c, lanes), L.splat(s, lanes)];
    w.put(x, at, L.fma(wideC, a, L.mul(wideS, b)));
    w.put(y, at, L.fma(wideC, b, negated(L.mul(wideS, a))));
  });
}

/** Vectors of a row that are turned together: each is loaded and stored once a rotation, and its neighbour stays in a register. */
const BESIDE = 4;

/** For k from … to − 1 in order: rows k and k + 1 become c·k + s·(k + 1) and c·(k + 1) − s·k. */
export function rotateRows(w: MatrixWriter, rows: Matrix, turns: Turns, from: Expr, to: Expr, n: number): void {
  inStrips(w, n, (at, vectors, lanes) => turnStrip(w, rows, turns, from, to, { at, vectors, lanes }));
}

/** Columns that are turned together. */
interface Strip {
  readonly at: Expr;
  readonly vectors: number;
  readonly lanes: number;
}

function turnStrip(
  w: MatrixWriter,
  rows: Matrix,
  { cosines, sines }: Turns,
  from: Expr,
  to: Expr,
  { at, vectors, lanes }: Strip,
): void {
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
}

/** All of n columns: in strips of several vectors, in single ones, one by one. */
function inStrips(w: MatrixWriter, n: number, inside: (at: Expr, vectors: number, lanes: number) => void): void {
  const { lanes } = w;
  const wide = lanes * BESIDE;
  const whole = n - (n % wide);
  if (whole > 0) w.loop(0, whole, (at) => inside(at, BESIDE, lanes), wide, 'v');
  const vectors = n - (n % lanes);
  if (lanes > 1 && vectors > whole) w.loop(whole, vectors, (at) => inside(at, 1, lanes), lanes, 'v');
  if (vectors < n || lanes === 1) w.loop(lanes === 1 ? whole : vectors, n, (at) => inside(at, 1, 1), 1, 'v');
}

/** Sequences of rotations that wait until there are enough of them, so that a strip of the rows is in the cache for all. */
export class Sweeps {
  private readonly w: MatrixWriter;
  private readonly n: number;
  private readonly most: number;
  private readonly count: Var;
  private readonly firsts: Line;
  private readonly lasts: Line;
  private readonly turned: { readonly rows: Matrix; readonly cosines: Matrix; readonly sines: Matrix }[] = [];

  constructor({ w, n, scratch, integers }: Writing, rows: readonly Matrix[], most: number) {
    [this.w, this.n, this.most] = [w, n, most];
    this.count = w.variable('sweeps', L.int(0));
    [this.firsts, this.lasts] = [integers('firsts', most), integers('lasts', most)];
    rows.forEach((own, i) => {
      const lines = (name: string): Matrix => ({ ...scratch(`${name}${i}`, most * n), ld: n });
      this.turned.push({ rows: own, cosines: lines('cosines'), sines: lines('sines') });
    });
  }

  /** Where the next sequence of the rows first … last − 1 is to be written, by row: cosines and sines for each of the matrices. */
  add(first: Expr, last: Expr): readonly Turns[] {
    const { w } = this;
    const here = w.int(this.count, 'here');
    w.put(this.firsts, here, first);
    w.put(this.lasts, here, last);
    w.set(this.count, plus(here, 1));
    return this.turned.map(({ cosines, sines }) => ({ cosines: w.row(cosines, here), sines: w.row(sines, here) }));
  }

  /** Turns the rows if there are enough sequences, or at the end. */
  settle(isEnd: Expr): void {
    const { w } = this;
    const count = w.int(this.count, 'count');
    const isDue = L.binary('or', L.compare('eq', count, L.int(this.most)), isEnd);
    w.when(L.binary('and', isDue, L.compare('lt', L.int(0), count)), () => {
      for (const { rows, cosines, sines } of this.turned)
        inStrips(w, this.n, (at, vectors, lanes) =>
          w.loop(0, count, (s) =>
            turnStrip(
              w,
              rows,
              { cosines: w.row(cosines, s), sines: w.row(sines, s) },
              w.get(this.firsts, s),
              w.get(this.lasts, s),
              { at, vectors, lanes },
            ),
          ),
        );
      w.set(this.count, L.int(0));
    });
  }
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
