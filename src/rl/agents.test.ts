// Agents with networks: their parts by hand, that they learn, that a training that was broken off ends with the same bits, and what
// wrong calls say.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { manualSeed, tensor } from '../index.js';
import { Linear } from '../nn/index.js';
import { HostRandom } from '../tensor/host-random.js';
import { Trainer } from '../train/index.js';
import { policyOf } from './agents/policy.js';
import {
  A2C,
  Box,
  DQN,
  Discrete,
  EnvironmentBase,
  MultiDiscrete,
  PPO,
  Reinforce,
  ReplayBuffer,
  TimeLimit,
  generalizedAdvantages,
  make,
} from './index.js';

// one tier, which the same bits need
beforeAll(() => void (process.env.NABLA_CPU = 'wasm'));

/** A point on a line has to be moved to 0: reward −|x| a step. */
class Aim extends EnvironmentBase<Float32Array, Float32Array> {
  readonly observationSpace = new Box([-2], [2]);
  readonly actionSpace = new Box([-1], [1]);
  override values: readonly number[] = [0];

  protected begin(): void {
    this.values = [this.random.between(-1, 1)];
  }

  protected observe(): Float32Array {
    return Float32Array.from(this.values);
  }

  protected advance([move]: Float32Array) {
    this.values = [Math.min(Math.max(this.values[0] + move, -2), 2)];
    return { reward: -Math.abs(this.values[0]), terminated: false };
  }
}

describe('parts', () => {
  test('generalised advantages', () => {
    const given = { rewards: [1, 2, 3], values: [0.5, 1, 1.5], ends: [0, 0, 0], last: [2] };
    const [gamma, lambda] = [0.9, 0.8];
    const errors = [1 + 0.9 * 1 - 0.5, 2 + 0.9 * 1.5 - 1, 3 + 0.9 * 2 - 1.5];
    const k = gamma * lambda;
    const close = (a: ArrayLike<number>, b: readonly number[]) => b.forEach((v, i) => expect(a[i]).toBeCloseTo(v, 5));
    close(generalizedAdvantages(given, { gamma, lambda }), [
      errors[0] + k * errors[1] + k * k * errors[2],
      errors[1] + k * errors[2],
      errors[2],
    ]);
    const ended = generalizedAdvantages({ ...given, ends: [0, 1, 0] }, { gamma, lambda });
    close(ended, [errors[0] + k * (2 - 1), 1, errors[2]]);
    // two copies side by side are each as alone
    const both = { rewards: [1, 7, 2, 8], values: [0, 1, 2, 3], ends: [0, 1, 0, 0], last: [4, 5] };
    const alone = generalizedAdvantages(
      { rewards: [7, 8], values: [1, 3], ends: [1, 0], last: [5] },
      { gamma, lambda },
    );
    const two = generalizedAdvantages(both, { gamma, lambda });
    close([two[1], two[3]], [...alone]);
    expect(() => generalizedAdvantages({ ...given, last: [1, 2] }, { gamma, lambda })).toThrow(
      /a multiple of the copies/,
    );
  });

  test('a buffer keeps the last steps', async () => {
    const buffer = new ReplayBuffer(3, 1);
    expect(() => buffer.sample(1, new HostRandom(0))).toThrow('there are no steps yet');
    for (let i = 0; i < 5; i++) buffer.add(Float32Array.of(i), i, 10 * i, Float32Array.of(i + 1), i === 4);
    const { observations, nexts, actions, rewards, goesOn } = buffer.sample(200, new HostRandom(0));
    const seen = await observations.data();
    expect([...new Set(seen)].toSorted()).toEqual([2, 3, 4]);
    expect(await actions.data()).toEqual(Int32Array.from(seen as Float32Array));
    expect(await rewards.data()).toEqual((seen as Float32Array).map((v) => 10 * v));
    expect(await nexts.data()).toEqual((seen as Float32Array).map((v) => v + 1));
    expect(await goesOn.data()).toEqual((seen as Float32Array).map((v) => Number(v !== 4)));
    const copy = new ReplayBuffer(3, 1);
    const { place, tensors } = buffer.state();
    await copy.restore(place, tensors);
    expect(await copy.sample(20, new HostRandom(1)).rewards.data()).toEqual(
      await buffer.sample(20, new HostRandom(1)).rewards.data(),
    );
    expect(() => buffer.add(new Float32Array(2), 0, 0, new Float32Array(2), false)).toThrow(
      'ReplayBuffer.add: observations of 2',
    );
    expect(() => new ReplayBuffer(0, 1)).toThrow('ReplayBuffer: capacity is 0');
  });

  test('policies: what is drawn on the host is what the loss computes', async () => {
    const random = new HostRandom(2);
    for (const space of [new Discrete(3, 1), new Box([-1, -1], [1, 1])]) {
      const policy = policyOf<unknown>('test', space);
      const rows = 40;
      const numbers = Float32Array.from({ length: rows * policy.outputs }, () => random.normal());
      const drawn = Array.from({ length: rows }, (_, i) => policy.draw(numbers, i * policy.outputs, random));
      expect(drawn.every(({ action }) => space.contains(action))).toBe(true);
      const kept = tensor(Float32Array.from(drawn.flatMap((one) => one.numbers)), { shape: [rows, policy.size] });
      const { logProb } = policy.terms(tensor(numbers, { shape: [rows, policy.outputs] }), kept);
      const computed = await logProb.data();
      drawn.forEach((one, i) => expect(computed[i]).toBeCloseTo(one.logProb, 4));
    }
    const counts = [0, 0, 0];
    const policy = policyOf<number>('test', new Discrete(3));
    const logits = Float32Array.of(0, Math.log(2), Math.log(5));
    for (let i = 0; i < 8000; i++) counts[policy.draw(logits, 0, random).action]++;
    [1000, 2000, 5000].forEach((count, i) => expect(Math.abs(counts[i] - count)).toBeLessThan(200));
    expect(() => policyOf('PPO', new MultiDiscrete([2]))).toThrow('PPO: actions are of MultiDiscrete([2])');
  });
});

describe('learning', () => {
  test('PPO balances a pole', async () => {
    manualSeed(0);
    const agent = new PPO(() => make('CartPole-v1'), { steps: 15_360, stepsPerEpoch: 5120, evaluationEpisodes: 10 });
    const { best, history } = await agent.learn();
    expect(history).toHaveLength(3);
    expect(best?.value).toBeGreaterThan(250);
    const { mean, returns, lengths } = await agent.evaluate({ episodes: 20 });
    expect(mean).toBeGreaterThan(200);
    expect(returns).toEqual(lengths);
    expect(await agent.evaluate({ episodes: 20 })).toEqual({ mean, returns, lengths });
  }, 60_000);

  test('PPO with actions of a Box', async () => {
    manualSeed(0);
    const agent = new PPO(() => new TimeLimit(new Aim(), 10), {
      steps: 10_240,
      evaluationEpisodes: 20,
      lr: 3e-3,
      gamma: 0.9,
    });
    const before = (await agent.evaluate({ episodes: 50 })).mean;
    await agent.learn();
    const { mean } = await agent.evaluate({ episodes: 50 });
    expect(before).toBeLessThan(-4);
    expect(mean).toBeGreaterThan(-1);
    const [move] = await agent.act(Float32Array.of(0.5));
    expect(move).toBeCloseTo(-0.5, 0);
  }, 60_000);

  test('DQN finds the way over the dry lake', async () => {
    manualSeed(0);
    const agent = new DQN(() => make('FrozenLake-v1', { slippery: false }), {
      steps: 8000,
      hidden: [32],
      evaluationEpisodes: 2,
      updates: 32,
      epsilon: [1, 0.1, 0.8],
    });
    await agent.learn();
    expect((await agent.evaluate({ episodes: 3 })).mean).toBe(1);
  }, 60_000);

  test('A2C and REINFORCE get better', async () => {
    for (const agent of [
      new A2C(() => make('CartPole-v1'), { steps: 15_360, stepsPerEpoch: 5120, evaluationEpisodes: 10 }),
      new Reinforce(() => make('CartPole-v1'), { updates: 25, evaluationEpisodes: 10 }),
    ]) {
      const { best } = await agent.learn();
      expect(best?.value).toBeGreaterThan(50); // untrained about 10
    }
  }, 60_000);
});

describe('broken off and taken up', () => {
  const agents = {
    PPO: () =>
      new PPO(() => make('CartPole-v1'), {
        steps: 1024,
        stepsPerEpoch: 512,
        horizon: 32,
        passes: 2,
        batchSize: 64,
        evaluationEpisodes: 2,
      }),
    DQN: () =>
      new DQN(() => make('CartPole-v1'), {
        steps: 512,
        stepsPerEpoch: 256,
        warmup: 64,
        updates: 8,
        targetEvery: 3,
        hidden: [16],
        evaluationEpisodes: 2,
      }),
    A2C: () => new A2C(() => make('FrozenLake-v1'), { steps: 1024, stepsPerEpoch: 512, evaluationEpisodes: 2 }),
    Reinforce: () =>
      new Reinforce(() => make('CartPole-v1'), { updates: 8, updatesPerEpoch: 4, evaluationEpisodes: 2 }),
  };

  test.each(Object.keys(agents) as (keyof typeof agents)[])(
    '%s ends with the same bits',
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), 'nabla-rl-'));
      const weights = async (agent: { model: { parameters(): { data(): Promise<Float32Array> }[] } }) =>
        await Promise.all(agent.model.parameters().map((p) => p.data()));
      try {
        manualSeed(3);
        const whole = agents[name]();
        const { history } = await new Trainer({ ...whole.plan(), restoreBest: false, seed: 5 }).fit();
        manualSeed(3);
        const first = agents[name]();
        const stopped: Trainer = new Trainer({
          ...first.plan(),
          restoreBest: false,
          seed: 5,
          folder: join(folder, name),
          callbacks: [{ onStep: (trainer, { step }) => void (step === 3 && trainer.stop()) }],
        });
        expect((await stopped.fit()).step).toBe(3); // in the middle of an epoch
        manualSeed(9);
        const second = agents[name]();
        const trainer: Trainer = new Trainer({ ...second.plan(), restoreBest: false, seed: 5 });
        await trainer.resume(join(folder, name));
        const result = await trainer.fit();
        expect(result.history.map(({ train }) => train)).toEqual(history.map(({ train }) => train));
        expect(await weights(second)).toEqual(await weights(whole));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );

  test('the state of another agent is refused', async () => {
    const agent = agents.PPO();
    await expect(agent.restore({ numbers: {}, tensors: {} })).rejects.toThrow(
      /PPO\.restore: this is not the state of such an agent/,
    );
    await expect(agents.DQN().restore(agent.state())).rejects.toThrow(/DQN\.restore/);
  });
});

test('wrong calls are named', async () => {
  const create = () => make('CartPole-v1');
  expect(() => new PPO(create() as never)).toThrow(/PPO: .* is not a function/);
  expect(() => new PPO(create, { learningRate: 1 } as never)).toThrow(
    "PPO: there is no option 'learningRate'. Did you mean lr?",
  );
  expect(() => new PPO(create, { batchSize: 100 })).toThrow('PPO: batchSize 100 does not divide the 1024 steps');
  expect(() => new PPO(create, { gamma: 2 })).toThrow('PPO: gamma is 2. Use a number from 0 to 1.');
  expect(() => new PPO(create, { hidden: 64 as never })).toThrow('PPO: hidden is 64. Give a list of widths: [64, 64].');
  expect(() => new PPO(create, { environments: 0 })).toThrow('PPO: environments is 0');
  expect(() => new PPO(create, { network: () => 3 as never })).toThrow('PPO: what network returns is 3');
  expect(() => new DQN(() => make('Pendulum-v1') as never)).toThrow(/DQN: actions are of Box.*use PPO/);
  expect(() => new DQN(create, { epsilon: 0.1 as never })).toThrow('DQN: epsilon is 0.1. Give three numbers');
  expect(() => new A2C(create, { lambda: -1 })).toThrow('A2C: lambda is -1');
  expect(() => new Reinforce(create, { updates: 0 })).toThrow('Reinforce: updates is 0');
  const narrow = new DQN(create, { network: (inputs) => new Linear(inputs, 3), steps: 100 });
  await expect(narrow.learn()).rejects.toThrow('DQN: the network gives 3 numbers for an observation. It has to give 2');
  await expect(new PPO(create).evaluate({ episodes: 0 })).rejects.toThrow('PPO.evaluate: episodes is 0');
  await expect(new PPO(create).evaluate({ episode: 2 } as never)).rejects.toThrow('Did you mean episodes?');
});
