// Values on the host: a type, a shape and numbers. Shapes, positions and small constants are computed here, in plain loops, so
// that they never reach a device.

import { type ElementType, type Numbers, rounded, rowOf } from '../wire/elements.js';

export interface HostArray {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Numbers;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What a graph asks for may be anything: larger arrays are a fault, most likely. */
const MOST_ELEMENTS = 2 ** 28;

/** An array of zeros to be filled. Throws RangeError for more than 2²⁸ elements. */
export function allocate(type: ElementType, shape: readonly number[]): HostArray {
  const size = sizeOf(shape);
  if (!(size >= 0 && size <= MOST_ELEMENTS && Number.isInteger(size)))
    throw new RangeError(`[${shape.join(', ')}] is no shape for an array on the host`);
  return { type, shape, data: rowOf(type).allocate(size) };
}

export function arrayOf(type: ElementType, shape: readonly number[], numbers: ArrayLike<number>): HostArray {
  const array = allocate(type, shape);
  for (let i = 0; i < array.data.length; i++) array.data[i] = rounded(numbers[i], type);
  return array;
}

/** A list of whole numbers: a shape, positions. */
export const intsOf = (numbers: readonly number[]): HostArray => arrayOf('int64', [numbers.length], numbers);

export const scalarOf = (type: ElementType, value: number): HostArray => arrayOf(type, [], [value]);

/** The same numbers in another shape. */
export const reshaped = (x: HostArray, shape: readonly number[]): HostArray => ({ ...x, shape });

/** As steps of the flat index, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** Calls `visit(at, coordinates)` for each element of a shape, in order. */
export function eachIndex(shape: readonly number[], visit: (at: number, place: readonly number[]) => void): void {
  const size = sizeOf(shape);
  const place = shape.map(() => 0);
  for (let at = 0; at < size; at++) {
    visit(at, place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++place[axis] < shape[axis]) break;
      place[axis] = 0;
    }
  }
}

/** The elements of x that `from` names for each place of `shape`, as flat indices of x. */
export function picked(
  x: HostArray,
  shape: readonly number[],
  from: (place: readonly number[], at: number) => number,
): HostArray {
  const out = allocate(x.type, shape);
  eachIndex(shape, (at, place) => {
    out.data[at] = x.data[from(place, at)];
  });
  return out;
}

/** As NumPy broadcasts; undefined where the shapes do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const m = a[a.length - rank + i] ?? 1;
    const n = b[b.length - rank + i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    shape.push(m === 1 ? n : m);
  }
  return shape;
}

/** For each element of `shape`, the flat index in an array of `from` that is broadcast to it. */
export function broadcastIndex(
  from: readonly number[],
  shape: readonly number[],
): (place: readonly number[]) => number {
  const strides = stridesOf(from);
  const lead = shape.length - from.length;
  const steps = from.map((n, i) => (n === 1 ? 0 : strides[i]));
  return (place) => {
    let at = 0;
    for (let i = 0; i < steps.length; i++) at += steps[i] * place[lead + i];
    return at;
  };
}
