// A step that fails changes nothing: a run with failing steps in it ends with the very numbers of one without them.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  OutOfMemoryError,
  type Tensor,
  compile,
  disposeDevices,
  getRandomState,
  manualSeed,
  noGrad,
  realize,
  setDevice,
  tensor,
} from 'nabla';
import { Accuracy, AUROC, ConfusionMatrix, Mean } from 'nabla/metrics';
import { BatchNorm1d, Dropout, Embedding, LayerNorm, Linear, Module, Sequential, crossEntropy } from 'nabla/nn';
import { Adam, SGD, WeightAverage, clipGradNorm_ } from 'nabla/optim';
import { Trainer, type TrainerOptions } from 'nabla/train';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { registerDevice } from '../src/engine/engine.js';
import { noNative } from './support/tiers.js';

const KINDS = ['wasm', ...(noNative === undefined ? (['native'] as const) : [])] as const;
const DEVICES = ['reference'];
for (const tier of KINDS) {
  for (const threads of [1, 2]) {
    const name = `${tier}-${threads}`;
    registerDevice(name, () => new CpuDevice({ name, tier, threads, verify: true }));
    DEVICES.push(name);
  }
}
afterAll(() => disposeDevices());
afterEach(() => setDevice('cpu'));

const CLASSES = 3;
const WORDS = 10;

interface Batch {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
}

const good = (seed: number, size = 8): Batch => ({
  ids: Array.from({ length: size }, (_, i) => (7 * i + 3 * seed) % WORDS),
  labels: Array.from({ length: size }, (_, i) => (i * i + seed) % CLASSES),
});
const withLabel = (batch: Batch, label: number): Batch => ({ ...batch, labels: [...batch.labels.slice(0, -1), label] });
const withId = (batch: Batch, id: number): Batch => ({ ...batch, ids: [...batch.ids.slice(0, -1), id] });

const ints = (numbers: readonly number[]) => tensor(Int32Array.from(numbers), { shape: [numbers.length] });

class Net extends Module {
  readonly table = new Embedding(WORDS, 8);
  readonly norm = new BatchNorm1d(8);
  readonly dropout = new Dropout(0.3);
  readonly head = new Linear(8, CLASSES);

  forward(ids: Tensor<[number], 'int32'>): Tensor {
    const x = this.table.forward(ids) as Tensor;
    return this.head.forward(this.dropout.forward(this.norm.forward(x as never)) as never) as unknown as Tensor;
  }
}

async function numbersOf(tensors: Readonly<Record<string, unknown>>): Promise<Record<string, number[]>> {
  const entries = Object.entries(tensors as Record<string, AnyTensor>);
  return Object.fromEntries(await Promise.all(entries.map(async ([name, t]) => [name, [...(await t.data())]])));
}

/** All that a step of training changes, and a step over a batch. */
function makeTraining(isCompiled: boolean) {
  manualSeed(7);
  const net = new Net();
  const optimizer = new Adam(net.parameters(), { lr: 0.05 });
  const average = new WeightAverage(net.parameters() as Iterable<Tensor>, { decay: 0.9 });
  const metrics = [new Accuracy(), new ConfusionMatrix({ numClasses: CLASSES }), new AUROC({ capacity: 512 })] as const;
  const losses = new Mean();
  const body = async (ids: Tensor<[number], 'int32'>, labels: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const logits = net.forward(ids);
    const loss = crossEntropy(logits as never, labels as never) as unknown as Tensor;
    loss.backward();
    for (const metric of metrics) metric.update(logits as AnyTensor, labels as AnyTensor);
    losses.update(loss.detach() as AnyTensor);
    clipGradNorm_(net.parameters() as Iterable<Tensor>, 1);
    await optimizer.step();
    return loss;
  };
  const captured = compile(body as never) as unknown as typeof body;
  const step = async ({ ids, labels }: Batch): Promise<number> => {
    const loss = await (isCompiled ? captured : body)(ints(ids), ints(labels));
    await average.update();
    return await loss.item();
  };
  const state = async () => {
    return {
      tensors: await numbersOf({ ...net.stateDict(), ...optimizer.stateDict().tensors }),
      average: await Promise.all(average.stateDict().tensors.map(async (t) => [...(await t.data())])),
      counts: [optimizer.stepCount, ...optimizer.stateDict().steps, average.count],
      metrics: [...(await Promise.all(metrics.map((m) => m.state()))), await losses.compute()],
      random: getRandomState(),
    };
  };
  return { net, optimizer, step, state };
}

const FAILURES: Record<string, (batch: Batch) => Batch> = {
  'a label too large': (b) => withLabel(b, CLASSES),
  'a label below 0': (b) => withLabel(b, -1),
  'an id too large': (b) => withId(b, WORDS),
  both: (b) => withLabel(withId(b, -5), 77),
};

describe.each(DEVICES)('on %s', (device) => {
  beforeEach(() => setDevice(device));

  describe.each(['eager', 'compiled'])('%s steps', (mode) => {
    const isCompiled = mode === 'compiled';

    // Natively each of the programs is seconds of the compiler.
    const failures = Object.entries(FAILURES).slice(0, device.startsWith('native') ? 1 : undefined);
    test.each(failures)('%s', async (_, spoil) => {
      const clean = makeTraining(isCompiled);
      const expected: number[] = [];
      for (let i = 0; i < 4; i++) expected.push(await clean.step(good(i)));

      const hit = makeTraining(isCompiled);
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) {
        // before the first step, in the middle, and several in a row
        for (let bad = 0; bad < [1, 0, 3, 1][i]; bad++) {
          await expect(hit.step(spoil(good(i + bad)))).rejects.toThrow(IndexError);
        }
        losses.push(await hit.step(good(i)));
      }
      expect(losses).toEqual(expected);
      await expect(hit.step(spoil(good(1)))).rejects.toThrow(IndexError);
      expect(await hit.state()).toEqual(await clean.state());
    });
  });

  test('the update of one weight: it keeps its value and its gradient', async () => {
    const w = tensor([1, 1, 1], { requiresGrad: true });
    const optimizer = new SGD([w], { lr: 1 });
    const step = async (index: readonly number[]) => {
      w.indexSelect(0, ints(index)).sum().mul(4).backward();
      await optimizer.step();
      optimizer.zeroGrad(); // at the end: a failing step never comes here
    };
    await expect(step([0, 3])).rejects.toThrow(IndexError);
    expect(await w.array()).toEqual([1, 1, 1]);
    expect(w.requiresGrad).toBe(true);
    expect(w.grad).toBeUndefined();
    await expect(step([-1])).rejects.toThrow(/index -1 is out of range for dimension 0 with size 3/);
    await step([0, 1]);
    expect(await w.array()).toEqual([-3, -3, 1]);
    expect(optimizer.stepCount).toBe(1);
  });

  test('gather and scatter in an update itself', async () => {
    const state = tensor([1, 2, 3, 4]);
    const add = (index: readonly number[]) =>
      noGrad(() => state.assign_(state.scatterAdd(0, ints(index), tensor(index.map(() => 10)) as never) as never));
    add([4]);
    await expect(realize()).rejects.toThrow(IndexError);
    expect(await state.array()).toEqual([1, 2, 3, 4]);
    noGrad(() => state.assign_(state.indexSelect(0, ints([3, 2, 1, 4])) as never));
    await expect(realize()).rejects.toThrow(IndexError);
    expect(await state.array()).toEqual([1, 2, 3, 4]);
    add([1, 1, 3]);
    await realize();
    expect(await state.array()).toEqual([1, 22, 3, 14]);
    noGrad(() => state.assign_(state.indexSelect(0, ints([3, 2, 1, 0])) as never));
    await realize();
    expect(await state.array()).toEqual([14, 3, 22, 1]);
  });
});

describe.each(DEVICES.filter((name) => name !== 'native-1'))('a Trainer on %s', (device) => {
  beforeEach(() => setDevice(device));

  /** Nine batches of an epoch, of which those in `spoilt` have a label or an id out of range. */
  function makeTrainer(spoilt: Map<number, (batch: Batch) => Batch>, options: object) {
    manualSeed(11);
    const model = new Net();
    const train = {
      length: 9,
      seed: 0,
      async *batches(epoch: number, from = 0) {
        for (let i = from; i < 9; i++) {
          const batch = (spoilt.get(9 * epoch + i) ?? ((b: Batch) => b))(good(9 * epoch + i));
          yield { x: ints(batch.ids), y: ints(batch.labels) };
        }
      },
    };
    const optimizer = new Adam(model.parameters(), { lr: 0.05 });
    const metrics = { accuracy: new Accuracy(), auroc: new AUROC({ capacity: 512 }) };
    const base = { model, train, optimizer, metrics, epochs: 2, weightAverage: { decay: 0.9 }, clipNorm: 1 };
    const trainer = new Trainer({ ...base, ...options } as unknown as TrainerOptions);
    return { model, optimizer, trainer };
  }

  test.each([
    ['captured', {}],
    ['not captured', { compile: false }],
    ['with accumulated gradients', { accumulate: 3 }],
    ['with accumulated gradients, not captured', { accumulate: 3, compile: false }],
  ])('goes on after a failure in fit, %s', async (_, options) => {
    const clean = makeTrainer(new Map(), options);
    const expected = await clean.trainer.fit();
    const spoilt = new Map<number, (batch: Batch) => Batch>([
      [0, (b) => withLabel(b, CLASSES)],
      [1, (b) => withLabel(b, -7)],
      [5, (b) => withId(b, WORDS)],
      [17, (b) => withLabel(b, CLASSES)],
    ]);
    const hit = makeTrainer(spoilt, options);
    for (const at of Array.from(spoilt.keys())) {
      await expect(hit.trainer.fit()).rejects.toThrow(IndexError);
      spoilt.delete(at);
    }
    const ended = await hit.trainer.fit();
    const plain = (history: typeof ended.history) =>
      history.map(
        ({ seconds: _s, samplesPerSecond: _p, waiting: _w, tensorBytes: _t, processBytes: _b, ...rest }) => rest,
      );
    expect(plain(ended.history)).toEqual(plain(expected.history));
    expect([hit.trainer.step, hit.optimizer.stepCount]).toEqual([expected.step, expected.step]);
    expect(await numbersOf(hit.model.stateDict())).toEqual(await numbersOf(clean.model.stateDict()));
    expect(await numbersOf(hit.optimizer.stateDict().tensors)).toEqual(
      await numbersOf(clean.optimizer.stateDict().tensors),
    );
  });
});

describe('memory', () => {
  const WIDTH = 64;
  const ROWS = 8192;
  const data = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => Math.sin(i * 0.37));

  /** Trains from the `start`th attempt on: the batch is halved until it fits, and stays so. Returns how large it is in the end. */
  function makeTraining(isCompiled: boolean, isChatty: boolean) {
    manualSeed(3);
    // A read in the middle of a step is a run of its own, which enters the statistics of its batch.
    const norm = isChatty ? new LayerNorm([256]) : new BatchNorm1d(256);
    const net = new Sequential(new Linear(WIDTH, 256), norm as BatchNorm1d<256>, new Dropout(0.2), new Linear(256, 2));
    const optimizer = new Adam(net.parameters(), { lr: 0.01 });
    const body = async (x: Tensor, labels: Tensor<[number], 'int32'>) => {
      const loss = crossEntropy(net.forward(x as never) as never, labels as never);
      loss.backward();
      if (isChatty) await loss.item();
      await optimizer.step();
      optimizer.zeroGrad(); // a failing step does not come here
      return loss as unknown as Tensor;
    };
    const captured = compile(body as never) as unknown as typeof body;
    const step = async (size: number, offset: number): Promise<number> => {
      const rows = data.subarray(offset * WIDTH, (offset + size) * WIDTH);
      const labels = ints(Array.from({ length: size }, (_, i) => (i + offset) % 2));
      const x = tensor(rows, { shape: [size, WIDTH] });
      try {
        return await (await (isCompiled ? captured : body)(x as never, labels)).item();
      } finally {
        for (const t of [x, labels]) t[Symbol.dispose](); // memory is too short to wait for the garbage collector
      }
    };
    const state = async () => [
      ...(await Promise.all(Object.values(net.stateDict()).map(async (t) => [...(await (t as AnyTensor).data())]))),
      ...(await Promise.all(Object.values(optimizer.stateDict().tensors).map(async (t) => [...(await t.data())]))),
      [optimizer.stepCount, getRandomState().draws],
    ];
    return { step, state };
  }

  for (const tier of KINDS) {
    for (const mode of tier === 'native' ? ['compiled'] : ['eager', 'eager with reads', 'compiled']) {
      test(`the batch is halved until it fits (${tier}, ${mode})`, async () => {
        const name = `small-${tier}`;
        registerDevice(name, () => new CpuDevice({ name, tier, threads: 2, heapBytes: 12 << 20 }));
        setDevice(name);
        const hit = makeTraining(mode === 'compiled', mode === 'eager with reads');
        let size = ROWS;
        let failures = 0;
        const losses: number[] = [];
        while (losses.length < 4) {
          try {
            losses.push(await hit.step(size, 64 * losses.length));
            if (losses.length === 2) await expect(hit.step(ROWS, 0)).rejects.toThrow(OutOfMemoryError);
          } catch (error) {
            if (!(error instanceof OutOfMemoryError)) throw error;
            failures++;
            size /= mode === 'eager' ? 2 : 8; // far enough from the edge for programs of other sizes
          }
        }
        expect(failures).toBeGreaterThanOrEqual(1);
        expect(size).toBeGreaterThanOrEqual(64);
        const ended = await hit.state();
        await disposeDevices();
        setDevice(name);
        const clean = makeTraining(mode === 'compiled', mode === 'eager with reads');
        const expected: number[] = [];
        for (let i = 0; i < 4; i++) expected.push(await clean.step(size, 64 * i));
        expect(losses).toEqual(expected);
        expect(ended).toEqual(await clean.state());
        await disposeDevices();
      }, 60_000);
    }
  }
});
