// The doctor in a Trainer: what it writes down can be diagnosed from the record alone, also by another process.
import { beforeEach, expect, test } from 'vitest';
import { manualSeed, setDevice } from '../../src/index.js';
import { DataLoader } from '../../src/data/index.js';
import { Accuracy } from '../../src/metrics/index.js';
import { Softmax, init } from '../../src/nn/index.js';
import { Adam, SGD } from '../../src/optim/index.js';
import {
  type RunEvent,
  Trainer,
  type TrainerOptions,
  describeHealth,
  diagnose,
  examine,
  formatEvent,
  parseEvent,
} from '../../src/train/index.js';
import { type Net, cnn, digitsOf, mlp, net } from './support.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(3);
});

async function trained(model: Net, options: Partial<TrainerOptions> = {}): Promise<RunEvent[]> {
  const { train, validation } = digitsOf(0);
  const lines: string[] = [];
  const trainer = new Trainer({
    model,
    optimizer: new Adam(model.parameters(), { lr: 5e-3 }),
    train: new DataLoader(train, { batchSize: 32, shuffle: true, seed: 1 }) as never,
    validation: new DataLoader(validation, { batchSize: 150 }) as never,
    metrics: { accuracy: new Accuracy() },
    epochs: 5,
    doctor: true,
    listeners: [{ onEvent: (event: RunEvent) => void lines.push(formatEvent(event)) }],
    ...options,
  });
  await trainer.fit();
  return lines.map(parseEvent).filter((event) => event !== undefined);
}

test('a healthy run: looks, checks, an empty list and what was looked at', async () => {
  const events = await trained(cnn());
  const looks = events.filter((event) => event.event === 'layers');
  expect(looks.map(({ step }) => step)).toEqual([1, 2, 12, 23, 33, 44, 54, 65, 75, 86, 96]);
  expect(looks[0]).toMatchObject({ input: { batch: 32 }, targets: { classes: 10, loss: 'crossEntropy', count: 32 } });
  expect(events.find(({ event }) => event === 'check')).toMatchObject({ name: 'initial-loss', passed: true });
  expect(diagnose(events)).toEqual([]);
  expect(describeHealth(events)).toMatch(
    /^Healthy: nothing found\. Looked at 100 losses, 5 epochs, 5 validations, 11 looks/,
  );
}, 60_000);

test('captured steps show the same mistakes', async () => {
  const softmax = await trained(net(mlp(), new Softmax(1)), { epochs: 2 });
  expect(diagnose(softmax)[0]?.code).toBe('softmax-before-loss');
  const dead = mlp();
  for (const p of dead.parameters().slice(0, -2)) if (p.rank === 1) init.constant_(p as never, -20);
  const events = await trained(dead);
  expect(diagnose(events).map(({ code }) => code)).toEqual(['dead-relus']);
  expect(describeHealth(events)).toContain('Error: Units are dead');
  const part = mlp();
  const some = await trained(part, { optimizer: new SGD(part.parameters().slice(2), { lr: 0.1 }), epochs: 2 });
  expect(diagnose(some)[0]?.code).toBe('unoptimised-parameters');
}, 60_000);

test('a record without looks is diagnosed as far as that goes', async () => {
  const model = mlp();
  const events = await trained(model, { doctor: false, optimizer: new SGD(model.parameters(), { lr: 20 }) });
  const { diagnoses, missing } = examine(events);
  expect(diagnoses[0]?.code).toBe('lr-too-high');
  expect(missing).toEqual(['statistics of layers']);
  expect(examine([])).toMatchObject({ diagnoses: [], examined: [] });
  expect(describeHealth([])).toBe('The record holds nothing to look at.');
}, 60_000);
