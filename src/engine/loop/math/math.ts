// Transcendental functions in the loop IR: polynomials over basic operations, for any number of lanes, in float32 and float64, and
// the same on every target. Nothing here relies on `fma` being fused: it may or may not be, and results stay within the stated
// error either way. There are no branches but one kind (`seldom`): what ordinary arguments do not need (an angle of a million, a
// quotient of 10⁹) is computed only where a vector has such an element.
// Input: an expression and `bind`, which names a subexpression (and so has it computed once). Output: an expression.
// test/range-sweep.test.ts has the error of each over all exponents, docs/tensors.md the table.

export { type Bind, binder } from './basics.js';
export { type Range, cosh, exp, expm1, sigmoid, sinh, tanh } from './exp.js';
export { log, log10, log1p, log2, pow } from './log.js';
export { cos, sin, tan } from './angles.js';
export { acos, asin, atan } from './arcs.js';
export { erf } from './erf.js';
export { floorDivide, mod } from './remainder.js';
export { threefry2x32 } from './random.js';
