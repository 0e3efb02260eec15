// Eigenvectors of a tridiagonal matrix by divide and conquer (Cuppen; Gu and Eisenstat 1995; Golub and Van Loan, 8.4). Blocks of a few rows are
// made diagonal by QR steps; then two neighbours at a time are joined: what couples them is a matrix of rank one, so that the values of both
// become roots of a secular equation, and their vectors are combined by products. Values that the coupling hardly touches, or that
// are equal, leave the problem before (deflation). Vectors are rows.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { EPS, takeSteps } from './diagonalise.js';
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
} from '../parts/matrix-writer.js';
import { type Products, asIs } from '../parts/product.js';
import { turnRows } from '../parts/rotations.js';
import { findRoot } from './secular.js';
import type { Tridiagonal } from './tridiagonal.js';
import type { Writing } from '../parts/writing.js';

/** Rows of a block that is not divided. */
export const LEAF = 32;

/** Which half of a joined block a vector has numbers in. */
const [FIRST, BOTH, SECOND] = [0, 1, 2];

/** Whole blocks, so that rotations of a block never run into the next row. */
export const paddedTo = (n: number): number => Math.ceil(n / LEAF) * LEAF;

export interface Leaves {
  readonly odd: Expr;
  readonly negligible: (size: Expr) => Expr;
  /** A QR step on the rows first … last of T, whose vectors in `block` are rotated. */
  readonly step: (block: Matrix, first: Expr, last: Expr) => void;
}

/**
 * Values into d, in any order, vectors of T into the rows of `z`, [n, paddedTo(n)]; e is used up. 0 in return, or the row where it was given up.
 */
export function divideAndConquer(g: Writing, { d, e }: Tridiagonal, z: Matrix, leaves: Leaves): Expr {
  const { w, n } = g;
  w.loop(0, n, (i) => {
    const row = w.row(z, i);
    w.fill(row, 0, z.ld, real(0));
    w.put(row, i, real(1));
  });
  // Blocks as they are without what couples them; `coupling` keeps that.
  const coupling = g.scratch('coupling', n);
  w.copy(e, coupling, 0, n);
  w.loop(
    LEAF,
    n,
    (at) => {
      const before = w.int(minus(at, 1), 'before');
      const size = w.named('size', absolute(w.get(e, before)));
      for (const i of [before, at]) w.put(d, i, L.sub(w.get(d, i), size));
      w.put(e, before, real(0));
    },
    LEAF,
  );
  const info = w.variable('info', L.int(0));
  w.loop(
    0,
    n,
    (begin) => {
      const end = w.int(L.binary('min', plus(begin, LEAF), L.int(n)), 'end');
      const block = { ...z, base: w.int(L.add(z.base, begin), 'block') };
      const left = takeSteps(w, d, e, begin, end, leaves.odd, {
        negligible: leaves.negligible,
        step: (first, last) => leaves.step(block, first, last),
      });
      w.set(info, L.select(L.compare('eq', info, L.int(0)), left, info));
    },
    LEAF,
    'begin',
  );
  if (n > LEAF) {
    const join = new Join(g, d, coupling, z);
    const levels = Math.ceil(Math.log2(n / LEAF));
    w.loop(0, levels, (level) => {
      const half = w.int(L.binary('shl', L.int(LEAF), level), 'half');
      const size = w.int(L.mul(half, L.int(2)), 'size');
      w.loop(0, L.binary('divs', plus(size, n - 1), size), (number) => {
        const from = w.int(L.mul(number, size), 'from');
        const middle = w.int(plus(from, half), 'middle');
        w.when(L.compare('lt', middle, L.int(n)), () =>
          join.write(from, middle, w.int(L.binary('min', plus(from, size), L.int(n)), 'to')),
        );
      });
    });
  }
  return w.named('info', info);
}

/** The places from … to − 1 in the order of their numbers in `d`, into `order` from `from` on. */
export function putInOrder(w: MatrixWriter, d: Line, from: Int, to: Int, order: Line): void {
  const [begin, end] = [w.int(from, 'begin'), w.int(to, 'end')];
  // Where numbers are NaN, none has a rank: then this order stays.
  w.loop(begin, end, (i) => w.put(order, i, i));
  w.loop(begin, end, (i) => {
    const own = w.get(d, i);
    const counted = (first: Int, last: Int, op: 'le' | 'lt'): Expr =>
      w.sums(1, first, last, (j, lanes, [sum]) => {
        const isBefore = L.compare(op, w.get(d, j, lanes), L.splat(own, lanes));
        w.set(sum, L.add(sum, L.select(isBefore, L.literal(1, 'f64', lanes), L.literal(0, 'f64', lanes))));
      })[0];
    const rank = L.add(counted(begin, i, 'le'), counted(plus(i, 1), end, 'lt'));
    w.put(order, L.add(begin, L.convert('f64.i32', w.named('rank', rank))), i);
  });
}

class Join {
  private readonly w: MatrixWriter;
  private readonly products: Products;
  private readonly d: Line;
  private readonly coupling: Line;
  private readonly vectors: Matrix;
  /** Vectors of both blocks: those that are combined by the half that they have numbers in, then those that stay. */
  private readonly parts: Matrix;
  /** d_j − λ_i, then how much of part j is in vector i. */
  private readonly shares: Matrix;
  private readonly z: Line;
  private readonly poles: Line;
  private readonly weights: Line;
  private readonly exact: Line;
  private readonly row: Line;
  private readonly staying: Line;
  private readonly order: Line;
  private readonly kinds: Line;
  private readonly kept: Line;
  private readonly left: Line;
  private readonly places: Line;

  constructor(g: Writing, d: Line, coupling: Line, vectors: Matrix) {
    const { n, w, products } = g;
    const line = (name: string): Line => g.scratch(name, n);
    const whole = (name: string): Line => g.integers(name, n);
    [this.w, this.products] = [w, products];
    [this.d, this.coupling, this.vectors] = [d, coupling, vectors];
    this.parts = { ...g.scratch('parts', n * vectors.ld), ld: vectors.ld };
    this.shares = { ...g.scratch('shares', n * n), ld: n };
    [this.z, this.poles, this.weights] = [line('z'), line('poles'), line('weights')];
    [this.exact, this.row, this.staying] = [line('exact'), line('row'), line('staying')];
    [this.order, this.kinds, this.kept] = [whole('order'), whole('kinds'), whole('kept')];
    [this.left, this.places] = [whole('left'), whole('places')];
  }

  /** Joins the blocks from … middle − 1 and middle … to − 1. */
  write(from: Expr, middle: Expr, to: Expr): void {
    const { w, d, z } = this;
    const before = w.int(minus(middle, 1), 'before');
    const beside = w.get(this.coupling, before);
    // |beside|·v·vᵀ with v = (…, 1, ±1, …): in the coordinates of the vectors v is z, of length 1 after the factor √½.
    const rho = w.named('rho', L.mul(real(2), absolute(beside)));
    const factor = L.select(L.compare('lt', beside, real(0)), real(-Math.SQRT1_2), real(Math.SQRT1_2));
    const largest = w.variable('largest', real(0));
    const largestOfZ = w.variable('largestOfZ', real(0));
    const take = (first: Expr, last: Expr, column: Expr, by: Expr, kind: number): void =>
      w.loop(first, last, (k) => {
        const x = w.named('x', L.mul(by, w.at(this.vectors, k, column)));
        w.put(z, k, x);
        w.put(this.kinds, k, L.int(kind));
        w.set(largestOfZ, L.binary('max', largestOfZ, absolute(x)));
        w.set(largest, L.binary('max', largest, absolute(w.get(d, k))));
      });
    take(from, middle, before, real(Math.SQRT1_2), FIRST);
    take(middle, to, middle, w.named('factor', factor), SECOND);
    const tolerance = w.named('tolerance', L.mul(real(8 * EPS), L.binary('max', largest, largestOfZ)));
    w.when(L.compare('lt', tolerance, L.mul(rho, largestOfZ)), () => {
      const counts = this.deflate(from, to, rho, tolerance);
      w.when(L.compare('lt', L.int(0), counts.kept), () => this.combine(from, middle, to, rho, counts));
    });
  }

  /** Which vectors are combined (`kept`, by their values) and which stay (`left`). */
  private deflate(from: Expr, to: Expr, rho: Expr, tolerance: Expr): Counts {
    const { w, d, z, kinds } = this;
    putInOrder(w, d, from, to, this.order);
    const [kept, left] = [w.variable('kept', L.int(0)), w.variable('left', L.int(0))];
    const candidate = w.variable('candidate', L.int(-1));
    const append = (list: Line, count: typeof kept, row: Expr): void => {
      w.put(list, count, row);
      w.set(count, plus(count, 1));
    };
    w.loop(from, to, (t) => {
      const j = w.get(this.order, t);
      w.when(
        L.compare('le', L.mul(rho, absolute(w.get(z, j))), tolerance),
        () => append(this.left, left, j),
        () => {
          w.when(L.compare('le', L.int(0), candidate), () => {
            const before = w.int(candidate, 'before');
            const [x, y] = [w.get(z, before), w.get(z, j)];
            const length = w.named('length', root(L.fma(x, x, L.mul(y, y))));
            const [c, s] = [w.named('c', quotient(y, length)), w.named('s', negated(quotient(x, length)))];
            const gap = w.named('gap', L.sub(w.get(d, j), w.get(d, before)));
            w.when(
              L.compare('le', absolute(L.mul(gap, L.mul(c, s))), tolerance),
              () => {
                // Almost equal: turned so that one of both has no part in z.
                w.put(z, j, length);
                w.put(z, before, real(0));
                const isMixed = L.compare('ne', w.get(kinds, j), w.get(kinds, before));
                w.put(kinds, j, L.select(isMixed, L.int(BOTH), w.get(kinds, j)));
                turnRows(w, w.row(this.vectors, before), w.row(this.vectors, j), c, s, from, to);
                const [a, b] = [w.get(d, before), w.get(d, j)];
                const [cc, ss] = [w.named('cc', L.mul(c, c)), w.named('ss', L.mul(s, s))];
                w.put(d, before, L.fma(a, cc, L.mul(b, ss)));
                w.put(d, j, L.fma(a, ss, L.mul(b, cc)));
                append(this.left, left, before);
              },
              () => append(this.kept, kept, before),
            );
          });
          w.set(candidate, j);
        },
      );
    });
    w.when(L.compare('le', L.int(0), candidate), () => append(this.kept, kept, w.int(candidate, 'last')));
    return { kept: w.int(kept, 'kept'), left: w.int(left, 'left') };
  }

  /** The values and vectors of the joined block: those that were combined first, then those that stayed. */
  private combine(from: Expr, middle: Expr, to: Expr, rho: Expr, counts: Counts): void {
    const { w, d, vectors, parts, shares } = this;
    const { kept, left } = counts;
    const groups = this.sortParts(from, to, counts);
    const square = w.sums(1, 0, kept, (at, lanes, [sum]) => {
      const x = w.get(this.weights, at, lanes);
      w.set(sum, L.fma(x, x, sum));
    })[0];
    const reach = w.named('reach', L.mul(rho, square));
    const secular = {
      d: this.poles,
      z: this.weights,
      count: kept,
      rhoInverse: w.named('rhoInverse', quotient(real(1), rho)),
      reach,
    };
    w.when(
      L.compare('eq', kept, L.int(1)),
      () => {
        w.put(w.row(shares, 0), 0, real(1));
        w.put(d, from, L.add(w.get(this.poles, 0), reach));
      },
      () => {
        w.loop(0, kept, (i) => w.put(d, plus(from, i), findRoot(w, secular, i, w.row(shares, i))));
        this.findShares(kept);
      },
    );
    w.loop(0, left, (i) => {
      const to_ = w.int(plus(from, plus(kept, i)), 'to');
      w.put(d, to_, w.get(this.staying, i));
      w.copy(w.row(parts, plus(kept, i)), w.row(vectors, to_), from, to);
    });
    w.loop(from, plus(from, kept), (i) => w.fill(w.row(vectors, i), from, to, real(0)));
    // Columns of the first half come from parts that have numbers there, and so the others.
    w.loop(0, 2, (half) => {
      const isFirst = w.named('isFirst', L.compare('eq', half, L.int(0)));
      const column = w.int(L.select(isFirst, from, middle), 'column');
      const end = w.int(L.select(isFirst, middle, to), 'end');
      const begin = w.int(L.select(isFirst, L.int(0), groups.first), 'begin');
      const stop = w.int(L.select(isFirst, groups.both, kept), 'stop');
      this.products.add({
        c: w.from(vectors, from, column),
        a: asIs(w.from(shares, 0, begin)),
        b: asIs(w.from(parts, begin, column)),
        rows: kept,
        columns: minus(end, column),
        inner: minus(stop, begin),
        isSubtracted: false,
      });
    });
  }

  /** Copies values and vectors to where they are read from, by kind; where the first kind ends, and the second one. */
  private sortParts(from: Expr, to: Expr, { kept, left }: Counts): { readonly first: Expr; readonly both: Expr } {
    const { w, d, vectors, parts } = this;
    const [first, both] = [w.variable('first', L.int(0)), w.variable('both', L.int(0))];
    w.loop(0, kept, (i) => {
      const kind = w.get(this.kinds, w.get(this.kept, i));
      w.set(first, L.select(L.compare('eq', kind, L.int(FIRST)), plus(first, 1), first));
      w.set(both, L.select(L.compare('lt', kind, L.int(SECOND)), plus(both, 1), both));
    });
    const groups = { first: w.int(first, 'first'), both: w.int(both, 'both') };
    const next = [L.int(0), groups.first, groups.both].map((start) => {
      const place = w.variable('next', L.int(0));
      w.set(place, start);
      return place;
    });
    w.loop(0, kept, (i) => {
      const j = w.get(this.kept, i);
      w.put(this.poles, i, w.get(d, j));
      w.put(this.weights, i, w.get(this.z, j));
      const kind = w.get(this.kinds, j);
      [FIRST, BOTH, SECOND].forEach((own, which) =>
        w.when(L.compare('eq', kind, L.int(own)), () => {
          w.put(this.places, i, next[which]);
          w.set(next[which], plus(next[which], 1));
        }),
      );
      w.copy(w.row(vectors, j), w.row(parts, w.get(this.places, i)), from, to);
    });
    w.loop(0, left, (i) => {
      const j = w.get(this.left, i);
      w.put(this.staying, i, w.get(d, j));
      w.copy(w.row(vectors, j), w.row(parts, plus(kept, i)), from, to);
    });
    return groups;
  }

  /**
   * The vectors of diag(d) + rho·z·zᵀ. They are orthogonal because they belong to the z whose roots are exactly those that were found
   * (Gu and Eisenstat): z_j² = Π_i (λ_i − d_j) / Π_{i ≠ j} (d_i − d_j), up to a factor that is the same for all.
   */
  private findShares(count: Expr): void {
    const { w, shares, poles, exact, row } = this;
    w.fill(exact, 0, count, real(1));
    w.loop(0, count, (i) => {
      const distances = w.row(shares, i);
      const own = w.get(poles, i);
      const apart = (first: Int, last: Int): void =>
        w.strips(first, last, (j, lanes) => {
          const gap = L.sub(w.get(poles, j, lanes), L.splat(own, lanes));
          const ratio = w.named('ratio', quotient(w.get(distances, j, lanes), gap));
          w.put(exact, j, L.mul(w.get(exact, j, lanes), ratio));
        });
      apart(0, i);
      apart(plus(i, 1), count);
      w.put(exact, i, L.mul(w.get(exact, i), w.get(distances, i)));
    });
    w.loop(0, count, (j) => {
      const size = w.named('size', root(absolute(w.get(exact, j))));
      w.put(exact, j, L.select(L.compare('lt', w.get(this.weights, j), real(0)), negated(size), size));
    });
    w.loop(0, count, (i) => {
      const distances = w.row(shares, i);
      const square = w.sums(1, 0, count, (j, lanes, [sum]) => {
        const x = w.named('x', quotient(w.get(exact, j, lanes), w.get(distances, j, lanes)));
        w.put(row, j, x);
        w.set(sum, L.fma(x, x, sum));
      })[0];
      w.scale(row, quotient(real(1), root(square)), 0, count);
      w.loop(0, count, (j) => w.put(distances, w.get(this.places, j), w.get(row, j)));
    });
  }
}

interface Counts {
  readonly kept: Expr;
  readonly left: Expr;
}
