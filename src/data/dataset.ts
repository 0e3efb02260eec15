// Datasets: numbered items. `ArrayDataset` keeps them in typed arrays, one for each field, and hands out whole batches
// without making single items; subsets and splits share those arrays. Transforms change one sample at a time while a batch
// is put together.
//   { x: Uint8Array of [1, 28, 28] each, y: Int32Array } → batch { x: Tensor<[number, 1, 28, 28]>, y: Tensor<[number], 'int32'> }
// Must not know: order of training, devices.

import { tensor } from '../tensor/creation.js';
import type { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  checkOptions,
  formatShape,
  IndexError,
  type OptionNames,
  type Shape,
  sizeOf,
  checkFunction,
  checkHas,
  checkNumber,
  checkNumbers,
  checkRecord,
  checkShape,
  checkText,
  checkWhole,
  wrongKind,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Field, Fields, HostBatch, SampleRandom } from './fields.js';
import { type SampleStep, allocate, applySteps } from './sample-steps.js';
import { kFold } from './k-fold.js';
import { type SplitOptions, splitIndices } from './split.js';
import type { Transform } from './transform.js';
import { isFloat32Array, isInt32Array, isUint8Array } from '../tensor/typed-arrays.js';

/** Items by number, 0 to length − 1. PyTorch: a map-style Dataset. */
export interface Dataset<Item> {
  readonly length: number;
  /** `random` is there when a DataLoader asks: the random numbers of this item in this epoch. */
  get(index: number, random?: HostRandom): Item | Promise<Item>;
}

/** A dataset that makes whole batches itself: in host memory, which a worker thread can do, and from there on the device. */
export interface BatchSource<Host, Batch> {
  readonly length: number;
  gather(positions: ArrayLike<number>, randomOf?: SampleRandom): Host | Promise<Host>;
  upload(host: Host): Batch;
}

type TensorOf<Data, S extends Shape> = Tensor<S, Data extends Int32Array ? 'int32' : 'float32'>;

/** A batch of tensors: each field with the batch's size in front. */
export type Batch<F extends Fields> = {
  [K in keyof F]: TensorOf<F[K]['data'], [number, ...F[K]['shape']]>;
};

/** One item: each field as a tensor of its shape. */
export type Item<F extends Fields> = { [K in keyof F]: TensorOf<F[K]['data'], F[K]['shape']> };

/** Changes one sample in place: each field's numbers and shape. */
export type Augmentation<F extends Fields> = (sample: F, random: HostRandom) => void;

/** The fields after one of them has been replaced. */
export type WithField<F extends Fields, K extends keyof F, O extends Field> = {
  readonly [N in keyof F]: N extends K ? O : F[N];
};

/** What items have in common, as the name of a field or as one number for each item. */
export interface LabelOptions<F extends Fields> {
  readonly stratify?: (keyof F & string) | ArrayLike<number>;
  readonly groups?: (keyof F & string) | ArrayLike<number>;
}

const SPLIT_OPTIONS: OptionNames<SplitOptions & LabelOptions<Fields>> = {
  stratify: true,
  groups: true,
  seed: true,
  shuffle: true,
};

/**
 * Items in typed arrays. PyTorch: TensorDataset.
 *
 *     new ArrayDataset({ x: { data: pixels, shape: [1, 8, 8] }, y: { data: labels, shape: [] } })
 */
export class ArrayDataset<F extends Fields> implements Dataset<Item<F>>, BatchSource<HostBatch<F>, Batch<F>> {
  /** The arrays, as they were before any transform. */
  readonly storage: Fields;
  /** Positions in the arrays, one for each item. */
  readonly indices: Int32Array;
  private readonly steps: readonly SampleStep[];

  constructor(fields: F, indices?: Int32Array, steps: readonly SampleStep[] = []) {
    if (indices !== undefined) checkNumbers('ArrayDataset', 'the indices', indices);
    checkFields(fields);
    this.storage = fields;
    this.indices = indices ?? Int32Array.from({ length: countItems(fields) }, (_, i) => i);
    this.steps = steps;
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number, random?: HostRandom): Item<F> {
    checkWhole('get', 'the index', index, -Infinity);
    const batch = this.batch([index], random && (() => random));
    return Object.fromEntries(Object.entries(batch).map(([name, t]) => [name, t.squeeze(0)])) as Item<F>;
  }

  /**
   * The items at `positions` as tensors on the default device. `randomOf` feeds what is random about a sample; without it
   * augmentations are left out, and transforms draw the same numbers at every call.
   */
  batch(positions: ArrayLike<number>, randomOf?: SampleRandom): Batch<F> {
    return this.upload(this.gather(positions, randomOf));
  }

  /** The items at `positions`, copied into arrays and transformed. */
  gather(positions: ArrayLike<number>, randomOf?: SampleRandom): HostBatch<F> {
    checkNumbers('dataset', 'the list of positions', positions);
    const raw = this.copy(positions, Object.keys(this.storage));
    if (this.steps.length === 0 || positions.length === 0) return raw as HostBatch<F>;
    return applySteps(this.steps, raw, positions, randomOf) as HostBatch<F>;
  }

  /** Tensors of a batch from `gather`: bytes become float32. */
  upload(batch: HostBatch<F>): Batch<F> {
    const tensors = Object.entries(batch).map(([name, { data, shape }]) => [
      name,
      tensor(data as Float32Array, { shape, dtype: isInt32Array(data) ? 'int32' : 'float32' }),
    ]);
    return Object.fromEntries(tensors) as Batch<F>;
  }

  /** The numbers of one field, item after item, in this dataset's order; transformed, but not augmented. */
  column<K extends keyof F & string>(name: K): F[K]['data'] {
    this.checkField(name, 'column');
    const untouched = this.steps.every((step) => !step.always || (step.field !== undefined && step.field !== name));
    return (untouched ? this.copy(this.positions(), [name]) : this.gather(this.positions()))[name].data;
  }

  /** The items at `positions`, in that order, without copying them. */
  subset(positions: ArrayLike<number>): ArrayDataset<F> {
    return new ArrayDataset(this.storage as F, this.rowsAt(positions, 'subset'), this.steps);
  }

  /**
   * The same items with one field changed by a transform, which may change its shape and type; transforms follow one upon
   * another. It is called whenever an item is asked for. In a DataLoader its random numbers depend on the loader's seed,
   * the epoch and the item's position, and on nothing else.
   *
   *     train.transformed('x', compose(randomHorizontalFlip(), toFloat()))
   */
  transformed<K extends keyof F & string, O extends Field>(
    name: K,
    transform: Transform<F[K], O>,
  ): ArrayDataset<WithField<F, K, O>> {
    this.checkField(name, 'transformed');
    checkFunction('transformed', transform, 'the transform');
    const step: SampleStep = {
      field: name,
      always: true,
      apply: (sample, random) => ({ ...sample, [name]: transform(sample[name] as F[K], random) }),
    };
    return this.with<WithField<F, K, O>>(step);
  }

  /** The same for whole samples: fields that belong together (an image and its mask), fields that come or go. */
  transformedSamples<G extends Fields>(transform: Transform<F, G>): ArrayDataset<G> {
    checkFunction('transformedSamples', transform, 'the transform');
    return this.with<G>({ always: true, apply: (sample, random) => transform(sample as F, random) });
  }

  /** The same items, changed in place at random whenever a DataLoader draws them, and left alone otherwise. */
  augmented(augmentation: Augmentation<F>): ArrayDataset<F> {
    checkFunction('augmented', augmentation, 'the augmentation');
    const apply: SampleStep['apply'] = (sample, random) => {
      augmentation(sample as F, random);
      return sample;
    };
    return this.with<F>({ always: false, apply });
  }

  /**
   * Disjoint parts of random items, by fractions (sum at most 1) or by counts; the same seed gives the same parts.
   * `stratify` names a field whose values keep their shares in each part, `groups` one whose values each go to one part
   * as a whole (the parts are then only about as large as asked); or give the labels themselves.
   *
   *     const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { stratify: 'y' });
   */
  split<K extends string>(
    parts: Readonly<Record<K, number>>,
    options: SplitOptions & LabelOptions<F> = {},
  ): Record<K, ArrayDataset<F>> {
    checkOptions('split', options, SPLIT_OPTIONS);
    checkRecord('split', 'the argument', parts, 'fractions or counts');
    for (const [name, part] of Object.entries(parts)) checkNumber('split', `part '${name}'`, part);
    const { stratify, groups, ...rest } = options;
    const names = Object.keys(parts) as K[];
    const sizes = names.map((n) => parts[n]);
    const labels = {
      classes: this.labels('split', 'stratify', stratify),
      groups: this.labels('split', 'groups', groups),
    };
    const lists = splitIndices(this.length, sizes, { ...rest, ...labels });
    return Object.fromEntries(names.map((name, i) => [name, this.subset(lists[i])])) as Record<K, ArrayDataset<F>>;
  }

  /**
   * The `k` folds of a cross-validation: each item is in the validation part of exactly one of them. Options as in `split`.
   *
   *     for (const { train, validation } of data.folds(5, { stratify: 'y' })) …
   */
  folds(
    k: number,
    options: SplitOptions & LabelOptions<F> = {},
  ): { train: ArrayDataset<F>; validation: ArrayDataset<F> }[] {
    checkOptions('folds', options, SPLIT_OPTIONS);
    checkWhole('folds', 'the number of folds', k, 2);
    const { stratify, groups, ...rest } = options;
    const labels = {
      stratify: this.labels('folds', 'stratify', stratify),
      groups: this.labels('folds', 'groups', groups),
    };
    return kFold(this.length, k, { ...rest, ...labels }).map(({ train, validation }) => ({
      train: this.subset(train),
      validation: this.subset(validation),
    }));
  }

  private labels(
    op: string,
    option: string,
    name: (keyof F & string) | ArrayLike<number> | undefined,
  ): ArrayLike<number> | undefined {
    if (typeof name === 'string') {
      this.checkField(name, `${op}: ${option}`);
      return this.column(name);
    }
    if (name !== undefined) checkNumbers(op, option, name);
    return name;
  }

  private with<G extends Fields>(step: SampleStep): ArrayDataset<G> {
    return new ArrayDataset(this.storage as G, this.indices, [...this.steps, step]);
  }

  private copy(positions: ArrayLike<number>, names: readonly string[]): HostBatch<Fields> {
    const rows = this.rowsAt(positions, 'dataset');
    const copied = names.map((name) => {
      const { data, shape } = this.storage[name];
      const size = sizeOf(shape);
      const out = allocate(data, rows.length * size);
      for (let i = 0; i < rows.length; i++) {
        if (size === 1) out[i] = data[rows[i]];
        else out.set(data.subarray(rows[i] * size, (rows[i] + 1) * size), i * size);
      }
      return [name, { data: out, shape: [rows.length, ...shape] }];
    });
    return Object.fromEntries(copied) as HostBatch<Fields>;
  }

  private rowsAt(positions: ArrayLike<number>, op: string): Int32Array {
    checkNumbers(op, 'the list of positions', positions);
    return Int32Array.from({ length: positions.length }, (_, i) => {
      const at = this.indices[positions[i]];
      if (at !== undefined) return at;
      const most = this.length - 1;
      throw new IndexError(
        `${op}: item ${positions[i]} of ${this.length}. Use 0 to ${most}.`,
        positions[i],
        this.length,
      );
    });
  }

  private checkField(name: string, op: string): void {
    checkText(op, 'the name of a field', name);
    if (this.steps.some((step) => step.field === undefined && step.always) || name in this.storage) return;
    throw new ArgumentError(
      `${op}: there is no field '${name}'. Use one of ${Object.keys(this.storage)
        .map((n) => `'${n}'`)
        .join(', ')}.`,
    );
  }

  private positions(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

function checkFields(fields: Fields): void {
  checkRecord('ArrayDataset', 'the argument', fields, 'fields');
  for (const [name, field] of Object.entries(fields)) {
    const wanted = 'Give { data, shape }, the numbers of all items and the shape of one';
    checkHas('ArrayDataset', `field '${name}'`, field, ['data', 'shape'], wanted);
    const { data, shape } = field;
    if (!isFloat32Array(data) && !isInt32Array(data) && !isUint8Array(data))
      throw wrongKind('ArrayDataset', `data of field '${name}'`, data, 'Give a Float32Array, Int32Array or Uint8Array');
    checkShape(shape, `ArrayDataset: shape of field '${name}'`);
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
