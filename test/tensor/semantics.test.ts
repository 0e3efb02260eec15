// What the public functions give, beside plain arithmetic: values known from NumPy and PyTorch, on every device.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  type Tensor,
  arange,
  avgPool2d,
  cat,
  compile,
  conv1d,
  conv2d,
  convTranspose2d,
  disposeDevices,
  embedding,
  eye,
  full,
  getRandomState,
  graphOf,
  linspace,
  manualSeed,
  maxPool2d,
  memoryStats,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  randperm,
  setDevice,
  setRandomState,
  stack,
  tensor,
  where,
  zeros,
  zerosLike,
} from 'nabla';

const read = (t: AnyTensor): Promise<unknown> => t.array();
const m = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
const ODD_ROWS = [
  [1, 1, 1],
  [1, NaN, 2],
  [-Infinity, 1, 1],
  [Infinity, 1, 2],
  [-Infinity, -Infinity, -Infinity],
];
const THIRDS = [0.3333, 0.3333, 0.3333];
const NANS = [NaN, NaN, NaN];
const round = (values: unknown, digits = 4): unknown =>
  Array.isArray(values)
    ? values.map((v) => round(v, digits))
    : typeof values === 'number'
      ? Number(values.toFixed(digits))
      : values;

afterAll(() => disposeDevices());

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));

  const rows: [name: string, make: () => AnyTensor, expected: unknown][] = [
    ['arange', () => arange(3) as AnyTensor, [0, 1, 2]],
    ['arange with start and step', () => arange(5, 0, -2) as AnyTensor, [5, 3, 1]],
    ['linspace', () => linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1]],
    [
      'eye',
      () => eye(2, 3),
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ],
    ['full', () => full([2], 7, { dtype: 'int32' }) as AnyTensor, [7, 7]],
    [
      'zerosLike and onesLike',
      () => cat([zerosLike(m()), onesLike(m())]),
      [
        [0, 0, 0],
        [0, 0, 0],
        [1, 1, 1],
        [1, 1, 1],
      ],
    ],
    ['int32 + float32 is float32', () => tensor(Int32Array.of(1, 2)).add(0.5), [1.5, 2.5]],
    ['int32 division is float32', () => tensor(Int32Array.of(7, -7)).div(2), [3.5, -3.5]],
    ['floorDivide', () => tensor(Int32Array.of(7, -7)).floorDivide(2) as AnyTensor, [3, -4]],
    ['remainder has the sign of the divisor', () => tensor([5, -5, 5]).remainder(tensor([3, 3, -3])), [2, 1, -1]],
    ['bool sums as int32', () => tensor([true, true, false]).sum() as AnyTensor, 2],
    ['comparison', () => tensor([1, 2, 3]).ge(2) as AnyTensor, [false, true, true]],
    ['logic', () => tensor([true, false]).logicalXor(tensor([true, true])) as AnyTensor, [false, true]],
    ['round goes to even', () => tensor([0.5, 1.5, 2.5, -0.5]).round(), [0, 2, 2, -0]],
    ['clamp', () => tensor([-2, 0.5, 3]).clamp(0, 1), [0, 0.5, 1]],
    ['sign', () => tensor([-2, 0, 3]).sign(), [-1, 0, 1]],
    ['where', () => where(tensor([true, false]), tensor([1, 2]), 0), [1, 0]],
    ['lerp', () => tensor([0, 10]).lerp(tensor([10, 20]), 0.25), [2.5, 12.5]],
    ['sum over one dimension', () => m().sum(0), [5, 7, 9]],
    ['sum with keepdim', () => m().sum(1, { keepdim: true }), [[6], [15]]],
    ['sum over two dimensions', () => ones([2, 3, 4]).sum([0, 2]), [8, 8, 8]],
    ['mean of nothing is NaN', () => zeros([0]).mean(), NaN],
    ['sum of nothing is 0', () => zeros([0, 2]).sum(0), [0, 0]],
    ['prod of nothing is 1', () => zeros([0]).prod(), 1],
    ['variance', () => tensor([1, 2, 3, 4]).var(), 1.6667],
    ['variance without correction', () => tensor([1, 2, 3, 4]).var(undefined, { correction: 0 }), 1.25],
    ['norm', () => tensor([3, 4]).norm(), 5],
    ['norm of infinity', () => tensor([3, -4]).norm(Infinity), 4],
    ['maximum along a dimension', () => m().max(1).values, [3, 6]],
    ['index of the maximum', () => m().max(1).indices as AnyTensor, [2, 2]],
    ['NaN is the maximum', () => tensor([1, NaN, 3]).max(), NaN],
    ['argmax takes the first', () => tensor([3, 1, 3]).argmax() as AnyTensor, 0],
    ['argmin of a matrix', () => m().argmin(0) as AnyTensor, [0, 0, 0]],
    ['any and all', () => stack([m().gt(5).any(), m().gt(0).all()]) as AnyTensor, [true, true]],
    [
      'cumsum',
      () => m().cumsum(1),
      [
        [1, 3, 6],
        [4, 9, 15],
      ],
    ],
    ['sort is stable and puts NaN last', () => tensor([3, NaN, 1, 2]).sort().values, [1, 2, 3, NaN]],
    ['argsort descending', () => tensor([3, 1, 2]).argsort(-1, true) as AnyTensor, [0, 2, 1]],
    ['topk', () => tensor([3, 9, 1, 5]).topk(2).indices as AnyTensor, [1, 3]],
    ['smallest', () => tensor([3, 9, 1, 5]).topk(2, -1, { largest: false }).values, [1, 3]],
    ['softmax of large numbers', () => tensor([1000, 1000]).softmax(0), [0.5, 0.5]],
    ['log-softmax', () => tensor([0, 0]).logSoftmax(0), [-0.6931, -0.6931]],
    // NaN fills its row, and so does +∞ (∞ − ∞); −∞ is a probability of 0, unless there is nothing else
    ['softmax of odd rows', () => tensor(ODD_ROWS).softmax(1), [THIRDS, NANS, [0, 0.5, 0.5], NANS, NANS]],
    [
      'log-softmax of odd rows',
      () => tensor(ODD_ROWS).logSoftmax(1),
      [[-1.0986, -1.0986, -1.0986], NANS, [-Infinity, -0.6931, -0.6931], NANS, NANS],
    ],
    ['logsumexp of odd rows', () => tensor(ODD_ROWS).logsumexp(1), [2.0986, NaN, 1.6931, Infinity, -Infinity]],
    ['logsumexp of large numbers', () => tensor([1000, 1000]).logsumexp(0).sub(1000).mul(100).round(), 69],
    ['dot product', () => tensor([1, 2]).matmul(tensor([3, 4])), 11],
    ['vector times matrix', () => tensor([1, 1]).matmul(m()), [5, 7, 9]],
    ['matrix times vector', () => m().matmul(tensor([1, 0, 1])), [4, 10]],
    [
      'batches broadcast',
      () =>
        ones([2, 1, 1, 2])
          .matmul(ones([3, 2, 1]))
          .sum([2, 3]),
      [
        [2, 2, 2],
        [2, 2, 2],
      ],
    ],
    [
      'product over an empty dimension',
      () => zeros([2, 0]).matmul(zeros([0, 2])),
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'reshape with -1',
      () => m().reshape([3, -1]),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    [
      'transpose',
      () => m().transpose(0, 1),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      'T',
      () => m().T,
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      'permute',
      () => m().unsqueeze(0).permute([2, 0, 1]).squeeze(1),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      'expand',
      () => tensor([[1], [2]]).expand([2, 2]),
      [
        [1, 1],
        [2, 2],
      ],
    ],
    ['flatten', () => zeros([2, 3, 4]).flatten(1).sum(1), [0, 0]],
    ['pad with a value', () => tensor([1, 2]).pad([[1, 2]], 9), [9, 1, 2, 9, 9]],
    ['slice with a step', () => (arange(6) as AnyTensor).slice(0, -1, 0, -2) as AnyTensor, [5, 3, 1]],
    [
      'flip',
      () => m().flip(0, 1),
      [
        [6, 5, 4],
        [3, 2, 1],
      ],
    ],
    ['roll', () => (arange(4) as AnyTensor).roll(1, 0) as AnyTensor, [3, 0, 1, 2]],
    [
      'cat',
      () => cat([m(), m()], 1),
      [
        [1, 2, 3, 1, 2, 3],
        [4, 5, 6, 4, 5, 6],
      ],
    ],
    [
      'stack',
      () => stack([tensor([1, 2]), tensor([3, 4])], 1),
      [
        [1, 3],
        [2, 4],
      ],
    ],
    [
      'split',
      () => m().split([1, 2], 1)[1],
      [
        [2, 3],
        [5, 6],
      ],
    ],
    ['chunk', () => (arange(5) as AnyTensor).chunk(2)[1] as AnyTensor, [3, 4]],
    [
      'triangle',
      () => ones([2, 3]).tril(),
      [
        [1, 0, 0],
        [1, 1, 0],
      ],
    ],
    [
      'upper triangle',
      () => ones([2, 3]).triu(1),
      [
        [0, 1, 1],
        [0, 0, 1],
      ],
    ],
    ['index', () => m().index(-1, [0, 2]), [4, 5]],
    [
      'index by a vector',
      () => m().index(null, tensor(Int32Array.of(2, 0))),
      [
        [3, 1],
        [6, 4],
      ],
    ],
    ['gather', () => m().gather(1, tensor(Int32Array.of(2, 0), { shape: [2, 1] })), [[3], [4]]],
    [
      'scatterAdd adds what meets',
      () => zeros([3]).scatterAdd(0, tensor(Int32Array.of(0, 2, 0)), tensor([1, 2, 3]) as unknown as Tensor<[number]>),
      [4, 0, 2],
    ],
    [
      'indexSelect',
      () => m().indexSelect(1, tensor(Int32Array.of(1, 1))),
      [
        [2, 2],
        [5, 5],
      ],
    ],
    [
      'oneHot',
      () => tensor(Int32Array.of(1, 0)).oneHot(3),
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
    ],
    [
      'embedding',
      () =>
        embedding(
          tensor([
            [1, 2],
            [3, 4],
          ]),
          tensor(Int32Array.of(1, 1, 0)),
        ),
      [
        [3, 4],
        [3, 4],
        [1, 2],
      ],
    ],
    ['conv1d', () => conv1d(tensor([[[1, 2, 3, 4]]]), tensor([[[1, 0, -1]]])), [[[-2, -2]]]],
    [
      'conv2d with padding',
      () => conv2d(ones([1, 1, 3, 3]), ones([1, 1, 3, 3]), { padding: 1 }),
      [
        [
          [
            [4, 6, 4],
            [6, 9, 6],
            [4, 6, 4],
          ],
        ],
      ],
    ],
    [
      'conv2d in groups',
      () => conv2d(ones([1, 2, 2, 2]), tensor([[[[2]]], [[[3]]]]), { groups: 2 }),
      [
        [
          [
            [2, 2],
            [2, 2],
          ],
          [
            [3, 3],
            [3, 3],
          ],
        ],
      ],
    ],
    [
      'convTranspose2d',
      () => convTranspose2d(ones([1, 1, 2, 2]), ones([1, 1, 2, 2]), { stride: 1 }),
      [
        [
          [
            [1, 2, 1],
            [2, 4, 2],
            [1, 2, 1],
          ],
        ],
      ],
    ],
    [
      'maxPool2d',
      () => maxPool2d((arange(16) as AnyTensor).to('float32').reshape([1, 1, 4, 4]) as Tensor, 2),
      [
        [
          [
            [5, 7],
            [13, 15],
          ],
        ],
      ],
    ],
    [
      'avgPool2d with padding',
      () => avgPool2d(ones([1, 1, 2, 2]), 2, { padding: 1 }),
      [
        [
          [
            [0.25, 0.25],
            [0.25, 0.25],
          ],
        ],
      ],
    ],
    ['to bool', () => tensor([0, 2, NaN]).to('bool') as AnyTensor, [false, true, true]],
    ['to int32 truncates', () => tensor([1.9, -1.9]).to('int32') as AnyTensor, [1, -1]],
    ['erf and gelu', () => stack([tensor(1).erf(), tensor(1).gelu()]), [0.8427, 0.8413]],
    ['expm1 and log1p of tiny numbers', () => stack([tensor(1e-7).expm1(), tensor(1e-7).log1p()]).mul(1e7), [1, 1]],
  ];
  test.each(rows)('%s', async (_, make, expected) => {
    const t = make();
    expect(round(await read(t))).toEqual(round(expected));
  });

  test('shapes, dtypes and names of a tensor', async () => {
    const t = m().named('weights');
    expect([t.shape, t.rank, t.size, t.dtype, t.device]).toEqual([[2, 3], 2, 6, 'float32', device]);
    expect(String(tensor(Int32Array.of(1, 2)))).toBe(`Tensor([2], int32, ${device})`);
    expect(await tensor(5).item()).toBe(5);
    expect(await t.data()).toBeInstanceOf(device === 'reference' ? Float64Array : Float32Array);
    expect(await tensor([true]).data()).toEqual(Uint8Array.of(1));
  });

  test('random numbers follow from the seed and have the right moments', async () => {
    manualSeed(7);
    const a = await rand([1000]).data();
    const state = getRandomState();
    const b = await rand([1000]).data();
    expect(b).not.toEqual(a);
    setRandomState(state);
    expect(await rand([1000]).data()).toEqual(b);
    manualSeed(7);
    expect(await rand([1000]).data()).toEqual(a);
    expect(Math.min(...a)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...a)).toBeLessThan(1);
    const n = randn([20_000]);
    expect(Math.abs(await n.mean().item())).toBeLessThan(0.03);
    expect(Math.abs((await n.std().item()) - 1)).toBeLessThan(0.03);
    const dice = await randint(1, 7, [6000]).data();
    for (let face = 1; face <= 6; face++)
      expect(Math.abs(dice.filter((d) => d === face).length - 1000)).toBeLessThan(150);
    expect([...(await randperm(20).data())].sort((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('the same seed gives the same numbers on every device', async () => {
    manualSeed(3);
    const here = await randn([64]).data();
    setDevice(device === 'cpu' ? 'reference' : 'cpu');
    manualSeed(3);
    const there = await randn([64]).data();
    setDevice(device);
    here.forEach((x, i) => expect(x).toBeCloseTo(there[i], 5));
  });

  test('compile captures once for each shape and number and gives what the function gives', async () => {
    let calls = 0;
    const step = compile(
      (x: AnyTensor, scale: number) => {
        calls++;
        return { twice: x.mul(scale) as AnyTensor, sum: x.sum() as unknown as AnyTensor };
      },
      { check: false },
    );
    for (const [values, scale] of [
      [[1, 2], 2],
      [[3, 4], 2],
      [[5, 6, 7], 2],
      [[8, 9], 2],
      [[3, 4], 3],
      [[10, 11], 2],
    ] as [number[], number][]) {
      const { twice, sum } = await step(tensor(values) as AnyTensor, scale);
      expect(await twice.array()).toEqual(values.map((v) => v * scale));
      expect(await (sum as unknown as Tensor).item()).toBe(values.reduce((a, b) => a + b));
    }
    expect([calls, step.captures]).toEqual([3, 3]);
  });

  test('random draws in a compiled function are new at each call, the same as without compile', async () => {
    const run = async (fn: (x: AnyTensor) => AnyTensor | Promise<AnyTensor>) => {
      manualSeed(11);
      const out: unknown[] = [];
      for (let i = 0; i < 3; i++) out.push(await (await fn(tensor([0]) as AnyTensor)).array());
      return out;
    };
    const draw = (x: AnyTensor) => x.add(rand([1]) as AnyTensor) as AnyTensor;
    const plain = await run(draw);
    expect(new Set(plain.flat()).size).toBe(3);
    expect(await run(compile(draw))).toEqual(plain);
  });

  test('graphOf gives nodes, edges, values and gradients, and draws them', async () => {
    const x = tensor([1, 2], { requiresGrad: true }).named('x');
    const graph = await graphOf(x.mul(x).sum() as AnyTensor, { values: true, gradients: true });
    expect(graph.nodes.map(({ op }) => op)).toEqual(['leaf', 'mul', 'sum', 'reshape']);
    expect(graph.edges).toEqual([
      [0, 1],
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(graph.nodes[1]).toMatchObject({ shape: [2], dtype: 'float32', value: [1, 4], gradient: [1, 1] });
    expect(graph.nodes[0].gradient).toEqual([2, 4]);
    expect(graph.toMermaid()).toMatch(/^flowchart TD[\s\S]*-->/);
    expect(graph.toDot()).toMatch(/^digraph[\s\S]*->/);
  });

  test('memoryStats counts what tensors hold, and disposing gives it back', () => {
    const before = memoryStats(device).usedBytes;
    const t = tensor(new Float32Array(1000));
    const during = memoryStats(device).usedBytes; // before anything is awaited, which may give garbage back
    expect(during - before).toBeGreaterThanOrEqual(4000);
    t[Symbol.dispose]();
    expect(memoryStats(device).usedBytes).toBeLessThanOrEqual(during - 4000);
  });
});

test.each(['reference', 'cpu'])(
  'on %s, a value that has been read is a value: nothing looks into how it was made',
  async (device) => {
    setDevice(device);
    const x = tensor([
      [1, -2],
      [3, 4],
    ]);
    const made = [
      x.neg(),
      x.reshape([4]),
      x.permute([1, 0]),
      x.gt(0).logicalNot(),
      zeros([0]).mean().expand([2]),
      x.sum(0).expand([2, 2]),
    ] as AnyTensor[];
    for (const t of made) {
      const before = await t.array();
      if (t.dtype !== 'bool') expect(await t.neg().neg().array()).toEqual(before);
      expect(
        await t
          .reshape([-1])
          .reshape(t.shape as number[])
          .array(),
      ).toEqual(before);
      if (t.rank === 2) expect(await t.transpose(0, 1).transpose(0, 1).array()).toEqual(before);
      expect(
        await t
          .maximum(t as never)
          .to(t.dtype)
          .array(),
      ).toEqual(before);
      expect(await t.logicalNot().logicalNot().array()).toEqual(await t.to('bool').array());
      expect(
        await t
          .unsqueeze(0)
          .expand([2, ...t.shape])
          .slice(0, 1)
          .squeeze(0)
          .array(),
      ).toEqual(before);
    }
  },
);
