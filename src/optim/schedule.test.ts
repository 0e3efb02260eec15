// Schedules against PyTorch over twenty steps, and those of the course that PyTorch does not have against its numbers.
import { describe, expect, test } from 'vitest';
import { type Packed, expectNear, readFixture } from '../../test/support/pytorch.js';
import * as s from './index.js';

const { schedules, metrics } = readFixture<{ schedules: Record<string, Packed>; metrics: number[] }>(
  'optim.safetensors',
);

const SCHEDULES: Readonly<Record<string, s.Schedule>> = {
  constant: s.sequence([() => 0.025, 6], () => 0.1),
  cosine: (step) => s.cosine(step, 23, 0.1, 0.01),
  oneCycle: (step) => s.oneCycle(step, 24, 0.1),
  'oneCycle of three phases, linear': (step) =>
    s.oneCycle(step, 24, 0.2, { warmup: 0.4, anneal: 'linear', threePhase: true, divFactor: 10, finalDivFactor: 100 }),
  stepDecay: (step) => s.stepDecay(step, 0.1, 6, 0.5),
  multiStepDecay: (step) => s.multiStepDecay(step, 0.1, [3, 4, 15], 0.3),
  exponentialDecay: (step) => s.exponentialDecay(step, 0.1, 0.9),
  linear: (step) => s.linear(step, 7, 0.025, 0.1),
  polynomialDecay: (step) => s.polynomialDecay(step, 12, 0.1, 2),
  inverseTimeDecay: (step) => s.inverseTimeDecay(step, 0.1, 0.5),
  inverseSqrtDecay: (step) => s.inverseSqrtDecay(step, 0.1, 0.5),
  inverseSqrtWarmup: (step) => s.inverseSqrtWarmup(step, 64, 8),
  table: (step) =>
    s.table(step, [
      [0, 0.1],
      [5, 0.01],
      [9, 0.001],
    ]),
  cosineRestarts: (step) => s.cosineRestarts(step, 3, 0.1, 0.01, 2),
  'cosineRestarts alike': (step) => s.cosineRestarts(step, 6, 0.1),
  cyclic: (step) => s.cyclic(step, 4, 0.1, 0.01, { down: 6 }),
  'cyclic, halved': (step) => s.cyclic(step, 3, 0.1, 0.02, { amplitude: (cycle) => 0.5 ** cycle }),
  'cyclic, exponential': (step) => s.cyclic(step, 3, 0.1, 0.02, { amplitude: (_, at) => 0.9 ** at }),
  sequence: s.sequence([(step) => s.linear(step, 5, 0.01, 0.1), 5], (step) => s.exponentialDecay(step, 0.1, 0.8)),
  chained: s.chained(
    (step) => (step < 3 ? 0.1 : 1),
    (step) => s.exponentialDecay(step, 0.1, 0.9),
  ),
};

const rounded = (schedule: s.Schedule, steps: readonly number[], digits: number): number[] =>
  steps.map((step) => Number(schedule(step).toFixed(digits)));

describe('as PyTorch', () => {
  test('every case is here', () => {
    const plateaus = Object.keys(schedules).filter((name) => name.startsWith('plateau'));
    expect([...Object.keys(SCHEDULES), ...plateaus].sort()).toEqual(Object.keys(schedules).sort());
  });

  test.each(Object.entries(SCHEDULES))('%s', (name, schedule) => {
    const wanted = schedules[name].data;
    const optimizer = { groups: [{ lr: 1 }] };
    const scheduler = new s.LRScheduler(optimizer, schedule);
    const rates = wanted.map(() => {
      const { lr } = optimizer.groups[0];
      scheduler.step();
      return lr;
    });
    expectNear(rates, wanted, name, 1e-9, 1e-3);
  });

  test.each([
    ['plateau', { factor: 0.5, patience: 2, cooldown: 1 }],
    ['plateau, max', { mode: 'max', factor: 0.5, patience: 3, threshold: 0.2, thresholdMode: 'abs', minLr: 0.02 }],
  ] as const)('%s, saved and loaded on the way', (name, options) => {
    const optimizer = { groups: [{ lr: 0.1 }] };
    let scheduler = new s.ReduceLROnPlateau(optimizer, options);
    const rates = schedules[name].data.map((_, i) => {
      const { lr } = optimizer.groups[0];
      const saved = JSON.parse(JSON.stringify(scheduler.stateDict())) as ReturnType<typeof scheduler.stateDict>;
      scheduler = new s.ReduceLROnPlateau(optimizer, options);
      scheduler.loadStateDict(saved);
      scheduler.step(metrics[i]);
      return lr;
    });
    expectNear(rates, schedules[name].data, name, 1e-9);
  });
});

test('the rates printed in lecture 6: 1 / (1 + decay · epoch)', () => {
  expect(rounded((epoch) => s.inverseTimeDecay(epoch, 0.1, 1), [0, 1, 2, 3], 3)).toEqual([0.1, 0.05, 0.033, 0.025]);
});

test('t / √epoch', () => {
  expect(rounded((epoch) => s.inverseSqrtDecay(epoch, 0.1, 0.5), [0, 1, 4, 25], 6)).toEqual([0.1, 0.05, 0.025, 0.01]);
});

test('the warm-up of the Transformer rises in a line, peaks after it, and falls with the root', () => {
  const rate = (step: number): number => s.inverseSqrtWarmup(step, 512, 4000);
  expect(rate(3999)).toBeCloseTo(512 ** -0.5 * 4000 ** -0.5, 12);
  expect(rate(1999) / rate(3999)).toBeCloseTo(0.5, 12);
  expect(rate(15_999) / rate(3999)).toBeCloseTo(0.5, 12);
});

test('a table holds each rate until the next row', () => {
  const rate = (step: number): number =>
    s.table(step, [
      [0, 1],
      [3, 0.5],
      [5, 0.1],
    ]);
  expect([0, 2, 3, 4, 5, 99].map(rate)).toEqual([1, 1, 0.5, 0.5, 0.1, 0.1]);
  expect(() => s.table(0, [[1, 1]])).toThrow('table: rows are not in order from step 0.');
});

test('a scheduler goes on where it was saved, with a schedule for each group', () => {
  const schedule: s.Schedule[] = [(step) => step, (step) => 10 * step];
  const first = new s.LRScheduler({ groups: [{ lr: 1 }, { lr: 1 }] }, schedule);
  for (let i = 0; i < 3; i++) first.step();
  const optimizer = { groups: [{ lr: 1 }, { lr: 1 }] };
  const second = new s.LRScheduler(optimizer, schedule);
  second.loadStateDict(first.stateDict());
  expect(optimizer.groups).toEqual([{ lr: 3 }, { lr: 30 }]);
  expect(() => new s.LRScheduler(optimizer, [schedule[0]])).toThrow('LRScheduler: 1 schedules for 2 groups.');
  expect(() => second.loadStateDict({ step: -1 })).toThrow('LRScheduler: step is -1.');
  expect(() => new s.ReduceLROnPlateau(optimizer, { factor: 1 })).toThrow('ReduceLROnPlateau: factor is 1.');
});

test.each<[() => unknown, string]>([
  [() => s.oneCycle(0, 10, 1, { warmup: 2 }), 'oneCycle: warmup is 2. Use a number from 0 to 1.'],
  [() => s.oneCycle(0, 10, 1, { anneal: 'cos' as never }), "oneCycle: anneal is 'cos'. Use 'cosine' or 'linear'."],
  [() => s.oneCycle(0, 10, 1, { divFactor: 0 }), 'oneCycle: divFactor is 0. Use a number above 0.'],
  [() => s.cyclic(0, 0, 1, 0), 'cyclic: up is 0.'],
  [() => s.cyclic(0, 1, 1, 0, { down: -1 }), 'cyclic: down is -1.'],
  [() => s.stepDecay(3, 1, 0), 'stepDecay: every is 0.'],
  [() => s.cosineRestarts(3, 0, 1), 'cosineRestarts: period is 0.'],
  [() => s.cosineRestarts(3, 2, 1, 0, 0.5), 'cosineRestarts: growth is 0.5.'],
  [() => s.inverseSqrtWarmup(3, 512, 0), 'inverseSqrtWarmup: warmup is 0.'],
  [() => s.sequence(undefined as never), 'sequence: the last part is no schedule.'],
  [() => s.chained(), 'chained: no schedules.'],
  [() => new s.ReduceLROnPlateau({ groups: [] }, { patience: -1 }), 'ReduceLROnPlateau: patience is -1.'],
  [() => new s.ReduceLROnPlateau({ groups: [] }, { mode: 'least' as never }), "ReduceLROnPlateau: mode is 'least'."],
  [() => new s.ReduceLROnPlateau({ groups: [] }, { thresholdMode: 'part' as never }), "thresholdMode is 'part'."],
])('%s', (run, message) => {
  expect(run).toThrow(message);
});
