// Eigenvalues and eigenvectors of a symmetric matrix: reflections make it tridiagonal (Householder). Values alone come from implicit QR steps with
// Wilkinson's shift (Golub and Van Loan, 8.3); with vectors, such steps make small blocks diagonal, and divide and conquer joins them. Vectors
// are rows, so that rotations and products walk through memory in order.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { RowReflections } from '../parts/block-reflections.js';
import { EPS, takeSteps, toGoodSize, toOwnSize } from './diagonalise.js';
import { LEAF, divideAndConquer, paddedTo, putInOrder } from './divide-and-conquer.js';
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
} from '../parts/matrix-writer.js';
import { type Turns, fixSign, rotateRows, rotation, sortValues } from '../parts/rotations.js';
import { type Tridiagonal, tridiagonalise } from './tridiagonal.js';
import { type Writing, infoOf } from '../parts/writing.js';

const TINY = 2 ** -1000;
/** Beside values whose sizes add up to `size`. */
const negligible = (size: Expr): Expr => L.add(L.mul(real(EPS), size), real(TINY));

export function writeEigh(g: Writing): void {
  const { w, n, node, operand, matrix, line, scratch, fail } = g;
  const [a, values] = [matrix('vectors'), line('values')];
  const odd = copyTriangle(w, operand(0), a, n);
  const factor = toGoodSize(w, a, n);
  const [d, e, taus] = [
    node.arg.hasVectors ? scratch('diagonal', n) : values,
    scratch('beside', n),
    scratch('taus', n),
  ];
  tridiagonalise(w, a, { d, e }, taus, n, scratch('p', n), scratch('sums', n));
  const turns: Turns = { cosines: scratch('cosines', n), sines: scratch('sines', n) };
  const info = node.arg.hasVectors
    ? writeVectors(g, { d, e }, taus, turns, odd)
    : takeSteps(w, d, e, 0, n, odd, { negligible, step: (first, last) => step(w, { d, e }, turns, first, last) });
  if (!node.arg.hasVectors) sortValues(w, d, n, false, () => {});
  toOwnSize(w, values, n, factor, odd);
  fail(infoOf(w, odd, info));
}

/** Vectors of T, reflected and in order, and their values. */
function writeVectors(g: Writing, t: Tridiagonal, taus: Line, turns: Turns, odd: Expr): Expr {
  const { w, n, matrix, line, scratch, integers } = g;
  const [a, values] = [matrix('vectors'), line('values')];
  const ld = paddedTo(n);
  const z = { ...scratch('z', n * ld), ld };
  const info = divideAndConquer(g, t, z, {
    odd,
    negligible,
    step: (block, first, last) => {
      step(w, t, turns, first, last);
      rotateRows(w, block, turns, first, last, LEAF);
    },
  });
  new RowReflections(g, a, taus, 1, 'back').apply(z);
  const order = integers('ascending', n);
  putInOrder(w, t.d, 0, n, order);
  w.loop(0, n, (i) => {
    const from = w.get(order, i);
    w.put(values, i, w.get(t.d, from));
    w.copy(w.row(z, from), w.row(a, i), 0, n);
    fixSign(w, w.row(a, i), [], n);
  });
  return info;
}

/** The lower triangle; 0 in return if its numbers are finite, else NaN, and then it is of zeros, with which nothing can go astray. */
function copyTriangle(w: MatrixWriter, from: Matrix, to: Matrix, n: number): Expr {
  const odd = w.variable('odd', real(0));
  w.loop(0, n, (i) => {
    const [x, y] = [w.row(from, i), w.row(to, i)];
    w.fill(y, plus(i, 1), n, real(0));
    const sums = w.sums(1, 0, plus(i, 1), (at, lanes, [sum]) => {
      const value = w.get(x, at, lanes);
      w.put(y, at, value);
      w.set(sum, L.add(sum, L.sub(value, value))); // ∞ − ∞ and NaN − NaN are NaN
    });
    w.set(odd, L.add(odd, sums[0]));
  });
  w.when(L.compare('ne', odd, real(0)), () => w.loop(0, n, (i) => w.fill(w.row(to, i), 0, n, real(0))));
  return w.named('odd', odd);
}

/** One implicit QR step on the rows from … to, and its rotations. */
function step(w: MatrixWriter, { d, e }: Tridiagonal, { cosines, sines }: Turns, from: Expr, to: Expr): void {
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
