// Worker threads: the same batches whatever their number, errors that name the sample, threads that end.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { NablaError, setDevice, type Tensor } from '../index.js';
import { ArgumentError } from '../tensor/library.js';
import { type ArrayDataset, DataLoader, SampleError, workerDataset } from './index.js';

interface Sample {
  image: { data: Uint8Array; shape: readonly [1, 2, 2] };
  noise: Float32Array;
  label: number;
  name: string;
  nested: { id: Int32Array };
}
interface Args {
  count: number;
  fail?: number;
  exit?: number;
  exitAfter?: number;
  wrong?: boolean;
  shared?: Int32Array;
  threadCount?: number;
}
interface Module {
  default(args: Args): { length: number; get(index: number): Promise<Sample> };
}

const url = new URL('../../test/fixtures/worker-dataset.mjs', import.meta.url);
const make = (args: Args) => workerDataset<Module>(url, args);
const memory = () => new Int32Array(new SharedArrayBuffer(16));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(() => setDevice('reference'));

async function read({ image, noise, label, name, nested }: Record<string, unknown>): Promise<unknown> {
  const numbers = (t: unknown) => (t as Tensor).array();
  const id = (nested as { id: unknown }).id;
  return [(image as Tensor).shape, ...(await Promise.all([image, noise, label, id].map(numbers))), name];
}

async function collect(batches: AsyncIterable<Record<string, unknown>>): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const batch of batches) out.push(await read(batch));
  return out;
}

test('0, 1 and 2 workers give the same batches, from the beginning and from the middle of an epoch', async () => {
  const dataset = await make({ count: 13 });
  const options = { batchSize: 4, shuffle: true, seed: 7 };
  const here = await collect(new DataLoader(dataset, options).batches(1));
  expect(here).toHaveLength(4);
  for (const more of [{ workers: 1 }, { workers: 2 }, { workers: 2, prefetch: 1 }, { prefetch: 3 }]) {
    const loader = new DataLoader(dataset, { ...options, ...more });
    expect(await collect(loader.batches(1))).toEqual(here);
    expect(await collect(loader.batches(1, 2))).toEqual(here.slice(2));
  }
  expect(await collect(new DataLoader(dataset, { ...options, workers: 1 }).batches(2))).not.toEqual(here);
});

test('a sample that fails is named, with its cause, after the batches before it', async () => {
  const dataset = await make({ count: 8, fail: 5 });
  for (const workers of [0, 2]) {
    let seen = 0;
    let error: unknown;
    try {
      for await (const _ of new DataLoader(dataset, { batchSize: 2, workers })) seen++;
    } catch (caught) {
      error = caught;
    }
    expect(seen).toBe(2);
    expect(error).toBeInstanceOf(SampleError);
    const { index, message, cause } = error as SampleError & { cause: Error };
    expect(index).toBe(5);
    expect(message).toBe('dataset: sample 5 cannot be made (RangeError: sample 5 is broken).');
    expect([cause.name, cause.message]).toEqual(['RangeError', 'sample 5 is broken']);
    expect(cause.stack).toMatch('worker-dataset.mjs');
  }
});

test('no more is made than the batch in use and those ahead; leaving the loop ends the threads', async () => {
  const shared = memory();
  const dataset = await make({ count: 1000, shared });
  for await (const _ of new DataLoader(dataset, { batchSize: 3, workers: 2, prefetch: 2 })) {
    await pause(120);
    expect(Atomics.load(shared, 0)).toBe(9);
    break;
  }
  // This thread's own dataset has the only heart that still beats.
  const before = Atomics.load(shared, 0);
  const [beats, begin] = [Atomics.load(shared, 1), performance.now()];
  await pause(100);
  expect(Atomics.load(shared, 0)).toBe(before);
  const expected = performance.now() - begin;
  expect(Atomics.load(shared, 1) - beats).toBeLessThan(1.6 * expected + 10);
});

test('memory can be shared with the threads', async () => {
  const shared = memory();
  const dataset = await make({ count: 2, shared });
  Atomics.store(shared, 2, 77);
  for await (const { nested } of new DataLoader(dataset, { batchSize: 2, workers: 1 })) {
    expect(await nested.id.array()).toEqual([[77], [77]]);
  }
});

test('persistent workers serve several epochs and end with close', async () => {
  const dataset = await make({ count: 6 });
  const options = { batchSize: 2, shuffle: true, seed: 3 };
  await using loader = new DataLoader(dataset, { ...options, workers: 2, persistentWorkers: true });
  for (const epoch of [0, 1]) {
    expect(await collect(loader.batches(epoch))).toEqual(
      await collect(new DataLoader(dataset, options).batches(epoch)),
    );
  }
  for await (const _ of loader.batches(2)) break;
  expect(await collect(loader.batches(3))).toHaveLength(3);
});

test('persistent workers that have ended say so in every later epoch, and close all the same', async () => {
  const dataset = await make({ count: 6, exit: 3 });
  const loader = new DataLoader(dataset, { batchSize: 2, workers: 1, persistentWorkers: true });
  for (const epoch of [0, 1, 2]) {
    await expect(collect(loader.batches(epoch))).rejects.toThrow(
      'DataLoader: a worker stopped (the thread ended with code 3).',
    );
  }
  await loader[Symbol.asyncDispose]();
});

test('a collate function gets the items that workers made', async () => {
  const dataset = await make({ count: 4 });
  const loader = new DataLoader(dataset, {
    batchSize: 2,
    workers: 1,
    collate: (items) => items.map(({ name }) => name),
  });
  const names: string[][] = [];
  for await (const batch of loader) names.push(batch);
  expect(names).toEqual([
    ['sample 0', 'sample 1'],
    ['sample 2', 'sample 3'],
  ]);
});

test('what workers cannot do is an error that says so', async () => {
  const first = async (args: Args) => {
    for await (const _ of new DataLoader(await make(args), { batchSize: 2, workers: 1 })) break;
  };
  await expect(first({ count: 4, exit: 1 })).rejects.toThrow('a worker stopped (the thread ended with code 3)');
  await expect(first({ count: 4, wrong: true })).rejects.toThrow('a Map cannot be sent from a worker');
  await expect(first({ count: 4, threadCount: 5 })).rejects.toThrow(
    'made a dataset of 5 samples in a worker, and one of 4',
  );
  await expect(workerDataset(new URL('../../scripts/staleness.mjs', import.meta.url))).rejects.toThrow(
    /staleness.mjs has no default export/,
  );
  const plain = { length: 2, get: (i: number) => i };
  expect(() => new DataLoader(plain, { workers: 1 })).toThrow(/Make it with workerDataset/);
  expect(() => new DataLoader(plain, { workers: -1 })).toThrow(ArgumentError);
  const unsafe = await make({ count: 4 });
  const broken = { ...unsafe, length: 4 };
  expect(() => new DataLoader(broken, { workers: 1 })).toThrow(ArgumentError);
  await expect(first({ count: 4, exit: 0 })).rejects.toThrow(NablaError);
});

test('a persistent worker that exits ends its epoch with an error; the next one begins with new threads', async () => {
  const shared = memory();
  const dataset = await make({ count: 6, exit: 2 });
  const loader = new DataLoader(dataset, { batchSize: 1, workers: 2, persistentWorkers: true });
  const whole = async () => {
    for await (const _ of loader);
  };
  for (let epoch = 0; epoch < 3; epoch++)
    await expect(whole()).rejects.toThrow('a worker stopped (the thread ended with code 3)');
  await loader.close();

  // one that ends while nothing is asked of it
  const later = await make({ count: 4, shared, exitAfter: 60 });
  const patient = new DataLoader(later, { batchSize: 2, workers: 1, persistentWorkers: true });
  const read = async () => {
    let count = 0;
    for await (const _ of patient) count++;
    return count;
  };
  expect(await read()).toBe(2);
  for (let waited = 0; shared[3] === 0 && waited < 100; waited++) await pause(20);
  await pause(50);
  await expect(read()).rejects.toThrow('a worker stopped');
  expect(await read()).toBe(2);
  await patient.close();
});

const isBuilt = existsSync(new URL('../../dist/data/index.js', import.meta.url));

test.skipIf(!isBuilt)('an ArrayDataset is gathered and transformed in workers (needs npm run build)', async () => {
  const arrays = new URL('../../test/fixtures/worker-arrays.mjs', import.meta.url);
  interface Arrays {
    default(args: { count: number; fail?: number }): ArrayDataset<{
      x: { data: Float32Array; shape: readonly [1, 2, 2] };
      y: { data: Int32Array; shape: readonly [] };
    }>;
  }
  const dataset = await workerDataset<Arrays>(arrays, { count: 10 });
  const draw = async (workers: number) => {
    const out: unknown[] = [];
    for await (const { x, y } of new DataLoader(dataset, { batchSize: 4, shuffle: true, seed: 1, workers })) {
      out.push(x.shape, await x.array(), await y.array());
    }
    return out;
  };
  expect(await draw(2)).toEqual(await draw(0));
  const failing = await workerDataset<Arrays>(arrays, { count: 10, fail: 6 });
  const all = async () => {
    for await (const _ of new DataLoader(failing, { batchSize: 4, workers: 1 }));
  };
  await expect(all()).rejects.toThrow('dataset: sample 6 cannot be made (RangeError: broken).');
});

test.skipIf(!isBuilt)('a program that waits for a thread to end goes on (needs npm run build)', () => {
  // A process of its own: only there does nothing else keep the event loop alive. The thread becomes idle while it is stopped.
  const script = `
    import { startNodeThread } from '${new URL('../../dist/internals.js', import.meta.url).href}';
    const thread = startNodeThread('const start = (port) => port.listen(() => port.post({}));');
    thread.listen(() => {}, () => {});
    thread.setBusy(true);
    const end = thread.stop();
    thread.setBusy(false);
    await end;
    console.log('ended');
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'ended\n' });
});
