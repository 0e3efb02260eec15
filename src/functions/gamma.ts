// The gamma function's logarithm, its derivatives and what they sum to (Hurwitz's zeta function), right to a few units in the last place
// in float32 and float64. Numbers below ½ are reflected; between ½ and 8 they are brought to a Taylor series at 2, beyond there are
// asymptotic series (Abramowitz and Stegun 1964, 6.1.33, 6.1.41, 6.3.14, 6.3.18, 6.4.11, 23.1).

import { checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import type { Shape } from '../engine/ir/shape.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  binary,
  both,
  constant,
  div,
  floatOf,
  floatPairOf,
  hasSign,
  isAbove,
  isBelow,
  isEqual,
  mul,
  nan,
  neg,
  plus,
  polynomial,
  squareOf,
  sub,
  times,
  unary,
  where,
  withSlope,
  withSlopes,
} from './operands.js';

/** (−1)ᵏ(ζ(k) − 1) for k from 2 to 30. */
const ZETAS = [
  0.6449340668482264, -0.2020569031595943, 0.08232323371113819, -0.03692775514336993, 0.01734306198444914,
  -0.008349277381922827, 0.00407735619794434, -0.0020083928260822143, 0.0009945751278180853, -0.0004941886041194645,
  0.0002460865533080483, -0.00012271334757848915, 6.124813505870483e-5, -3.058823630702049e-5, 1.528225940865187e-5,
  -7.637197637899763e-6, 3.81729326499984e-6, -1.908212716553939e-6, 9.539620338727962e-7, -4.769329867878064e-7,
  2.38450502727733e-7, -1.1921992596531106e-7, 5.960818905125948e-8, -2.980350351465228e-8, 1.4901554828365043e-8,
  -7.45071178983543e-9, 3.725334024788457e-9, -1.862659723513049e-9, 9.313274324196682e-10,
];
/** 1 − γ */
const ONE_LESS_EULER = 0.42278433509846713;
/** log Γ(2 + z) / z and ψ(2 + z), the smallest power last. */
const LGAMMA_AT_2 = [ONE_LESS_EULER, ...ZETAS.map((c, i) => c / (i + 2))].reverse();
const DIGAMMA_AT_2 = [ONE_LESS_EULER, ...ZETAS].reverse();

/** Bernoulli's numbers B₂, B₄, … */
const BERNOULLI = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
  854513 / 138,
  -236364091 / 2730,
];

/** From here on the asymptotic series serve. */
const FAR = 8;
const HALF_LOG_2PI = 0.9189385332046728;

/** x by whole steps from ½ … 8 down to 1½ … 2½ (or to ½ … 1½ where it begins there): x − steps, and what was passed on the way. */
function steppedDown(x: Node): { readonly from2: Node; readonly isBelow1: Node; readonly passed: readonly Node[] } {
  const isBelow1 = isBelow(x, 1.5);
  const steps = binary('max', unary('floor', plus(x, -1.5)), constant(0, x));
  const passed = Array.from({ length: FAR - 2 }, (_, i) => {
    const isPassed = binary('le', constant(i + 1, x), steps);
    return where(isPassed, plus(x, -(i + 1)), constant(0, x)); // 0 for none
  });
  const rest = sub(x, steps);
  return { from2: where(isBelow1, plus(rest, -1), plus(rest, -2)), isBelow1, passed };
}

/** The distance from the nearest whole number, exactly: sin πx and tan πx are as right as x itself. */
const fromWhole = (x: Node): Node => sub(x, unary('round', x));

// ---------------------------------------------------------------- log Γ

/** log Γ(x) for x ≥ ½. */
function lgammaAbove(x: Node): Node {
  const isFar = isAbove(x, FAR);
  const near = where(isFar, constant(2, x), x);
  const { from2, isBelow1, passed } = steppedDown(near);
  const one = constant(1, x);
  const factor = passed.map((p) => where(isEqual(p, 0), one, p)).reduce((a, b) => mul(a, b));
  const series = mul(from2, polynomial(from2, LGAMMA_AT_2));
  // log Γ(1 + z) = log Γ(2 + z) − log(1 + z)
  const small = add(where(isBelow1, sub(series, unary('log1p', from2)), series), unary('log', factor));
  const far = where(isFar, x, constant(FAR, x));
  const inverse = div(one, far);
  const tail = mul(inverse, polynomial(squareOf(inverse), STIRLING));
  const large = add(sub(mul(plus(far, -0.5), plus(unary('log', far), -1)), constant(0.5 - HALF_LOG_2PI, x)), tail);
  return where(isFar, large, small);
}

/** B₂ₖ / (2k(2k − 1)), the smallest power last. */
const STIRLING = BERNOULLI.slice(0, 10)
  .map((b, i) => b / ((2 * i + 2) * (2 * i + 1)))
  .reverse();

function lgammaOf(x: Node): Node {
  const y = build.detach(x);
  const isLow = isBelow(y, 0.5);
  const above = lgammaAbove(where(isLow, sub(constant(1, y), y), y));
  const sine = absOf(unary('sin', times(fromWhole(y), Math.PI)));
  // Γ(x)Γ(1 − x) = π / sin πx; of the smallest numbers Γ(x) is 1 / x
  const isTiny = isBelow(absOf(y), 1e-10);
  const isPole = isEqual(sine, 0);
  const logSine = unary('log', where(isPole, constant(1, y), sine));
  const inside = sub(sub(constant(Math.log(Math.PI), y), logSine), where(isPole, constant(0, y), above));
  const reflected = where(isTiny, neg(unary('log', absOf(y))), where(isPole, constant(Infinity, y), inside));
  const isInfinite = isEqual(absOf(y), Infinity);
  const value = where(isInfinite, constant(Infinity, y), where(isLow, reflected, above));
  return withSlope('lgamma', x, value, (g) => mul(g, digammaOf(x)));
}

/** log |Γ(x)|, ∞ at 0, −1, −2, …. PyTorch: torch.lgamma. */
export function lgamma<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(lgammaOf(floatOf(x, 'lgamma')));
}

/** The multivariate one: log (π^(p(p−1)/4) ∏ Γ(x − i/2)), i from 0 to p − 1. PyTorch: torch.mvlgamma. */
export function mvlgamma<S extends Shape>(x: Tensor<S, DType>, p: number): Tensor<S> {
  const t = floatOf(x, 'mvlgamma');
  checkWhole('mvlgamma', 'p', p, 1);
  const terms = Array.from({ length: p }, (_, i) => lgammaOf(plus(t, -i / 2)));
  return wrap(
    plus(
      terms.reduce((a, b) => add(a, b)),
      (p * (p - 1) * Math.log(Math.PI)) / 4,
    ),
  );
}

// ---------------------------------------------------------------- ψ

const DIGAMMA_TAIL = BERNOULLI.slice(0, 9)
  .map((b, i) => b / (2 * i + 2))
  .reverse();

/** ψ(x) for x ≥ ½. */
function digammaAbove(x: Node): Node {
  const isFar = isAbove(x, FAR);
  const near = where(isFar, constant(2, x), x);
  const { from2, isBelow1, passed } = steppedDown(near);
  const [zero, one] = [constant(0, x), constant(1, x)];
  const sums = passed.map((p) => where(isEqual(p, 0), zero, div(one, where(isEqual(p, 0), one, p))));
  const series = polynomial(from2, DIGAMMA_AT_2);
  const small = add(
    where(isBelow1, sub(series, div(one, near)), series),
    sums.reduce((a, b) => add(a, b)),
  );
  const far = where(isFar, x, constant(FAR, x));
  const inverse = div(one, far);
  const square = squareOf(inverse);
  const large = sub(sub(unary('log', far), times(inverse, 0.5)), mul(square, polynomial(square, DIGAMMA_TAIL)));
  return where(isFar, large, small);
}

function digammaOf(x: Node): Node {
  const y = build.detach(x);
  const isLow = isBelow(y, 0.5);
  const above = digammaAbove(where(isLow, sub(constant(1, y), y), y));
  const rest = fromWhole(y);
  const isPole = both(isEqual(rest, 0), isLow);
  const angle = times(where(isPole, constant(0.25, y), rest), Math.PI);
  const cotangent = times(div(unary('cos', angle), unary('sin', angle)), Math.PI);
  // ∓∞ at ±0, nothing at −1, −2, …
  const atZero = where(hasSign(y), constant(Infinity, y), constant(-Infinity, y));
  const atPole = where(isEqual(y, 0), atZero, nan(y));
  const value = where(isPole, atPole, where(isLow, sub(above, cotangent), above));
  return withSlope('digamma', x, value, (g) => mul(g, polygammaOf(1, x)));
}

/** The derivative of log Γ(x). PyTorch: torch.digamma. */
export function digamma<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(digammaOf(floatOf(x, 'digamma')));
}

// ---------------------------------------------------------------- its derivatives

function power(x: Node, n: number): Node {
  if (n === 1) return x;
  const half = power(x, n >> 1);
  return n % 2 === 0 ? mul(half, half) : mul(mul(half, half), x);
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** |ψ⁽ⁿ⁾(x)| for x ≥ ½ and n ≥ 1: n! Σ (x + k)^−(n+1), the first terms as they are and the others by Euler and Maclaurin. */
function polygammaAbove(n: number, x: Node): Node {
  const one = constant(1, x);
  const count = 10 + n;
  const terms = Array.from({ length: count }, (_, k) => div(one, power(plus(x, k), n + 1)));
  const inverse = div(one, plus(x, count));
  const tail = BERNOULLI.map((b, i) => (b * factorial(2 * i + 1 + n)) / factorial(2 * i + 2)).reverse();
  const square = squareOf(inverse);
  // (n − 1)! aⁿ + ½ n! aⁿ⁺¹ + Σ B₂ₖ (2k + n − 1)! / (2k)! · a^(n + 2k), for a the inverse
  const inner = add(plus(times(inverse, factorial(n) / 2), factorial(n - 1)), mul(square, polynomial(square, tail)));
  const rest = mul(power(inverse, n), inner);
  return add(
    times(
      terms.reduceRight((a, b) => add(a, b)),
      factorial(n),
    ),
    rest,
  );
}

/** The n-th derivative of π cot πx as a polynomial of cot πx, the smallest power first, over π^(n+1). */
function cotangentSlopes(n: number): number[] {
  let c = [0, 1];
  for (let k = 0; k < n; k++) {
    const slope = c.slice(1).map((a, i) => a * (i + 1));
    c = Array.from({ length: slope.length + 2 }, (_, i) => -(slope[i] ?? 0) - (slope[i - 2] ?? 0));
  }
  return c;
}

function polygammaOf(n: number, x: Node): Node {
  if (n === 0) return digammaOf(x);
  const y = build.detach(x);
  const isLow = isBelow(y, 0.5);
  const sign = n % 2 === 0 ? -1 : 1;
  const above = times(polygammaAbove(n, where(isLow, sub(constant(1, y), y), y)), sign);
  const rest = fromWhole(y);
  const isPole = both(isEqual(rest, 0), isLow);
  const angle = times(where(isPole, constant(0.25, y), rest), Math.PI);
  const cotangent = div(unary('cos', angle), unary('sin', angle));
  const slopes = times(polynomial(cotangent, cotangentSlopes(n).reverse()), Math.PI ** (n + 1));
  const reflected = sub(times(above, n % 2 === 0 ? 1 : -1), slopes);
  const value = where(isPole, constant(sign * Infinity, y), where(isLow, reflected, above));
  return withSlope('polygamma', x, value, (g) => mul(g, polygammaOf(n + 1, x)));
}

/** The n-th derivative of digamma; n is a whole number from 0 on. PyTorch: torch.polygamma. */
export function polygamma<S extends Shape>(n: number, x: Tensor<S, DType>): Tensor<S> {
  checkWhole('polygamma', 'n', n);
  return wrap(polygammaOf(n, floatOf(x, 'polygamma')));
}

// ---------------------------------------------------------------- ζ

const ZETA_TERMS = 10;

/** Σ (q + k)^−x over k = 0, 1, …, for x above 1 and q above 0: ∞ for x = 1, NaN below. PyTorch: torch.special.zeta. */
export function zeta<S extends Shape, B extends Shape = []>(
  x: Tensor<S, DType>,
  q: Tensor<B, DType> | number,
): Tensor<Broadcast<S, B>> {
  const [s, a] = floatPairOf('zeta', x, q as AnyTensor | number);
  const power = (base: Node): Node => binary('pow', base, neg(s));
  const terms = Array.from({ length: ZETA_TERMS }, (_, k) => power(plus(a, k)));
  const far = plus(a, ZETA_TERMS);
  const last = power(far);
  const inverse = div(constant(1, far), far);
  // x(x + 1) … (x + 2k − 2) B₂ₖ / (2k)! · far^(−x − 2k + 1)
  let factor = mul(s, inverse);
  const tail = BERNOULLI.map((b, i) => {
    const term = times(factor, b / factorial(2 * i + 2));
    factor = mul(mul(factor, squareOf(inverse)), mul(plus(s, 2 * i + 1), plus(s, 2 * i + 2)));
    return term;
  });
  const rest = mul(
    last,
    add(
      plus(div(far, plus(s, -1)), 0.5),
      tail.reduceRight((t, u) => add(t, u)),
    ),
  );
  const sum = add(
    terms.reduceRight((t, u) => add(t, u)),
    rest,
  );
  const poles = where(isEqual(fromWhole(a), 0), constant(Infinity, a), nan(a));
  const inside = where(isAbove(a, 0), sum, poles);
  const value = where(isBelow(s, 1), nan(s), where(isEqual(s, 1), constant(Infinity, s), inside));
  return wrap(
    withSlopes('zeta', [s, a], build.detach(value), (g) => {
      const next: Tensor = zeta(wrap<Shape, 'float32'>(plus(s, 1)), wrap<Shape, 'float32'>(a));
      return [null, neg(mul(mul(g, s), next.node))];
    }),
  );
}
