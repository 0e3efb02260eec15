// The loop IR: what a kernel is after scheduling and tiling, and all that an emitter has to print.
// Structured loops over typed, explicitly vectorised values. A vector has `lanes` elements, the target's width; a value
// with lanes 1 is a scalar. Addresses are element indices into buffers. No shapes, no operators of the graph here.
// Expressions are immutable and may be shared: an emitter may compute a shared one once, because only statements
// (`set`, `store`) have effects. A `load` or a mutable variable must therefore be bound by `let` where order matters.

/**
 * 'bool' is a truth value: 0 or 1 as a scalar, all bits of a lane as a vector. In memory a bool is an i32, 0 or 1. A vector of
 * 'bool64' has lanes of 64 bits, as comparisons of f64 and i64 give them; scalars are always 'bool'. The constructors below
 * convert one to the other where they meet.
 */
export type ValueType = 'f32' | 'f64' | 'i32' | 'i64' | 'bool' | 'bool64';
/** What memory holds; bytes and words are loaded as i32, and stored from its low bits. */
export type ElementType = LoadedType | 'u8' | 'u16';
export type LoadedType = 'f32' | 'f64' | 'i32';
export type FloatType = 'f32' | 'f64';

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { f32: 4, f64: 8, i32: 4, u8: 1, u16: 2 };

/** What a load of an element gives. */
export const loadedAs = (type: ElementType): LoadedType => (type === 'u8' || type === 'u16' ? 'i32' : type);

/** Bytes that a scratch buffer takes, with a gap behind it. */
export const scratchBytes = ({ size, type }: Buffer): number => 64 + Math.ceil((size * ELEMENT_BYTES[type]) / 64) * 64;

export const isFloat = (type: ValueType): type is FloatType => type === 'f32' || type === 'f64';
export const isWide = (type: ValueType): boolean => type === 'f64' || type === 'i64' || type === 'bool64';

export type LoopUnary =
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'nearest' // floats; neg and abs also i32
  | 'not' // bool, or bitwise on i32
  | 'any' // bool vector to bool scalar: true in one lane at least
  | 'same'; // i32 scalar: x, but an optimiser behind the emitter shall not know it
export type LoopBinary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div' // div on floats only
  | 'part' // floats: a / b, where a is finite or NaN if b is finite
  | 'min'
  | 'max' // floats and i32; NaN if either is NaN
  | 'scale' // f32: a · 2^n, for b = 1.5 · 2²³ + 254 + n, which has the exponents of two factors in its low bits
  | 'and'
  | 'or'
  | 'xor' // integers and truth values
  | 'shl'
  | 'shru'
  | 'shrs' // integers; the count is a scalar i32
  | 'divs'
  | 'rems'
  | 'divu'
  | 'remu'; // i32, as C divides; scalar only
export type LoopCompare = 'eq' | 'ne' | 'lt' | 'le' | 'ltu'; // floats and integers (ltu: i32, scalar only); result bool or bool64
/** from.to; a float to i32 truncates and saturates, NaN → 0. */
export type LoopConvert =
  | 'i32.f32'
  | 'f32.i32'
  | 'i32.f64'
  | 'f64.i32'
  | 'f32.f64'
  | 'f64.f32'
  | 'bits.f32.i32'
  | 'bits.i32.f32'
  | 'bits.f64.i64'
  | 'bits.i64.f64'
  | 'bool.i32'
  | 'bool.bool64'
  | 'bool64.bool';

export interface Var {
  readonly kind: 'var';
  readonly id: number;
  readonly name: string;
  readonly type: ValueType;
  readonly lanes: number;
}

/** A block of memory that a kernel is given the address of. `scratch` is private to the thread, `bytes` long. */
export interface Buffer {
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  readonly kind: 'param' | 'scratch';
  /** Elements; for scratch this is what the kernel reserves. */
  readonly size: number;
}

export type Expr =
  | Var
  | { readonly kind: 'const'; readonly type: ValueType; readonly lanes: number; readonly value: number }
  /** `lanes` consecutive elements from `index` (unaligned is fine). */
  | {
      readonly kind: 'load';
      readonly type: LoadedType;
      readonly lanes: number;
      readonly buffer: Buffer;
      readonly index: Expr;
    }
  | {
      readonly kind: 'unary';
      readonly type: ValueType;
      readonly lanes: number;
      readonly op: LoopUnary;
      readonly x: Expr;
    }
  | {
      readonly kind: 'binary';
      readonly type: ValueType;
      readonly lanes: number;
      readonly op: LoopBinary;
      readonly a: Expr;
      readonly b: Expr;
    }
  | {
      readonly kind: 'compare';
      readonly type: 'bool' | 'bool64';
      readonly lanes: number;
      readonly op: LoopCompare;
      readonly a: Expr;
      readonly b: Expr;
    }
  | {
      readonly kind: 'convert';
      readonly type: ValueType;
      readonly lanes: number;
      readonly op: LoopConvert;
      readonly x: Expr;
    }
  /** a · b + c, fused where the target can. */
  | {
      readonly kind: 'fma';
      readonly type: FloatType;
      readonly lanes: number;
      readonly a: Expr;
      readonly b: Expr;
      readonly c: Expr;
    }
  /** condition ? a : b, lane by lane; both sides are evaluated. */
  | {
      readonly kind: 'select';
      readonly type: ValueType;
      readonly lanes: number;
      readonly condition: Expr;
      readonly a: Expr;
      readonly b: Expr;
    }
  /** A scalar in every lane. */
  | { readonly kind: 'splat'; readonly type: ValueType; readonly lanes: number; readonly x: Expr }
  /** One scalar for each lane. */
  | { readonly kind: 'pack'; readonly type: ValueType; readonly lanes: number; readonly parts: readonly Expr[] }
  | { readonly kind: 'extract'; readonly type: ValueType; readonly lanes: 1; readonly x: Expr; readonly lane: number }
  /** Lanes picked from a (0 … lanes-1) and b (lanes … 2·lanes-1). */
  | {
      readonly kind: 'shuffle';
      readonly type: ValueType;
      readonly lanes: number;
      readonly a: Expr;
      readonly b: Expr;
      readonly pick: readonly number[];
    };

export type Stmt =
  /** for (variable = from; variable < to; variable += step); step is a positive constant. */
  | {
      readonly kind: 'for';
      readonly variable: Var;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Stmt[];
    }
  /** Declares a variable; `mutable` ones may be `set` later. */
  | { readonly kind: 'let'; readonly variable: Var; readonly value: Expr; readonly mutable: boolean }
  | { readonly kind: 'set'; readonly variable: Var; readonly value: Expr }
  | { readonly kind: 'store'; readonly buffer: Buffer; readonly index: Expr; readonly value: Expr }
  /** The cache line of an element that will soon be read or written; targets that cannot ask for it leave it out. */
  | { readonly kind: 'prefetch'; readonly buffer: Buffer; readonly index: Expr; readonly isWritten: boolean }
  | { readonly kind: 'if'; readonly condition: Expr; readonly then: readonly Stmt[]; readonly else: readonly Stmt[] };

/** A kernel: every thread runs `body` with its number `tid` of `threads` and does its share. */
export interface KernelFunction {
  readonly name: string;
  readonly buffers: readonly Buffer[]; // kind 'param', in call order
  readonly scalars: readonly Var[]; // run-time numbers, after the buffers in call order
  readonly scratch: readonly Buffer[]; // kind 'scratch'
  readonly tid: Var;
  readonly threads: Var;
  readonly body: readonly Stmt[];
  /** More threads with less to do each would do the same work in all. */
  readonly isDivisible: boolean;
  /** Buffers that are written past the cache: nobody reads them soon. */
  readonly streamed?: readonly Buffer[];
  /** For profiles: shapes of the main result and its operands, arithmetic operations and bytes moved by one call. */
  readonly shapes: string;
  readonly flops: number;
  readonly bytes: number;
}

/** Where a kernel's operand comes from when the program runs. */
export type Slot =
  /** Word `index` of the argument table: a number, or an address and how many bytes further on the operand begins. */
  | { readonly kind: 'argument'; readonly index: number; readonly offset?: number }
  | { readonly kind: 'arena'; readonly offset: number }; // byte offset in the program's arena

/** The word of the argument table with the address of the error record, which any thread may write at any time. */
export const ERROR_WORD = 0;
/**
 * Bytes from that record to the one for whatever comes after the last check. Threads look at the first record when they
 * have all passed the barrier; one that is ahead must not write to it any more.
 */
export const LATE_ERROR_OFFSET = 16;

export interface KernelCall {
  readonly kernel: number; // index into Program.kernels
  readonly slots: readonly Slot[]; // one for each buffer, then one for each scalar
}

/** Calls that every thread makes in this order, with a barrier after the last one: no thread needs what another one makes. */
export interface Stage {
  readonly calls: readonly KernelCall[];
  /** A thread cuts its share into so many parts, as if each were another thread's, and makes all calls for one after the other. */
  readonly parts: number;
  /** A run ends after this stage if an index was out of range: what comes later overwrites what was given. */
  readonly isLastCheck?: boolean;
}

/** A compiled graph. */
export interface Program {
  readonly kernels: readonly KernelFunction[];
  readonly stages: readonly Stage[];
  readonly argumentCount: number;
  readonly arenaBytes: number;
  readonly scratchBytes: number; // for each thread: the largest of its kernels
  /** No kernel shares its work: one thread does it all. The module says so by an export of this name. */
  readonly serial: boolean;
}

// ---------------------------------------------------------------- constructors (with the folding that keeps code short)

let nextVar = 1;

export function variable(name: string, type: ValueType, lanes = 1): Var {
  return { kind: 'var', id: nextVar++, name, type, lanes };
}

let nextBuffer = 1;

export function buffer(name: string, type: ElementType, kind: 'param' | 'scratch', size: number): Buffer {
  return { id: nextBuffer++, name, type, kind, size };
}

export function literal(value: number, type: ValueType = 'i32', lanes = 1): Expr {
  return { kind: 'const', type, lanes, value };
}

export const int = (value: number): Expr => literal(value, 'i32');
export const float = (value: number, lanes = 1): Expr => literal(value, 'f32', lanes);

function isConst(e: Expr, value?: number): e is Expr & { kind: 'const' } {
  return e.kind === 'const' && (value === undefined || e.value === value);
}

export function load(source: Buffer, index: Expr, lanes = 1): Expr {
  return { kind: 'load', type: loadedAs(source.type), lanes, buffer: source, index };
}

export function unary(op: LoopUnary, x: Expr): Expr {
  return { kind: 'unary', type: x.type, lanes: x.lanes, op, x };
}

/** Whether a truth value is true in any lane. */
export function any(x: Expr): Expr {
  return x.lanes === 1 ? x : { kind: 'unary', type: 'bool', lanes: 1, op: 'any', x };
}

/** Lanes of the wider side; the narrower one is splatted. Truth values get the width of the wider lanes. */
function level(left: Expr, right: Expr): [Expr, Expr] {
  const lanes = Math.max(left.lanes, right.lanes);
  const [a, b] = [splat(left, lanes), splat(right, lanes)];
  if (a.type === b.type) return [a, b];
  return [truthAs(a, true), truthAs(b, true)]; // one of them is wide
}

/** A truth value with lanes of 64 bits or of 32; everything else as it is. */
function truthAs(x: Expr, wide: boolean): Expr {
  const type = wide ? 'bool64' : 'bool';
  if (x.lanes === 1 || x.type === type || (x.type !== 'bool' && x.type !== 'bool64')) return x;
  if (x.kind === 'const') return literal(x.value, type, x.lanes);
  if (x.kind === 'splat') return { ...x, type };
  return { kind: 'convert', type, lanes: x.lanes, op: wide ? 'bool.bool64' : 'bool64.bool', x };
}

export function binary(op: LoopBinary, left: Expr, right: Expr): Expr {
  if (op === 'shl' || op === 'shru' || op === 'shrs') {
    return { kind: 'binary', type: left.type, lanes: left.lanes, op, a: left, b: right };
  }
  const [a, b] = level(left, right);
  if (a.type === 'i32' && a.lanes === 1) {
    const folded = foldInt(op, a, b);
    if (folded !== undefined) return folded;
  }
  return { kind: 'binary', type: a.type, lanes: a.lanes, op, a, b };
}

function foldInt(op: LoopBinary, a: Expr, b: Expr): Expr | undefined {
  if (isConst(a) && isConst(b)) {
    if (op === 'add') return int((a.value + b.value) | 0);
    if (op === 'sub') return int((a.value - b.value) | 0);
    if (op === 'mul') return int(Math.imul(a.value, b.value));
    if (op === 'divs' && b.value !== 0) return int(Math.trunc(a.value / b.value));
    if (op === 'rems' && b.value !== 0) return int(a.value % b.value);
  }
  if (op === 'add' && isConst(a, 0)) return b;
  if ((op === 'add' || op === 'sub') && isConst(b, 0)) return a;
  if (op === 'mul' && (isConst(a, 0) || isConst(b, 1))) return a;
  if (op === 'mul' && (isConst(b, 0) || isConst(a, 1))) return b;
  if (op === 'divs' && isConst(b, 1)) return a;
  return undefined;
}

export const add = (a: Expr, b: Expr): Expr => binary('add', a, b);
export const sub = (a: Expr, b: Expr): Expr => binary('sub', a, b);
export const mul = (a: Expr, b: Expr): Expr => binary('mul', a, b);

/** a + b + c → a, b, c */
export function termsOf(e: Expr): Expr[] {
  return e.kind === 'binary' && e.op === 'add' && e.lanes === 1 ? [...termsOf(e.a), ...termsOf(e.b)] : [e];
}

export function compare(op: LoopCompare, left: Expr, right: Expr): Expr {
  const [a, b] = level(left, right);
  return { kind: 'compare', type: a.lanes > 1 && isWide(a.type) ? 'bool64' : 'bool', lanes: a.lanes, op, a, b };
}

export function convert(op: LoopConvert, x: Expr): Expr {
  return { kind: 'convert', type: op.slice(op.lastIndexOf('.') + 1) as ValueType, lanes: x.lanes, op, x };
}

export function fma(a: Expr, b: Expr, c: Expr): Expr {
  const lanes = Math.max(a.lanes, b.lanes, c.lanes);
  return { kind: 'fma', type: c.type as FloatType, lanes, a: splat(a, lanes), b: splat(b, lanes), c: splat(c, lanes) };
}

export function select(condition: Expr, a: Expr, b: Expr): Expr {
  if (isConst(condition)) return condition.value !== 0 ? a : b;
  const lanes = Math.max(condition.lanes, a.lanes, b.lanes);
  const [x, y] = level(splat(a, lanes), splat(b, lanes));
  return {
    kind: 'select',
    type: x.type,
    lanes,
    condition: truthAs(splat(condition, lanes), isWide(x.type)),
    a: x,
    b: y,
  };
}

export function splat(x: Expr, lanes: number): Expr {
  if (x.lanes === lanes) return x;
  if (x.kind === 'const') return literal(x.value, x.type, lanes);
  return { kind: 'splat', type: x.type, lanes, x };
}

export function pack(parts: readonly Expr[]): Expr {
  return parts.length === 1 ? parts[0] : { kind: 'pack', type: parts[0].type, lanes: parts.length, parts };
}

export function extract(x: Expr, lane: number): Expr {
  const type = x.type === 'bool64' ? 'bool' : x.type;
  return x.lanes === 1 ? x : { kind: 'extract', type, lanes: 1, x, lane };
}

export function shuffle(a: Expr, b: Expr, pick: readonly number[]): Expr {
  return { kind: 'shuffle', type: a.type, lanes: a.lanes, a, b, pick };
}

/** (base, base + 1, …): the index of each lane. */
export function ramp(base: Expr, lanes: number): Expr {
  return lanes === 1 ? base : pack(Array.from({ length: lanes }, (_, i) => add(base, int(i))));
}

export function loop(variable: Var, from: Expr, to: Expr, step: number, body: readonly Stmt[]): Stmt {
  return { kind: 'for', variable, from, to, step, body };
}

export function define(name: Var, value: Expr, mutable = false): Stmt {
  return { kind: 'let', variable: name, value, mutable };
}

export function set(target: Var, value: Expr): Stmt {
  return { kind: 'set', variable: target, value };
}

export function store(target: Buffer, index: Expr, value: Expr): Stmt {
  return { kind: 'store', buffer: target, index, value };
}

export function prefetch(target: Buffer, index: Expr, isWritten: boolean): Stmt {
  return { kind: 'prefetch', buffer: target, index, isWritten };
}

export function when(condition: Expr, then: readonly Stmt[], otherwise: readonly Stmt[] = []): Stmt {
  return { kind: 'if', condition, then, else: otherwise };
}
