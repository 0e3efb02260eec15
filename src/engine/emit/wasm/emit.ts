// Program → WebAssembly bytes. Each kernel becomes a function (tid, threads, scratch, buffers…, scalars…); `run` calls those
// of some stages. Scheduling and tiling are done: this file only prints, by the tables in opcodes.ts.
// Input: a program in the loop IR. Output: a module that imports env.memory and exports run, and how many stages there are.

import { InternalError } from '../../ir/errors.js';
import * as L from '../../loop/loop.js';
import type { Buffer, Expr, KernelFunction, Program, Stmt, ValueType, Var } from '../../loop/loop.js';
import { scaleByBits } from '../../loop/math/exp.js';
import {
  Bytes,
  type FunctionBody,
  assembleModule,
  f32Bytes,
  f64Bytes,
  i32Bytes,
  i64Bytes,
  leb,
  sleb,
  sleb64,
} from './assembler.js';
import {
  BINARY,
  CODE,
  COMPARE,
  CONVERT,
  EMPTY_BLOCK,
  type Encoding,
  FLOAT_VECTOR,
  LANE,
  LOAD_SPLAT,
  MEMORY,
  NARROW,
  TYPE,
  UNARY,
  VECTOR_MEMORY,
  WIDEN,
} from './opcodes.js';
import { runFunction } from './run-function.js';

export interface EmitOptions {
  /** Fused multiply-add where the engine has it. */
  readonly relaxed: boolean;
  /** Shared memory and threads. */
  readonly shared: boolean;
  readonly maxPages: number;
}

const ALIGN_4 = 2;
/** Constant parts of an index up to this go into the instruction; the rest of the index may be a little negative. */
const MOST_IMMEDIATE = 64;
const VECTOR_BYTES = 16;
/** By their bytes. */
const VECTOR_LOADS: Readonly<Record<number, readonly number[]>> = {
  4: VECTOR_MEMORY.loadQuarter,
  8: VECTOR_MEMORY.loadHalf,
  16: VECTOR_MEMORY.load,
};
const VECTOR_STORES: Readonly<Record<number, readonly number[]>> = {
  2: VECTOR_MEMORY.storeEighth,
  4: VECTOR_MEMORY.storeQuarter,
  8: VECTOR_MEMORY.storeHalf,
  16: VECTOR_MEMORY.store,
};

/** What addresses are known to be multiples of, as a power of two. */
const alignment = (type: L.ElementType): number => Math.min(ALIGN_4, Math.log2(L.ELEMENT_BYTES[type]));

export function emitProgram(program: Program, options: EmitOptions): Uint8Array<ArrayBuffer> {
  const functions: FunctionBody[] = [];
  const numbers = new Map<string, number>(); // of functions, by their bytes: equal kernels are one
  const targets = program.kernels.map((kernel) => {
    const body = new FunctionEmitter(kernel, options).emit();
    const key = `${body.params.join()};${body.locals.join()};${new TextDecoder('latin1').decode(body.code)}`;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = functions.push(body) - 1));
    return number;
  });
  const run = functions.push(runFunction(program, targets)) - 1;
  const constants = { stages: program.stages.length, serial: program.serial ? 1 : 0 };
  return assembleModule({ memory: options, functions, exports: { run }, constants });
}

// ---------------------------------------------------------------- kernels

/** What lanes of a type are to the machine: truth values are integers. */
function laneOf(type: ValueType): 'f32' | 'f64' | 'i32' | 'i64' {
  return type === 'bool' ? 'i32' : type === 'bool64' ? 'i64' : type;
}

function wasmType(type: ValueType, lanes: number): number {
  return lanes > 1 ? TYPE.v128 : TYPE[laneOf(type)];
}

const laneBytes = (type: ValueType): 4 | 8 => (L.isWide(type) ? 8 : 4);

/** The bytes of a constant in a lane: a truth value is all ones or all zeros. */
function bytesOf(type: ValueType, value: number): number[] {
  switch (type) {
    case 'f32':
      return f32Bytes(value);
    case 'f64':
      return f64Bytes(value);
    case 'i32':
      return i32Bytes(value);
    case 'i64':
      return i64Bytes(value);
    case 'bool':
      return i32Bytes(value !== 0 ? -1 : 0);
    case 'bool64':
      return i64Bytes(value !== 0 ? -1 : 0);
  }
}

/** A whole vector of them: where there are fewer lanes, the first one again. */
function vectorBytes(lanes: readonly number[][]): number[] {
  const bytes = lanes.flat();
  while (bytes.length < VECTOR_BYTES) bytes.push(...lanes[0]);
  return bytes;
}

class FunctionEmitter {
  private readonly kernel: KernelFunction;
  private readonly options: EmitOptions;
  private readonly code = new Bytes();
  private readonly params: number[] = [];
  private readonly locals: number[] = [];
  private readonly localOf = new Map<number, number>();
  private readonly bufferLocal = new Map<number, number>();

  constructor(kernel: KernelFunction, options: EmitOptions) {
    this.kernel = kernel;
    this.options = options;
  }

  emit(): FunctionBody {
    const { kernel } = this;
    this.localOf.set(kernel.tid.id, this.param(TYPE.i32));
    this.localOf.set(kernel.threads.id, this.param(TYPE.i32));
    const scratch = this.param(TYPE.i32);
    for (const b of kernel.buffers) this.bufferLocal.set(b.id, this.param(TYPE.i32));
    for (const s of kernel.scalars) this.localOf.set(s.id, this.param(wasmType(s.type, 1)));
    let offset = 0;
    for (const b of kernel.scratch) {
      const local = this.local(TYPE.i32);
      this.bufferLocal.set(b.id, local);
      this.get(scratch);
      this.code.push([...CODE.i32Const, ...sleb(offset), ...CODE.i32Add, ...CODE.set, ...leb(local)]);
      offset += L.scratchBytes(b);
    }
    this.statements(kernel.body);
    this.code.push(CODE.end);
    return { params: this.params, locals: this.locals, code: this.code.view() };
  }

  private param(type: number): number {
    return this.params.push(type) - 1;
  }

  private local(type: number): number {
    return this.params.length + this.locals.push(type) - 1;
  }

  private get(local: number): void {
    this.code.push(CODE.get);
    this.code.push(leb(local));
  }

  private set(local: number): void {
    this.code.push(CODE.set);
    this.code.push(leb(local));
  }

  private variable(v: Var): number {
    const local = this.localOf.get(v.id);
    if (local === undefined)
      throw new InternalError(`emit: ${v.name} is used before it is defined in ${this.kernel.name}.`);
    return local;
  }

  private declare(v: Var): number {
    const local = this.local(wasmType(v.type, v.lanes));
    this.localOf.set(v.id, local);
    return local;
  }

  // -------------------------------------------------------------- statements

  private statements(body: readonly Stmt[]): void {
    for (const s of body) this.statement(s);
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'let':
        this.expr(s.value);
        this.set(this.declare(s.variable));
        return;
      case 'set':
        this.expr(s.value);
        this.set(this.variable(s.variable));
        return;
      case 'store':
        this.store(s.buffer, s.index, s.value);
        return;
      case 'prefetch':
        return;
      case 'if':
        this.expr(s.condition);
        this.code.push([...CODE.if, EMPTY_BLOCK]);
        this.statements(s.then);
        if (s.else.length > 0) {
          this.code.push(CODE.else);
          this.statements(s.else);
        }
        this.code.push(CODE.end);
        return;
      case 'for':
        this.loop(s);
    }
  }

  /** A loop whose test stands at its end, entered only if there is something to do. */
  private loop(s: Stmt & { kind: 'for' }): void {
    const variable = this.declare(s.variable);
    this.expr(s.from);
    this.set(variable);
    let bound: number | undefined;
    if (s.to.kind !== 'const') {
      bound = s.to.kind === 'var' ? this.variable(s.to) : this.local(TYPE.i32);
      if (s.to.kind !== 'var') {
        this.expr(s.to);
        this.set(bound);
      }
    }
    const pushBound = () => (bound === undefined ? this.expr(s.to) : this.get(bound));
    const once = s.from.kind === 'const' && s.to.kind === 'const' && s.from.value < s.to.value;
    this.code.push([...CODE.block, EMPTY_BLOCK]);
    if (!once) {
      this.get(variable);
      pushBound();
      this.code.push([...CODE.i32GeS, ...CODE.brIf, 0]);
    }
    this.code.push([...CODE.loop, EMPTY_BLOCK]);
    this.statements(s.body);
    this.get(variable);
    this.code.push([...CODE.i32Const, ...sleb(s.step), ...CODE.i32Add, ...CODE.tee, ...leb(variable)]);
    pushBound();
    this.code.push([...CODE.i32LtS, ...CODE.brIf, 0]);
    this.code.push([...CODE.end, ...CODE.end]);
  }

  // -------------------------------------------------------------- memory

  /** Pushes the address of an element; returns the byte offset left for the instruction. */
  private address(buffer: Buffer, index: Expr): number {
    let rest = index;
    let offset = 0;
    const bytes = L.ELEMENT_BYTES[buffer.type];
    if (rest.kind === 'const' && rest.value >= 0 && rest.value < 1 << 26) {
      this.get(this.bufferLocal.get(buffer.id) as number);
      return rest.value * bytes;
    }
    while (
      rest.kind === 'binary' &&
      rest.op === 'add' &&
      rest.b.kind === 'const' &&
      rest.b.value >= 0 &&
      offset + rest.b.value <= MOST_IMMEDIATE
    ) {
      offset += rest.b.value;
      rest = rest.a;
    }
    this.get(this.bufferLocal.get(buffer.id) as number);
    this.expr(rest);
    this.code.push([...CODE.i32Const, Math.log2(bytes), ...CODE.i32Shl, ...CODE.i32Add]);
    return offset * bytes;
  }

  private load(e: Expr & { kind: 'load' }): void {
    const offset = this.address(e.buffer, e.index);
    const { type } = e.buffer;
    const bytes = e.lanes * L.ELEMENT_BYTES[type];
    if (e.lanes === 1) this.code.push([...MEMORY[type].load, alignment(type), ...leb(offset)]);
    else if (bytes === 2) this.code.push([...MEMORY.u16.load, 0, ...leb(offset), ...LANE.i32.splat]);
    else this.code.push([...VECTOR_LOADS[bytes], alignment(type), ...leb(offset)]);
    if (e.lanes === 1 || (type !== 'u8' && type !== 'u16')) return;
    if (type === 'u8') this.code.push(WIDEN.u8);
    this.code.push(WIDEN.u16);
  }

  private store(buffer: Buffer, index: Expr, value: Expr): void {
    const offset = this.address(buffer, index);
    this.expr(value);
    const { type } = buffer;
    if (value.lanes === 1) {
      this.code.push([...MEMORY[type].store, alignment(type), ...leb(offset)]);
      return;
    }
    if (type === 'u8' || type === 'u16') this.narrow(type);
    const bytes = value.lanes * L.ELEMENT_BYTES[type];
    const op = VECTOR_STORES[bytes];
    this.code.push([...op, alignment(type), ...leb(offset), ...(bytes === VECTOR_BYTES ? [] : [0])]);
  }

  /** The low bits of the lanes of a vector on the stack, next to each other; instructions saturate, so others go first. */
  private narrow(type: 'u8' | 'u16'): void {
    const mask = type === 'u8' ? 255 : 65535;
    const local = this.local(TYPE.v128);
    this.code.push([...CODE.v128Const, ...vectorBytes([i32Bytes(mask)])]);
    this.encoded(BINARY.i32['and'], 4, 'and');
    for (const step of type === 'u8' ? (['u16', 'u8'] as const) : (['u16'] as const)) {
      this.set(local);
      this.get(local);
      this.get(local);
      this.code.push(NARROW[step]);
    }
  }

  // -------------------------------------------------------------- expressions

  private encoded(e: Encoding | undefined, lanes: number, what: string): void {
    const bytes = lanes > 1 ? e?.vector : e?.scalar;
    if (bytes === undefined) throw new InternalError(`emit: WebAssembly has no ${what} with ${lanes} lanes.`);
    this.code.push(bytes);
  }

  private expr(e: Expr): void {
    switch (e.kind) {
      case 'var':
        this.get(this.variable(e));
        return;
      case 'const':
        this.constant(e);
        return;
      case 'load':
        this.load(e);
        return;
      case 'unary':
        this.unary(e);
        return;
      case 'binary':
        this.binary(e);
        return;
      case 'compare':
        this.expr(e.a);
        this.expr(e.b);
        this.encoded(COMPARE[laneOf(e.a.type)][e.op], e.lanes, e.op);
        return;
      case 'convert':
        this.convert(e);
        return;
      case 'fma':
        this.fma(e);
        return;
      case 'select':
        if (this.pseudoMinMax(e)) return;
        if (e.lanes > 1 && e.a.kind === 'const' && Object.is(e.a.value, 0)) {
          this.expr(e.b);
          this.expr(e.condition);
          this.code.push(CODE.andnot);
          return;
        }
        this.expr(e.a);
        this.expr(e.b);
        this.expr(e.condition);
        this.code.push(e.lanes > 1 ? CODE.bitselect : CODE.select);
        return;
      case 'splat':
        this.splat(e);
        return;
      case 'pack':
        this.pack(e);
        return;
      case 'extract':
        this.extract(e);
        return;
      case 'shuffle':
        this.expr(e.a);
        this.expr(e.b);
        this.shuffle(e.pick, e.lanes, laneBytes(e.type));
    }
  }

  /** Lanes of two vectors on the stack; lanes that are not there are the first one again. */
  private shuffle(pick: readonly number[], lanes: number, bytes: 4 | 8): void {
    const start = (lane: number) => (lane < lanes ? lane * bytes : VECTOR_BYTES + (lane - lanes) * bytes);
    const picked = pick.map((lane) => Array.from({ length: bytes }, (_, b) => start(lane) + b));
    this.code.push([...CODE.shuffle, ...vectorBytes(picked)]);
  }

  private convert(e: Expr & { kind: 'convert' }): void {
    if (e.op === 'bool64.bool' && e.lanes > 1) {
      const x = this.temporary(e.x, TYPE.v128);
      this.get(x);
      this.get(x);
      this.shuffle([0, 2], 4, 4); // the lower words
      return;
    }
    this.expr(e.x);
    this.encoded(CONVERT[e.op], e.lanes, e.op);
  }

  /** A truth value of a lane of 64 bits is an i32 as a scalar. */
  private extract(e: Expr & { kind: 'extract' }): void {
    this.expr(e.x);
    const wide = e.x.type === 'bool64';
    this.code.push([...LANE[laneOf(e.type)].extract, wide ? 2 * e.lane : e.lane]);
  }

  private constant(e: Expr & { kind: 'const' }): void {
    const lane = laneOf(e.type);
    if (e.lanes > 1) this.code.push([...CODE.v128Const, ...vectorBytes([bytesOf(e.type, e.value)])]);
    else if (lane === 'i32') this.code.push([...LANE.i32.const, ...sleb(e.value)]);
    else if (lane === 'i64') this.code.push([...LANE.i64.const, ...sleb64(e.value)]);
    else this.code.push([...LANE[lane].const, ...bytesOf(lane, e.value)]);
  }

  private unary(e: Expr & { kind: 'unary' }): void {
    if (e.op === 'same') {
      this.expr(e.x);
      return;
    }
    if (e.op === 'any') {
      this.expr(e.x);
      if (e.x.lanes * laneBytes(e.x.type) < VECTOR_BYTES) this.encoded(CONVERT['bool.bool64'], e.x.lanes, e.op);
      this.code.push(CODE.anyTrue);
      return;
    }
    if (L.isFloat(e.type) || e.lanes > 1) {
      this.expr(e.x);
      this.encoded(UNARY[laneOf(e.type)][e.op], e.lanes, e.op);
    } else if (e.op === 'not') {
      this.expr(e.x);
      this.code.push(e.type === 'bool' ? CODE.i32Eqz : [...CODE.i32Const, ...sleb(-1), 0x73]);
    } else if (e.op === 'neg') {
      this.code.push([...CODE.i32Const, 0]);
      this.expr(e.x);
      this.code.push(CODE.i32Sub);
    } else {
      // |x| = x < 0 ? -x : x
      const x = this.temporary(e.x, TYPE.i32);
      this.code.push([...CODE.i32Const, 0]);
      this.get(x);
      this.code.push(CODE.i32Sub);
      this.get(x);
      this.get(x);
      this.code.push([...CODE.i32Const, 0, ...CODE.i32LtS, ...CODE.select]);
    }
  }

  private temporary(e: Expr, type: number): number {
    const local = this.local(type);
    this.expr(e);
    this.set(local);
    return local;
  }

  /** A variable that has been set to `value`. */
  private named(name: string, value: Expr): Expr {
    const variable = L.variable(name, value.type, value.lanes);
    this.expr(value);
    this.set(this.declare(variable));
    return variable;
  }

  private binary(e: Expr & { kind: 'binary' }): void {
    if (e.op === 'scale') {
      this.expr(scaleByBits(e.a, e.b, (name, value) => this.named(name, value)));
      return;
    }
    if (e.type === 'i32' && e.lanes === 1 && (e.op === 'min' || e.op === 'max')) {
      const a = this.temporary(e.a, TYPE.i32);
      const b = this.temporary(e.b, TYPE.i32);
      this.get(e.op === 'min' ? a : b);
      this.get(e.op === 'min' ? b : a);
      this.get(a);
      this.get(b);
      this.code.push([...CODE.i32LtS, ...CODE.select]);
      return;
    }
    this.expr(e.a);
    this.expr(e.b);
    const isShift = e.op === 'shl' || e.op === 'shru' || e.op === 'shrs';
    if (isShift && e.type === 'i64' && e.lanes === 1) this.code.push(CODE.i64ExtendI32);
    this.encoded(BINARY[laneOf(e.type)][e.op], e.lanes, e.op);
  }

  /** a < b ? b : a and b < a ? b : a are single instructions on vectors (with NaN only in a, it stays). */
  private pseudoMinMax(e: Expr & { kind: 'select' }): boolean {
    const c = e.condition;
    if (e.lanes === 1 || !L.isFloat(e.type) || c.kind !== 'compare' || c.op !== 'lt' || c.a.type !== e.type)
      return false;
    const isMin = sameValue(c.a, e.a) && sameValue(c.b, e.b);
    const isMax = sameValue(c.a, e.b) && sameValue(c.b, e.a);
    if (!isMin && !isMax) return false;
    this.expr(e.b);
    this.expr(e.a);
    this.code.push(FLOAT_VECTOR[e.type][isMin ? 'pmin' : 'pmax']);
    return true;
  }

  private fma(e: Expr & { kind: 'fma' }): void {
    if (e.lanes > 1 && this.options.relaxed) {
      this.expr(e.a);
      this.expr(e.b);
      this.expr(e.c);
      this.code.push(FLOAT_VECTOR[e.type].relaxedMadd);
      return;
    }
    this.expr(e.a);
    this.expr(e.b);
    this.encoded(BINARY[e.type]['mul'], e.lanes, 'mul');
    this.expr(e.c);
    this.encoded(BINARY[e.type]['add'], e.lanes, 'add');
  }

  private splat(e: Expr & { kind: 'splat' }): void {
    if (e.x.kind === 'load' && e.x.type === e.x.buffer.type) {
      const offset = this.address(e.x.buffer, e.x.index);
      this.code.push([...LOAD_SPLAT[laneBytes(e.type)], ALIGN_4, ...leb(offset)]);
      return;
    }
    this.lane(e.x);
    if (e.type === 'bool64') this.code.push(CODE.i64ExtendI32);
    this.code.push(LANE[laneOf(e.type)].splat);
  }

  /** A scalar as it stands in a lane: a truth value is all ones or all zeros there. */
  private lane(e: Expr): void {
    if (e.type === 'bool') {
      this.code.push([...CODE.i32Const, 0]);
      this.expr(e);
      this.code.push(CODE.i32Sub);
    } else this.expr(e);
  }

  private pack(e: Expr & { kind: 'pack' }): void {
    if (e.parts.every((p) => p.kind === 'const')) {
      const lanes = e.parts.map((p) => bytesOf(e.type, (p as { value: number }).value));
      this.code.push([...CODE.v128Const, ...vectorBytes(lanes)]);
      return;
    }
    this.lane(e.parts[0]);
    const lane = LANE[laneOf(e.type)];
    this.code.push(lane.splat);
    for (let i = 1; i < e.parts.length; i++) {
      this.lane(e.parts[i]);
      this.code.push([...lane.replace, i]);
    }
  }
}

/** The same variable or the same constant. */
function sameValue(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  return a.kind === 'const' && b.kind === 'const' && Object.is(a.value, b.value) && a.lanes === b.lanes;
}
