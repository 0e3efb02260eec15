// Element-wise functions composed from the primitives, on graph nodes. The class in tensor.ts wraps them.

import * as build from '../engine/ir/build.js';
import { isFloat, promote } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import type { ArithmeticOp, ComparisonOp, UnaryOp } from '../engine/ir/op.js';
import { broadcastShapes, formatShape } from '../engine/ir/shape.js';
import { asBool, asFloat, asNumber, checkNumber, numberAs, promoted } from './operands.js';

type Operand = Node | number;

export function arithmetic(op: ArithmeticOp, a: Node, b: Operand): Node {
  const [x, y] = promoted(a, b, op);
  return build.binary(
    op,
    op === 'max' || op === 'min' ? x : asNumber(x),
    op === 'max' || op === 'min' ? y : asNumber(y),
  );
}

/** True division: integers become real numbers. */
export function divide(a: Node, b: Operand): Node {
  const [x, y] = promoted(a, b, 'div');
  return build.binary('div', asFloat(x), asFloat(y));
}

export function power(a: Node, b: Operand): Node {
  if (b === 2) return build.mul(asFloat(a), asFloat(a));
  if (b === 0.5) return build.unary('sqrt', asFloat(a));
  const [x, y] = promoted(a, b, 'pow');
  return build.binary('pow', asFloat(x), asFloat(y));
}

export function floorDivide(a: Node, b: Operand): Node {
  const [x, y] = promoted(a, b, 'floorDivide');
  if (isFloat(x.dtype)) return build.binary('idiv', x, y);
  return build.binary('idiv', asNumber(x), asNumber(y));
}

export function comparison(op: ComparisonOp, a: Node, b: Operand): Node {
  const [x, y] = promoted(a, b, op);
  return build.binary(op, x, y);
}

/** a > b and a ≥ b as b < a and b ≤ a. */
export function reversed(op: 'lt' | 'le', a: Node, b: Operand): Node {
  const [x, y] = promoted(a, b, op === 'lt' ? 'gt' : 'ge');
  return build.binary(op, y, x);
}

export function logical(op: 'and' | 'or' | 'xor', a: Node, b: Node): Node {
  return build.binary(op, asBool(a), asBool(b));
}

export function logicalNot(x: Node): Node {
  return build.unary('not', asBool(x));
}

/** A float function; integers are converted first. */
export function float(op: UnaryOp, x: Node): Node {
  return build.unary(op, asFloat(x));
}

/** A function that keeps integers. */
export function number(op: UnaryOp, x: Node): Node {
  return build.unary(op, asNumber(x));
}

/** floor, ceil, round, trunc: an integer is itself. */
export function rounding(op: UnaryOp, x: Node): Node {
  return isFloat(x.dtype) ? build.unary(op, x) : x;
}

const constant = (value: number): Node => build.constant(value) as Node;

export const rsqrt = (x: Node): Node => build.unary('recip', float('sqrt', x));
export const square = (x: Node): Node => build.mul(asNumber(x), asNumber(x));
export const isNaN = (x: Node): Node => build.binary('ne', x, x);

export function isFinite(x: Node): Node {
  const f = asFloat(x);
  return build.binary('lt', build.unary('abs', f), constant(Infinity));
}

export function isInf(x: Node): Node {
  return build.binary('eq', build.unary('abs', asFloat(x)), constant(Infinity));
}

/** log(1 + eˣ) as max(x, 0) + log(1 + e^−|x|), which overflows nowhere; its derivative is σ(x), also where |x| is infinite. */
export function softplus(x: Node): Node {
  const f = asFloat(x);
  const e = build.unary('exp', build.neg(build.unary('abs', f)));
  const value = build.add(build.unary('relu', f), build.unary('log1p', e));
  if (!f.requiresGrad) return value;
  return build.custom(value, [f], {
    name: 'softplus',
    backward: (gradient: unknown): Node[] => [build.mul(gradient as Node, build.unary('sigmoid', f))],
  });
}

/** x · Φ(x) with the exact error function. */
export function gelu(x: Node): Node {
  const f = asFloat(x);
  const cdf = build.mul(
    build.add(build.unary('erf', build.mul(f, constant(Math.SQRT1_2))), constant(1)),
    constant(0.5),
  );
  return build.mul(f, cdf);
}

/** Slope 1 between the bounds, 0 at them, outside and for NaN, as PyTorch. */
export function clamp(x: Node, min: number | undefined, max: number | undefined): Node {
  if (min !== undefined) checkNumber(min, 'clamp', 'min');
  if (max !== undefined) checkNumber(max, 'clamp', 'max');
  if (min === undefined && max === undefined) throw new ArgumentError('clamp: no bound. Give min, max or both.');
  if (min !== undefined && max !== undefined && min > max) {
    throw new ArgumentError(`clamp: min ${min} is above max ${max}. Exchange them.`);
  }
  let out = asNumber(x);
  for (const [bound, op] of [
    [min, 'max'],
    [max, 'min'],
  ] as const) {
    if (bound === undefined) continue;
    const [value, limit] = promoted(out, bound, 'clamp');
    const inside = op === 'max' ? build.binary('lt', limit, value) : build.binary('lt', value, limit);
    // The extreme of both, which no gradient flows through, is the limit or NaN.
    out = build.where(inside, value, build.binary(op, build.detach(value), limit));
  }
  return out;
}

export function where(condition: Node, a: Operand, b: Operand): Node {
  const c = asBool(condition);
  if (typeof a !== 'number') return build.where(c, ...promoted(a, b, 'where'));
  if (typeof b === 'number') return build.where(c, build.scalar(a), build.scalar(b));
  const [y, x] = promoted(b, a, 'where');
  return build.where(c, x, y);
}

/** `value`, a number or a tensor of rank 0, where the mask is true; x elsewhere, whose dtype the result has. */
export function maskedFill(x: Node, mask: Node, value: Operand): Node {
  const op = 'maskedFill';
  if (mask.dtype !== 'bool')
    throw new DTypeError(`${op}: the mask is ${mask.dtype}. Convert it with to('bool').`, [mask.dtype]);
  const filled = typeof value === 'number' ? numberAs(value, x.dtype, op, 'the value') : value;
  if (filled.shape.length > 0)
    throw new ShapeError(`${op}: the value is ${formatShape(filled.shape)}, not one number. Use where().`, [
      filled.shape,
    ]);
  if (promote(filled.dtype, x.dtype) !== x.dtype)
    throw new DTypeError(`${op}: ${filled.dtype} into ${x.dtype}. Convert the tensor with to('${filled.dtype}').`, [
      filled.dtype,
      x.dtype,
    ]);
  const shape = broadcastShapes(x.shape, mask.shape, op);
  return build.expand(build.where(mask, build.cast(filled, x.dtype), x), shape);
}
