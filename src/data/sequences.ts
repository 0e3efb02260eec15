// Sequences of several lengths: texts as lists of numbers, each padded to the longest of its batch, and a sampler that puts sequences of like
// length into one batch, so that little is padding and few sizes occur (a compiled step is made for each).
//   Lists of numbers in, int32 [B, T] out. Must not know: what the numbers stand for.

import { tensor } from '../tensor/creation.js';
import { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkList,
  checkNeededOptions,
  checkNumbers,
  checkOptions,
  checkRecord,
  checkWhole,
  IndexError,
  wrongKind,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { isInt32Array } from '../tensor/typed-arrays.js';
import { ArrayDataset, type Batch, type BatchSource, type Dataset } from './dataset.js';
import type { Field, Fields, HostBatch } from './fields.js';
import type { Sampler } from './samplers.js';

/** Sequences, one for each item, or numbers of one shape as an ArrayDataset has them. */
export type SequenceFields = Readonly<Record<string, readonly Int32Array[] | Field>>;

/** The fields of one shape. */
type Fixed<F extends SequenceFields> = { [K in keyof F as F[K] extends Field ? K : never]: F[K] & Field };

type Padded<F extends SequenceFields> = {
  [K in keyof F as F[K] extends Field ? never : K]: Tensor<[number, number], 'int32'>;
};

/** A batch: sequences as int32 [B, T], other fields with the batch's size in front. */
export type SequenceBatch<F extends SequenceFields> = Padded<F> & Batch<Fixed<F>>;

/** One item: sequences as they were given, other fields as arrays. */
export type SequenceItem<F extends SequenceFields> = {
  [K in keyof F]: F[K] extends Field<infer D> ? D : Int32Array;
};

export interface SequenceDatasetOptions {
  /** What stands behind the end of a sequence. Default 0. */
  readonly padId?: number;
  /** Lengths of batches are multiples of it. Default 8. */
  readonly multipleOf?: number;
}

const SEQUENCE_DATASET_OPTIONS: OptionNames<SequenceDatasetOptions> = { padId: true, multipleOf: true };

interface HostSequences<F extends SequenceFields> {
  readonly padded: Readonly<Record<string, Int32Array>>;
  readonly fixed: HostBatch<Fixed<F>>;
  readonly count: number;
}

/**
 * Items with sequences of any length: `new SequenceDataset({ x: texts, y: { data: labels, shape: [] } })`, texts a list of Int32Arrays. A batch
 * has x int32 [B, T], where T is the longest length in it, rounded up to a multiple of 8, with 0 behind shorter ones.
 */
export class SequenceDataset<const F extends SequenceFields>
  implements Dataset<SequenceItem<F>>, BatchSource<HostSequences<F>, SequenceBatch<F>>
{
  readonly fields: F;
  readonly length: number;
  readonly padId: number;
  readonly multipleOf: number;
  private readonly sequences: readonly (readonly [name: string, list: readonly Int32Array[]])[];
  private readonly fixed: ArrayDataset<Fields>;

  constructor(fields: F, options: SequenceDatasetOptions = {}) {
    checkRecord('SequenceDataset', 'the argument', fields, 'fields');
    checkOptions('SequenceDataset', options, SEQUENCE_DATASET_OPTIONS);
    const { padId = 0, multipleOf = 8 } = options;
    checkWhole('SequenceDataset', 'padId', padId, -Infinity);
    checkWhole('SequenceDataset', 'multipleOf', multipleOf, 1);
    const sequences: (readonly [string, readonly Int32Array[]])[] = [];
    const fixed: Record<string, Field> = {};
    for (const [name, field] of Object.entries(fields)) {
      if (isList(field)) sequences.push([name, checkSequences(name, field)]);
      else fixed[name] = field;
    }
    const [first] = sequences;
    if (first === undefined)
      throw new ArgumentError('SequenceDataset: no field is a list of sequences. Use an ArrayDataset.');
    const count = first[1].length;
    const hasFixed = Object.keys(fixed).length > 0;
    this.fixed = new ArrayDataset(hasFixed ? fixed : { none: { data: new Int32Array(count), shape: [] } });
    for (const [name, length] of [
      ...sequences.map(([name, list]) => [name, list.length] as const),
      ...Object.keys(fixed).map((name) => [name, this.fixed.length] as const),
    ])
      if (length !== count)
        throw new ArgumentError(
          `SequenceDataset: ${first[0]} has ${count} items, ${name} has ${length}. Give one for each.`,
        );
    this.fields = fields;
    this.length = count;
    this.padId = padId;
    this.multipleOf = multipleOf;
    this.sequences = sequences;
  }

  /** Of each item the length of its longest sequence. */
  get lengths(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) =>
      this.sequences.reduce((most, [, list]) => Math.max(most, list[i].length), 0),
    );
  }

  get(index: number): SequenceItem<F> {
    this.checkPosition(index);
    const fixed = this.fixed.gather([index]);
    return Object.fromEntries(
      Object.entries(this.fields).map(([name, field]) => [name, isList(field) ? field[index] : fixed[name].data]),
    ) as SequenceItem<F>;
  }

  /** The items at `positions` as tensors. */
  batch(positions: ArrayLike<number>): SequenceBatch<F> {
    return this.upload(this.gather(positions));
  }

  gather(positions: ArrayLike<number>): HostSequences<F> {
    checkNumbers('SequenceDataset', 'the list of positions', positions);
    const at = Array.from(positions);
    for (const position of at) this.checkPosition(position);
    const padded = this.sequences.map(([name, list]) => {
      const longest = at.reduce((most, i) => Math.max(most, list[i].length), 1);
      const width = Math.ceil(longest / this.multipleOf) * this.multipleOf;
      const numbers = new Int32Array(at.length * width).fill(this.padId);
      at.forEach((i, row) => numbers.set(list[i], row * width));
      return [name, numbers] as const;
    });
    const fixed = this.fixed.gather(at) as HostBatch<Fixed<F>>;
    return { padded: Object.fromEntries(padded), fixed, count: at.length };
  }

  upload({ padded, fixed, count }: HostSequences<F>): SequenceBatch<F> {
    const batch: Record<string, unknown> = this.fixed.upload(fixed);
    delete batch['none'];
    for (const [name, numbers] of Object.entries(padded))
      batch[name] = tensor(numbers, { shape: [count, numbers.length / Math.max(count, 1)] });
    return batch as SequenceBatch<F>;
  }

  /** The items at `positions`, in that order. */
  subset(positions: ArrayLike<number>): SequenceDataset<F> {
    checkNumbers('subset', 'the list of positions', positions);
    const at = Array.from(positions);
    for (const position of at) this.checkPosition(position);
    const storage = this.fixed.gather(at) as Readonly<Record<string, Field>>;
    const fields = Object.entries(this.fields).map(([name, field]) => {
      if (isList(field)) return [name, at.map((i) => field[i])] as const;
      return [name, { data: storage[name].data, shape: field.shape }] as const;
    });
    return new SequenceDataset(Object.fromEntries(fields) as unknown as F, {
      padId: this.padId,
      multipleOf: this.multipleOf,
    });
  }

  private checkPosition(position: number): void {
    if (Number.isInteger(position) && position >= 0 && position < this.length) return;
    throw new IndexError(
      `SequenceDataset: item ${position} of ${this.length}. Use 0 to ${this.length - 1}.`,
      position,
      this.length,
    );
  }
}

const isList = (field: readonly Int32Array[] | Field): field is readonly Int32Array[] => Array.isArray(field);

function checkSequences(name: string, list: readonly Int32Array[]): readonly Int32Array[] {
  checkList('SequenceDataset', `field '${name}'`, list, 'Int32Arrays');
  list.forEach((sequence, i) => {
    if (!isInt32Array(sequence))
      throw wrongKind('SequenceDataset', `sequence ${i} of '${name}'`, sequence, 'Give an Int32Array');
  });
  return list;
}

export interface BucketSamplerOptions {
  /** That of the DataLoader. */
  readonly batchSize: number;
  /** Lengths that are taken to be alike: up to 8, up to 16, … for 8, the default. */
  readonly width?: number;
  /** New batches in a new order in each epoch. Default true. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

const BUCKET_SAMPLER_OPTIONS: OptionNames<BucketSamplerOptions> = {
  batchSize: true,
  width: true,
  shuffle: true,
  seed: true,
};

/**
 * Batches of sequences of like length: all items once, drawn at random within their length and the batches in random order; one that is not
 * full comes last. Lengths are one for each item, such as a SequenceDataset's `lengths`. torchtext: BucketIterator.
 *
 *     new DataLoader(texts, { batchSize: 32, sampler: new BucketSampler(texts.lengths, { batchSize: 32 }) })
 */
export class BucketSampler implements Sampler {
  readonly length: number;
  readonly seed: number;
  private readonly batchSize: number;
  private readonly shuffle: boolean;
  private readonly buckets: Int32Array;

  constructor(lengths: ArrayLike<number>, options: BucketSamplerOptions) {
    checkNumbers('BucketSampler', 'the lengths', lengths);
    checkNeededOptions('BucketSampler', options, BUCKET_SAMPLER_OPTIONS, '{ batchSize: 32 }');
    const { batchSize, width = 8, shuffle = true, seed = 0 } = options;
    checkWhole('BucketSampler', 'batchSize', batchSize, 1);
    checkWhole('BucketSampler', 'width', width, 1);
    checkWhole('BucketSampler', 'seed', seed, -Infinity);
    this.length = lengths.length;
    this.seed = seed;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.buckets = Int32Array.from(lengths, (length) => Math.ceil(length / width));
  }

  order(epoch: number): Int32Array {
    const { buckets, batchSize, length } = this;
    const random = new HostRandom(this.seed, epoch);
    const all = Int32Array.from({ length }, (_, i) => i);
    if (this.shuffle) random.shuffle(all);
    const sorted = Int32Array.from([...all].sort((a, b) => buckets[a] - buckets[b]));
    if (!this.shuffle) return sorted;
    const full = Math.floor(length / batchSize);
    // the rest is a batch of any length, so that the longest items are not always the ones in it
    const start = random.below(full + 1) * batchSize;
    const rest = length - full * batchSize;
    const whole = Int32Array.from([...sorted.subarray(0, start), ...sorted.subarray(start + rest)]);
    const order = new Int32Array(length);
    random.shuffle(Int32Array.from({ length: full }, (_, i) => i)).forEach((batch, i) => {
      order.set(whole.subarray(batch * batchSize, (batch + 1) * batchSize), i * batchSize);
    });
    order.set(sorted.subarray(start, start + rest), full * batchSize);
    return order;
  }
}
