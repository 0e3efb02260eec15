// Arithmetic on shapes: sizes, strides, broadcasting, axis lists. Pure functions of number arrays.

import { ArgumentError, ShapeError } from './errors.js';

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Of shapes that cannot change, which those of tensors are: each replay asks for those of its results. */
const texts = new WeakMap<Shape, string>();

export function formatShape(shape: Shape): string {
  const known = texts.get(shape);
  if (known !== undefined) return known;
  const text = `[${shape.join(', ')}]`;
  if (Object.isFrozen(shape)) texts.set(shape, text);
  return text;
}

/** NumPy broadcasting of two shapes; `op` names the caller in the error, which shows whole shapes if they are more. */
export function broadcastShapes(a: Shape, b: Shape, op: string, whole: readonly [Shape, Shape] = [a, b]): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = i < rank - a.length ? 1 : a[i - rank + a.length];
    const y = i < rank - b.length ? 1 : b[i - rank + b.length];
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: ${formatShape(whole[0])} x ${formatShape(whole[1])}: sizes ${x} and ${y} do not broadcast`,
        whole,
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** A dimension counted from the front; negative ones count from the back, as in NumPy. */
export function normalizeDim(dim: number, rank: number, op: string): number {
  const size = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -size || dim >= size) {
    throw new ArgumentError(
      `${op}: dimension ${shown(dim)} is out of range for a tensor of rank ${rank}. Use ${-size} to ${size - 1}.`,
    );
  }
  return dim < 0 ? dim + size : dim;
}

/** Sorted distinct axes from `dim` (a number, a list, or undefined for all). */
export function normalizeDims(dim: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (dim === undefined) return Array.from({ length: rank }, (_, i) => i);
  if (typeof dim !== 'number' && !Array.isArray(dim))
    throw new ArgumentError(`${op}: dimension ${shown(dim)} is not a number. Give one, or a list of them.`);
  const dims = (typeof dim === 'number' ? [dim] : [...dim]).map((d) => normalizeDim(d, rank, op));
  dims.sort((a, b) => a - b);
  for (let i = 1; i < dims.length; i++) {
    if (dims[i] === dims[i - 1]) throw new ArgumentError(`${op}: dimension ${dims[i]} is listed twice.`);
  }
  return rank === 0 ? [] : dims;
}

/** A value that should have been a number, for an error. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  // Tensors say what they are; everything else is known by its class.
  if ('dtype' in value && 'shape' in value) return String(value);
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const { constructor } = value;
  return tag === 'Object' && typeof constructor === 'function' ? constructor.name : tag;
}

/** Sizes must be whole numbers from 0 to 2^31 - 1 elements in all. */
export function checkShape(shape: Shape, op: string): void {
  if (!Array.isArray(shape))
    throw new ArgumentError(
      `${op}: ${shown(shape)} is not a shape. Give a list of whole numbers, 0 or more${typeof shape === 'number' ? `: [${String(shape)}, …]` : ''}.`,
    );
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ArgumentError(
        `${op}: [${shape.map(shown).join(', ')}] is not a shape. Sizes are whole numbers, 0 or more.`,
      );
    }
  }
  if (sizeOf(shape) > 0x7fffffff) {
    throw new ArgumentError(`${op}: ${formatShape(shape)} has ${sizeOf(shape)} elements; 2147483647 is the most.`);
  }
}
