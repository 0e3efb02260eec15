// What each operator becomes when some of its operands have a batch axis in front: one row an operator, from the operands to the
// same operator over the whole batch, whose result has the batch in front, too. Graph → graph with the builders.
//   A row sees only nodes of which at least one operand is batched. Axes of the operator count without the batch.
// Not here: the walk over a graph, random numbers, derivatives of custom operators (batch.ts).

import {
  argsort,
  binary,
  bitcast,
  cast,
  concat,
  conv,
  convInput,
  convWeight,
  cumsum,
  dense,
  detach,
  expand,
  fold,
  gather,
  matmul,
  pad,
  permute,
  reduce,
  reshape,
  running,
  scatterAdd,
  slice,
  transposeLast,
  unary,
  where,
  window,
} from '../ir/build.js';
import { type Indexed, outside } from '../ir/errors.js';
import type { Node } from '../ir/node.js';
import type { AxisReduction, BinaryOp, CompilerOp, ConvSpec, LEAF_OPS, Op, UnaryOp } from '../ir/op.js';
import { type Shape, sizeOf } from '../ir/shape.js';

/** An operand: with the batch in front, or as it is for every sample. */
export interface Operand {
  readonly node: Node;
  readonly isBatched: boolean;
}

/** `node` is the operator as it is for one sample. */
export type BatchRule<O extends Op> = (src: readonly Operand[], node: Node<O>, size: number) => Node;

/** Operators with operands, apart from `custom`, whose derivative needs the walk. */
export type BatchedOp = Exclude<Op, (typeof LEAF_OPS)[number] | CompilerOp | 'custom'>;

const behind = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

/** The operand over the whole batch. */
export function overBatch({ node, isBatched }: Operand, size: number): Node {
  return isBatched ? node : expand(node, [size, ...node.shape]);
}

/** An operand that broadcasts to a result of this rank: its own axes are the last ones. */
function aligned({ node, isBatched }: Operand, rank: number): Node {
  if (!isBatched) return node;
  const [size, ...own] = node.shape;
  return reshape(node, [size, ...ones(rank - own.length), ...own]);
}

const ones = (count: number): number[] => new Array<number>(count).fill(1);

const map =
  <O extends UnaryOp>(op: O): BatchRule<O> =>
  ([x]) =>
    unary(op, x.node);

const pairs =
  <O extends BinaryOp>(op: O): BatchRule<O> =>
  ([a, b], { shape }) =>
    binary(op, aligned(a, shape.length), aligned(b, shape.length));

const reduction =
  <O extends AxisReduction>(op: O): BatchRule<O> =>
  ([x], { arg }) =>
    reduce(op, x.node, behind(arg.axes));

export const BATCH_RULES = {
  neg: map('neg'),
  recip: map('recip'),
  exp: map('exp'),
  expm1: map('expm1'),
  log: map('log'),
  log1p: map('log1p'),
  log2: map('log2'),
  log10: map('log10'),
  sqrt: map('sqrt'),
  sin: map('sin'),
  cos: map('cos'),
  tan: map('tan'),
  sinh: map('sinh'),
  cosh: map('cosh'),
  tanh: map('tanh'),
  asin: map('asin'),
  acos: map('acos'),
  atan: map('atan'),
  erf: map('erf'),
  sigmoid: map('sigmoid'),
  relu: map('relu'),
  abs: map('abs'),
  sign: map('sign'),
  floor: map('floor'),
  ceil: map('ceil'),
  round: map('round'),
  trunc: map('trunc'),
  not: map('not'),
  add: pairs('add'),
  sub: pairs('sub'),
  mul: pairs('mul'),
  div: pairs('div'),
  pow: pairs('pow'),
  mod: pairs('mod'),
  idiv: pairs('idiv'),
  max: pairs('max'),
  min: pairs('min'),
  eq: pairs('eq'),
  ne: pairs('ne'),
  lt: pairs('lt'),
  le: pairs('le'),
  and: pairs('and'),
  or: pairs('or'),
  xor: pairs('xor'),
  shl: pairs('shl'),
  shr: pairs('shr'),
  where: ([condition, a, b], { shape }) =>
    where(aligned(condition, shape.length), aligned(a, shape.length), aligned(b, shape.length)),
  cast: ([x], { arg }) => cast(x.node, arg.dtype),
  bitcast: ([x], { arg }) => bitcast(x.node, arg.dtype),
  reshape: ([x], { arg }, size) => reshape(x.node, [size, ...arg.shape]),
  permute: ([x], { arg }) => permute(x.node, [0, ...behind(arg.axes)]),
  expand: ([x], { arg }, size) => expand(aligned(x, arg.shape.length), [size, ...arg.shape]),
  pad: ([x], { arg }) => pad(x.node, [0, ...arg.lo], [0, ...arg.hi]),
  slice: ([x], { arg }, size) => slice(x.node, [0, ...arg.start], [size, ...arg.size], [1, ...arg.step]),
  concat: (src, { arg }, size) =>
    concat(
      src.map((part) => overBatch(part, size)),
      arg.axis + 1,
    ),
  window: ([x], { arg }) => window(x.node, arg),
  fold: ([x], { arg: { output, ...spec } }) => fold(x.node, spec, output),
  gather: gatherRule,
  scatterAdd: (src, { arg, src: [base] }, size) => {
    const [to, index, source] = src.map((operand) => overBatch(operand, size));
    return scatterAdd(to, arg.axis + 1, index, source, behindBatch('scatterAdd', arg, base.shape));
  },
  sum: reduction('sum'),
  prod: reduction('prod'),
  reduceMax: reduction('reduceMax'),
  reduceMin: reduction('reduceMin'),
  reduceFmax: reduction('reduceFmax'),
  cumsum: ([x], { arg: { axis, combine } }) =>
    combine === undefined ? cumsum(x.node, axis + 1) : running(combine, x.node, axis + 1),
  argsort: ([x], { arg }) => argsort(x.node, arg.axis + 1, arg.descending),
  matmul: matmulRule,
  dense: (src, { arg }, size) =>
    dense(
      arg,
      src.map((operand) => overBatch(operand, size)),
    ),
  conv: ([x, w], { arg }, size) => convolution(x, w, size, arg, conv),
  convInput: ([dy, w], { arg }, size) =>
    convolution(dy, w, size, arg, (g, kernels, spec) => convInput(g, kernels, spec, arg.input)),
  convWeight: ([x, dy], { arg, shape }, size) => {
    const [channels, gradients] = [x, dy].map((operand) => toChannels(overBatch(operand, size)));
    const all = convWeight(channels, gradients, inGroups(arg, size), arg.kernel);
    return reshape(all, [size, ...shape]);
  },
  detach: ([x]) => detach(x.node),
} satisfies { readonly [O in BatchedOp]: BatchRule<O> };

// ---------------------------------------------------------------- longer rules

/** What is said of an index counts axes as the function does. */
function behindBatch<A extends Indexed>(op: string, arg: A, shape: Shape): A {
  return { ...arg, axis: arg.axis + 1, says: arg.says ?? outside(`${op}: index`, arg.axis, shape[arg.axis]) };
}

/**
 * From one table for all samples the indices of the whole batch are read along its axis, so that neither the table nor its
 * gradient is repeated for each sample.
 */
function gatherRule([x, index]: readonly Operand[], node: Node<'gather'>, size: number): Node {
  const { arg, shape, src } = node;
  if (x.isBatched || !index.isBatched)
    return gather(overBatch(x, size), arg.axis + 1, overBatch(index, size), behindBatch('gather', arg, src[0].shape));
  const { axis } = arg;
  // [B, …, n, …] → […, B, n, …] → […, B · n, …]
  const order = [...shape.keys()].map((i) => i + 1);
  order.splice(axis, 0, 0);
  const joined = reshape(permute(index.node, order), shape.with(axis, size * shape[axis]));
  const says = arg.says ?? outside('gather: index', axis, src[0].shape[axis]);
  const read = reshape(gather(x.node, axis, joined, { ...arg, says }), [
    ...shape.slice(0, axis),
    size,
    ...shape.slice(axis),
  ]);
  const rest = [...order.keys()].filter((i) => i !== axis);
  return permute(read, [axis, ...rest]);
}

/** Products with one matrix for all samples are one product: the batch joins the rows. */
function matmulRule([a, b]: readonly Operand[], { shape }: Node<'matmul'>, size: number): Node {
  if (!b.isBatched && b.node.shape.length === 2 && a.node.op !== 'permute') {
    const rows = reshape(a.node, [size * sizeOf(shape.slice(0, -1)), b.node.shape[0]]);
    return reshape(matmul(rows, b.node), [size, ...shape]);
  }
  if (!a.isBatched && a.node.shape.length === 2 && shape.at(-1) === 1) {
    const columns = reshape(b.node, [size * sizeOf(shape.slice(0, -2)), a.node.shape[1]]);
    return reshape(matmul(columns, transposeLast(a.node)), [size, ...shape]);
  }
  return matmul(aligned(a, shape.length), aligned(b, shape.length));
}

/** [B, n, C, …] → [n, B · C, …]: each sample is a group of channels. */
function toChannels(x: Node): Node {
  const [size, n, channels, ...spatial] = x.shape;
  const order = [1, 0, ...[...x.shape.keys()].slice(2)];
  return reshape(permute(x, order), [n, size * channels, ...spatial]);
}

const inGroups = (spec: ConvSpec, size: number): ConvSpec => ({ ...spec, groups: spec.groups * size });

/** Of conv and convInput: images of one batch, or, where each sample has kernels of its own, groups of channels. */
function convolution(
  images: Operand,
  kernels: Operand,
  size: number,
  spec: ConvSpec,
  apply: (images: Node, kernels: Node, spec: ConvSpec) => Node,
): Node {
  if (!kernels.isBatched) {
    const [, n, ...rest] = images.node.shape;
    const all = apply(reshape(images.node, [size * n, ...rest]), kernels.node, spec);
    return reshape(all, [size, n, ...all.shape.slice(1)]);
  }
  const [, outputs, ...rest] = kernels.node.shape;
  const own = reshape(kernels.node, [size * outputs, ...rest]);
  const all = apply(toChannels(overBatch(images, size)), own, inGroups(spec, size));
  const [n, channels, ...spatial] = all.shape;
  const apart = reshape(all, [n, size, channels / size, ...spatial]);
  return permute(apart, [1, 0, ...[...apart.shape.keys()].slice(2)]);
}
