// Datasets: numbered items. `ArrayDataset` keeps them in typed arrays, one for each field, and hands out whole batches
// without making single items; subsets and splits share those arrays.
//   { x: Float32Array of [1, 8, 8] each, y: Int32Array } → batch { x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'> }
// Must not know: order of training, devices.

import { tensor } from '../tensor/creation.js';
import { ArgumentError, IndexError, type Shape, formatShape, sizeOf } from '../tensor/library.js';
import type { HostRandom } from '../tensor/host-random.js';
import type { Tensor } from '../tensor/tensor.js';
import { type SplitOptions, splitIndices } from './split.js';

/** Items by number, 0 to length − 1. PyTorch: a map-style Dataset. */
export interface Dataset<Item> {
  readonly length: number;
  get(index: number): Item | Promise<Item>;
}

export type FieldData = Float32Array | Int32Array;

/** One field of all items: `data` holds them one after the other, each of the given shape. */
export interface Field<Data extends FieldData = FieldData, S extends Shape = Shape> {
  readonly data: Data;
  readonly shape: S;
}

export type Fields = Readonly<Record<string, Field>>;

/** A batch before it becomes tensors: fresh arrays that may be changed, the batch's size first in each shape. */
export type HostBatch<F extends Fields> = {
  readonly [K in keyof F]: Field<F[K]['data'], readonly [number, ...F[K]['shape']]>;
};

type TensorOf<Data, S extends Shape> = Tensor<S, Data extends Int32Array ? 'int32' : 'float32'>;

/** A batch of tensors: each field with the batch's size in front. */
export type Batch<F extends Fields> = {
  [K in keyof F]: TensorOf<F[K]['data'], [number, ...F[K]['shape']]>;
};

/** One item: each field as a tensor of its shape. */
export type Item<F extends Fields> = { [K in keyof F]: TensorOf<F[K]['data'], F[K]['shape']> };

/** Changes a batch in place, with random numbers that are the same whenever the same batch is drawn. */
export type Augmentation<F extends Fields> = (batch: HostBatch<F>, random: HostRandom) => void;

/**
 * Items in typed arrays. PyTorch: TensorDataset.
 *
 *     new ArrayDataset({ x: { data: pixels, shape: [1, 8, 8] }, y: { data: labels, shape: [] } })
 */
export class ArrayDataset<F extends Fields> implements Dataset<Item<F>> {
  readonly fields: F;
  /** Positions in the fields' arrays, one for each item. */
  readonly indices: Int32Array;
  private readonly augmentation: Augmentation<F> | undefined;

  constructor(fields: F, indices?: Int32Array, augmentation?: Augmentation<F>) {
    this.fields = fields;
    this.indices = indices ?? Int32Array.from({ length: countItems(fields) }, (_, i) => i);
    this.augmentation = augmentation;
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): Item<F> {
    const batch = this.upload(this.gather([index]));
    return Object.fromEntries(
      Object.entries(batch).map(([name, t]) => [name, (t as Tensor).squeeze(0)]),
    ) as unknown as Item<F>;
  }

  /** The items at `positions` as tensors on the default device; `random` feeds the augmentation, without it there is none. */
  batch(positions: ArrayLike<number>, random?: HostRandom): Batch<F> {
    const batch = this.gather(positions);
    if (random !== undefined) this.augmentation?.(batch, random);
    return this.upload(batch);
  }

  /** The items at `positions`, copied into arrays. */
  gather(positions: ArrayLike<number>): HostBatch<F> {
    const rows = Int32Array.from({ length: positions.length }, (_, i) => {
      const at = this.indices[positions[i]];
      if (at === undefined) {
        throw new IndexError(
          `dataset: item ${positions[i]} of ${this.length}. Use 0 to ${this.length - 1}.`,
          positions[i],
          this.length,
        );
      }
      return at;
    });
    const gathered = Object.entries(this.fields).map(([name, { data, shape }]) => {
      const size = sizeOf(shape);
      const out =
        data instanceof Int32Array ? new Int32Array(rows.length * size) : new Float32Array(rows.length * size);
      rows.forEach((row, i) => out.set(data.subarray(row * size, (row + 1) * size), i * size));
      return [name, { data: out, shape: [rows.length, ...shape] }];
    });
    return Object.fromEntries(gathered) as HostBatch<F>;
  }

  /** The numbers of one field, item after item, in this dataset's order. */
  column<K extends keyof F & string>(name: K): F[K]['data'] {
    return new ArrayDataset({ [name]: this.fields[name] }, this.indices).gather(this.positions())[name].data;
  }

  /** The items at `positions`, in that order, without copying them. */
  subset(positions: ArrayLike<number>): ArrayDataset<F> {
    const rows = Int32Array.from({ length: positions.length }, (_, i) => {
      const at = this.indices[positions[i]];
      if (at === undefined)
        throw new IndexError(`subset: item ${positions[i]} of ${this.length}.`, positions[i], this.length);
      return at;
    });
    return new ArrayDataset(this.fields, rows, this.augmentation);
  }

  /** The same items, changed at random whenever a DataLoader draws them. */
  augmented(augmentation: Augmentation<F>): ArrayDataset<F> {
    return new ArrayDataset(this.fields, this.indices, augmentation);
  }

  /**
   * Disjoint parts of random items, by fractions (sum at most 1) or by counts; the same seed gives the same parts.
   * `stratify` names an int32 field whose values keep their shares in each part.
   *
   *     const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { stratify: 'y' });
   */
  split<K extends string>(
    parts: Readonly<Record<K, number>>,
    options: SplitOptions & { readonly stratify?: keyof F & string } = {},
  ): Record<K, ArrayDataset<F>> {
    const { stratify, ...rest } = options;
    const names = Object.keys(parts) as K[];
    const classes = stratify === undefined ? undefined : this.column(stratify);
    const lists = splitIndices(
      this.length,
      names.map((n) => parts[n]),
      { ...rest, classes },
    );
    return Object.fromEntries(names.map((name, i) => [name, this.subset(lists[i])])) as Record<K, ArrayDataset<F>>;
  }

  private positions(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }

  private upload(batch: HostBatch<F>): Batch<F> {
    const tensors = Object.entries(batch).map(([name, { data, shape }]) => [name, tensor(data as never, { shape })]);
    return Object.fromEntries(tensors) as Batch<F>;
  }
}

function countItems(fields: Fields): number {
  const counts = Object.entries(fields).map(([name, { data, shape }]) => {
    const size = sizeOf(shape);
    if (size === 0 || data.length % size !== 0) {
      throw new ArgumentError(
        `ArrayDataset: field ${name} has ${data.length} numbers, which are no whole items of ${formatShape(shape)}.`,
      );
    }
    return { name, count: data.length / size };
  });
  const [first] = counts;
  if (first === undefined) throw new ArgumentError('ArrayDataset: no fields. Give at least one.');
  const other = counts.find(({ count }) => count !== first.count);
  if (other !== undefined) {
    throw new ArgumentError(
      `ArrayDataset: ${first.name} has ${first.count} items, ${other.name} has ${other.count}. Give one for each.`,
    );
  }
  return first.count;
}
