// What a metric is: a number (or a table of numbers) about predictions, collected batch by batch. Updates only build the
// graph and overwrite state on the device with the next step; nothing waits for the device before `compute`.
// An update may be part of a step captured by `compile(fn)`: the state is then overwritten in place at each replay.

import type { AnyTensor } from '../tensor/tensor.js';

/** Collects over batches; `T` is the result: mostly a number, which is NaN as long as there is nothing to tell. */
export interface Metric<T = number> {
  readonly name: string;
  /** Whether more or less is better. */
  readonly better: 'higher' | 'lower';
  /** Takes in one batch: what the model said, and what is true. */
  update(output: AnyTensor, target: AnyTensor): void;
  /** The result over everything since the last `reset`. */
  compute(): Promise<T>;
  /** Starts afresh. May be called between replays of a captured step. */
  reset(): void;
  /** What has been collected so far, as plain numbers: for a checkpoint in the middle of an epoch. */
  state?(): Promise<readonly number[]>;
  /** The state of what several processes have collected together, from that of each. */
  merge?(states: readonly (readonly number[])[]): readonly number[];
  /** Goes on from what `state` gave. */
  restore?(state: readonly number[]): void;
}
