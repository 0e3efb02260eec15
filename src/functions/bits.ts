// Whole numbers: bit operators, divisors and multiples. int32 and uint8, and bool where it has a meaning.

import * as build from '../engine/ir/build.js';
import { DTypeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import type { Shape } from '../engine/ir/shape.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Promoted, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { absOf, binary, constant, either, isAbove, isBelow, isEqual, mul, not, pairOf, where } from './operands.js';

type Integer = 'int32' | 'uint8';
type Whole = Integer | 'bool';

function checkWhole(op: string, x: Node, takesBool: boolean): void {
  if (x.dtype === 'int32' || x.dtype === 'uint8' || (takesBool && x.dtype === 'bool')) return;
  throw new DTypeError(
    `${op}: takes int32${takesBool ? ', uint8 or bool' : ' or uint8'}, not ${x.dtype}. Convert with to('int32').`,
    [x.dtype],
  );
}

function wholePair(op: string, a: AnyTensor, b: AnyTensor | number, takesBool: boolean): [Node, Node] {
  const [x, y] = pairOf(op, a, b);
  checkWhole(op, x, takesBool);
  return [x, y];
}

/** a & b, of bits or of truth values. PyTorch: torch.bitwise_and. */
export function bitwiseAnd<S extends Shape, D extends Whole, B extends Shape = [], E extends Whole = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  return wrap(binary('and', ...wholePair('bitwiseAnd', a, b, true)));
}

/** a | b, of bits or of truth values. PyTorch: torch.bitwise_or. */
export function bitwiseOr<S extends Shape, D extends Whole, B extends Shape = [], E extends Whole = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  return wrap(binary('or', ...wholePair('bitwiseOr', a, b, true)));
}

/** a ^ b, of bits or of truth values. PyTorch: torch.bitwise_xor. */
export function bitwiseXor<S extends Shape, D extends Whole, B extends Shape = [], E extends Whole = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  return wrap(binary('xor', ...wholePair('bitwiseXor', a, b, true)));
}

/** ~a: every bit the other way round; of truth values, not a. PyTorch: torch.bitwise_not. */
export function bitwiseNot<S extends Shape, D extends Whole>(a: Tensor<S, D>): Tensor<S, D> {
  const x = nodeOf(a, 'bitwiseNot', 'the input');
  checkWhole('bitwiseNot', x, true);
  return wrap(not(x));
}

/** a << b; 0 where b is below 0 or above 31. PyTorch: torch.bitwise_left_shift. */
export function bitwiseLeftShift<S extends Shape, D extends Integer, B extends Shape = [], E extends Integer = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [x, by] = wholePair('bitwiseLeftShift', a, b, false);
  const isOutside = either(isBelow(by, 0), isAbove(by, 31));
  return wrap(where(isOutside, constant(0, x), binary('shl', x, where(isOutside, constant(0, by), by))));
}

/** a >> b, which keeps the sign; as many as there are bits where b is below 0 or above 31. PyTorch: torch.bitwise_right_shift. */
export function bitwiseRightShift<S extends Shape, D extends Integer, B extends Shape = [], E extends Integer = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [x, shift] = wholePair('bitwiseRightShift', a, b, false);
  const isOutside = either(isBelow(shift, 0), isAbove(shift, 31));
  const by = where(isOutside, constant(31, shift), shift);
  // 'shr' shifts zeros in: of a number below 0 those are the ones of its complement
  const isNegative = isBelow(x, 0);
  const moved = binary('shr', where(isNegative, not(x), x), by);
  return wrap(where(isNegative, not(moved), moved));
}

/** Steps of Euclid's algorithm for any two numbers below 2³¹ (Fibonacci's take longest). */
const MOST_STEPS = 46;

function divisor(a: Node, b: Node): Node {
  let [x, y] = [a, b];
  for (let i = 0; i < MOST_STEPS; i++) {
    const isDone = isEqual(y, 0);
    const rest = binary('mod', x, where(isDone, constant(1, y), y));
    [x, y] = [where(isDone, x, y), where(isDone, y, rest)];
  }
  return x;
}

/** The greatest common divisor, at least 0. PyTorch: torch.gcd. */
export function gcd<S extends Shape, D extends Integer, B extends Shape = [], E extends Integer = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [x, y] = wholePair('gcd', a, b, false);
  return wrap(divisor(absOf(x), absOf(y)));
}

/** The least common multiple, at least 0; 0 beside 0. PyTorch: torch.lcm. */
export function lcm<S extends Shape, D extends Integer, B extends Shape = [], E extends Integer = D>(
  a: Tensor<S, D>,
  b: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [x, y] = wholePair('lcm', a, b, false).map(absOf);
  const common = divisor(x, y);
  return wrap(absOf(mul(build.binary('idiv', x, where(isEqual(common, 0), constant(1, x), common)), y)));
}
