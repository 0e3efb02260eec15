// Search spaces: what may be chosen for each hyper-parameter. A dimension translates between its values and the unit
// interval, where strategies work: equal steps there are equal steps in the values, or in their logarithm.
// Must not know: strategies, models.

import { ArgumentError, checkHas, checkList, checkNumber, checkRecord, wrongKind } from '../../tensor/library.js';
import { textOf } from '../plain-data.js';
import type { HostRandom } from '../../tensor/host-random.js';

/** The values of one hyper-parameter. */
export interface Dimension<T> {
  /** How it prints: `logUniform(0.0001, 0.1)`. */
  readonly text: string;
  /** The number of values, for a dimension without order; such values are no nearer to one than to another. */
  readonly categories?: number;
  /** How an axis of its values is best drawn. Default `linear`. */
  readonly scale?: 'whole' | 'linear' | 'log';
  /** u in [0, 1] → a value. */
  at(u: number): T;
  /** A value → its place in [0, 1]. Throws ArgumentError for a value that is not in the dimension. */
  place(value: T): number;
  /** `points` values spread evenly, or all there are. */
  grid(points: number): readonly T[];
}

/** Hyper-parameters by name. */
export type Space = Readonly<Record<string, Dimension<never> | Dimension<unknown>>>;

/** The values that a space gives: `{ lr: number, layers: number, activation: 'relu' | 'tanh' }`. */
export type ParamsOf<S> = { -readonly [K in keyof S]: S[K] extends Dimension<infer T> ? T : never };

function checkBounds(op: string, low: number, high: number, least = -Infinity): void {
  checkNumber(op, 'the lower bound', low);
  checkNumber(op, 'the upper bound', high);
  if (Number.isFinite(low) && Number.isFinite(high) && low < high && low > least) return;
  const advice =
    least === 0 ? 'Use numbers above 0, the smaller one first.' : 'Use two numbers, the smaller one first.';
  throw new ArgumentError(`${op}: bounds ${low} and ${high} are not valid. ${advice}`);
}

const clampUnit = (u: number): number => Math.min(Math.max(u, 0), 1);

function spread<T>(points: number, at: (u: number) => T): T[] {
  if (!Number.isInteger(points) || points < 1)
    throw new ArgumentError(`grid: ${points} points. Use a whole number of at least 1.`);
  return Array.from({ length: points }, (_, i) => at(points === 1 ? 0.5 : i / (points - 1)));
}

/** Numbers whose transform is spread evenly: the common part of `uniform` and `logUniform`. */
function continuous(
  text: string,
  scale: 'linear' | 'log',
  [low, high]: readonly [number, number],
  into: (v: number) => number,
  back: (v: number) => number,
): Dimension<number> {
  const [a, b] = [into(low), into(high)];
  const at = (u: number): number => Math.min(Math.max(back(a + (b - a) * clampUnit(u)), low), high);
  return {
    text,
    scale,
    at,
    place(value) {
      if (typeof value !== 'number' || !(value >= low && value <= high))
        throw new ArgumentError(`${text}: ${textOf(value)} is outside. Use a number from ${low} to ${high}.`);
      return clampUnit((into(value) - a) / (b - a));
    },
    grid: (points) => spread(points, at),
  };
}

/** Numbers from low to high, all alike. */
export function uniform(low: number, high: number): Dimension<number> {
  checkBounds('uniform', low, high);
  return continuous(`uniform(${low}, ${high})`, 'linear', [low, high], Number, Number);
}

/** Numbers from low to high, every order of magnitude alike: for learning rates and weight decay. */
export function logUniform(low: number, high: number): Dimension<number> {
  checkBounds('logUniform', low, high, 0);
  return continuous(`logUniform(${low}, ${high})`, 'log', [low, high], Math.log, Math.exp);
}

/** Whole numbers from low to high, both included. */
export function integer(low: number, high: number): Dimension<number> {
  checkBounds('integer', low, high);
  if (!Number.isInteger(low) || !Number.isInteger(high))
    throw new ArgumentError(`integer: bounds ${low} and ${high} are not whole numbers.`);
  const text = `integer(${low}, ${high})`;
  const count = high - low + 1;
  const at = (u: number): number => low + Math.min(Math.floor(clampUnit(u) * count), count - 1);
  return {
    text,
    scale: 'whole',
    at,
    place(value) {
      if (!Number.isInteger(value) || value < low || value > high)
        throw new ArgumentError(`${text}: ${textOf(value)} is not in it. Use a whole number from ${low} to ${high}.`);
      return (value - low + 0.5) / count;
    },
    grid: (points) =>
      points >= count ? Array.from({ length: count }, (_, i) => low + i) : [...new Set(spread(points, at))],
  };
}

/** Functions, bigints, circles, and objects of a class (a tensor) are not. */
function isJson(value: unknown): boolean {
  const refuseClasses = (_: string, part: unknown): unknown => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    if (Object.getPrototypeOf(part) !== Object.prototype) throw new TypeError('an object of a class');
    return part;
  };
  try {
    return JSON.stringify(value, refuseClasses) !== undefined;
  } catch {
    return false;
  }
}

/** One of the listed values, which have no order: `choice(['relu', 'tanh'])`, `choice([32, 64, 128])`. */
export function choice<const T>(values: readonly T[]): Dimension<T> {
  checkList('choice', 'the argument', values, 'values');
  if (values.length === 0) throw new ArgumentError('choice: there is nothing to choose from. List at least one value.');
  for (const value of values)
    if (value !== undefined && !isJson(value))
      throw wrongKind('choice', 'a value', value, 'List numbers, texts or plain objects: trials are written as JSON');
  const text = `choice(${JSON.stringify(values)})`;
  return {
    text,
    categories: values.length,
    at: (u) => values[Math.min(Math.floor(clampUnit(u) * values.length), values.length - 1)],
    place(value) {
      const i = values.findIndex((v) => Object.is(v, value) || JSON.stringify(v) === JSON.stringify(value));
      if (i < 0) throw new ArgumentError(`${text}: ${JSON.stringify(value)} is not in it.`);
      return (i + 0.5) / values.length;
    },
    grid: () => values,
  };
}

// ---------------------------------------------------------------- points

/** A point of the unit cube, one coordinate for each dimension in the order of the space. */
export type Point = readonly number[];

export function dimensionsOf(space: Space): [name: string, dimension: Dimension<unknown>][] {
  checkRecord('search', 'the space', space, 'dimensions');
  for (const [name, d] of Object.entries(space))
    checkHas('search', `dimension '${name}'`, d, ['at', 'place', 'grid'], 'Use uniform, logUniform, integer or choice');
  const entries = Object.entries(space) as [string, Dimension<unknown>][];
  if (entries.length === 0) throw new ArgumentError('search: the space is empty. Give at least one dimension.');
  return entries;
}

export function paramsAt<S extends Space>(space: S, point: Point): ParamsOf<S> {
  return Object.fromEntries(dimensionsOf(space).map(([name, d], i) => [name, d.at(point[i])])) as ParamsOf<S>;
}

export function pointOf<S extends Space>(space: S, params: ParamsOf<S>): number[] {
  return dimensionsOf(space).map(([name, d]) => d.place((params as Record<string, unknown>)[name]));
}

export function randomPoint(space: Space, random: HostRandom): number[] {
  return dimensionsOf(space).map(() => random.uniform());
}
