// Builders: the one way from operands to a node. Each checks shapes and dtypes, infers the result, simplifies what is
// certain (x + 0, x · 1, a reshape of a reshape), and creates the interned node.
// Input: nodes and plain arguments with non-negative axes; output: a node. Derivative rules and the tensor layer use these.
// Numbers are never computed here, except that constants fold.

export type { ArithmeticOp, BitOp, ComparisonOp, OpArgs } from './op.js';
export { leaf, constant, scalar, iota, random, constantValue } from './build/leaves.js';
export {
  reshape,
  permute,
  transposeLast,
  expand,
  filled,
  pad,
  slice,
  sliceAxis,
  flip,
  windowCount,
  windowOutput,
  window,
  gather,
} from './build/movement.js';
export { numberLike } from './build/numbers.js';
export { UNARY_DTYPES, unary, binary, add, sub, mul, div, neg, where, cast, bitcast } from './build/maps.js';
export { reduce, sum, sumTo, fold, cumsum, running, argsort } from './build/reductions.js';
export { concat, matmul, conv, convInput, convWeight, scatterAdd, scatterCombine } from './build/combine.js';
export { detach, copy, variable, custom } from './build/control.js';
export { dense, densePart } from './build/dense.js';
