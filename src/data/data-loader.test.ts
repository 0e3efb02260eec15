// DataLoader: samplers, collation, iterable datasets, preparing ahead, and what it refuses.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ArgumentError, setDevice, type Tensor } from '../index.js';
import { DataLoader, StratifiedSampler } from './index.js';

beforeAll(() => setDevice('reference'));

const numbers = (length: number) => ({ length, get: (i: number) => i });
const stream = (length: number, counter = { pulled: 0 }) => ({
  async *iterate(epoch: number) {
    for (let i = 0; i < length; i++) {
      counter.pulled++;
      yield epoch * 1000 + i;
    }
  },
});

async function collect(batches: AsyncIterable<Tensor<[number]>>): Promise<number[][]> {
  const out: number[][] = [];
  for await (const batch of batches) out.push([...(await batch.data())]);
  return out;
}

test('a sampler decides which items come, in which order', async () => {
  const reversed = { length: 3, order: (epoch: number) => Int32Array.of(2, 1 + epoch, 0) };
  const loader = new DataLoader(numbers(4), { batchSize: 2, sampler: reversed });
  expect(loader.length).toBe(2);
  expect(await collect(loader)).toEqual([[2, 1], [0]]);
  expect(await collect(loader)).toEqual([[2, 2], [0]]);
  const sampler = new StratifiedSampler([0, 0, 0, 0, 1, 1], { batchSize: 3 });
  for (const batch of await collect(new DataLoader(numbers(6), { batchSize: 3, sampler }))) {
    expect(batch.filter((i) => i >= 4)).toHaveLength(1);
  }
});

test('items of text, truth values, images and bytes are put together', async () => {
  const dataset = {
    length: 2,
    get: (i: number) => ({
      name: `n${i}`,
      isOdd: i % 2 === 1,
      image: { data: Float32Array.of(i, -i), shape: [1, 1, 2] as const },
      bytes: Uint8Array.of(i, 255),
    }),
  };
  for await (const batch of new DataLoader(dataset, { batchSize: 2 })) {
    const names: string[] = batch.name;
    const flags: Tensor<[number], 'bool'> = batch.isOdd;
    const image: Tensor<[number, 1, 1, 2]> = batch.image;
    expect(names).toEqual(['n0', 'n1']);
    expect(await flags.array()).toEqual([false, true]);
    expect(await image.array()).toEqual([[[[0, -0]]], [[[1, -1]]]]);
    expect([batch.bytes.dtype, await batch.bytes.array()]).toEqual([
      'float32',
      [
        [0, 255],
        [1, 255],
      ],
    ]);
  }
  const ragged = { length: 2, get: (i: number) => new Float32Array(i + 1) };
  await expect(new DataLoader(ragged, { batchSize: 2 }).batches(0).next()).rejects.toThrow(
    'items of shapes [1] and [2] in one batch',
  );
  const odd = { length: 1, get: () => null };
  await expect(new DataLoader(odd).batches(0).next()).rejects.toThrow('cannot put null into a batch');
});

test('a collate function makes the batches', async () => {
  const loader = new DataLoader(numbers(5), { batchSize: 2, collate: (items) => items.join('+') });
  const out: string[] = [];
  for await (const text of loader) out.push(text);
  expect(out).toEqual(['0+1', '2+3', '4']);
});

test('iterable datasets: batches in order, dropLast, epochs, entering in the middle', async () => {
  const loader = new DataLoader(stream(5), { batchSize: 2 });
  expect(loader.length).toBeUndefined();
  expect(await collect(loader)).toEqual([[0, 1], [2, 3], [4]]);
  expect(await collect(loader)).toEqual([[1000, 1001], [1002, 1003], [1004]]);
  expect(await collect(loader.batches(0, 1))).toEqual([[2, 3], [4]]);
  expect(await collect(loader.batches(0, 9))).toEqual([]);
  expect(await collect(new DataLoader(stream(5), { batchSize: 2, dropLast: true }))).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(new DataLoader({ ...stream(5), length: 5 }, { batchSize: 2 }).length).toBe(3);
  const list = { iterate: () => [3, 4] };
  expect(await collect(new DataLoader(list, { prefetch: 2 }))).toEqual([[3], [4]]);
});

test('a generator object serves one epoch, and says so when a second is asked for', async () => {
  const once = new DataLoader(stream(2).iterate(0));
  expect(await collect(once)).toEqual([[0], [1]]);
  await expect(collect(once)).rejects.toThrow('a generator can be gone through only once');
});

test('a shuffle buffer yields every item once, differently in each epoch, and can be entered in the middle', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(5),
      fc.nat(3),
      async (n, size, from, prefetch) => {
        const loader = new DataLoader(stream(n), { batchSize: 3, shuffleBuffer: size, seed: 4, prefetch });
        const whole = await collect(loader.batches(0));
        expect(whole.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(await collect(loader.batches(0, from))).toEqual(whole.slice(from));
        whole.flat().forEach((item, i) => expect(item).toBeLessThan(i + size)); // none comes before it is in the window
      },
    ),
    { numRuns: 40 },
  );
  const [a, b] = [0, 1].map((epoch) =>
    collect(new DataLoader(stream(30), { shuffleBuffer: 10, seed: 1 }).batches(epoch)),
  );
  expect((await a).flat()).not.toEqual((await b).map(([v]) => v - 1000));
});

test('preparing ahead is bounded, and leaving early closes the source', async () => {
  const counter = { pulled: 0 };
  let isClosed = false;
  const dataset = {
    async *iterate(epoch: number) {
      try {
        yield* stream(1000, counter).iterate(epoch);
      } finally {
        isClosed = true;
      }
    },
  };
  for await (const _ of new DataLoader(dataset, { batchSize: 2, prefetch: 3 })) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(counter.pulled).toBe(8);
    break;
  }
  expect(isClosed).toBe(true);
  expect(counter.pulled).toBe(8);
});

test('a source that fails ends the epoch after what came before', async () => {
  async function* failing() {
    yield 1;
    throw new RangeError('the line is cut');
  }
  const seen: number[][] = [];
  await expect(
    (async () => {
      for await (const batch of new DataLoader(failing(), { prefetch: 2 })) seen.push([...(await batch.data())]);
    })(),
  ).rejects.toThrow('the line is cut');
  expect(seen).toEqual([[1]]);
});

const sampler = { length: 1, order: () => Int32Array.of(0) };
test.each([
  [() => new DataLoader(numbers(2), { shuffle: true, sampler }), 'shuffle and a sampler both decide the order'],
  [() => new DataLoader(numbers(2), { shuffleBuffer: 2 }), 'shuffleBuffer is for iterable datasets'],
  [() => new DataLoader(numbers(2), { prefetch: 0.5 }), 'prefetch is 0.5. Use a whole number of at least 0.'],
  [() => new DataLoader(stream(2), { shuffle: true }), 'an iterable dataset cannot be shuffled'],
  [() => new DataLoader(stream(2), { sampler }), 'a sampler needs a dataset with positions'],
  [() => new DataLoader(stream(2), { workers: 1 }), 'workers need a dataset with positions'],
  [() => new DataLoader(stream(2)).order(0), 'the items of an iterable dataset have no positions'],
])('%# options that do not go together are named', (make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});
