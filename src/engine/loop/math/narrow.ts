// Numbers of sixteen bits and of eight: what their bits mean, and the bits of the nearest one (of two the even one).
//   float16 is IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction. bfloat16 is the upper half of a float32.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import { type Bind, abs, bitsOf, f, floatOf, lowBits, shiftLeft, shiftRight } from './basics.js';

const whole = (x: Expr, value: number): Expr => L.literal(value, 'i32', x.lanes);

/** float32 of the bits of a float16: exponent and fraction stand where a float32's do, 112 too low. */
export function halfValue(bits: Expr, bind: Bind): Expr {
  const size = bind('size', shiftLeft(lowBits(bits, 0x7fff), 13));
  const scaled = bitsOf(L.mul(floatOf(size), L.literal(2 ** 112, 'f32', bits.lanes)));
  const isSpecial = L.compare('le', whole(bits, 0x7c00 << 13), size); // ∞ and NaN keep the largest exponent
  const magnitude = L.select(isSpecial, L.binary('or', size, whole(bits, 0x7f800000)), scaled);
  return floatOf(L.binary('or', magnitude, shiftLeft(lowBits(bits, 0x8000), 16)));
}

/** The bits of the float16 next to a float32. */
export function halfBits(x: Expr, bind: Bind): Expr {
  const bits = bind('bits', bitsOf(x));
  const size = bind('size', lowBits(bits, 0x7fffffff));
  const odd = lowBits(shiftRight(size, 13), 1);
  const normal = shiftRight(L.add(L.add(size, whole(x, 0xfff - 0x38000000)), odd), 13);
  // Below the normal numbers they are whole multiples of 2⁻²⁴, which is what is left of float32 beside ½.
  const small = L.sub(bitsOf(L.add(abs(x), f(x, 0.5))), whole(x, 0x3f000000));
  const finite = L.select(L.compare('lt', size, whole(x, 0x38800000)), small, normal);
  const special = L.select(L.compare('lt', whole(x, 0x7f800000), size), whole(x, 0x7e00), whole(x, 0x7c00));
  const magnitude = L.select(L.compare('lt', size, whole(x, 0x47800000)), finite, special);
  return L.binary('or', magnitude, lowBits(shiftRight(bits, 16), 0x8000));
}

export function brainValue(bits: Expr): Expr {
  return floatOf(shiftLeft(bits, 16));
}

export function brainBits(x: Expr, bind: Bind): Expr {
  const bits = bind('bits', bitsOf(x));
  const odd = lowBits(shiftRight(bits, 16), 1);
  const rounded = shiftRight(L.add(L.add(bits, whole(x, 0x7fff)), odd), 16);
  const quiet = L.binary('or', shiftRight(bits, 16), whole(x, 0x40));
  return L.select(L.compare('eq', x, x), rounded, quiet);
}
