// Steps of all copies of an environment in a row, with what the policy said meanwhile, and what follows for learning: advantages and
// returns. Rows are sorted by time, then by copy.

import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  type OptionNames,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkRecord,
} from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';

export interface AdvantageOptions {
  readonly gamma: number;
  /** 0: one step ahead; 1: all that follows. */
  readonly lambda: number;
}

const ADVANTAGE_OPTIONS: OptionNames<AdvantageOptions> = { gamma: true, lambda: true };

/** Steps of several copies side by side: entry t · count + i is step t of copy i. */
export interface Steps {
  readonly rewards: ArrayLike<number>;
  /** What the observations before the steps are worth. */
  readonly values: ArrayLike<number>;
  /** 1 where an episode ends with the step, else 0. */
  readonly ends: ArrayLike<number>;
  /** What the observations after the last step are worth, one for each copy. */
  readonly last: ArrayLike<number>;
}

/**
 * Generalised advantage estimates (Schulman et al. 2016), in the order of the steps. Throws ArgumentError for lists of different lengths.
 */
export function generalizedAdvantages(steps: Steps, options: AdvantageOptions): Float32Array {
  const op = 'generalizedAdvantages';
  checkRecord(op, 'the steps', steps, 'rewards, values, ends and last');
  checkNeededOptions(op, options, ADVANTAGE_OPTIONS, '{ gamma: 0.99, lambda: 0.95 }');
  const { rewards, values, ends, last } = steps;
  const { gamma, lambda } = options;
  for (const [name, list] of Object.entries({ rewards, values, ends, last })) checkNumbers(op, name, list);
  checkNumber(op, 'gamma', gamma);
  checkNumber(op, 'lambda', lambda);
  const count = last.length;
  if (rewards.length !== values.length || rewards.length !== ends.length || count === 0 || rewards.length % count !== 0)
    throw new ArgumentError(
      `generalizedAdvantages: ${rewards.length} rewards, ${values.length} values and ${ends.length} ends for ${count} copies. Give as many of each, a multiple of the copies.`,
    );
  const advantages = new Float32Array(rewards.length);
  for (let i = 0; i < count; i++) {
    let advantage = 0;
    let next = last[i];
    for (let at = rewards.length - count + i; at >= 0; at -= count) {
      const goesOn = 1 - ends[at];
      const error = rewards[at] + gamma * next * goesOn - values[at];
      advantage = error + gamma * lambda * goesOn * advantage;
      advantages[at] = advantage;
      next = values[at];
    }
  }
  return advantages;
}

/** How wide the rows are. */
export interface RolloutSizes {
  readonly observation: number;
  readonly action: number;
  readonly dtype: 'int32' | 'float32';
}

export class Rollout {
  readonly rows: number;
  readonly observations: Float32Array;
  readonly actions: Float32Array | Int32Array;
  readonly logProbs: Float32Array;
  readonly values: Float32Array;
  readonly rewards: Float32Array;
  readonly ends: Uint8Array;
  advantages: Float32Array;
  /** What the value should have been. */
  readonly returns: Float32Array;
  private readonly sizes: RolloutSizes;

  constructor(rows: number, sizes: RolloutSizes) {
    this.rows = rows;
    this.sizes = sizes;
    this.observations = new Float32Array(rows * sizes.observation);
    this.actions =
      sizes.dtype === 'int32' ? new Int32Array(rows * sizes.action) : new Float32Array(rows * sizes.action);
    this.logProbs = new Float32Array(rows);
    this.values = new Float32Array(rows);
    this.rewards = new Float32Array(rows);
    this.ends = new Uint8Array(rows);
    this.advantages = new Float32Array(rows);
    this.returns = new Float32Array(rows);
  }

  /** Advantages and returns, once all steps are there. */
  finish(last: ArrayLike<number>, options: AdvantageOptions): void {
    this.advantages = generalizedAdvantages(
      { rewards: this.rewards, values: this.values, ends: this.ends, last },
      options,
    );
    for (let i = 0; i < this.rows; i++) this.returns[i] = this.advantages[i] + this.values[i];
  }

  /** The rows with these numbers. */
  batch(rows: ArrayLike<number>): Record<string, AnyTensor> {
    const { observation, action, dtype } = this.sizes;
    const { length } = rows;
    const pick = <T extends Float32Array | Int32Array>(from: T, into: T, width: number): T => {
      for (let i = 0; i < length; i++) for (let j = 0; j < width; j++) into[i * width + j] = from[rows[i] * width + j];
      return into;
    };
    const column = (from: Float32Array): AnyTensor =>
      tensor(pick(from, new Float32Array(length), 1), { shape: [length] });
    const actions =
      dtype === 'int32'
        ? tensor(pick(this.actions as Int32Array, new Int32Array(length * action), action), { shape: [length, action] })
        : tensor(pick(this.actions as Float32Array, new Float32Array(length * action), action), {
            shape: [length, action],
          });
    return {
      observations: tensor(pick(this.observations, new Float32Array(length * observation), observation), {
        shape: [length, observation],
      }),
      actions,
      logProbs: column(this.logProbs),
      advantages: column(this.advantages),
      returns: column(this.returns),
    };
  }

  /** What `batch` reads, for a checkpoint. */
  state(): Record<string, AnyTensor> {
    return this.batch(Int32Array.from({ length: this.rows }, (_, i) => i));
  }

  /** Goes on from what `state` gave. Throws ArgumentError for a rollout of another size. */
  async restore(state: Readonly<Record<string, AnyTensor>>): Promise<void> {
    const { observations, actions, logProbs, advantages, returns } = this;
    for (const [name, own] of Object.entries({ observations, actions, logProbs, advantages, returns })) {
      const data = await state[name]?.data();
      if (data?.length !== own.length)
        throw new ArgumentError(
          `restore: '${name}' of the rollout does not fit. Make the agent with the options that it had.`,
        );
      own.set(data as Float32Array);
    }
  }
}
