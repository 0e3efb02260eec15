// Builders: the one way from operands to a node. Each checks shapes and dtypes, infers the result, simplifies what is
// certain (x + 0, x · 1, a reshape of a reshape), and creates the interned node.
// Input: nodes and plain arguments with non-negative axes; output: a node. Derivative rules and the tensor layer use these.
// Numbers are never computed here, except that constants fold.

import { type DType, castValue, isFloat, wideOf } from './dtype.js';
import { ArgumentError, DTypeError, DeviceError, IndexError, InternalError, ShapeError } from './errors.js';
import { type Node, createNode, isOp as hasOp } from './node.js';
import type {
  ArithmeticOp,
  AxisReduction,
  BinaryOp,
  BitOp,
  ComparisonOp,
  ConvSpec,
  CustomGradient,
  Op,
  OpArgs,
  ScalarSource,
  UnaryOp,
  WindowSpec,
} from './op.js';
import { indexed } from './place.js';
import { ARITHMETIC_OPS, BIT_OPS, COMPARISON_OPS } from './op.js';
import { type Shape, broadcastShapes, checkShape, formatShape, sameShape, sizeOf } from './shape.js';
import type { Storage } from './storage.js';

// ---------------------------------------------------------------- leaves

export function leaf(storage: Storage): Node<'leaf'> {
  return createNode('leaf', [], { storage, version: storage.version }, storage.shape, storage.dtype);
}

export function constant(value: number, dtype: DType = 'float32'): Node<'const'> {
  // + 0 turns -0 into 0: as part of the structure they could not be told apart.
  return createNode('const', [], { value: castValue(value, dtype) + 0 }, [], dtype);
}

const STRUCTURAL = new Set([0, 1, -1, Infinity, -Infinity]);

/** A JavaScript number as a rank-0 node: structural where simplification needs it, else a run-time argument. */
export function scalar(source: number | ScalarSource, dtype: DType = 'float32'): Node {
  if (typeof source === 'number') {
    if (STRUCTURAL.has(source) || dtype === 'bool') return constant(source, dtype) as Node;
    return createNode('scalar', [], { value: source }, [], dtype) as Node;
  }
  return createNode('scalar', [], source, [], dtype) as Node;
}

export function iota(size: number): Node {
  return createNode('iota', [], { size }, [size], 'int32') as Node;
}

export function random(seed: Node, offset: Node, shape: Shape): Node {
  return createNode('random', [seed, offset], { shape }, shape, 'int32') as Node;
}

/** The same value everywhere, without memory: a constant read with stride 0. */
export function filled(value: number, shape: Shape, dtype: DType): Node {
  return expand(scalar(value, dtype), shape);
}

/** Whether a node still stands for this operator: one that has been computed is a value and no longer looked into. */
function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return node.storage === undefined && hasOp(node, op);
}

/** The value of a constant, through any broadcasting; undefined for anything else. */
export function constantValue(node: Node): number | undefined {
  let n = node;
  while (isOp(n, 'expand') || isOp(n, 'reshape')) n = n.src[0];
  return isOp(n, 'const') ? n.arg.value : undefined;
}

// ---------------------------------------------------------------- maps

type DTypeRule = readonly DType[];
const FLOAT: DTypeRule = ['float32', 'float64'];
const NUMBER: DTypeRule = ['float32', 'float64', 'int32'];
const ANY: DTypeRule = ['float32', 'float64', 'int32', 'bool'];

/** Which dtypes a unary operator takes; the result has the same one. */
export const UNARY_DTYPES: Record<UnaryOp, DTypeRule> = {
  neg: NUMBER,
  recip: FLOAT,
  exp: FLOAT,
  expm1: FLOAT,
  log: FLOAT,
  log1p: FLOAT,
  log2: FLOAT,
  log10: FLOAT,
  sqrt: FLOAT,
  sin: FLOAT,
  cos: FLOAT,
  tan: FLOAT,
  sinh: FLOAT,
  cosh: FLOAT,
  tanh: FLOAT,
  asin: FLOAT,
  acos: FLOAT,
  atan: FLOAT,
  erf: FLOAT,
  sigmoid: FLOAT,
  relu: NUMBER,
  abs: NUMBER,
  sign: NUMBER,
  floor: FLOAT,
  ceil: FLOAT,
  round: FLOAT,
  trunc: FLOAT,
  not: ['int32', 'bool'],
};

function checkDType(op: string, node: Node, allowed: DTypeRule): void {
  if (!allowed.includes(node.dtype)) {
    throw new DTypeError(`${op}: takes ${allowed.join(' or ')}, not ${node.dtype}. Convert with to('${allowed[0]}').`, [
      node.dtype,
    ]);
  }
}

/** Two operands of one dtype of real numbers. */
function checkFloats(op: string, a: Node, b: Node): void {
  checkDType(op, a, FLOAT);
  checkDType(op, b, FLOAT);
  if (a.dtype !== b.dtype) throw differing(op, a, b);
}

function differing(op: string, a: Node, b: Node): DTypeError {
  return new DTypeError(`${op}: operands are ${a.dtype} and ${b.dtype}. Convert one with to('${a.dtype}').`, [
    a.dtype,
    b.dtype,
  ]);
}

function checkDevice(op: string, src: readonly Node[]): void {
  let device: string | undefined;
  for (const s of src) {
    if (s.device === undefined) continue;
    if (device === undefined) device = s.device;
    else if (device !== s.device) {
      throw new DeviceError(
        `${op}: tensors on two devices (${device} and ${s.device}). Move one with to('${device}').`,
      );
    }
  }
}

/** What `compute` makes of operands of a narrow dtype in the wide one, converted back; undefined where none of them is narrow. */
function inWide(operands: readonly Node[], compute: (...wide: Node[]) => Node, isBack = true): Node | undefined {
  const [{ dtype }] = operands;
  const wide = wideOf(dtype);
  if (wide === undefined || operands.some((x) => x.dtype !== dtype)) return undefined;
  const made = compute(...operands.map((x) => cast(x, wide)));
  return isBack ? cast(made, dtype) : made;
}

/** What a unary operator gives for a constant; also the scalar meaning that the reference device uses. */
export function unary(op: UnaryOp, x: Node): Node {
  const wide = inWide([x], (w) => unary(op, w));
  if (wide !== undefined) return wide;
  checkDType(op, x, UNARY_DTYPES[op]);
  if (op === 'neg' && isOp(x, 'neg')) return x.src[0];
  if (op === 'neg' && isOp(x, 'const')) return constant(-x.arg.value, x.dtype) as Node;
  if (op === 'not' && x.dtype === 'bool' && isOp(x, 'not')) return x.src[0];
  if ((op === 'relu' || op === 'abs') && x.op === op) return x;
  return createNode(op, [x], null, x.shape, x.dtype) as Node;
}

const ARITHMETIC: ReadonlySet<Op> = new Set<Op>(ARITHMETIC_OPS);
const COMPARISON: ReadonlySet<Op> = new Set<Op>(COMPARISON_OPS);
const BITS: ReadonlySet<Op> = new Set<Op>(BIT_OPS);
const LOGICAL: ReadonlySet<Op> = new Set<Op>(['and', 'or', 'xor']);

function binaryDTypes(op: BinaryOp): DTypeRule {
  if (LOGICAL.has(op)) return ['bool', 'int32'];
  if (BITS.has(op)) return ['int32'];
  if (op === 'div' || op === 'pow') return FLOAT;
  if (op === 'max' || op === 'min' || COMPARISON.has(op)) return ANY;
  return NUMBER;
}

/**
 * A number, repeated or not, with another dtype of real numbers: numbers of formulas are float32 as long as nothing else is said,
 * and exact in float64, too. Undefined for anything else.
 */
function numberAs(x: Node, dtype: DType): Node | undefined {
  if (x.dtype !== 'float32' || !isFloat(dtype)) return undefined;
  if (isOp(x, 'const')) return constant(x.arg.value, dtype) as Node;
  if (isOp(x, 'scalar')) return createNode('scalar', [], x.arg, [], dtype) as Node;
  if (!isOp(x, 'expand') && !isOp(x, 'reshape')) return undefined;
  const base = numberAs(x.src[0], dtype);
  if (base === undefined) return undefined;
  return x.op === 'expand' ? expand(base, x.shape) : reshape(base, x.shape);
}

/** A number with another dtype of real numbers; anything else as it is. */
export function numberLike(x: Node, dtype: DType): Node {
  return numberAs(x, dtype) ?? x;
}

/** Both operands, of which one that is a number takes the other's dtype. */
function withNumbers(a: Node, b: Node): readonly [Node, Node] {
  return a.dtype === b.dtype ? [a, b] : [numberLike(a, b.dtype), numberLike(b, a.dtype)];
}

export function binary(op: BinaryOp, left: Node, right: Node): Node {
  const [a, b] = withNumbers(left, right);
  const wide = inWide([a, b], (x, y) => binary(op, x, y), !COMPARISON.has(op));
  if (wide !== undefined) return wide;
  checkDevice(op, [a, b]);
  if (a.dtype !== b.dtype) throw differing(op, a, b);
  checkDType(op, a, binaryDTypes(op));
  const shape = broadcastShapes(a.shape, b.shape, op);
  const simple = simplifyBinary(op, a, b, shape);
  if (simple !== undefined) return simple;
  return createNode(op, [a, b], null, shape, COMPARISON.has(op) ? 'bool' : a.dtype) as Node;
}

/** x + 0, x − 0, x · 1, x / 1, x · −1, where the result has x's shape; and arithmetic of two constants. */
function simplifyBinary(op: BinaryOp, a: Node, b: Node, shape: Shape): Node | undefined {
  if (!ARITHMETIC.has(op)) return undefined;
  const x = constantValue(a);
  const y = constantValue(b);
  const value = x === undefined || y === undefined ? undefined : folded(op, x, y, a.dtype);
  if (value !== undefined) {
    // Not rounded here: a float32 device rounds a constant when it is emitted, the reference device never does.
    return expand(constant(value, a.dtype) as Node, shape);
  }
  const keepA = y !== undefined && sameShape(a.shape, shape);
  const keepB = x !== undefined && sameShape(b.shape, shape);
  if (
    keepA &&
    (((op === 'add' || op === 'sub') && y === 0) || ((op === 'mul' || op === 'div' || op === 'pow') && y === 1))
  )
    return a;
  if (keepB && ((op === 'add' && x === 0) || (op === 'mul' && x === 1))) return b;
  if (keepA && op === 'mul' && y === -1) return unary('neg', a);
  if (keepB && op === 'mul' && x === -1) return unary('neg', b);
  return undefined;
}

/** Arithmetic of two constants; a quotient by 0 is left to the device. */
function folded(op: BinaryOp, x: number, y: number, dtype: DType): number | undefined {
  if (op === 'add') return x + y;
  if (op === 'sub') return x - y;
  if (op === 'mul') return dtype === 'int32' ? Math.imul(x, y) : x * y;
  return op === 'div' && y !== 0 ? x / y : undefined;
}

export const add = (a: Node, b: Node): Node => binary('add', a, b);
export const sub = (a: Node, b: Node): Node => binary('sub', a, b);
export const mul = (a: Node, b: Node): Node => binary('mul', a, b);
export const div = (a: Node, b: Node): Node => binary('div', a, b);
export const neg = (x: Node): Node => unary('neg', x);

export type { ArithmeticOp, BitOp, ComparisonOp };

export function where(condition: Node, first: Node, second: Node): Node {
  const [a, b] = withNumbers(first, second);
  checkDevice('where', [condition, a, b]);
  checkDType('where', condition, ['bool']);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`where: branches are ${a.dtype} and ${b.dtype}. Convert one with to('${a.dtype}').`, [
      a.dtype,
      b.dtype,
    ]);
  }
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, 'where'), 'where');
  if (a === b && sameShape(a.shape, shape)) return a;
  return createNode('where', [condition, a, b], null, shape, a.dtype) as Node;
}

export function cast(x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  if (isOp(x, 'cast') && x.src[0].dtype === dtype && wideOf(dtype) === x.dtype) return x.src[0]; // there and back
  if (isOp(x, 'const')) {
    // A number beyond int32 saturates, as at run time; castValue would wrap.
    return constant(
      dtype === 'int32' ? Math.min(Math.max(x.arg.value, -0x80000000), 0x7fffffff) : x.arg.value,
      dtype,
    ) as Node;
  }
  return createNode('cast', [x], { dtype }, x.shape, dtype) as Node;
}

export function bitcast(x: Node, dtype: 'float32' | 'int32'): Node {
  checkDType('bitcast', x, ['float32', 'int32']);
  if (x.dtype === dtype) return x;
  return createNode('bitcast', [x], { dtype }, x.shape, dtype) as Node;
}

// ---------------------------------------------------------------- movement

export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(shape) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, ${formatShape(shape)} has ${sizeOf(shape)}`,
      [x.shape, shape],
    );
  }
  let base = x;
  while (isOp(base, 'reshape')) base = base.src[0];
  if (sameShape(base.shape, shape)) return base;
  return createNode('reshape', [base], { shape }, shape, x.dtype) as Node;
}

export function permute(x: Node, axes: readonly number[]): Node {
  if (isOp(x, 'permute')) {
    const inner = x.arg.axes;
    return permute(
      x.src[0],
      axes.map((a) => inner[a]),
    );
  }
  if (axes.every((a, i) => a === i)) return x;
  return createNode(
    'permute',
    [x],
    { axes },
    axes.map((a) => x.shape[a]),
    x.dtype,
  ) as Node;
}

/** Swaps the last two axes. */
export function transposeLast(x: Node): Node {
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  [axes[rank - 1], axes[rank - 2]] = [rank - 2, rank - 1];
  return permute(x, axes);
}

export function expand(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const lead = shape.length - x.shape.length;
  if (lead < 0 || x.shape.some((n, i) => n !== 1 && n !== shape[lead + i])) {
    throw new ShapeError(`expand: ${formatShape(x.shape)} to ${formatShape(shape)}: only axes of size 1 can grow`, [
      x.shape,
      shape,
    ]);
  }
  checkShape(shape, 'expand');
  const base = isOp(x, 'expand') ? x.src[0] : x;
  return createNode('expand', [base], { shape }, shape, x.dtype) as Node;
}

/** Zeros around: `lo` before and `hi` after each axis, 0 or more. */
export function pad(x: Node, lo: readonly number[], hi: readonly number[]): Node {
  if (lo.every((n) => n === 0) && hi.every((n) => n === 0)) return x;
  const shape = x.shape.map((n, i) => n + lo[i] + hi[i]);
  checkShape(shape, 'pad');
  return createNode('pad', [x], { lo, hi }, shape, x.dtype) as Node;
}

export function slice(x: Node, start: readonly number[], size: readonly number[], step: readonly number[]): Node {
  if (start.every((s, i) => s === 0 && step[i] === 1 && size[i] === x.shape[i])) return x;
  for (let i = 0; i < start.length; i++) {
    const last = start[i] + (size[i] - 1) * step[i];
    if (size[i] > 0 && (start[i] < 0 || start[i] >= x.shape[i] || last < 0 || last >= x.shape[i])) {
      throw new IndexError(
        `slice: ${start[i]} to ${last} is outside axis ${i} of ${formatShape(x.shape)}.`,
        last,
        x.shape[i],
      );
    }
  }
  // What repeats along an axis is the same wherever the part begins.
  if (
    isOp(x, 'expand') &&
    start.every((s, i) => isRepeated(x, i) || (s === 0 && size[i] === x.shape[i] && step[i] === 1))
  )
    return expand(x.src[0], size);
  if (isOp(x, 'slice')) {
    const { start: from, step: by } = x.arg;
    const begin = start.map((s, i) => from[i] + s * by[i]);
    return createNode('slice', [x.src[0]], { start: begin, size, step: step.map((s, i) => s * by[i]) }, size, x.dtype);
  }
  return createNode('slice', [x], { start, size, step }, size, x.dtype) as Node;
}

/** Is an axis of an expanded node made by repeating one element? */
function isRepeated(x: Node<'expand'>, axis: number): boolean {
  const [base] = x.src;
  const own = axis - (x.shape.length - base.shape.length);
  return own < 0 || base.shape[own] === 1;
}

/** The part [from, to) of one axis. */
export function sliceAxis(x: Node, axis: number, from: number, to: number): Node {
  const start = x.shape.map((_, i) => (i === axis ? from : 0));
  const size = x.shape.map((n, i) => (i === axis ? to - from : n));
  return slice(
    x,
    start,
    size,
    x.shape.map(() => 1),
  );
}

export function flip(x: Node, axes: readonly number[]): Node {
  const flipped = x.shape.map((n, i) => axes.includes(i) && n > 0);
  return slice(
    x,
    x.shape.map((n, i) => (flipped[i] ? n - 1 : 0)),
    x.shape,
    x.shape.map((_, i) => (flipped[i] ? -1 : 1)),
  );
}

export function concat(given: readonly Node[], axis: number): Node {
  checkDevice('cat', given);
  if (given.length === 0) throw new ArgumentError('cat: no tensors. Give at least one.');
  const wide = given.find(({ dtype }) => dtype === 'float64');
  const parts = wide === undefined ? given : given.map((part) => withNumbers(part, wide)[0]);
  const [first] = parts;
  let total = 0;
  for (const part of parts) {
    if (part.dtype !== first.dtype) {
      throw new DTypeError(
        `cat: tensors are ${first.dtype} and ${part.dtype}. Convert one with to('${first.dtype}').`,
        [first.dtype, part.dtype],
      );
    }
    if (part.shape.length !== first.shape.length || part.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
      throw new ShapeError(
        `cat: ${formatShape(first.shape)} and ${formatShape(part.shape)} differ outside dimension ${axis}`,
        [first.shape, part.shape],
      );
    }
    total += part.shape[axis];
  }
  if (parts.length === 1) return first;
  return createNode(
    'concat',
    parts,
    { axis },
    first.shape.map((n, i) => (i === axis ? total : n)),
    first.dtype,
  ) as Node;
}

/** Number of positions of a window along one axis; 0 or less means that it does not fit. */
export function windowCount(
  size: number,
  spec: { size: number; stride: number; dilation: number; lo: number; hi: number },
): number {
  return Math.floor((size + spec.lo + spec.hi - spec.dilation * (spec.size - 1) - 1) / spec.stride) + 1;
}

/** Output sizes of windows `kernel` over the trailing axes `sizes`. */
export function windowOutput(sizes: Shape, kernel: Shape, spec: Omit<WindowSpec, 'size'>, op: string): number[] {
  return kernel.map((k, i) => {
    const count = windowCount(sizes[i], {
      size: k,
      stride: spec.stride[i],
      dilation: spec.dilation[i],
      lo: spec.lo[i],
      hi: spec.hi[i],
    });
    if (count <= 0) {
      const reach = spec.dilation[i] * (k - 1) + 1;
      throw new ShapeError(
        `${op}: kernel of size ${reach} does not fit an input of size ${sizes[i]} with padding ${spec.lo[i]} and ${spec.hi[i]}`,
        [sizes, kernel],
      );
    }
    return count;
  });
}

export function window(x: Node, spec: WindowSpec, op = 'window'): Node {
  const n = spec.size.length;
  const lead = x.shape.slice(0, x.shape.length - n);
  const out = windowOutput(x.shape.slice(x.shape.length - n), spec.size, spec, op);
  checkShape([...lead, ...out, ...spec.size], op);
  return createNode('window', [x], spec, [...lead, ...out, ...spec.size], x.dtype) as Node;
}

export function gather(x: Node, axis: number, index: Node, arg = indexed(axis, x.shape[axis])): Node {
  checkDevice('gather', [x, index]);
  checkDType('gather: index', index, ['int32']);
  checkIndexShape('gather', x.shape, index.shape, axis);
  if (x.shape.length === 0) return reshape(gather(reshape(x, [1]), 0, reshape(index, [1])), []);
  return createNode('gather', [x, index], arg, index.shape, x.dtype) as Node;
}

function checkIndexShape(op: string, x: Shape, index: Shape, axis: number): void {
  if (x.length !== index.length || index.some((n, i) => i !== axis && n > x[i])) {
    throw new ShapeError(`${op}: index ${formatShape(index)} does not fit ${formatShape(x)} along dimension ${axis}`, [
      x,
      index,
    ]);
  }
  if (x[axis] === 0 && sizeOf(index) > 0)
    throw new IndexError(`${op}: dimension ${axis} of ${formatShape(x)} has size 0: no index is in range.`, 0, 0);
}

// ---------------------------------------------------------------- reductions

/** Reduces `axes`, which stay with size 1. */
export function reduce(op: AxisReduction, x: Node, axes: readonly number[]): Node {
  const wide = inWide([x], (w) => reduce(op, w, axes));
  if (wide !== undefined) return wide;
  checkDType(op, x, NUMBER);
  if (axes.length === 0) return x;
  if (axes.every((a) => x.shape[a] === 1)) return x;
  if (op !== 'sum' && op !== 'prod' && axes.some((a) => x.shape[a] === 0)) {
    throw new ShapeError(`${op === 'reduceMin' ? 'min' : 'max'}: ${formatShape(x.shape)} has no elements to reduce`, [
      x.shape,
    ]);
  }
  const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return createNode(op, [x], { axes }, shape, x.dtype) as Node;
}

export const sum = (x: Node, axes: readonly number[]): Node => reduce('sum', x, axes);

/** Adds up what broadcasting repeated, so that the result has `shape`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(sum(x, axes), shape);
}

export function fold(x: Node, spec: WindowSpec, output: readonly number[]): Node {
  const wide = inWide([x], (w) => fold(w, spec, output));
  if (wide !== undefined) return wide;
  const n = spec.size.length;
  const lead = x.shape.slice(0, x.shape.length - 2 * n);
  return createNode('fold', [x], { ...spec, output }, [...lead, ...output], x.dtype) as Node;
}

// ---------------------------------------------------------------- kernels of their own

export function cumsum(x: Node, axis: number): Node {
  const wide = inWide([x], (w) => cumsum(w, axis));
  if (wide !== undefined) return wide;
  checkDType('cumsum', x, NUMBER);
  if (x.shape.length === 0) return x;
  return createNode('cumsum', [x], { axis }, x.shape, x.dtype) as Node;
}

export function argsort(x: Node, axis: number, descending: boolean): Node {
  const wide = inWide([x], (w) => argsort(w, axis, descending), false);
  if (wide !== undefined) return wide;
  checkDType('sort', x, NUMBER);
  if (x.shape.length === 0) return constant(0, 'int32') as Node;
  return createNode('argsort', [x], { axis, descending }, x.shape, 'int32') as Node;
}

export function matmul(left: Node, right: Node): Node {
  const [a, b] = withNumbers(left, right);
  const wide = inWide([a, b], matmul);
  if (wide !== undefined) return wide;
  checkDevice('matmul', [a, b]);
  checkFloats('matmul', a, b);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new InternalError('matmul: operands below rank 2 reached the graph.');
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (k !== k2) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} x ${formatShape(b.shape)}: inner dimensions ${k} and ${k2} differ`,
      [a.shape, b.shape],
    );
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul', [a.shape, b.shape]);
  return createNode('matmul', [a, b], null, [...batch, m, n], a.dtype) as Node;
}

function convArgs(spec: ConvSpec): ConvSpec {
  const { stride, dilation, lo, hi, groups } = spec;
  return { stride, dilation, lo, hi, groups };
}

/** x [B, C, …], w [O, C / groups, …] → [B, O, …]; `op` names the caller in errors. */
export function conv(input: Node, weight: Node, spec: ConvSpec, op = 'conv'): Node {
  const [x, w] = withNumbers(input, weight);
  const wide = inWide([x, w], (a, b) => conv(a, b, spec, op));
  if (wide !== undefined) return wide;
  checkDevice(op, [x, w]);
  checkFloats(op, x, w);
  const [batch, channels, ...sizes] = x.shape;
  const [out, perGroup, ...kernel] = w.shape;
  if (channels !== perGroup * spec.groups) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)} has ${channels} channels, weight ${formatShape(w.shape)} with ${spec.groups} groups takes ${perGroup * spec.groups}`,
      [x.shape, w.shape],
    );
  }
  if (out % spec.groups !== 0) {
    throw new ShapeError(`${op}: ${out} output channels do not divide into ${spec.groups} groups`, [x.shape, w.shape]);
  }
  const spatial = windowOutput(sizes, kernel, spec, op);
  checkShape([batch, out, ...spatial], op);
  return createNode('conv', [x, w], convArgs(spec), [batch, out, ...spatial], x.dtype) as Node;
}

/** dy [B, O, …], w [O, C / groups, …] → [B, C, …input]. */
export function convInput(dy: Node, w: Node, spec: ConvSpec, input: readonly number[], op = 'conv'): Node {
  checkDevice(op, [dy, w]);
  checkFloats(op, dy, w);
  const shape = [dy.shape[0], w.shape[1] * spec.groups, ...input];
  return createNode('convInput', [dy, w], { ...convArgs(spec), input }, shape, dy.dtype) as Node;
}

/** x [B, C, …], dy [B, O, …] → [O, C / groups, …kernel]. */
export function convWeight(x: Node, dy: Node, spec: ConvSpec, kernel: readonly number[]): Node {
  checkDevice('conv', [x, dy]);
  const shape = [dy.shape[1], x.shape[1] / spec.groups, ...kernel];
  return createNode('convWeight', [x, dy], { ...convArgs(spec), kernel }, shape, dy.dtype) as Node;
}

export function scatterAdd(
  to: Node,
  axis: number,
  index: Node,
  source: Node,
  arg = indexed(axis, to.shape[axis]),
): Node {
  const [base, src] = withNumbers(to, source);
  const wide = inWide([base, src], (a, b) => scatterAdd(a, axis, index, b, arg));
  if (wide !== undefined) return wide;
  checkDevice('scatterAdd', [base, index, src]);
  checkDType('scatterAdd: index', index, ['int32']);
  if (base.dtype !== src.dtype) {
    throw new DTypeError(`scatterAdd: base is ${base.dtype}, source is ${src.dtype}.`, [base.dtype, src.dtype]);
  }
  checkIndexShape('scatterAdd', base.shape, index.shape, axis);
  if (!sameShape(index.shape, src.shape)) {
    throw new ShapeError(`scatterAdd: index ${formatShape(index.shape)} and source ${formatShape(src.shape)} differ`, [
      index.shape,
      src.shape,
    ]);
  }
  if (base.shape.length === 0) {
    const [wideBase, wideIndex, wideSrc] = [base, index, src].map((n) => reshape(n, [1]));
    return reshape(scatterAdd(wideBase, 0, wideIndex, wideSrc), []);
  }
  return createNode('scatterAdd', [base, index, src], arg, base.shape, base.dtype) as Node;
}

// ---------------------------------------------------------------- gradient control

/** The same value, through which no gradient flows. */
export function detach(x: Node): Node {
  if (!x.requiresGrad) return x;
  return createNode('detach', [x], null, x.shape, x.dtype) as Node;
}

/** The same value in memory of its own, where the engine computes it. */
export function copy(x: Node): Node {
  return createNode('detach', [x], null, x.shape, x.dtype) as Node;
}

/** The same value as a variable of its own: gradients can be taken with respect to it, and flow on through it. */
export function variable(x: Node): Node {
  const pass: CustomGradient = { name: 'variable', backward: (g) => [g] };
  return createNode('custom', [detach(x), x], pass, x.shape, x.dtype, true) as Node;
}

export function custom(value: Node, inputs: readonly Node[], gradient: CustomGradient): Node {
  return createNode('custom', [detach(value), ...inputs], gradient, value.shape, value.dtype) as Node;
}

export type { OpArgs };
