// Thousands of results, kept values and updates at once: computed in portions that run the same program, with the numbers
// that one run would give. Counts of programs and kernels, nothing is timed.

import { afterAll, beforeEach, expect, test } from 'vitest';
import { Adam } from 'nabla/optim';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { disposeDevices, engineStats, registerDevice } from '../src/engine/engine.js';
import { realize, setDevice } from '../src/index.js';
import { type Loose as Any, give } from './support/loose.js';

const COUNT = 4500;
/** The largest program that a portion may be. */
const MOST = 256;

registerDevice('portions', () => new CpuDevice({ name: 'portions', tier: 'wasm', threads: 1 }));
beforeEach(() => setDevice('portions'));
afterAll(async () => {
  setDevice('cpu');
  await disposeDevices();
});

const list = <T>(make: (i: number) => T, count = COUNT): T[] => Array.from({ length: count }, (_, i) => make(i));
const given = (...numbers: number[]): Any => give(numbers);

/** The programs and runs of `body`, and the kernels of its last run. */
async function counted(body: () => Promise<void>) {
  const before = { ...engineStats() };
  await body();
  const { programs, runs, kernelsLastRun } = engineStats();
  return { programs: programs - before.programs, runs: runs - before.runs, kernels: kernelsLastRun };
}

const someOf = (count: number): number[] => [0, 1, 511, 512, 513, 2047, 2048, count - 2, count - 1];

test('values that were kept, and one read', async () => {
  const x = given(1, 2);
  const all = list((i) => x.mul(i + 0.5).keep());
  const counts = await counted(async () => expect(await x.sum().item()).toBe(3));
  for (const i of someOf(COUNT)) expect(await all[i].array()).toEqual([i + 0.5, 2 * i + 1]);
  expect(counts.programs).toBeLessThanOrEqual(3);
  expect(counts.kernels).toBeLessThanOrEqual(MOST);
  expect(counts.runs).toBeLessThanOrEqual(COUNT / MOST + 2);
});

test('small results, all realised at once', async () => {
  const x = given(3, 4);
  const all = list((i) => x.add(i + 0.5));
  const counts = await counted(() => realize(...(all as never[])));
  for (const i of someOf(COUNT)) expect(await all[i].array()).toEqual([i + 3.5, i + 4.5]);
  expect(counts.programs).toBeLessThanOrEqual(2);
});

test('a chain of kept states: a later portion begins where the one before ended', async () => {
  const states: Any[] = [given(0, 1)];
  for (let i = 1; i <= COUNT; i++) states.push(states[i - 1].add(0.5).keep());
  const counts = await counted(() => realize());
  for (const i of someOf(COUNT)) expect(await states[i].array()).toEqual([i / 2, i / 2 + 1]);
  expect(counts.programs).toBeLessThanOrEqual(3);
  expect(counts.kernels).toBeLessThanOrEqual(MOST);
});

test('what all portions need is computed twice at most', async () => {
  const x = give(new Float32Array(16).fill(0.5), [4, 4]);
  const shared = x.matmul(x).matmul(x);
  const all = list((i) => shared.mul(i + 0.5), 3000);
  const counts = await counted(() => realize(...(all as never[])));
  for (const i of someOf(3000)) expect((await all[i].data())[7]).toBe(2 * (i + 0.5));
  expect(counts.programs).toBeLessThanOrEqual(4);
}, 60_000);

test('updates that do not depend on each other', async () => {
  const states = list((i) => given(i, 1));
  for (let round = 0; round < 2; round++) {
    const counts = await counted(async () => {
      for (const s of states) s.assign_(s.mul(2).add(1));
      await realize();
    });
    expect(counts.programs).toBeLessThanOrEqual(round === 0 ? 2 : 0);
    expect(counts.kernels).toBeLessThanOrEqual(MOST);
  }
  for (const i of someOf(COUNT)) expect(await states[i].array()).toEqual([4 * i + 3, 7]);
});

test('updates that read one another read the old values, however many there are', async () => {
  const states = list((i) => given(i), 2400);
  const kept = states[5].mul(10).keep();
  const turned = list((i) => states[(i + 1) % 30].add(0), 30);
  for (let i = 0; i < 30; i++) states[i].assign_(turned[i]);
  for (let i = 30; i < states.length; i++) states[i].assign_(states[i].mul(2));
  await realize();
  expect(await kept.array()).toEqual([50]);
  for (let i = 0; i < 30; i++) expect(await states[i].array()).toEqual([(i + 1) % 30]);
  for (let i = 30; i < states.length; i += 97) expect(await states[i].array()).toEqual([2 * i]);
});

test('a step of an optimiser with very many parameters', async () => {
  const params = list((i) => given(i / 100, 1).requiresGrad_(), 700);
  const optimizer = new Adam(params as never, { lr: 0.5 });
  const programs: number[] = [];
  for (let step = 0; step < 3; step++) {
    const counts = await counted(async () => {
      optimizer.zeroGrad();
      const parts = params.map((p) => p.square().sum());
      while (parts.length > 1) parts.push(parts.shift()!.add(parts.shift()!));
      parts[0].backward();
      await optimizer.step();
    });
    programs.push(counts.programs);
  }
  expect(programs[1] + programs[2]).toBe(0);
  for (const i of [0, 1, 511, 699]) {
    const [, b] = await params[i].data();
    expect(b).toBeLessThan(0.2);
  }
}, 60_000);

test('thousands of tensors that are alive cost nothing in a run that does not read them', async () => {
  const alive = list((i) => given(i, i));
  const counts = await counted(async () => {
    for (let i = 0; i < 20; i++) expect(await alive[i].sum().item()).toBe(2 * i);
  });
  expect(counts).toMatchObject({ programs: 1, kernels: 1, runs: 20 });
  expect(alive.length).toBe(COUNT);
});
