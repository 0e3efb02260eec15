// Threads that end while somebody needs them, and devices that are disposed of while tensors live: one true sentence each,
// at once, never a hang.
import type { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { DeviceError, StaleTensorError, compile, disposeDevices, noGrad, randn, setDevice, tensor } from 'nabla';
import { Linear, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { registerDevice } from '../src/engine/engine.js';

/** The workers that `work` starts. */
async function startedBy(work: () => unknown): Promise<Worker[]> {
  const workers: Worker[] = [];
  const note = (worker: Worker): void => void workers.push(worker);
  process.on('worker', note);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 0)); // the event comes in the next tick
  process.off('worker', note);
  return workers;
}

async function threeThreads(): Promise<{ device: CpuDevice; workers: Worker[] }> {
  let device!: CpuDevice;
  registerDevice('three', () => (device = new CpuDevice({ name: 'three', threads: 3, tier: 'wasm' })));
  const workers = await startedBy(() => tensor([0], { device: 'three' }));
  await device.runtime.whenReady();
  expect(workers).toHaveLength(2);
  setDevice('three');
  return { device, workers };
}

afterEach(async () => {
  setDevice('cpu');
  await disposeDevices();
});

const large = () => randn([300, 300]);
const MESSAGE =
  'cpu: thread 2 of 3 has ended (the program terminated it), so nothing can be computed on this device any more. ' +
  'Tensors that have their numbers can still be read; then call disposeDevices() and create tensors anew.';

test('a terminated thread is noticed at once; numbers can be read, and a new device computes again', async () => {
  const { workers } = await threeThreads();
  const x = large();
  const sum = await x.matmul(x).sum().item();
  const kept = tensor([1, 2, 3]);
  void workers[1].terminate();
  const again = x.matmul(x).sum(); // the program is loaded: nothing but its run asks for the thread
  await expect(again.item()).rejects.toThrow(new DeviceError(MESSAGE));
  await expect(x.add(1).array()).rejects.toThrow(MESSAGE); // a new program
  expect(await kept.array()).toEqual([1, 2, 3]);
  expect(Number.isFinite(sum)).toBe(true);
  await disposeDevices();
  expect(await tensor([1, 2]).mul(2).array()).toEqual([2, 4]);
});

test('a captured step says the same', async () => {
  const { workers } = await threeThreads();
  const step = compile((x: ReturnType<typeof large>) => x.matmul(x).sum());
  const x = large();
  await (await step(x)).item();
  void workers[1].terminate();
  await expect((async () => (await step(x)).item())()).rejects.toThrow(MESSAGE);
});

test('a thread that ends before all have started is not missed: the others go on without it', async () => {
  registerDevice('early', () => new CpuDevice({ name: 'early', threads: 3, tier: 'wasm' }));
  const workers = await startedBy(() => {
    process.once('worker', (worker) => void worker.terminate());
    tensor([0], { device: 'early' });
  });
  expect(workers).toHaveLength(2);
  setDevice('early');
  const work = async () => {
    const x = large();
    return x.matmul(x).sum().item();
  };
  // Who is quick enough has started before it is ended; then that is said instead.
  const outcome = await work().catch((error: unknown) => error);
  if (typeof outcome === 'number') expect(Number.isFinite(outcome)).toBe(true);
  else expect(outcome).toEqual(new DeviceError(MESSAGE.replace('thread 2', 'thread 1')));
});

test('devices disposed of while tensors, models, optimisers and captured steps live', async () => {
  const model = new Linear(3, 1);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const [x, y] = [tensor([[1, 2, 3]]), tensor([[1]])];
  const step = compile(async (a: typeof x, b: typeof y) => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(a), b);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  await (await step(x, y)).item();
  const [computed, waiting] = [x.mul(2), x.mul(3)];
  await computed.array();
  await disposeDevices();
  const gone = /went with its device when the devices were disposed of\. Create it anew\.$/;
  const cases: Record<string, () => Promise<unknown>> = {
    'a given tensor': () => x.array(),
    'a computed one': () => computed.array(),
    'one that was still to be computed': () => waiting.array(),
    'a parameter': () => model.weight.array(),
    'a forward pass': () => noGrad(() => model.forward(x)).array(),
    'a step': () => step(x, y),
    'a step of new tensors on an old model': async () => (await step(tensor([[1, 2, 3]]), tensor([[1]]))).item(),
    assign_: async () => (await x.assign_(tensor([[0, 0, 0]])), x.array()),
  };
  for (const [name, work] of Object.entries(cases)) {
    const error: unknown = await work().then(
      () => undefined,
      (e: unknown) => e,
    );
    const isStale = error instanceof StaleTensorError;
    expect({ name, isStale, text: String(error) }).toEqual({ name, isStale: true, text: expect.stringMatching(gone) });
  }
  x[Symbol.dispose](); // no error: there is nothing left to free
  expect(await tensor([1, 2]).add(1).array()).toEqual([2, 3]);
});
