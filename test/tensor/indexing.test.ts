// Positions in several dimensions: pairs in index, as NumPy and PyTorch, and a grid in indexGrid; what a mask is told.
import { describe, expect, test } from 'vitest';
import { DTypeError, IndexError, type Tensor, arange, setDevice, tensor } from 'nabla';

const at = (...positions: number[]) => tensor(Int32Array.from(positions));
const grid = (rows: number, columns: number, positions: number[]) =>
  tensor(Int32Array.from(positions), { shape: [rows, columns] });
/** 0 … 23 as [2, 3, 4] */
const cube = () => arange(24).to('float32').reshape([2, 3, 4]);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('positions in several dimensions go together', async () => {
    setDevice(device);
    const m = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(await m.index(at(0, 1), at(0, 1)).array()).toEqual([1, 4]);
    expect(await m.indexGrid(at(0, 1), at(0, 1)).array()).toEqual(await m.array());
    // what stands in one place of the result comes from neighbouring dimensions, and else stands in front
    expect(await cube().index(null, at(0, 2), at(1, 3)).array()).toEqual([
      [1, 11],
      [13, 23],
    ]);
    expect(await cube().index(at(1, 0), null, at(3, 0)).array()).toEqual([
      [15, 19, 23],
      [0, 4, 8],
    ]);
    expect(await cube().index(at(1, 0), [1, 3], at(3, 0)).array()).toEqual([
      [19, 23],
      [4, 8],
    ]);
    expect(await cube().index(0, null, at(0, 1)).array()).toEqual([
      [0, 1],
      [4, 5],
      [8, 9],
    ]);
    expect(await cube().index(at(0, 1), 1, at(2, 3)).array()).toEqual([6, 19]);
  });

  test('positions broadcast, and may have any rank', async () => {
    setDevice(device);
    expect(
      await cube()
        .index(grid(2, 1, [0, 1]), at(0, 2), 1)
        .array(),
    ).toEqual([
      [1, 9],
      [13, 21],
    ]);
    expect(
      await cube()
        .index(0, grid(2, 2, [0, 1, 2, 0]), 0)
        .array(),
    ).toEqual([
      [0, 4],
      [8, 0],
    ]);
    expect(
      await cube()
        .index(tensor(1, { dtype: 'int32' }), 0, 0)
        .array(),
    ).toBe(12);
    expect(cube().index(at(), at()).shape).toEqual([0, 4]);
    expect(() => cube().index(at(0, 1), at(0, 1, 2))).toThrow('index: [2] x [3]: sizes 2 and 3 do not broadcast');
  });

  test('the gradient adds up where an element is picked twice', async () => {
    setDevice(device);
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    x.index(at(1, 0, 1), at(0, 1, 0))
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(await x.grad!.array()).toEqual([
      [0, 10],
      [101, 0],
    ]);
  });

  test('a position out of range of its own dimension is an error', async () => {
    setDevice(device);
    await expect(cube().index(at(0, 0), at(0, 3)).data()).rejects.toThrow(
      'index: 3 is out of range for dimension 1 with size 3. Use -3 to 2.',
    );
    await expect(cube().index(at(0, 2), at(0, 0)).data()).rejects.toThrow(IndexError);
  });
});

test('a mask is no list of positions', () => {
  const x: Tensor = tensor([1, 2, 3]);
  const mask = tensor([false, true, true]);
  const advice =
    'Keep the shape with where(mask, x, 0) or maskedFill(x, mask, value), or take what it picks with await maskedSelect(x, mask); ' +
    'the positions of what is true are await nonzero(mask).';
  for (const [op, call] of [
    ['index', () => Reflect.apply(x.index, x, [mask])],
    ['indexGrid', () => Reflect.apply(x.indexGrid, x, [mask])],
    ['indexSelect', () => Reflect.apply(x.indexSelect, x, [0, mask])],
    ['gather', () => Reflect.apply(x.gather, x, [0, mask])],
    ['scatterAdd', () => Reflect.apply(x.scatterAdd, x, [0, mask, x])],
  ] as const) {
    expect(call).toThrow(DTypeError);
    expect(call).toThrow(
      `${op}: index is a bool mask, and how much it picks is known only when it is computed. ${advice}`,
    );
  }
  expect(() => Reflect.apply(x.index, x, [[0, 1, 2, 0]])).toThrow(
    'index: a list of 4 numbers is no range [start, end, step]. Positions are a tensor: tensor(Int32Array.of(…)).',
  );
});
