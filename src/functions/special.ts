// Functions of one number, composed so that they are right to a few units in the last place over the whole range
// (test/special-functions.test.ts): no difference that cancels, no intermediate that overflows.

import { checkGiven, checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Shape } from '../engine/ir/shape.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  binary,
  constant,
  div,
  either,
  floatOf,
  hasSign,
  isAbove,
  isBelow,
  isEqual,
  isNaN,
  mul,
  nan,
  neg,
  plus,
  polynomial,
  scalar,
  squareOf,
  sub,
  times,
  unary,
  where,
  withSlope,
} from './operands.js';
import { quantileInTail, quantileNear } from './quantiles.js';

/** f(|x|) with the sign of x, for odd functions. */
const odd = (x: Node, value: Node): Node => where(hasSign(x), neg(value), value);

/** 2ˣ. PyTorch: torch.exp2. */
export function exp2<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'exp2');
  const value = binary('pow', constant(2, t), build.detach(t));
  return wrap(withSlope('exp2', t, value, (g, out) => times(mul(g, out), Math.LN2)));
}

// ---------------------------------------------------------------- inverse hyperbolic functions

/** Above it the 1 beside x² is lost in any dtype. */
const LARGE = 2 ** 28;

/** log(2a), for large a. */
const logOfTwice = (a: Node): Node => plus(unary('log', a), Math.LN2);

/** sinh⁻¹ x. PyTorch: torch.asinh. */
export function asinh<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'asinh');
  const a = absOf(build.detach(t));
  const isLarge = isAbove(a, LARGE);
  const small = where(isLarge, constant(1, a), a);
  // log(a + √(a² + 1)) as log(1 + what is small with a)
  const rest = div(squareOf(small), plus(unary('sqrt', plus(squareOf(small), 1)), 1));
  const value = where(isLarge, logOfTwice(a), unary('log1p', add(small, rest)));
  return wrap(withSlope('asinh', t, odd(t, value), (g) => div(g, unary('sqrt', plus(squareOf(t), 1)))));
}

/** cosh⁻¹ x; NaN below 1. PyTorch: torch.acosh. */
export function acosh<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'acosh');
  const y = build.detach(t);
  const isLarge = isAbove(y, LARGE);
  const above = where(isLarge, constant(1, y), plus(y, -1));
  const near = unary('log1p', add(above, unary('sqrt', mul(above, plus(above, 2)))));
  const value = where(isBelow(y, 1), nan(y), where(isLarge, logOfTwice(y), near));
  return wrap(withSlope('acosh', t, value, (g) => div(g, mul(unary('sqrt', plus(t, -1)), unary('sqrt', plus(t, 1))))));
}

/** tanh⁻¹ x: ±∞ at ±1, NaN beyond. PyTorch: torch.atanh. */
export function atanh<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'atanh');
  const a = absOf(build.detach(t));
  const value = times(unary('log1p', div(times(a, 2), sub(constant(1, a), a))), 0.5);
  const one = constant(1, t);
  return wrap(withSlope('atanh', t, odd(t, value), (g) => div(g, mul(sub(one, t), add(one, t)))));
}

// ---------------------------------------------------------------- error functions

// Rational approximations of W. J. Cody (1969), with the smallest power last.
const ERFC_MIDDLE = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const ERFC_MIDDLE_BELOW = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
const ERFC_TAIL = [
  0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
  0.0006587491615298378,
];
const ERFC_TAIL_BELOW = [
  1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];
const RECIPROCAL_SQRT_PI = 1 / Math.sqrt(Math.PI);
/** Beyond it erfc is 0 in any dtype. */
const MOST_ERFC = 30;

/** e^−a² for a ≥ 0: the square of a few leading bits is exact, and the rest is a factor of its own. */
function gaussian(a: Node): Node {
  const high = times(unary('floor', times(a, 16)), 1 / 16);
  const rest = mul(sub(a, high), add(a, high));
  return mul(unary('exp', neg(squareOf(high))), unary('exp', neg(rest)));
}

/** erfc a · e^a² for a above 0.46. */
function scaledErfc(a: Node): Node {
  const middle = div(polynomial(a, ERFC_MIDDLE), polynomial(a, ERFC_MIDDLE_BELOW));
  const s = div(constant(1, a), squareOf(a));
  const tail = mul(s, div(polynomial(s, ERFC_TAIL), polynomial(s, ERFC_TAIL_BELOW)));
  const far = div(sub(constant(RECIPROCAL_SQRT_PI, a), tail), a);
  return where(isAbove(a, 4), far, middle);
}

/** 1 − erf x, right also where erf x is nearly 1. PyTorch: torch.special.erfc. */
export function erfc<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'erfc');
  const y = build.detach(t);
  const a = absOf(y);
  const small = isBelow(a, 0.46875);
  const above = where(small, constant(1, a), binary('min', a, constant(MOST_ERFC, a)));
  const upper = mul(gaussian(above), scaledErfc(above));
  const large = where(hasSign(y), sub(constant(2, a), upper), upper);
  const value = where(small, sub(constant(1, y), unary('erf', y)), large);
  const slope = (g: Node): Node => times(mul(g, unary('exp', neg(squareOf(t)))), -2 / Math.sqrt(Math.PI));
  return wrap(withSlope('erfc', t, value, slope));
}

/** e^x² erfc x, which neither overflows nor vanishes for large x. PyTorch: torch.special.erfcx. */
export function erfcx<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'erfcx');
  const y = build.detach(t);
  const a = absOf(y);
  const small = isBelow(a, 0.46875);
  const upper = scaledErfc(where(small, constant(1, a), a));
  const near = where(small, y, constant(0, y));
  const inner = mul(sub(constant(1, y), unary('erf', near)), unary('exp', squareOf(near)));
  // e^x² overflows below −27
  const below = where(hasSign(y), binary('min', a, constant(MOST_ERFC, a)), constant(0, a));
  const value = where(
    small,
    inner,
    where(hasSign(y), sub(times(div(constant(1, a), gaussian(below)), 2), upper), upper),
  );
  const slope = (g: Node, out: Node): Node => mul(g, plus(times(mul(t, out), 2), -2 * RECIPROCAL_SQRT_PI));
  return wrap(withSlope('erfcx', t, value, slope));
}

/** The x with erf x = y: ±∞ at ±1, NaN beyond. PyTorch: torch.erfinv. */
export function erfinv<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'erfinv');
  const y = build.detach(t);
  const a = absOf(y);
  const isMiddle = isBelow(a, 0.85);
  const r = sub(constant(0.180625, a), times(squareOf(where(isMiddle, a, constant(0, a))), 0.25));
  const middle = mul(times(a, 0.5), quantileNear(r));
  const beyond = times(sub(constant(1, a), a), 0.5);
  const s = plus(unary('sqrt', neg(unary('log', where(isMiddle, constant(0.05, a), beyond)))), -1.6);
  const far = quantileInTail(s);
  const inside = times(where(isMiddle, middle, far), Math.SQRT1_2);
  const value = where(isEqual(a, 1), constant(Infinity, a), inside);
  const slope = (g: Node, out: Node): Node => times(mul(g, unary('exp', squareOf(out))), Math.sqrt(Math.PI) / 2);
  return wrap(withSlope('erfinv', t, odd(y, value), slope));
}

/** log(x / (1 − x)), the inverse of the sigmoid; `eps` limits x to [eps, 1 − eps]. PyTorch: torch.logit. */
export function logit<S extends Shape>(x: Tensor<S, DType>, eps?: number): Tensor<S> {
  const t = floatOf(x, 'logit');
  checkGiven(checkNumber, 'logit', { eps });
  const [low, high] = [scalar(eps ?? 0, t), scalar(1 - (eps ?? 0), t)];
  const y = build.detach(t);
  const p = eps === undefined ? y : where(binary('lt', y, low), low, where(binary('lt', high, y), high, y));
  const rest = sub(constant(1, p), p);
  const isMiddle = isBelow(absOf(plus(p, -0.5)), 0.25);
  // near ½ the quotient is near 1: what it is more is exact
  const more = div(plus(times(p, 2), -1), where(isMiddle, rest, constant(1, p)));
  const value = where(isMiddle, unary('log1p', more), unary('log', div(p, rest)));
  const slope = (g: Node): Node => {
    const own = div(g, mul(t, sub(constant(1, t), t)));
    const isOutside = either(binary('lt', t, low), binary('lt', high, t));
    return where(isOutside, eps === undefined ? nan(t) : constant(0, t), own);
  };
  return wrap(withSlope('logit', t, value, slope));
}

/** t in powers of t² of the derivative of sin t / t: (−1)ᵏ 2k / (2k + 1)!, k from 9 down to 1. */
const SINC_SLOPE = Array.from({ length: 9 }, (_, i) => {
  const k = 9 - i;
  let factorial = 1;
  for (let n = 2; n <= 2 * k + 1; n++) factorial *= n;
  return ((k % 2 === 0 ? 1 : -1) * 2 * k) / factorial;
});

/** sin πx / πx, 1 at 0. PyTorch: torch.sinc. */
export function sinc<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'sinc');
  const y = build.detach(t);
  // an angle within a half turn, exactly: sin is then as right as the number itself
  const nearest = unary('round', times(y, 0.5));
  const turn = sub(y, times(nearest, 2));
  const part = where(isAbove(absOf(turn), 0.5), odd(turn, sub(constant(1, turn), absOf(turn))), turn);
  const isZero = isEqual(y, 0);
  const angle = where(isZero, constant(1, y), times(y, Math.PI));
  const value = where(isZero, constant(1, y), div(unary('sin', times(part, Math.PI)), angle));
  const slope = (g: Node, out: Node): Node => {
    const p = times(t, Math.PI);
    const isSmall = isBelow(absOf(p), 1);
    const near = mul(p, polynomial(squareOf(p), SINC_SLOPE));
    const far = div(sub(unary('cos', p), out), where(isSmall, constant(1, p), p));
    return times(mul(g, where(isSmall, near, far)), Math.PI);
  };
  return wrap(withSlope('sinc', t, value, slope));
}

// ---------------------------------------------------------------- simple ones

/** Degrees as radians. PyTorch: torch.deg2rad. */
export function deg2rad<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(times(floatOf(x, 'deg2rad'), Math.PI / 180));
}

/** Radians as degrees. PyTorch: torch.rad2deg. */
export function rad2deg<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  return wrap(times(floatOf(x, 'rad2deg'), 180 / Math.PI));
}

/** What follows the decimal point, with the sign of x. PyTorch: torch.frac. */
export function frac<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = floatOf(x, 'frac');
  return wrap(sub(t, unary('trunc', t)));
}

/** Is x below 0, or −0? PyTorch: torch.signbit. */
export function signbit<S extends Shape>(x: Tensor<S, DType>): Tensor<S, 'bool'> {
  return wrap(hasSign(floatOf(x, 'signbit')));
}

export interface NanToNumOptions {
  /** In the place of NaN. Default 0. */
  readonly nan?: number;
  /** In the place of ∞. Default: the largest number. */
  readonly posinf?: number;
  /** In the place of −∞. Default: the smallest number. */
  readonly neginf?: number;
}

const NAN_TO_NUM_OPTIONS: OptionNames<NanToNumOptions> = { nan: true, posinf: true, neginf: true };

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Finite numbers in the place of NaN and ±∞; whole numbers are themselves. PyTorch: torch.nan_to_num. */
export function nanToNum<S extends Shape, D extends DType>(x: Tensor<S, D>, options?: NanToNumOptions): Tensor<S, D> {
  const t = nodeOf(x, 'nanToNum', 'the input');
  checkOptions('nanToNum', options, NAN_TO_NUM_OPTIONS);
  checkGiven(checkNumber, 'nanToNum', { ...options });
  if (t.dtype === 'int32' || t.dtype === 'bool') return wrap(t);
  const most = t.dtype === 'float32' ? LARGEST_FLOAT32 : Number.MAX_VALUE;
  const { nan: none = 0, posinf = most, neginf = -most } = options ?? {};
  const low = where(isEqual(t, -Infinity), scalar(neginf, t), t);
  const high = where(isEqual(t, Infinity), scalar(posinf, t), low);
  return wrap(where(isNaN(t), scalar(none, t), high));
}
