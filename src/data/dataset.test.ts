// ArrayDataset: batches, items, subsets and splits over shared arrays; DataLoader: every sample once, seeded; digits.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ArgumentError, IndexError, setDevice, tensor, type Tensor } from '../index.js';
import { HostRandom } from '../tensor/host-random.js';
import { ArrayDataset, DataLoader, SampleError, digits, jitter } from './index.js';

beforeAll(() => setDevice('reference'));

function numbered(count: number) {
  return new ArrayDataset({
    x: { data: Float32Array.from({ length: count * 2 }, (_, i) => i), shape: [2] as const },
    y: { data: Int32Array.from({ length: count }, (_, i) => i), shape: [] as const },
  });
}

test('a batch holds the asked items in order, an item has no batch dimension', async () => {
  const data = numbered(4);
  const { x, y } = data.batch([3, 0]);
  const typed: [Tensor<[number, 2]>, Tensor<[number], 'int32'>] = [x, y];
  expect(await typed[0].array()).toEqual([
    [6, 7],
    [0, 1],
  ]);
  expect(await typed[1].array()).toEqual([3, 0]);
  const item = data.subset([2, 1]).get(1);
  expect([item.x.shape, await item.x.array(), item.y.shape, await item.y.item()]).toEqual([[2], [2, 3], [], 1]);
  expect([...data.subset([2, 1]).column('y')]).toEqual([2, 1]);
});

test('items outside and fields that do not fit are refused', () => {
  expect(() => numbered(4).batch([4])).toThrow(new IndexError('dataset: item 4 of 4. Use 0 to 3.', 4, 4));
  expect(() => numbered(4).subset([-1])).toThrow(IndexError);
  const [x, y] = [new Float32Array(4), new Int32Array(3)];
  expect(() => new ArrayDataset({ x: { data: x, shape: [2] }, y: { data: y, shape: [] } })).toThrow(
    'ArrayDataset: x has 2 items, y has 3. Give one for each.',
  );
  expect(() => new ArrayDataset({ x: { data: x, shape: [3] } })).toThrow(ArgumentError);
});

test('a loader gives every sample once an epoch, in an order that follows from seed and epoch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        count: fc.integer({ min: 1, max: 40 }),
        batchSize: fc.integer({ min: 1, max: 12 }),
        shuffle: fc.boolean(),
        seed: fc.integer(),
      }),
      async ({ count, batchSize, shuffle, seed }) => {
        const loader = new DataLoader(numbered(count), { batchSize, shuffle, seed });
        const seen: number[] = [];
        let batches = 0;
        for await (const { y } of loader) {
          seen.push(...(await y.data()));
          batches++;
        }
        expect(batches).toBe(loader.length);
        expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect([...loader.order(0)]).toEqual(seen);
        expect(new DataLoader(numbered(count), { shuffle, seed }).order(0)).toEqual(loader.order(0));
        if (!shuffle) expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 40 },
  );
});

test('epochs differ, dropLast drops what is not full, an epoch can begin in its middle', async () => {
  const loader = new DataLoader(numbered(25), { batchSize: 10, shuffle: true, seed: 5, dropLast: true });
  expect(loader.length).toBe(2);
  expect(loader.order(0)).not.toEqual(loader.order(1));
  const collect = async (batches: AsyncIterable<{ y: Tensor<[number], 'int32'> }>) => {
    const out: number[][] = [];
    for await (const { y } of batches) out.push([...(await y.data())]);
    return out;
  };
  const whole = await collect(loader);
  expect(whole.map((b) => b.length)).toEqual([10, 10]);
  expect(loader.epoch).toBe(1);
  expect(await collect(loader.batches(0, 1))).toEqual(whole.slice(1));
  expect(await collect(loader)).not.toEqual(whole);
  expect(() => new DataLoader(numbered(1), { batchSize: 0 })).toThrow(ArgumentError);
});

test('datasets of single items are put together: records, numbers, arrays, tensors', async () => {
  const dataset = {
    length: 3,
    get: (i: number) => ({ a: i, b: Int32Array.of(i, -i), c: tensor([[i]]) }),
  };
  const { value: batch } = await new DataLoader(dataset, { batchSize: 3 }).batches(0).next();
  if (batch === undefined) throw new Error('no batch');
  const a: Tensor<[number]> = batch.a;
  const b: Tensor<[number, number], 'int32'> = batch.b;
  const c: Tensor<number[]> = batch.c;
  expect(await Promise.all([a, b, c].map((t) => t.array()))).toEqual([
    [0, 1, 2],
    [
      [0, 0],
      [1, -1],
      [2, -2],
    ],
    [[[0]], [[1]], [[2]]],
  ]);
});

test('an augmentation changes what loaders draw, the same way each time, and nothing else', async () => {
  const data = numbered(6).augmented(({ x }, random) => x.data.forEach((v, i) => (x.data[i] = v + random.uniform())));
  const draw = async (epoch: number) => {
    const loader = new DataLoader(data, { batchSize: 6, seed: 1 });
    for await (const { x } of loader.batches(epoch)) return [...(await x.data())];
    return [];
  };
  const first = await draw(0);
  expect(await draw(0)).toEqual(first);
  expect(await draw(1)).not.toEqual(first);
  expect(await data.batch([0]).x.array()).toEqual([[0, 1]]);
});

test('digits: 1,797 images of 8 x 8 with their labels', async () => {
  const data = digits();
  expect(data.length).toBe(1797);
  const counts = new Array<number>(10).fill(0);
  for (const label of data.column('y')) counts[label]++;
  expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // as scikit-learn's documentation lists them
  const pixels = data.column('x').map((v) => v * 16);
  expect(pixels.every((v) => Number.isInteger(v) && v >= 0 && v <= 16)).toBe(true);
  expect(pixels.reduce((a, b) => a + b, 0)).toBe(561718);
  const first = await data.get(0).x.reshape([64]).mul(16).data();
  expect([...first].slice(0, 16)).toEqual([0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
  const { train, test: rest } = data.split({ train: 0.8, test: 0.2 }, { stratify: 'y' });
  expect([train.length, rest.length]).toEqual([1438, 359]);
});

test('jitter without room to move changes nothing; a whole shift moves pixels', () => {
  const image = () => ({ data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [1, 1, 4, 4] });
  const still = image();
  jitter(still, new HostRandom(1), {});
  expect(still).toEqual(image());
  const up = { between: (lo: number) => lo } as unknown as HostRandom; // the lowest of each range
  const moved = image();
  jitter(moved, up, { shift: 1 });
  expect([...moved.data]).toEqual([5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 0, 0, 0, 0]);
  const turned = image();
  jitter(turned, up, { rotate: 90 });
  expect([...turned.data].map(Math.round).toSorted((a, b) => a - b)).toEqual([...image().data]);
  expect(() => jitter({ data: new Float32Array(4), shape: [2, 2] }, up, {})).toThrow(ArgumentError);
});

test('transforms change shape and type; their random numbers follow from seed, epoch and position alone', async () => {
  const data = new ArrayDataset({
    x: { data: Uint8Array.from({ length: 24 }, (_, i) => i * 10), shape: [1, 2, 2] as const },
    y: { data: Int32Array.from({ length: 6 }, (_, i) => i), shape: [] as const },
  });
  const bytes: Tensor<[number, 1, 2, 2]> = data.batch([5]).x;
  expect([bytes.dtype, await bytes.array()]).toEqual([
    'float32',
    [
      [
        [
          [200, 210],
          [220, 230],
        ],
      ],
    ],
  ]);
  const noisy = data
    .transformed('x', ({ data: pixels }, random) => ({
      data: Float32Array.from(pixels.subarray(0, 2), (v) => v + random.uniform()),
      shape: [2] as const,
    }))
    .transformed('x', ({ data: v, shape }) => ({ data: v.map((e) => e * 2), shape }));
  const draw = async (batchSize: number, shuffle: boolean, epoch = 0) => {
    const byItem: number[][] = [];
    for await (const { x, y } of new DataLoader(noisy, { batchSize, shuffle, seed: 3 }).batches(epoch)) {
      const pairs: Tensor<[number, 2]> = x;
      const rows = await pairs.data();
      (await y.data()).forEach((label, i) => (byItem[label] = Array.from(rows.subarray(2 * i, 2 * i + 2))));
    }
    return byItem;
  };
  const first = await draw(6, false);
  expect(first.every((row, i) => row[0] >= i * 80 && row[0] < i * 80 + 2)).toBe(true);
  expect(await draw(1, true)).toEqual(first);
  expect(await draw(4, true)).toEqual(first);
  expect(await draw(4, true, 1)).not.toEqual(first);
  expect(noisy.column('x')).toEqual(noisy.gather([0, 1, 2, 3, 4, 5]).x.data);
  expect([...noisy.subset([2]).column('y')]).toEqual([2]);
});

test('transforms of whole samples may exchange fields and add new ones', () => {
  const data = new ArrayDataset({
    a: { data: Float32Array.of(1, 2, 3), shape: [] as const },
    b: { data: Float32Array.of(4, 5, 6), shape: [] as const },
  }).transformedSamples(({ a, b }) => ({ a: b, b: a, c: { data: Int32Array.of(7), shape: [] as const } }));
  const { a, b, c } = data.gather([2, 0]);
  expect([[...a.data], [...b.data], [...c.data]]).toEqual([
    [6, 4],
    [3, 1],
    [7, 7],
  ]);
});

test('a transform that fails names the sample; samples of different shapes do not go into one batch', () => {
  const fail = numbered(4).transformed('x', (x) => {
    if (x.data[0] === 4) throw new RangeError('no twos');
    return x;
  });
  let error: unknown;
  try {
    fail.batch([0, 2]);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(SampleError);
  const { index, message, cause } = error as SampleError;
  expect([index, message]).toEqual([2, 'dataset: sample 2 cannot be made (RangeError: no twos).']);
  expect(cause).toBeInstanceOf(RangeError);
  const ragged = numbered(4).transformed('x', ({ data }) => {
    const part = data.slice(0, data[0] === 0 ? 2 : 1);
    return { data: part, shape: [part.length] };
  });
  expect(() => ragged.batch([0, 1])).toThrow(
    /field x is Float32Array \[1\], but Float32Array \[2\] in the batch's first/,
  );
  expect(() => numbered(4).column('z' as 'x')).toThrow("column: there is no field 'z'. Use one of 'x', 'y'.");
});
