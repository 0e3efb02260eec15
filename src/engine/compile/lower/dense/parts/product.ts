// C = C ± A·B inside of a routine, where sizes are known only while it runs. B is copied into panels [inner][columns of the tile], a block
// of inner ones at a time; tiles of C stay in registers while the inner axis is walked. What does not fill a tile is done in smaller ones.

import * as L from '../../../../loop/loop.js';
import type { Buffer, Expr } from '../../../../loop/loop.js';
import type { Lowering } from '../../kernel/lowering.js';
import { type Int, type Matrix, type MatrixWriter, asInt, minus, negated, plus } from './matrix-writer.js';

/** An operand that may be transposed: element (i, j) lies at base + i · byRow + j · byColumn. */
export interface Strided {
  readonly buffer: Buffer;
  readonly base: Expr;
  readonly byRow: number;
  readonly byColumn: number;
}

export const asIs = ({ buffer, base, ld }: Matrix): Strided => ({ buffer, base, byRow: ld, byColumn: 1 });
export const transposed = ({ buffer, base, ld }: Matrix): Strided => ({ buffer, base, byRow: 1, byColumn: ld });

/** Of the inner axis, so many at a time: a panel stays in the cache. */
const DEPTH = 128;

interface Product {
  /** [rows, columns] */
  readonly c: Matrix;
  /** [rows, inner] */
  readonly a: Strided;
  /** [inner, columns] */
  readonly b: Strided;
  readonly rows: Int;
  readonly columns: Int;
  readonly inner: Int;
  readonly isSubtracted: boolean;
  /** So little work that short code is worth more than tiles. */
  readonly isSmall?: boolean;
}

/** What products of a kernel share. */
export class Products {
  private readonly w: MatrixWriter;
  private readonly tileRows: number;
  private readonly tileVectors: number;
  private readonly panel: Buffer;

  constructor(w: MatrixWriter, lowering: Lowering) {
    this.w = w;
    this.tileRows = lowering.target.tileRows;
    // A vector of doubles fills two registers.
    this.tileVectors = Math.max(1, lowering.target.tileVectors / 2);
    this.panel = lowering.scratch('panel', DEPTH * this.tileVectors * w.lanes, 'f64');
  }

  /** C = C ± A·B */
  add(p: Product): void {
    const { w } = this;
    const [rows, columns, inner] = [w.int(p.rows, 'rows'), w.int(p.columns, 'columns'), w.int(p.inner, 'inner')];
    const width = this.tileVectors * w.lanes;
    w.loop(
      0,
      inner,
      (begin) => {
        const depth = w.int(L.binary('min', L.int(DEPTH), minus(inner, begin)), 'depth');
        const a = { ...p.a, base: w.int(L.add(p.a.base, L.mul(begin, L.int(p.a.byColumn))), 'a') };
        const b = { ...p.b, base: w.int(L.add(p.b.base, L.mul(begin, L.int(p.b.byRow))), 'b') };
        const part = { ...p, a, b, rows, columns, inner: depth };
        const packed = { buffer: this.panel, base: L.int(0), byRow: width, byColumn: 1 };
        const panels =
          p.isSmall === true
            ? L.int(0)
            : this.wholes(columns, 0, width, (j) => {
                this.pack(part, j);
                this.byRows(part, j, packed, this.tileVectors, w.lanes);
              });
        const own = (j: Expr): Strided => ({ ...b, base: w.int(L.add(b.base, L.mul(j, L.int(b.byColumn))), 'b') });
        const vectors =
          b.byColumn === 1 && w.lanes > 1
            ? this.wholes(columns, panels, w.lanes, (j) => this.byRows(part, j, own(j), 1, w.lanes))
            : panels;
        w.loop(vectors, columns, (j) => this.byRows(part, j, own(j), 1, 1));
      },
      DEPTH,
      'begin',
    );
  }

  /** Steps of `size` from `from` on that fit; returns where they end. */
  private wholes(end: Expr, from: Int, size: number, inside: (at: Expr) => void): Expr {
    const { w } = this;
    const left = L.binary('rems', minus(end, from), L.int(size));
    const whole = w.int(minus(end, left), 'whole');
    w.loop(from, whole, inside, size, 'j');
    return whole;
  }

  private pack({ b, inner }: Product, j: Expr): void {
    const { w, panel } = this;
    const width = this.tileVectors * w.lanes;
    w.loop(0, inner, (p) => {
      const to = { buffer: panel, base: w.int(L.mul(p, L.int(width)), 'to') };
      const base = w.int(L.add(L.add(b.base, L.mul(p, L.int(b.byRow))), L.mul(j, L.int(b.byColumn))), 'row');
      const from = { buffer: b.buffer, base };
      if (b.byColumn === 1)
        for (let v = 0; v < this.tileVectors; v++) w.put(to, v * w.lanes, w.get(from, v * w.lanes, w.lanes));
      else for (let v = 0; v < width; v++) w.put(to, v, w.get(from, v * b.byColumn));
    });
  }

  /** Tiles of all rows beside the columns from j on. */
  private byRows(p: Product, j: Expr, b: Strided, vectors: number, lanes: number): void {
    const { w } = this;
    const together = p.isSmall === true ? 1 : this.tileRows;
    const tiles = (i: Expr): void => this.tile(p, i, j, b, together, vectors, lanes);
    const whole = together === 1 ? L.int(0) : this.wholes(asInt(p.rows), 0, together, tiles);
    w.loop(whole, p.rows, (i) => this.tile(p, i, j, b, 1, vectors, lanes));
  }

  private tile(p: Product, i: Expr, j: Expr, b: Strided, rows: number, vectors: number, lanes: number): void {
    const { w } = this;
    const lines = Array.from({ length: rows }, (_, r) => w.row(p.c, plus(i, r)));
    const at = Array.from({ length: vectors }, (_, v) => w.int(plus(j, v * lanes), 'at'));
    const sums = lines.map((line) => at.map((here) => w.variable('sum', w.get(line, here, lanes))));
    const first = Array.from({ length: rows }, (_, r) =>
      w.int(L.add(p.a.base, L.mul(plus(i, r), L.int(p.a.byRow))), 'a'),
    );
    w.loop(0, p.inner, (q) => {
      const from = { buffer: b.buffer, base: w.int(L.add(b.base, L.mul(q, L.int(b.byRow))), 'b') };
      const right = at.map((_, v) => w.get(from, v * lanes, lanes));
      const across = w.int(L.mul(q, L.int(p.a.byColumn)), 'q');
      for (let r = 0; r < rows; r++) {
        const x = w.get({ buffer: p.a.buffer, base: first[r] }, across);
        const left = w.named('left', L.splat(p.isSubtracted ? negated(x) : x, lanes));
        right.forEach((y, v) => w.set(sums[r][v], L.fma(left, y, sums[r][v])));
      }
    });
    lines.forEach((line, r) => at.forEach((here, v) => w.put(line, here, sums[r][v])));
  }
}
