// Spaces: which observations an environment gives, and which actions it takes. As Gymnasium's, with their values as types:
// a Discrete holds numbers, a Box holds Float32Arrays.
// Must not know: environments.

import type { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  checkNumbers,
  checkRandom,
  checkShape,
  checkWhole,
  formatShape,
  sizeOf,
  wrongKind,
} from '../tensor/library.js';

/** A set of values of one kind. */
export interface Space<T> {
  /** Sizes of a value; [] for a single number. */
  readonly shape: readonly number[];
  /** A random value. */
  sample(random: HostRandom): T;
  /** Whether the value is one of the space. */
  contains(value: unknown): boolean;
  toString(): string;
}

/** The whole numbers start, start + 1, …, start + n − 1. Gymnasium: spaces.Discrete. */
export class Discrete implements Space<number> {
  readonly n: number;
  readonly start: number;
  readonly shape: readonly number[] = [];

  /** Throws ArgumentError unless `n` is a whole number of at least 1. */
  constructor(n: number, start = 0) {
    checkWhole('Discrete', 'n', n, 1);
    checkWhole('Discrete', 'start', start, -Infinity);
    this.n = n;
    this.start = start;
  }

  sample(random: HostRandom): number {
    checkRandom('Discrete.sample', random);
    return this.start + random.below(this.n);
  }

  contains(value: unknown): boolean {
    return Number.isInteger(value) && (value as number) >= this.start && (value as number) < this.start + this.n;
  }

  toString(): string {
    return this.start === 0 ? `Discrete(${this.n})` : `Discrete(${this.n}, ${this.start})`;
  }
}

/** Arrays of numbers, each between two bounds, which may be infinite. Gymnasium: spaces.Box, of float32. */
export class Box implements Space<Float32Array> {
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly shape: readonly number[];

  /**
   * Bounds are numbers, the same for all, or lists with one for each; `shape` is by default that of the list, and [] for numbers.
   * Throws ArgumentError for bounds that do not fill the shape, and for a lower bound above the upper one.
   */
  constructor(low: number | ArrayLike<number>, high: number | ArrayLike<number>, shape?: readonly number[]) {
    const isList = (value: unknown): value is ArrayLike<number> => Array.isArray(value) || ArrayBuffer.isView(value);
    const lengths = [low, high].flatMap((bound) => (isList(bound) ? [bound.length] : []));
    if (shape !== undefined) checkNumbers('Box', 'shape', shape);
    this.shape = [...(shape ?? lengths.slice(0, 1))];
    checkShape(this.shape, 'Box');
    const size = sizeOf(this.shape);
    const bound = (what: string, value: unknown): Float32Array => {
      if (isList(value)) checkNumbers('Box', what, value);
      else if (typeof value !== 'number') throw wrongKind('Box', what, value, 'Use a number or a list of numbers');
      const numbers = isList(value) ? Float32Array.from(value) : new Float32Array(size).fill(value);
      if (numbers.length === size) return numbers;
      throw new ArgumentError(
        `Box: ${what} has ${numbers.length} numbers, the shape ${formatShape(this.shape)} ${size}.`,
      );
    };
    this.low = bound('low', low);
    this.high = bound('high', high);
    const at = this.low.findIndex((value, i) => !(value <= this.high[i]));
    if (at >= 0)
      throw new ArgumentError(
        `Box: low is ${this.low[at]} and high ${this.high[at]} at ${at}. Low may not be above high.`,
      );
  }

  /** Uniform between two bounds; exponential from a single one; normal where there is none. */
  sample(random: HostRandom): Float32Array {
    checkRandom('Box.sample', random);
    return this.low.map((low, i) => {
      const high = this.high[i];
      if (Number.isFinite(low) && Number.isFinite(high)) return random.between(low, high);
      if (Number.isFinite(low)) return low - Math.log(1 - random.uniform());
      if (Number.isFinite(high)) return high + Math.log(1 - random.uniform());
      return random.normal();
    });
  }

  contains(value: unknown): boolean {
    if (!(value instanceof Float32Array || Array.isArray(value)) || value.length !== this.low.length) return false;
    for (let i = 0; i < value.length; i++) if (!(value[i] >= this.low[i] && value[i] <= this.high[i])) return false;
    return true;
  }

  /** The nearest value of the space. */
  clip(value: ArrayLike<number>): Float32Array {
    return this.low.map((low, i) => Math.min(Math.max(value[i], low), this.high[i]));
  }

  toString(): string {
    const bound = (values: Float32Array) =>
      values.every((value) => value === values[0]) ? String(values[0]) : `[${values.join(', ')}]`;
    return `Box(${bound(this.low)}, ${bound(this.high)}, ${formatShape(this.shape)})`;
  }
}

/** Several whole numbers, number i from 0 to counts[i] − 1. Gymnasium: spaces.MultiDiscrete. */
export class MultiDiscrete implements Space<Int32Array> {
  readonly counts: readonly number[];
  readonly shape: readonly number[];

  /** Throws ArgumentError unless all counts are whole numbers of at least 1. */
  constructor(counts: readonly number[]) {
    checkNumbers('MultiDiscrete', 'counts', counts);
    this.counts = Array.from(counts);
    this.counts.forEach((count, i) => checkWhole('MultiDiscrete', `count ${i}`, count, 1));
    this.shape = [counts.length];
  }

  sample(random: HostRandom): Int32Array {
    checkRandom('MultiDiscrete.sample', random);
    return Int32Array.from(this.counts, (count) => random.below(count));
  }

  contains(value: unknown): boolean {
    if (!(value instanceof Int32Array || Array.isArray(value)) || value.length !== this.counts.length) return false;
    return this.counts.every((count, i) => Number.isInteger(value[i]) && value[i] >= 0 && value[i] < count);
  }

  toString(): string {
    return `MultiDiscrete([${this.counts.join(', ')}])`;
  }
}
