// What a thread touches (footprint.ts), on kernels written by hand, and what it says of whole programs against the addresses
// that an interpreter of their integers meets.
import { expect, test } from 'vitest';
import { edge, kernelOf as kernelOver } from '../../../test/support/kernels.js';
import { NOTHING, footprint } from './footprint.js';
import * as L from './loop.js';
import type { Expr, KernelFunction } from './loop.js';

const x = L.buffer('x', 'f32', 'param', 1000);
const y = L.buffer('y', 'f32', 'param', 1000);
const at = L.buffer('at', 'i32', 'param', 10);

const kernelOf = (make: Parameters<typeof kernelOver>[1]): KernelFunction => kernelOver([x, y, at], make);

/** y[row, v … v + 4] = x[row, v … v + 4] over this thread's rows, `width` elements each. */
function rows(width: number): KernelFunction {
  return kernelOf((tid, threads) => {
    const [row, v] = [L.variable('row', 'i32'), L.variable('v', 'i32')];
    const index = L.add(L.mul(row, L.int(width)), v);
    return [
      L.loop(row, edge(7, tid, threads), edge(7, L.add(tid, L.int(1)), threads), 1, [
        L.loop(v, L.int(0), L.int(width), 4, [L.store(y, index, L.load(x, index, 4))]),
      ]),
    ];
  });
}

test('rows are shared without overlap', () => {
  const kernel = rows(20);
  const parts = [0, 1, 2].map((tid) => footprint(kernel, 3, tid));
  expect(parts.map((p) => p.get(y))).toEqual([
    { read: NOTHING, written: { from: 0, to: 39 } },
    { read: NOTHING, written: { from: 40, to: 79 } },
    { read: NOTHING, written: { from: 80, to: 139 } },
  ]);
  expect(parts[1].get(x)).toEqual({ read: { from: 40, to: 79 }, written: NOTHING });
});

test('all threads together touch at least what each of them does', () => {
  expect(footprint(rows(20), 3).get(y)?.written).toEqual({ from: 0, to: 139 });
});

test('a thread without work touches nothing', () => {
  expect(footprint(rows(20), 8, 0).size).toBe(0);
});

test('an index from memory may be anything', () => {
  const kernel = kernelOf(() => {
    const i = L.variable('i', 'i32');
    return [L.loop(i, L.int(0), L.int(3), 1, [L.store(y, L.load(at, i), L.float(1))])];
  });
  const parts = footprint(kernel, 2, 0);
  expect(parts.get(y)?.written).toEqual({ from: -Infinity, to: Infinity });
  expect(parts.get(at)?.read).toEqual({ from: 0, to: 2 });
});

test('only the branch that can be taken counts', () => {
  const kernel = kernelOf((tid) => [
    L.when(L.compare('eq', tid, L.int(0)), [L.store(y, L.int(5), L.float(1))], [L.store(y, L.int(9), L.float(1))]),
  ]);
  expect(footprint(kernel, 2, 0).get(y)?.written).toEqual({ from: 5, to: 5 });
  expect(footprint(kernel, 2, 1).get(y)?.written).toEqual({ from: 9, to: 9 });
});

test('remainders, quotients, differences and the smaller of two', () => {
  const kernel = kernelOf(() => {
    const i = L.variable('i', 'i32');
    const write = (index: Expr) => L.store(y, index, L.float(1));
    return [
      L.loop(i, L.int(10), L.int(30), 5, [
        // 10, 15, 20, 25
        L.store(x, L.binary('rems', i, L.int(8)), L.float(0)),
        write(L.add(L.binary('divs', i, L.int(8)), L.int(100))),
        write(L.sub(L.int(200), L.binary('min', i, L.int(12)))),
      ]),
    ];
  });
  const parts = footprint(kernel, 1, 0);
  expect(parts.get(x)?.written).toEqual({ from: 0, to: 7 });
  expect(parts.get(y)?.written).toEqual({ from: 101, to: 190 });
});
