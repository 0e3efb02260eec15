// Builders of reductions, running sums and orders.

import { ShapeError } from '../errors.js';
import { type Node, createNode } from '../node.js';
import type { AxisReduction, Running, WindowSpec } from '../op.js';
import { type Shape, formatShape, sameShape } from '../shape.js';
import { FLOAT, NUMBER, checkDType } from './checks.js';
import { detach } from './control.js';
import { constant } from './leaves.js';
import { inWide } from './maps.js';
import { reshape } from './movement.js';

/** Reduces `axes`, which stay with size 1. */
export function reduce(op: AxisReduction, x: Node, axes: readonly number[]): Node {
  const wide = inWide([x], (w) => reduce(op, w, axes));
  if (wide !== undefined) return wide;
  checkDType(op, x, NUMBER);
  if (axes.length === 0) return x;
  if (axes.every((a) => x.shape[a] === 1)) return x;
  if (op !== 'sum' && op !== 'prod' && axes.some((a) => x.shape[a] === 0)) {
    throw new ShapeError(`${op === 'reduceMin' ? 'min' : 'max'}: ${formatShape(x.shape)} has no elements to reduce`, [
      x.shape,
    ]);
  }
  const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return createNode(op, [x], { axes }, shape, x.dtype) as Node;
}

export const sum = (x: Node, axes: readonly number[]): Node => reduce('sum', x, axes);

/** Adds up what broadcasting repeated, so that the result has `shape`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(sum(x, axes), shape);
}

export function fold(x: Node, spec: WindowSpec, output: readonly number[]): Node {
  const wide = inWide([x], (w) => fold(w, spec, output));
  if (wide !== undefined) return wide;
  const n = spec.size.length;
  const lead = x.shape.slice(0, x.shape.length - 2 * n);
  return createNode('fold', [x], { ...spec, output }, [...lead, ...output], x.dtype) as Node;
}

export function cumsum(x: Node, axis: number): Node {
  const wide = inWide([x], (w) => cumsum(w, axis));
  if (wide !== undefined) return wide;
  checkDType('cumsum', x, NUMBER);
  if (x.shape.length === 0) return x;
  return createNode('cumsum', [x], { axis }, x.shape, x.dtype) as Node;
}

/** As cumsum, with what comes together combined otherwise. No gradient flows through it. */
export function running(combine: Running, x: Node, axis: number): Node {
  const wide = inWide([x], (w) => running(combine, w, axis));
  if (wide !== undefined) return wide;
  checkDType('cumsum', x, combine === 'logaddexp' ? FLOAT : NUMBER);
  if (x.shape.length === 0) return detach(x);
  return createNode('cumsum', [detach(x)], { axis, combine }, x.shape, x.dtype) as Node;
}

export function argsort(x: Node, axis: number, descending: boolean): Node {
  const wide = inWide([x], (w) => argsort(w, axis, descending), false);
  if (wide !== undefined) return wide;
  checkDType('sort', x, NUMBER);
  if (x.shape.length === 0) return constant(0, 'int32') as Node;
  return createNode('argsort', [x], { axis, descending }, x.shape, 'int32') as Node;
}
