// The last steps that were taken, from which any may be learned again. When it is full, the oldest make room.

import type { HostRandom } from '../../tensor/host-random.js';
import { tensor } from '../../tensor/creation.js';
import { ArgumentError, checkNumbers, checkRandom, checkWhole } from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';

export class ReplayBuffer {
  readonly capacity: number;
  /** Numbers of an observation. */
  readonly width: number;
  /** Steps that are kept. */
  size = 0;
  /** Where the next step goes. */
  private at = 0;
  private readonly observations: Float32Array;
  private readonly nexts: Float32Array;
  private readonly actions: Int32Array;
  private readonly rewards: Float32Array;
  /** 0 where the episode ended with the step, else 1. */
  private readonly goesOn: Float32Array;

  /** Throws ArgumentError unless both are whole numbers of at least 1. */
  constructor(capacity: number, width: number) {
    checkWhole('ReplayBuffer', 'capacity', capacity, 1);
    checkWhole('ReplayBuffer', 'width', width, 1);
    this.capacity = capacity;
    this.width = width;
    this.observations = new Float32Array(capacity * width);
    this.nexts = new Float32Array(capacity * width);
    this.actions = new Int32Array(capacity);
    this.rewards = new Float32Array(capacity);
    this.goesOn = new Float32Array(capacity);
  }

  /** Keeps a step: both observations as numbers, the position of the action, the reward, and whether the task ended. */
  add(observation: Float32Array, action: number, reward: number, next: Float32Array, terminated: boolean): void {
    const { at, width } = this;
    checkNumbers('ReplayBuffer.add', 'the observation', observation);
    checkNumbers('ReplayBuffer.add', 'the next observation', next);
    if (observation.length !== width || next.length !== width)
      throw new ArgumentError(
        `ReplayBuffer.add: observations of ${observation.length} and ${next.length} numbers. Give ${width}.`,
      );
    this.observations.set(observation, at * width);
    this.nexts.set(next, at * width);
    this.actions[at] = action;
    this.rewards[at] = reward;
    this.goesOn[at] = terminated ? 0 : 1;
    this.at = (at + 1) % this.capacity;
    this.size = Math.min(this.size + 1, this.capacity);
  }

  /** Any steps that are kept: observations and nexts [count, width], actions [count] (int32), rewards and goesOn [count]. */
  sample(count: number, random: HostRandom): Record<string, AnyTensor> {
    checkWhole('ReplayBuffer.sample', 'count', count, 1);
    checkRandom('ReplayBuffer.sample', random);
    if (this.size === 0) throw new ArgumentError('ReplayBuffer.sample: there are no steps yet. Call add() first.');
    return this.rows(Int32Array.from({ length: count }, () => random.below(this.size)));
  }

  private rows(rows: Int32Array): Record<string, AnyTensor> {
    const { width } = this;
    const wide = (from: Float32Array): AnyTensor => {
      const into = new Float32Array(rows.length * width);
      for (let i = 0; i < rows.length; i++)
        for (let j = 0; j < width; j++) into[i * width + j] = from[rows[i] * width + j];
      return tensor(into, { shape: [rows.length, width] });
    };
    const shape = [rows.length];
    return {
      observations: wide(this.observations),
      nexts: wide(this.nexts),
      actions: tensor(
        rows.map((row) => this.actions[row]),
        { shape },
      ),
      rewards: tensor(
        Float32Array.from(rows, (row) => this.rewards[row]),
        { shape },
      ),
      goesOn: tensor(
        Float32Array.from(rows, (row) => this.goesOn[row]),
        { shape },
      ),
    };
  }

  /** All steps, for a checkpoint: none where there are none. */
  state(): { readonly place: readonly number[]; readonly tensors: Record<string, AnyTensor> } {
    const all = Int32Array.from({ length: this.size }, (_, i) => i);
    return { place: [this.size, this.at], tensors: this.size === 0 ? {} : this.rows(all) };
  }

  /** Goes on from what `state` gave. Throws ArgumentError for steps that do not fit in here. */
  async restore([size, at]: readonly number[], tensors: Readonly<Record<string, AnyTensor>>): Promise<void> {
    const { observations, nexts, actions, rewards, goesOn, width, capacity } = this;
    for (const [name, own] of Object.entries({ observations, nexts, actions, rewards, goesOn })) {
      const data = size === 0 ? [] : await tensors[name]?.data();
      const wanted =
        own.length === capacity * width && (name === 'observations' || name === 'nexts') ? size * width : size;
      if (!(size <= capacity) || data?.length !== wanted)
        throw new ArgumentError(`ReplayBuffer.restore: '${name}' does not fit. Make the buffer as it was.`);
      own.set(data as Float32Array);
    }
    [this.size, this.at] = [size, at];
  }
}
