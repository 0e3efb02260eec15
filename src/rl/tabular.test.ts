// Agents with a table against dynamic programming, and the walk along the cliff of Sutton and Barto's book.
import { describe, expect, test } from 'vitest';
import {
  CliffWalking,
  ExpectedSarsa,
  FrozenLake,
  QLearning,
  Sarsa,
  TimeLimit,
  linearSchedule,
  make,
  playEpisode,
  valueIteration,
} from './index.js';

test('value iteration: the frozen lake', () => {
  const { values, policy } = valueIteration(new FrozenLake());
  expect(values[0]).toBeCloseTo(0.542, 3); // as solved with Gymnasium's table
  expect(values[15]).toBe(0);
  expect(policy[0]).toBe(0);
  const dry = valueIteration(new FrozenLake({ slippery: false }), { gamma: 0.9 });
  expect(dry.values[0]).toBeCloseTo(0.9 ** 5, 8);
  const cliff = valueIteration(new CliffWalking(), { gamma: 1 });
  expect(cliff.values[36]).toBe(-13);
  expect(() => valueIteration(make('FrozenLake-v1') as never)).toThrow(/valueIteration: the environment is/);
  expect(() => valueIteration(new FrozenLake(), { gamma: 1.5 })).toThrow('gamma is 1.5');
});

describe('learning', () => {
  test('Q-learning comes to the optimal values of the slippery lake', () => {
    const agent = new QLearning(make('FrozenLake-v1'), { lr: linearSchedule(0.3, 0.005), epsilon: 1, gamma: 0.95 });
    agent.learn({ episodes: 30_000 });
    const { values } = valueIteration(new FrozenLake(), { gamma: 0.95 });
    const worst = values.reduce((most, value, state) => Math.max(most, Math.abs(value - agent.value(state))), 0);
    expect(worst).toBeLessThan(0.05);
  });

  test('along the cliff Q-learning goes the short way, SARSA the safe one', async () => {
    const create = () => new TimeLimit(new CliffWalking(), 200);
    const options = { lr: linearSchedule(0.5, 0.02), gamma: 1, epsilon: 0.1 };
    const returns = [];
    const learned = [];
    for (const Agent of [QLearning, Sarsa, ExpectedSarsa]) {
      const agent = new Agent(create(), options);
      const all = agent.learn({ episodes: 2000 });
      learned.push(all.slice(1000).reduce((a, b) => a + b, 0) / 1000);
      returns.push((await playEpisode(create(), (state) => agent.act(state))).return);
    }
    expect(returns[0]).toBe(-13);
    expect(returns[1]).toBeLessThan(-14);
    expect(returns[1]).toBeGreaterThan(-20);
    expect(returns[2]).toBeGreaterThan(-20);
    // while it explores, the safe way pays
    expect(learned[1]).toBeGreaterThan(learned[0]);
    expect(learned[2]).toBeGreaterThan(learned[0]);
  });

  test('the same seed gives the same table', () => {
    const table = (seed: number) => {
      const agent = new QLearning(make('FrozenLake-v1'), { seed });
      agent.learn({ episodes: 50 });
      return [...agent.q];
    };
    expect(table(1)).toEqual(table(1));
  });

  test('wrong calls are named', () => {
    expect(() => new QLearning(make('CartPole-v1') as never)).toThrow(
      /QLearning: observations are of Box.*A table needs a Discrete/,
    );
    expect(() => new Sarsa(make('FrozenLake-v1'), { learningRate: 1 } as never)).toThrow(
      "there is no option 'learningRate'. Did you mean lr?",
    );
    expect(() => new Sarsa(make('FrozenLake-v1'), { gamma: 'x' as never })).toThrow("Sarsa: gamma is 'x'");
    const agent = new Sarsa(make('FrozenLake-v1'));
    expect(() => agent.learn({ episodes: 0 })).toThrow('Sarsa.learn: episodes is 0');
    expect(() => agent.learn(undefined as never)).toThrow('Sarsa.learn: episodes is missing');
    expect(() => agent.act(16)).toThrow('Sarsa.act: state is 16. Use a whole number from 0 to 15.');
    expect(() => linearSchedule(1, 0, 0)).toThrow('linearSchedule: share is 0');
  });
});
