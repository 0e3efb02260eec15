// Agents that learn a policy and a value side by side (PPO, A2C, REINFORCE with a baseline): one network whose last column is the value,
// and how it is acted with.

import type { OptionNames } from '../../tensor/library.js';
import { ArgumentError, checkNumber } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { TrainingOptimizer } from '../../train/options.js';
import type { Environment } from '../environment.js';
import { VectorEnvironment } from '../vector-environment.js';
import { AGENT_OPTIONS, Agent, type AgentBatch, type AgentOptions, type Settled, checkAgentOptions } from './agent.js';
import { Encoder } from './encoder.js';
import { ActorCritic, type Network, createNetwork } from './networks.js';
import { type Policy, policyOf } from './policy.js';
import type { Rollout } from './rollout.js';

export interface PolicyAgentOptions extends AgentOptions {
  /** Weight of the value's loss. Default 0.5. */
  readonly valueWeight?: number;
  /** Weight of the policy's entropy, which is kept from becoming small. Default 0. */
  readonly entropyWeight?: number;
  /** Largest joint norm of the gradients. Default 0.5. */
  readonly clipNorm?: number;
  /** Whether the learning rate falls to 0 in a straight line. Default true. */
  readonly anneal?: boolean;
}

export const POLICY_AGENT_OPTIONS: OptionNames<PolicyAgentOptions> = {
  ...AGENT_OPTIONS,
  valueWeight: true,
  entropyWeight: true,
  clipNorm: true,
  anneal: true,
};

export interface PolicyAgentParts {
  readonly name: string;
  optimizer(model: Network, lr: number): TrainingOptimizer;
}

export abstract class PolicyAgent<
  O,
  A,
  Options extends Settled<PolicyAgentOptions> = Settled<PolicyAgentOptions>,
> extends Agent<O, A, Options> {
  protected readonly policy: Policy<A>;

  constructor(create: () => Environment<O, A>, options: Options, { name, optimizer }: PolicyAgentParts) {
    checkAgentOptions(name, create, options);
    for (const [what, value] of Object.entries({
      valueWeight: options.valueWeight,
      entropyWeight: options.entropyWeight,
      clipNorm: options.clipNorm,
    }))
      checkNumber(name, what, value);
    const vector = new VectorEnvironment(create, options.environments, { autoreset: 'same-step' });
    const policy = policyOf(name, vector.actionSpace);
    const inputs = new Encoder(name, vector.observationSpace).size;
    const outputs = policy.outputs + 1;
    const { network, hidden } = options;
    const model: Network =
      network === undefined ? new ActorCritic(inputs, outputs, hidden) : createNetwork(name, network, inputs, outputs);
    super(create, options, vector, { name, model, optimizer: optimizer(model, options.lr) });
    this.policy = policy;
  }

  protected best(numbers: Float32Array, at: number): A {
    return this.policy.best(numbers, at);
  }

  override plan(): ReturnType<Agent<O, A>['plan']> {
    const { lr, anneal, clipNorm } = this.options;
    return {
      ...super.plan(),
      clipNorm,
      ...(anneal && { schedule: (step: number, total: number) => lr * Math.max(0, 1 - step / total) }),
    };
  }

  /** The value that the network says, one column of its numbers [N, outputs]; before it what it says of actions. */
  protected split(batch: AgentBatch): { readonly numbers: Tensor; readonly values: Tensor } {
    const [numbers, values] = this.model
      .forward(batch.observations as Tensor<[number, number]>)
      .split([this.policy.outputs, 1], 1);
    return { numbers, values: values.reshape([-1]) };
  }

  /** Takes `steps` steps in all copies by the policy as it is, and fills the rollout. */
  protected async collect(rollout: Rollout, steps: number, lambda: number): Promise<void> {
    const { policy, encoder, vector, episodes, random } = this;
    const { count } = vector;
    const width = policy.outputs + 1;
    const { gamma } = this.options;
    for (let t = 0; t < steps; t++) {
      const numbers = await this.asker.ask(this.observations);
      if (numbers.length !== count * width)
        throw new ArgumentError(
          `${this.name}: the network gives ${numbers.length / count} numbers for an observation. It has to give ${width}: ${policy.outputs} for the actions, and the value.`,
        );
      const drawn = this.observations.map((observation, i) => {
        const at = t * count + i;
        const { action, numbers: kept, logProb } = policy.draw(numbers, i * width, random);
        encoder.write(observation, rollout.observations, at * encoder.size);
        rollout.actions.set(kept, at * policy.size);
        rollout.logProbs[at] = logProb;
        rollout.values[at] = numbers[i * width + policy.outputs];
        return action;
      });
      const { observations, rewards, terminated, truncated, finals } = vector.step(drawn);
      // an episode that was only cut off would have gone on: what its last observation is worth belongs to its reward
      const cut = truncated.some((isCut, i) => isCut && !terminated[i]);
      const worth = cut ? await this.asker.ask(finals.map((final, i) => final ?? observations[i])) : undefined;
      for (let i = 0; i < count; i++) {
        const at = t * count + i;
        const isOver = terminated[i] || truncated[i];
        const rest =
          worth !== undefined && truncated[i] && !terminated[i] ? gamma * worth[i * width + policy.outputs] : 0;
        rollout.rewards[at] = rewards[i] + rest;
        rollout.ends[at] = isOver ? 1 : 0;
        episodes.add(i, rewards[i], isOver);
      }
      this.observations = observations;
      this.steps += count;
    }
    const after = await this.asker.ask(this.observations);
    const last = this.observations.map((_, i) => after[i * width + policy.outputs]);
    rollout.finish(last, { gamma, lambda });
  }

  protected get sizes(): {
    readonly observation: number;
    readonly action: number;
    readonly dtype: 'int32' | 'float32';
  } {
    return { observation: this.encoder.size, action: this.policy.size, dtype: this.policy.dtype };
  }
}
