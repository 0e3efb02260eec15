// REINFORCE (Williams 1992) with a learned baseline: whole episodes are played, then the probability of each action goes up or down
// with what followed it, less what was to be expected.

import { Adam } from '../../optim/adam.js';
import { tensor } from '../../tensor/creation.js';
import { type OptionNames, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Environment } from '../environment.js';
import { type AgentBatch, type Settled, settle } from './agent.js';
import { POLICY_AGENT_OPTIONS, PolicyAgent, type PolicyAgentOptions } from './policy-agent.js';

export interface ReinforceOptions extends PolicyAgentOptions {
  /** Updates between two evaluations, in the place of `stepsPerEpoch`: how many steps an episode takes is not known before. Default 25. */
  readonly updatesPerEpoch?: number;
  /** Updates in all, in the place of `steps`. Default 500. */
  readonly updates?: number;
}

const REINFORCE_OPTIONS: OptionNames<ReinforceOptions> = {
  ...POLICY_AGENT_OPTIONS,
  updatesPerEpoch: true,
  updates: true,
};

const DEFAULTS = {
  environments: 8,
  steps: 1,
  stepsPerEpoch: 1,
  lr: 3e-3,
  gamma: 0.99,
  hidden: [64, 64],
  evaluationEpisodes: 20,
  seed: 0,
  valueWeight: 0.5,
  entropyWeight: 0,
  clipNorm: 0.5,
  anneal: true,
  updatesPerEpoch: 25,
  updates: 500,
};

/** Rows of an update are a multiple of this, and twice as many each time: so few shapes are compiled. */
const LEAST_ROWS = 64;

/** REINFORCE with baseline. An update learns from one episode of each copy. Observations are of a Box or a Discrete, actions as well. */
export class Reinforce<O, A> extends PolicyAgent<O, A, Settled<ReinforceOptions>> {
  readonly length: number;
  readonly batchSize: number;
  readonly epochs: number;

  constructor(create: () => Environment<O, A>, options: ReinforceOptions = {}) {
    const settled = settle('Reinforce', options, REINFORCE_OPTIONS, DEFAULTS);
    super(create, settled, {
      name: 'Reinforce',
      optimizer: (model, lr) => new Adam(model.parameters(), { lr }),
    });
    this.length = settled.updatesPerEpoch;
    this.batchSize = settled.environments;
    for (const [name, value] of Object.entries({ updates: settled.updates, updatesPerEpoch: settled.updatesPerEpoch }))
      checkWhole('Reinforce', name, value, 1);
    this.epochs = Math.max(1, Math.ceil(settled.updates / settled.updatesPerEpoch));
  }

  /** One episode of each copy, and what followed each action. */
  protected async next(): Promise<AgentBatch> {
    const { policy, encoder, vector, episodes, random } = this;
    const { gamma } = this.options;
    const width = policy.outputs + 1;
    const played = vector.environments.map(() => ({
      observations: [] as O[],
      actions: [] as number[],
      rewards: [] as number[],
      isOver: false,
    }));
    let observations: O[] = vector.environments.map((environment) => environment.reset().observation);
    while (played.some(({ isOver }) => !isOver)) {
      const numbers = await this.asker.ask(observations);
      observations = observations.map((observation, i) => {
        const own = played[i];
        if (own.isOver) return observation;
        const { action, numbers: kept } = policy.draw(numbers, i * width, random);
        const step = vector.environments[i].step(action);
        own.observations.push(observation);
        for (const number of kept) own.actions.push(number);
        own.rewards.push(step.reward);
        own.isOver = step.terminated || step.truncated;
        episodes.add(i, step.reward, own.isOver);
        this.steps++;
        return step.observation;
      });
    }
    this.observations = observations;
    const rows = played.reduce((sum, { rewards }) => sum + rewards.length, 0);
    let padded = LEAST_ROWS;
    while (padded < rows) padded *= 2;
    const seen = new Float32Array(padded * encoder.size);
    const actions =
      policy.dtype === 'int32' ? new Int32Array(padded * policy.size) : new Float32Array(padded * policy.size);
    const returns = new Float32Array(padded);
    const weights = new Float32Array(padded).fill(1 / rows, 0, rows); // rows that fill up count for nothing
    let at = 0;
    for (const own of played) {
      own.observations.forEach((observation, t) => encoder.write(observation, seen, (at + t) * encoder.size));
      actions.set(own.actions, at * policy.size);
      let following = 0;
      for (let t = own.rewards.length - 1; t >= 0; t--)
        returns[at + t] = following = own.rewards[t] + gamma * following;
      at += own.rewards.length;
    }
    return {
      observations: tensor(seen, { shape: [padded, encoder.size] }),
      actions: asTensor(actions, [padded, policy.size]),
      returns: tensor(returns, { shape: [padded] }),
      weights: tensor(weights, { shape: [padded] }),
    };
  }

  loss(batch: AgentBatch): Tensor {
    const { valueWeight, entropyWeight } = this.options;
    const { numbers, values } = this.split(batch);
    const { logProb, entropy } = this.policy.terms(numbers, batch.actions);
    const { returns, weights } = batch as Readonly<Record<string, Tensor>>;
    const error: Tensor = returns.sub(values);
    const mean = (t: Tensor): Tensor => t.mul(weights).sum();
    const known: Tensor = error.detach();
    const middle: Tensor = known.sub(mean(known));
    const spread: Tensor = mean(middle.mul(middle)).sqrt().add(1e-8);
    const gain: Tensor = mean(logProb.mul(middle.div(spread)));
    const loss: Tensor = mean(error.mul(error)).mul(valueWeight).sub(gain);
    return entropyWeight === 0 ? loss : loss.sub(mean(entropy).mul(entropyWeight));
  }
}

function asTensor(numbers: Int32Array | Float32Array, shape: readonly number[]): AnyTensor {
  return numbers instanceof Int32Array ? tensor(numbers, { shape }) : tensor(numbers, { shape });
}
