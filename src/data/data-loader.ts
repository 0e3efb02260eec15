// DataLoader: batches of a dataset, in an order that follows from a seed and the number of the epoch alone. So an epoch
// can be repeated, and training can go on in its middle. Batches may be prepared ahead, on this thread or on others; the
// numbers are the same.
// Dataset in, async iterator of batches out. Must not know: what is trained.

// For who compiles without the library that names Symbol.dispose: kept in the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { HostRandom, nextHostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkFunction,
  checkHas,
  checkWhole,
  wrongKind,
} from '../tensor/library.js';
import { BatchShares, type Share, type SharedBatches } from './batch-share.js';
import { type Collated, collate as collateDefault } from './collate.js';
import type { BatchSource, Dataset } from './dataset.js';
import type { SampleRandom } from './fields.js';
import { type IterableDataset, passThrough, shuffleWindow } from './iterable-dataset.js';
import { inOrder } from './prefetch.js';
import { SampleError } from './sample-error.js';
import { DistributedSampler, RandomSampler, type Sampler, SequentialSampler } from './samplers.js';
import { recipeOf } from './worker-dataset.js';
import { WorkerPool } from './worker-pool.js';

/** Whatever a DataLoader can go through. */
export type AnyDataset<Item = unknown> = Dataset<Item> | IterableDataset<Item> | AsyncIterable<Item>;

/** The items of dataset D. */
export type ItemOf<D> =
  D extends Dataset<infer I>
    ? Awaited<I>
    : D extends IterableDataset<infer I>
      ? I
      : D extends AsyncIterable<infer I>
        ? I
        : never;

/** What a DataLoader of dataset D yields, unless it has a `collate` of its own. */
export type BatchOf<D> = D extends BatchSource<infer _, infer B> ? B : Collated<ItemOf<D>>;

/** Batches an epoch: unknown where an iterable dataset does not say its length. */
export type LengthOf<D> = D extends Dataset<unknown> ? number : number | undefined;

export interface LoaderOptions<D = AnyDataset, B = BatchOf<D>> {
  /** Items a batch. Default 1. */
  readonly batchSize?: number;
  /** A new order in each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Which items, in which order; in the place of `shuffle`. */
  readonly sampler?: Sampler;
  /** For an iterable dataset, in the place of `shuffle`: the number of items to choose from at random. Default: their order. */
  readonly shuffleBuffer?: number;
  /** Of order and augmentation; drawn from the generator that `manualSeed` seeds unless given. */
  readonly seed?: number;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Makes a batch of items; default `collate`. */
  readonly collate?: (items: readonly ItemOf<D>[]) => B | Promise<B>;
  /** Threads that make samples; needs a dataset from `workerDataset`. Default 0: this thread does. */
  readonly workers?: number;
  /** Batches prepared ahead at most; bounds the memory. Default: two for each worker. */
  readonly prefetch?: number;
  /** Keep the threads from one epoch to the next, until `close()`. Default false. */
  readonly persistentWorkers?: boolean;
}

const LOADER_OPTIONS: OptionNames<LoaderOptions<AnyDataset, unknown>> = {
  batchSize: true,
  shuffle: true,
  sampler: true,
  shuffleBuffer: true,
  seed: true,
  dropLast: true,
  collate: true,
  workers: true,
  prefetch: true,
  persistentWorkers: true,
};

/**
 * Batches of a dataset. Each `for await` is one epoch, with a new order if `shuffle` is set; leaving the loop early stops
 * what was under way. A sample that fails ends the epoch with a SampleError that names it. PyTorch: DataLoader.
 *
 *     for await (const { x, y } of new DataLoader(train, { batchSize: 64, shuffle: true })) …
 */
export class DataLoader<D extends AnyDataset, B = BatchOf<D>> implements AsyncIterable<B> {
  readonly dataset: D;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  readonly sampler: Sampler | undefined;
  readonly workers: number;
  readonly prefetch: number;
  /** Number of the next epoch that `for await` runs through. */
  epoch = 0;
  private readonly options: LoaderOptions<D, B>;
  private pool: Promise<WorkerPool> | undefined;

  constructor(dataset: D, options: LoaderOptions<D, B> = {}) {
    checkOptions(new.target.name, options, LOADER_OPTIONS);
    const { batchSize = 1, shuffle = false, dropLast = false, workers = 0 } = options;
    checkSettings(dataset, options);
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.workers = workers;
    this.prefetch = options.prefetch ?? 2 * workers;
    this.seed = options.seed ?? nextHostRandom().bits();
    this.options = options;
    if (isNumbered(dataset)) {
      this.sampler =
        options.sampler ?? (shuffle ? new RandomSampler(dataset, { seed: this.seed }) : new SequentialSampler(dataset));
    }
  }

  /** Batches an epoch. */
  get length(): LengthOf<D> {
    const items = this.sampler?.length ?? (this.dataset as { length?: number }).length;
    if (items === undefined) return undefined as LengthOf<D>;
    const batches = items / this.batchSize;
    return (this.dropLast ? Math.floor(batches) : Math.ceil(batches)) as LengthOf<D>;
  }

  [Symbol.asyncIterator](): AsyncGenerator<B, void, void> {
    return this.batches(this.epoch++);
  }

  /** The batches of one epoch, beginning with batch `from`. */
  batches(epoch: number, from = 0): AsyncGenerator<B, void, void> {
    return this.walk(epoch, from);
  }

  /**
   * The part of each batch that is process `rank`'s of `worldSize`: together they see the batches of this loader, in its order. Shares differ
   * by one sample at most. A loader with a DistributedSampler goes through its process's samples already, in batches of its own.
   */
  shard(rank: number, worldSize: number): SharedBatches<B> {
    checkWhole('shard', 'worldSize', worldSize, 1);
    if (!(Number.isInteger(rank) && rank >= 0 && rank < worldSize))
      throw new ArgumentError(`shard: rank ${rank} of ${worldSize} processes. Use 0 to ${worldSize - 1}.`);
    const isSharded = this.sampler instanceof DistributedSampler;
    const { length, dataset, seed, batchSize } = this;
    const shares = new BatchShares(rank, worldSize);
    const note = (batch: B, total: number): void => shares.note(batch, isSharded ? total * worldSize : total);
    return {
      length,
      batchSize: isSharded ? batchSize * worldSize : batchSize,
      dataset,
      seed,
      batches: (epoch, from = 0) => this.walk(epoch, from, { shares: isSharded ? undefined : shares, note }),
      shareOf: (batch): Share => {
        const share = shares.of(batch);
        if (share === undefined)
          throw new ArgumentError('shareOf: this is no batch of this loader. Pass what batches() gave.');
        return share;
      },
    };
  }

  private walk(epoch: number, from: number, part?: Part<B>): AsyncGenerator<B, void, void> {
    checkWhole('DataLoader', 'the epoch', epoch);
    checkWhole('DataLoader', 'the first batch', from);
    if (this.sampler === undefined) return this.stream(epoch, from, part);
    return this.workers > 0 ? this.fromWorkers(epoch, from, part) : this.fromHere(epoch, from, part);
  }

  /** Positions of the items in the order of an epoch. */
  order(epoch: number): Int32Array {
    if (this.sampler !== undefined) return this.sampler.order(epoch);
    throw new ArgumentError('DataLoader: the items of an iterable dataset have no positions.');
  }

  /** Ends threads that were kept with `persistentWorkers`. */
  async close(): Promise<void> {
    const { pool } = this;
    this.pool = undefined;
    await (await pool)?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async *fromHere(epoch: number, from: number, part?: Part<B>): AsyncGenerator<B, void, void> {
    const randomOf: SampleRandom = (position) => new HostRandom(this.seed, epoch, position);
    const order = this.order(epoch);
    const make = async (i: number): Promise<{ made: unknown }> => ({
      made: await makeSamples(this.source(), this.positions(order, i, part), randomOf),
    });
    let i = from;
    for await (const { made } of inOrder(make, from, this.length as number, this.prefetch)) {
      const batch = await this.finish(made);
      part?.note(batch, this.sizeOf(order, i++));
      yield batch;
    }
  }

  private async *fromWorkers(epoch: number, from: number, part?: Part<B>): AsyncGenerator<B, void, void> {
    const order = this.order(epoch);
    const isKept = this.options.persistentWorkers ?? false;
    const opening = this.pool ?? this.open();
    if (isKept) this.pool = opening;
    const pool = await opening.catch((error: unknown) => {
      this.pool = undefined;
      throw error;
    });
    const make = async (i: number): Promise<{ made: unknown }> => ({
      made: await pool.make(this.positions(order, i, part), this.seed, epoch),
    });
    try {
      let i = from;
      for await (const { made } of inOrder(make, from, this.length as number, this.prefetch)) {
        const batch = await this.finish(made);
        part?.note(batch, this.sizeOf(order, i++));
        yield batch;
      }
    } finally {
      if (pool.isBroken && this.pool === opening) this.pool = undefined; // the next epoch begins with new threads
      if (!isKept || pool.isBroken) await pool.close();
    }
  }

  private open(): Promise<WorkerPool> {
    const { dataset } = this as { dataset: unknown };
    return WorkerPool.open(recipeOf(dataset as object)!, this.workers, (dataset as Dataset<unknown>).length);
  }

  private async *stream(epoch: number, from: number, part?: Part<B>): AsyncGenerator<B, void, void> {
    const { shuffleBuffer = 0 } = this.options;
    const pass = passThrough(this.dataset as IterableDataset<ItemOf<D>>, epoch);
    const items = shuffleBuffer > 1 ? shuffleWindow(pass, shuffleBuffer, new HostRandom(this.seed, epoch)) : pass;
    let turn: Promise<unknown> = Promise.resolve();
    const take = async (): Promise<ItemOf<D>[] | undefined> => {
      const batch: ItemOf<D>[] = [];
      while (batch.length < this.batchSize) {
        const next = await items.next();
        if (next.done === true) break;
        batch.push(next.value);
      }
      return batch.length === 0 || (this.dropLast && batch.length < this.batchSize) ? undefined : batch;
    };
    const make = (): Promise<ItemOf<D>[] | undefined> => {
      const batch = turn.then(take);
      turn = batch;
      return batch;
    };
    try {
      for (let i = 0; i < from; i++) if ((await make()) === undefined) return;
      for await (const items of inOrder(make, from, Infinity, this.prefetch)) {
        const batch = await this.collate(ownItems(items, part));
        part?.note(batch, items.length);
        yield batch;
      }
    } finally {
      await turn.catch(() => {});
      await items.return?.();
    }
  }

  private positions(order: Int32Array, i: number, part?: Part<B>): Int32Array {
    const whole = order.subarray(i * this.batchSize, (i + 1) * this.batchSize);
    if (part?.shares === undefined) return whole;
    const [begin, end] = part.shares.range(whole.length);
    return whole.subarray(begin, end);
  }

  private sizeOf(order: Int32Array, i: number): number {
    return Math.min(this.batchSize, order.length - i * this.batchSize);
  }

  /** The dataset as a maker of whole batches, unless items are wanted. */
  private source(): Samples {
    const source = this.dataset as Samples;
    return this.options.collate === undefined ? source : { get: source.get?.bind(source) };
  }

  /** From samples in host memory to what is yielded; always on this thread. */
  private async finish(made: unknown): Promise<B> {
    const source = this.dataset as Partial<BatchSource<unknown, B>>;
    if (this.options.collate === undefined && isBatchSource(source)) return source.upload(made);
    return this.collate(made as ItemOf<D>[]);
  }

  private async collate(items: readonly ItemOf<D>[]): Promise<B> {
    const { collate } = this.options;
    return collate === undefined ? (collateDefault(items) as B) : collate(items);
  }
}

/** What one process takes of each batch, all where there are no shares, and who is told of it. */
interface Part<B> {
  readonly shares: BatchShares | undefined;
  readonly note: (batch: B, total: number) => void;
}

function ownItems<I, B>(items: I[], part: Part<B> | undefined): I[] {
  if (part?.shares === undefined) return items;
  const [begin, end] = part.shares.range(items.length);
  return items.slice(begin, end);
}

interface Samples {
  gather?(positions: Int32Array, randomOf: SampleRandom): unknown;
  get?(position: number, random: HostRandom): unknown;
}

const isBatchSource = <B>(source: Partial<BatchSource<unknown, B>>): source is BatchSource<unknown, B> =>
  source.gather !== undefined && source.upload !== undefined;

const isNumbered = (dataset: AnyDataset): dataset is Dataset<unknown> => 'get' in dataset;

/** What the dataset gives for these positions: a whole batch, or a list of items. */
async function makeSamples(source: Samples, positions: Int32Array, randomOf: SampleRandom): Promise<unknown> {
  if (source.gather !== undefined) return source.gather(positions, randomOf);
  return Promise.all(
    Array.from(positions, async (position) => {
      try {
        return await source.get!(position, randomOf(position));
      } catch (error) {
        throw error instanceof SampleError ? error : new SampleError(position, error);
      }
    }),
  );
}

/** Throws unless `dataset` has positions or can be gone through. */
function checkDataset(dataset: unknown): void {
  const wanted = 'Give a dataset: an ArrayDataset, { length, get(i) }, or an async iterable';
  if (Array.isArray(dataset))
    throw wrongKind('DataLoader', 'the dataset', dataset, 'Give { length: list.length, get: (i) => list[i] }');
  checkHas('DataLoader', 'the dataset', dataset, [], wanted);
  const { get } = dataset as { readonly get?: unknown };
  if (typeof get === 'function') {
    checkWhole('DataLoader', 'length of the dataset', (dataset as { readonly length?: unknown }).length);
    return;
  }
  const isIterable = Symbol.asyncIterator in (dataset as object) || 'iterate' in (dataset as object);
  if (!isIterable) throw wrongKind('DataLoader', 'the dataset', dataset, wanted);
}

function checkSettings<D extends AnyDataset, B>(dataset: D, options: LoaderOptions<D, B>): void {
  checkDataset(dataset);
  if (options.seed !== undefined) checkWhole('DataLoader', 'seed', options.seed, -Infinity);
  if (options.collate !== undefined) checkFunction('DataLoader', options.collate, 'collate');
  if (options.sampler !== undefined)
    checkHas(
      'DataLoader',
      'sampler',
      options.sampler,
      ['length', 'order'],
      'Give a sampler, such as new RandomSampler(dataset)',
    );
  const check = (name: 'batchSize' | 'workers' | 'prefetch' | 'shuffleBuffer', least: number): void => {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= least))
      throw new ArgumentError(`DataLoader: ${name} is ${value}. Use a whole number of at least ${least}.`);
  };
  check('batchSize', 1);
  check('workers', 0);
  check('prefetch', 0);
  check('shuffleBuffer', 1);
  const { shuffle = false, sampler, shuffleBuffer, workers = 0 } = options;
  if (isNumbered(dataset)) {
    if (shuffle && sampler !== undefined)
      throw new ArgumentError('DataLoader: shuffle and a sampler both decide the order. Give one of them.');
    if (shuffleBuffer !== undefined)
      throw new ArgumentError('DataLoader: shuffleBuffer is for iterable datasets. Use shuffle.');
    if (workers === 0) return;
    if (recipeOf(dataset) === undefined)
      throw new ArgumentError(
        'DataLoader: workers cannot make this dataset, because functions cannot be sent to threads. Make it with workerDataset(module, args).',
      );
    if (options.collate !== undefined && 'gather' in dataset)
      throw new ArgumentError('DataLoader: in workers, this dataset makes whole batches. Leave collate out.');
    return;
  }
  if (shuffle) throw new ArgumentError('DataLoader: an iterable dataset cannot be shuffled. Use shuffleBuffer.');
  if (sampler !== undefined)
    throw new ArgumentError('DataLoader: a sampler needs a dataset with positions, not an iterable one.');
  if (workers > 0) throw new ArgumentError('DataLoader: workers need a dataset with positions, not an iterable one.');
}
