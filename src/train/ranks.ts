// The processes that a Trainer trains with, as far as it knows them: what they add up, what process 0 tells the others, and the share
// of each in a batch. Alone, all of it is the process itself; several are src/distributed, which is loaded when they are asked for.
// Numbers in, numbers out. Must not know: MPI.

import type { SharedBatches } from '../data/batch-share.js';
import type { Metric } from '../metrics/metric.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { countSamples } from './batch.js';
import type { Batches } from './options.js';

export type NamedTensors = Readonly<Record<string, AnyTensor>>;

export interface Ranks {
  readonly rank: number;
  readonly size: number;
  /** Throws unless all processes have the same facts and state; then they have that of process 0. */
  begin(facts: Readonly<Record<string, string>>): void;
  /** Whether what goes through the model from now on stands in for samples that this process has not. */
  standIn(isStandIn: boolean): void;
  /** Replaces gradients by their means over all processes. */
  average(): Promise<void>;
  /** Each number added up over all processes. */
  sum(numbers: readonly number[]): number[];
  /** The smallest number of all processes. */
  least(number: number): number;
  /** The numbers of each process. */
  exchange(numbers: readonly number[]): number[][];
  /** What process 0 has. */
  tell<T>(value: T): T;
  /** The tensors of process 0, as new ones on the others. */
  tellTensors(tensors: NamedTensors): Promise<NamedTensors>;
  /** Seconds that this process has waited for others so far. */
  readonly secondsWaited: number;
}

export const ALONE: Ranks = {
  rank: 0,
  size: 1,
  begin: () => {},
  standIn: () => {},
  average: async () => {},
  sum: (numbers) => [...numbers],
  least: (number) => number,
  exchange: (numbers) => [[...numbers]],
  tell: (value) => value,
  tellTensors: async (tensors) => tensors,
  secondsWaited: 0,
};

/** A part of batches, and how much each of them weighs. */
export interface OwnBatches<B> {
  readonly length: number | undefined;
  batches(epoch: number, from?: number): AsyncIterable<B>;
  /** Samples of the batch that count here, and its weight in the mean over processes: 1 where all shares are of one size. */
  weigh(batch: B): { readonly samples: number; readonly weight: number };
}

/** This process's part of batches: their own `shard` says which; others are a process's own already. */
export function ownBatches<B>(batches: Batches<B>, { rank, size }: Pick<Ranks, 'rank' | 'size'>): OwnBatches<B> {
  if (size === 1 || batches.shard === undefined) {
    return {
      length: batches.length,
      batches: (epoch, from) => batches.batches(epoch, from),
      weigh: (batch) => ({ samples: countSamples(batch), weight: 1 }),
    };
  }
  const shared: SharedBatches<B> = batches.shard(rank, size);
  return {
    length: shared.length,
    batches: (epoch, from) => shared.batches(epoch, from),
    weigh: (batch) => {
      const { samples, total } = shared.shareOf(batch);
      return { samples, weight: (samples * size) / total };
    },
  };
}

/** What each metric has collected on all processes, on each of them. */
export async function mergeMetrics(ranks: Ranks, metrics: Iterable<Metric<number>>): Promise<void> {
  if (ranks.size === 1) return;
  for (const metric of metrics) {
    const states = ranks.exchange((await metric.state?.()) ?? []);
    const merged = metric.merge?.(states);
    if (merged !== undefined) metric.restore?.(merged);
  }
}
