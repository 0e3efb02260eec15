// Nested JavaScript arrays ↔ flat numbers with a shape.

import { refuseOtherCopy } from '../engine/ir/copies.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import { type Shape, sizeOf } from '../engine/ir/shape.js';

export type Nested = number | boolean | readonly Nested[];
export type NestedNumbers = number | boolean | NestedNumbers[];

/** The nested arrays of a tensor of this shape: `number[][]` for a matrix. No variance is seen through the outer condition. */
export type NestedOf<S extends Shape, D extends DType> = [S] extends [infer Known extends Shape]
  ? NestedIn<Known, D extends 'bool' ? boolean : number>
  : never;

type NestedIn<S extends Shape, Element> = number extends S['length']
  ? NestedNumbers
  : S extends readonly [number, ...infer Rest extends Shape]
    ? NestedIn<Rest, Element>[]
    : Element;

export interface Flat {
  readonly shape: number[];
  readonly data: number[];
  readonly allBoolean: boolean;
}

/** Dimensions beyond any use: more are a mistake. */
const MOST_DIMENSIONS = 64;

/** The lengths of an array, its first element, the first element of that, and so on. */
function outerShape(value: unknown): number[] {
  const shape: number[] = [];
  const around = new Set<unknown>();
  for (let level: unknown = value; Array.isArray(level); [level] = level) {
    if (around.has(level)) throw new ArgumentError('tensor: the array contains itself. Give nested arrays of numbers.');
    if (shape.length === MOST_DIMENSIONS)
      throw new ArgumentError(`tensor: arrays are nested more than ${MOST_DIMENSIONS} deep. Give fewer dimensions.`);
    around.add(level);
    shape.push(level.length);
  }
  return shape;
}

/** What a value is, for an error: a number's type, or the class of an object. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return typeof value;
  return `an object of class ${Object.prototype.toString.call(value).slice(8, -1)}`;
}

/** Flattens and checks: every level has one length, every leaf is a number or a truth value. */
export function flattenNested(value: unknown): Flat {
  const shape = outerShape(value);
  const data: number[] = [];
  let allBoolean = true;
  const walk = (part: unknown, depth: number, path: string): void => {
    if (Array.isArray(part)) {
      if (depth >= shape.length || part.length !== shape[depth]) {
        const expected = depth >= shape.length ? 'a number' : `length ${shape[depth]}`;
        throw new ShapeError(
          `tensor: ragged array: element ${path || '[]'} has length ${part.length}, ${expected} was expected.`,
        );
      }
      // By number: forEach would pass over holes.
      for (let i = 0; i < part.length; i++) {
        if (!(i in part)) throw new ArgumentError(`tensor: element ${path}[${i}] is missing. Give every number.`);
        walk(part[i], depth + 1, `${path}[${i}]`);
      }
      return;
    }
    if (depth < shape.length)
      throw new ShapeError(
        `tensor: ragged array: element ${path} is a single value, length ${shape[depth]} was expected.`,
      );
    if (typeof part === 'boolean') data.push(part ? 1 : 0);
    else if (typeof part === 'number') {
      allBoolean = false;
      data.push(part);
    } else {
      refuseOtherCopy('tensor', part);
      throw new ArgumentError(
        `tensor: ${path === '' ? 'the argument' : `element ${path}`} is ${kindOf(part)}. Use numbers or booleans.`,
      );
    }
  };
  walk(value, 0, '');
  return { shape, data, allBoolean: allBoolean && data.length > 0 };
}

/** Flat numbers as nested arrays of the given shape. */
export function nest(data: ArrayLike<number>, shape: Shape, toBoolean: boolean): NestedNumbers {
  let at = 0;
  const value = (): number | boolean => (toBoolean ? data[at++] !== 0 : data[at++]);
  const walk = (dim: number): NestedNumbers =>
    dim === shape.length ? value() : Array.from({ length: shape[dim] }, () => walk(dim + 1));
  if (sizeOf(shape) === 0 && shape.length === 0) return [];
  return walk(0);
}
