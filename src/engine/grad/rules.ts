// Derivatives on one screen: for each operator, one function per operand from the gradient g of the result to the
// gradient of that operand; null where there is none. Graph → graph with the builders, so that derivatives can be
// derived again. A rule may return a gradient of the broadcast shape: the walk (backward.ts) sums it to the operand's.
// At kinks the slope is PyTorch's. Not here: which operands need a gradient, accumulation, order.

import { GradError, type Indexed } from '../ir/errors.js';
import {
  add,
  binary,
  concat,
  constant,
  constantValue,
  conv,
  convInput,
  convWeight,
  cumsum,
  div,
  expand,
  filled,
  flip,
  fold,
  gather,
  iota,
  cast,
  matmul,
  mul,
  neg,
  pad,
  permute,
  reshape,
  scatterAdd,
  slice,
  sliceAxis,
  sub,
  sum,
  transposeLast,
  unary,
  where,
  window,
} from '../ir/build.js';
import type { Node } from '../ir/node.js';
import { indexedAs } from '../ir/place.js';
import type { BitOp, ComparisonOp, CompilerOp, LEAF_OPS, Op, OpArgs, WindowSpec } from '../ir/op.js';
import { type Shape, sameShape, sizeOf } from '../ir/shape.js';

/** Operators with a float operand that the result depends on smoothly almost everywhere. */
export type DifferentiableOp = Exclude<
  Op,
  (typeof LEAF_OPS)[number] | CompilerOp | ComparisonOp | BitOp | 'not' | 'bitcast' | 'argsort' | 'dense' | 'detach'
>;

type Slope<O extends Op> = (g: Node, src: readonly Node[], node: Node<O>) => Node;
/** One slope per operand, or all at once where the number of operands varies. */
export type Rule<O extends Op> =
  | readonly (Slope<O> | null)[]
  | ((g: Node, src: readonly Node[], node: Node<O>) => readonly (Node | null)[]);

const zero = (): Node => constant(0) as Node;
const one = (): Node => constant(1) as Node;
const times = (x: Node, factor: number): Node => mul(x, constant(factor) as Node);
const isZero = (x: Node): Node => binary('eq', x, zero());
/** 0 everywhere: the slope of a step function. */
const flat = (g: Node): Node => filled(0, g.shape, g.dtype);
const unitSteps = (x: Node): number[] => x.shape.map(() => 1);
const origin = (shape: Shape): number[] => shape.map(() => 0);
const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));

export const RULES = {
  neg: [(g) => neg(g)],
  recip: [(g, _, out) => neg(mul(g, mul(out, out)))],
  exp: [(g, _, out) => mul(g, out)],
  expm1: [(g, _, out) => mul(g, add(out, one()))],
  log: [(g, [x]) => div(g, x)],
  log1p: [(g, [x]) => div(g, add(x, one()))],
  log2: [(g, [x]) => div(g, times(x, Math.LN2))],
  log10: [(g, [x]) => div(g, times(x, Math.LN10))],
  sqrt: [(g, _, out) => div(g, times(out, 2))],
  sin: [(g, [x]) => mul(g, unary('cos', x))],
  cos: [(g, [x]) => neg(mul(g, unary('sin', x)))],
  tan: [(g, _, out) => mul(g, add(mul(out, out), one()))],
  sinh: [(g, [x]) => mul(g, unary('cosh', x))],
  cosh: [(g, [x]) => mul(g, unary('sinh', x))],
  tanh: [(g, _, out) => mul(g, sub(one(), mul(out, out)))],
  asin: [(g, [x]) => div(g, cosineOfAsin(x))],
  acos: [(g, [x]) => neg(div(g, cosineOfAsin(x)))],
  atan: [(g, [x]) => div(g, add(mul(x, x), one()))],
  erf: [(g, [x]) => mul(g, times(unary('exp', neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))],
  sigmoid: [(g, _, out) => mul(g, mul(out, sub(one(), out)))],
  relu: [(g, _, out) => where(binary('le', out, zero()), zero(), g)], // slope 0 at 0, 1 at NaN
  abs: [(g, [x]) => mul(g, unary('sign', x))], // slope 0 at 0 and NaN
  sign: [flat],
  floor: [flat],
  ceil: [flat],
  round: [flat],
  trunc: [flat],

  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => neg(g)],
  mul: [(g, [, b]) => mul(g, b), (g, [a]) => mul(g, a)],
  div: [(g, [, b]) => div(g, b), (g, [, b], out) => neg(mul(g, div(out, b)))],
  pow: [powBase, powExponent],
  mod: [(g) => g, (g, [a, b]) => neg(mul(g, binary('idiv', a, b)))],
  idiv: [flat, flat],
  max: [(g, [a, b]) => share(g, a, b, binary('lt', a, b)), (g, [a, b]) => share(g, a, b, binary('lt', b, a))],
  min: [(g, [a, b]) => share(g, a, b, binary('lt', b, a)), (g, [a, b]) => share(g, a, b, binary('lt', a, b))],
  /** Between dtypes of real numbers; others have no gradient. */
  cast: [(g, [x]) => cast(g, x.dtype)],
  where: [null, (g, [condition]) => where(condition, g, zero()), (g, [condition]) => where(condition, zero(), g)],

  reshape: [(g, [x]) => reshape(g, x.shape)],
  permute: [(g, _, { arg }) => permute(g, inverse(arg.axes))],
  expand: [(g) => g], // the walk sums over what was repeated
  pad: [(g, [x], { arg }) => slice(g, arg.lo, x.shape, unitSteps(x))],
  slice: [(g, [x], { arg }) => unslice(g, x, arg)],
  concat: (g, src, { arg }) => {
    let end = 0;
    return src.map((part) => sliceAxis(g, arg.axis, end, (end += part.shape[arg.axis])));
  },
  window: [(g, [x], { arg }) => fold(g, windowSpec(arg), x.shape.slice(x.shape.length - arg.size.length))],
  fold: [(g, _, { arg }) => window(g, windowSpec(arg))],
  gather: [(g, [x, index], { arg }) => ungather(g, x, index, arg), null],
  scatterAdd: [
    (g) => g,
    null,
    (g, [, index], { arg }) => gather(g, arg.axis, index, indexedAs('scatterAdd', arg, g.shape[arg.axis])),
  ],

  sum: [(g, [x]) => expand(g, x.shape)],
  prod: [(g, [x], { arg }) => mul(g, productOfOthers(x, arg.axes))],
  reduceMax: [(g, [x], out) => shareAmongTies(g, x, out)],
  reduceMin: [(g, [x], out) => shareAmongTies(g, x, out)],
  reduceFmax: [(g, [x], out) => shareAmongTies(g, x, out)],
  cumsum: [(g, _, { arg }) => flip(cumsum(flip(g, [arg.axis]), arg.axis), [arg.axis])],

  matmul: [(g, [a, b]) => matmulLeft(g, a, b), (g, [a, b]) => matmulRight(g, a, b)],
  conv: [
    (g, [x, w], { arg }) => convInput(g, w, arg, x.shape.slice(2)),
    (g, [x, w], { arg }) => convWeight(x, g, arg, w.shape.slice(2)),
  ],
  convInput: [
    (g, [dy, w], { arg }) => atPositionsOf(dy, conv(g, w, arg)),
    (g, [dy, w], { arg }) => convWeight(g, dy, arg, w.shape.slice(2)),
  ],
  convWeight: [
    (g, [x, dy], { arg }) => convInput(dy, g, arg, x.shape.slice(2)),
    (g, [x, dy], { arg }) => atPositionsOf(dy, conv(x, g, arg)),
  ],

  custom: (g, [, ...inputs], { arg }) => [null, ...checkCustom(arg.name, arg.backward(g), inputs)],
} satisfies { readonly [O in DifferentiableOp]: Rule<O> };

// ---------------------------------------------------------------- longer rules

/** √(1 − x²) without cancellation at ±1, where it is 0. */
function cosineOfAsin(x: Node): Node {
  return unary('sqrt', mul(sub(one(), x), add(one(), x)));
}

/** g · y · x^(y − 1). At x = y = 0 the power is taken as 1 instead of 0^(−1), so that the product is 0. */
function powBase(g: Node, [x, y]: readonly Node[]): Node {
  const exponent = constantValue(y);
  if (exponent === 0) return flat(g);
  const safe = exponent === undefined || exponent === 0 ? where(binary('and', isZero(x), isZero(y)), one(), y) : y;
  return mul(mul(g, y), binary('pow', x, sub(safe, one())));
}

/** g · x^y · log x, which is 0 at x = 0 for y ≥ 0: the logarithm is taken of 1 there. */
function powExponent(g: Node, [x, y]: readonly Node[], out: Node): Node {
  const flatHere = binary('and', isZero(x), binary('le', zero(), y));
  return mul(mul(g, out), unary('log', where(flatHere, one(), x)));
}

/** max and min: all of g to the winner, half to each at a tie. */
function share(g: Node, a: Node, b: Node, loses: Node): Node {
  return where(binary('eq', a, b), times(g, 0.5), where(loses, zero(), g));
}

/** reduceMax, reduceMin and reduceFmax: g in equal parts to every element that equals the result (torch.amax). */
function shareAmongTies(g: Node, x: Node, out: Node<'reduceMax' | 'reduceMin' | 'reduceFmax'>): Node {
  const tied = binary('eq', x, out);
  return where(tied, div(g, sum(cast(tied, g.dtype), out.arg.axes)), zero());
}

/** Zeros back in where the slice had left elements out: between (step), before and after. */
function unslice(g: Node, x: Node, { start, step }: OpArgs['slice']): Node {
  if (g.size === 0) return filled(0, x.shape, g.dtype);
  const backwards = [...step.keys()].filter((i) => step[i] < 0);
  let spread = flip(g, backwards);
  for (let i = 0; i < step.length; i++) spread = spreadAxis(spread, i, Math.abs(step[i]));
  const lowest = step.map((s, i) => (s < 0 ? start[i] + (g.shape[i] - 1) * s : start[i]));
  return padTo(spread, lowest, x.shape);
}

/** `by` − 1 zeros between neighbours along one axis. */
function spreadAxis(x: Node, axis: number, by: number): Node {
  const n = x.shape[axis];
  if (by === 1 || n === 1) return x;
  const split = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const padded = padTo(reshape(x, split), origin(split), split.with(axis + 1, by));
  return sliceAxis(reshape(padded, x.shape.with(axis, n * by)), axis, 0, (n - 1) * by + 1);
}

/** x at `lo` in zeros of `shape`. */
function padTo(x: Node, lo: Shape, shape: Shape): Node {
  const hi = shape.map((n, i) => n - lo[i] - x.shape[i]);
  return pad(x, lo, hi);
}

/** One index per line: compare with 0, 1, 2, …, which fuses (cross entropy); else add up at the indices. */
function ungather(g: Node, x: Node, index: Node, arg: Indexed): Node {
  const { axis } = arg;
  if (index.shape[axis] !== 1)
    return scatterAdd(filled(0, x.shape, g.dtype), axis, index, g, indexedAs('gather', arg, x.shape[axis]));
  const line = origin(x.shape).fill(1).with(axis, x.shape[axis]);
  const chosen = where(binary('eq', reshape(iota(x.shape[axis]), line), index), g, zero());
  return padTo(chosen, origin(x.shape), x.shape);
}

/** For each element the product of all others along `axes`: right with any number of zeros, as it never divides. */
function productOfOthers(x: Node, axes: readonly number[]): Node {
  const order = [...x.shape.keys()].filter((i) => !axes.includes(i)).concat(axes);
  const moved = permute(x, order);
  const lead = moved.shape.slice(0, moved.shape.length - axes.length);
  const others = othersOfLine(reshape(moved, [...lead, sizeOf(axes.map((a) => x.shape[a]))]));
  return permute(reshape(others, moved.shape), inverse(order));
}

/** Along the last axis, by pairs: others(x₂ᵢ) = others(pair i) · x₂ᵢ₊₁. */
function othersOfLine(x: Node): Node {
  const lead = x.shape.slice(0, -1);
  const n = x.shape[lead.length];
  if (n <= 1) return filled(1, x.shape, x.dtype);
  const even = n % 2 === 0 ? x : concat([x, filled(1, [...lead, 1], x.dtype)], lead.length);
  const half = Math.ceil(n / 2);
  const pairs = reshape(even, [...lead, half, 2]);
  const last = lead.length + 1;
  const products = mul(sliceAxis(pairs, last, 0, 1), sliceAxis(pairs, last, 1, 2));
  const others = reshape(othersOfLine(reshape(products, [...lead, half])), products.shape);
  return sliceAxis(reshape(mul(others, flip(pairs, [last])), even.shape), lead.length, 0, n);
}

/** g · bᵀ, or the transpose of b · gᵀ where a is a transpose itself: the two then cancel in the gradient below a. */
function matmulLeft(g: Node, a: Node, b: Node): Node {
  if (isTransposed(a)) return transposeLast(matmul(b, transposeLast(g)));
  return matmul(g, transposeLast(b));
}

function isTransposed({ op, arg, shape }: Node): boolean {
  const { length } = shape;
  const axes = op === 'permute' ? (arg as OpArgs['permute']).axes : [];
  return axes.every((axis, i) => axis === (i < length - 2 ? i : 2 * length - 3 - i)) && axes.length >= 2;
}

/** aᵀ · g. Where b has no batch of its own, the batch joins the summed axis instead of being added up afterwards. */
function matmulRight(g: Node, a: Node, b: Node): Node {
  const [m, k] = a.shape.slice(-2);
  const [, n] = b.shape.slice(-2);
  const batch = sizeOf(a.shape.slice(0, -2));
  if (batch > 1 && b.size === k * n && sameShape(g.shape.slice(0, -2), a.shape.slice(0, -2))) {
    const [rows, seeds] = [reshape(a, [batch * m, k]), reshape(g, [batch * m, n])];
    if (isTransposed(b)) return reshape(transposeLast(matmul(transposeLast(seeds), rows)), b.shape);
    return reshape(matmul(transposeLast(rows), seeds), b.shape);
  }
  if (isTransposed(b)) return transposeLast(matmul(transposeLast(g), a));
  return matmul(transposeLast(a), g);
}

/** The first positions of a convolution, as many as `dy` has: output padding may leave room for more. */
function atPositionsOf(dy: Node, y: Node): Node {
  return slice(y, origin(y.shape), [...y.shape.slice(0, 2), ...dy.shape.slice(2)], unitSteps(y));
}

/** Only what a window is: the argument of fold carries more. */
function windowSpec({ size, stride, dilation, lo, hi }: WindowSpec): WindowSpec {
  return { size, stride, dilation, lo, hi };
}

function checkCustom(name: string, gradients: readonly unknown[], inputs: readonly Node[]): (Node | null)[] {
  if (gradients.length !== inputs.length) {
    throw new GradError(
      `${name}: backward gave ${gradients.length} gradients for ${inputs.length} inputs. Give one per input, null where there is none.`,
    );
  }
  return inputs.map((input, i) => {
    const gradient = (gradients[i] ?? null) as Node | null;
    if (gradient !== null && !sameShape(gradient.shape, input.shape)) {
      throw new GradError(
        `${name}: gradient ${i} is [${gradient.shape.join(', ')}], its input [${input.shape.join(', ')}]. Give it the input's shape.`,
      );
    }
    return gradient;
  });
}
