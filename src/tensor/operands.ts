// From what a caller passes (a tensor's node, a JavaScript number) to operands of one dtype, promoted as PyTorch does:
// bool < int32 < float32; a number takes the tensor's dtype unless it is a fraction.

import * as build from '../engine/ir/build.js';
import { refuseOtherCopy } from '../engine/ir/copies.js';
import { type DType, fitsInt32, promote } from '../engine/ir/dtype.js';
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
  if (typeof value !== 'number') {
    refuseOtherCopy(op, value);
    throw new ArgumentError(`${op}: ${shown(value)} is neither a tensor nor a number.`);
  }
  if (dtype === 'float32') return build.scalar(value, 'float32');
  return build.scalar(value, Number.isInteger(value) && Math.abs(value) <= 0x7fffffff ? 'int32' : 'float32');
}

/** A number in the dtype of a tensor that it is written into: int32 cuts a fraction off, bool is whether it is not 0. */
export function numberAs(value: number, dtype: DType, op: string, name: string): Node {
  checkNumber(value, op, name);
  if (dtype === 'bool') return build.constant(Number(value !== 0), 'bool') as Node;
  if (dtype !== 'int32') return build.scalar(value, dtype);
  if (!fitsInt32(value))
    throw new ArgumentError(`${op}: ${name} is ${value}, which int32 cannot hold. Convert the tensor to 'float32'.`);
  return build.scalar(Math.trunc(value), 'int32');
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
