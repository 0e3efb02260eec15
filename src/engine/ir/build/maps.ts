// Builders of element-wise operators, which simplify what is certain: x + 0, x · 1, a double negation, constants.

import { type DType, wideOf } from '../dtype.js';
import { DTypeError } from '../errors.js';
import { type Node, createNode } from '../node.js';
import { type BinaryOp, type Op, type UnaryOp, ARITHMETIC_OPS, BIT_OPS, COMPARISON_OPS } from '../op.js';
import { type Shape, broadcastShapes, sameShape } from '../shape.js';
import { type DTypeRule, FLOAT, NUMBER, ANY, checkDType, differing, checkDevice } from './checks.js';
import { constant, isOp, constantValue } from './leaves.js';
import { expand } from './movement.js';
import { withNumbers } from './numbers.js';

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

/** What `compute` makes of operands of a narrow dtype in the wide one, converted back; undefined where none of them is narrow. */
export function inWide(operands: readonly Node[], compute: (...wide: Node[]) => Node, isBack = true): Node | undefined {
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
