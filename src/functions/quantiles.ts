// The quantiles of the normal distribution, by rational functions of M. J. Wichura (1988, AS 241), the smallest power last: with them
// erfinv and ndtri are made.

import type { Node } from '../engine/ir/node.js';
import { div, polynomial } from './operands.js';

const MIDDLE = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
  133.14166789178438, 3.3871328727963665,
];
const MIDDLE_BELOW = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
  42.31333070160091, 1,
];
const TAIL = [
  7.745450142783414e-4, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const TAIL_BELOW = [
  1.0507500716444169e-9, 5.475938084995345e-4, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const FAR = [
  2.010334399292288e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.2965605718285049,
  1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const FAR_BELOW = [
  2.04426310338994e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 7.868691311456133e-4, 0.014875361290850615,
  0.1369298809227358, 0.599832206555888, 1,
];
const rational = (x: Node, above: readonly number[], below: readonly number[]): Node =>
  div(polynomial(x, above), polynomial(x, below));

/** Over p − ½, of 0.425² − (p − ½)². */
export const quantileNear = (x: Node): Node => rational(x, MIDDLE, MIDDLE_BELOW);
/** Of r − 1.6, for r = √(−log p) up to 5. */
export const quantileInTail = (x: Node): Node => rational(x, TAIL, TAIL_BELOW);
/** Of r − 5, for r above 5. */
export const quantileFarOut = (x: Node): Node => rational(x, FAR, FAR_BELOW);
