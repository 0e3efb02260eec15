// Captured steps of a Trainer: what changes outside is noticed, and trainings beside each other stay apart.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AnyTensor, type Tensor, manualSeed, scalarTensor, setDevice } from '../index.js';
import { ArrayDataset, DataLoader } from '../data/index.js';
import { BatchNorm1d, Linear, type Module, Sequential, Tanh, mseLoss } from '../nn/index.js';
import { Adam, SGD } from '../optim/index.js';
import { type RunEvent, type StepEvent, Trainer, type TrainerOptions, diagnose, search, uniform } from './index.js';

let warnings: string[] = [];
beforeEach(() => {
  setDevice('cpu');
  manualSeed(1);
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => vi.restoreAllMocks());

interface Net extends Module {
  forward(x: AnyTensor): Tensor;
}

const net = (): Net =>
  new Sequential(new Linear(2, 4), new BatchNorm1d(4), new Tanh(), new Linear(4, 1)) as unknown as Net;

function loader(batches: number, phase = 0): DataLoader<never> {
  const count = 4 * batches;
  const x = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i + phase));
  const y = Float32Array.from({ length: count }, (_, i) => Math.cos(i));
  const data = new ArrayDataset({ x: { data: x, shape: [2] as const }, y: { data: y, shape: [1] as const } });
  return new DataLoader(data, { batchSize: 4 }) as never;
}

/** A loss that is `weight()`, whatever the model is. */
async function lossesOf(
  weight: () => number | Tensor,
  more: Partial<TrainerOptions>,
): Promise<{ losses: number[]; events: RunEvent[] }> {
  const model = net();
  const events: RunEvent[] = [];
  const trainer = new Trainer({
    model,
    optimizer: new SGD(model.parameters(), { lr: 0 }),
    train: loader(4),
    epochs: 3,
    forward: (m: Module, batch: never) => {
      const { x } = batch as { x: Tensor };
      const zero = (m as Net).forward(x).mean().mul(0) as Tensor;
      const w = weight();
      return (typeof w === 'number' ? zero.add(1).mul(w) : zero.add(1).mul(w)) as AnyTensor;
    },
    listeners: [{ onEvent: async (event: RunEvent) => void events.push(event) }],
    ...more,
  } as TrainerOptions);
  await trainer.fit();
  return { losses: events.filter((e): e is StepEvent => e.event === 'step').map((e) => e.loss), events };
}

test('a weight that a callback anneals by epochs is followed, and named', async () => {
  let beta = 0;
  const { losses, events } = await lossesOf(() => beta, {
    callbacks: [{ onEpochStart: (_, epoch) => void (beta = epoch) }],
  });
  expect(losses).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  const notices = events.filter((e) => e.event === 'notice');
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatchObject({ code: 'capture-differs', step: 5 });
  expect(diagnose(events).map(({ code }) => code)).toContain('number-outside-capture');
});

test('a weight that a callback anneals by steps is followed', async () => {
  let beta = 0;
  const { losses } = await lossesOf(() => ++beta, {});
  expect(losses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('scalarTensor is replayed, and no difference', async () => {
  let beta = 0;
  const { losses, events } = await lossesOf(() => scalarTensor(() => beta) as Tensor, {
    callbacks: [{ onEpochStart: (_, epoch) => void (beta = epoch) }],
  });
  expect(losses).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  expect(events.some((e) => e.event === 'notice')).toBe(false);
});

test('without listeners the console is told', async () => {
  let beta = 0;
  await lossesOf(() => ++beta, { listeners: [] });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/^nabla: compile: a replay would not have done/);
});

async function fit(number: number, more: Partial<TrainerOptions> = {}): Promise<number[]> {
  const events: RunEvent[] = [];
  const model = net();
  for (const [i, p] of model.parameters().entries())
    p.assign_((p.detach().mul(0) as Tensor).add(Math.sin(i + number)) as never);
  const optimizer =
    number % 2 === 0
      ? new Adam(model.parameters(), { lr: 0.03 })
      : new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const trainer = new Trainer({
    model,
    optimizer,
    train: loader(5, number),
    validation: loader(2, number + 7),
    loss: (output: Tensor, target: AnyTensor) => mseLoss(output, target as Tensor) as AnyTensor,
    epochs: 3,
    listeners: [{ onEvent: async (event: RunEvent) => void events.push(event) }],
    ...more,
  } as TrainerOptions);
  await trainer.fit();
  return events.flatMap((e) =>
    e.event === 'step' ? [e.loss] : e.event === 'epoch' ? [e.validation?.loss as number] : [],
  );
}

test.each([
  ['compiled', {}],
  ['not compiled', { compile: false }],
  ['accumulating', { accumulate: 2 }],
  ['averaging', { weightAverage: { decay: 0.9 } }],
  ['with a doctor', { doctor: true }],
] as [string, Partial<TrainerOptions>][])('trainers at once give what they give alone: %s', async (_, more) => {
  const alone: number[][] = [];
  for (let i = 0; i < 3; i++) alone.push(await fit(i, more));
  expect(await Promise.all([0, 1, 2].map((i) => fit(i, more)))).toEqual(alone);
});

test('trials of a search in parallel give what they give in turn', async () => {
  const run = async (parallel: number): Promise<unknown> => {
    const study = await search(
      { lr: uniform(0.01, 0.1) },
      async ({ lr }) => {
        const model = net();
        for (const [i, p] of model.parameters().entries())
          p.assign_((p.detach().mul(0) as Tensor).add(Math.sin(i)) as never);
        const trainer = new Trainer({
          model,
          optimizer: new SGD(model.parameters(), { lr }),
          train: loader(5),
          loss: (output: Tensor, target: AnyTensor) => mseLoss(output, target as Tensor) as AnyTensor,
          epochs: 2,
        } as TrainerOptions);
        const { history } = await trainer.fit();
        return history[1].train.loss;
      },
      { trials: 4, parallel, seed: 1 },
    );
    return study.trials.map(({ params, value }) => [params, value]);
  };
  expect(await run(4)).toEqual(await run(1));
});
