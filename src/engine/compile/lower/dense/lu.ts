// P·A = L·U with partial pivoting, right-looking in blocks of columns: a block is factorised row operation by row operation, then the rows
// beside it are solved for, and what is left is updated by a product.

import * as L from '../../../loop/loop.js';
import { absolute, minus, negated, plus, quotient, real } from './parts/matrix-writer.js';
import { asIs } from './parts/product.js';
import { type Writing, infoOf } from './parts/writing.js';

const BLOCK = 32;

export function writeLu({ w, products, m, n, operand, matrix, line, integers, copyIn, fail }: Writing): void {
  const lu = matrix('lu');
  const [pivots, order] = [line('pivots'), line('order')];
  const odd = copyIn(operand(0), lu, m, n);
  const rows = integers('rows', m);
  const info = w.variable('info', L.int(0));
  w.loop(0, m, (i) => w.put(rows, i, i));
  const count = Math.min(m, n);
  w.loop(
    0,
    count,
    (begin) => {
      const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(count)), 'end');
      w.loop(begin, end, (c) => {
        // The largest element of the column, the first of equal ones.
        const best = w.variable('best', L.int(0));
        w.set(best, c);
        const largest = w.variable('largest', absolute(w.at(lu, c, c)));
        w.loop(plus(c, 1), m, (i) => {
          const size = w.named('size', absolute(w.at(lu, i, c)));
          const isLarger = w.named('isLarger', L.compare('lt', largest, size));
          w.set(best, L.select(isLarger, i, best));
          w.set(largest, L.select(isLarger, size, largest));
        });
        w.put(pivots, c, L.convert('i32.f64', best));
        const from = w.row(lu, c);
        w.when(L.compare('ne', best, c), () => {
          w.swap(from, w.row(lu, best), 0, n);
          const [a, b] = [w.get(rows, c), w.get(rows, best)];
          w.put(rows, c, b);
          w.put(rows, best, a);
        });
        const pivot = w.get(from, c);
        w.when(
          L.compare('eq', pivot, real(0)),
          () => {
            w.set(info, L.select(L.compare('eq', info, L.int(0)), plus(c, 1), info));
          },
          () => {
            w.loop(plus(c, 1), m, (i) => {
              const row = w.row(lu, i);
              const factor = w.named('factor', quotient(w.get(row, c), pivot));
              w.put(row, c, factor);
              w.addTo(row, negated(factor), from, plus(c, 1), end);
            });
          },
        );
      });
      // Rows of U beside the block: L⁻¹ of them.
      w.loop(plus(begin, 1), end, (i) => {
        const row = w.row(lu, i);
        w.loop(begin, i, (q) => w.addTo(row, negated(w.get(row, q)), w.row(lu, q), end, n));
      });
      products.add({
        c: w.from(lu, end, end),
        a: asIs(w.from(lu, end, begin)),
        b: asIs(w.from(lu, begin, end)),
        rows: minus(m, end),
        columns: minus(n, end),
        inner: minus(end, begin),
        isSubtracted: true,
      });
    },
    BLOCK,
    'begin',
  );
  w.loop(0, m, (i) => w.put(order, i, L.convert('i32.f64', w.get(rows, i))));
  fail(infoOf(w, odd, info));
}
