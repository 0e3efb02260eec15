// From what a caller passes (a tensor's node, a JavaScript number) to operands of one dtype, promoted as PyTorch does:
// bool < int32 < float32; a number takes the tensor's dtype unless it is a fraction.

import * as build from '../engine/ir/build.js';
import { type DType, promote } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { shown } from '../engine/ir/shape.js';

/** Throws unless `value` is a number: callers without types pass anything. */
export function checkNumber(value: number, op: string, name: string): void {
  if (typeof value !== 'number') throw new ArgumentError(`${op}: ${name} is ${shown(value)}. Use a number.`);
}

/** Throws unless `value` is a whole number. */
export function checkWhole(value: number, op: string, name: string): void {
  if (!Number.isSafeInteger(value)) throw new ArgumentError(`${op}: ${name} is ${shown(value)}. Use a whole number.`);
}

/** A number beside a tensor of `dtype`. */
export function numberNode(value: number, dtype: DType, op: string): Node {
  if (typeof value !== 'number') throw new ArgumentError(`${op}: ${shown(value)} is neither a tensor nor a number.`);
  if (dtype === 'float32') return build.scalar(value, 'float32');
  return build.scalar(value, Number.isInteger(value) && Math.abs(value) <= 0x7fffffff ? 'int32' : 'float32');
}

/** Both operands with their common dtype. */
export function promoted(a: Node, b: Node | number, op: string): [Node, Node] {
  const other = typeof b === 'number' ? numberNode(b, a.dtype, op) : b;
  if (a.dtype === other.dtype) return [a, other];
  const dtype = promote(a.dtype, other.dtype);
  return [build.cast(a, dtype), build.cast(other, dtype)];
}

/** The node as float32: integers and truth values become numbers. */
export function asFloat(x: Node): Node {
  return build.cast(x, 'float32');
}

/** At least int32: truth values count. */
export function asNumber(x: Node): Node {
  return x.dtype === 'bool' ? build.cast(x, 'int32') : x;
}

export function asBool(x: Node): Node {
  return build.cast(x, 'bool');
}
