// Householder reflections a block at a time: H_begin·…·H_end−1 = I − V·T·Vᵀ with an upper triangular T (Schreiber and Van Loan 1989), so that
// products apply them.

import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { type Int, type Line, type Matrix, type MatrixWriter, minus, negated, plus, real } from './matrix-writer.js';
import { asIs, transposed } from './product.js';
import type { Writing } from './writing.js';

/** Reflections of a block. */
export const BLOCK = 32;

export const square = (g: Writing, name: string): Matrix => ({ ...g.scratch(name, BLOCK * BLOCK), ld: BLOCK });

/** T of VᵀV: T_cc = tau_c, and above it −tau_c · T · (Vᵀ·v_c). Below its diagonal T is 0. */
export function formT(w: MatrixWriter, taus: Line, begin: Expr, size: Expr, gram: Matrix, t: Matrix): void {
  w.loop(0, size, (c) => {
    const tau = w.get(taus, plus(begin, c));
    w.fill(w.row(t, c), 0, size, real(0));
    w.loop(0, c, (r) => {
      const sum = w.variable('sum', real(0));
      w.loop(r, c, (q) => w.set(sum, L.fma(w.at(t, r, q), w.at(gram, q, c), sum)));
      w.putAt(t, r, c, negated(L.mul(tau, sum)));
    });
    w.putAt(t, c, c, tau);
  });
}

/** Reflections whose v are rows: row k of `v` is v of H_k from k + lead on. */
export class RowReflections {
  private readonly g: Writing;
  private readonly v: Matrix;
  private readonly taus: Line;
  private readonly lead: number;
  /** V of a block, with its ones and zeros. */
  private readonly block: Matrix;
  private readonly gram: Matrix;
  private readonly t: Matrix;
  private readonly inner: Matrix;
  private readonly turned: Matrix;

  constructor(g: Writing, v: Matrix, taus: Line, lead: number, name: string) {
    const { n } = g;
    [this.g, this.v, this.taus, this.lead] = [g, v, taus, lead];
    this.block = { ...g.scratch(`${name}Block`, BLOCK * n), ld: n };
    this.gram = square(g, `${name}Gram`);
    this.t = square(g, `${name}T`);
    this.inner = { ...g.scratch(`${name}Inner`, n * BLOCK), ld: BLOCK };
    this.turned = { ...g.scratch(`${name}Turned`, n * BLOCK), ld: BLOCK };
  }

  /** Rows become rows·(H₀·H₁·…)ᵀ: the last block comes first. */
  apply(rows: Matrix): void {
    this.blocks((begin, end) => this.applyBlock(rows, L.int(0), begin, end));
  }

  /** In the place of the v, the rows of (H₀·H₁·…)ᵀ. Blocks leave the rows before their own as they are, which are made from the last one on. */
  form(): void {
    const { w, n } = this.g;
    this.blocks((begin, end) => {
      w.loop(begin, end, (i) => {
        const row = w.row(this.v, i);
        w.fill(row, 0, n, real(0));
        w.put(row, i, real(1));
      });
      this.applyBlock(this.v, begin, begin, end);
    });
  }

  private blocks(inside: (begin: Expr, end: Expr) => void): void {
    const { w, n } = this.g;
    const most = Math.ceil(n / BLOCK);
    w.loop(0, most, (number) => {
      const begin = w.int(L.mul(minus(most - 1, number), L.int(BLOCK)), 'begin');
      const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(n)), 'end');
      this.copyBlock(begin, end);
      inside(begin, end);
    });
  }

  private copyBlock(begin: Expr, end: Expr): void {
    const { w, n } = this.g;
    w.loop(begin, end, (k) => {
      const row = w.row(this.block, minus(k, begin));
      const from = w.int(L.binary('min', plus(k, this.lead), L.int(n)), 'from');
      w.fill(row, begin, from, real(0));
      w.copy(w.row(this.v, k), row, from, n);
    });
  }

  /** Rows from `first` on: less (rows·V)·Tᵀ·Vᵀ. */
  private applyBlock(rows: Matrix, first: Int, begin: Expr, end: Expr): void {
    const { w, n, products } = this.g;
    const { gram, t, inner, turned } = this;
    const size = w.int(minus(end, begin), 'size');
    const width = w.int(minus(n, begin), 'width');
    const count = w.int(minus(n, first), 'count');
    const v = w.from(this.block, 0, begin);
    w.loop(0, size, (i) => w.fill(w.row(gram, i), 0, size, real(0)));
    const shared = { inner: width, isSubtracted: false };
    products.add({ ...shared, c: gram, a: asIs(v), b: transposed(v), rows: size, columns: size });
    formT(w, this.taus, begin, size, gram, t);
    for (const made of [inner, turned]) w.loop(0, count, (i) => w.fill(w.row(made, i), 0, size, real(0)));
    const to = w.from(rows, first, begin);
    products.add({ ...shared, c: inner, a: asIs(to), b: transposed(v), rows: count, columns: size });
    products.add({
      c: turned,
      a: asIs(inner),
      b: transposed(t),
      rows: count,
      columns: size,
      inner: size,
      isSubtracted: false,
    });
    products.add({
      c: to,
      a: asIs(turned),
      b: asIs(v),
      rows: count,
      columns: width,
      inner: size,
      isSubtracted: true,
    });
  }
}
