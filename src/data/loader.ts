// DataLoader: a data set in batches, epoch after epoch. The order of an epoch depends on the seed and the epoch's number
// alone, so that a resumed run sees the same batches.

import { ArgumentError } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { type ArrayDataset, seededOrder } from './dataset.js';

export interface DataLoaderOptions {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number;
  /** A new order in each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Number of the first epoch, for resuming. Default 0. */
  readonly epoch?: number;
}

/** Each pass (`for await`) is one epoch; batches are records of tensors [count, …]. */
export class DataLoader<Fields extends string> implements AsyncIterable<Record<Fields, AnyTensor>> {
  readonly dataset: ArrayDataset<Fields>;
  readonly batchSize: number;
  /** Number of the next epoch. */
  epoch: number;
  private readonly options: DataLoaderOptions;

  constructor(dataset: ArrayDataset<Fields>, options: DataLoaderOptions = {}) {
    const { batchSize = 1, epoch = 0 } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ArgumentError(`DataLoader: batchSize is ${batchSize}. Use a whole number above 0.`);
    if (dataset.length === 0) throw new ArgumentError('DataLoader: the data set is empty.');
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.epoch = epoch;
    this.options = options;
  }

  /** Batches in an epoch. */
  get length(): number {
    const n = this.dataset.length / this.batchSize;
    return (this.options.dropLast ?? false) ? Math.floor(n) : Math.ceil(n);
  }

  /** The samples of each batch of an epoch. */
  batches(epoch: number): Int32Array[] {
    const n = this.dataset.length;
    const order =
      (this.options.shuffle ?? false)
        ? seededOrder(n, Math.imul((this.options.seed ?? 0) + 1, 0x85ebca6b) ^ epoch)
        : Int32Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: this.length }, (_, i) =>
      order.subarray(i * this.batchSize, Math.min((i + 1) * this.batchSize, n)),
    );
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Record<Fields, AnyTensor>> {
    const epoch = this.epoch++;
    for (const positions of this.batches(epoch)) yield this.dataset.batch(positions);
  }
}
