// A⁻¹·B for a triangular A: the rows of a block one after the other, then a product for the rows that are left.

import * as L from '../../../loop/loop.js';
import { minus, negated, plus, quotient, real } from './parts/matrix-writer.js';
import { asIs } from './parts/product.js';
import { type Writing, infoOf } from './parts/writing.js';
import type { Expr } from '../../../loop/loop.js';

const BLOCK = 32;

export function writeTriangular({ w, products, n, node, operand, matrix, copyIn, fail }: Writing): void {
  const { isUpper, isUnit } = node.arg;
  const [a, b] = [operand(0), operand(1)];
  const columns = b.ld;
  const x = matrix('x');
  copyIn(b, x, n, columns);
  const info = w.variable('info', L.int(0));
  if (!isUnit) {
    w.loop(0, n, (i) => {
      const isFirst = L.binary('and', L.compare('eq', w.at(a, i, i), real(0)), L.compare('eq', info, L.int(0)));
      w.set(info, L.select(isFirst, plus(i, 1), info));
    });
  }
  /** Row i less what the rows from … to − 1 of the block contribute. */
  const solveRow = (i: Expr, from: Expr, to: Expr): void => {
    const [row, factors] = [w.row(x, i), w.row(a, i)];
    w.loop(from, to, (q) => w.addTo(row, negated(w.get(factors, q)), w.row(x, q), 0, columns));
    if (isUnit) return;
    const pivot = w.get(factors, i);
    w.strips(0, columns, (at, lanes) => w.put(row, at, quotient(w.get(row, at, lanes), L.splat(pivot, lanes))));
  };
  const blocks = Math.ceil(n / BLOCK);
  w.loop(0, blocks, (number) => {
    const block = isUpper ? minus(blocks - 1, number) : number;
    const begin = w.int(L.mul(block, L.int(BLOCK)), 'begin');
    const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(n)), 'end');
    if (isUpper) w.down(begin, end, (i) => solveRow(i, w.int(plus(i, 1)), end));
    else w.loop(begin, end, (i) => solveRow(i, begin, i));
    products.add({
      c: isUpper ? x : w.from(x, end, 0),
      a: asIs(isUpper ? w.from(a, 0, begin) : w.from(a, end, begin)),
      b: asIs(w.from(x, begin, 0)),
      rows: isUpper ? begin : minus(n, end),
      columns,
      inner: minus(end, begin),
      isSubtracted: true,
    });
  });
  const odd = w.variable('odd', real(0));
  w.loop(0, n, (i) => {
    const row = w.row(x, i);
    w.loop(0, columns, (j) => {
      const value = w.get(row, j);
      w.set(odd, L.add(odd, L.sub(value, value)));
    });
  });
  // A zero on the diagonal makes infinities: that is said, not what follows from it.
  fail(w.named('told', L.select(L.compare('eq', info, L.int(0)), infoOf(w, odd, info), info)));
}
