// Movement on the host: what moves and repeats elements without changing them.

import { type HostArray, allocate, arrayOf, broadcastIndex, eachIndex, picked, sizeOf, stridesOf } from './array.js';

export function permuted(x: HostArray, order: readonly number[]): HostArray {
  const strides = stridesOf(x.shape);
  const steps = order.map((axis) => strides[axis]);
  return picked(
    x,
    order.map((axis) => x.shape[axis]),
    (place) => place.reduce((at, p, i) => at + p * steps[i], 0),
  );
}

export function expanded(x: HostArray, shape: readonly number[]): HostArray {
  if (sizeOf(shape) === sizeOf(x.shape)) return { ...x, shape };
  return picked(x, shape, broadcastIndex(x.shape, shape));
}

export function concatenated(parts: readonly HostArray[], axis: number): HostArray {
  const [first] = parts;
  const shape = first.shape.map((n, i) => (i === axis ? parts.reduce((sum, part) => sum + part.shape[axis], 0) : n));
  const out = allocate(first.type, shape);
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  let begin = 0;
  for (const part of parts) {
    const run = part.shape[axis] * inner;
    for (let i = 0; i < outer; i++)
      for (let k = 0; k < run; k++) out.data[i * shape[axis] * inner + begin + k] = part.data[i * run + k];
    begin += run;
  }
  return out;
}

/** Positions from `start` on, `count` of them, `step` apart, along each axis. */
export function sliced(
  x: HostArray,
  start: readonly number[],
  count: readonly number[],
  step: readonly number[],
): HostArray {
  const strides = stridesOf(x.shape);
  return picked(x, count, (place) => place.reduce((at, p, i) => at + (start[i] + p * step[i]) * strides[i], 0));
}

/** x[.., indices, ..]: the indices' shape in the place of the axis. */
export function taken(x: HostArray, indices: HostArray, axis: number): HostArray {
  const n = x.shape[axis];
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const count = indices.data.length;
  const out = allocate(x.type, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < count; j++) {
      const at = fromEnd(indices.data[j], n);
      for (let k = 0; k < inner; k++) out.data[(i * count + j) * inner + k] = x.data[(i * n + at) * inner + k];
    }
  }
  return out;
}

/** A position that may count from the end. Throws RangeError. */
export function fromEnd(index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (!(at >= 0 && at < size)) throw new RangeError(`index ${index} is out of range for size ${size}`);
  return at;
}

/** Elements at [.., indices[..], ..]. */
export function gatheredElements(x: HostArray, indices: HostArray, axis: number): HostArray {
  const strides = stridesOf(x.shape);
  const out = allocate(x.type, indices.shape);
  eachIndex(indices.shape, (at, place) => {
    const index = fromEnd(indices.data[at], x.shape[axis]);
    out.data[at] = x.data[place.reduce((sum, p, i) => sum + (i === axis ? index : p) * strides[i], 0)];
  });
  return out;
}

/** What rows of `indices` [.., k] point to, with `batch` leading dimensions in common: flat offsets, and how many elements each is. */
export function rowsOfIndices(
  shape: readonly number[],
  indices: HostArray,
  batch: number,
): { offsets: number[]; width: number } {
  const k = indices.shape[indices.shape.length - 1];
  const strides = stridesOf(shape);
  const width = sizeOf(shape.slice(batch + k));
  const count = sizeOf(indices.shape.slice(0, -1));
  const perBatch = count / Math.max(1, sizeOf(indices.shape.slice(0, batch)));
  const batchStep = batch === 0 ? 0 : strides[batch - 1];
  const offsets: number[] = [];
  for (let row = 0; row < count; row++) {
    let at = batch === 0 ? 0 : Math.floor(row / perBatch) * batchStep;
    for (let i = 0; i < k; i++) at += fromEnd(indices.data[row * k + i], shape[batch + i]) * strides[batch + i];
    offsets.push(at);
  }
  return { offsets, width };
}

export function gatheredRows(x: HostArray, indices: HostArray, batch: number): HostArray {
  const { offsets, width } = rowsOfIndices(x.shape, indices, batch);
  const k = indices.shape[indices.shape.length - 1];
  const out = allocate(x.type, [...indices.shape.slice(0, -1), ...x.shape.slice(batch + k)]);
  offsets.forEach((from, row) => {
    for (let i = 0; i < width; i++) out.data[row * width + i] = x.data[from + i];
  });
  return out;
}

export type Combine = (old: number, update: number) => number;

/** x with rows of `updates` written where `indices` says. */
export function scatteredRows(x: HostArray, indices: HostArray, updates: HostArray, combine: Combine): HostArray {
  const { offsets, width } = rowsOfIndices(x.shape, indices, 0);
  const out = arrayOf(x.type, x.shape, x.data);
  offsets.forEach((to, row) => {
    for (let i = 0; i < width; i++) out.data[to + i] = combine(out.data[to + i], updates.data[row * width + i]);
  });
  return out;
}

export function scatteredElements(
  x: HostArray,
  indices: HostArray,
  updates: HostArray,
  axis: number,
  combine: Combine,
): HostArray {
  const strides = stridesOf(x.shape);
  const out = arrayOf(x.type, x.shape, x.data);
  eachIndex(indices.shape, (at, place) => {
    const index = fromEnd(indices.data[at], x.shape[axis]);
    const to = place.reduce((sum, p, i) => sum + (i === axis ? index : p) * strides[i], 0);
    out.data[to] = combine(out.data[to], updates.data[at]);
  });
  return out;
}

/** x beside itself, counts[i] times along axis i. */
export function tiled(x: HostArray, counts: readonly number[]): HostArray {
  const strides = stridesOf(x.shape);
  return picked(
    x,
    x.shape.map((n, i) => n * counts[i]),
    (place) => place.reduce((at, p, i) => at + (p % x.shape[i]) * strides[i], 0),
  );
}
