// What builders ask of operands: dtypes, devices, shapes of indices.

import type { DType } from '../dtype.js';
import { DTypeError, DeviceError, IndexError, ShapeError } from '../errors.js';
import type { Node } from '../node.js';
import { type Shape, formatShape, sizeOf } from '../shape.js';

export type DTypeRule = readonly DType[];
export const FLOAT: DTypeRule = ['float32', 'float64'];
export const NUMBER: DTypeRule = ['float32', 'float64', 'int32'];
export const ANY: DTypeRule = ['float32', 'float64', 'int32', 'bool'];

export function checkDType(op: string, node: Node, allowed: DTypeRule): void {
  if (!allowed.includes(node.dtype)) {
    throw new DTypeError(`${op}: takes ${allowed.join(' or ')}, not ${node.dtype}. Convert with to('${allowed[0]}').`, [
      node.dtype,
    ]);
  }
}

/** Two operands of one dtype of real numbers. */
export function checkFloats(op: string, a: Node, b: Node): void {
  checkDType(op, a, FLOAT);
  checkDType(op, b, FLOAT);
  if (a.dtype !== b.dtype) throw differing(op, a, b);
}

export function differing(op: string, a: Node, b: Node): DTypeError {
  return new DTypeError(`${op}: operands are ${a.dtype} and ${b.dtype}. Convert one with to('${a.dtype}').`, [
    a.dtype,
    b.dtype,
  ]);
}

export function checkDevice(op: string, src: readonly Node[]): void {
  let device: string | undefined;
  for (const s of src) {
    if (s.device === undefined) continue;
    if (device === undefined) device = s.device;
    else if (device !== s.device) {
      throw new DeviceError(
        `${op}: tensors on two devices (${device} and ${s.device}). Move one with to('${device}').`,
      );
    }
  }
}

export function checkIndexShape(op: string, x: Shape, index: Shape, axis: number): void {
  if (x.length !== index.length || index.some((n, i) => i !== axis && n > x[i])) {
    throw new ShapeError(`${op}: index ${formatShape(index)} does not fit ${formatShape(x)} along dimension ${axis}`, [
      x,
      index,
    ]);
  }
  if (x[axis] === 0 && sizeOf(index) > 0)
    throw new IndexError(`${op}: dimension ${axis} of ${formatShape(x)} has size 0: no index is in range.`, 0, 0);
}
