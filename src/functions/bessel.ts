// Modified Bessel functions of the first kind, of order 0 and 1: by their series up to 8, whose terms are all positive, and beyond by
// polynomials in 16/x − 1 that were fitted to √x e^−x I(x) in 60 digits.

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import type { Shape } from '../engine/ir/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  constant,
  div,
  floatOf,
  hasSign,
  isAbove,
  isEqual,
  mul,
  neg,
  plus,
  polynomial,
  squareOf,
  sub,
  times,
  unary,
  where,
  withSlope,
} from './operands.js';

/** 1 / (k! (k + order)!), the smallest power last. */
function seriesOf(order: 0 | 1): number[] {
  let c = 1;
  return Array.from({ length: 24 }, (_, k) => (k === 0 ? c : (c /= k * (k + order)))).reverse();
}

const SERIES = { 0: seriesOf(0), 1: seriesOf(1) };
const FAR = {
  0: [
    -6.067631570603006e-11, -2.0260604287413626e-11, 4.577087631643623e-10, 1.5279202694981569e-10,
    -1.618980683624682e-9, -5.715843864202709e-10, 3.6379546359011143e-9, 1.5200816953924232e-9, -5.95356943826489e-9,
    -3.505966530879332e-9, 7.430464650325426e-9, 7.552583062123384e-9, -5.404771567579958e-9, -1.340891754008974e-8,
    -6.747657956107524e-9, 7.554691881248808e-9, 2.1548377974791598e-8, 3.932584334552952e-8, 8.872219737904054e-8,
    2.9735985885673923e-7, 1.4838475658279249e-6, 1.1143033790932038e-5, 0.0001362160743919305, 0.0033605519836678614,
    0.4021765094450081,
  ],
  1: [
    6.305965197150057e-11, 1.8515118828852956e-11, -4.758818838703853e-10, -1.4011625179770627e-10,
    1.6848984479705146e-9, 5.295625441161261e-10, -3.794670896208339e-9, -1.4387250533041013e-9, 6.242741219786445e-9,
    3.4262341490077958e-9, -7.888351507862078e-9, -7.64239413436356e-9, 5.974437608040264e-9, 1.4034238782067183e-8,
    6.734464815301592e-9, -8.427766093735185e-9, -2.337392820814264e-8, -4.312917729178349e-8, -1.0001288294864884e-7,
    -3.483855761044295e-7, -1.8349101326980946e-6, -1.5038547200567216e-5, -0.00021923576383388928,
    -0.009749577193235737, 0.38939845902587233,
  ],
};
const NEAR = 8;

/** I(|x|), times e^−|x| if it is scaled. */
function bessel(order: 0 | 1, x: Node, isScaled: boolean): Node {
  const a = absOf(x);
  const isFar = isAbove(a, NEAR);
  const near = where(isFar, constant(0, a), a);
  const series = polynomial(times(squareOf(near), 0.25), SERIES[order]);
  const small = order === 0 ? series : mul(times(near, 0.5), series);
  const far = where(isFar, a, constant(NEAR, a));
  const tail = div(polynomial(plus(div(constant(16, a), far), -1), FAR[order]), unary('sqrt', far));
  if (isScaled) return where(isFar, tail, mul(small, unary('exp', neg(near))));
  // in two factors, since e^x is too large a little before the product is
  const half = unary('exp', times(far, 0.5));
  return where(isFar, mul(mul(tail, half), half), small);
}

/** x < 0 turns the sign of an odd function. */
const odd = (x: Node, value: Node): Node => where(hasSign(x), neg(value), value);
const signOf = (x: Node): Node => where(hasSign(x), constant(-1, x), constant(1, x));

function i0Of(x: Node): Node {
  return withSlope('i0', x, bessel(0, build.detach(x), false), (g) => mul(g, i1Of(x)));
}

function i1Of(x: Node): Node {
  const y = build.detach(x);
  return withSlope('i1', x, odd(y, bessel(1, y, false)), (g, out) => {
    // I₀ − I₁ / x, ½ at 0
    const isZero = isEqual(y, 0);
    const quotient = div(out, where(isZero, constant(1, x), x));
    return mul(g, where(isZero, constant(0.5, x), sub(i0Of(x), quotient)));
  });
}

function i0eOf(x: Node): Node {
  const y = build.detach(x);
  return withSlope('i0e', x, bessel(0, y, true), (g, out) => mul(g, sub(i1eOf(x), mul(signOf(y), out))));
}

function i1eOf(x: Node): Node {
  const y = build.detach(x);
  return withSlope('i1e', x, odd(y, bessel(1, y, true)), (g, out) => {
    const isZero = isEqual(y, 0);
    const factor = add(signOf(y), div(constant(1, x), where(isZero, constant(1, x), x)));
    return mul(g, where(isZero, constant(0.5, x), sub(i0eOf(x), mul(out, factor))));
  });
}

/** The modified Bessel function of the first kind, of order 0. PyTorch: torch.special.i0. */
export function i0<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(i0Of(floatOf(x, 'i0')));
}

/** i0(x) e^−|x|, which does not overflow. PyTorch: torch.special.i0e. */
export function i0e<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(i0eOf(floatOf(x, 'i0e')));
}

/** The modified Bessel function of the first kind, of order 1. PyTorch: torch.special.i1. */
export function i1<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(i1Of(floatOf(x, 'i1')));
}

/** i1(x) e^−|x|, which does not overflow. PyTorch: torch.special.i1e. */
export function i1e<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(i1eOf(floatOf(x, 'i1e')));
}
