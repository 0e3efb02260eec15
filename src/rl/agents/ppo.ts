// Proximal policy optimisation (Schulman et al. 2017): steps are taken by the policy as it is, then learned from in several passes,
// in which a clipped ratio keeps the new policy near the old one.

import { Adam } from '../../optim/adam.js';
import { ArgumentError, type OptionNames, checkNumber, checkWhole } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { SourceState } from '../../train/options.js';
import type { Environment } from '../environment.js';
import { type AgentBatch, type Settled, checkShare, settle } from './agent.js';
import { POLICY_AGENT_OPTIONS, PolicyAgent, type PolicyAgentOptions } from './policy-agent.js';
import { Rollout } from './rollout.js';

export interface PpoOptions extends PolicyAgentOptions {
  /** Steps that each copy takes before the policy learns from them. Default 128. */
  readonly horizon?: number;
  /** How often each step is learned from. Default 10. */
  readonly passes?: number;
  /** Samples of an update. Default 256. */
  readonly batchSize?: number;
  /** λ of the advantages. Default 0.95. */
  readonly lambda?: number;
  /** How far the probability of an action may move, as a share of it. Default 0.2. */
  readonly clip?: number;
}

const PPO_OPTIONS: OptionNames<PpoOptions> = {
  ...POLICY_AGENT_OPTIONS,
  horizon: true,
  passes: true,
  batchSize: true,
  lambda: true,
  clip: true,
};

const DEFAULTS = {
  environments: 8,
  steps: 100_000,
  lr: 1e-3,
  gamma: 0.99,
  hidden: [64, 64],
  evaluationEpisodes: 20,
  seed: 0,
  valueWeight: 0.5,
  entropyWeight: 0,
  clipNorm: 0.5,
  anneal: true,
  horizon: 128,
  passes: 10,
  batchSize: 256,
  lambda: 0.95,
  clip: 0.2,
};

/**
 * PPO with the clipped objective and generalised advantages. Observations are of a Box or a Discrete, actions as well.
 *
 *     const agent = new PPO(() => make('CartPole-v1'));
 *     await agent.learn();
 *     console.log((await agent.evaluate()).mean);
 */
export class PPO<O, A> extends PolicyAgent<O, A, Settled<PpoOptions>> {
  readonly length: number;
  readonly batchSize: number;
  readonly epochs: number;
  private readonly rollout: Rollout;
  private readonly order: Int32Array;
  /** Where in `order` the next batch begins, and passes that are done; after the last one there is nothing left to learn from. */
  private at = 0;
  private pass: number;

  constructor(create: () => Environment<O, A>, options: PpoOptions = {}) {
    const settled = settle('PPO', options, PPO_OPTIONS, DEFAULTS);
    super(create, settled, {
      name: 'PPO',
      optimizer: (model, lr) => new Adam(model.parameters(), { lr, eps: 1e-5 }),
    });
    const { steps, horizon, passes, batchSize, lambda, clip, environments, stepsPerEpoch } = settled;
    for (const [name, value] of Object.entries({ horizon, passes, batchSize })) checkWhole('PPO', name, value, 1);
    checkShare('PPO', 'lambda', lambda);
    checkNumber('PPO', 'clip', clip);
    const rows = environments * horizon;
    if (rows % batchSize !== 0) {
      const divisors = [rows, rows / 2, rows / 4].filter(Number.isInteger);
      throw new ArgumentError(
        `PPO: batchSize ${batchSize} does not divide the ${rows} steps (environments · horizon) that are learned from at a time. Use a divisor: ${divisors.join(', ')}.`,
      );
    }
    const rollouts = Math.max(1, Math.round(stepsPerEpoch / rows));
    this.batchSize = batchSize;
    this.length = rollouts * passes * (rows / batchSize);
    this.epochs = Math.max(1, Math.ceil(steps / (rollouts * rows)));
    this.rollout = new Rollout(rows, this.sizes);
    this.order = Int32Array.from({ length: rows }, (_, i) => i);
    this.pass = passes;
  }

  protected async next(): Promise<AgentBatch> {
    const { rollout, order, batchSize } = this;
    const { passes, horizon, lambda } = this.options;
    if (this.pass === passes) {
      await this.collect(rollout, horizon, lambda);
      [this.pass, this.at] = [0, 0];
    }
    if (this.at === 0) this.random.shuffle(order);
    const batch = rollout.batch(order.subarray(this.at, this.at + batchSize));
    this.at += batchSize;
    if (this.at === rollout.rows) [this.pass, this.at] = [this.pass + 1, 0];
    return batch;
  }

  loss(batch: AgentBatch): Tensor {
    const { clip, valueWeight, entropyWeight } = this.options;
    const { numbers, values } = this.split(batch);
    const { logProb, entropy } = this.policy.terms(numbers, batch.actions);
    const { logProbs, advantages, returns } = batch as Readonly<Record<string, Tensor>>;
    const scaled: Tensor = advantages.sub(advantages.mean()).div(advantages.std().add(1e-8));
    const ratio: Tensor = logProb.sub(logProbs).exp();
    const gain: Tensor = ratio.mul(scaled).minimum(ratio.clamp(1 - clip, 1 + clip).mul(scaled));
    const error: Tensor = values.sub(returns);
    const loss: Tensor = error.mul(error).mean().mul(valueWeight).sub(gain.mean());
    return entropyWeight === 0 ? loss : loss.sub(entropy.mean().mul(entropyWeight));
  }

  override state(): SourceState {
    const { numbers } = super.state();
    const isLearning = this.pass < this.options.passes;
    return {
      numbers: { ...numbers, order: [...this.order], place: [this.pass, this.at] },
      tensors: isLearning ? this.rollout.state() : {},
    };
  }

  override async restore(state: SourceState): Promise<void> {
    const { order, place } = state.numbers;
    if (order?.length !== this.order.length || place?.length !== 2)
      throw new ArgumentError('PPO.restore: this is not the state of such an agent. Give what state() gave.');
    await super.restore(state);
    this.order.set(order);
    [this.pass, this.at] = place;
    if (this.pass < this.options.passes) await this.rollout.restore(state.tensors);
  }
}
