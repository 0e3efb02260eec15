// Element by element on the host, and reductions.

import { type ElementType, rounded } from '../wire/elements.js';
import { type HostArray, allocate, broadcastIndex, broadcastShape, eachIndex, sizeOf, stridesOf } from './array.js';

export function mapped(x: HostArray, type: ElementType, f: (value: number) => number): HostArray {
  const out = allocate(type, x.shape);
  for (let i = 0; i < out.data.length; i++) out.data[i] = rounded(f(x.data[i]), type);
  return out;
}

/** Of arrays that broadcast. Throws RangeError where their shapes do not fit. */
export function combined(
  parts: readonly HostArray[],
  type: ElementType,
  f: (...values: number[]) => number,
): HostArray {
  let shape: readonly number[] = [];
  for (const part of parts) {
    const joint = broadcastShape(shape, part.shape);
    if (joint === undefined)
      throw new RangeError(`shapes [${shape.join(', ')}] and [${part.shape.join(', ')}] do not broadcast`);
    shape = joint;
  }
  const out = allocate(type, shape);
  const size = sizeOf(shape);
  if (parts.every((part) => part.data.length === size || part.data.length === 1)) {
    const values = parts.map(() => 0);
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < parts.length; k++) values[k] = parts[k].data[parts[k].data.length === 1 ? 0 : i];
      out.data[i] = rounded(f(...values), type);
    }
    return out;
  }
  const indices = parts.map((part) => broadcastIndex(part.shape, shape));
  eachIndex(shape, (at, place) => {
    out.data[at] = rounded(f(...parts.map((part, k) => part.data[indices[k](place)])), type);
  });
  return out;
}

/** `f` of the numbers along some axes, which stay with size 1 if kept. */
export function reduced(
  x: HostArray,
  axes: readonly number[],
  isKept: boolean,
  type: ElementType,
  f: (values: number[]) => number,
): HostArray {
  const strides = stridesOf(x.shape);
  const outer = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const inner = x.shape.map((n, i) => (axes.includes(i) ? n : 1));
  const shape = isKept ? outer : x.shape.filter((_, i) => !axes.includes(i));
  const out = allocate(type, shape);
  const offset = (place: readonly number[]): number => place.reduce((sum, p, i) => sum + p * strides[i], 0);
  eachIndex(outer, (at, place) => {
    const base = offset(place);
    const values: number[] = [];
    eachIndex(inner, (_, within) => values.push(x.data[base + offset(within)]));
    out.data[at] = rounded(f(values), type);
  });
  return out;
}
