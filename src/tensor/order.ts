// Elements by their rank in sorted order, on graph nodes.

import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape, normalizeDim } from '../engine/ir/shape.js';
import { asNumber } from './operands.js';
import { placeOfRank } from './ranks.js';
import { any, argExtreme } from './reductions.js';

export interface Selected {
  readonly values: Node;
  readonly indices: Node;
}

const whole = (value: number): Node => build.constant(value, 'int32') as Node;
const isNaN = (x: Node): Node => build.binary('ne', x, x);
export const isFloat = (x: Node): boolean => x.dtype !== 'int32' && x.dtype !== 'bool';

/** The axis, which has elements. */
export function fullAxis(op: string, x: Node, dim: number): number {
  const axis = normalizeDim(dim, x.shape.length, op);
  if (x.shape[axis] === 0) throw new ShapeError(`${op}: ${formatShape(x.shape)} has no elements to reduce`, [x.shape]);
  return axis;
}

/** The elements at positions that have size 1 along the axis, which goes unless kept; gradients go to them alone. */
export function taken(x: Node, axis: number, at: Node, keepdim: boolean): Selected {
  const values = build.gather(x, axis, at);
  if (keepdim) return { values, indices: at };
  const shape = x.shape.filter((_, i) => i !== axis);
  return { values: build.reshape(values, shape), indices: build.reshape(at, shape) };
}

/** Where the lower median is along an axis, NaN counting as one if there is one; or passed over. */
function medianPlace(x: Node, axis: number, isNaNIgnored: boolean): Node {
  const plain = asNumber(build.detach(x));
  const n = x.shape[axis] ?? 1;
  if (!isFloat(x) || x.shape.length === 0) return placeOfRank(plain, axis, whole((n - 1) >> 1));
  if (!isNaNIgnored) {
    const middle = placeOfRank(plain, axis, whole((n - 1) >> 1));
    const first = argExtreme('reduceMax', 'median', plain, axis, true); // of NaN, if there is one
    return build.where(any(isNaN(plain), axis, true), first, middle);
  }
  const count = build.sum(build.cast(build.binary('eq', plain, plain), 'int32'), [axis]);
  const rank = build.binary('idiv', build.binary('max', build.sub(count, whole(1)), whole(0)), whole(2));
  return placeOfRank(plain, axis, rank);
}

export function medianAlong(op: string, given: Node, dim: number, keepdim: boolean, isNaNIgnored: boolean): Selected {
  const axis = fullAxis(op, given, dim);
  const x = asNumber(given);
  return taken(x, axis, medianPlace(x, axis, isNaNIgnored), keepdim);
}

/** The median of all elements; those that equal it share the gradient. */
export function medianOfAll(op: string, given: Node, isNaNIgnored: boolean): Node {
  const x = asNumber(given);
  const flat = build.reshape(x, [x.size]);
  if (x.size === 0) {
    if (!isFloat(x)) throw new ShapeError(`${op}: ${formatShape(x.shape)} has no elements to reduce`, [x.shape]);
    return build.reshape(build.add(build.sum(flat, [0]), build.constant(NaN, x.dtype) as Node), []);
  }
  const place = medianPlace(flat, 0, isNaNIgnored);
  const value = build.gather(build.detach(flat), 0, place);
  if (!x.requiresGrad) return build.reshape(value, []);
  const tied = build.where(isNaN(value), isNaN(build.detach(flat)), build.binary('eq', build.detach(flat), value));
  const share = build.div(build.cast(tied, x.dtype), build.sum(build.cast(tied, x.dtype), [0]));
  const backward = (g: unknown): Node[] => [build.mul(share, build.reshape(g as Node, [1]))];
  return build.custom(build.reshape(value, []), [flat], { name: op, backward });
}
