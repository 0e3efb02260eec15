// Meaning of leaves, maps (one output element from one element of each operand) and identities.
// Operands broadcast. int32 results wrap; comparisons give 0 or 1; NaN passes through everything arithmetic.

import { castValue, wideOf } from '../../ir/dtype.js';
import type { BinaryOp, UnaryOp } from '../../ir/op.js';
import { erf, floorQuotient, pow, remainder, roundHalfEven, saturateToInt32, threefry2x32 } from './special.js';
import { type Meaning, type Meanings, type Value, broadcast, wrap } from './value.js';

type Unary = (x: number, dtype: Value['dtype']) => number;
type Binary = (a: number, b: number, dtype: Value['dtype']) => number;

const UNARY = {
  neg: (x) => -x,
  recip: (x) => 1 / x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  erf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  relu: (x) => (x < 0 ? 0 : x),
  abs: Math.abs,
  sign: (x) => Number(x > 0) - Number(x < 0), // NaN gives 0, as PyTorch
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  trunc: Math.trunc,
  not: (x, dtype) => (dtype === 'bool' ? 1 - x : ~x),
} as const satisfies Record<UnaryOp, Unary>;

const BINARY = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b, dtype) => (dtype === 'int32' ? Math.imul(a, b) : a * b),
  div: (a, b) => a / b,
  pow,
  mod: (a, b, dtype) => (dtype === 'int32' && b === 0 ? 0 : remainder(a, b)),
  idiv: (a, b, dtype) => (dtype === 'int32' ? (b === 0 ? 0 : Math.floor(a / b)) : floorQuotient(a, b)),
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b, // the count is taken modulo 32
  shr: (a, b) => a >>> b, // zeros come in, also for negative numbers
} as const satisfies Record<BinaryOp, Binary>;

function unary(f: Unary): Meaning {
  return ([x]) => x.data.map((value) => wrap(f(value, x.dtype), x.dtype));
}

function binary(f: Binary): Meaning {
  return ([a, b], node) => {
    const x = broadcast(a, node.shape);
    const y = broadcast(b, node.shape);
    return x.map((value, i) => wrap(f(value, y[i], a.dtype), a.dtype));
  };
}

const identity: Meaning = ([x]) => x.data;

/** A table of scalar functions as a table of meanings. */
function lift<K extends string, F>(table: { readonly [op in K]: F }, by: (f: F) => Meaning): Record<K, Meaning> {
  return Object.fromEntries(Object.entries<F>(table).map(([op, f]) => [op, by(f)])) as Record<K, Meaning>;
}

const LEAVES: Meanings<'leaf' | 'const' | 'scalar' | 'iota' | 'random'> = {
  leaf: (_, node, given) => given.leaf(node),
  const: (_, { arg }) => Float64Array.of(arg.value),
  scalar: (_, node, given) => Float64Array.of(castValue(given.scalar(node), node.dtype)),
  iota: (_, { arg }) => Float64Array.from({ length: arg.size }, (_unused, i) => i),
  random: ([seed, offset], node) =>
    Float64Array.from({ length: node.size }, (_unused, i) => threefry2x32(seed.data[0], offset.data[0], i, 0)),
};

const OTHER: Meanings<'where' | 'cast' | 'bitcast' | 'detach' | 'custom'> = {
  where: ([condition, a, b], { shape }) => {
    const [c, x, y] = [condition, a, b].map((operand) => broadcast(operand, shape));
    return c.map((chosen, i) => (chosen !== 0 ? x[i] : y[i]));
  },
  cast: ([x], { arg }) => {
    if (arg.dtype === 'int32') return x.data.map(saturateToInt32);
    if (arg.dtype === 'uint8') return x.data.map((value) => saturateToInt32(value) & 255);
    if (wideOf(arg.dtype) !== undefined) return x.data.map((value) => castValue(value, arg.dtype));
    if (arg.dtype === 'bool') return x.data.map((value) => Number(value !== 0)); // NaN is true
    return x.data;
  },
  bitcast: ([x], { arg }) =>
    arg.dtype === 'int32'
      ? Float64Array.from(new Int32Array(Float32Array.from(x.data).buffer))
      : Float64Array.from(new Float32Array(Int32Array.from(x.data).buffer)),
  detach: identity,
  custom: identity,
};

export const MAPS = {
  ...LEAVES,
  ...lift<UnaryOp, Unary>(UNARY, unary),
  ...lift<BinaryOp, Binary>(BINARY, binary),
  ...OTHER,
};
