// Eigenvalues and eigenvectors of a general matrix: the blocks on the diagonal of its Schur form have the values; substitution from each of
// them on upwards gives the vector in its coordinates (Golub and Van Loan, 7.6.4). Vectors are rows, real and imaginary parts matrices of their own.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { largestOf, toGoodSize, toOwnSize } from './diagonalise.js';
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
import { asIs } from '../parts/product.js';
import { EPS, discriminant, toSchur } from './schur.js';
import { type Writing, infoOf } from '../parts/writing.js';

/** Numbers of a cache line. */
const LINE = 8;
/** Vectors that grow beyond it are scaled back. */
const LARGE = 1e100;

interface Complex {
  readonly re: Expr;
  readonly im: Expr;
}

interface Lines {
  readonly re: Line;
  readonly im: Line;
}

export function writeEig(g: Writing): void {
  const { w, n, node, operand, line, scratch, copyIn, fail } = g;
  const { hasVectors } = node.arg;
  // An odd number of cache lines: columns that are walked down do not all fall on the same ones.
  const ld = (Math.ceil(n / LINE) | 1) * LINE;
  const t = { ...scratch('t', n * ld), ld };
  const q = hasVectors ? { ...scratch('q', n * n), ld: n } : undefined;
  const [re, im] = [line('re'), line('im')];
  const odd = copyIn(operand(0), t, n, n);
  const factor = toGoodSize(w, t, n);
  const info = toSchur(g, { t, q }, odd);
  const below = scratch('below', n);
  w.loop(0, n - 1, (i) => w.put(below, i, w.at(t, plus(i, 1), i)));
  w.put(below, n - 1, real(0));
  w.loop(0, n, (i) => {
    w.put(re, i, w.at(t, i, i));
    w.put(im, i, real(0));
  });
  w.loop(0, n - 1, (i) => {
    w.when(L.compare('ne', w.get(below, i), real(0)), () => {
      const j = w.int(plus(i, 1), 'j');
      const { square } = discriminant(w, t, i, j);
      const middle = w.named('middle', L.mul(real(0.5), L.add(w.at(t, i, i), w.at(t, j, j))));
      const distance = w.named('distance', root(L.binary('max', negated(square), real(0))));
      w.put(re, i, middle);
      w.put(re, j, middle);
      w.put(im, i, distance);
      w.put(im, j, negated(distance));
    });
  });
  if (q !== undefined) writeVectors(g, t, q, below, { re, im });
  for (const values of [re, im]) toOwnSize(w, values, n, factor, odd);
  fail(infoOf(w, odd, info));
}

function writeVectors(g: Writing, t: Matrix, q: Matrix, below: Line, values: Lines): void {
  const { w, n, matrix, scratch, products } = g;
  const [re, im] = [matrix('vectorsRe'), matrix('vectorsIm')];
  const square = (name: string): Matrix => ({ ...scratch(name, n * n), ld: n });
  const shares = { re: square('sharesRe'), im: square('sharesIm') };
  const least = w.named('least', L.mul(real(EPS), largestOf(w, t, n, 2 ** -1000)));
  w.loop(0, n, (k) => {
    const y = { re: w.row(shares.re, k), im: w.row(shares.im, k) };
    for (const part of [y.re, y.im]) w.fill(part, 0, n, real(0));
    w.when(L.compare('le', real(0), w.get(values.im, k)), () => substitute(w, t, below, values, y, k, least));
  });
  for (const [part, to] of [
    [shares.re, re],
    [shares.im, im],
  ] as const) {
    w.loop(0, n, (i) => w.fill(w.row(to, i), 0, n, real(0)));
    products.add({ c: to, a: asIs(part), b: asIs(q), rows: n, columns: n, inner: n, isSubtracted: false });
  }
  w.loop(0, n, (k) => {
    const own = { re: w.row(re, k), im: w.row(im, k) };
    w.when(
      L.compare('le', real(0), w.get(values.im, k)),
      () => normalise(w, own, w.get(values.im, k), n),
      () => {
        // The other one of a pair.
        const before = w.int(L.binary('max', minus(k, 1), L.int(0)), 'before'); // 0: of no finite matrix
        w.copy(w.row(re, before), own.re, 0, n);
        w.copy(w.row(im, before), own.im, 0, n);
        w.scale(own.im, real(-1), 0, n);
      },
    );
  });
}

/** The solution y of (T − λ_k)·y = 0, from row k on upwards; of the first value of a pair, from row k + 1. */
function substitute(w: MatrixWriter, t: Matrix, below: Line, values: Lines, y: Lines, k: Expr, least: Expr): void {
  const value = { re: w.get(values.re, k), im: w.get(values.im, k) };
  const from = (i: Expr): Complex => difference({ re: w.at(t, i, i), im: real(0) }, value);
  const put = (i: Expr, x: Complex): void => {
    const [re, im] = [w.named('re', x.re), w.named('im', x.im)];
    w.put(y.re, i, re);
    w.put(y.im, i, im);
  };
  const end = w.variable('end', L.int(0));
  w.set(end, plus(k, 1));
  w.when(
    L.compare('lt', real(0), value.im),
    () => {
      // In the block of the pair: t₂₁·y₁ + (t₂₂ − λ)·y₂ = 0.
      const next = w.int(plus(k, 1), 'next');
      const { re, im } = from(next);
      put(k, { re: negated(re), im: negated(im) });
      put(next, { re: w.get(below, k), im: real(0) });
      w.set(end, plus(k, 2));
    },
    () => put(k, { re: real(1), im: real(0) }),
  );
  const rest = (i: Expr, first: Expr): Complex => {
    const [re, im] = w.dots([y.re, y.im], w.row(t, i), first, end);
    return { re: w.named('re', negated(re)), im: w.named('im', negated(im)) };
  };
  const pivot = (x: Complex): Complex => {
    const [re, im] = [w.named('re', x.re), w.named('im', x.im)];
    const isTiny = w.named('isTiny', L.compare('lt', L.binary('max', absolute(re), absolute(im)), least));
    return { re: w.named('re', L.select(isTiny, least, re)), im: w.named('im', L.select(isTiny, real(0), im)) };
  };
  const shrink = (i: Expr): void => {
    const size = w.named('size', L.binary('max', absolute(w.get(y.re, i)), absolute(w.get(y.im, i))));
    w.when(L.compare('lt', real(LARGE), size), () => {
      for (const part of [y.re, y.im]) w.scale(part, quotient(real(1), size), 0, end);
    });
  };
  w.down(0, k, (i) => {
    const isFirst = L.compare('ne', w.get(below, i), real(0));
    // The first row of a block was done with its second one.
    w.when(L.unary('not', isFirst), () => {
      const before = w.int(L.binary('max', minus(i, 1), L.int(0)), 'before');
      const isSecond = L.binary('and', L.compare('lt', L.int(0), i), L.compare('ne', w.get(below, before), real(0)));
      const after = w.int(plus(i, 1), 'after');
      const right = rest(i, after);
      w.when(
        isSecond,
        () => {
          // Cramer's rule of both rows.
          const upper = rest(before, after);
          const [a, d] = [namedComplex(w, from(before)), namedComplex(w, from(i))];
          const [b, c] = [w.at(t, before, i), w.get(below, before)];
          const det = pivot(difference(product(a, d), { re: L.mul(b, c), im: real(0) }));
          put(before, over(w, difference(product(upper, d), scaled(right, b)), det));
          put(i, over(w, difference(product(a, right), scaled(upper, c)), det));
          shrink(before);
        },
        () => put(i, over(w, right, pivot(from(i)))),
      );
      shrink(i);
    });
  });
}

/** Length 1, and the largest element real and positive. */
function normalise(w: MatrixWriter, { re, im }: Lines, value: Expr, n: number): void {
  const largest = w.variable('largest', real(0));
  w.loop(0, n, (i) =>
    w.set(largest, L.binary('max', largest, L.binary('max', absolute(w.get(re, i)), absolute(w.get(im, i))))),
  );
  w.when(L.compare('lt', real(0), largest), () => {
    const by = w.named('by', quotient(real(1), largest));
    for (const part of [re, im]) w.scale(part, by, 0, n);
    const [most, sum] = [w.variable('most', real(-1)), w.variable('sum', real(0))];
    const [c, s] = [w.variable('c', real(0)), w.variable('s', real(0))];
    w.loop(0, n, (i) => {
      const [x, y] = [w.get(re, i), w.get(im, i)];
      const square = w.named('square', L.fma(x, x, L.mul(y, y)));
      const isMore = w.named('isMore', L.compare('lt', most, square));
      w.set(c, L.select(isMore, x, c));
      w.set(s, L.select(isMore, y, s));
      w.set(most, L.select(isMore, square, most));
      w.set(sum, L.add(sum, square));
    });
    const factor = w.named('factor', quotient(real(1), root(L.mul(most, sum))));
    const [cosine, sine] = [w.named('c', L.mul(c, factor)), w.named('s', L.mul(s, factor))];
    const isReal = w.named('isReal', L.compare('eq', value, real(0)));
    w.loop(0, n, (i) => {
      const [x, y] = [w.get(re, i), w.get(im, i)];
      w.put(re, i, L.fma(x, cosine, L.mul(y, sine)));
      w.put(im, i, L.select(isReal, real(0), L.sub(L.mul(y, cosine), L.mul(x, sine))));
    });
  });
}

// ---------------------------------------------------------------- complex numbers

const difference = (a: Complex, b: Complex): Complex => ({ re: L.sub(a.re, b.re), im: L.sub(a.im, b.im) });
const scaled = (a: Complex, by: Expr): Complex => ({ re: L.mul(a.re, by), im: L.mul(a.im, by) });
const product = (a: Complex, b: Complex): Complex => ({
  re: L.sub(L.mul(a.re, b.re), L.mul(a.im, b.im)),
  im: L.add(L.mul(a.re, b.im), L.mul(a.im, b.re)),
});
const namedComplex = (w: MatrixWriter, { re, im }: Complex): Complex => ({
  re: w.named('re', re),
  im: w.named('im', im),
});

/** a / b, by the larger part of b first, so that no square overflows. */
function over(w: MatrixWriter, a: Complex, b: Complex): Complex {
  const own = namedComplex(w, a);
  const size = w.named('size', L.binary('max', absolute(b.re), absolute(b.im)));
  const [x, y] = [w.named('x', quotient(b.re, size)), w.named('y', quotient(b.im, size))];
  const square = w.named('square', L.mul(size, L.fma(x, x, L.mul(y, y))));
  const top = product(own, { re: x, im: negated(y) });
  return { re: quotient(top.re, square), im: quotient(top.im, square) };
}
