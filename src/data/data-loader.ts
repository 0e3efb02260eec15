// DataLoader: batches of a dataset, in an order that follows from a seed and the number of the epoch alone. So an epoch
// can be repeated, and training can go on in its middle.
// Dataset in, async iterator of batches out. Must not know: what is trained.

import { tensor } from '../tensor/creation.js';
import { ArgumentError, type DType, type Shape } from '../tensor/library.js';
import { stack } from '../tensor/functions.js';
import { HostRandom, nextHostRandom } from '../tensor/host-random.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import type { BatchSource, Dataset, SampleRandom } from './dataset.js';

export interface LoaderOptions {
  /** Items a batch. Default 1. */
  readonly batchSize?: number;
  /** A new order in each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Of order and augmentation; drawn from the generator that `manualSeed` seeds unless given. */
  readonly seed?: number;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
}

/** Items put together: numbers to a vector, tensors and arrays to one with a batch dimension, records field by field. */
export type Collated<I> =
  I extends Tensor<infer S extends Shape, infer D extends DType>
    ? Tensor<[number, ...S], D>
    : I extends number
      ? Tensor<[number]>
      : I extends Int32Array
        ? Tensor<[number, number], 'int32'>
        : I extends Float32Array
          ? Tensor<[number, number]>
          : { [K in keyof I]: Collated<I[K]> };

/** What a DataLoader of dataset D yields. */
export type BatchOf<D> =
  D extends BatchSource<infer _, infer B> ? B : D extends Dataset<infer I> ? Collated<Awaited<I>> : never;

/**
 * Batches of a dataset. Each `for await` is one epoch, with a new order if `shuffle` is set. PyTorch: DataLoader.
 *
 *     for await (const { x, y } of new DataLoader(train, { batchSize: 64, shuffle: true })) …
 */
export class DataLoader<D extends Dataset<unknown>> implements AsyncIterable<BatchOf<D>> {
  readonly dataset: D;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  /** Number of the next epoch that `for await` runs through. */
  epoch = 0;

  constructor(dataset: D, options: LoaderOptions = {}) {
    const { batchSize = 1, shuffle = false, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`DataLoader: batchSize is ${batchSize}. Use a whole number of at least 1.`);
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.seed = options.seed ?? nextHostRandom().bits();
  }

  /** Batches an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  [Symbol.asyncIterator](): AsyncGenerator<BatchOf<D>, void, void> {
    return this.batches(this.epoch++);
  }

  /** The batches of one epoch, beginning with batch `from`. */
  async *batches(epoch: number, from = 0): AsyncGenerator<BatchOf<D>, void, void> {
    const order = this.order(epoch);
    for (let i = from; i < this.length; i++) {
      const positions = order.subarray(i * this.batchSize, (i + 1) * this.batchSize);
      yield await this.batch(positions, (position) => new HostRandom(this.seed, epoch, position));
    }
  }

  /** Positions of the items in the order of an epoch. */
  order(epoch: number): Int32Array {
    const order = Int32Array.from({ length: this.dataset.length }, (_, i) => i);
    return this.shuffle ? new HostRandom(this.seed, epoch).shuffle(order) : order;
  }

  private async batch(positions: Int32Array, randomOf: SampleRandom): Promise<BatchOf<D>> {
    const source = this.dataset as unknown as Partial<BatchSource<unknown, BatchOf<D>>>;
    if (source.gather !== undefined && source.upload !== undefined) {
      return source.upload(await source.gather(positions, randomOf));
    }
    const items = await Promise.all(Array.from(positions, (i) => this.dataset.get(i, randomOf(i))));
    return collate(items) as BatchOf<D>;
  }
}

/** Puts items into one batch: see `Collated`. */
export function collate(items: readonly unknown[]): unknown {
  const [first] = items;
  if (first instanceof Tensor) return stack(items as AnyTensor[]);
  if (typeof first === 'number') return tensor(items as number[]);
  if (first instanceof Float32Array || first instanceof Int32Array) {
    const data =
      first instanceof Int32Array
        ? new Int32Array(items.length * first.length)
        : new Float32Array(items.length * first.length);
    items.forEach((item, i) => {
      const { length } = item as ArrayLike<number>;
      if (length !== first.length)
        throw new ArgumentError(
          `DataLoader: items of ${first.length} and ${length} numbers in one batch. Make them equal.`,
        );
      data.set(item as ArrayLike<number>, i * first.length);
    });
    return tensor(data as never, { shape: [items.length, first.length] });
  }
  if (typeof first === 'object' && first !== null) {
    const fields = items as readonly Record<string, unknown>[];
    return Object.fromEntries(Object.keys(first).map((name) => [name, collate(fields.map((item) => item[name]))]));
  }
  throw new ArgumentError(
    `DataLoader: cannot put ${first === null ? 'null' : `a ${typeof first}`} into a batch. Use numbers, tensors, Float32Array, Int32Array, or records of these.`,
  );
}
