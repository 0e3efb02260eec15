// Remainders and whole quotients, exact for arguments of any size.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import {
  type Bind,
  abs,
  bitsOf,
  changing,
  div,
  f,
  floatType,
  formatOf,
  greater,
  i,
  lesser,
  powerOfTwo,
  seldom,
  shiftRight,
  twoProduct,
  withSign,
} from './basics.js';

/** Quotients up to here are exact enough to take the remainder at once. */
const MOST_QUOTIENT = { f32: 2 ** 22, f64: 2 ** 51 };
/** More than there are between the largest and the smallest number. */
const MOST_DOUBLINGS = { f32: 280, f64: 2100 };
/** Divisors whose products with such quotients neither overflow nor underflow. */
const ORDINARY = { f32: 2 ** 100, f64: 2 ** 900 };

/** ⌊log2 a⌋ for a > 0. */
function exponentOf(a: Expr, bind: Bind): Expr {
  const { leastNormal, denormalScale, denormalBits, mantissaBits, bias } = formatOf(a);
  const isSmall = bind('small', L.compare('lt', a, f(a, leastNormal)));
  const bits = bitsOf(L.select(isSmall, L.mul(a, f(a, denormalScale)), a));
  return L.sub(shiftRight(bits, mantissaBits), L.select(isSmall, i(a, bias + denormalBits), i(a, bias)));
}

/** a modulo b for a ≥ b > 0 by long division, a bit of the quotient after the other: all steps are exact. */
function longRemainder(a: Expr, b: Expr, bind: Bind): Expr {
  const doublings = bind('doublings', L.sub(exponentOf(a, bind), exponentOf(b, bind)));
  let multiple = b;
  let rest = doublings;
  for (let k = 0; k < 3; k++) {
    const step = bind('step', greater(lesser(rest, i(a, formatOf(a).bias - 1)), i(a, 0)));
    multiple = bind('multiple', L.mul(multiple, powerOfTwo(step)));
    rest = bind('rest', L.sub(rest, step));
  }
  const r = changing('r', a, bind);
  const m = changing('m', multiple, bind);
  bind.body.push(
    L.loop(L.variable('bit', 'i32'), L.int(0), L.int(MOST_DOUBLINGS[floatType(a)]), 1, [
      L.set(r, L.select(L.compare('le', m, r), L.sub(r, m), r)),
      L.set(m, L.select(L.compare('lt', b, m), L.mul(m, f(a, 0.5)), m)),
    ]),
  );
  return r;
}

/** x − y·trunc(x / y), exactly, with the sign of x: C's fmod. */
function remainder(x: Expr, y: Expr, bind: Bind): Expr {
  const [a, b] = [bind('a', abs(x)), bind('b', abs(y))];
  const q = bind('q', L.unary('trunc', div(a, b)));
  const { p, e } = twoProduct(q, b, bind);
  let r = bind('r', L.sub(L.sub(a, p), e)); // the quotient may be rounded up to a whole number
  r = bind('r', L.select(L.compare('lt', r, f(x, 0)), L.add(r, b), r));
  r = bind('r', L.select(L.compare('le', b, r), L.sub(r, b), r));
  const ordinary = ORDINARY[floatType(x)];
  const isNear = L.binary('and', L.compare('le', f(x, 1 / ordinary), b), L.compare('le', b, f(x, ordinary)));
  const isSmall = L.binary('and', isNear, L.compare('lt', q, f(x, MOST_QUOTIENT[floatType(x)])));
  const isOrdinary = L.binary('and', L.compare('lt', a, f(x, Infinity)), L.compare('lt', f(x, 0), b));
  const isLong = L.binary('and', L.binary('and', isOrdinary, L.compare('le', b, a)), L.unary('not', isSmall));
  [r] = seldom(bind('long', isLong), [r], bind, (inner) => [longRemainder(a, b, inner)]);
  return withSign(L.select(L.compare('lt', a, b), a, r), x);
}

/** The remainder is not 0, and its sign is not the divisor's. */
function isOpposite(r: Expr, y: Expr): Expr {
  const [rNegative, yNegative] = [L.compare('lt', r, f(r, 0)), L.compare('lt', y, f(r, 0))];
  return L.binary('and', L.compare('ne', r, f(r, 0)), L.binary('xor', rNegative, yNegative));
}

/** x − y·⌊x / y⌋; the sign is the divisor's, as in Python. */
export function mod(x: Expr, y: Expr, bind: Bind): Expr {
  const r = bind('r', remainder(x, y, bind));
  return L.select(isOpposite(r, y), L.add(r, y), r);
}

/** ⌊x / y⌋ of the exact quotient, from the remainder: x / y itself may be rounded up to a whole number. */
export function floorDivide(x: Expr, y: Expr, bind: Bind): Expr {
  const r = bind('r', remainder(x, y, bind));
  const exact = div(L.sub(x, r), y);
  const quotient = bind('quotient', L.sub(exact, L.select(isOpposite(r, y), f(x, 1), f(x, 0))));
  const ratio = bind('ratio', div(x, y));
  const whole = L.select(
    L.compare('eq', quotient, f(x, 0)),
    withSign(f(x, 0), ratio),
    L.unary('nearest', quotient), // whole but for the rounding of the division
  );
  return L.select(L.compare('eq', y, f(x, 0)), ratio, whole);
}
