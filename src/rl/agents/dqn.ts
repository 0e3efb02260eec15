// Deep Q-learning (Mnih et al. 2015): a network says what each action is worth, learns from steps that are drawn from a buffer, and is
// compared with an older copy of itself. Double (van Hasselt et al. 2016): the network chooses the next action, the copy says its worth.

import { deepCopy } from '../../nn/copy.js';
import { smoothL1Loss } from '../../nn/losses/regression.js';
import { Adam } from '../../optim/adam.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { ArgumentError, type OptionNames, checkNumber, checkWhole, wrongKind } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { SourceState } from '../../train/options.js';
import type { Environment } from '../environment.js';
import { Discrete, type Space } from '../spaces.js';
import { VectorEnvironment } from '../vector-environment.js';
import {
  AGENT_OPTIONS,
  Agent,
  type AgentBatch,
  type AgentOptions,
  type Settled,
  checkAgentOptions,
  checkShare,
  settle,
} from './agent.js';
import { Encoder } from './encoder.js';
import { type Network, createNetwork, reluNetwork } from './networks.js';
import { argmaxOf } from './policy.js';
import { ReplayBuffer } from './replay-buffer.js';

export interface DqnOptions extends AgentOptions {
  /** Steps that the buffer keeps. Default 50,000. */
  readonly capacity?: number;
  /** Steps before the first update. Default 1,000. */
  readonly warmup?: number;
  /** Samples of an update. Default 64. */
  readonly batchSize?: number;
  /** Steps (of all copies together) between groups of updates. Default 128. */
  readonly trainEvery?: number;
  /** Updates of a group. Default 64. */
  readonly updates?: number;
  /** Updates after which the copy becomes like the network. Default 128. */
  readonly targetEvery?: number;
  /** Whether the network chooses the action of which the copy says the worth. Default true. */
  readonly double?: boolean;
  /** Share of random actions at first, in the end, and after which share of all steps that is reached. Default [1, 0.04, 0.2]. */
  readonly epsilon?: readonly [from: number, to: number, share: number];
  /** Largest joint norm of the gradients. Default 10. */
  readonly clipNorm?: number;
}

const DQN_OPTIONS: OptionNames<DqnOptions> = {
  ...AGENT_OPTIONS,
  capacity: true,
  warmup: true,
  batchSize: true,
  trainEvery: true,
  updates: true,
  targetEvery: true,
  double: true,
  epsilon: true,
  clipNorm: true,
};

const DEFAULTS = {
  environments: 4,
  steps: 50_000,
  lr: 1e-3,
  gamma: 0.99,
  hidden: [128, 128],
  evaluationEpisodes: 20,
  seed: 0,
  capacity: 50_000,
  warmup: 1000,
  batchSize: 64,
  trainEvery: 128,
  updates: 64,
  targetEvery: 128,
  double: true,
  epsilon: [1, 0.04, 0.2],
  clipNorm: 10,
} as const;

/**
 * DQN. Observations are of a Box or a Discrete, actions of a Discrete.
 *
 *     const agent = new DQN(() => make('CartPole-v1'), { lr: 5e-4 });
 *     await agent.learn();
 */
export class DQN<O> extends Agent<O, number, Settled<DqnOptions>> {
  readonly length: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly buffer: ReplayBuffer;
  private readonly actions: Discrete;
  /** The older copy. */
  private readonly target: Network;
  /** Updates so far, of which the last may be under way. */
  private updates = 0;

  constructor(create: () => Environment<O, number>, options: DqnOptions = {}) {
    const settled = settle('DQN', options, DQN_OPTIONS, DEFAULTS);
    checkAgentOptions('DQN', create, settled);
    const {
      steps,
      environments,
      hidden,
      lr,
      capacity,
      warmup,
      batchSize,
      trainEvery,
      updates,
      targetEvery,
      clipNorm,
      epsilon,
    } = settled;
    for (const [name, value] of Object.entries({ capacity, warmup, batchSize, trainEvery, updates, targetEvery }))
      checkWhole('DQN', name, value, 1);
    checkNumber('DQN', 'clipNorm', clipNorm);
    if (!Array.isArray(epsilon) || epsilon.length !== 3)
      throw wrongKind('DQN', 'epsilon', epsilon, 'Give three numbers: [1, 0.04, 0.2]');
    epsilon.forEach((value, i) => checkShare('DQN', `number ${i} of epsilon`, value));
    const vector = new VectorEnvironment(create, environments, { autoreset: 'same-step' });
    const actions = discreteOf(vector.actionSpace);
    const encoder = new Encoder('DQN', vector.observationSpace);
    const model = createNetwork('DQN', settled.network ?? reluNetwork(hidden), encoder.size, actions.n);
    super(create, settled, vector, { name: 'DQN', model, optimizer: new Adam(model.parameters(), { lr }) });
    this.actions = actions;
    this.target = deepCopy(model);
    this.target.requiresGrad_(false);
    this.buffer = new ReplayBuffer(capacity, encoder.size);
    this.batchSize = batchSize;
    const groups = Math.max(1, Math.round(settled.stepsPerEpoch / trainEvery));
    this.length = groups * updates;
    this.epochs = Math.max(1, Math.ceil(steps / (groups * trainEvery)));
  }

  protected best(numbers: Float32Array, at: number): number {
    return this.actions.start + argmaxOf(numbers, at, this.actions.n);
  }

  protected async next(): Promise<AgentBatch> {
    const { batchSize, warmup, trainEvery, updates, targetEvery } = this.options;
    if (this.updates % updates === 0) {
      const wanted = Math.max(this.steps + trainEvery, warmup);
      while (this.steps < wanted) await this.move();
    }
    if (this.updates % targetEvery === 0) this.target.loadStateDict(this.model.stateDict());
    this.updates++;
    return this.buffer.sample(batchSize, this.random);
  }

  /** The share of random actions now. */
  get epsilon(): number {
    const [from, to, share] = this.options.epsilon;
    const done = Math.min(1, this.steps / (share * this.options.steps));
    return from + (to - from) * done;
  }

  /** A step in all copies. */
  private async move(): Promise<void> {
    const { vector, actions, encoder, buffer, random, episodes, epsilon } = this;
    const numbers = await this.asker.ask(this.observations);
    const width = numbers.length / vector.count;
    if (width !== actions.n)
      throw new ArgumentError(
        `DQN: the network gives ${width} numbers for an observation. It has to give ${actions.n}, one for each action.`,
      );
    const chosen = this.observations.map((_, i) =>
      random.uniform() < epsilon ? actions.start + random.below(actions.n) : this.best(numbers, i * width),
    );
    const { observations, rewards, terminated, truncated, finals } = vector.step(chosen);
    const before = encoder.rows(this.observations);
    const after = encoder.rows(observations.map((observation, i) => finals[i] ?? observation));
    const row = (rows: Float32Array, i: number) => rows.subarray(i * encoder.size, (i + 1) * encoder.size);
    for (let i = 0; i < vector.count; i++) {
      buffer.add(row(before, i), chosen[i] - actions.start, rewards[i], row(after, i), terminated[i]);
      episodes.add(i, rewards[i], terminated[i] || truncated[i]);
    }
    this.observations = observations;
    this.steps += vector.count;
  }

  loss(batch: AgentBatch): Tensor {
    const { model, target } = this;
    const { gamma, double } = this.options;
    const { observations, nexts, rewards, goesOn } = batch as Readonly<Record<string, Tensor<[number, number]>>>;
    const worth = withoutGrad((): Tensor => {
      const later = target.forward(nexts);
      if (!double) return later.max(1).values;
      const choice = model.forward(nexts).argmax(1).reshape([-1, 1]);
      return later.gather(1, choice).reshape([-1]);
    });
    const wanted: Tensor = worth.mul(goesOn).mul(gamma).add(rewards).detach();
    const chosen = batch.actions.to('int32').reshape([-1, 1]);
    const said: Tensor = model.forward(observations).gather(1, chosen).reshape([-1]);
    return smoothL1Loss(said, wanted);
  }

  override plan(): ReturnType<Agent<O, number>['plan']> {
    return { ...super.plan(), clipNorm: this.options.clipNorm };
  }

  override state(): SourceState {
    const { numbers } = super.state();
    const { place, tensors } = this.buffer.state();
    const target = Object.entries(this.target.stateDict()).map(([key, t]) => [`target.${key}`, t] as const);
    return {
      numbers: { ...numbers, place, updates: [this.updates] },
      tensors: { ...tensors, ...Object.fromEntries(target) },
    };
  }

  override async restore(state: SourceState): Promise<void> {
    const { place, updates } = state.numbers;
    if (place?.length !== 2 || updates?.length !== 1)
      throw new ArgumentError('DQN.restore: this is not the state of such an agent. Give what state() gave.');
    await super.restore(state);
    await this.buffer.restore(place, state.tensors);
    [this.updates] = updates;
    const own = Object.entries(state.tensors).filter(([key]) => key.startsWith('target.'));
    this.target.loadStateDict(Object.fromEntries(own.map(([key, t]) => [key.slice('target.'.length), t])));
  }
}

function discreteOf(space: Space<number>): Discrete {
  if (space instanceof Discrete) return space;
  throw new ArgumentError(`DQN: actions are of ${String(space)}. It needs a Discrete: use PPO for a Box.`);
}
