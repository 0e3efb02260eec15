// What all functions are written with: names for subexpressions, constants of the type at hand, and what a format of floats is made of.

import * as L from '../loop.js';
import type { Expr, FloatType, Stmt, Var } from '../loop.js';

export type Name = (name: string, value: Expr) => Expr;

/** Names a subexpression, by a `let` at the end of `body`. */
export interface Bind extends Name {
  readonly body: Stmt[];
}

/** Names at the end of a list of statements. */
export function binder(body: Stmt[]): Bind {
  const bind = (name: string, value: Expr): Expr => {
    if (value.kind === 'var' || value.kind === 'const') return value;
    const v = L.variable(name, value.type, value.lanes);
    body.push(L.define(v, value));
    return v;
  };
  return Object.assign(bind, { body });
}

/** A variable with a value that may change. */
export function changing(name: string, value: Expr, { body }: Bind): Var {
  const v = L.variable(name, value.type, value.lanes);
  body.push(L.define(v, value, true));
  return v;
}

/** The values; but where the condition holds, what `make` makes, which is computed only if it holds in some lane. */
export function seldom(
  condition: Expr,
  values: readonly Expr[],
  bind: Bind,
  make: (bind: Bind) => readonly Expr[],
): Expr[] {
  const results = values.map((value) => changing('result', value, bind));
  const inner = binder([]);
  const others = make(inner).map((other) => inner('other', other));
  others.forEach((other, k) => inner.body.push(L.set(results[k], L.select(condition, other, results[k]))));
  bind.body.push(L.when(L.any(condition), inner.body));
  return results;
}

/** A format of floats: the integers that have its bits, and the constants that work by them. */
export interface Format {
  readonly int: 'i32' | 'i64';
  readonly bits: 32 | 64;
  readonly mantissaBits: 23 | 52;
  /** What the exponent's field is more than the exponent. */
  readonly bias: 127 | 1023;
  readonly leastNormal: number;
  /** Takes numbers below the least normal one to those above it. */
  readonly denormalScale: number;
  readonly denormalBits: number;
  readonly mantissaMask: number;
  /** The bits of ½. */
  readonly halfBits: number;
  /** 1.5 · 2^mantissaBits: adding it leaves the nearest whole number in the low bits of the sum. */
  readonly rounder: number;
  readonly rounderBits: number;
}

export const FORMATS: Readonly<Record<FloatType, Format>> = {
  f32: {
    int: 'i32',
    bits: 32,
    mantissaBits: 23,
    bias: 127,
    leastNormal: 1.17549435e-38,
    denormalScale: 8388608,
    denormalBits: 23,
    mantissaMask: 0x7fffff,
    halfBits: 0x3f000000,
    rounder: 12582912,
    rounderBits: 0x4b400000,
  },
  f64: {
    int: 'i64',
    bits: 64,
    mantissaBits: 52,
    bias: 1023,
    leastNormal: 2 ** -1022,
    denormalScale: 2 ** 54,
    denormalBits: 54,
    mantissaMask: 2 ** 52 - 1,
    halfBits: 0x3fe * 2 ** 52,
    rounder: 1.5 * 2 ** 52,
    rounderBits: 0x4338 * 2 ** 48,
  },
};

export const floatType = (x: Expr): FloatType => (L.isWide(x.type) ? 'f64' : 'f32');
export const formatOf = (x: Expr): Format => FORMATS[floatType(x)];

/** Constants with the type and the lanes of x: floats, and integers as wide as its lanes. */
export const f = (x: Expr, value: number): Expr => L.literal(value, floatType(x), x.lanes);
export const i = (x: Expr, value: number): Expr => L.literal(value, formatOf(x).int, x.lanes);
export const bitsOf = (x: Expr): Expr => L.convert(x.type === 'f64' ? 'bits.f64.i64' : 'bits.f32.i32', x);
export const floatOf = (x: Expr): Expr => L.convert(x.type === 'i64' ? 'bits.i64.f64' : 'bits.i32.f32', x);
export const abs = (x: Expr): Expr => L.unary('abs', x);
export const neg = (x: Expr): Expr => L.unary('neg', x);
export const div = (a: Expr, b: Expr): Expr => L.binary('div', a, b);

export const shiftLeft = (x: Expr, by: number): Expr => L.binary('shl', x, L.int(by));
export const shiftRight = (x: Expr, by: number): Expr => L.binary('shru', x, L.int(by));
export const lowBits = (x: Expr, mask: number): Expr => L.binary('and', x, i(x, mask));

/** The smaller and the larger of two integers; there is no instruction for those of 64 bits. */
export const lesser = (a: Expr, b: Expr): Expr =>
  a.type === 'i64' ? L.select(L.compare('lt', a, b), a, b) : L.binary('min', a, b);
export const greater = (a: Expr, b: Expr): Expr =>
  a.type === 'i64' ? L.select(L.compare('lt', a, b), b, a) : L.binary('max', a, b);

/** The smaller and the larger of x and a constant; NaN stays NaN. */
export const atMost = (x: Expr, value: number): Expr => L.select(L.compare('lt', f(x, value), x), f(x, value), x);
export const atLeast = (x: Expr, value: number): Expr => L.select(L.compare('lt', x, f(x, value)), f(x, value), x);

/** x where x is 0: keeps the sign of a zero. */
export const keepingZero = (x: Expr, value: Expr): Expr => L.select(L.compare('eq', x, f(x, 0)), x, value);

/** The magnitude of `value` with the sign of `x`. */
export function withSign(value: Expr, x: Expr): Expr {
  const sign = -(2 ** (formatOf(x).bits - 1));
  return floatOf(L.binary('or', bitsOf(value), L.binary('and', bitsOf(x), i(x, sign))));
}

/** c[0]·x^n + … + c[n] */
export function polynomial(x: Expr, c: readonly number[]): Expr {
  let sum: Expr = f(x, c[0]);
  for (let n = 1; n < c.length; n++) sum = L.fma(sum, x, f(x, c[n]));
  return sum;
}

/** 2^n for a whole number n that an exponent can be. */
export function powerOfTwo(n: Expr): Expr {
  const { bias, mantissaBits } = formatOf(n);
  return floatOf(L.binary('shl', L.add(n, i(n, bias)), L.int(mantissaBits)));
}

/** The whole number nearest to x · factor, as a float and, by the format's rounder, in the low bits of `shifted`. */
export function nearestMultiple(
  x: Expr,
  factor: number,
  bind: Bind,
  { rounder } = formatOf(x) as { rounder: number },
): { n: Expr; shifted: Expr } {
  const shifted = bind('shifted', L.fma(x, f(x, factor), f(x, rounder)));
  return { n: bind('n', L.sub(shifted, f(x, rounder))), shifted };
}

/** The whole number in `shifted`, by the format's rounder, as an integer. */
export const countOf = (shifted: Expr): Expr => L.sub(bitsOf(shifted), i(shifted, formatOf(shifted).rounderBits));

/** A small whole number as a float: vectors have no conversion from integers of 64 bits. */
export function floatOfCount(n: Expr): Expr {
  if (n.type !== 'i64') return L.convert('i32.f32', n);
  const { rounder, rounderBits } = FORMATS.f64;
  return L.sub(floatOf(L.add(n, i(n, rounderBits))), f(n, rounder));
}

/** a·b = p + e exactly (Dekker), for products that neither overflow nor underflow. */
export function twoProduct(a: Expr, b: Expr, bind: Bind): { p: Expr; e: Expr } {
  const p = bind('p', L.mul(a, b));
  const split = (x: Expr) => {
    const t = bind('t', L.mul(x, f(x, x.type === 'f64' ? 134217729 : 4097)));
    const high = bind('high', L.sub(t, bind('u', L.sub(t, x))));
    return { high, low: bind('low', L.sub(x, high)) };
  };
  const [x, y] = [split(a), split(b)];
  const first = bind('e', L.sub(L.mul(x.high, y.high), p));
  const second = bind('e', L.add(first, L.mul(x.high, y.low)));
  const third = bind('e', L.add(second, L.mul(x.low, y.high)));
  return { p, e: bind('e', L.add(third, L.mul(x.low, y.low))) };
}

/** a + b = s + e exactly (Knuth). */
export function twoSum(a: Expr, b: Expr, bind: Bind): { s: Expr; e: Expr } {
  const s = bind('s', L.add(a, b));
  const v = bind('v', L.sub(s, a));
  return { s, e: bind('e', L.add(L.sub(a, L.sub(s, v)), L.sub(b, v))) };
}
