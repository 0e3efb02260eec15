// A state that is carried on from read to read, while only what follows from it is read, is not computed from the beginning
// each time: the number of programs and the kernels of a late read stay bounded, and the numbers are those of a loop that
// realises its state in every step. Nothing is timed.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { GRUCell, LSTMCell, Linear, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { disposeDevices, engineStats, registerDevice } from '../src/engine/engine.js';
import { manualSeed, noGrad, randn, realize, setDevice, tensor } from '../src/index.js';
import { type Loose as Any, forward, give, loose } from './support/loose.js';

registerDevice('carrying', () => new CpuDevice({ name: 'carrying', tier: 'wasm', threads: 1 }));
beforeEach(() => setDevice('carrying'));
afterAll(async () => {
  setDevice('cpu');
  await disposeDevices();
});

/** One step: from the states to the next ones and to what is read. */
type Step = (states: Any[], i: number) => { states: Any[]; read: Any };

const vector = (...numbers: number[]): Any => give(numbers.map((n) => n + 0.001));
const full = (shape: number[], value: number): Any =>
  give(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);

async function loop(step: Step, start: Any[], steps: number, isRealized: boolean) {
  const before = engineStats().programs;
  let states = start;
  const numbers: number[] = [];
  for (let i = 0; i < steps; i++) {
    const next = step(states, i);
    states = next.states;
    if (isRealized) await realize(...([next.read, ...states] as never[]));
    numbers.push(...(await next.read.data()));
  }
  const { programs, kernelsLastRun } = engineStats();
  return { numbers, programs: programs - before, kernels: kernelsLastRun };
}

async function check(step: Step, start: Any[], most: { programs: number; kernels: number }, steps = 40) {
  const plain = await loop(step, start, steps, false);
  const realized = await loop(step, start, steps, true);
  plain.numbers.forEach((x, i) => expect(x).toBeCloseTo(realized.numbers[i], 4));
  expect(plain.programs).toBeLessThanOrEqual(most.programs);
  expect(plain.kernels).toBeLessThanOrEqual(most.kernels);
}

describe('with and without gradients', () => {
  for (const mode of ['gradients', 'noGrad'] as const) {
    const within = <T>(body: () => T): T => (mode === 'noGrad' ? noGrad(body) : body());

    test(`a GRU cell and its head (${mode})`, async () => {
      const [cell, head] = [new GRUCell(3, 8), new Linear(8, 4)];
      const step: Step = ([h], i) =>
        within(() => {
          const next = forward(cell, full([1, 3], Math.sin(i)), h);
          return { states: [next], read: forward(head, next).softmax(1) };
        });
      await check(step, [full([1, 8], 0)], { programs: 6, kernels: 16 });
    });

    test(`an LSTM cell, two states (${mode})`, async () => {
      const [cell, head] = [new LSTMCell(3, 8), new Linear(8, 4)];
      const step: Step = (states, i) =>
        within(() => {
          const next = forward<Any[]>(cell, full([1, 3], Math.sin(i)), states);
          return { states: next, read: forward(head, next[0]) };
        });
      await check(step, [full([1, 8], 0), full([1, 8], 0)], { programs: 6, kernels: 20 });
    });
  }
});

test('a rollout: an environment on the device, a policy, a value', async () => {
  const [policy, value] = [new Linear(4, 3), new Linear(4, 1)];
  const dynamics = give([0.9, 0.1, 0, 0, 0, 0.8, 0.2, 0, 0.1, 0, 0.7, 0, 0, 0, 0.3, 0.9], [4, 4]);
  const before = engineStats().programs;
  let state = give([1, 0.5, -0.5, 0.25], [1, 4]);
  for (let i = 0; i < 40; i++) {
    const probs = forward(policy, state).softmax(1);
    await probs.data();
    await forward(value, state).item();
    state = state
      .matmul(dynamics)
      .add(probs.max(1, { keepdim: true }).values)
      .tanh();
  }
  expect(engineStats().programs - before).toBeLessThanOrEqual(12);
  expect(engineStats().kernelsLastRun).toBeLessThanOrEqual(16);
});

test('a Langevin chain, read through its energy', async () => {
  const run = async (isRealized: boolean) => {
    manualSeed(3);
    const step: Step = ([x]) => {
      const next = x.mul(0.9).add(loose(randn([16])).mul(0.1));
      return { states: [next], read: next.square().mean() };
    };
    return loop(step, [full([16], 1)], 40, isRealized);
  };
  const [plain, realized] = [await run(false), await run(true)];
  plain.numbers.forEach((x, i) => expect(x).toBeCloseTo(realized.numbers[i], 4));
  expect(plain.programs).toBeLessThanOrEqual(8);
  expect(plain.kernels).toBeLessThanOrEqual(8);
});

test('a running total, read as a mean: cheap steps are stored when a few have come together', async () => {
  const step: Step = ([total], i) => {
    const next = total.add(vector(i, 2 * i));
    return { states: [next], read: next.div(i + 1) };
  };
  await check(step, [vector(0, 0)], { programs: 24, kernels: 4 }, 100);
});

test('a moving average by hand, read through what it is subtracted from', async () => {
  const step: Step = ([mean], i) => {
    const reward = vector(i % 7, i % 3);
    const next = mean.mul(0.9).add(reward.mul(0.1));
    return { states: [next], read: reward.sub(next) };
  };
  await check(step, [vector(0, 0)], { programs: 16, kernels: 4 }, 100);
});

test('power iteration, read through the eigenvalue', async () => {
  const a = give([2, 1, 0, 1, 3, 1, 0, 1, 4], [3, 3]);
  const step: Step = ([v]) => {
    const w = a.matmul(v);
    const next = w.div(w.square().sum().sqrt());
    return { states: [next], read: next.mul(a.matmul(next)).sum() };
  };
  await check(step, [vector(1, 1, 1)], { programs: 8, kernels: 14 });
});

test('a cache of fixed size that is written with a mask, read through attention', async () => {
  const [keys, width] = [12, 4];
  const step: Step = ([cache], i) => {
    const row = give(
      Array.from({ length: keys }, (_, k) => (k === i % keys ? 1 : 0)),
      [keys, 1],
    );
    const own = cache.mean([0], { keepdim: true }).mul(0.5).add(Math.cos(i));
    const next = cache.add(row.mul(own.sub(cache)));
    return { states: [next], read: next.matmul(own.transpose(0, 1)).softmax(0) };
  };
  await check(step, [full([keys, width], 0.1)], { programs: 8, kernels: 16 });
});

test('sums of the two before, as Fibonacci: not exponential, not quadratic', async () => {
  const step: Step = ([a, b]) => {
    const next = a.mul(0.5).add(b.mul(0.4).roll(1, 0));
    return { states: [b, next], read: next.sum() };
  };
  await check(step, [vector(1, 2, 3), vector(3, 2, 1)], { programs: 16, kernels: 8 }, 60);
});

test('a result that many others are read from is computed three times at most', async () => {
  const x = full([8, 8], 0.5);
  const heavy = x.matmul(x).matmul(x).exp();
  const kernels: number[] = [];
  for (let i = 0; i < 6; i++) {
    expect(
      await heavy
        .slice(0, i, i + 1)
        .mul(i + 0.5)
        .sum()
        .item(),
    ).toBeCloseTo(8 * Math.exp(8) * (i + 0.5), -1);
    kernels.push(engineStats().kernelsLastRun);
  }
  expect(kernels[5]).toBe(1);
});

test('a training step that reads its loss first computes no more results than one that does not', async () => {
  const model = new Linear(6, 3);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const [x, y] = [full([4, 6], 0.5), tensor([0, 1, 2, 0], { dtype: 'int32' })];
  const kernels = new Set<number>();
  const before = engineStats().programs;
  for (let i = 0; i < 8; i++) {
    optimizer.zeroGrad();
    const logits = forward(model, x);
    const loss = loose(crossEntropy(logits as never, y as never));
    await loss.item();
    await logits.max(1).values.mean().item();
    loss.backward();
    await optimizer.step();
    kernels.add(engineStats().kernelsLastRun);
  }
  expect(kernels.size).toBe(1);
  expect(engineStats().programs - before).toBe(3);
});

test('gradients flow through a state that was stored on the way', async () => {
  const run = async (reads: boolean): Promise<number[]> => {
    const w = give([0.3, 0.2, 0.1, 0.4], [2, 2]).requiresGrad_();
    let h = give([1, 2], [1, 2]);
    for (let i = 0; i < 8; i++) {
      h = h.matmul(w).tanh();
      if (reads) await h.sum().item();
    }
    h.sum().backward();
    return [...(await (w.grad as Any).data())];
  };
  const [plain, read] = [await run(false), await run(true)];
  read.forEach((g, i) => expect(g).toBeCloseTo(plain[i], 5));
});
