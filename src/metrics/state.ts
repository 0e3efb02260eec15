// State of metrics on the device: sums that updates overwrite in place. A graph never holds more than one batch: an update
// that finds the one before still waiting (a loop that only evaluates) has it carried out first; in a training step it
// is part of the step's own program.
// Counts are whole numbers up to 2⁵⁵ in two int32; sums are float32 with the rounding error carried along (Kahan 1965).
// Must not know: what is counted.

import { tensor, zerosLike } from '../tensor/creation.js';
import { where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  DTypeError,
  type Shape,
  ShapeError,
  formatShape,
  isPending,
  runPending,
  sameShape,
  sizeOf,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import type { Metric } from './metric.js';

export type Ints = Tensor<Shape, 'int32'>;
export type Bools = Tensor<Shape, 'bool'>;

/** State that can be written down as plain numbers and taken up again. */
export interface Collection {
  dump(): Promise<number[]>;
  /** What dumps of several give together. */
  merge(dumps: readonly (readonly number[])[]): number[];
  load(numbers: readonly number[]): void;
  reset(): void;
}

/** A metric whose state is one collection. */
export abstract class CollectedMetric<T = number> implements Metric<T> {
  abstract readonly name: string;
  abstract readonly better: 'higher' | 'lower';
  protected abstract readonly collected: Collection;
  abstract update(output: AnyTensor, target: AnyTensor): void;
  abstract compute(): Promise<T>;

  async state(): Promise<readonly number[]> {
    return this.collected.dump();
  }

  merge(states: readonly (readonly number[])[]): readonly number[] {
    return this.collected.merge(states);
  }

  restore(state: readonly number[]): void {
    this.collected.load(state);
  }

  reset(): void {
    this.collected.reset();
  }
}

/** A stored tensor of these numbers, on the device of `like` or the default one. */
export function storedNumbers(
  numbers: readonly number[],
  shape: Shape,
  dtype: 'float32' | 'int32',
  like?: AnyTensor,
): AnyTensor {
  const data = dtype === 'float32' ? Float32Array.from(numbers) : Int32Array.from(numbers);
  const device = like === undefined ? {} : { device: like.device };
  return tensor(data, { shape, dtype, ...device });
}

/** A stored tensor of zeros on the device of `like`. */
export function storedZeros(like: AnyTensor, shape: Shape, dtype: 'float32' | 'int32'): AnyTensor {
  return storedNumbers(new Array<number>(sizeOf(shape)).fill(0), shape, dtype, like);
}

/** Carries out an earlier update of this state, if it still waits. */
export function settle(cells: readonly AnyTensor[] | undefined): void {
  if (cells?.some(isPending) === true) runPending();
}

/** Overwrites state with zeros at once, so that the next update finds it as all later ones do. */
export function clear(cells: readonly AnyTensor[] | undefined): void {
  if (cells === undefined) return;
  withoutGrad(() => {
    for (const cell of cells) cell.assign_(zerosLike(cell));
  });
  runPending();
}

/** Adds up tensors of one shape. `create` makes the state for the first. */
abstract class Sum<D extends 'float32' | 'int32'> implements Collection {
  /** What is added up, in two parts. */
  protected cells: readonly [Tensor<Shape, D>, Tensor<Shape, D>] | undefined;
  private readonly dtype: D;
  private readonly op: string;

  constructor(op: string, dtype: D) {
    this.op = op;
    this.dtype = dtype;
  }

  /** The two parts with `delta` added. */
  protected abstract plus(a: Tensor<Shape, D>, b: Tensor<Shape, D>, delta: Tensor<Shape, D>): [AnyTensor, AnyTensor];
  protected abstract join(a: number, b: number): number;
  /** The two parts of a sum. */
  protected abstract split(sum: number): [first: number, second: number];

  /** Throws ShapeError if the delta is not of the shape of earlier ones: other classes than before, for example. */
  add(delta: AnyTensor): void {
    const { op, dtype } = this;
    if (delta.dtype !== dtype) throw new DTypeError(`${op}: sums ${dtype}, not ${delta.dtype}.`, [delta.dtype]);
    settle(this.cells);
    if (this.cells === undefined) {
      const make = () => storedZeros(delta, delta.shape, dtype) as Tensor<Shape, D>;
      this.cells = [make(), make()];
    }
    const [a, b] = this.cells;
    if (!sameShape(a.shape, delta.shape)) {
      throw new ShapeError(
        `${op}: this batch gives ${formatShape(delta.shape)}, earlier ones ${formatShape(a.shape)}. Call reset(), and use one metric for each number of classes.`,
        [delta.shape, a.shape],
      );
    }
    withoutGrad(() => {
      const [first, second] = this.plus(a, b, delta as Tensor<Shape, D>);
      a.assign_(first);
      b.assign_(second);
    });
  }

  /** The sums in row-major order; undefined before the first `add`. */
  async read(): Promise<number[] | undefined> {
    if (this.cells === undefined) return undefined;
    const [a, b] = this.cells;
    const [first, second] = [await a.data(), await b.data()];
    return Array.from(first, (value, i) => this.join(value, second[i]));
  }

  /** [] or rank, shape, and the numbers of both parts. */
  async dump(): Promise<number[]> {
    if (this.cells === undefined) return [];
    const [a, b] = this.cells;
    return [a.rank, ...a.shape, ...(await a.data()), ...(await b.data())];
  }

  merge(dumps: readonly (readonly number[])[]): number[] {
    const given = dumps.filter(({ length }) => length > 0);
    if (given.length === 0) return [];
    const start = 1 + given[0][0];
    const head = given[0].slice(0, start);
    const size = sizeOf(head.slice(1));
    if (given.some((dump) => dump.length !== start + 2 * size || !sameShape(dump.slice(0, start), head)))
      throw new ShapeError(
        `${this.op}: the processes have collected sums of different shapes. Use one metric for each number of classes.`,
        given.map((dump) => dump.slice(1, 1 + dump[0])),
      );
    const sums = Array.from({ length: size }, (_, i) =>
      this.split(given.reduce((sum, dump) => sum + this.join(dump[start + i], dump[start + size + i]), 0)),
    );
    return [...head, ...sums.map(([first]) => first), ...sums.map(([, second]) => second)];
  }

  load(numbers: readonly number[]): void {
    if (numbers.length === 0) return this.reset();
    const shape = numbers.slice(1, 1 + numbers[0]);
    const size = sizeOf(shape);
    const start = 1 + shape.length;
    if (numbers.length !== start + 2 * size)
      throw new ArgumentError(`${this.op}: the state is not one of this metric. Restore what its state() gave.`);
    const parts = [0, 1].map((i) => {
      const part = numbers.slice(start + i * size, start + (i + 1) * size);
      return storedNumbers(part, shape, this.dtype, this.cells?.[0]) as Tensor<Shape, D>;
    });
    const { cells } = this;
    if (cells === undefined || !sameShape(cells[0].shape, shape)) this.cells = [parts[0], parts[1]];
    else withoutGrad(() => cells.forEach((cell, i) => cell.assign_(parts[i])));
    runPending();
  }

  reset(): void {
    clear(this.cells);
  }
}

const CARRY = 2 ** 24;

/** Whole numbers: int32 deltas below 2³⁰ each. */
export class Counts extends Sum<'int32'> {
  constructor(op: string) {
    super(op, 'int32');
  }

  protected plus(low: Ints, high: Ints, delta: Ints): [AnyTensor, AnyTensor] {
    const sum = low.add(delta) as Ints;
    return [sum.remainder(CARRY), high.add(sum.floorDivide(CARRY) as Ints)];
  }

  protected join(low: number, high: number): number {
    return low + high * CARRY;
  }

  protected split(sum: number): [number, number] {
    return [sum % CARRY, Math.floor(sum / CARRY)];
  }
}

/** float32 numbers; NaN and infinity stay what they are. */
export class Sums extends Sum<'float32'> {
  constructor(op: string) {
    super(op, 'float32');
  }

  protected plus(sum: Tensor, error: Tensor, delta: Tensor): [AnyTensor, AnyTensor] {
    const corrected = delta.sub(error);
    const next = sum.add(corrected);
    const lost = next.sub(sum).sub(corrected);
    return [next, where(lost.isFinite() as Bools, lost, 0)];
  }

  protected join(sum: number, error: number): number {
    return Number.isFinite(sum) ? sum - error : sum;
  }

  protected split(sum: number): [number, number] {
    const rounded = Math.fround(sum);
    return [rounded, Number.isFinite(rounded) ? rounded - sum : 0];
  }
}
