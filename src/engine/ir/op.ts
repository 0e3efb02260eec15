// The operator table: every primitive of the graph, with its arguments.
// A primitive is a row in each of a few tables: here (class, arguments), in build.ts (checks, shape and dtype) and verify.ts,
// in grad/rules.ts (derivative), in device/reference (meaning), in compile/ (lowering).
// Each table is closed with `satisfies Record<…>`, so that an omission does not compile.

import type { DenseArg } from './dense.js';
import type { DType } from './dtype.js';
import type { Indexed } from './errors.js';
import type { Shape } from './shape.js';
import type { Storage } from './storage.js';

/** Sliding windows over the trailing `size.length` axes. `hi` may be negative (rows the stride does not reach). */
export interface WindowSpec {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

/** Convolution over the trailing axes of x [B, C, …] with w [O, C / groups, …]. Padding is with zeros. */
export interface ConvSpec {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly groups: number;
}

/** `combine` says what becomes of several values at one place and of what is there: their sum, unless it is said; of 'set' the last one. */
export interface Scatter extends Indexed {
  readonly combine?: 'max' | 'min' | 'mul' | 'set';
}

/** Running results other than sums: products, extremes (NaN if one of them is), log Σ exp. */
export type Running = 'mul' | 'max' | 'min' | 'logaddexp';

/** A JavaScript number that enters kernels at run time; `get` is asked anew at each run (a learning rate). */
export interface ScalarSource {
  value: number;
  get?: (() => number) | undefined;
  /** It is another number in each call by nature: a random generator's draw. */
  readonly isDrawn?: boolean;
}

type None = null;

/** What each operator carries besides its operands. */
export interface OpArgs {
  // leaves
  leaf: { readonly storage: Storage; readonly version: number };
  /** A number that is part of the structure: 0, 1, -1, ±Infinity and whatever simplification needs. */
  const: { readonly value: number };
  scalar: ScalarSource;
  /** 0, 1, 2, … along one axis, int32. */
  iota: { readonly size: number };
  /** 32 random bits an element: threefry2x32(key = (seed, offset), counter = (flat index, 0)).x0; operands: seed, offset. */
  random: { readonly shape: Shape };

  // unary map
  neg: None;
  recip: None;
  exp: None;
  expm1: None;
  log: None;
  log1p: None;
  log2: None;
  log10: None;
  sqrt: None;
  sin: None;
  cos: None;
  tan: None;
  sinh: None;
  cosh: None;
  tanh: None;
  asin: None;
  acos: None;
  atan: None;
  erf: None;
  sigmoid: None;
  relu: None;
  abs: None;
  sign: None;
  floor: None;
  ceil: None;
  round: None;
  trunc: None;
  not: None;

  // binary map: operands broadcast as in NumPy and have one dtype
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  mod: None;
  idiv: None;
  max: None;
  min: None;
  eq: None;
  ne: None;
  lt: None;
  le: None;
  and: None;
  or: None;
  xor: None;
  shl: None;
  shr: None;

  // other maps
  /** where(condition, a, b), all broadcast. */
  where: None;
  cast: { readonly dtype: DType };
  /** Same bits, other type: int32 ↔ float32. */
  bitcast: { readonly dtype: 'float32' | 'int32' };

  // movement: an output element is one input element or zero
  reshape: { readonly shape: Shape };
  permute: { readonly axes: readonly number[] };
  expand: { readonly shape: Shape };
  pad: { readonly lo: readonly number[]; readonly hi: readonly number[] };
  /** start, size and step of every axis; a negative step walks backwards. */
  slice: { readonly start: readonly number[]; readonly size: readonly number[]; readonly step: readonly number[] };
  concat: { readonly axis: number };
  /** [..., D1, D2] → [..., O1, O2, k1, k2]: each output position's window as trailing axes. */
  window: WindowSpec;
  /**
   * torch.gather: out[i, j] = x[index[i, j], j] for axis 0. Operands: x, index. `says` is the message about an index out of
   * range, {index}, in the words of the call that the index was given to (place.ts).
   */
  gather: Indexed;

  // reductions keep their axes with size 1
  sum: { readonly axes: readonly number[] };
  prod: { readonly axes: readonly number[] };
  reduceMax: { readonly axes: readonly number[] };
  reduceMin: { readonly axes: readonly number[] };
  /** The maximum of what is a number, as C's fmax: NaN is passed over, and the maximum of nothing else is −∞. */
  reduceFmax: { readonly axes: readonly number[] };
  /** The transpose of `window`: [..., O1, O2, k1, k2] → [..., D1, D2], overlapping windows added. */
  fold: WindowSpec & { readonly output: readonly number[] };

  // kernels of their own
  /** `combine` says what all elements up to a position become: their sum, unless it is said. Only the sum has a derivative. */
  cumsum: { readonly axis: number; readonly combine?: Running };
  /** Stable order of the elements of each row, as int32 indices; NaN last (first when descending). */
  argsort: { readonly axis: number; readonly descending: boolean };
  /** [..., M, K] · [..., K, N]; batch axes broadcast. `half` is the compiler's (symmetric-products.ts): what lies above the diagonal is left open. */
  matmul: { readonly half: true } | null;
  conv: ConvSpec;
  /** Gradient of conv to its input: operands dy, w. */
  convInput: ConvSpec & { readonly input: readonly number[] };
  /** Gradient of conv to its weight: operands x, dy. */
  convWeight: ConvSpec & { readonly kernel: readonly number[] };
  /** base, index, src: base with src[i, j] added at [index[i, j], j] for axis 0; or combined otherwise. */
  scatterAdd: Scatter;
  /** Factorisations of matrices and triangular systems, float64; the results of each matrix are one row (dense.ts). */
  dense: DenseArg;

  // made by the compiler alone (compensated-scatters.ts, compile/winograd.ts, and below)
  /** scatterAdd's operands → [2, …base]: the sums, and what rounding has taken from them. */
  scatterSums: Scatter;
  /** w [O, C, 3, 3] → [16, O, C]; `turned` gives [16, C, O] of the kernel turned around. Kept from run to run if it pays. */
  winogradWeights: { readonly turned: boolean; readonly isKept: boolean };
  /** x [B, C, H, W], transformed weights [16, O, C] → [B, O, …output]. */
  winograd: { readonly lo: readonly number[]; readonly output: readonly number[] };
  /** x [B, C, H, W], dy [B, O, …] → [16, O, C], from which the next makes the weights' gradient. */
  winogradGradient: { readonly lo: readonly number[] };
  /** [16, O, C] → [O, C, 3, 3]. */
  winogradKernel: None;
  /** An index of `op`, which has to be in [0, size): nothing but the check (compile/plan/check-indices.ts). */
  checkIndex: Indexed & { readonly op: 'gather' | 'scatterAdd'; readonly size: number };

  // gradient control: identities of operand 0
  detach: None;
  /** operand 0 is the value, the others are the inputs that `backward` gives gradients for. */
  custom: CustomGradient;
}

export interface CustomGradient {
  readonly name: string;
  /** Gradient of the result → gradients of the inputs; `null` where there is none. Works on graph nodes. */
  readonly backward: (gradient: unknown) => readonly unknown[];
  /** `backward` does more than compute: it is called for a gradient that is 0 by structure, too. */
  readonly hasEffect?: boolean;
}

export type Op = keyof OpArgs;

export const LEAF_OPS = ['leaf', 'const', 'scalar', 'iota', 'random'] as const satisfies readonly Op[];
export const UNARY_OPS = [
  'neg',
  'recip',
  'exp',
  'expm1',
  'log',
  'log1p',
  'log2',
  'log10',
  'sqrt',
  'sin',
  'cos',
  'tan',
  'sinh',
  'cosh',
  'tanh',
  'asin',
  'acos',
  'atan',
  'erf',
  'sigmoid',
  'relu',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'not',
] as const satisfies readonly Op[];
export const ARITHMETIC_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'mod',
  'idiv',
  'max',
  'min',
] as const satisfies readonly Op[];
export const COMPARISON_OPS = ['eq', 'ne', 'lt', 'le'] as const satisfies readonly Op[];
export const BIT_OPS = ['and', 'or', 'xor', 'shl', 'shr'] as const satisfies readonly Op[];
export const MOVEMENT_OPS = [
  'reshape',
  'permute',
  'expand',
  'pad',
  'slice',
  'concat',
  'window',
  'gather',
] as const satisfies readonly Op[];
export const REDUCE_OPS = [
  'sum',
  'prod',
  'reduceMax',
  'reduceMin',
  'reduceFmax',
  'fold',
] as const satisfies readonly Op[];
export const KERNEL_OPS = [
  'cumsum',
  'argsort',
  'matmul',
  'conv',
  'convInput',
  'convWeight',
  'scatterAdd',
  'dense',
] as const satisfies readonly Op[];

/** No graph has these before it is compiled: they have no derivative and no meaning of their own on the reference device. */
export const COMPILER_OPS = [
  'scatterSums',
  'winogradWeights',
  'winograd',
  'winogradGradient',
  'winogradKernel',
  'checkIndex',
] as const satisfies readonly Op[];

export type UnaryOp = (typeof UNARY_OPS)[number];
export type ArithmeticOp = (typeof ARITHMETIC_OPS)[number];
export type ComparisonOp = (typeof COMPARISON_OPS)[number];
export type BitOp = (typeof BIT_OPS)[number];
export type BinaryOp = ArithmeticOp | ComparisonOp | BitOp;
export type MovementOp = (typeof MOVEMENT_OPS)[number];
export type ReduceOp = (typeof REDUCE_OPS)[number];
/** Those that reduce whole axes. */
export type AxisReduction = Exclude<ReduceOp, 'fold'>;
export type KernelOp = (typeof KERNEL_OPS)[number];
export type CompilerOp = (typeof COMPILER_OPS)[number];

export type OpClass = 'leaf' | 'unary' | 'binary' | 'map' | 'movement' | 'reduce' | 'kernel' | 'identity';

function rows<O extends Op, C extends OpClass>(ops: readonly O[], opClass: C): Record<O, C> {
  return Object.fromEntries(ops.map((op) => [op, opClass])) as Record<O, C>;
}

/** The class decides which part of the compiler handles an operator. */
export const OP_CLASS = {
  ...rows(LEAF_OPS, 'leaf'),
  ...rows(UNARY_OPS, 'unary'),
  ...rows([...ARITHMETIC_OPS, ...COMPARISON_OPS, ...BIT_OPS], 'binary'),
  ...rows(['where', 'cast', 'bitcast'], 'map'),
  ...rows(MOVEMENT_OPS, 'movement'),
  ...rows(REDUCE_OPS, 'reduce'),
  ...rows([...KERNEL_OPS, ...COMPILER_OPS], 'kernel'),
  ...rows(['detach', 'custom'], 'identity'),
} as const satisfies Record<Op, OpClass>;
