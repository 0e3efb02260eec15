// Sine, cosine and tangent, for angles of any size. Range reductions follow Cody and Waite, and Payne and Hanek (1983).

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import {
  type Bind,
  FORMATS,
  abs,
  bitsOf,
  countOf,
  div,
  f,
  floatOf,
  floatOfCount,
  floatType,
  formatOf,
  i,
  keepingZero,
  lowBits,
  nearestMultiple,
  neg,
  polynomial,
  powerOfTwo,
  seldom,
  shiftLeft,
  shiftRight,
  twoProduct,
  twoSum,
} from './basics.js';
import { COS, MOST_ANGLE, PI_HALF, PI_HALF_LOW, SIN, TWO_OVER_PI_WORDS } from './coefficients.js';

/** An angle modulo π/2: x = quadrant·π/2 + r + low, |r| ≤ π/4; of float32 r is exact enough alone. */
interface Reduced {
  readonly r: Expr;
  readonly low?: Expr;
  readonly quadrant: Expr;
}

/** 2/π without the point, after 16 zeros: what angles up to the largest float32 can need. */
const TWO_OVER_PI = (() => {
  const digits = `0000${'a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163ab'}`;
  return (byte: number): number => Number.parseInt(digits.slice(2 * byte, 2 * byte + 8), 16) | 0;
})();
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
function reduceHuge(x: Expr, bind: Bind): Reduced {
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
  const small = L.fma(sum, f(x, 2 ** -30 * PI_HALF_LOW.f32), L.mul(lost, f(x, half)));
  const size = bind('size', L.fma(sum, f(x, half), small));
  const isNegative = bind('negative', L.compare('lt', x, f(x, 0)));
  return {
    r: L.add(L.select(isNegative, neg(size), size), L.sub(x, x)), // NaN of an infinite x
    quadrant: L.select(isNegative, L.sub(i(x, 0), quarters), quarters),
  };
}

/** Words of 2/π that one angle needs. */
const WORDS = 8;

/** words[from], words[from + 1], …, by the bits of `from`: those that are not reached any more are left out. */
function wordsFrom(from: Expr, words: readonly number[], bind: Bind): Expr[] {
  const width = 2 ** Math.ceil(Math.log2(words.length));
  let level: Expr[] = Array.from({ length: width }, (_, k) => f(from, words[k] ?? 0));
  for (let bit = width / 2; bit >= 1; bit /= 2) {
    const isSet = bind('bit', L.compare('ne', lowBits(from, bit), i(from, 0)));
    const left = Math.min(bit - 1 + WORDS, level.length);
    level = Array.from({ length: left }, (_, k) =>
      bind('word', L.select(isSet, level[k + bit] ?? f(from, 0), level[k])),
    );
  }
  return level.slice(0, WORDS);
}

/**
 * As reduceHuge, for float64: |x| = m·2^s, and 2/π = Σ words[k]·2^(−24(k + 1)). Words whose products are multiples of 4 are
 * passed over; the products of the next eight with the halves of m are exact, and so are their remainders by 4.
 */
function reduceHuge64(x: Expr, bind: Bind): Reduced {
  const { mantissaMask, rounder } = FORMATS.f64;
  const bits = bind('bits', bitsOf(abs(x)));
  const s = bind('s', floatOfCount(L.sub(shiftRight(bits, 52), i(x, 1075))));
  const skipped = L.unary('floor', div(L.sub(s, f(x, 2)), f(x, 24)));
  const first = bind('first', L.select(L.compare('lt', skipped, f(x, 0)), f(x, 0), skipped));
  const words = wordsFrom(bind('from', countOf(L.add(first, f(x, rounder)))), TWO_OVER_PI_WORDS, bind);
  const power = countOf(L.add(L.fma(first, f(x, -24), s), f(x, rounder)));
  const unit = bind('unit', powerOfTwo(power));
  const m = bind('m', floatOf(L.binary('or', lowBits(bits, mantissaMask), i(x, 1075 * 2 ** 52))));
  const high = bind('high', floatOf(L.binary('and', bitsOf(m), i(x, -(2 ** 26)))));
  const halves = [high, bind('low', L.sub(m, high))].map((half) => bind('half', L.mul(half, unit)));
  let sum: { s: Expr; e: Expr } = { s: f(x, 0), e: f(x, 0) };
  for (let k = WORDS - 1; k >= 0; k--) {
    for (const half of [...halves].reverse()) {
      const product = bind('product', L.mul(half, L.mul(words[k], f(x, 2 ** (-24 * (k + 1))))));
      const fours = L.unary('floor', L.mul(product, f(x, 0.25)));
      const part = bind('part', L.fma(fours, f(x, -4), product));
      const next = twoSum(sum.s, part, bind);
      sum = { s: next.s, e: bind('e', L.add(sum.e, next.e)) };
    }
  }
  const whole = bind('whole', L.unary('nearest', sum.s));
  const rest = twoSum(bind('fraction', L.sub(sum.s, whole)), sum.e, bind);
  const product = twoProduct(rest.s, f(x, Math.PI / 2), bind);
  const tail = L.fma(rest.s, f(x, PI_HALF_LOW.f64), L.fma(rest.e, f(x, Math.PI / 2), product.e));
  const size = twoSum(product.p, bind('tail', tail), bind);
  const quarters = bind('quarters', countOf(L.add(whole, f(x, rounder))));
  const isNegative = bind('negative', L.compare('lt', x, f(x, 0)));
  return {
    r: L.add(L.select(isNegative, neg(size.s), size.s), L.sub(x, x)), // NaN of an infinite x
    low: L.select(isNegative, neg(size.e), size.e),
    quadrant: L.select(isNegative, L.sub(i(x, 0), quarters), quarters),
  };
}

function reduceAngle(x: Expr, bind: Bind): Reduced {
  const type = floatType(x);
  const { n, shifted } = nearestMultiple(x, 2 / Math.PI, bind);
  const isHuge = bind('huge', L.compare('lt', f(x, MOST_ANGLE[type]), abs(x)));
  if (type === 'f32') {
    let near = x;
    for (const part of PI_HALF.f32) near = bind('r', L.fma(n, f(x, -part), near));
    const [r, quadrant] = seldom(isHuge, [near, countOf(shifted)], bind, (inner) => {
      const huge = reduceHuge(x, inner);
      return [huge.r, huge.quadrant];
    });
    return { r, quadrant };
  }
  // x − n·p₁ and n·p₂ are exact; what their difference loses, and n·p₃, are in `low`.
  const [p1, p2, p3] = PI_HALF.f64;
  const first = bind('r', L.fma(n, f(x, -p1), x));
  const near = twoSum(first, bind('second', L.mul(n, f(x, -p2))), bind);
  const { s, e } = twoSum(near.s, bind('rest', L.fma(n, f(x, -p3), near.e)), bind);
  const [r, low, quadrant] = seldom(isHuge, [s, e, countOf(shifted)], bind, (inner) => {
    const huge = reduceHuge64(x, inner);
    return [huge.r, huge.low as Expr, huge.quadrant];
  });
  return { r, low, quadrant };
}

/** sin and cos of a reduced angle. */
function sineAndCosine({ r, low }: Reduced, bind: Bind): { s: Expr; c: Expr } {
  const type = floatType(r);
  const z = bind('z', L.mul(r, r));
  const cubic = L.mul(polynomial(z, SIN[type]), z);
  const square = L.fma(z, f(r, -0.5), f(r, 1));
  if (low === undefined) return { s: L.fma(cubic, r, r), c: L.fma(polynomial(z, COS[type]), L.mul(z, z), square) };
  const rest = L.fma(polynomial(z, COS[type]), L.mul(z, z), neg(L.mul(r, low)));
  // 1 − z/2 is rounded: what that has lost comes back
  const half = bind('half', L.mul(z, f(r, 0.5)));
  const coarse = bind('coarse', L.sub(f(r, 1), half));
  const lost = L.sub(L.sub(f(r, 1), coarse), half);
  return { s: L.add(r, L.fma(cubic, r, L.mul(low, square))), c: L.add(coarse, L.add(lost, rest)) };
}

const isOdd = (n: Expr): Expr => L.compare('ne', lowBits(n, 1), i(n, 0));

/** sin(x + quarter·π/2) */
function sine(x: Expr, quarter: number, bind: Bind): Expr {
  const reduced = reduceAngle(x, bind);
  const { s, c } = sineAndCosine(reduced, bind);
  const q = bind('q', L.add(reduced.quadrant, i(x, quarter)));
  const flip = shiftLeft(lowBits(q, 2), formatOf(x).bits - 2);
  return floatOf(L.binary('xor', bitsOf(L.select(isOdd(q), c, s)), flip));
}

export const sin = (x: Expr, bind: Bind): Expr => keepingZero(x, sine(x, 0, bind));
export const cos = (x: Expr, bind: Bind): Expr => sine(x, 1, bind);

export function tan(x: Expr, bind: Bind): Expr {
  const reduced = reduceAngle(x, bind);
  const parts = sineAndCosine(reduced, bind);
  const [s, c] = [bind('s', parts.s), bind('c', parts.c)];
  const odd = bind('odd', isOdd(reduced.quadrant));
  return keepingZero(x, div(L.select(odd, neg(c), s), L.select(odd, s, c)));
}
