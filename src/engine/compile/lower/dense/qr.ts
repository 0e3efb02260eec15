// A = Q·R by Householder reflections, a block of columns at a time: a block's reflections together are applied to the columns beside it by
// products. Q is made of them the same way, from the last block on.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import { BLOCK, formT, square } from './parts/block-reflections.js';
import { type Line, type Matrix, minus, negated, plus, real } from './parts/matrix-writer.js';
import { asIs, transposed } from './parts/product.js';
import { reflect } from './parts/reflection.js';
import { type Writing, infoOf } from './parts/writing.js';

/** The reflections of the columns begin … end − 1 of `v`, below whose diagonal they lie. */
interface Block {
  readonly v: Matrix;
  readonly taus: Line;
  readonly begin: Expr;
  readonly end: Expr;
}

/** Applies blocks to matrices of at most `columns` columns, all of them with m rows. */
class BlockReflections {
  private readonly g: Writing;
  private readonly m: number;
  /** The square on top of V, with its ones and zeros. */
  private readonly top: Matrix;
  private readonly gram: Matrix;
  private readonly t: Matrix;
  private readonly sums: Matrix;
  private readonly turned: Matrix;

  constructor(g: Writing, m: number, columns: number) {
    this.g = g;
    this.m = m;
    const wide = (name: string): Matrix => ({ ...g.scratch(name, BLOCK * columns), ld: columns });
    this.top = square(g, 'top');
    this.gram = square(g, 'gram');
    this.t = square(g, 't');
    this.sums = wide('sums');
    this.turned = wide('turned');
  }

  /** C = (I − V·T·Vᵀ)·C of the rows from `begin` on, in `columns` columns from `from` on; or with Tᵀ, the reflections in the other order. */
  apply({ v, taus, begin, end }: Block, c: Matrix, from: Expr, columns: Expr, isTransposed: boolean): void {
    const { w, products } = this.g;
    const { top, t, sums, turned } = this;
    const size = w.int(minus(end, begin), 'size');
    const rest = w.int(minus(this.m, end), 'rest');
    w.loop(0, size, (i) => {
      const [source, row] = [w.row(w.from(v, begin, begin), i), w.row(top, i)];
      w.copy(source, row, 0, i);
      w.put(row, i, real(1));
      w.fill(row, plus(i, 1), size, real(0));
    });
    const below = w.from(v, end, begin);
    const whole = [
      { part: top, rows: size, at: begin },
      { part: below, rows: rest, at: end },
    ] as const;
    this.makeT(taus, begin, size, whole);
    for (const made of [sums, turned]) w.loop(0, size, (i) => w.fill(w.row(made, i), 0, columns, real(0)));
    for (const { part, rows, at } of whole) {
      const b = asIs(w.from(c, at, from));
      products.add({
        c: sums,
        a: transposed(part),
        b,
        rows: size,
        columns,
        inner: rows,
        isSubtracted: false,
        isSmall: part === top,
      });
    }
    const a = isTransposed ? transposed(t) : asIs(t);
    products.add({ c: turned, a, b: asIs(sums), rows: size, columns, inner: size, isSubtracted: false, isSmall: true });
    for (const { part, rows, at } of whole) {
      const to = w.from(c, at, from);
      products.add({
        c: to,
        a: asIs(part),
        b: asIs(turned),
        rows,
        columns,
        inner: size,
        isSubtracted: true,
        isSmall: part === top,
      });
    }
  }

  private makeT(
    taus: Line,
    begin: Expr,
    size: Expr,
    whole: readonly { readonly part: Matrix; readonly rows: Expr }[],
  ): void {
    const { w, products } = this.g;
    const { gram, t } = this;
    w.loop(0, size, (i) => w.fill(w.row(gram, i), 0, size, real(0)));
    for (const { part, rows } of whole) {
      const shared = { c: gram, a: transposed(part), b: asIs(part), rows: size, columns: size, inner: rows };
      products.add({ ...shared, isSubtracted: false, isSmall: true });
    }
    formT(w, taus, begin, size, gram, t);
  }
}

export function writeQr(g: Writing): void {
  const { w, m, n, operand, matrix, line, scratch, copyIn, fail } = g;
  const a = matrix('qr');
  const taus = line('tau');
  const odd = copyIn(operand(0), a, m, n);
  const count = Math.min(m, n);
  const blocks = new BlockReflections(g, m, n);
  const sums = scratch('row', BLOCK);
  w.loop(
    0,
    count,
    (begin) => {
      const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(count)), 'end');
      w.loop(begin, end, (c) => {
        const get = (i: Expr): Expr => w.at(a, i, c);
        const { tau, beta } = reflect(w, c, m, get, (i, x) => w.putAt(a, i, c, x));
        w.put(taus, c, tau);
        // The other columns of the block: vᵀ·A in `sums`, whose first element belongs to column c + 1.
        const from = w.int(plus(c, 1), 'from');
        const row = { buffer: sums.buffer, base: w.int(minus(sums.base, from), 'sums') };
        w.fill(row, from, end, real(0));
        w.loop(c, m, (i) => w.addTo(row, w.at(a, i, c), w.row(a, i), from, end));
        w.scale(row, negated(tau), from, end);
        w.loop(c, m, (i) => w.addTo(w.row(a, i), w.at(a, i, c), row, from, end));
        w.putAt(a, c, c, beta);
      });
      if (n > Math.min(BLOCK, count))
        blocks.apply({ v: a, taus, begin, end }, a, end, w.int(minus(n, end), 'columns'), true);
    },
    BLOCK,
    'begin',
  );
  fail(infoOf(w, odd, L.int(0)));
}

export function writeHouseholder(g: Writing): void {
  const { w, m, node, operand, matrix } = g;
  const [v, factors] = [operand(0), operand(1)];
  const q = matrix('q');
  const columns = q.ld;
  const count = factors.ld;
  w.loop(0, m, (i) => {
    const row = w.row(q, i);
    w.fill(row, 0, columns, real(0));
    w.when(L.compare('lt', i, L.int(columns)), () => w.put(row, i, real(1)));
  });
  if (node.src[1].size === 0) return;
  const blocks = new BlockReflections(g, m, columns);
  const most = Math.ceil(count / BLOCK);
  w.loop(0, most, (number) => {
    const begin = w.int(L.mul(minus(most - 1, number), L.int(BLOCK)), 'begin');
    const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(count)), 'end');
    // Columns before this block are still those of the unit matrix, which are 0 in its rows.
    blocks.apply({ v, taus: factors, begin, end }, q, begin, w.int(minus(columns, begin), 'columns'), false);
  });
}
