// The Trainer: that it does what a hand-written loop does, and each of its options one by one.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError, type AnyTensor, type Tensor, manualSeed, setDevice } from '../index.js';
import { ArrayDataset, DataLoader, HostRandom } from '../data/index.js';
import { init } from '../distributed/index.js';
import type { Metric } from '../metrics/index.js';
import { BatchNorm1d, Dropout, Linear, type Module, ReLU, Sequential, crossEntropy, mseLoss } from '../nn/index.js';
import { AdamW, SGD, WeightAverage, clipGradNorm_ } from '../optim/index.js';
import { type EpochEvent, type RunEvent, Trainer, type TrainerOptions, parseEvent } from './index.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(1);
});

/** Two interleaved classes in the plane. */
function points(count = 48) {
  const random = new HostRandom(3);
  const y = Int32Array.from({ length: count }, (_, i) => i % 2);
  const x = Float32Array.from({ length: 2 * count }, (_, i) => random.normal() + (y[i >> 1] === 1 ? 1.5 : -1.5));
  return new ArrayDataset({ x: { data: x, shape: [2] as const }, y: { data: y, shape: [] as const } });
}

/** Its shapes as far as they matter here. */
interface Net extends Module {
  forward(x: AnyTensor): Tensor<[number, number]>;
}

const createModel = (): Net =>
  new Sequential(
    new Linear(2, 8),
    new BatchNorm1d(8),
    new ReLU(),
    new Dropout(0.2),
    new Linear(8, 2),
  ) as unknown as Net;

/** Share of right answers; counts in JavaScript, so that it can be saved in the middle of an epoch. */
class Right implements Metric {
  readonly name = 'accuracy';
  readonly better = 'higher';
  private right: AnyTensor[] = [];
  private before = [0, 0];

  update(output: AnyTensor, target: AnyTensor): void {
    this.right.push(
      (output as Tensor)
        .argmax(1)
        .eq(target as never)
        .keep() as unknown as AnyTensor,
    );
  }

  async compute(): Promise<number> {
    const [right, all] = await this.state();
    return right / all;
  }

  reset(): void {
    [this.right, this.before] = [[], [0, 0]];
  }

  async state(): Promise<readonly number[]> {
    for (const t of this.right) {
      const values = await t.data();
      this.before = [this.before[0] + [...values].filter(Boolean).length, this.before[1] + values.length];
    }
    this.right = [];
    return this.before;
  }

  restore([right, all]: readonly number[]): void {
    [this.right, this.before] = [[], [right, all]];
  }
}

function setup(more: Partial<TrainerOptions> = {}) {
  manualSeed(1);
  const model = createModel();
  const events: RunEvent[] = [];
  const options = {
    model,
    optimizer: new AdamW(model.parameters(), { lr: 0.02 }),
    train: new DataLoader(points(), { batchSize: 8, shuffle: true }),
    epochs: 3,
    listeners: [{ onEvent: (event: RunEvent) => void events.push(event) }],
    ...more,
  };
  return { model, events, trainer: new Trainer(options as TrainerOptions), options };
}

async function weights(model: { stateDict(): Record<string, AnyTensor> }): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const [name, t] of Object.entries(model.stateDict())) out[name] = [...(await t.data())];
  return out;
}

/** Without the times. */
const curve = (history: readonly EpochEvent[]) =>
  history.map(
    ({ seconds: _, samplesPerSecond: __, waiting: ___, tensorBytes: ____, processBytes: _____, ...rest }) => rest,
  );

describe('the loop', () => {
  test('does what a hand-written loop does', async () => {
    const { trainer, model } = setup({ clipNorm: 0.5, epochs: 2 });
    await trainer.fit();

    manualSeed(1);
    const own = createModel();
    const optimizer = new AdamW(own.parameters(), { lr: 0.02 });
    const loader = new DataLoader(points(), { batchSize: 8, shuffle: true });
    for (let epoch = 0; epoch < 2; epoch++) {
      for await (const { x, y } of loader) {
        optimizer.zeroGrad();
        crossEntropy(own.forward(x), y).backward();
        clipGradNorm_(own.parameters(), 0.5);
        await optimizer.step();
      }
    }
    expect(await weights(model)).toEqual(await weights(own));
  });

  test('is the same captured and not captured', async () => {
    const captured = setup();
    await captured.trainer.fit();
    const plain = setup({ compile: false });
    await plain.trainer.fit();
    expect(await weights(plain.model)).toEqual(await weights(captured.model));
  });

  test('tells start, steps, epochs and end', async () => {
    const { trainer, events } = setup({ validation: new DataLoader(points(20), { batchSize: 8 }), epochs: 2 });
    const result = await trainer.fit();
    expect(events.map(({ event }) => event).join(' ')).toBe(
      `start ${'step '.repeat(6)}epoch ${'step '.repeat(6)}epoch end`,
    );
    expect(events[0]).toMatchObject({
      facts: {
        parameters: 2 * 8 + 8 + 16 + 16 + 2,
        stepsPerEpoch: 6,
        optimizer: 'AdamW',
        loss: 'crossEntropy',
        batchSize: 8,
        trainSamples: 48,
        validationSamples: 20,
      },
    });
    expect(events[1]).toMatchObject({
      step: 1,
      epoch: 1,
      lr: 0.02,
      loss: expect.any(Number),
      gradNorm: expect.any(Number),
    });
    expect(events[15]).toMatchObject({ reason: 'completed', step: 12 });
    expect(result).toMatchObject({ reason: 'completed', epoch: 2, step: 12 });
    expect(result.history[1]).toMatchObject({
      epoch: 2,
      step: 12,
      train: { loss: expect.any(Number) },
      validation: { loss: expect.any(Number) },
    });
    expect(result.best?.value).toBe(Math.min(...result.history.map((e) => e.validation?.loss ?? NaN)));
  });

  test('validates in evaluation mode, weighted by samples, and leaves no trace', async () => {
    const { trainer, model } = setup({
      validation: new DataLoader(points(20), { batchSize: 8 }),
      metrics: { accuracy: new Right() },
    });
    const { history } = await trainer.fit();
    const { x, y } = points(20).batch(Array.from({ length: 20 }, (_, i) => i));
    expect(model.training).toBe(true);
    model.eval();
    const loss = await crossEntropy(model.forward(x), y).item();
    expect(history[2].validation?.loss).toBeCloseTo(loss, 5);
    expect(history[2].validation?.accuracy).toBe(
      (await model.forward(x).argmax(1).eq(y).to('float32').sum().item()) / 20,
    );
    const plain = setup();
    await plain.trainer.fit();
    expect(await weights(plain.model)).toEqual(await weights(model));
    expect(await trainer.evaluate(new DataLoader(points(20), { batchSize: 5 }))).toEqual({
      loss: expect.closeTo(loss, 5),
      accuracy: history[2].validation?.accuracy,
    });
  });

  test('any batch and any loss', async () => {
    const model = new Linear(2, 1);
    const trainer = new Trainer({
      model,
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      train: new DataLoader(points(), { batchSize: 16 }),
      forward: (m, { x, y }) => mseLoss(m.forward(x).squeeze(1), y.to('float32')),
      epochs: 5,
    });
    const { history } = await trainer.fit();
    expect(history[4].train.loss).toBeLessThan(history[0].train.loss);
  });
});

describe('updates', () => {
  test('accumulated gradients are those of the whole batch', async () => {
    const make = (batchSize: number, accumulate: number) => {
      manualSeed(1);
      const model = new Linear(2, 2);
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const train = new DataLoader(points(), { batchSize, seed: 4, shuffle: true });
      return { model, trainer: new Trainer({ model, optimizer, train, accumulate, epochs: 2, clipNorm: 0.4 }) };
    };
    const [whole, parts] = [make(16, 1), make(4, 4)];
    const [a, b] = [await whole.trainer.fit(), await parts.trainer.fit()];
    expect([a.step, b.step]).toEqual([6, 6]);
    const [x, y] = [await weights(whole.model), await weights(parts.model)];
    for (const [name, values] of Object.entries(x)) values.forEach((v, i) => expect(y[name][i]).toBeCloseTo(v, 5));
    expect(b.history[1].train.loss).toBeCloseTo(a.history[1].train.loss, 5);
  });

  test('a last group that is not full counts its own batches', async () => {
    const { trainer } = setup({ accumulate: 4 });
    expect((await trainer.fit()).step).toBe(6); // 6 batches an epoch: 4 and 2
  });

  test('schedules by step, by group, by epoch', async () => {
    const rates = async (more: Partial<TrainerOptions>) => {
      const { trainer, events } = setup({ epochs: 2, ...more });
      await trainer.fit();
      return events.flatMap((e) => (e.event === 'step' ? [e.lr] : []));
    };
    expect(await rates({ schedule: (step, total) => step / total })).toEqual([...Array(12).keys()].map((i) => i / 12));
    expect(await rates({ schedule: { perEpoch: (epoch, epochs) => 1 / (epoch + epochs) } })).toEqual([
      ...Array(6).fill(1 / 2),
      ...Array(6).fill(1 / 3),
    ]);
    expect(() => setup({ schedule: [() => 1, () => 2] })).toThrow(/2 schedules for 1 groups/);
  });

  test('a plateau lowers the rate', async () => {
    const { trainer, events } = setup({
      epochs: 4,
      plateau: { patience: 0, factor: 0.5, threshold: 1e6, thresholdMode: 'abs' },
    });
    await trainer.fit();
    expect(events.flatMap((e) => (e.event === 'epoch' ? [e.lr] : []))).toEqual([0.02, 0.02, 0.01, 0.005]);
  });
});

describe('ends', () => {
  test('after so many updates, in the middle of an epoch', async () => {
    const { trainer } = setup({ epochs: undefined, steps: 8 } as never);
    const result = await trainer.fit();
    expect([result.step, result.epoch, result.history[1].step]).toEqual([8, 2, 8]);
  });

  test('early stopping with patience', async () => {
    const { trainer } = setup({ epochs: 50, earlyStopping: { patience: 3, minDelta: 1e6 } });
    const result = await trainer.fit();
    expect([result.reason, result.epoch]).toEqual(['early-stopping', 4]);
  });

  test('callbacks and signals', async () => {
    const seen: string[] = [];
    const { trainer } = setup({
      callbacks: [
        {
          onFitStart: () => void seen.push('start'),
          onEpochStart: (_, epoch) => void seen.push(`epoch ${epoch}`),
          onStep: (t, { step }) => (step === 8 ? t.stop() : undefined),
          onEpochEnd: (_, { epoch }) => void seen.push(`end of ${epoch}`),
          onFitEnd: () => void seen.push('end'),
        },
      ],
    });
    expect(await trainer.fit()).toMatchObject({ reason: 'early-stopping', step: 8, epoch: 1 });
    expect(seen).toEqual(['start', 'epoch 1', 'end of 1', 'epoch 2', 'end']);

    const controller = new AbortController();
    const aborted = setup({ signal: controller.signal, callbacks: [{ onStep: () => controller.abort() }] });
    expect(await aborted.trainer.fit()).toMatchObject({ reason: 'aborted', step: 1 });
  });

  test('a loss that is not a number', async () => {
    const { trainer, events } = setup({ forward: (_, batch) => setupLoss(batch).mul(NaN) });
    const { model } = trainer;
    function setupLoss(batch: unknown): Tensor {
      return (model as Net).forward((batch as { x: Tensor<[number, number]> }).x).mean() as Tensor;
    }
    expect(await trainer.fit()).toMatchObject({ reason: 'diverged', step: 1 });
    expect(events.find((e) => e.event === 'notice')).toMatchObject({ code: 'loss-not-finite', step: 1 });
  });
});

describe('weights at the end', () => {
  test('averaged', async () => {
    const { trainer, model } = setup({
      weightAverage: { decay: 0.9 },
      validation: new DataLoader(points(20), { batchSize: 20 }),
      epochs: 2,
    });
    const own = new WeightAverage([...model.parameters()], { decay: 0.9 });
    const means: number[][] = [];
    const { history } = await new Trainer({
      ...trainer.options,
      callbacks: [{ onStep: async () => void (await own.update()) }],
    }).fit();
    for (const t of own.stateDict().tensors) means.push([...(await t.data())]);
    const result = await Promise.all(model.parameters().map(async (p) => [...(await p.data())]));
    expect(result).toEqual(means);
    const after = await trainer.evaluate(new DataLoader(points(20), { batchSize: 20 }));
    expect(after.loss).toBe(history[1].validation?.loss);
  });

  test('the best', async () => {
    const { trainer } = setup({
      restoreBest: true,
      checkpoint: { mode: 'max' },
      validation: new DataLoader(points(20), { batchSize: 20 }),
    });
    const { history, best } = await trainer.fit();
    expect(best?.value).toBe(Math.max(...history.map((e) => e.validation?.loss ?? NaN)));
    expect((await trainer.evaluate(new DataLoader(points(20), { batchSize: 20 }))).loss).toBe(best?.value);
  });
});

test('a probe sees gradients and updates of the steps that are due', async () => {
  const seen: [number, number, number][] = [];
  const { trainer, model } = setup({
    epochs: 1,
    probe: {
      isDue: (step) => step % 3 === 0,
      afterBackward: (m) => ({ grad: m.parameters()[0].grad?.square().sum() as unknown as AnyTensor }),
      afterUpdate: (m) => ({ weight: m.parameters()[0].square().sum() as unknown as AnyTensor }),
      report: async (_, step, { grad, weight }) =>
        void seen.push([step, await (grad as Tensor).item(), await (weight as Tensor).item()]),
    },
  });
  await trainer.fit();
  expect(seen.map(([step]) => step)).toEqual([3, 6]);
  expect(seen[1][1]).toBeGreaterThan(0);
  expect(seen[1][2]).toBeCloseTo(await model.parameters()[0].square().sum().item(), 5);
});

describe('checkpoints', () => {
  const withFolder = async (body: (folder: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-trainer-'));
    try {
      await body(join(folder, 'run'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const full = (folder?: string): Partial<TrainerOptions> => ({
    validation: new DataLoader(points(20), { batchSize: 8, seed: 0 }) as never,
    metrics: { accuracy: new Right() },
    schedule: (step, total) => 0.05 * (1 - step / total),
    weightAverage: { decay: 0.8, from: 2 },
    earlyStopping: { patience: 10 },
    checkpoint: { every: 4 },
    ...(folder === undefined ? {} : { folder }),
  });

  test.each([1, 3, 4, 5, 6, 7, 11, 12, 13, 17])(
    'broken off after update %i and taken up, a run is the same bit for bit',
    async (at) => {
      await withFolder(async (folder) => {
        const whole = setup(full());
        const { history } = await whole.trainer.fit();
        const broken = setup({
          ...full(folder),
          callbacks: [
            {
              onStep: (_, { step }) => {
                if (step === at) throw new Error('power cut');
              },
            },
          ],
        });
        await expect(broken.trainer.fit()).rejects.toThrow('power cut');
        manualSeed(99);
        const resumed = setup(full());
        await resumed.trainer.resume(folder);
        expect(resumed.trainer.step).toBe(
          at <= 4 ? 0 : at <= 6 ? 4 : at === 7 || at === 8 ? 6 : at <= 12 ? 8 : at <= 16 ? 12 : 16,
        );
        const result = await resumed.trainer.fit();
        expect(curve(result.history)).toEqual(curve(history));
        expect(await weights(resumed.model)).toEqual(await weights(whole.model));
        const record = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
          .trimEnd()
          .split('\n')
          .map((l) => parseEvent(l) as RunEvent);
        expect(
          record.map((e) => (e.event === 'step' ? e.step : e.event === 'epoch' ? `epoch ${e.epoch}` : e.event)),
        ).toEqual([
          'start',
          1,
          2,
          3,
          4,
          5,
          6,
          'epoch 1',
          7,
          8,
          9,
          10,
          11,
          12,
          'epoch 2',
          13,
          14,
          15,
          16,
          17,
          18,
          'epoch 3',
          'end',
        ]);
        expect(readdirSync(folder).sort()).toEqual([
          'best.safetensors',
          'checkpoint.safetensors',
          'config.json',
          'metrics.jsonl',
          'weights.safetensors',
        ]);
      });
    },
  );

  test('a run that has run out of patience goes on when more epochs are asked for', async () => {
    await withFolder(async (folder) => {
      const early = { folder, earlyStopping: { patience: 2, minDelta: 1e6 } };
      expect(await setup({ ...early, epochs: 6 }).trainer.fit()).toMatchObject({ reason: 'early-stopping', epoch: 3 });
      const same = setup({ ...early, epochs: 6 });
      await same.trainer.resume(folder);
      expect(await same.trainer.fit()).toMatchObject({ reason: 'early-stopping', epoch: 3 });
      const events: RunEvent[] = [];
      const longer = setup({
        ...early,
        epochs: 40,
        listeners: [{ onEvent: (event: RunEvent) => void events.push(event) }],
      });
      await longer.trainer.resume(folder);
      expect(await longer.trainer.fit()).toMatchObject({ reason: 'early-stopping', epoch: 5 });
      expect(events.filter(({ event }) => event === 'notice')).toMatchObject([{ code: 'patience-renewed' }]);
    });
  });

  test('what does not fit is refused', async () => {
    await withFolder(async (folder) => {
      await setup({ folder, epochs: 1 }).trainer.fit();
      await expect(setup({ folder }).trainer.fit()).rejects.toThrow(/holds a run already/);
      const other = setup({ train: new DataLoader(points(), { batchSize: 8, seed: 77 }) });
      await expect(other.trainer.resume(folder)).rejects.toThrow(/the loader's seed is 77/);
      const averaged = setup({ weightAverage: {} });
      await expect(averaged.trainer.resume(folder)).rejects.toThrow(/no weight average/);
      const model = new Linear(2, 2);
      const foreign = setup({ model, optimizer: new AdamW(model.parameters()) } as never);
      await expect(foreign.trainer.resume(folder)).rejects.toThrow(/./);
      await expect(setup().trainer.resume(join(folder, 'nowhere'))).rejects.toThrow(/ENOENT/);
    });
  });
});

describe('with a world of one process', () => {
  test('stop ends the run after the update', async () => {
    const callbacks = [{ onStep: (t: { stop(): void }, { step }: { step: number }) => void (step === 4 && t.stop()) }];
    const { trainer } = setup({ distributed: await init(), callbacks });
    expect(await trainer.fit()).toMatchObject({ reason: 'early-stopping', step: 4 });
  });

  test('a signal ends the run after the update', async () => {
    const controller = new AbortController();
    const callbacks = [{ onStep: (_: unknown, { step }: { step: number }) => void (step === 4 && controller.abort()) }];
    const { trainer } = setup({ distributed: await init(), callbacks, signal: controller.signal });
    expect(await trainer.fit()).toMatchObject({ reason: 'aborted', step: 4 });
  });

  test('training data that keep a state, or take measures themselves, are refused', async () => {
    const distributed = await init();
    const batches = { batches: () => new DataLoader(points(), { batchSize: 8 }).batches(0) };
    const train = { ...batches, state: () => ({ numbers: {}, tensors: {} }), restore: () => {} };
    expect(() => setup({ distributed, train })).toThrow(/^Trainer: distributed with training data that keep a state,/);
    expect(() => setup({ train })).not.toThrow();
    const measuring = { ...batches, measures: { return: 'higher' } as const, measured: () => ({ return: 1 }) };
    expect(() => setup({ distributed, train: measuring })).toThrow(
      /^Trainer: distributed with training data that take measures themselves/,
    );
  });

  test('measures that are taken otherwise than over batches', async () => {
    const validation = { measures: { right: 'higher' } as const, evaluate: async () => ({ right: NaN }) };
    const { trainer } = setup({ distributed: await init(), validation, epochs: 1 });
    expect((await trainer.fit()).history.map((epoch) => epoch.validation)).toEqual([{ right: NaN }]);
    expect(await trainer.evaluate(validation)).toEqual({ right: NaN });
  });
});

describe('mistakes are said early', () => {
  test.each<[string, Partial<TrainerOptions>, RegExp]>([
    ['no length', { epochs: undefined } as never, /neither epochs nor steps/],
    ['half an epoch', { epochs: 0.5 }, /epochs is 0.5/],
    ['no accumulation', { accumulate: 0 }, /accumulate is 0/],
    ['a negative norm', { clipNorm: -1 }, /clipNorm is -1/],
    [
      'an unknown value',
      { earlyStopping: { monitor: 'accuracy' } },
      /cannot monitor 'accuracy'. Use one of train.loss./,
    ],
    ['no validation', { checkpoint: { monitor: 'validation.loss' } }, /cannot monitor 'validation.loss'/],
    ['a metric called loss', { metrics: { loss: new Right() } }, /cannot be called 'loss'/],
    ['two losses', { loss: crossEntropy, forward: () => crossEntropy as never }, /both loss and forward/],
    ['both', { schedule: () => 1, plateau: {} }, /both schedule and plateau/],
  ])('%s', (_, more, message) => {
    expect(() => setup(more)).toThrow(ArgumentError);
    expect(() => setup(more)).toThrow(message);
  });

  test.each<[string, Partial<TrainerOptions>, RegExp]>([
    ['a loss of many numbers', { loss: (output) => output as AnyTensor }, /the loss is \[8, 2\]/],
    ['a loss of no parameter', { forward: (_, batch) => (batch as { x: Tensor }).x.mean() as AnyTensor }, /./],
    [
      'metrics without output',
      {
        forward: (m, b) => (m as Net).forward((b as { x: Tensor<[number, number]> }).x).mean() as AnyTensor,
        metrics: { accuracy: new Right() },
      },
      /metrics need output and target/,
    ],
  ])('%s', async (_, more, message) => {
    await expect(setup(more).trainer.fit()).rejects.toThrow(message);
  });
});
