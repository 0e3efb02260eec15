// assignAt_: writing into a part of a buffer, in place where one dimension has the positions; in compiled functions, with what is read
// beside it, and with positions that are wrong.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ArgumentError,
  type DType,
  IndexError,
  type IndexArgument,
  type Tensor,
  compile,
  disposeDevices,
  engineStats,
  realize,
  scaledDotProductAttention,
  setDevice,
  tensor,
  zeros,
} from 'nabla';
import { Buffer, Parameter } from 'nabla/nn';

afterAll(() => disposeDevices());

const at = (...values: number[]) => tensor(Int32Array.from(values));
const zeroed = (shape: number[]): Tensor => new Buffer(zeros(shape));

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));

  const x = (): Tensor =>
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  test.each<[string, IndexArgument[], number | number[] | number[][], number[][]]>([
    [
      'a row',
      [1],
      [7, 8, 9],
      [
        [1, 2, 3],
        [7, 8, 9],
      ],
    ],
    [
      'a column, from the end',
      [null, -1],
      [8, 9],
      [
        [1, 2, 8],
        [4, 5, 9],
      ],
    ],
    [
      'an element',
      [0, 1],
      9,
      [
        [1, 9, 3],
        [4, 5, 6],
      ],
    ],
    [
      'a number everywhere',
      [],
      9,
      [
        [9, 9, 9],
        [9, 9, 9],
      ],
    ],
    [
      'a range',
      [null, [1, 3]],
      [8, 9],
      [
        [1, 8, 9],
        [4, 8, 9],
      ],
    ],
    [
      'a range of the first positions',
      [
        [0, 1],
        [0, 2],
      ],
      9,
      [
        [9, 9, 3],
        [4, 5, 6],
      ],
    ],
    [
      'steps, backwards',
      [null, [null, null, -2]],
      [8, 9],
      [
        [9, 2, 8],
        [9, 5, 8],
      ],
    ],
    [
      'ranges of both',
      [
        [1, 2],
        [1, 3],
      ],
      [[8, 9]],
      [
        [1, 2, 3],
        [4, 8, 9],
      ],
    ],
    [
      'nothing',
      [[1, 1]],
      9,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
  ])('%s', async (_, index, value, wanted) => {
    const buffer = x();
    buffer.assignAt_(index, typeof value === 'number' ? value : (tensor(value as number[]) as Tensor));
    expect(await buffer.array()).toEqual(wanted);
  });

  test('positions in tensors: a vector of which the last of equal ones wins, pairs, one number', async () => {
    const [a, b, c] = [x(), x(), x()];
    a.assignAt_([null, at(2, 0, -1)], tensor([7, 8, 9]));
    b.assignAt_([at(0, 1), at(2, 0)], tensor([8, 9]));
    c.assignAt_([tensor(1, { dtype: 'int32' })], 0);
    expect([await a.array(), await b.array(), await c.array()]).toEqual([
      [
        [8, 2, 9],
        [8, 5, 9],
      ],
      [
        [1, 2, 8],
        [9, 5, 6],
      ],
      [
        [1, 2, 3],
        [0, 0, 0],
      ],
    ]);
  });

  test.each<DType>(['int32', 'bool', 'float64', 'float16', 'uint8'])('%s', async (dtype) => {
    if (device === 'reference' && dtype !== 'int32' && dtype !== 'bool') return;
    const buffer = new Buffer(zeros([3], { dtype }));
    buffer.assignAt_([[1, 3]], 1);
    expect([...(await buffer.data())].map(Number)).toEqual([0, 1, 1]);
  });

  test('what is read of the buffer meanwhile: by the value, before, after, and in two writes of one run', async () => {
    const [shifted, kept, twice]: Tensor[] = [tensor([1, 2, 3, 4]), tensor([1, 2]), tensor([1, 2, 3])];
    shifted.assignAt_([[1, 4]], shifted.slice(0, 0, 3));
    const before = kept.mul(10).keep();
    kept.assignAt_([0], kept.index(1).mul(5));
    const after = kept.mul(100);
    twice.assignAt_([0], 9);
    twice.assignAt_([1], 8);
    await realize(shifted, kept, twice, after);
    expect([
      await shifted.array(),
      await kept.array(),
      await before.array(),
      await after.array(),
      await twice.array(),
    ]).toEqual([
      [1, 1, 2, 3],
      [10, 2],
      [10, 20],
      [1000, 200],
      [9, 8, 3],
    ]);
  });

  test('a position out of range leaves everything as it was', async () => {
    const [buffer, other] = [zeroed([2, 3]), zeroed([1])];
    expect(() => buffer.assignAt_([5], 1)).toThrow(
      new IndexError('assignAt_: 5 is out of range for dimension 0 with size 2. Use -2 to 1.', 5, 2),
    );
    buffer.assignAt_([null, at(0, 3)], 1);
    other.assignAt_([0], 1);
    await expect(buffer.data()).rejects.toThrow(/assignAt_: 3 is out of range for dimension 1 with size 3/);
    expect([await buffer.sum().item(), await other.item()]).toEqual([0, 1]);
  });

  test('a cache of keys and values: one capture for all positions', async () => {
    const [keys, values] = [zeroed([1, 2, 4, 3]), zeroed([1, 2, 4, 3])];
    const step = compile((q: Tensor, k: Tensor, position: Tensor<[], 'int32'>) => {
      keys.assignAt_([null, null, position], k);
      values.assignAt_([null, null, position], k.mul(2));
      return scaledDotProductAttention(q, keys, values) as Tensor;
    });
    const rows = [1, 2, 3, 4].map((v): Tensor =>
      tensor([
        [
          [v, 1, -v],
          [1, v, 2],
        ],
      ]),
    );
    const own: Tensor = zeroed([1, 2, 4, 3]);
    for (const [i, row] of rows.entries()) {
      const q = row.unsqueeze(2) as Tensor;
      const found = await (await step(q, row, tensor(i, { dtype: 'int32' }))).data();
      own.assignAt_([null, null, i], row);
      const wanted = await (scaledDotProductAttention(q, own, own.mul(2) as Tensor) as Tensor).data();
      expect([...found]).toEqual([...wanted].map((v) => expect.closeTo(v, 5)));
    }
    expect(step.captures).toBeLessThan(5); // what runs beyond the first compares
    expect(await keys.array()).toEqual(await own.array());
  });
});

describe('on the CPU device', () => {
  beforeAll(() => setDevice('cpu'));

  test('a row is written where it belongs, and nothing is copied', async () => {
    const buffer = zeroed([64, 1024]);
    const row: Tensor = tensor(new Float32Array(1024).fill(1));
    await realize(buffer, row);
    const made: number[] = [];
    for (const i of [3, 5, 7]) {
      buffer.assignAt_([i], row);
      await realize();
      expect(engineStats().kernelsLastRun).toBe(2); // one looks at the position, one writes
      made.push(engineStats().programs);
    }
    expect(new Set(made).size).toBe(1);
    expect(await buffer.sum().item()).toBe(3 * 1024);
  });

  test('an argument that is overwritten, in replays', async () => {
    const buffer: Tensor = tensor([1, 2, 3]);
    const step = compile((b: Tensor, position: Tensor<[], 'int32'>) => {
      b.assignAt_([position], 0);
      return b.sum() as Tensor;
    });
    const sums: number[] = [];
    for (const i of [0, 1, 2, 0, 1]) sums.push(await (await step(buffer, tensor(i, { dtype: 'int32' }))).item());
    expect(sums).toEqual([5, 3, 0, 0, 0]);
  });

  test('a parameter is written, without a gradient; what was computed and other dtypes are refused', async () => {
    const p = new Parameter(tensor([1, 2, 3]));
    p.assignAt_([1], 9);
    p.square().sum().backward();
    expect([await p.array(), await p.grad?.array()]).toEqual([
      [1, 9, 3],
      [2, 18, 6],
    ]);
    expect(() => p.mul(2).assignAt_([0], 1)).toThrow(ArgumentError);
    expect(() => p.assignAt_([0], at(1))).toThrow(/int32 into float32/);
    expect(() => p.assignAt_([0, 0], 1)).toThrow(/2 indices for a tensor of rank 1/);
    expect(() => p.assignAt_([[0, 2]], tensor([1, 2, 3]))).toThrow(/\[3\] x \[2\]/);
    expect(() => p.assignAt_(0 as never, 1)).toThrow(/the index is 0/);
  });
});
