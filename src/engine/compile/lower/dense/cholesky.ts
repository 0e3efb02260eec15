// A = L·Lᵀ of the lower triangle of A, in blocks of columns: the block on the diagonal, the rows below it, and a product for what is left.

import * as L from '../../../loop/loop.js';
import { minus, negated, plus, quotient, real, root } from './parts/matrix-writer.js';
import { asIs, transposed } from './parts/product.js';
import { type Writing, infoOf } from './parts/writing.js';

const BLOCK = 32;
/** Columns of what is left that are updated together, from the diagonal down: what lies above is not needed. */
const STRIP = 128;

export function writeCholesky({ w, products, n, operand, matrix, scratch, fail }: Writing): void {
  const l = matrix('l');
  const a = operand(0);
  const odd = w.variable('odd', real(0));
  const info = w.variable('info', L.int(0));
  w.loop(0, n, (i) => {
    const [from, to] = [w.row(a, i), w.row(l, i)];
    w.copy(from, to, 0, plus(i, 1));
    w.fill(to, plus(i, 1), n, real(0));
    w.loop(0, plus(i, 1), (j) => {
      const x = w.get(to, j);
      w.set(odd, L.add(odd, L.sub(x, x)));
    });
  });
  /** The block on the diagonal, transposed: its columns lie as rows. */
  const block = { ...scratch('block', BLOCK * BLOCK), ld: BLOCK };
  w.loop(
    0,
    n,
    (begin) => {
      const end = w.int(L.binary('min', plus(begin, BLOCK), L.int(n)), 'end');
      w.loop(begin, n, (i) => {
        const row = w.row(l, i);
        const last = w.int(L.binary('min', plus(i, 1), end), 'last');
        w.loop(begin, last, (c) => {
          const column = w.row(block, minus(c, begin));
          const value = w.get(row, c);
          const isDiagonal = L.compare('eq', c, i);
          w.when(
            isDiagonal,
            () => {
              const isPositive = w.named('isPositive', L.compare('lt', real(0), value));
              const isFirst = L.binary('and', L.unary('not', isPositive), L.compare('eq', info, L.int(0)));
              w.set(info, L.select(isFirst, plus(c, 1), info));
              // With 1 in its place the routine comes to its end; the caller learns of it.
              const d = w.named('d', L.select(isPositive, root(value), real(1)));
              w.put(row, c, d);
              w.put(column, minus(c, begin), d);
            },
            () => {
              const x = w.named('x', quotient(value, w.get(column, minus(c, begin))));
              w.put(row, c, x);
              // Rows of the block itself are columns of it for those below, and for their own diagonal.
              w.when(L.compare('lt', i, end), () => w.put(column, minus(i, begin), x));
              const shifted = { buffer: column.buffer, base: w.int(minus(column.base, begin), 'shifted') };
              w.addTo(row, negated(x), shifted, plus(c, 1), last);
            },
          );
        });
      });
      w.loop(
        end,
        n,
        (j) => {
          const columns = w.int(L.binary('min', L.int(STRIP), minus(n, j)), 'columns');
          products.add({
            c: w.from(l, j, j),
            a: asIs(w.from(l, j, begin)),
            b: transposed(w.from(l, j, begin)),
            rows: minus(n, j),
            columns,
            inner: minus(end, begin),
            isSubtracted: true,
          });
        },
        STRIP,
        'strip',
      );
    },
    BLOCK,
    'begin',
  );
  // What the strips have left above the diagonal.
  w.loop(0, n, (i) => w.fill(w.row(l, i), plus(i, 1), n, real(0)));
  fail(infoOf(w, odd, info));
}
