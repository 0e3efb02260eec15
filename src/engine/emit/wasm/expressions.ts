// Expressions → instructions that leave their value on the stack. What is written with them, and when, is emit.ts's.

import { InternalError } from '../../ir/errors.js';
import * as L from '../../loop/loop.js';
import type { Buffer, Expr, KernelFunction, Var } from '../../loop/loop.js';
import { scaleByBits } from '../../loop/math/exp.js';
import { Bytes, leb, sleb, sleb64 } from './assembler.js';
import {
  VECTOR_BYTES,
  VECTOR_LOADS,
  alignment,
  ALIGN_4,
  bytesOf,
  laneBytes,
  laneOf,
  vectorBytes,
  wasmType,
} from './lanes.js';
import {
  BINARY,
  CODE,
  COMPARE,
  CONVERT,
  type Encoding,
  FLOAT_VECTOR,
  LANE,
  LOAD_SPLAT,
  MEMORY,
  TYPE,
  UNARY,
  WIDEN,
} from './opcodes.js';

export interface EmitOptions {
  /** Fused multiply-add where the engine has it. */
  readonly relaxed: boolean;
  /** Shared memory and threads. */
  readonly shared: boolean;
  readonly maxPages: number;
}

/** Constant parts of an index up to this go into the instruction; the rest of the index may be a little negative. */
const MOST_IMMEDIATE = 64;

export class ExpressionEmitter {
  protected readonly kernel: KernelFunction;
  protected readonly options: EmitOptions;
  protected readonly code = new Bytes();
  protected readonly params: number[] = [];
  protected readonly locals: number[] = [];
  protected readonly localOf = new Map<number, number>();
  protected readonly bufferLocal = new Map<number, number>();

  constructor(kernel: KernelFunction, options: EmitOptions) {
    this.kernel = kernel;
    this.options = options;
  }

  protected param(type: number): number {
    return this.params.push(type) - 1;
  }

  protected local(type: number): number {
    return this.params.length + this.locals.push(type) - 1;
  }

  protected get(local: number): void {
    this.code.push(CODE.get);
    this.code.push(leb(local));
  }

  protected set(local: number): void {
    this.code.push(CODE.set);
    this.code.push(leb(local));
  }

  protected variable(v: Var): number {
    const local = this.localOf.get(v.id);
    if (local === undefined)
      throw new InternalError(`emit: ${v.name} is used before it is defined in ${this.kernel.name}.`);
    return local;
  }

  protected declare(v: Var): number {
    const local = this.local(wasmType(v.type, v.lanes));
    this.localOf.set(v.id, local);
    return local;
  }

  // -------------------------------------------------------------- memory

  /** Pushes the address of an element; returns the byte offset left for the instruction. */
  protected address(buffer: Buffer, index: Expr): number {
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

  protected load(e: Expr & { kind: 'load' }): void {
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

  // -------------------------------------------------------------- expressions

  protected encoded(e: Encoding | undefined, lanes: number, what: string): void {
    const bytes = lanes > 1 ? e?.vector : e?.scalar;
    if (bytes === undefined) throw new InternalError(`emit: WebAssembly has no ${what} with ${lanes} lanes.`);
    this.code.push(bytes);
  }

  protected expr(e: Expr): void {
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
  protected shuffle(pick: readonly number[], lanes: number, bytes: 4 | 8): void {
    const start = (lane: number) => (lane < lanes ? lane * bytes : VECTOR_BYTES + (lane - lanes) * bytes);
    const picked = pick.map((lane) => Array.from({ length: bytes }, (_, b) => start(lane) + b));
    this.code.push([...CODE.shuffle, ...vectorBytes(picked)]);
  }

  protected convert(e: Expr & { kind: 'convert' }): void {
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
  protected extract(e: Expr & { kind: 'extract' }): void {
    this.expr(e.x);
    const wide = e.x.type === 'bool64';
    this.code.push([...LANE[laneOf(e.type)].extract, wide ? 2 * e.lane : e.lane]);
  }

  protected constant(e: Expr & { kind: 'const' }): void {
    const lane = laneOf(e.type);
    if (e.lanes > 1) this.code.push([...CODE.v128Const, ...vectorBytes([bytesOf(e.type, e.value)])]);
    else if (lane === 'i32') this.code.push([...LANE.i32.const, ...sleb(e.value)]);
    else if (lane === 'i64') this.code.push([...LANE.i64.const, ...sleb64(e.value)]);
    else this.code.push([...LANE[lane].const, ...bytesOf(lane, e.value)]);
  }

  protected unary(e: Expr & { kind: 'unary' }): void {
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

  protected temporary(e: Expr, type: number): number {
    const local = this.local(type);
    this.expr(e);
    this.set(local);
    return local;
  }

  /** A variable that has been set to `value`. */
  protected named(name: string, value: Expr): Expr {
    const variable = L.variable(name, value.type, value.lanes);
    this.expr(value);
    this.set(this.declare(variable));
    return variable;
  }

  protected binary(e: Expr & { kind: 'binary' }): void {
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
  protected pseudoMinMax(e: Expr & { kind: 'select' }): boolean {
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

  protected fma(e: Expr & { kind: 'fma' }): void {
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

  protected splat(e: Expr & { kind: 'splat' }): void {
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
  protected lane(e: Expr): void {
    if (e.type === 'bool') {
      this.code.push([...CODE.i32Const, 0]);
      this.expr(e);
      this.code.push(CODE.i32Sub);
    } else this.expr(e);
  }

  protected pack(e: Expr & { kind: 'pack' }): void {
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
