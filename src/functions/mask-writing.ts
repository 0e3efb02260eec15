// Writing where a mask is true, without reading the mask: each true element takes the value that has its number among all of them.
// Whether there are as many values as true elements is found when numbers are computed, and then an IndexError.

import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape, sameShape } from '../engine/ir/shape.js';
import { inRange } from '../tensor/indexing.js';
import { checkedWhere } from '../tensor/ranges.js';

const int = (value: number): Node => build.constant(value, 'int32') as Node;

/** Of each true element of a vector, how many are before it; 0 for the others. */
export function trueBefore(mask: Node): Node {
  const count = build.cumsum(build.cast(mask, 'int32'), 0);
  return build.where(mask, build.sub(count, int(1)), int(0));
}

/**
 * x with `values` where a mask of its dimensions from `dim` on is true, or with their sums there. The values broadcast to
 * [those before, true elements, those behind].
 */
export function putAtMask(op: string, x: Node, dim: number, mask: Node, values: Node, adds: boolean): Node {
  const { shape } = x;
  const end = dim + mask.shape.length;
  if (!sameShape(shape.slice(dim, end), mask.shape))
    throw new ShapeError(
      `${op}: mask ${formatShape(mask.shape)} does not fit ${formatShape(shape)} from dimension ${dim} on`,
      [mask.shape, shape],
    );
  const [before, behind] = [shape.slice(0, dim), shape.slice(end)];
  const lead = dim + 1 + behind.length - values.shape.length;
  const given = [...Array<number>(Math.max(lead, 0)).fill(1), ...values.shape];
  const count = given[dim];
  const placed = [...before, count, ...behind];
  if (lead < 0 || given.some((n, i) => n !== 1 && n !== placed[i]))
    throw new ShapeError(
      `${op}: values ${formatShape(values.shape)} do not fit ${formatShape(shape)} at what a mask ${formatShape(mask.shape)} picks`,
      [values.shape, shape],
    );
  if (x.size === 0) return x;
  const ones = (list: Shape): number[] => list.map(() => 1);
  const isHit = build.expand(build.reshape(mask, [...ones(before), ...mask.shape, ...ones(behind)]), shape);
  if (count === 0) {
    const says = `${op}: the mask picks {index} elements, and there are no values.`;
    return build.cast(checkedWhere(x, mask, says), x.dtype);
  }
  const each =
    count === 1
      ? build.reshape(values, [...given.slice(0, dim), ...ones(mask.shape), ...given.slice(dim + 1)])
      : build.reshape(spread(op, build.expand(build.reshape(values, given), placed), dim, mask), shape);
  return build.where(isHit, adds ? sumOf(x, each) : each, x);
}

/** Values along an axis, each at the place of its true element. */
function spread(op: string, values: Node, axis: number, mask: Node): Node {
  const flat = build.reshape(mask, [mask.size]);
  const n = values.shape[axis];
  const picked = build.sum(build.cast(flat, 'int32'), [0]);
  // looked up in a table of one: position 0 if the numbers are equal
  const apart = build.where(build.binary('eq', picked, int(n)), int(0), picked);
  const zero = inRange(apart, 1, `${op}: the mask picks {index} elements, and there are ${n} values.`);
  const at = build.add(build.binary('min', trueBefore(flat), int(n - 1)), zero);
  const shape = values.shape.with(axis, mask.size);
  const column = shape.map((_, i) => (i === axis ? mask.size : 1));
  return build.gather(values, axis, build.expand(build.reshape(at, column), shape));
}

/** Truth values that are added are true if one is. */
function sumOf(x: Node, values: Node): Node {
  return x.dtype === 'bool' ? build.binary('or', x, values) : build.add(x, values);
}
