// The functions that select and write by masks and positions over ranks 0 to 4, values and gradients, against PyTorch
// (test/fixtures/functions-indexing.json, made by tools/parity/functions_indexing.py).
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { CaptureError, type Tensor, compile, noGrad, setDevice, tensor, unbind } from 'nabla';
import { type Call, plain } from './support/checksums.js';
import { functionParity } from './support/function-parity.js';

type Index = Tensor<number[], 'int32'>;
type Mask = Tensor<number[], 'bool'>;
const asIndex = (t: Tensor): Index => t as unknown as Index;
/** Positions that are all different: the order of floats along a dimension. */
const unique = (y: Tensor, dim: number): Index => y.detach().argsort(dim);
const { maskedFill, maskedSelect, nonzero } = nabla;

functionParity('functions-indexing', {
  maskedFill: plain(maskedFill),
  maskedFillOf: plain(maskedFill),
  maskedSelect: plain(maskedSelect),
  nonzero: ([x]) => nonzero(x),
  nonzeroOf: ([x], [size, fill]) => nonzero(x, { size, fill }),
  take: ([x, index], [shift]) => nabla.take(x, asIndex(index).add(shift ?? 0)),
  takeAlongDim: ([x], [dim]) =>
    nabla.takeAlongDim(x, dim === null ? x.detach().flatten().argsort() : x.detach().argsort(dim), dim ?? undefined),
  takeAlongDimOf: ([x, index], [dim, shift]) => nabla.takeAlongDim(x, asIndex(index).add(shift ?? 0), dim),
  indexAdd: ([x, index, y], [dim, alpha]) => nabla.indexAdd(x, dim, asIndex(index), y, { alpha }),
  indexFill: ([x, index], [dim, value, shift]) => nabla.indexFill(x, dim, asIndex(index).add(shift ?? 0), value),
  indexFillOf: ([x, index, value], [dim]) => nabla.indexFill(x, dim, asIndex(index), value as Tensor<[]>),
  indexCopy: ([x, y, source], [dim]) => nabla.indexCopy(x, dim, unique(y, 0), source),
  indexCopyRepeated: ([x, index, source], [dim]) => nabla.indexCopy(x, dim, asIndex(index), source),
  scatter: ([x, y, source], [dim]) => nabla.scatter(x, dim, unique(y, dim), source),
  scatterValue: ([x, index], [dim, value]) => nabla.scatter(x, dim, asIndex(index), value),
  scatterRepeated: ([x, index, source], [dim]) => nabla.scatter(x, dim, asIndex(index), source),
  scatterReduce: ([x, index, source], [dim, reduce, includeSelf]) =>
    nabla.scatterReduce(x, dim, asIndex(index), source, reduce, { includeSelf }),
  scatterReduceOdd: ([x, index, source], [dim, reduce, includeSelf]) =>
    nabla.scatterReduce(x.detach(), dim, asIndex(index), source.detach(), reduce, { includeSelf }),
  indexPut: ([x, ...rest], [accumulate]) =>
    nabla.indexPut(x, rest.slice(0, -1).map(asIndex), rest.at(-1) as Tensor, { accumulate }),
  indexPutAlong: ([x, y, source], [dim]) =>
    nabla.indexPut(x, [...Array.from({ length: dim }, () => null), unique(y, 0)], source),
} satisfies Record<string, Call>);

describe('what a mask picks', () => {
  const x = (): Tensor =>
    tensor(
      [
        [1, -2],
        [-3, 4],
      ],
      { requiresGrad: true },
    ) as unknown as Tensor;

  test('gradients flow to what was selected, and not under noGrad', async () => {
    setDevice('cpu');
    const w = x();
    const y = w.mul(2) as Tensor;
    const picked = await maskedSelect(y, y.gt(0) as Mask);
    expect(await picked.array()).toEqual([2, 8]);
    picked.mul(picked).sum().backward();
    expect(await w.grad?.array()).toEqual([
      [8, 0],
      [0, 32],
    ]);
    expect((await noGrad(() => maskedSelect(w, w.gt(0) as Mask))).requiresGrad).toBe(false);
  });

  test('positions, taken apart, index what they were found in', async () => {
    setDevice('cpu');
    const w = x();
    const positions = await nonzero(w.gt(0));
    expect(await positions.array()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(await w.index(...unbind(positions, 1)).array()).toEqual([1, 4]);
  });

  test('a compiled function says what keeps a fixed size, and takes it', async () => {
    setDevice('cpu');
    const w = x().detach();
    const calls: ((t: Tensor) => Promise<nabla.AnyTensor>)[] = [
      (t) => maskedSelect(t, t.gt(0) as Mask),
      (t) => nonzero(t),
    ];
    for (const select of calls) {
      const fault = compile(async (t: Tensor) => (await select(t)).sum())(w);
      await expect(fault).rejects.toThrow(CaptureError);
      await expect(fault).rejects.toThrow(
        /where\(mask, x, 0\), maskedFill\(.*\), or nonzero\(mask, \{ size, fill \}\)/,
      );
    }
    const sized = compile((t: Tensor) => [nonzero(t.gt(0), { size: 3, fill: -1 }), maskedFill(t, t.gt(0) as Mask, 7)]);
    for (let call = 0; call < 3; call++) {
      const [positions, filled] = (await sized(call === 2 ? (w.neg() as Tensor) : w)) as Tensor[];
      expect(await positions.array()).toEqual(
        call === 2
          ? [
              [0, 1],
              [1, 0],
              [-1, -1],
            ]
          : [
              [0, 0],
              [1, 1],
              [-1, -1],
            ],
      );
      expect(await filled.array()).toEqual(
        call === 2
          ? [
              [-1, 7],
              [7, -4],
            ]
          : [
              [7, -2],
              [-3, 7],
            ],
      );
    }
  });

  test('x.index refuses a mask and names what takes one', () => {
    const w = x();
    expect(() => w.index(w.gt(0) as never)).toThrow(/await maskedSelect\(x, mask\).*await nonzero\(mask\)/);
  });
});

test('of equal positions the last one is written, and has the gradient', async () => {
  setDevice('cpu');
  const zeros = () => nabla.zeros([3], { requiresGrad: true });
  const at = tensor(Int32Array.of(1, 1, 0));
  const calls: ((source: Tensor<[3]>) => Tensor<[3]>)[] = [
    (source) => nabla.scatter(zeros(), 0, at, source),
    (source) => nabla.indexCopy(zeros(), 0, at, source),
    (source) => nabla.indexPut(zeros(), [at], source),
  ];
  for (const call of calls) {
    const source = tensor([5, 6, 7], { requiresGrad: true });
    const y = call(source);
    expect(await y.array()).toEqual([7, 6, 0]);
    y.mul(tensor([1, 2, 3]))
      .sum()
      .backward();
    expect(await source.grad?.array()).toEqual([0, 2, 1]);
  }
});

test.each(['cpu', 'reference'])('indexPut at what a mask picks, on %s', async (device) => {
  setDevice(device);
  const x = (): Tensor<[2, 3]> =>
    tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { requiresGrad: true },
    );
  const picked = tensor([
    [true, false, true],
    [false, true, false],
  ]);
  const values = tensor([7, 8, 9], { requiresGrad: true });
  const [base, more] = [x(), x()];
  const written = nabla.indexPut(base, [picked], values);
  expect(await written.array()).toEqual([
    [7, 2, 8],
    [4, 9, 6],
  ]);
  const added = nabla.indexPut(more, [picked], values, { accumulate: true });
  expect(await added.array()).toEqual([
    [8, 2, 11],
    [4, 14, 6],
  ]);
  written.mul(x().detach()).add(added).sum().backward();
  expect(await values.grad?.array()).toEqual([2, 4, 6]); // x there, and one more
  expect(await base.grad?.array()).toEqual([
    [0, 2, 0],
    [4, 0, 6],
  ]);
  expect(await more.grad?.array()).toEqual([
    [1, 1, 1],
    [1, 1, 1],
  ]);

  const columns = tensor([true, false, true]);
  const rows = tensor([[10], [20]]);
  const calls: (readonly [Tensor, number[][]])[] = [
    [
      nabla.indexPut(x(), [null, columns], 0),
      [
        [0, 2, 0],
        [0, 5, 0],
      ],
    ],
    [
      nabla.indexPut(x(), [null, columns], rows),
      [
        [10, 2, 10],
        [20, 5, 20],
      ],
    ],
    [
      nabla.indexPut(x(), [null, columns], tensor([10, 20])),
      [
        [10, 2, 20],
        [10, 5, 20],
      ],
    ],
    [
      nabla.indexPut(x(), [tensor([false, true])], tensor([[7, 8, 9]])),
      [
        [1, 2, 3],
        [7, 8, 9],
      ],
    ],
    [
      nabla.indexPut(
        x(),
        [tensor([true, true])],
        tensor([
          [7, 8, 9],
          [1, 1, 1],
        ]),
      ),
      [
        [7, 8, 9],
        [1, 1, 1],
      ],
    ],
    [
      nabla.indexPut(x(), [tensor([false, false])], nabla.zeros([0, 3])),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      nabla.indexPut(x(), [tensor(true)], 7),
      [
        [7, 7, 7],
        [7, 7, 7],
      ],
    ],
  ];
  for (const [found, wanted] of calls) expect(await found.array()).toEqual(wanted);
  const truth = nabla.indexPut(columns, [columns], tensor([false, true]), { accumulate: true });
  expect(await truth.array()).toEqual([true, false, true]);
});

test('indexPut says what does not fit a mask', async () => {
  setDevice('cpu');
  const x = nabla.zeros([2, 3]);
  const picked = tensor([true, false, true]);
  expect(() => nabla.indexPut(x, [picked], 1)).toThrow('indexPut: mask [3] does not fit [2, 3] from dimension 0 on');
  expect(() => nabla.indexPut(x, [null, picked], nabla.zeros([3, 2]))).toThrow(
    'indexPut: values [3, 2] do not fit [2, 3] at what a mask [3] picks',
  );
  expect(() => nabla.indexPut(x, [tensor(Int32Array.of(0)), picked], 1)).toThrow(
    'indexPut: a mask stands beside other positions. Give positions in its place',
  );
  await expect(nabla.indexPut(x, [null, picked], nabla.zeros([3])).data()).rejects.toThrow(
    'indexPut: the mask picks 2 elements, and there are 3 values.',
  );
  await expect(nabla.indexPut(x, [null, picked], nabla.zeros([0])).data()).rejects.toThrow(
    'indexPut: the mask picks 2 elements, and there are no values.',
  );
});

test.each(['cpu', 'reference'])('logspace between tensors of rank 0, on %s', async (device) => {
  setDevice(device);
  const powers = nabla.logspace(tensor(-1), tensor(Int32Array.of(3), { shape: [] }), 5, { base: 2, dtype: 'float64' });
  const found = await powers.data();
  [0.5, 1, 2, 4, 8].forEach((wanted, i) => expect(found[i]).toBeCloseTo(wanted, 12));
  expect(await nabla.logspace(tensor(2), 5, 1).array()).toEqual([expect.closeTo(100, 4)]);
  expect(() => nabla.logspace(nabla.zeros([2]) as never, 1, 3)).toThrow('logspace: start [2] is not a number');
});

test('an index without elements may be of any numbers', async () => {
  setDevice('cpu');
  const none = nabla.zeros([0]) as unknown as Tensor<[0], 'int32'>;
  expect((await tensor([1, 2]).gather(0, none).data()).length).toBe(0);
  expect(() => tensor([1, 2]).gather(0, nabla.zeros([1]) as never)).toThrow('gather: index is float32');
});

test('positions in a shape that has more elements than int32 counts', async () => {
  setDevice('cpu');
  const at = tensor(Int32Array.of(0, 5, 2 ** 31 - 1, -1));
  const rows = nabla.unravelIndex(at, [4, 2 ** 30]);
  expect(await rows[0].array()).toEqual([0, 0, 1, 3]);
  expect(await rows[1].array()).toEqual([0, 5, 2 ** 30 - 1, 2 ** 30 - 1]);
  const columns = nabla.unravelIndex(at, [3, 2 ** 16, 2 ** 16]);
  expect(await columns[0].array()).toEqual([0, 0, 0, 2]);
  expect(() => nabla.unravelIndex(at, [2.5])).toThrow('unravelIndex: a size is 2.5');
});

test('positions out of range are named by the call that they were given to', async () => {
  setDevice('cpu');
  const x = nabla.zeros([3]);
  const at = tensor(Int32Array.of(0, 3));
  const source = tensor([1, 2]);
  const calls: Record<string, () => Tensor> = {
    take: () => nabla.take(x, at) as unknown as Tensor,
    takeAlongDim: () => nabla.takeAlongDim(x, at, 0),
    indexAdd: () => nabla.indexAdd(x, 0, at, source) as unknown as Tensor,
    indexCopy: () => nabla.indexCopy(x, 0, at, source) as unknown as Tensor,
    indexFill: () => nabla.indexFill(x, 0, at, 1) as unknown as Tensor,
    indexPut: () => nabla.indexPut(x, [at], source) as unknown as Tensor,
    scatter: () => nabla.scatter(x, 0, at, source) as unknown as Tensor,
    scatterReduce: () => nabla.scatterReduce(x, 0, at, source, 'amax') as unknown as Tensor,
  };
  for (const [name, call] of Object.entries(calls))
    await expect(call().data()).rejects.toThrow(
      new RegExp(`^${name}: (index )?3 is out of range for dimension 0 with size 3`),
    );
});
