// The normal distribution's probabilities and quantiles, and entropies. Names are those of torch.special.

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import type { Shape } from '../engine/ir/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  binary,
  constant,
  div,
  either,
  floatOf,
  isBelow,
  isEqual,
  isNaN,
  mul,
  nan,
  neg,
  plus,
  squareOf,
  sub,
  times,
  unary,
  where,
  withSlope,
} from './operands.js';
import { quantileFarOut, quantileInTail, quantileNear } from './quantiles.js';
import { erfc, erfcx } from './special.js';

const SQRT_2PI = Math.sqrt(2 * Math.PI);

/** A function of tensors, of a node. */
const of =
  (f: (x: Tensor) => Tensor) =>
  (x: Node): Node =>
    f(wrap(x)).node;

/** e^(−a²/2) for a ≥ 0: the square of a few leading bits is exact, and the rest is a factor of its own. */
function density(a: Node): Node {
  const high = times(unary('floor', times(a, 16)), 1 / 16);
  const rest = mul(sub(a, high), add(a, high));
  return mul(unary('exp', times(squareOf(high), -0.5)), unary('exp', times(rest, -0.5)));
}

/** Beyond it the probability is 0 in any dtype. */
const MOST = 40;

/** The probability of a number above a, for a ≥ 1. */
function tailOf(a: Node): Node {
  const near = binary('min', a, constant(MOST, a));
  return times(mul(density(near), of(erfcx)(times(near, Math.SQRT1_2))), 0.5);
}

function ndtrOf(x: Node): Node {
  const y = build.detach(x);
  const a = absOf(y);
  const isMiddle = isBelow(a, 1);
  const tail = tailOf(where(isMiddle, constant(1, a), a));
  const middle = times(of(erfc)(times(where(isMiddle, y, constant(0, y)), -Math.SQRT1_2)), 0.5);
  const value = where(isMiddle, middle, where(isBelow(y, 0), tail, sub(constant(1, tail), tail)));
  const slope = (g: Node): Node => times(mul(g, unary('exp', times(squareOf(x), -0.5))), 1 / SQRT_2PI);
  return withSlope('ndtr', x, where(isNaN(y), y, value), slope);
}

/** The probability of a number below x: ½ erfc(−x/√2). PyTorch: torch.special.ndtr. */
export function ndtr<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(ndtrOf(floatOf(x, 'ndtr')));
}

/** log ndtr(x), also where ndtr(x) is 0. PyTorch: torch.special.log_ndtr. */
export function logNdtr<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'logNdtr');
  const y = build.detach(t);
  const isLow = isBelow(y, -1);
  const low = where(isLow, y, constant(-1, y));
  const high = where(isLow, constant(0, y), y);
  const scaled = of(erfcx)(times(low, -Math.SQRT1_2));
  const tail = sub(unary('log', times(scaled, 0.5)), times(squareOf(low), 0.5));
  const value = where(isLow, tail, unary('log1p', neg(ndtrOf(neg(high)))));
  // φ / Φ: both are very small below, and their quotient is not
  const slope = (g: Node, out: Node): Node => {
    const below = div(
      constant(Math.sqrt(2 / Math.PI), t),
      of(erfcx)(times(where(isLow, t, constant(-1, t)), -Math.SQRT1_2)),
    );
    const top = unary('exp', times(squareOf(where(isLow, constant(0, t), t)), -0.5));
    const above = div(times(top, 1 / SQRT_2PI), unary('exp', where(isLow, constant(0, t), out)));
    return mul(g, where(isLow, below, above));
  };
  return wrap(withSlope('logNdtr', t, value, slope));
}

/** The x below which a number lies with probability p: −∞ for 0, ∞ for 1, NaN beyond. PyTorch: torch.special.ndtri. */
export function ndtri<S extends Shape>(p: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(p, 'ndtri');
  const y = build.detach(t);
  const q = plus(y, -0.5);
  const isMiddle = isBelow(absOf(q), 0.425);
  const inside = where(isMiddle, q, constant(0, q));
  const middle = mul(inside, quantileNear(sub(constant(0.180625, q), squareOf(inside))));
  const beyond = where(isMiddle, constant(0.05, y), binary('min', y, sub(constant(1, y), y)));
  const r = unary('sqrt', neg(unary('log', beyond)));
  const isFar = binary('lt', constant(5, r), r);
  const tail = where(
    isFar,
    quantileFarOut(plus(where(isFar, r, constant(5, r)), -5)),
    quantileInTail(plus(where(isFar, constant(5, r), r), -1.6)),
  );
  const outside = where(isBelow(q, 0), neg(tail), tail);
  const [atZero, atOne] = [isEqual(y, 0), isEqual(y, 1)];
  const ends = where(atZero, constant(-Infinity, y), where(atOne, constant(Infinity, y), outside));
  const isNone = either(isBelow(y, 0), binary('lt', constant(1, y), y));
  const value = where(isNone, nan(y), where(isMiddle, middle, ends));
  const slope = (g: Node, out: Node): Node => times(mul(g, unary('exp', times(squareOf(out), 0.5))), SQRT_2PI);
  return wrap(withSlope('ndtri', t, value, slope));
}

/** −x log x: 0 at 0, −∞ below. PyTorch: torch.special.entr. */
export function entr<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'entr');
  const y = build.detach(t);
  const isThere = binary('lt', constant(0, y), y);
  const safe = where(isThere, y, constant(1, y));
  const other = where(isEqual(y, 0), constant(0, y), where(isBelow(y, 0), constant(-Infinity, y), y));
  const value = where(isThere, neg(mul(safe, unary('log', safe))), other);
  return wrap(withSlope('entr', t, value, (g) => neg(mul(g, plus(unary('log', t), 1)))));
}
