// What the functions for boxes check alike.

import { checkCount } from '../nn/layer.js';
import { ShapeError, DTypeError, formatShape, isFloat, shown, ArgumentError } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** The boxes [N, 4] as real numbers; throws for anything else. */
export function checkedBoxes(op: string, boxes: AnyTensor, what = 'the boxes'): Tensor {
  checkTensor(boxes, op, what);
  if (boxes.rank !== 2 || boxes.shape[1] !== 4)
    throw new ShapeError(`${op}: ${what} ${formatShape(boxes.shape)}: need [N, 4], each x1, y1, x2, y2`, [boxes.shape]);
  return realOf(op, boxes, what);
}

/** The same numbers as real ones; truth values are refused. */
export function realOf(op: string, x: AnyTensor, what: string): Tensor;
export function realOf(op: string, x: AnyTensor, what: string): AnyTensor {
  if (x.dtype === 'bool') throw new DTypeError(`${op}: ${what} are bool. Convert with to('float32').`, ['bool']);
  return isFloat(x.dtype) ? x : x.to('float32');
}

/** A vector of so many elements. */
export function checkVector(op: string, x: AnyTensor, count: number, what: string): void {
  checkTensor(x, op, what);
  if (x.rank === 1 && x.shape[0] === count) return;
  throw new ShapeError(`${op}: ${what} ${formatShape(x.shape)}: need [${count}], one for each box`, [x.shape]);
}

/** [height, width] of one number or two, each at least 1. */
export function checkedSize(op: string, size: unknown, what: string): [number, number] {
  const sizes: unknown = typeof size === 'number' ? [size, size] : size;
  if (!Array.isArray(sizes) || sizes.length !== 2)
    throw new ArgumentError(`${op}: ${what} is ${shown(size)}. Use a number, or height and width.`);
  const [height, width]: number[] = sizes;
  checkCount(height, 1, `${op}: ${what}`);
  checkCount(width, 1, `${op}: ${what}`);
  return [height, width];
}
