// Logarithms, and powers by them.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import {
  type Bind,
  abs,
  atLeast,
  atMost,
  bitsOf,
  countOf,
  div,
  f,
  floatOf,
  floatOfCount,
  floatType,
  formatOf,
  i,
  neg,
  polynomial,
  twoProduct,
  twoSum,
} from './basics.js';
import { ATANH, EXP, EXP_LIMITS, LN2, LOG, LOGARITHMS } from './coefficients.js';
import { reduceExp, scale } from './exp.js';

/** x = 2^e·m with m in [√½, √2), for positive x; denormal x included. */
export function splitExponent(x: Expr, bind: Bind): { e: Expr; m: Expr } {
  const { leastNormal, denormalScale, denormalBits, mantissaBits, mantissaMask, halfBits, bias } = formatOf(x);
  const isSmall = bind('small', L.compare('lt', x, f(x, leastNormal)));
  const normal = bind('normal', L.select(isSmall, L.mul(x, f(x, denormalScale)), x));
  const bits = bind('bits', bitsOf(normal));
  const field = L.binary('and', L.binary('shrs', bits, L.int(mantissaBits)), i(x, 2 * bias + 1));
  const exponent = L.sub(field, i(x, bias - 1));
  const e = bind('e', L.sub(floatOfCount(exponent), L.select(isSmall, f(x, denormalBits), f(x, 0))));
  const m = bind('m', floatOf(L.binary('or', L.binary('and', bits, i(x, mantissaMask)), i(x, halfBits))));
  const low = bind('low', L.compare('lt', m, f(x, Math.SQRT1_2)));
  return {
    e: bind('e', L.select(low, L.sub(e, f(x, 1)), e)),
    m: bind('m', L.select(low, L.add(m, m), m)),
  };
}

/** x = 2^e·(1 + r), and log(1 + r) = r − z/2 + cubic with z = r². */
function reduceLog(x: Expr, bind: Bind): { e: Expr; r: Expr; z: Expr; cubic: Expr } {
  const { e, m } = splitExponent(x, bind);
  const r = bind('r', L.sub(m, f(x, 1)));
  const z = bind('z', L.mul(r, r));
  if (floatType(x) === 'f32') return { e, r, z, cubic: L.mul(L.mul(polynomial(r, LOG), r), z) };
  // log(1 + r) = 2·atanh(s) with s = r / (2 + r), and 2s = r − s·r
  const s = bind('s', div(r, L.add(r, f(x, 2))));
  const w = bind('w', L.mul(s, s));
  const rest = L.mul(polynomial(w, ATANH.f64), w);
  return { e, r, z, cubic: bind('cubic', L.mul(s, L.fma(z, f(x, 0.5), rest))) };
}

export function log(x: Expr, bind: Bind): Expr {
  const { high, low } = LN2[floatType(x)];
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = L.fma(e, f(x, low), cubic);
  const sum = L.add(r, L.fma(z, f(x, -0.5), tail));
  const finite = bind('log', L.fma(e, f(x, high), sum));
  return logSpecial(x, finite);
}

/** e + log(1 + r)·log2 e, the factor as 1 and what is left of it: exact for powers of two. */
export function log2(x: Expr, bind: Bind): Expr {
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = bind('tail', L.fma(z, f(x, -0.5), cubic));
  const rest = L.fma(r, f(x, LOGARITHMS.log2e), L.fma(tail, f(x, LOGARITHMS.log2e), tail));
  return logSpecial(x, bind('log', L.add(e, L.add(r, rest))));
}

export function log10(x: Expr, bind: Bind): Expr {
  const { log10two, log10e } = LOGARITHMS;
  const two = log10two[floatType(x)];
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = bind('tail', L.fma(z, f(x, -0.5), cubic));
  let sum = L.mul(L.add(r, tail), f(x, log10e.low));
  sum = L.fma(tail, f(x, log10e.high), sum);
  sum = L.fma(r, f(x, log10e.high), L.fma(e, f(x, two.low), sum));
  return logSpecial(x, bind('log', L.fma(e, f(x, two.high), sum)));
}

function logSpecial(x: Expr, finite: Expr): Expr {
  const ordinary = L.select(L.compare('lt', x, f(x, Infinity)), finite, x); // ∞ and NaN are themselves
  const positive = L.select(L.compare('lt', x, f(x, 0)), f(x, NaN), ordinary);
  return L.select(L.compare('eq', x, f(x, 0)), f(x, -Infinity), positive);
}

export function log1p(x: Expr, bind: Bind): Expr {
  // log(1 + x) = log(u) + (x − (u − 1)) / u to first order in the rounding of u = 1 + x. At x = −1 nothing is lost.
  const u = bind('u', L.add(x, f(x, 1)));
  const lost = L.sub(x, L.sub(u, f(x, 1)));
  const corrected = L.add(log(u, bind), div(lost, L.select(L.compare('eq', u, f(x, 0)), f(x, 1), u)));
  const tiny = L.select(L.compare('eq', u, f(x, 1)), x, corrected);
  return L.select(L.compare('eq', x, f(x, Infinity)), x, tiny);
}

/** Beyond it a power of anything but 1 is 0 or infinite. */
const MOST_EXPONENT = { f32: 4e9, f64: 1e20 };
/** What float64 leaves out of 2/3. */
const TWO_THIRDS_LOW = 3.700743415417188e-17;

/** 2·atanh(s + low) − 2·(s + low), of float64 with its first term, 2s³/3, apart, as a pair. */
function cubicOf(s: Expr, low: Expr, bind: Bind): { readonly main?: Expr; readonly rest: Expr } {
  if (floatType(s) === 'f32') {
    const z = bind('z', L.mul(s, s));
    return { rest: L.mul(L.mul(s, z), polynomial(z, ATANH.f32)) };
  }
  const { p: z, e: zLow } = twoProduct(s, s, bind);
  const { p: cube, e: cubeLow } = twoProduct(z, s, bind);
  const main = twoProduct(cube, f(s, 2 / 3), bind);
  // (s + low)³ = s³ + 3·s²·low, and s·zLow of z
  const lost = bind('lost', L.add(cubeLow, L.fma(s, zLow, L.mul(L.mul(z, low), f(s, 3)))));
  const ofMain = L.fma(lost, f(s, 2 / 3), L.mul(cube, f(s, TWO_THIRDS_LOW)));
  const higher = L.mul(L.mul(cube, z), polynomial(z, ATANH.f64.slice(0, -1)));
  return { main: main.p, rest: L.add(L.add(main.e, ofMain), higher) };
}

/** A pair with another term. */
function withTerm(high: Expr, error: Expr, term: Expr, bind: Bind): [Expr, Expr] {
  const next = twoSum(high, term, bind);
  return [next.s, bind('lost', L.add(error, next.e))];
}

/** x^y, by way of a logarithm in pairs of floats. */
export function pow(x: Expr, y: Expr, bind: Bind): Expr {
  const type = floatType(x);
  const a = bind('a', abs(x));
  const { e, m } = splitExponent(a, bind);
  // log m = 2·atanh(s), s = (m − 1) / (m + 1), as a pair of floats
  const num = bind('num', L.sub(m, f(x, 1)));
  const den = bind('den', L.add(m, f(x, 1)));
  const denLow = bind('denLow', L.sub(m, L.sub(den, f(x, 1))));
  const s = bind('s', div(num, den));
  const { p, e: pe } = twoProduct(s, den, bind);
  const sLow = bind('sLow', div(L.sub(L.sub(L.sub(num, p), pe), L.mul(s, denLow)), den));
  const { s: high, e: error } = twoSum(L.mul(e, f(x, LN2[type].high)), L.add(s, s), bind);
  const { main, rest } = cubicOf(s, sLow, bind);
  const [sum, lost] = main === undefined ? [high, error] : withTerm(high, error, main, bind);
  const low = L.add(L.add(lost, L.add(L.add(sLow, sLow), rest)), L.mul(e, f(x, LN2[type].low)));
  const { s: logHigh, e: logLow } = twoSum(sum, bind('lowSum', low), bind);
  // y · log x; a huge y would overflow the exact product, and gives 0 or ∞ all the same
  const most = MOST_EXPONENT[type];
  const bounded = bind('y', atLeast(bind('y', atMost(y, most)), -most));
  const { p: q, e: qe } = twoProduct(bounded, logHigh, bind);
  const exponent = bind('x', atLeast(bind('x', atMost(q, EXP_LIMITS[type].most)), EXP_LIMITS[type].least));
  const extra = bind('qe', L.fma(bounded, logLow, qe));
  const { shifted, r } = reduceExp(exponent, bind);
  const count = bind('count', countOf(shifted));
  const inside = L.compare('eq', exponent, q);
  const rr = bind('r', L.add(r, L.select(inside, extra, f(x, 0))));
  const value = bind('v', L.add(L.fma(polynomial(rr, EXP[type]), L.mul(rr, rr), rr), f(x, 1)));
  return powSpecial(x, y, a, bind('pow', scale(value, count, bind)), bind);
}

/** Signs, zeros, infinities and NaN as in C. */
function powSpecial(x: Expr, y: Expr, a: Expr, value: Expr, bind: Bind): Expr {
  const [zero, one, inf] = [f(x, 0), f(x, 1), f(x, Infinity)];
  const yNegative = bind('yNegative', L.compare('lt', y, zero));
  const atZero = L.select(yNegative, inf, zero);
  const atInfinity = L.select(yNegative, zero, inf);
  let r = L.select(L.compare('eq', a, zero), atZero, L.select(L.compare('eq', a, inf), atInfinity, value));
  const whole = bind('whole', L.compare('eq', L.unary('trunc', y), y));
  const halfY = bind('halfY', L.mul(y, f(x, 0.5)));
  const odd = L.binary('and', whole, L.compare('ne', L.unary('trunc', halfY), halfY));
  const signed = bind('signed', L.compare('lt', bitsOf(x), i(x, 0)));
  const finiteNegative = L.binary('and', L.compare('lt', x, zero), L.compare('lt', a, inf));
  r = bind('r', r);
  r = L.select(L.binary('and', signed, odd), neg(r), r);
  r = L.select(L.binary('and', finiteNegative, L.unary('not', whole)), f(x, NaN), r);
  const anyNaN = L.binary('or', L.compare('ne', x, x), L.compare('ne', y, y));
  r = L.select(anyNaN, f(x, NaN), r);
  return L.select(L.binary('or', L.compare('eq', y, zero), L.compare('eq', x, one)), one, r);
}
