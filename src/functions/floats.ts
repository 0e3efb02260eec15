// Numbers as what they are made of: sign, mantissa and exponent. Names and meaning are PyTorch's.

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import type { Shape } from '../engine/ir/shape.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  binary,
  constant,
  div,
  either,
  floatOf,
  floatPairOf,
  hasSign,
  isBelow,
  isEqual,
  isNaN,
  mul,
  neg,
  sub,
  times,
  where,
  withSlope,
  withSlopes,
} from './operands.js';
import { exp2 } from './special.js';

/** The tensor itself, which is a number's sign written out. PyTorch: torch.positive. */
export function positive<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(nodeOf(x, 'positive'));
}

/** Is x ∞? PyTorch: torch.isposinf. */
export function isposinf<S extends Shape>(x: Tensor<S, DType>): Tensor<S, 'bool'> {
  return wrap(isEqual(floatOf(x, 'isposinf'), Infinity));
}

/** Is x −∞? PyTorch: torch.isneginf. */
export function isneginf<S extends Shape>(x: Tensor<S, DType>): Tensor<S, 'bool'> {
  return wrap(isEqual(floatOf(x, 'isneginf'), -Infinity));
}

/** The number next to x in the direction of y, in the dtype of both. PyTorch: torch.nextafter. */
export function nextafter<S extends Shape, B extends Shape = []>(
  x: Tensor<S, DType>,
  y: Tensor<B, DType> | number,
): Tensor<Broadcast<S, B>> {
  const [t, u] = floatPairOf('nextafter', x, y as AnyTensor | number);
  const [a, b] = [build.detach(t), build.detach(u)];
  const moved = a.dtype === 'float64' ? besideWide(a, b) : beside(a, b);
  const isNone = either(isNaN(a), isNaN(b));
  const value = where(isNone, add(a, b), where(binary('eq', a, b), b, moved));
  return wrap(withSlopes('nextafter', [t, u], value, (g) => [g, null]));
}

/** The bits of numbers of one sign are whole numbers in their order. */
function beside(a: Node, b: Node): Node {
  const x = build.cast(a, 'float32');
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  const isUp = binary('lt', a, b);
  const isAway = binary('eq', build.cast(isUp, 'int32'), build.cast(binary('lt', constant(0, a), a), 'int32'));
  const bits = add(build.bitcast(x, 'int32'), where(isAway, whole(1), whole(-1)));
  const smallest = where(isUp, whole(1), whole(-0x7fffffff));
  return build.cast(build.bitcast(where(isEqual(a, 0), smallest, bits), 'float32'), a.dtype);
}

/** A little more than half a unit is rounded to the next number (Rump et al. 2009). */
function besideWide(a: Node, b: Node): Node {
  const step = add(times(absOf(a), 2 ** -53 * (1 + 2 ** -52)), constant(Number.MIN_VALUE, a));
  const isFromInfinity = isEqual(absOf(a), Infinity);
  const most = where(hasSign(a), constant(-Number.MAX_VALUE, a), constant(Number.MAX_VALUE, a));
  return where(isFromInfinity, most, where(binary('lt', a, b), add(a, step), sub(a, step)));
}

/** x · 2^y. PyTorch: torch.ldexp. */
export function ldexp<S extends Shape, B extends Shape = []>(
  x: Tensor<S, DType>,
  y: Tensor<B, DType>,
): Tensor<Broadcast<S, B>> {
  const [a, b] = floatPairOf('ldexp', x, y);
  const exponent: Tensor = wrap(b);
  const power: Tensor = exp2(exponent);
  return wrap(mul(a, power.node));
}

export interface Decomposed<S extends Shape> {
  /** From ½ to 1, with the sign of x; 0, NaN and ±∞ are themselves. */
  readonly mantissa: Tensor<S>;
  readonly exponent: Tensor<S, 'int32'>;
}

/** x as mantissa · 2^exponent. PyTorch: torch.frexp. */
export function frexp<S extends Shape>(x: Tensor<S, DType>): Decomposed<S> {
  const t = floatOf(x, 'frexp');
  const y = build.detach(t);
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  const isPlain = binary('lt', absOf(y), constant(Infinity, y));
  const isThere = binary('lt', constant(0, y), absOf(y));
  let rest = where(build.binary('and', isPlain, isThere), absOf(y), constant(0.5, y));
  let exponent: Node = build.filled(0, y.shape, 'int32');
  const widest = y.dtype === 'float64' ? 512 : 64;
  const steps: number[] = [];
  for (let k = widest; k >= 1; k /= 2) steps.push(k);
  // multiplying by powers of two is exact
  for (const k of [widest, ...steps]) {
    const isSmall = isBelow(rest, 2 ** -k);
    rest = where(isSmall, times(rest, 2 ** k), rest);
    exponent = where(isSmall, sub(exponent, whole(k)), exponent);
  }
  for (const k of [...steps, 1]) {
    const isLarge = binary('le', constant(2 ** (k === 1 ? 0 : k), y), rest);
    rest = where(isLarge, times(rest, 2 ** -k), rest);
    exponent = where(isLarge, add(exponent, whole(k)), exponent);
  }
  const signed = where(hasSign(y), neg(rest), rest);
  const isOther = build.unary('not', build.binary('and', isPlain, isThere));
  const mantissa = withSlope('frexp', t, where(isOther, y, signed), (g, out) => {
    const factor = div(out, where(isOther, constant(1, t), t));
    return mul(g, where(isOther, constant(1, t), factor));
  });
  return { mantissa: wrap(mantissa), exponent: wrap(exponent) };
}

/** x^y, computed in float64 whatever the operands are. PyTorch: torch.float_power. */
export function floatPower<S extends Shape, B extends Shape = []>(
  x: Tensor<S, DType>,
  y: Tensor<B, DType> | number,
): Tensor<Broadcast<S, B>, 'float64'> {
  const op = 'floatPower';
  const base: Tensor<Shape, 'float64'> = wrap(build.cast(nodeOf(x, op, 'the base'), 'float64'));
  if (typeof y === 'number') return wrap(base.pow(y).node);
  const exponent: Tensor<Shape, 'float64'> = wrap(build.cast(nodeOf(y, op, 'the exponent'), 'float64'));
  return wrap(base.pow(exponent).node);
}
