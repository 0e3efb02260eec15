// What the reference device computes with: a value, the type of an operator's meaning, and the one piece of index
// arithmetic that everything here is written with, `offsets`.
// float32 values are kept in float64 and never rounded; int32 values are whole numbers that wrap; bool is 0 or 1.

import type { DType } from '../../ir/dtype.js';
import type { Node } from '../../ir/node.js';
import type { Op } from '../../ir/op.js';
import { type Shape, stridesOf } from '../../ir/shape.js';

export interface Value {
  readonly data: Float64Array;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a run was given: the numbers behind the nodes of op 'leaf' and 'scalar'. */
export interface Given {
  leaf(node: Node): Float64Array;
  scalar(node: Node): number;
}

/** The meaning of an operator: operands → the elements of the node, row-major. */
export type Meaning<O extends Op = Op> = (operands: readonly Value[], node: Node<O>, given: Given) => Float64Array;

export type Meanings<O extends Op> = { readonly [K in O]: Meaning<K> };

/** For each index of `shape` in row-major order: start + Σ index[axis] · strides[axis]. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let list = Int32Array.of(start);
  for (let axis = 0; axis < shape.length; axis++) {
    const next = new Int32Array(list.length * shape[axis]);
    for (let i = 0; i < next.length; i++) {
      next[i] = list[Math.floor(i / shape[axis])] + (i % shape[axis]) * strides[axis];
    }
    list = next;
  }
  return list;
}

/** Strides that read `from` as if it had been broadcast to `to`: 0 where it repeats. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]));
}

/** The elements of x as if it had `shape`. */
export function broadcast(x: Value, shape: Shape): Float64Array {
  return take(x.data, offsets(shape, broadcastStrides(x.shape, shape)));
}

/** data[at[i]] for each i; 0 where at[i] is negative. */
export function take(data: Float64Array, at: Int32Array): Float64Array {
  const out = new Float64Array(at.length);
  for (let i = 0; i < out.length; i++) out[i] = at[i] < 0 ? 0 : data[at[i]];
  return out;
}

/** Result of int32 arithmetic wraps; other dtypes stay as they are. */
export function wrap(value: number, dtype: DType): number {
  return dtype === 'int32' ? value | 0 : value;
}

/** The lines of `shape` along `axis`: where each starts, and the distance between neighbours. */
export function lines(shape: Shape, axis: number): { starts: Int32Array; stride: number; length: number } {
  const strides = stridesOf(shape);
  const across = shape.map((n, i) => (i === axis ? 1 : n));
  return { starts: offsets(across, strides), stride: strides[axis], length: shape[axis] };
}
