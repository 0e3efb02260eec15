// The verifier: works out shape and dtype of each node from its operands and argument, on its own, and checks the
// argument. Run after every pass in tests, and on NABLA_DEBUG. A fault is ours, not the user's: InternalError with
// the printed graph. It shares no code with the builders, whose mistakes it is there to find.

import { layoutOfNode } from '../dense.js';
import type { DType } from '../dtype.js';
import { InternalError } from '../errors.js';
import type { Node } from '../node.js';
import {
  ARITHMETIC_OPS,
  BIT_OPS,
  type BinaryOp,
  COMPARISON_OPS,
  type ConvSpec,
  type Op,
  UNARY_OPS,
  type UnaryOp,
  type WindowSpec,
} from '../op.js';
import { printGraph } from './print.js';
import type { Shape } from '../shape.js';

interface Type {
  readonly shape: Shape;
  readonly dtype: DType;
}

type Infer<O extends Op> = (src: readonly Node[], arg: Node<O>['arg'], node: Node<O>) => Type;

class Fault extends Error {}

function check(condition: boolean, text: string): void {
  if (!condition) throw new Fault(text);
}

/** Checks every node of a list that has operands before users. */
export function verifyGraph(nodes: readonly Node[]): void {
  const seen = new Set<Node>();
  nodes.forEach((node, i) => {
    try {
      check(node.storage !== undefined || node.src.every((s) => seen.has(s)), 'an operand does not stand before it');
      const infer = INFER[node.op] as Infer<Op>;
      const { shape, dtype } = infer(node.src, node.arg, node);
      check(dtype === node.dtype, `dtype is ${node.dtype}, should be ${dtype}`);
      check(equal(shape, node.shape), `shape is [${node.shape.join(', ')}], should be [${shape.join(', ')}]`);
      check(
        node.shape.every((n) => Number.isInteger(n) && n >= 0),
        'sizes are whole numbers, 0 or more',
      );
      check(node.size === product(node.shape), `size is ${node.size}, should be ${product(node.shape)}`);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new InternalError(`verify: %${i} (${node.op}): ${error.message}.\n${printGraph(nodes)}`);
    }
    seen.add(node);
  });
}

// ---------------------------------------------------------------- parts

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

function product(shape: Shape): number {
  return shape.reduce((size, n) => size * n, 1);
}

function checkCount(src: readonly Node[], count: number): void {
  check(src.length === count, `has ${src.length} operands, should have ${count}`);
}

function checkDType(node: Node, ...allowed: readonly DType[]): void {
  check(allowed.includes(node.dtype), `an operand is ${node.dtype}, should be ${allowed.join(' or ')}`);
}

function checkSame(a: Node, b: Node): void {
  check(a.dtype === b.dtype, `operands are ${a.dtype} and ${b.dtype}`);
}

function checkAxis(axis: number, shape: Shape): void {
  check(Number.isInteger(axis) && axis >= 0 && axis < shape.length, `axis ${axis} of rank ${shape.length}`);
}

/** One whole number per axis, each at least `least`. */
function checkList(name: string, list: readonly number[], count: number, least = -Infinity): void {
  check(list.length === count, `${name} has ${list.length} entries, should have ${count}`);
  check(
    list.every((n) => Number.isInteger(n) && n >= least),
    `${name} is [${list.join(', ')}]`,
  );
}

function broadcast(...shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1).filter((n) => n !== 1);
    check(
      sizes.every((n) => n === sizes[0]),
      `sizes ${sizes.join(' and ')} do not broadcast`,
    );
    return sizes[0] ?? 1;
  });
}

/** How many windows fit each axis. */
function countWindows(sizes: Shape, kernel: Shape, spec: Omit<WindowSpec, 'size'>): Shape {
  const rank = sizes.length;
  checkList('kernel', kernel, rank, 0);
  checkList('stride', spec.stride, rank, 1);
  checkList('dilation', spec.dilation, rank, 1);
  checkList('lo', spec.lo, rank);
  checkList('hi', spec.hi, rank);
  return sizes.map((n, i) => {
    const room = n + spec.lo[i] + spec.hi[i] - spec.dilation[i] * (kernel[i] - 1) - 1;
    check(room >= 0, `kernel ${kernel[i]} does not fit size ${n}`);
    return Math.floor(room / spec.stride[i]) + 1;
  });
}

/** The shape of y in conv(x, w) = y. */
function convShape(x: Shape, w: Shape, spec: ConvSpec): Shape {
  check(x.length === w.length && x.length >= 3, `ranks ${x.length} and ${w.length}`);
  check(w[1] * spec.groups === x[1], `${x[1]} channels, weight takes ${w[1]} × ${spec.groups} groups`);
  check(w[0] % spec.groups === 0, `${w[0]} outputs in ${spec.groups} groups`);
  return [x[0], w[0], ...countWindows(x.slice(2), w.slice(2), spec)];
}

function checkIndex(x: Node, index: Node, axis: number): void {
  checkDType(index, 'int32');
  checkAxis(axis, x.shape);
  const fits = index.shape.length === x.shape.length && index.shape.every((n, i) => i === axis || n <= x.shape[i]);
  check(fits, `index [${index.shape.join(', ')}] does not fit [${x.shape.join(', ')}]`);
}

function inferReduce(src: readonly Node[], { axes }: { readonly axes: readonly number[] }): Type {
  checkCount(src, 1);
  const [x] = src;
  checkDType(x, ...NUMBERS);
  for (const axis of axes) checkAxis(axis, x.shape);
  check(new Set(axes).size === axes.length, 'an axis is reduced twice');
  return { shape: x.shape.map((n, i) => (axes.includes(i) ? 1 : n)), dtype: x.dtype };
}

function inferExtremum(src: readonly Node[], arg: { readonly axes: readonly number[] }): Type {
  const type = inferReduce(src, arg);
  check(
    arg.axes.every((a) => src[0].shape[a] > 0),
    'nothing to reduce',
  );
  return type;
}

// ---------------------------------------------------------------- the table

const FLOATS: readonly DType[] = ['float32', 'float64'];
const NUMBERS: readonly DType[] = [...FLOATS, 'int32'];
const INTEGER_UNARY: readonly Op[] = ['neg', 'relu', 'abs', 'sign'];
const FLOAT_BINARY: readonly Op[] = ['div', 'pow'];
const INTEGER_BINARY: readonly Op[] = ['shl', 'shr'];
const COMPARISONS: readonly Op[] = COMPARISON_OPS;

function inferUnary(src: readonly Node[], _: null, node: Node<UnaryOp>): Type {
  checkCount(src, 1);
  if (node.op === 'not') checkDType(src[0], 'bool', 'int32');
  else if (INTEGER_UNARY.includes(node.op)) checkDType(src[0], ...NUMBERS);
  else checkDType(src[0], ...FLOATS);
  return src[0];
}

function inferBinary(src: readonly Node[], _: null, node: Node<BinaryOp>): Type {
  checkCount(src, 2);
  const [a, b] = src;
  checkSame(a, b);
  if (FLOAT_BINARY.includes(node.op)) checkDType(a, ...FLOATS);
  else if (INTEGER_BINARY.includes(node.op)) checkDType(a, 'int32');
  else if (node.op === 'and' || node.op === 'or' || node.op === 'xor') checkDType(a, 'int32', 'bool');
  else if (node.op !== 'max' && node.op !== 'min' && !COMPARISONS.includes(node.op)) checkDType(a, ...NUMBERS);
  return { shape: broadcast(a.shape, b.shape), dtype: COMPARISONS.includes(node.op) ? 'bool' : a.dtype };
}

function forAll<O extends Op, I>(ops: readonly O[], infer: I): Record<O, I> {
  return Object.fromEntries(ops.map((op) => [op, infer])) as Record<O, I>;
}

const INFER: { readonly [O in Op]: Infer<O> } = {
  leaf: (_, __, node) => node,
  const: (_, __, { dtype }) => ({ shape: [], dtype }),
  scalar: (_, __, { dtype }) => ({ shape: [], dtype }),
  iota: (_, { size }) => ({ shape: [size], dtype: 'int32' }),
  random: (src, { shape }) => {
    checkCount(src, 2);
    for (const s of src) check(s.dtype === 'int32' && s.size === 1, 'seed and offset are single int32 numbers');
    return { shape, dtype: 'int32' };
  },

  ...forAll(UNARY_OPS, inferUnary),
  ...forAll([...ARITHMETIC_OPS, ...COMPARISON_OPS, ...BIT_OPS], inferBinary),
  where: (src) => {
    checkCount(src, 3);
    const [condition, a, b] = src;
    checkDType(condition, 'bool');
    checkSame(a, b);
    return { shape: broadcast(condition.shape, a.shape, b.shape), dtype: a.dtype };
  },
  cast: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  bitcast: ([x], { dtype }) => {
    checkDType(x, ...NUMBERS);
    return { shape: x.shape, dtype };
  },

  reshape: ([x], { shape }) => {
    check(product(shape) === x.size, `${x.size} elements into [${shape.join(', ')}]`);
    return { shape, dtype: x.dtype };
  },
  permute: ([x], { axes }) => {
    check(
      equal(
        [...axes].sort((a, b) => a - b),
        [...x.shape.keys()],
      ),
      `axes [${axes.join(', ')}] of rank ${x.shape.length}`,
    );
    return { shape: axes.map((a) => x.shape[a]), dtype: x.dtype };
  },
  expand: ([x], { shape }) => {
    check(equal(broadcast(x.shape, shape), shape), `[${x.shape.join(', ')}] does not grow to [${shape.join(', ')}]`);
    return { shape, dtype: x.dtype };
  },
  pad: ([x], { lo, hi }) => {
    checkList('lo', lo, x.shape.length, 0);
    checkList('hi', hi, x.shape.length, 0);
    return { shape: x.shape.map((n, i) => lo[i] + n + hi[i]), dtype: x.dtype };
  },
  slice: ([x], { start, size, step }) => {
    checkList('start', start, x.shape.length);
    checkList('size', size, x.shape.length, 0);
    checkList('step', step, x.shape.length);
    x.shape.forEach((n, i) => {
      const last = start[i] + (size[i] - 1) * step[i];
      const inside = start[i] >= 0 && start[i] < n && last >= 0 && last < n;
      check(step[i] !== 0 && (size[i] === 0 || inside), `${start[i]} to ${last} on axis ${i} of size ${n}`);
    });
    return { shape: size, dtype: x.dtype };
  },
  concat: (src, { axis }) => {
    check(src.length > 0, 'has no operands');
    checkAxis(axis, src[0].shape);
    for (const s of src) {
      checkSame(s, src[0]);
      const alike =
        s.shape.length === src[0].shape.length && s.shape.every((n, i) => i === axis || n === src[0].shape[i]);
      check(alike, 'operands differ outside the axis');
    }
    const total = src.reduce((n, s) => n + s.shape[axis], 0);
    return { shape: src[0].shape.map((n, i) => (i === axis ? total : n)), dtype: src[0].dtype };
  },
  window: ([x], spec) => {
    const lead = x.shape.length - spec.size.length;
    check(lead >= 0, `${spec.size.length} window axes of rank ${x.shape.length}`);
    const counts = countWindows(x.shape.slice(lead), spec.size, spec);
    return { shape: [...x.shape.slice(0, lead), ...counts, ...spec.size], dtype: x.dtype };
  },
  fold: ([x], spec) => {
    const rank = spec.size.length;
    const lead = x.shape.length - 2 * rank;
    checkDType(x, ...NUMBERS);
    check(lead >= 0 && spec.output.length === rank, `${rank} window axes of rank ${x.shape.length}`);
    const windows = [...countWindows(spec.output, spec.size, spec), ...spec.size];
    check(
      equal(x.shape.slice(lead), windows),
      `operand ends in [${x.shape.slice(lead).join(', ')}], should in [${windows.join(', ')}]`,
    );
    return { shape: [...x.shape.slice(0, lead), ...spec.output], dtype: x.dtype };
  },
  gather: ([x, index], { axis }) => {
    checkIndex(x, index, axis);
    return { shape: index.shape, dtype: x.dtype };
  },
  scatterAdd: (src, { axis }) => {
    checkCount(src, 3);
    const [base, index, values] = src;
    checkIndex(base, index, axis);
    checkSame(base, values);
    checkDType(base, ...NUMBERS);
    check(equal(index.shape, values.shape), 'index and source differ in shape');
    return base;
  },

  scatterSums: ([base, index, values], { axis }) => {
    checkIndex(base, index, axis);
    checkDType(base, 'float32');
    check(equal(index.shape, values.shape), 'index and source differ in shape');
    return { shape: [2, ...base.shape], dtype: 'float32' };
  },

  ...forAll(['sum', 'prod'], inferReduce),
  ...forAll(['reduceMax', 'reduceMin', 'reduceFmax'], inferExtremum),
  cumsum: ([x], { axis }) => {
    checkDType(x, ...NUMBERS);
    checkAxis(axis, x.shape);
    return x;
  },
  argsort: ([x], { axis }) => {
    checkDType(x, ...NUMBERS);
    checkAxis(axis, x.shape);
    return { shape: x.shape, dtype: 'int32' };
  },

  matmul: (src) => {
    checkCount(src, 2);
    for (const s of src) checkDType(s, ...FLOATS);
    checkSame(src[0], src[1]);
    const [a, b] = src.map((s) => s.shape);
    check(a.length >= 2 && b.length >= 2, `ranks ${a.length} and ${b.length}`);
    check(a.at(-1) === b.at(-2), `inner sizes ${a.at(-1)} and ${b.at(-2)}`);
    return { shape: [...broadcast(a.slice(0, -2), b.slice(0, -2)), a.at(-2)!, b.at(-1)!], dtype: src[0].dtype };
  },
  conv: ([x, w], spec) => {
    for (const s of [x, w]) checkDType(s, ...FLOATS);
    checkSame(x, w);
    return { shape: convShape(x.shape, w.shape, spec), dtype: x.dtype };
  },
  convInput: ([dy, w], spec) => {
    for (const s of [dy, w]) checkDType(s, ...FLOATS);
    checkSame(dy, w);
    const shape = [dy.shape[0], w.shape[1] * spec.groups, ...spec.input];
    const forward = convShape(shape, w.shape, spec);
    check(equal(forward, dy.shape), `dy is [${dy.shape.join(', ')}], should be [${forward.join(', ')}]`);
    return { shape, dtype: dy.dtype };
  },
  convWeight: ([x, dy], spec) => {
    for (const s of [x, dy]) checkDType(s, ...FLOATS);
    checkSame(x, dy);
    const shape = [dy.shape[1], x.shape[1] / spec.groups, ...spec.kernel];
    const forward = convShape(x.shape, shape, spec);
    check(equal(forward, dy.shape), `dy is [${dy.shape.join(', ')}], should be [${forward.join(', ')}]`);
    return { shape, dtype: dy.dtype };
  },
  dense: (src, arg, node) => {
    for (const s of src) checkDType(s, 'float64');
    checkCount(src, arg.routine === 'triangular' || arg.routine === 'householder' ? 2 : 1);
    const [a, b] = src;
    check(a.shape.length >= 2, `rank ${a.shape.length}`);
    const [m, n] = a.shape.slice(-2);
    const batch = a.shape.slice(0, -2);
    if (arg.routine === 'householder')
      check(equal(b.shape.slice(0, -1), batch) && b.shape[batch.length] <= Math.min(m, n), 'one factor a column');
    else if (arg.routine !== 'lu' && arg.routine !== 'qr') check(m === n, `${m} × ${n} is not square`);
    if (arg.routine === 'triangular') check(equal(b.shape.slice(0, -1), [...batch, n]), 'systems that do not fit');
    return { shape: [...batch, layoutOfNode(node).length], dtype: 'float64' };
  },
  winogradWeights: ([w], { turned }) => {
    checkDType(w, 'float32');
    const [out, channels, ...kernel] = w.shape;
    check(equal(kernel, [3, 3]), `kernel [${kernel.join(', ')}]`);
    return { shape: turned ? [16, channels, out] : [16, out, channels], dtype: 'float32' };
  },
  winograd: ([x, weights], { output }) => {
    for (const s of [x, weights]) checkDType(s, 'float32');
    check(x.shape[1] === weights.shape[2], `channels ${x.shape[1]} and ${weights.shape[2]}`);
    return { shape: [x.shape[0], weights.shape[1], ...output], dtype: 'float32' };
  },
  winogradGradient: ([x, dy]) => {
    for (const s of [x, dy]) checkDType(s, 'float32');
    check(x.shape[0] === dy.shape[0], `batches ${x.shape[0]} and ${dy.shape[0]}`);
    return { shape: [16, dy.shape[1], x.shape[1]], dtype: 'float32' };
  },
  winogradKernel: ([sums]) => {
    checkDType(sums, 'float32');
    check(sums.shape[0] === 16, `${sums.shape[0]} positions`);
    return { shape: [...sums.shape.slice(1), 3, 3], dtype: 'float32' };
  },
  checkIndex: ([index]) => {
    checkDType(index, 'int32');
    return index;
  },

  detach: ([x]) => x,
  custom: ([value]) => value,
};
