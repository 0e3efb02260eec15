// From what a caller passes (a tensor's node, a JavaScript number) to operands of one dtype, promoted as PyTorch does:
// bool < int32 < float32 < float64; a number takes the tensor's dtype unless it is a fraction.

import * as build from '../engine/ir/build.js';
import { refuseOtherCopy } from '../engine/ir/copies.js';
import { type DType, DTYPES, type FloatDType, fitsInt32, isFloat, promote } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { shown } from '../engine/ir/shape.js';

let standard: 'float32' | 'float64' = 'float32';

/** The dtype of numbers that nothing else says the dtype of. */
export const defaultDType = (): 'float32' | 'float64' => standard;

/**
 * Sets the dtype of numbers of which nothing else says it: those given as arrays, `zeros`, `rand`, quotients of integers, the
 * parameters of layers. 'float32' until then. PyTorch: torch.set_default_dtype.
 */
export function setDefaultDType(dtype: 'float32' | 'float64'): void {
  if (dtype !== 'float32' && dtype !== 'float64')
    throw new ArgumentError(
      `setDefaultDType: ${shown(dtype)} is not a dtype of real numbers. Use 'float32' or 'float64'.`,
    );
  standard = dtype;
}

/** Throws unless there is such a dtype. */
export function checkDType(dtype: DType, op: string): void {
  if (DTYPES.includes(dtype)) return;
  throw new DTypeError(`${op}: dtype '${String(dtype)}' is not known. Use ${DTYPES.map((d) => `'${d}'`).join(', ')}.`, [
    String(dtype),
  ]);
}

/** The dtype that was asked for, which is one of real numbers, or the default one. */
export function realDType(dtype: FloatDType | undefined, op: string): FloatDType {
  if (dtype === undefined) return defaultDType();
  checkDType(dtype, op);
  if (!isFloat(dtype)) throw new DTypeError(`${op}: dtype is ${String(dtype)}. Use 'float32' or 'float64'.`, [dtype]);
  return dtype;
}

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
  if (isFloat(dtype)) return build.scalar(value, dtype);
  const isWhole = Number.isInteger(value) && Math.abs(value) <= 0x7fffffff;
  if (dtype === 'uint8' && isWhole && value >= 0 && value <= 255) return build.scalar(value, dtype);
  return build.scalar(value, isWhole ? 'int32' : defaultDType());
}

/** A tensor without dimensions does not widen one of the same kind: it is a number (as in PyTorch). */
function promoteOperands(a: Node, b: Node): DType {
  if (isFloat(a.dtype) && isFloat(b.dtype) && (a.shape.length === 0) !== (b.shape.length === 0))
    return a.shape.length === 0 ? b.dtype : a.dtype;
  return promote(a.dtype, b.dtype);
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
  const dtype = promoteOperands(a, other);
  return [converted(a, dtype), converted(other, dtype)];
}

/** A number that is asked anew at each run (a learning rate) is exact in float64, too. */
function converted(x: Node, dtype: DType): Node {
  return build.cast(build.numberLike(x, dtype), dtype);
}

/** The node as real numbers: integers and truth values become those of the default dtype. */
export function asFloat(x: Node): Node {
  return isFloat(x.dtype) ? x : build.cast(x, defaultDType());
}

/** As `asNumber`, and wide enough to add up: uint8 becomes int32. */
export function asSummand(x: Node): Node {
  return x.dtype === 'bool' || x.dtype === 'uint8' ? build.cast(x, 'int32') : x;
}

/** At least int32: truth values count. */
export function asNumber(x: Node): Node {
  return x.dtype === 'bool' ? build.cast(x, 'int32') : x;
}

export function asBool(x: Node): Node {
  return build.cast(x, 'bool');
}
