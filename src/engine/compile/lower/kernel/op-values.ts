// What each map operator is in the loop IR: one row an operator, for scalars and vectors alike.
// Transcendental functions come from loop/math.ts. Boolean operands arrive as truth values.

import type { BinaryOp, UnaryOp } from '../../../ir/op.js';
import * as L from '../../../loop/loop.js';
import type { Expr, ValueType } from '../../../loop/loop.js';
import * as math from '../../../loop/math/math.js';

type Bind = math.Bind;
type UnaryValue = (x: Expr, type: ValueType, bind: Bind, range: math.Range) => Expr;
type BinaryValue = (a: Expr, b: Expr, type: ValueType, bind: Bind) => Expr;

const like = (x: Expr, value: number): Expr => L.literal(value, x.type, x.lanes);

function sign(x: Expr): Expr {
  const zero = like(x, 0);
  const positive = L.select(L.compare('lt', zero, x), like(x, 1), zero); // 0 for NaN, as PyTorch
  return L.select(L.compare('lt', x, zero), like(x, -1), positive);
}

/** Integer division that rounds down and gives 0 for a zero divisor; lane by lane, as no vector unit divides integers. */
function byLane(a: Expr, b: Expr, bind: Bind, op: (x: Expr, y: Expr) => Expr): Expr {
  const lanes = Math.max(a.lanes, b.lanes);
  if (lanes === 1) return op(a, b);
  const [x, y] = [bind('a', L.splat(a, lanes)), bind('b', L.splat(b, lanes))];
  return L.pack(Array.from({ length: lanes }, (_, i) => op(bind('x', L.extract(x, i)), bind('y', L.extract(y, i)))));
}

function safeDivisor(y: Expr, bind: Bind): { divisor: Expr; valid: Expr } {
  const valid = bind('valid', L.compare('ne', y, L.int(0)));
  return { divisor: bind('d', L.select(valid, y, L.int(1))), valid };
}

function floorDivide(x: Expr, y: Expr, bind: Bind): Expr {
  const { divisor, valid } = safeDivisor(y, bind);
  // -2^31 / -1 overflows and would trap: 0 - x wraps as it should.
  const minusOne = bind('m', L.compare('eq', divisor, L.int(-1)));
  const safe = bind('s', L.select(minusOne, L.int(1), divisor));
  const q = bind('q', L.binary('divs', x, safe));
  const r = bind('r', L.binary('rems', x, safe));
  const down = L.binary('and', L.compare('ne', r, L.int(0)), L.compare('lt', L.binary('xor', r, safe), L.int(0)));
  const floored = L.select(down, L.sub(q, L.int(1)), q);
  return L.select(valid, L.select(minusOne, L.sub(L.int(0), x), floored), L.int(0));
}

function floorModulo(x: Expr, y: Expr, bind: Bind): Expr {
  const { divisor, valid } = safeDivisor(y, bind);
  const r = bind('r', L.binary('rems', x, divisor));
  const other = L.binary('and', L.compare('ne', r, L.int(0)), L.compare('lt', L.binary('xor', r, divisor), L.int(0)));
  return L.select(valid, L.select(other, L.add(r, divisor), r), L.int(0));
}

const f =
  (fn: (x: Expr, bind: Bind) => Expr): UnaryValue =>
  (x, _type, bind) =>
    fn(x, bind);

export const UNARY_VALUES = {
  neg: (x) => L.unary('neg', x),
  recip: (x) => L.binary('div', like(x, 1), x),
  exp: (x, _type, bind, range) => math.exp(x, bind, range),
  expm1: f(math.expm1),
  log: f(math.log),
  log1p: f(math.log1p),
  log2: f(math.log2),
  log10: f(math.log10),
  sqrt: (x) => L.unary('sqrt', x),
  sin: f(math.sin),
  cos: f(math.cos),
  tan: f(math.tan),
  sinh: f(math.sinh),
  cosh: f(math.cosh),
  tanh: f(math.tanh),
  asin: f(math.asin),
  acos: f(math.acos),
  atan: f(math.atan),
  erf: f(math.erf),
  sigmoid: f(math.sigmoid),
  relu: (x) => L.select(L.compare('lt', x, like(x, 0)), like(x, 0), x), // NaN stays NaN
  abs: (x) => L.unary('abs', x),
  sign: (x) => sign(x),
  floor: (x) => L.unary('floor', x),
  ceil: (x) => L.unary('ceil', x),
  round: (x) => L.unary('nearest', x),
  trunc: (x) => L.unary('trunc', x),
  not: (x) => L.unary('not', x),
} as const satisfies Record<UnaryOp, UnaryValue>;

const compare =
  (op: L.LoopCompare): BinaryValue =>
  (a, b, type) =>
    type === 'bool' ? compareBool(op, a, b) : L.compare(op, a, b);

/** Truth values compare as 0 and 1. */
function compareBool(op: L.LoopCompare, a: Expr, b: Expr): Expr {
  return L.compare(op, truthAsInt(a), truthAsInt(b));
}

function truthAsInt(x: Expr): Expr {
  return L.select(x, L.literal(1, 'i32', x.lanes), L.literal(0, 'i32', x.lanes));
}

const bits =
  (op: L.LoopBinary): BinaryValue =>
  (a, b) =>
    L.binary(op, a, b);

/** Vector shifts take one count for all lanes; a vector of counts is shifted lane by lane. */
const shift =
  (op: 'shl' | 'shru'): BinaryValue =>
  (a, b, _type, bind) => {
    if (b.lanes === 1) return L.binary(op, a, b);
    if (b.kind === 'const') return L.binary(op, L.splat(a, b.lanes), L.int(b.value));
    return byLane(a, b, bind, (x, y) => L.binary(op, x, y));
  };

export const BINARY_VALUES = {
  add: bits('add'),
  sub: bits('sub'),
  mul: bits('mul'),
  div: bits('div'),
  pow: (a, b, _type, bind) => math.pow(...levelled(a, b), bind),
  mod: (a, b, type, bind) =>
    L.isFloat(type) ? math.mod(...levelled(a, b), bind) : byLane(a, b, bind, (x, y) => floorModulo(x, y, bind)),
  idiv: (a, b, type, bind) =>
    L.isFloat(type) ? math.floorDivide(...levelled(a, b), bind) : byLane(a, b, bind, (x, y) => floorDivide(x, y, bind)),
  max: (a, b, type) => (type === 'bool' ? L.binary('or', a, b) : L.binary('max', a, b)),
  min: (a, b, type) => (type === 'bool' ? L.binary('and', a, b) : L.binary('min', a, b)),
  eq: compare('eq'),
  ne: compare('ne'),
  lt: compare('lt'),
  le: compare('le'),
  and: bits('and'),
  or: bits('or'),
  xor: bits('xor'),
  shl: shift('shl'),
  shr: shift('shru'),
} as const satisfies Record<BinaryOp, BinaryValue>;

function levelled(a: Expr, b: Expr): [Expr, Expr] {
  const lanes = Math.max(a.lanes, b.lanes);
  return [L.splat(a, lanes), L.splat(b, lanes)];
}

type CastValue = (x: Expr) => Expr;
/** Values of a node; what lanes they have does not matter. */
type NodeType = 'f32' | 'f64' | 'i32' | 'bool';
const same: CastValue = (x) => x;
const truth: CastValue = (x) => L.compare('ne', x, like(x, 0));
const converted =
  (op: L.LoopConvert): CastValue =>
  (x) =>
    L.convert(op, x);
const ofTruth =
  (type: L.FloatType): CastValue =>
  (x) =>
    L.select(x, L.literal(1, type, x.lanes), L.literal(0, type, x.lanes));

/** from → to */
export const CAST_VALUES: Record<NodeType, Record<NodeType, CastValue>> = {
  f32: { f32: same, f64: converted('f32.f64'), i32: converted('f32.i32'), bool: truth },
  f64: { f32: converted('f64.f32'), f64: same, i32: converted('f64.i32'), bool: truth },
  i32: { f32: converted('i32.f32'), f64: converted('i32.f64'), i32: same, bool: truth },
  bool: { f32: ofTruth('f32'), f64: ofTruth('f64'), i32: truthAsInt, bool: same },
};
