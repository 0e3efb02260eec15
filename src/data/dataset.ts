// Data sets in memory: samples with named fields, cut into parts that are disjoint by construction.

import { type DType, ArgumentError, type Shape, sizeOf } from '../tensor/library.js';
import { tensor } from '../tensor/creation.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';

/** Anything with numbered samples. */
export interface Dataset<Sample> {
  readonly length: number;
  get(index: number): Sample;
}

/** One field of all samples: `data` holds them one after the other, each of `shape`. */
export interface Column {
  readonly data: Float32Array | Int32Array;
  readonly shape: Shape;
  readonly dtype: DType;
}

export type Batch<Fields extends string> = Record<Fields, AnyTensor>;

/** Fractions that add up to at most 1, or whole numbers of samples. */
export type Parts<Names extends string> = Readonly<Record<Names, number>>;

export interface SplitOptions {
  /** Default 0. The same seed gives the same parts. */
  readonly seed?: number;
  /** Field whose values are represented in each part as in the whole. */
  readonly stratify?: string | undefined;
}

/** Numbers in [0, 1) from a seed (splitmix32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** 0 … n − 1 in an order that depends on the seed alone (Fisher and Yates). */
export function seededOrder(n: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const random = seededRandom(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Columns of numbers with one row a sample, and which rows of them belong to the set. */
export class ArrayDataset<Fields extends string> implements Dataset<Batch<Fields>> {
  readonly columns: Readonly<Record<Fields, Column>>;
  private readonly rows: Int32Array;

  constructor(columns: Readonly<Record<Fields, Column>>, rows?: Int32Array) {
    this.columns = columns;
    const counts = Object.entries<Column>(columns).map(([name, c]) => {
      const count = c.data.length / sizeOf(c.shape);
      if (!Number.isInteger(count))
        throw new ArgumentError(
          `ArrayDataset: ${name} has ${c.data.length} numbers, not a multiple of its sample's ${sizeOf(c.shape)}.`,
        );
      return count;
    });
    if (new Set(counts).size !== 1)
      throw new ArgumentError(
        `ArrayDataset: the fields have ${counts.join(', ')} samples. They must have the same number.`,
      );
    this.rows = rows ?? Int32Array.from({ length: counts[0] }, (_, i) => i);
  }

  get length(): number {
    return this.rows.length;
  }

  /** One sample: a tensor a field. */
  get(index: number): Batch<Fields> {
    const batch = this.batch([index]);
    const fields = Object.keys(this.columns) as Fields[];
    return Object.fromEntries(
      fields.map((f) => [f, (batch[f] as Tensor).reshape(this.columns[f].shape as number[])]),
    ) as unknown as Batch<Fields>;
  }

  /** The samples at these positions, each field as one tensor [count, …]. */
  batch(positions: ArrayLike<number>): Batch<Fields> {
    const out = {} as Record<Fields, AnyTensor>;
    for (const [name, column] of Object.entries<Column>(this.columns) as [Fields, Column][]) {
      const data = this.collect(name, positions);
      out[name] = tensor(data as never, {
        shape: [positions.length, ...column.shape],
        dtype: column.dtype,
      }) as unknown as AnyTensor;
    }
    return out;
  }

  /** The raw numbers of one field at these positions. */
  collect(field: Fields, positions: ArrayLike<number>): Float32Array | Int32Array {
    const { data, shape } = this.columns[field];
    const size = sizeOf(shape);
    const out =
      data instanceof Float32Array
        ? new Float32Array(positions.length * size)
        : new Int32Array(positions.length * size);
    for (let i = 0; i < positions.length; i++) {
      const row = this.rows[positions[i]];
      if (row === undefined)
        throw new ArgumentError(`dataset: sample ${positions[i]} does not exist. There are ${this.length}.`);
      out.set(data.subarray(row * size, (row + 1) * size) as never, i * size);
    }
    return out;
  }

  /** All numbers of one field. */
  field(name: Fields): Float32Array | Int32Array {
    return this.collect(
      name,
      Int32Array.from({ length: this.length }, (_, i) => i),
    );
  }

  /** The samples at these positions as a set of their own. */
  subset(positions: ArrayLike<number>): ArrayDataset<Fields> {
    return new ArrayDataset(
      this.columns,
      Int32Array.from(positions, (p) => this.rows[p]),
    );
  }

  /**
   * Cuts the set into named parts without overlap, by fractions or by numbers of samples; shuffled with a seed, and
   * stratified by a field if asked.
   *
   *     const { train, test } = digits().split({ train: 0.8, test: 0.2 });
   */
  split<Names extends string>(parts: Parts<Names>, options: SplitOptions = {}): Record<Names, ArrayDataset<Fields>> {
    const names = Object.keys(parts) as Names[];
    const order = this.stratified(seededOrder(this.length, options.seed ?? 0), options.stratify as Fields | undefined);
    const sizes = partSizes(
      names.map((n) => [n, parts[n]]),
      this.length,
    );
    const out = {} as Record<Names, ArrayDataset<Fields>>;
    // Dealing positions evenly keeps strata together: sample i of the ordered list goes to the part that is most behind.
    const given = names.map(() => [] as number[]);
    const rest = this.length - sizes.reduce((a, b) => a + b, 0);
    const targets = [...sizes, rest];
    const dealt = targets.map(() => 0);
    order.forEach((position, i) => {
      let best = 0;
      let most = -Infinity;
      targets.forEach((t, k) => {
        const behind = dealt[k] >= t ? -Infinity : (t * (i + 1)) / this.length - dealt[k];
        if (behind > most) [best, most] = [k, behind];
      });
      dealt[best]++;
      if (best < names.length) given[best].push(position);
    });
    names.forEach((n, k) => (out[n] = this.subset(given[k])));
    return out;
  }

  /** Positions ordered by the field's value, shuffled within each; dealing them out keeps the proportions. */
  private stratified(order: Int32Array, field: Fields | undefined): Int32Array {
    if (field === undefined) return order;
    if (!(field in this.columns))
      throw new ArgumentError(
        `split: there is no field '${field}'. There are ${Object.keys(this.columns).join(', ')}.`,
      );
    const values = this.field(field);
    return order.slice().sort((a, b) => values[a] - values[b]);
  }
}

function partSizes(parts: readonly (readonly [string, number])[], total: number): number[] {
  const sum = parts.reduce((n, [, p]) => n + p, 0);
  for (const [name, p] of parts)
    if (!(p >= 0)) throw new ArgumentError(`split: part ${name} is ${p}. Use a fraction or a number of samples.`);
  const fractions = parts.every(([, p]) => p <= 1) && sum <= 1 + 1e-9;
  if (!fractions && !parts.every(([, p]) => Number.isInteger(p)))
    throw new ArgumentError(
      `split: the parts add up to ${sum}. Use fractions that add up to at most 1, or whole numbers of samples.`,
    );
  if (!fractions && sum > total) throw new ArgumentError(`split: the parts have ${sum} samples, the set has ${total}.`);
  if (!fractions) return parts.map(([, p]) => p);
  // Rounded so that parts that make up everything leave nothing out.
  let before = 0;
  let share = 0;
  return parts.map(([, p]) => {
    share += p;
    const upTo = Math.round(share * total);
    const size = upTo - before;
    before = upTo;
    return size;
  });
}
