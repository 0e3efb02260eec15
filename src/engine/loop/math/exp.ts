// e^x and what is made of it.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import {
  type Bind,
  FORMATS,
  type Name,
  abs,
  atLeast,
  atMost,
  bitsOf,
  countOf,
  div,
  f,
  floatOf,
  floatType,
  i,
  lesser,
  nearestMultiple,
  neg,
  polynomial,
  powerOfTwo,
  withSign,
} from './basics.js';
import { EXP, EXP_LIMITS, LN2, SINH, TANH } from './coefficients.js';

/** The rounder for an exponent in two parts, each of them 127 more than it stands for (`scale`). */
const EXPONENT_ROUNDER = FORMATS.f32.rounder + 2 * 127;

/** x = n·ln 2 + r with |r| ≤ ln 2 / 2. */
export function reduceExp(x: Expr, bind: Bind, format?: { rounder: number }): { shifted: Expr; r: Expr } {
  const { n, shifted } = nearestMultiple(x, Math.LOG2E, bind, format);
  const { high, low } = LN2[floatType(x)];
  const r = L.fma(n, f(x, -low), L.fma(n, f(x, -high), x));
  return { shifted, r: bind('r', r) };
}

/** value · 2^count in two steps, so that results in the denormal range and overflow come out right. */
export function scale(value: Expr, count: Expr, bind: Bind): Expr {
  const half = bind('half', L.binary('shrs', count, L.int(1)));
  return L.mul(L.mul(value, powerOfTwo(half)), powerOfTwo(L.sub(count, half)));
}

/**
 * What `scale` means, in integers, for targets without an instruction for it: the low bits of `shifted`, moved up, are an
 * exponent, and the bits above them are gone.
 */
export function scaleByBits(value: Expr, shifted: Expr, bind: Name): Expr {
  const bits = bind('bits', bitsOf(shifted));
  const half = bind('half', L.binary('shl', L.binary('shrs', bits, L.int(1)), L.int(23)));
  const rest = L.sub(L.binary('shl', bits, L.int(23)), half);
  return L.mul(L.mul(value, floatOf(half)), floatOf(rest));
}

/** What is known of an argument besides that it may be NaN. */
export interface Range {
  readonly least?: number;
  readonly most?: number;
}

/** What is 0 (of a masked score, say) is scaled as 0: a product too small for a float takes processors a hundred cycles. */
export function exp(x: Expr, bind: Bind, { least = -Infinity, most = Infinity }: Range = {}, halvings = 0): Expr {
  const type = floatType(x);
  const limits = EXP_LIMITS[type];
  const below = most <= limits.most ? x : bind('x', atMost(x, limits.most));
  const isBounded = least >= limits.least;
  const inside = isBounded ? below : bind('x', atLeast(below, limits.least));
  const { shifted, r } = reduceExp(inside, bind, type === 'f32' ? { rounder: EXPONENT_ROUNDER } : undefined);
  const value = polynomial(r, [...EXP[type], 1, 1]);
  const isZero = L.compare('lt', below, f(x, limits.least));
  const kept = isBounded ? value : L.select(isZero, f(x, 0), value);
  if (type === 'f64') return scale(bind('value', kept), bind('count', L.sub(countOf(shifted), i(x, halvings))), bind);
  const exponent = halvings === 0 ? shifted : L.sub(shifted, f(x, halvings));
  return L.binary('scale', kept, exponent);
}

export function expm1(x: Expr, bind: Bind): Expr {
  // 2^n·(e^r − 1) + (2^n − 1), with 2^n taken out so that large n do not overflow before they must.
  const type = floatType(x);
  const { most, certain } = EXP_LIMITS[type];
  const clamped = bind('x', atLeast(bind('x', atMost(x, most)), certain));
  const { shifted, r } = reduceExp(clamped, bind);
  const count = bind('count', countOf(shifted));
  const small = bind('small', L.fma(polynomial(r, EXP[type]), L.mul(r, r), r));
  const inverse = powerOfTwo(L.sub(i(x, 0), lesser(count, i(x, FORMATS[type].bias - 1))));
  const result = scale(bind('y', L.add(small, L.sub(f(x, 1), inverse))), count, bind);
  return L.select(L.compare('eq', x, f(x, 0)), x, result); // keeps −0
}

/** e^a/2 for a ≥ 0, which overflows where sinh and cosh do. */
const halfExp = (a: Expr, bind: Bind): Expr => bind('half', exp(a, bind, { least: 0 }, 1));

export function sinh(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  const z = bind('z', L.mul(a, a));
  const small = L.fma(L.mul(polynomial(z, SINH[floatType(x)]), z), a, a);
  const half = halfExp(a, bind);
  const large = L.sub(half, div(f(x, 0.25), half));
  return withSign(L.select(L.compare('lt', a, f(x, 1)), small, large), x);
}

export function cosh(x: Expr, bind: Bind): Expr {
  const half = halfExp(bind('a', abs(x)), bind);
  return L.add(half, div(f(x, 0.25), half));
}

export function tanh(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  if (floatType(x) === 'f64') {
    // e^2a − 1 has all its bits however small a is
    const t = bind('t', expm1(bind('twice', atMost(L.add(a, a), 44)), bind));
    return withSign(div(t, L.add(t, f(x, 2))), x);
  }
  const z = bind('z', L.mul(a, a));
  const small = L.fma(L.mul(polynomial(z, TANH), z), a, a);
  const large = L.sub(f(x, 1), div(f(x, 2), L.add(exp(bind('twice', L.add(a, a)), bind, { least: 0 }), f(x, 1))));
  return withSign(L.select(L.compare('lt', a, f(x, 0.625)), small, large), x);
}

/** 1 / (1 + e^−x), for negative x as e^x / (1 + e^x): e^−x would be infinite where the result is not 0 yet. */
export function sigmoid(x: Expr, bind: Bind): Expr {
  const e = bind('e', exp(bind('a', neg(abs(x))), bind, { most: 0 }));
  return div(L.select(L.compare('lt', x, f(x, 0)), e, f(x, 1)), L.add(e, f(x, 1)));
}
