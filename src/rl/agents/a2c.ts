// Advantage actor-critic (Mnih et al. 2016, with copies that wait for each other): a few steps in all copies, one update from them.

import { RMSprop } from '../../optim/index.js';
import { type OptionNames, checkWhole } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Environment } from '../environment.js';
import { type AgentBatch, type Settled, checkShare, settle } from './agent.js';
import { POLICY_AGENT_OPTIONS, PolicyAgent, type PolicyAgentOptions } from './policy-agent.js';
import { Rollout } from './rollout.js';

export interface A2cOptions extends PolicyAgentOptions {
  /** Steps that each copy takes for an update. Default 8. */
  readonly horizon?: number;
  /** λ of the advantages. Default 1: rewards until the horizon, and the value there. */
  readonly lambda?: number;
}

const A2C_OPTIONS: OptionNames<A2cOptions> = { ...POLICY_AGENT_OPTIONS, horizon: true, lambda: true };

const DEFAULTS = {
  environments: 16,
  steps: 300_000,
  lr: 1e-3,
  gamma: 0.99,
  hidden: [64, 64],
  evaluationEpisodes: 20,
  seed: 0,
  valueWeight: 0.5,
  entropyWeight: 0,
  clipNorm: 0.5,
  anneal: true,
  horizon: 8,
  lambda: 1,
};

/** A2C. Observations are of a Box or a Discrete, actions as well. */
export class A2C<O, A> extends PolicyAgent<O, A, Settled<A2cOptions>> {
  readonly length: number;
  readonly batchSize: number;
  readonly epochs: number;
  private readonly rollout: Rollout;
  private readonly rows: Int32Array;

  constructor(create: () => Environment<O, A>, options: A2cOptions = {}) {
    const settled = settle('A2C', options, A2C_OPTIONS, DEFAULTS);
    super(create, settled, {
      name: 'A2C',
      optimizer: (model, lr) => new RMSprop(model.parameters(), { lr, eps: 1e-5 }),
    });
    const { steps, horizon, lambda, environments, stepsPerEpoch } = settled;
    checkWhole('A2C', 'horizon', horizon, 1);
    checkShare('A2C', 'lambda', lambda);
    this.batchSize = environments * horizon;
    this.length = Math.max(1, Math.round(stepsPerEpoch / this.batchSize));
    this.epochs = Math.max(1, Math.ceil(steps / (this.length * this.batchSize)));
    this.rollout = new Rollout(this.batchSize, this.sizes);
    this.rows = Int32Array.from({ length: this.batchSize }, (_, i) => i);
  }

  protected async next(): Promise<AgentBatch> {
    await this.collect(this.rollout, this.options.horizon, this.options.lambda);
    return this.rollout.batch(this.rows);
  }

  loss(batch: AgentBatch): Tensor {
    const { valueWeight, entropyWeight } = this.options;
    const { numbers, values } = this.split(batch);
    const { logProb, entropy } = this.policy.terms(numbers, batch.actions);
    const { advantages, returns } = batch as Readonly<Record<string, Tensor>>;
    const error: Tensor = values.sub(returns);
    const loss: Tensor = error.mul(error).mean().mul(valueWeight).sub(logProb.mul(advantages).mean());
    return entropyWeight === 0 ? loss : loss.sub(entropy.mean().mul(entropyWeight));
  }
}
