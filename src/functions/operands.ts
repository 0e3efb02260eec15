// What the files of this room share: operands as nodes, and functions whose derivative is written down.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { broadcastShapes } from '../engine/ir/shape.js';
import { asFloat, promoted } from '../tensor/operands.js';
import { type AnyTensor, nodeOf } from '../tensor/tensor.js';

/** A number beside x, as part of the structure. */
export const constant = (value: number, x: Node): Node => build.constant(value, x.dtype) as Node;

/** NaN beside x. */
export const nan = (x: Node): Node => build.scalar(NaN, x.dtype);

/** A number beside x that may change from call to call without another program. */
export const scalar = (value: number, x: Node): Node => build.scalar(value, x.dtype);

export const floatOf = (x: AnyTensor, op: string, what = 'the input'): Node => asFloat(nodeOf(x, op, what));

/** Both operands with their common dtype and shape; the second may be a number. */
export function pairOf(op: string, a: AnyTensor, b: AnyTensor | number): [Node, Node] {
  const other = typeof b === 'number' ? b : nodeOf(b, op, 'the second operand');
  const [x, y] = promoted(nodeOf(a, op, 'the first operand'), other, op);
  const shape = broadcastShapes(x.shape, y.shape, op);
  return [build.expand(x, shape), build.expand(y, shape)];
}

/** As pairOf, of tensors alone. */
export function tensorsOf(op: string, a: AnyTensor, b: AnyTensor): [Node, Node] {
  nodeOf(b, op, 'the second operand');
  return pairOf(op, a, b);
}

export function floatPairOf(op: string, a: AnyTensor, b: AnyTensor | number): [Node, Node] {
  const [x, y] = pairOf(op, a, b);
  return [asFloat(x), asFloat(y)];
}

/** The value, whose gradient is that of `slope` instead of that of its parts: of the gradient g of the result, which is `out`. */
export function withSlope(name: string, x: Node, value: Node, slope: (g: Node, out: Node) => Node): Node {
  return withSlopes(name, [x], value, (g, out) => [slope(g, out)]);
}

/** As withSlope, for several operands of the value's shape; null where there is no gradient. */
export function withSlopes(
  name: string,
  operands: readonly Node[],
  value: Node,
  slopes: (g: Node, out: Node) => readonly (Node | null)[],
): Node {
  if (!operands.some((x) => x.requiresGrad)) return value;
  const out: Node = build.custom(value, operands, { name, backward: (g) => slopes(g as Node, out) });
  return out;
}

export const unary = build.unary;
export const { add, binary, div, mul, neg, sub, where } = build;

export const times = (x: Node, factor: number): Node => build.mul(x, constant(factor, x));
export const plus = (x: Node, term: number): Node => build.add(x, constant(term, x));
export const squareOf = (x: Node): Node => build.mul(x, x);
export const absOf = (x: Node): Node => build.unary('abs', x);
export const isBelow = (x: Node, bound: number): Node => build.binary('lt', x, constant(bound, x));
export const isAbove = (x: Node, bound: number): Node => build.binary('lt', constant(bound, x), x);
export const isEqual = (x: Node, value: number): Node => build.binary('eq', x, constant(value, x));
export const isNaN = (x: Node): Node => build.binary('ne', x, x);
export const either = (a: Node, b: Node): Node => build.binary('or', a, b);
export const both = (a: Node, b: Node): Node => build.binary('and', a, b);
export const not = (a: Node): Node => build.unary('not', a);

/** c[0]·xⁿ + … + c[n] */
export function polynomial(x: Node, c: readonly number[]): Node {
  return c.slice(1).reduce((sum, term) => plus(build.mul(sum, x), term), constant(c[0], x));
}

/** Is the sign bit set? Of a number, −0 included; in float32 of NaN, too. */
export function hasSign(x: Node): Node {
  if (x.dtype === 'bool') return build.expand(build.constant(0, 'bool') as Node, x.shape);
  if (x.dtype === 'int32') return isBelow(x, 0);
  if (x.dtype === 'float32') return isBelow(build.bitcast(x, 'int32'), 0);
  return either(isBelow(x, 0), both(isEqual(x, 0), isBelow(build.unary('recip', x), 0)));
}
