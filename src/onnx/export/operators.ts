// What each operator of nabla's graph is in ONNX: one row an operator, for what happens between layers and in those without a row of
// their own (layers.ts). A row that refuses says why.
// Not here: which nodes there are (trace.ts), the names of constants (finish.ts).

import { type Node, type Op, type OpArgs, isOp, numberOf } from '../../tensor/graph-trace.js';
import { type DType, isFloat } from '../../tensor/library.js';
import { type ElementType, rowOf } from '../wire/elements.js';
import { type Draft, type Input, int, ints, number, shape, sizes, string } from './draft.js';
import { reduceWindows, windowsOf, writeWindows } from './windows.js';

export type OperatorRow<O extends Op> = (draft: Draft, node: Node<O>, src: readonly Input[]) => Input;

/** Beyond the end of any axis, and before its beginning. */
const END = 2 ** 31 - 1;

/** The number of a dtype in a file: int32 stays int32. */
export const codeOf = (dtype: DType): number => rowOf(dtype as ElementType).code;

const map =
  (op: string): OperatorRow<Op> =>
  (draft, _, src) =>
    draft.add(op, src);

const isInt = ({ dtype }: Node): boolean => dtype === 'int32' || dtype === 'uint8';

/** The operator for truth values, another for whole numbers, which came with opset 18. */
const bits =
  (forBool: string, forInt: string): OperatorRow<Op> =>
  (draft, node, src) => {
    if (node.src[0].dtype === 'bool') return draft.add(forBool, src);
    if (draft.opset < 18) return draft.refuse(node.op, `bits of whole numbers need opset 18, this is ${draft.opset}`);
    return draft.add(forInt, src);
  };

const compare =
  (op: string): OperatorRow<Op> =>
  (draft, node, src) => {
    if (node.src[0].dtype !== 'bool') return draft.add(op, src);
    const numbers = src.map((x) => draft.add('Cast', [x], { to: int(codeOf('int32')) }));
    return draft.add(op, numbers);
  };

const reduction =
  (op: string): OperatorRow<'sum' | 'prod' | 'reduceMax' | 'reduceMin'> =>
  (draft, node, src) => {
    if (node.dtype !== 'bool') return draft.reduce(op, src[0], node.arg.axes);
    const wide = draft.add('Cast', src, { to: int(codeOf('int32')) });
    return draft.add('Cast', [draft.reduce(op, wide, node.arg.axes)], { to: int(codeOf('bool')) });
  };

/** The mean, where this is a sum times the number of its elements' reciprocal. */
function meanOf(draft: Draft, factor: (count: number) => number, [a, b]: readonly Node[]): Input | undefined {
  for (const [total, other] of [
    [a, b],
    [b, a],
  ]) {
    if (total.storage !== undefined || !isOp(total, 'sum') || !isFloat(total.dtype)) continue;
    const value = numberOf(other);
    const count = total.src[0].size / total.size;
    if (value !== factor(count) || count === 1 || windowsOf(total) !== undefined) continue;
    return draft.reduce('ReduceMean', draft.of(total.src[0]), total.arg.axes);
  }
  return undefined;
}

/** Softmax, where this is eˣ⁻ᵐ through its sum, m being the maximum. */
function softmaxOf(draft: Draft, [power, total]: readonly Node[]): Input | undefined {
  const isOwn = power.storage === undefined && total.storage === undefined;
  if (!isOwn || !isOp(power, 'exp') || !isOp(total, 'sum') || total.src[0] !== (power as Node)) return undefined;
  const [shifted] = power.src;
  if (!isOp(shifted, 'sub') || total.arg.axes.length !== 1) return undefined;
  const [x, by] = shifted.src;
  const most = isOp(by, 'detach') ? by.src[0] : by;
  if (!isOp(most, 'reduceFmax') || most.src[0] !== x || most.arg.axes.join() !== total.arg.axes.join())
    return undefined;
  return draft.add('Softmax', [draft.of(x)], { axis: int(total.arg.axes[0]) });
}

/** ⌊a / b⌋: ONNX cuts towards zero for whole numbers. */
function floorQuotient(draft: Draft, { dtype }: Node, [a, b]: readonly Input[]): string {
  if (isFloat(dtype)) return draft.add('Floor', [draft.add('Div', [a, b])]);
  // what is left when the remainder, which has the divisor's sign, is taken away is divided without one
  return draft.add('Div', [draft.add('Sub', [a, draft.add('Mod', [a, b])]), b]);
}

interface Convolution {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly lo: readonly number[];
  readonly groups: number;
}

const convolution = (
  { stride, dilation, lo, groups }: Convolution,
  hi: readonly number[],
  kernel: readonly number[],
) => ({
  kernel_shape: ints(kernel),
  strides: ints(stride),
  dilations: ints(dilation),
  pads: ints([...lo, ...hi]),
  group: int(groups),
});

const none = (why: string): OperatorRow<Op> => {
  return (draft, node) => draft.refuse(node.op, why);
};
const shifts = none('ONNX shifts unsigned numbers alone');
const derivative = none('it belongs to a derivative');
const compiled = none('it is made by the compiler');

function leaf(_: Draft, node: Node): Input {
  const value = numberOf(node);
  if (value === undefined) return { kind: 'weight', node };
  return number(value, node.dtype);
}

const log = (base: number): OperatorRow<Op> => {
  return (draft, { dtype }, src) => draft.add('Mul', [draft.add('Log', src), number(1 / Math.log(base), dtype)]);
};

export const OPERATORS = {
  leaf,
  const: leaf,
  scalar: leaf,
  iota: (_, { arg }) => ({ kind: 'count', size: arg.size }),
  random: none('random numbers cannot be exported: call eval(), or take them out of forward'),
  neg: map('Neg'),
  recip: map('Reciprocal'),
  exp: map('Exp'),
  expm1: (draft, { dtype }, src) => draft.add('Sub', [draft.add('Exp', src), number(1, dtype)]),
  log: map('Log'),
  log1p: (draft, { dtype }, src) => draft.add('Log', [draft.add('Add', [...src, number(1, dtype)])]),
  log2: log(2),
  log10: log(10),
  sqrt: map('Sqrt'),
  sin: map('Sin'),
  cos: map('Cos'),
  tan: map('Tan'),
  sinh: map('Sinh'),
  cosh: map('Cosh'),
  tanh: map('Tanh'),
  asin: map('Asin'),
  acos: map('Acos'),
  atan: map('Atan'),
  erf: map('Erf'),
  sigmoid: map('Sigmoid'),
  relu: map('Relu'),
  abs: map('Abs'),
  sign: map('Sign'),
  floor: map('Floor'),
  ceil: map('Ceil'),
  round: map('Round'),
  trunc: (draft, _, src) => draft.add('Mul', [draft.add('Sign', src), draft.add('Floor', [draft.add('Abs', src)])]),
  not: bits('Not', 'BitwiseNot'),
  add: map('Add'),
  sub: map('Sub'),
  mul: (draft, node, src) => meanOf(draft, (count) => 1 / count, node.src) ?? draft.add('Mul', src),
  div: (draft, node, src) => {
    const mean = numberOf(node.src[1]) === undefined ? undefined : meanOf(draft, (count) => count, node.src);
    return mean ?? softmaxOf(draft, node.src) ?? draft.add('Div', src);
  },
  pow: map('Pow'),
  mod: (draft, node, src) => {
    if (isInt(node)) return draft.add('Mod', src);
    return draft.add('Sub', [src[0], draft.add('Mul', [floorQuotient(draft, node, src), src[1]])]);
  },
  idiv: floorQuotient,
  max: map('Max'),
  min: map('Min'),
  eq: map('Equal'),
  ne: (draft, _, src) => draft.add('Not', [draft.add('Equal', src)]),
  lt: compare('Less'),
  le: compare('LessOrEqual'),
  and: bits('And', 'BitwiseAnd'),
  or: bits('Or', 'BitwiseOr'),
  xor: bits('Xor', 'BitwiseXor'),
  shl: shifts,
  shr: shifts,
  where: map('Where'),
  cast: (draft, { arg }, src) => draft.add('Cast', src, { to: int(codeOf(arg.dtype)) }),
  bitcast: none('ONNX cannot read the bits of a number as another'),
  reshape: (draft, { arg }, src) => draft.add('Reshape', [...src, shape(arg.shape)]),
  permute: (draft, { arg }, src) => draft.add('Transpose', src, { perm: ints(arg.axes) }),
  expand: (draft, { arg }, src) => draft.add('Expand', [...src, sizes(arg.shape)]),
  pad: (draft, { arg, dtype }, src) => draft.add('Pad', [...src, sizes([...arg.lo, ...arg.hi]), number(0, dtype)]),
  slice: (draft, node, src) => {
    const { start, size, step } = node.arg;
    const own = node.src[0].shape;
    const axes = own.map((_, i) => i).filter((i) => start[i] !== 0 || step[i] !== 1 || size[i] !== own[i]);
    if (axes.length === 0) return src[0];
    const ends = axes.map((i) => {
      const end = start[i] + size[i] * step[i];
      if (step[i] < 0) return end < 0 ? -END : end;
      return end >= own[i] ? END : end;
    });
    const begin = axes.map((i) => (step[i] < 0 && start[i] === own[i] - 1 ? END : start[i]));
    return draft.add('Slice', [...src, sizes(begin), sizes(ends), sizes(axes), sizes(axes.map((i) => step[i]))]);
  },
  concat: (draft, { arg }, src) => draft.add('Concat', src, { axis: int(arg.axis) }),
  window: writeWindows,
  gather: (draft, { arg }, src) => draft.add('GatherElements', src, { axis: int(arg.axis) }),
  sum: (draft, node, src) => reduceWindows(draft, node, 'AveragePool') ?? reduction('ReduceSum')(draft, node, src),
  prod: reduction('ReduceProd'),
  reduceMax: (draft, node, src) => reduceWindows(draft, node, 'MaxPool') ?? reduction('ReduceMax')(draft, node, src),
  reduceMin: reduction('ReduceMin'),
  reduceFmax: (draft, { arg, dtype }, [x]) => {
    const numbers = isFloat(dtype) ? draft.add('Where', [draft.add('IsNaN', [x]), number(-Infinity, dtype), x]) : x;
    return draft.reduce('ReduceMax', numbers, arg.axes);
  },
  fold: none('adding up windows that overlap has no operator in ONNX'),
  cumsum: (draft, { arg }, src) => {
    if (arg.combine !== undefined)
      return draft.refuse('cumsum', `ONNX has running sums, and no running ${arg.combine}`);
    return draft.add('CumSum', [...src, number(arg.axis, 'int32')]);
  },
  argsort: (draft, node, src) => {
    const { axis, descending } = node.arg;
    const attributes = { axis: int(axis), largest: int(descending ? 1 : 0), sorted: int(1) };
    const [, order] = draft.addAll('TopK', [...src, sizes([node.shape[axis]])], 2, attributes);
    return draft.add('Cast', [order], { to: int(codeOf('int32')) });
  },
  matmul: map('MatMul'),
  conv: (draft, node, src) => {
    const hi = node.arg.hi.map((n) => Math.max(n, 0)); // below 0: what no stride reaches
    return draft.add('Conv', src, convolution(node.arg, hi, node.src[1].shape.slice(2)));
  },
  convInput: (draft, node, src) => {
    const { stride, dilation, lo, input } = node.arg;
    const kernel = node.src[1].shape.slice(2);
    // what is left of the full result behind its front; below 0 it is more than all
    const behind = kernel.map(
      (k, i) => stride[i] * (node.src[0].shape[i + 2] - 1) + dilation[i] * (k - 1) + 1 - lo[i] - input[i],
    );
    return draft.add('ConvTranspose', src, {
      ...convolution(
        node.arg,
        behind.map((n) => Math.max(n, 0)),
        kernel,
      ),
      output_padding: ints(behind.map((n) => Math.max(-n, 0))),
    });
  },
  convWeight: derivative,
  scatterAdd: (draft, { arg }, src) => {
    const least = arg.combine === 'max' || arg.combine === 'min' ? 18 : arg.combine === 'set' ? 13 : 16;
    if (draft.opset < least) return draft.refuse('scatterAdd', `it needs opset ${least}, this is ${draft.opset}`);
    const reduction = arg.combine === undefined ? 'add' : arg.combine;
    return draft.add('ScatterElements', src, {
      axis: int(arg.axis),
      ...(reduction !== 'set' && { reduction: string(reduction) }),
    });
  },
  dense: none('factorisations of matrices and systems of equations have no operator in ONNX'),
  scatterSums: compiled,
  winogradWeights: compiled,
  winograd: compiled,
  winogradGradient: compiled,
  winogradKernel: compiled,
  checkIndex: compiled,
  detach: (_, __, src) => src[0],
  custom: (_, __, src) => src[0],
} satisfies { [O in Op]: OperatorRow<O> };

/** Operators that are written only when somebody reads them: pooling does not. */
export const isLate = ({ op }: Node): boolean => op === 'window';

export function writeOperator(draft: Draft, node: Node): Input {
  const row = OPERATORS[node.op] as OperatorRow<Op>;
  // the operands of windows in a pool are not asked for
  const skips = windowsOf(node) !== undefined;
  return row(draft, node as Node<Op> & { readonly arg: OpArgs[Op] }, skips ? [] : node.src.map((x) => draft.of(x)));
}
