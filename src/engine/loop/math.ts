// Transcendental functions in the loop IR: polynomials over basic operations, for any number of lanes and the same on every
// target. Nothing here relies on `fma` being fused: it may or may not be, and results stay within the stated error either way.
// There are no branches but one kind (`seldom`): what ordinary arguments do not need (an angle of a million, a quotient of 10⁹)
// is computed only where a vector has such an element.
// Input: an expression and `bind`, which names a subexpression (and so has it computed once). Output: an expression.
// Range reductions follow Cody and Waite; the polynomials for log, sin, cos, tanh and atan are those of S. Moshier's Cephes
// library (single precision), the one for erf is N. Juffa's, those for exp, sinh and asin are tools/polynomials' own.
// test/range-sweep.test.ts has the error of each over all exponents, docs/tensors.md the table.

import * as L from './loop.js';
import type { Expr, Stmt, Var } from './loop.js';

type Name = (name: string, value: Expr) => Expr;

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
function changing(name: string, value: Expr, { body }: Bind): Var {
  const v = L.variable(name, value.type, value.lanes);
  body.push(L.define(v, value, true));
  return v;
}

/** The values; but where the condition holds, what `make` makes, which is computed only if it holds in some lane. */
function seldom(condition: Expr, values: readonly Expr[], bind: Bind, make: (bind: Bind) => readonly Expr[]): Expr[] {
  const results = values.map((value) => changing('result', value, bind));
  const inner = binder([]);
  const others = make(inner).map((other) => inner('other', other));
  others.forEach((other, k) => inner.body.push(L.set(results[k], L.select(condition, other, results[k]))));
  bind.body.push(L.when(L.any(condition), inner.body));
  return results;
}

const f = (x: Expr, value: number): Expr => L.literal(value, 'f32', x.lanes);
const i = (x: Expr, value: number): Expr => L.literal(value, 'i32', x.lanes);
const bitsOf = (x: Expr): Expr => L.convert('bits.f32.i32', x);
const floatOf = (x: Expr): Expr => L.convert('bits.i32.f32', x);
const abs = (x: Expr): Expr => L.unary('abs', x);
const neg = (x: Expr): Expr => L.unary('neg', x);
const div = (a: Expr, b: Expr): Expr => L.binary('div', a, b);

/** c[0]·x^n + … + c[n] */
function polynomial(x: Expr, c: readonly number[]): Expr {
  let sum: Expr = f(x, c[0]);
  for (let n = 1; n < c.length; n++) sum = L.fma(sum, x, f(x, c[n]));
  return sum;
}

/** 2^n for a whole number n between -126 and 127. */
function powerOfTwo(n: Expr): Expr {
  return floatOf(L.binary('shl', L.add(n, i(n, 127)), L.int(23)));
}

const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2, to 4e-9 of e^r. */
const EXP = [1.381444163e-3, 8.368731476e-3, 4.166838527e-2, 1.666652113e-1, 4.999999404e-1];

/** 1.5 · 2²³: adding it leaves the nearest whole number in the low bits of the sum. */
const ROUNDER = 12582912;
const ROUNDER_BITS = 0x4b400000;
/** The same for a number that becomes an exponent in two parts, each of them 127 more than it stands for (`scale`). */
const EXPONENT_ROUNDER = ROUNDER + 2 * 127;

/** The whole number nearest to x · factor, as a float and as an integer, for products below 2²². */
function nearestMultiple(x: Expr, factor: number, bind: Bind, rounder = ROUNDER): { n: Expr; shifted: Expr } {
  const shifted = bind('shifted', L.fma(x, f(x, factor), f(x, rounder)));
  return { n: bind('n', L.sub(shifted, f(x, rounder))), shifted };
}

/** The whole number in `shifted`, by ROUNDER, as an integer. */
const countOf = (shifted: Expr): Expr => L.sub(bitsOf(shifted), i(shifted, ROUNDER_BITS));

/** x = n·ln 2 + r with |r| ≤ ln 2 / 2. */
function reduceExp(x: Expr, bind: Bind, rounder = ROUNDER): { shifted: Expr; r: Expr } {
  const { n, shifted } = nearestMultiple(x, Math.LOG2E, bind, rounder);
  const r = L.fma(n, f(x, -LN2_LOW), L.fma(n, f(x, -LN2_HIGH), x));
  return { shifted, r: bind('r', r) };
}

/** The smaller and the larger of x and a constant; NaN stays NaN. */
const atMost = (x: Expr, value: number): Expr => L.select(L.compare('lt', f(x, value), x), f(x, value), x);
const atLeast = (x: Expr, value: number): Expr => L.select(L.compare('lt', x, f(x, value)), f(x, value), x);

/** value · 2^count in two steps, so that results in the denormal range and overflow come out right. */
function scale(value: Expr, count: Expr, bind: Bind): Expr {
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

/** Beyond these exp is 0 or infinite whatever its argument is. */
const LEAST_EXP = -104;
const MOST_EXP = 90;

/** What is known of an argument besides that it may be NaN. */
export interface Range {
  readonly least?: number;
  readonly most?: number;
}

/** What is 0 (of a masked score, say) is scaled as 0: a product too small for a float takes processors a hundred cycles. */
export function exp(x: Expr, bind: Bind, { least = -Infinity, most = Infinity }: Range = {}, halvings = 0): Expr {
  const below = most <= MOST_EXP ? x : bind('x', atMost(x, MOST_EXP));
  const isBounded = least >= LEAST_EXP;
  const inside = isBounded ? below : bind('x', atLeast(below, LEAST_EXP));
  const { shifted, r } = reduceExp(inside, bind, EXPONENT_ROUNDER);
  const value = polynomial(r, [...EXP, 1, 1]);
  const isZero = L.compare('lt', below, f(x, LEAST_EXP));
  const exponent = halvings === 0 ? shifted : L.sub(shifted, f(x, halvings));
  return L.binary('scale', isBounded ? value : L.select(isZero, f(x, 0), value), exponent);
}

export function expm1(x: Expr, bind: Bind): Expr {
  // 2^n·(e^r − 1) + (2^n − 1), with 2^n taken out so that large n do not overflow before they must.
  const clamped = bind('x', atLeast(bind('x', atMost(x, 90)), -20));
  const { shifted, r } = reduceExp(clamped, bind);
  const count = bind('count', countOf(shifted));
  const small = bind('small', L.fma(polynomial(r, EXP), L.mul(r, r), r));
  const inverse = powerOfTwo(L.sub(i(x, 0), L.binary('min', count, i(x, 126))));
  const result = scale(bind('y', L.add(small, L.sub(f(x, 1), inverse))), count, bind);
  return L.select(L.compare('eq', x, f(x, 0)), x, result); // keeps −0
}

const SQRT_HALF = Math.SQRT1_2;
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];

/** x = 2^e·m with m in [√½, √2), for positive x; denormal x included. */
function splitExponent(x: Expr, bind: Bind): { e: Expr; m: Expr } {
  const isSmall = bind('small', L.compare('lt', x, f(x, 1.17549435e-38)));
  const normal = bind('normal', L.select(isSmall, L.mul(x, f(x, 8388608)), x));
  const bits = bind('bits', bitsOf(normal));
  const exponent = L.sub(L.binary('and', L.binary('shrs', bits, L.int(23)), i(x, 255)), i(x, 126));
  const e = bind('e', L.sub(L.convert('i32.f32', exponent), L.select(isSmall, f(x, 23), f(x, 0))));
  const m = bind('m', floatOf(L.binary('or', L.binary('and', bits, i(x, 0x7fffff)), i(x, 0x3f000000))));
  const low = bind('low', L.compare('lt', m, f(x, SQRT_HALF)));
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
  return { e, r, z, cubic: L.mul(L.mul(polynomial(r, LOG), r), z) };
}

export function log(x: Expr, bind: Bind): Expr {
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = L.fma(e, f(x, LN2_LOW), cubic);
  const sum = L.add(r, L.fma(z, f(x, -0.5), tail));
  const finite = bind('log', L.fma(e, f(x, LN2_HIGH), sum));
  return logSpecial(x, finite);
}

/** e + log(1 + r)·log2 e, the factor as 1 and what is left of it: exact for powers of two. */
export function log2(x: Expr, bind: Bind): Expr {
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = bind('tail', L.fma(z, f(x, -0.5), cubic));
  const rest = L.fma(r, f(x, Math.LOG2E - 1), L.fma(tail, f(x, Math.LOG2E - 1), tail));
  return logSpecial(x, bind('log', L.add(e, L.add(r, rest))));
}

/** log10 2 and log10 e, each as a number of a few bits and the rest. */
const [LOG10_2, LOG10_E] = [0.30078125, 0.43359375];

export function log10(x: Expr, bind: Bind): Expr {
  const { e, r, z, cubic } = reduceLog(x, bind);
  const tail = bind('tail', L.fma(z, f(x, -0.5), cubic));
  let sum = L.mul(L.add(r, tail), f(x, Math.LOG10E - LOG10_E));
  sum = L.fma(tail, f(x, LOG10_E), sum);
  sum = L.fma(r, f(x, LOG10_E), L.fma(e, f(x, Math.log10(2) - LOG10_2), sum));
  return logSpecial(x, bind('log', L.fma(e, f(x, LOG10_2), sum)));
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

/** π/2 in parts whose products with a whole number below 2¹² are exact (12 bits each), and the rest. */
const PI_HALF = [1.5703125, 4.837512969970703125e-4, 7.549533620476723e-8, 2.5633440682570896e-12];
/** Up to here the parts above are exact enough. */
const MOST_ANGLE = 6000;
/** 2/π without the point, after 16 zeros: what angles up to the largest float32 can need. */
const TWO_OVER_PI = (() => {
  const digits = `0000${'a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163ab'}`;
  return (byte: number): number => Number.parseInt(digits.slice(2 * byte, 2 * byte + 8), 16) | 0;
})();
const SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

const shiftLeft = (x: Expr, by: number): Expr => L.binary('shl', x, L.int(by));
const shiftRight = (x: Expr, by: number): Expr => L.binary('shru', x, L.int(by));
const lowBits = (x: Expr, mask: number): Expr => L.binary('and', x, i(x, mask));

/** The upper 32 bits of the product of two numbers of 32 bits without sign. */
function upperProduct(a: Expr, b: Expr, bind: Bind): Expr {
  const [aHigh, aLow] = [bind('ah', shiftRight(a, 16)), bind('al', lowBits(a, 0xffff))];
  const [bHigh, bLow] = [bind('bh', shiftRight(b, 16)), bind('bl', lowBits(b, 0xffff))];
  const u = bind('u', L.add(L.mul(aHigh, bLow), shiftRight(L.mul(aLow, bLow), 16)));
  const v = bind('v', L.add(L.mul(aLow, bHigh), lowBits(u, 0xffff)));
  return L.add(L.mul(aHigh, bHigh), L.add(shiftRight(u, 16), shiftRight(v, 16)));
}

/** table[at] for 0 ≤ at < 16, by the bits of `at`. */
function fromTable(at: Expr, table: readonly number[], bind: Bind): Expr {
  let level = table.map((value) => i(at, value));
  for (let bit = 1; level.length > 1; bit <<= 1) {
    const isSet = bind('bit', L.compare('ne', lowBits(at, bit), i(at, 0)));
    level = Array.from({ length: level.length / 2 }, (_, k) =>
      bind('word', L.select(isSet, level[2 * k + 1], level[2 * k])),
    );
  }
  return level[0];
}

/**
 * x modulo π/2 for any x above 4096, by the bits of 2/π (Payne and Hanek 1983): |x| = m·2^s, and of m·2^s·(2/π) only what is
 * below 4 matters. That is m·2^t times 96 bits of 2/π from a byte on, as s + 14 = 8·byte + t, modulo 2⁹⁶.
 */
function reduceHuge(x: Expr, bind: Bind): { r: Expr; quadrant: Expr } {
  const bits = bind('bits', bitsOf(x));
  const position = bind('position', L.sub(lowBits(shiftRight(bits, 23), 255), i(x, 136)));
  const byte = bind('byte', shiftRight(position, 3));
  const power = L.convert('f32.i32', powerOfTwo(lowBits(position, 7)));
  const mantissa = L.binary('or', lowBits(bits, 0x7fffff), i(x, 0x800000));
  const m = bind('m', L.mul(mantissa, power));
  const word = (n: number): Expr => {
    const words = Array.from({ length: 16 }, (_, k) => TWO_OVER_PI(k + 4 * n));
    return fromTable(byte, words, bind);
  };
  const [first, second, third] = [0, 1, 2].map(word);
  const middle = bind('middle', L.mul(m, second));
  const low = bind('low', L.add(middle, upperProduct(m, third, bind)));
  // as numbers without sign: the sum is smaller than a term where it has wrapped around
  const turned = (v: Expr): Expr => L.binary('xor', v, i(x, -0x80000000));
  const carry = L.select(L.compare('lt', turned(low), turned(middle)), i(x, 1), i(x, 0));
  const high = bind('high', L.add(L.add(L.mul(m, first), upperProduct(m, second, bind)), carry));
  // high and low are quarters in units of 2⁻³⁰ and 2⁻⁶²; the nearest whole number of them goes.
  const quarters = shiftRight(L.add(high, i(x, 0x20000000)), 30);
  const part = bind('part', L.binary('shrs', shiftLeft(high, 2), L.int(2)));
  const fine = L.fma(
    L.convert('i32.f32', shiftRight(low, 8)),
    f(x, 2 ** -24),
    L.convert('i32.f32', lowBits(part, 0xfff)),
  );
  const coarse = bind('coarse', L.convert('i32.f32', L.binary('and', part, i(x, -0x1000))));
  const fineSum = bind('fine', fine);
  const sum = bind('sum', L.add(coarse, fineSum));
  const lost = L.add(L.sub(coarse, sum), fineSum);
  const half = 2 ** -30 * Math.fround(Math.PI / 2);
  const small = L.fma(sum, f(x, 2 ** -30 * PI_HALF_LOW), L.mul(lost, f(x, half)));
  const size = bind('size', L.fma(sum, f(x, half), small));
  const isNegative = bind('negative', L.compare('lt', x, f(x, 0)));
  return {
    r: L.add(L.select(isNegative, neg(size), size), L.sub(x, x)), // NaN of an infinite x
    quadrant: L.select(isNegative, L.sub(i(x, 0), quarters), quarters),
  };
}

/** x = quadrant·π/2 + r with |r| ≤ π/4. */
function reduceAngle(x: Expr, bind: Bind): { r: Expr; quadrant: Expr } {
  const { n, shifted } = nearestMultiple(x, 2 / Math.PI, bind);
  let near = x;
  for (const part of PI_HALF) near = bind('r', L.fma(n, f(x, -part), near));
  const isHuge = bind('huge', L.compare('lt', f(x, MOST_ANGLE), abs(x)));
  const [r, quadrant] = seldom(isHuge, [near, countOf(shifted)], bind, (inner) => {
    const huge = reduceHuge(x, inner);
    return [huge.r, huge.quadrant];
  });
  return { r, quadrant };
}

/** sin r and cos r for |r| ≤ π/4. */
function sineAndCosine(r: Expr, bind: Bind): { s: Expr; c: Expr } {
  const z = bind('z', L.mul(r, r));
  return {
    s: L.fma(L.mul(polynomial(z, SIN), z), r, r),
    c: L.fma(polynomial(z, COS), L.mul(z, z), L.fma(z, f(r, -0.5), f(r, 1))),
  };
}

const isOdd = (n: Expr): Expr => L.compare('ne', lowBits(n, 1), i(n, 0));

/** x where x is 0: keeps the sign of a zero. */
const keepingZero = (x: Expr, value: Expr): Expr => L.select(L.compare('eq', x, f(x, 0)), x, value);

/** sin(x + quarter·π/2) */
function sine(x: Expr, quarter: number, bind: Bind): Expr {
  const { r, quadrant } = reduceAngle(x, bind);
  const { s, c } = sineAndCosine(r, bind);
  const q = bind('q', L.add(quadrant, i(x, quarter)));
  const flip = shiftLeft(lowBits(q, 2), 30);
  return floatOf(L.binary('xor', bitsOf(L.select(isOdd(q), c, s)), flip));
}

export const sin = (x: Expr, bind: Bind): Expr => keepingZero(x, sine(x, 0, bind));
export const cos = (x: Expr, bind: Bind): Expr => sine(x, 1, bind);

export function tan(x: Expr, bind: Bind): Expr {
  const { r, quadrant } = reduceAngle(x, bind);
  const parts = sineAndCosine(r, bind);
  const [s, c] = [bind('s', parts.s), bind('c', parts.c)];
  const odd = bind('odd', isOdd(quadrant));
  return keepingZero(x, div(L.select(odd, neg(c), s), L.select(odd, s, c)));
}

/** (sinh x − x) / x³ for |x| ≤ 1, in powers of x². */
const SINH = [2.816951337e-6, 1.983615948e-4, 8.3333496e-3, 1.666666716e-1];

/** e^a/2 for a ≥ 0, which overflows where sinh and cosh do. */
const halfExp = (a: Expr, bind: Bind): Expr => bind('half', exp(a, bind, { least: 0 }, 1));

export function sinh(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  const z = bind('z', L.mul(a, a));
  const small = L.fma(L.mul(polynomial(z, SINH), z), a, a);
  const half = halfExp(a, bind);
  const large = L.sub(half, div(f(x, 0.25), half));
  return withSign(L.select(L.compare('lt', a, f(x, 1)), small, large), x);
}

export function cosh(x: Expr, bind: Bind): Expr {
  const half = halfExp(bind('a', abs(x)), bind);
  return L.add(half, div(f(x, 0.25), half));
}

const TANH = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

/** The magnitude of `value` with the sign of `x`. */
function withSign(value: Expr, x: Expr): Expr {
  return floatOf(L.binary('or', bitsOf(value), L.binary('and', bitsOf(x), i(x, -0x80000000))));
}

export function tanh(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
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

/** What float32 leaves out of π/2. */
const PI_HALF_LOW = Math.PI / 2 - Math.fround(Math.PI / 2);
/** (asin s − s) / s³ for s ≤ ½, in powers of s². */
const ASIN = [4.216630757e-2, 2.41795145e-2, 4.547037557e-2, 7.495297492e-2, 1.66667521e-1];

/** Of a = |x|: whether it is above ½, and asin a if it is not, else half of acos a, as asin √((1 − a)/2). */
function reduceAsin(x: Expr, bind: Bind): { far: Expr; y: Expr } {
  const a = bind('a', abs(x));
  const far = bind('far', L.compare('lt', f(x, 0.5), a));
  const z = bind('z', L.select(far, L.mul(L.sub(f(x, 1), a), f(x, 0.5)), L.mul(a, a)));
  const s = bind('s', L.select(far, L.unary('sqrt', z), a));
  return { far, y: bind('y', L.fma(L.mul(polynomial(z, ASIN), z), s, s)) };
}

export function asin(x: Expr, bind: Bind): Expr {
  const { far, y } = reduceAsin(x, bind);
  const beyond = L.add(L.sub(f(x, Math.PI / 2), L.add(y, y)), f(x, PI_HALF_LOW));
  return withSign(L.select(far, beyond, y), x);
}

export function acos(x: Expr, bind: Bind): Expr {
  const { far, y } = reduceAsin(x, bind);
  const twice = L.add(y, y);
  const isNegative = L.compare('lt', x, f(x, 0));
  const beyond = L.select(isNegative, L.add(L.sub(f(x, Math.PI), twice), f(x, 2 * PI_HALF_LOW)), twice);
  const middle = L.sub(f(x, Math.PI / 2), L.sub(withSign(y, x), f(x, PI_HALF_LOW)));
  return L.select(far, beyond, middle);
}

const ATAN = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];

/** What float32 leaves out of π/4. */
const QUARTER_PI_LOW = -2.18556950834e-8;

export function atan(x: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  const far = bind('far', L.compare('lt', f(x, 2.414213562373095), a));
  const middle = bind('middle', L.compare('lt', f(x, 0.4142135623730951), a));
  const shifted = L.select(middle, div(L.sub(a, f(x, 1)), L.add(a, f(x, 1))), a);
  const r = bind('r', L.select(far, div(f(x, -1), a), shifted));
  const base = L.select(far, f(x, Math.PI / 2), L.select(middle, f(x, Math.PI / 4), f(x, 0)));
  const z = bind('z', L.mul(r, r));
  const low = L.select(far, f(x, 2 * QUARTER_PI_LOW), L.select(middle, f(x, QUARTER_PI_LOW), f(x, 0)));
  const value = L.add(base, L.add(L.fma(L.mul(polynomial(z, ATAN), z), r, low), r));
  return L.select(L.compare('eq', x, x), withSign(value, x), x);
}

const ERF_SMALL = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1];

export function erf(x: Expr, bind: Bind): Expr {
  const t = bind('t', atMost(bind('a', abs(x)), 6)); // erf is 1 from 4 on
  const s = bind('s', L.mul(t, t));
  const low = L.fma(f(x, -3.88396438e-3), t, f(x, 2.42546219e-2));
  let r = L.fma(L.fma(f(x, -1.7285347e-5), t, f(x, 3.83197126e-4)), s, low);
  r = L.fma(r, t, f(x, -1.06777877e-1));
  r = L.fma(r, t, f(x, -6.34846687e-1));
  r = L.fma(r, t, f(x, -1.28717512e-1));
  r = bind('r', L.fma(r, t, neg(t)));
  const large = withSign(L.sub(f(x, 1), exp(r, bind, { least: -60, most: 0 })), x);
  const small = L.fma(polynomial(s, ERF_SMALL), x, x);
  return L.select(L.compare('lt', t, f(x, 0.927734375)), small, L.select(L.compare('eq', x, x), large, x));
}

// ---------------------------------------------------------------- pow, in pairs of floats

/** a·b = p + e exactly (Dekker), for products that neither overflow nor underflow. */
function twoProduct(a: Expr, b: Expr, bind: Bind): { p: Expr; e: Expr } {
  const p = bind('p', L.mul(a, b));
  const split = (x: Expr) => {
    const t = bind('t', L.mul(x, f(x, 4097)));
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
function twoSum(a: Expr, b: Expr, bind: Bind): { s: Expr; e: Expr } {
  const s = bind('s', L.add(a, b));
  const v = bind('v', L.sub(s, a));
  return { s, e: bind('e', L.add(L.sub(a, L.sub(s, v)), L.sub(b, v))) };
}

/** 2·atanh(s)/s − 2 in powers of s²: 2/3, 2/5, 2/7, … */
const ATANH = [0.2222222222, 0.2857142857, 0.4, 0.6666666667];

export function pow(x: Expr, y: Expr, bind: Bind): Expr {
  const a = bind('a', abs(x));
  const { e, m } = splitExponent(a, bind);
  // log m = 2·atanh(s), s = (m − 1) / (m + 1), as a pair of floats
  const num = bind('num', L.sub(m, f(x, 1)));
  const den = bind('den', L.add(m, f(x, 1)));
  const denLow = bind('denLow', L.sub(m, L.sub(den, f(x, 1))));
  const s = bind('s', div(num, den));
  const { p, e: pe } = twoProduct(s, den, bind);
  const sLow = bind('sLow', div(L.sub(L.sub(L.sub(num, p), pe), L.mul(s, denLow)), den));
  const z = bind('z', L.mul(s, s));
  const cubic = L.mul(L.mul(s, z), polynomial(z, ATANH));
  const { s: high, e: error } = twoSum(L.mul(e, f(x, LN2_HIGH)), L.add(s, s), bind);
  const low = L.add(L.add(error, L.add(L.add(sLow, sLow), cubic)), L.mul(e, f(x, LN2_LOW)));
  const { s: logHigh, e: logLow } = twoSum(high, bind('lowSum', low), bind);
  // y · log x; a huge y would overflow the exact product, and gives 0 or ∞ all the same
  const bounded = bind('y', atLeast(bind('y', atMost(y, 4e9)), -4e9));
  const { p: q, e: qe } = twoProduct(bounded, logHigh, bind);
  const exponent = bind('x', atLeast(bind('x', atMost(q, MOST_EXP)), LEAST_EXP));
  const extra = bind('qe', L.fma(bounded, logLow, qe));
  const { shifted, r } = reduceExp(exponent, bind);
  const count = bind('count', countOf(shifted));
  const inside = L.compare('eq', exponent, q);
  const rr = bind('r', L.add(r, L.select(inside, extra, f(x, 0))));
  const value = bind('v', L.add(L.fma(polynomial(rr, EXP), L.mul(rr, rr), rr), f(x, 1)));
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

/** Quotients up to here are exact enough to take the remainder at once. */
const MOST_QUOTIENT = 2 ** 22;
/** More than there are between the largest and the smallest float32. */
const MOST_DOUBLINGS = 280;

/** ⌊log2 a⌋ for a > 0. */
function exponentOf(a: Expr, bind: Bind): Expr {
  const isSmall = bind('small', L.compare('lt', a, f(a, 1.17549435e-38)));
  const bits = bitsOf(L.select(isSmall, L.mul(a, f(a, 8388608)), a));
  return L.sub(shiftRight(bits, 23), L.select(isSmall, i(a, 127 + 23), i(a, 127)));
}

/** a modulo b for a ≥ b > 0 by long division, a bit of the quotient after the other: all steps are exact. */
function longRemainder(a: Expr, b: Expr, bind: Bind): Expr {
  const doublings = bind('doublings', L.sub(exponentOf(a, bind), exponentOf(b, bind)));
  let multiple = b;
  let rest = doublings;
  for (let k = 0; k < 3; k++) {
    const step = bind('step', L.binary('max', L.binary('min', rest, i(a, 126)), i(a, 0)));
    multiple = bind('multiple', L.mul(multiple, powerOfTwo(step)));
    rest = bind('rest', L.sub(rest, step));
  }
  const r = changing('r', a, bind);
  const m = changing('m', multiple, bind);
  bind.body.push(
    L.loop(L.variable('bit', 'i32'), L.int(0), L.int(MOST_DOUBLINGS), 1, [
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
  const isNear = L.binary('and', L.compare('le', f(x, 2 ** -100), b), L.compare('le', b, f(x, 2 ** 100)));
  const isSmall = L.binary('and', isNear, L.compare('lt', q, f(x, MOST_QUOTIENT)));
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

// ---------------------------------------------------------------- random bits

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

/** Threefry-2x32 with 20 rounds (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011). */
export function threefry2x32(key0: Expr, key1: Expr, counter0: Expr, counter1: Expr, bind: Bind): [Expr, Expr] {
  const third = L.binary('xor', L.binary('xor', key0, key1), i(key0, 0x1bd11bda));
  const keys = [key0, key1, bind('k2', third)];
  let x0 = bind('x0', L.add(counter0, key0));
  let x1 = bind('x1', L.add(counter1, key1));
  for (let block = 0; block < 5; block++) {
    for (const turn of ROTATIONS[block % 2]) {
      x0 = bind('x0', L.add(x0, x1));
      const rotated = L.binary('or', L.binary('shl', x1, L.int(turn)), L.binary('shru', x1, L.int(32 - turn)));
      x1 = bind('x1', L.binary('xor', rotated, x0));
    }
    x0 = bind('x0', L.add(x0, keys[(block + 1) % 3]));
    x1 = bind('x1', L.add(L.add(x1, keys[(block + 2) % 3]), i(x1, block + 1)));
  }
  return [x0, x1];
}
