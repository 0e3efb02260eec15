/* oxlint-disable import/namespace -- every public function is looked up by its name */
// Arguments of a wrong kind for `nabla/rl`, as callers without types pass them. `sweep.mjs` says what each is tried with.

import { expect, it } from 'vitest';
import { HostRandom } from 'nabla/data';
import * as rl from 'nabla/rl';
import { I, Options, argument, sweep } from './sweep.mjs';

const Fn = argument('function');
const Real = argument('number', 'undefined');
const NumberOnly = argument('number');
const Whole = argument('undefined');
const Bound = argument('number', 'list', 'float32array');
const create = () => rl.make('CartPole-v1');
const lake = () => rl.make('FrozenLake-v1');
const random = new HostRandom(1);
const table = {
  states: 1,
  actions: 1,
  start: [0],
  transitions: () => [{ probability: 1, next: 0, reward: 0, terminated: true }],
};
const begun = () => {
  const env = new rl.CartPole();
  env.reset({ seed: 0 });
  return env;
};
const vector = () => {
  const env = new rl.VectorEnvironment(create, 1);
  env.reset();
  return env;
};
const buffer = () => {
  const kept = new rl.ReplayBuffer(2, 1);
  kept.add(new Float32Array(1), 0, 0, new Float32Array(1), false);
  return kept;
};
const steps = { rewards: [1], values: [1], ends: [0], last: [1] };
const small = { steps: 64, stepsPerEpoch: 64, environments: 1, evaluationEpisodes: 1, hidden: [2] };
/** Each option of an agent in turn. */
const optionsOf = (name, Agent, given, make = create) =>
  Object.fromEntries(
    Object.entries(given).map(([option, arg]) => [
      `${name}, option ${option}`,
      [(value) => new Agent(make, { ...small, ...(Agent === rl.PPO && { batchSize: 128 }), [option]: value }), arg],
    ]),
  );
const common = {
  environments: Whole(1),
  steps: Whole(64),
  stepsPerEpoch: Whole(64),
  lr: Real(0.1),
  gamma: Real(0.9),
  hidden: Whole([2]),
  network: argument('undefined')((inputs, outputs) => new rl.ActorCritic(inputs, outputs)),
  evaluationEpisodes: Whole(1),
  seed: Whole(0),
};
const policy = { ...common, valueWeight: Real(1), entropyWeight: Real(1), clipNorm: Real(1) };

/** Calls by the name that their errors begin with. */
const CALLS = {
  Discrete: [(...a) => new rl.Discrete(...a), I(2), argument('undefined')(0)],
  'Discrete.sample': [(r) => new rl.Discrete(2).sample(r), I(random)],
  Box: [
    (...a) => new rl.Box(...a),
    argument('number', 'float32array')([0, 0]),
    argument('number', 'float32array')([1, 1]),
  ],
  'Box, numbers': [(low) => new rl.Box(low, 1000, [2, 2]), Bound(0)],
  MultiDiscrete: [(counts) => new rl.MultiDiscrete(counts), I([2, 3])],
  'CartPole.reset': [(o) => new rl.CartPole().reset(o), Options({})],
  'CartPole.step': [(a) => begun().step(a), I(0)],
  'CartPole.restore': [(s) => begun().restore(s), I(begun().state())],
  Wrapper: [(env) => new rl.Wrapper(env), I(create())],
  TimeLimit: [(...a) => new rl.TimeLimit(...a), I(create()), I(3)],
  VectorEnvironment: [(...a) => new rl.VectorEnvironment(...a), Fn(create), I(2), Options({})],
  'VectorEnvironment.step': [(a) => vector().step(a), argument('tensors')([0])],
  'VectorEnvironment.reset': [(o) => vector().reset(o), Options({})],
  make: [rl.make, I('CartPole-v1'), Options({})],
  TableEnvironment: [(o) => new rl.TableEnvironment(o), I(table)],
  'TableEnvironment, transitions': [
    (transitions) => new rl.TableEnvironment({ ...table, transitions }),
    I(table.transitions),
  ],
  GridWorld: [(o) => new rl.GridWorld(o), I({ map: ['S'] })],
  'GridWorld, map': [(map) => new rl.GridWorld({ map }), I(['S'])],
  'GridWorld, moves': [(moves) => new rl.GridWorld({ map: ['S'], moves }), Whole(['up'])],
  'GridWorld, success': [(success) => new rl.GridWorld({ map: ['S'], success }), Whole(0.5)],
  'GridWorld.arrows': [(actions) => new rl.FrozenLake().arrows(actions), I(new Array(16).fill(0))],
  FrozenLake: [(o) => new rl.FrozenLake(o), Options({})],
  playEpisode: [(...a) => rl.playEpisode(...a), I(create()), Fn(() => 0), Options({})],
  linearSchedule: [rl.linearSchedule, NumberOnly(1), NumberOnly(0), Whole(1)],
  ...Object.fromEntries(
    ['QLearning', 'Sarsa', 'ExpectedSarsa'].map((name) => [
      name,
      [(...a) => new rl[name](...a), I(lake()), Options({})],
    ]),
  ),
  'QLearning.learn': [(o) => new rl.QLearning(lake()).learn(o), I({ episodes: 1 })],
  'QLearning.act': [(s) => new rl.QLearning(lake()).act(s), I(0)],
  valueIteration: [rl.valueIteration, I(new rl.FrozenLake()), Options({})],
  generalizedAdvantages: [rl.generalizedAdvantages, I(steps), I({ gamma: 1, lambda: 1 })],
  ReplayBuffer: [(...a) => new rl.ReplayBuffer(...a), I(2), I(1)],
  'ReplayBuffer.add': [(o) => buffer().add(o, 0, 0, new Float32Array(1), false), I(new Float32Array(1))],
  'ReplayBuffer.sample': [(...a) => buffer().sample(...a), I(1), I(random)],
  ActorCritic: [(...a) => new rl.ActorCritic(...a), I(2), I(3), Whole([4])],
  PPO: [(...a) => new rl.PPO(...a), Fn(create), Options({})],
  A2C: [(...a) => new rl.A2C(...a), Fn(create), Options({})],
  Reinforce: [(...a) => new rl.Reinforce(...a), Fn(create), Options({})],
  DQN: [(...a) => new rl.DQN(...a), Fn(create), Options({})],
  'PPO.evaluate': [(o) => new rl.PPO(create, { ...small, batchSize: 128 }).evaluate(o), Options({ episodes: 1 })],
  ...optionsOf('PPO', rl.PPO, {
    ...policy,
    horizon: Whole(128),
    passes: Whole(1),
    batchSize: Whole(128),
    lambda: Whole(0.9),
    clip: Real(0.1),
  }),
  ...optionsOf('A2C', rl.A2C, { ...policy, horizon: Whole(2), lambda: Whole(0.5) }),
  ...optionsOf('Reinforce', rl.Reinforce, { ...policy, updates: Whole(1), updatesPerEpoch: Whole(1) }),
  ...optionsOf('DQN', rl.DQN, {
    ...common,
    capacity: Whole(9),
    batchSize: Whole(2),
    epsilon: Whole([1, 0, 0.5]),
    clipNorm: Real(1),
  }),
};

it.each(Object.keys(CALLS))('%s', async (name) => {
  const [call, ...args] = CALLS[name];
  expect(await sweep(name, call, args)).toEqual([]);
});

/** What is no call with arguments of its own: made by others, extended, or without arguments. */
const OTHERS = [
  'Agent',
  'PolicyAgent',
  'TableAgent',
  'EnvironmentBase',
  'ENVIRONMENT_NAMES',
  'Acrobot',
  'CartPole',
  'MountainCar',
  'MountainCarContinuous',
  'Pendulum',
  'CliffWalking',
];

it('every public name is here', () => {
  expect(Object.keys(rl).filter((name) => !(name in CALLS) && !OTHERS.includes(name))).toEqual([]);
});
