// Copies whose operands lie along another axis than their results (squares in registers, lower/loop/squares.ts), with rows and columns left
// over at the ends, beside others that are not transposed; and scatters along the last axis, which are walked in the order of memory.
import { expect, test } from 'vitest';
import { compile, scatter, setDevice, tensor } from 'nabla';

const SIZES = [
  [128, 128],
  [131, 130],
  [37, 515],
] as const;

test.each(SIZES)('three planes of %i × %i, in other orders', async (rows, columns) => {
  setDevice('cpu');
  const numbers = Float32Array.from({ length: 3 * rows * columns }, (_, i) => (i * 7919) % 9973);
  const x = tensor(numbers, { shape: [3, rows, columns] });
  const run = compile((t: typeof x) => [
    t.transpose(1, 2),
    t.permute([2, 1, 0]),
    t.permute([1, 2, 0]).mul(2).add(1),
    t.permute([2, 0, 1]),
    t.transpose(1, 2).to('int32'),
    t.transpose(1, 2).add(t.reshape([3, columns, rows])),
  ]);
  const at = (plane: number, row: number, column: number): number => numbers[(plane * rows + row) * columns + column];
  const reshaped = (plane: number, i: number, j: number): number => numbers[(plane * columns + i) * rows + j];
  const expected = [
    (a: number, b: number, c: number) => at(a, c, b),
    (a: number, b: number, c: number) => at(c, b, a),
    (a: number, b: number, c: number) => at(c, a, b) * 2 + 1,
    (a: number, b: number, c: number) => at(b, c, a),
    (a: number, b: number, c: number) => at(a, c, b),
    (a: number, b: number, c: number) => at(a, c, b) + reshaped(a, b, c),
  ];
  for (const [i, y] of (await run(x)).entries()) {
    const [, n, m] = y.shape as readonly number[];
    const data = await y.data();
    const wrong = data.findIndex((v, k) => v !== expected[i](Math.floor(k / (n * m)), Math.floor(k / m) % n, k % m));
    expect([i, wrong]).toEqual([i, -1]);
  }
});

test('scattered along the last axis, the last of equal positions wins, and sums have all of them', async () => {
  setDevice('cpu');
  const [rows, columns] = [300, 70];
  const at = Int32Array.from({ length: rows * columns }, (_, i) => (i * 31 + ((i / 7) | 0)) % columns);
  const source = Float32Array.from({ length: rows * columns }, (_, i) => i % 101);
  const [set, sums] = [new Float32Array(rows * columns), new Float32Array(rows * columns)];
  at.forEach((column, i) => {
    const k = Math.floor(i / columns) * columns + column;
    set[k] = source[i];
    sums[k] += source[i];
  });
  const shape = [rows, columns] as const;
  const [x, index, values] = [
    tensor(new Float32Array(rows * columns), { shape }),
    tensor(at, { shape }),
    tensor(source, { shape }),
  ];
  expect(await scatter(x, 1, index, values).data()).toEqual(set);
  expect(await x.scatterAdd(1, index, values).data()).toEqual(sums);
});
