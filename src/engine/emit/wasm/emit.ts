// Program → WebAssembly bytes. Each kernel becomes a function (tid, threads, scratch, buffers…, scalars…); `run` calls those
// of some stages. Scheduling and tiling are done: this file only prints, by the tables in opcodes.ts.
// Input: a program in the loop IR. Output: a module that imports env.memory and exports run, and how many stages there are.

import { InternalError } from '../../ir/errors.js';
import * as L from '../../loop/loop.js';
import type { Buffer, Expr, KernelFunction, Program, Stmt, Var } from '../../loop/loop.js';
import { scaleByBits } from '../../loop/math.js';
import { Bytes, type FunctionBody, assembleModule, f32Bytes, i32Bytes, leb, sleb } from './assembler.js';
import {
  CODE,
  CONVERT,
  EMPTY_BLOCK,
  type Encoding,
  F32_BINARY,
  F32_COMPARE,
  F32_UNARY,
  I32_BINARY,
  I32_COMPARE,
  I32_VECTOR_UNARY,
  TYPE,
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
const BYTES = 4;

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

function wasmType(type: string, lanes: number): number {
  return lanes > 1 ? TYPE.v128 : type === 'f32' ? TYPE.f32 : TYPE.i32;
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
      offset += 64 + Math.ceil((b.size * BYTES) / 64) * 64;
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
    if (rest.kind === 'const' && rest.value >= 0 && rest.value < 1 << 26) {
      this.get(this.bufferLocal.get(buffer.id) as number);
      return rest.value * BYTES;
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
    this.code.push([...CODE.i32Const, 2, ...CODE.i32Shl, ...CODE.i32Add]);
    return offset * BYTES;
  }

  private load(e: Expr & { kind: 'load' }): void {
    const offset = this.address(e.buffer, e.index);
    const op = e.lanes > 1 ? CODE.v128Load : e.type === 'f32' ? CODE.f32Load : CODE.i32Load;
    this.code.push([...op, ALIGN_4, ...leb(offset)]);
  }

  private store(buffer: Buffer, index: Expr, value: Expr): void {
    const offset = this.address(buffer, index);
    this.expr(value);
    const op = value.lanes > 1 ? CODE.v128Store : value.type === 'f32' ? CODE.f32Store : CODE.i32Store;
    this.code.push([...op, ALIGN_4, ...leb(offset)]);
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
        this.encoded((e.a.type === 'f32' ? F32_COMPARE : I32_COMPARE)[e.op as 'eq'], e.lanes, e.op);
        return;
      case 'convert':
        this.expr(e.x);
        if (e.op !== 'bool.i32') this.encoded(CONVERT[e.op], e.lanes, e.op);
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
        this.expr(e.x);
        this.code.push([...(e.type === 'f32' ? CODE.f32x4Extract : CODE.i32x4Extract), e.lane]);
        return;
      case 'shuffle':
        this.expr(e.a);
        this.expr(e.b);
        this.code.push([...CODE.shuffle, ...e.pick.flatMap((lane) => [0, 1, 2, 3].map((b) => lane * BYTES + b))]);
    }
  }

  private constant(e: Expr & { kind: 'const' }): void {
    if (e.lanes > 1) {
      const lane =
        e.type === 'f32' ? f32Bytes(e.value) : i32Bytes(e.type === 'bool' ? (e.value !== 0 ? -1 : 0) : e.value);
      this.code.push([...CODE.v128Const, ...lane, ...lane, ...lane, ...lane]);
    } else if (e.type === 'f32') this.code.push([...CODE.f32Const, ...f32Bytes(e.value)]);
    else this.code.push([...CODE.i32Const, ...sleb(e.value)]);
  }

  private unary(e: Expr & { kind: 'unary' }): void {
    if (e.op === 'same') {
      this.expr(e.x);
      return;
    }
    if (e.op === 'any') {
      this.expr(e.x);
      this.code.push(CODE.anyTrue);
      return;
    }
    if (e.type === 'f32') {
      this.expr(e.x);
      this.encoded(F32_UNARY[e.op as 'neg'], e.lanes, e.op);
    } else if (e.lanes > 1) {
      this.expr(e.x);
      this.encoded(I32_VECTOR_UNARY[e.op as 'neg'], e.lanes, e.op);
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
    if (e.type === 'f32') {
      this.expr(e.a);
      this.expr(e.b);
      this.encoded(F32_BINARY[e.op as 'add'], e.lanes, e.op);
      return;
    }
    if (e.lanes === 1 && (e.op === 'min' || e.op === 'max')) {
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
    this.encoded(I32_BINARY[e.op as 'add'], e.lanes, e.op);
  }

  /** a < b ? b : a and b < a ? b : a are single instructions on vectors (with NaN only in a, it stays). */
  private pseudoMinMax(e: Expr & { kind: 'select' }): boolean {
    const c = e.condition;
    if (e.lanes === 1 || e.type !== 'f32' || c.kind !== 'compare' || c.op !== 'lt' || c.a.type !== 'f32') return false;
    const isMin = sameValue(c.a, e.a) && sameValue(c.b, e.b);
    const isMax = sameValue(c.a, e.b) && sameValue(c.b, e.a);
    if (!isMin && !isMax) return false;
    this.expr(e.b);
    this.expr(e.a);
    this.code.push(isMin ? CODE.pmin : CODE.pmax);
    return true;
  }

  private fma(e: Expr & { kind: 'fma' }): void {
    if (e.lanes > 1 && this.options.relaxed) {
      this.expr(e.a);
      this.expr(e.b);
      this.expr(e.c);
      this.code.push(CODE.relaxedMadd);
      return;
    }
    this.expr(e.a);
    this.expr(e.b);
    this.code.push(e.lanes > 1 ? CODE.f32x4Mul : CODE.f32Mul);
    this.expr(e.c);
    this.code.push(e.lanes > 1 ? CODE.f32x4Add : CODE.f32Add);
  }

  private splat(e: Expr & { kind: 'splat' }): void {
    if (e.x.kind === 'load') {
      const offset = this.address(e.x.buffer, e.x.index);
      this.code.push([...CODE.v128Load32Splat, ALIGN_4, ...leb(offset)]);
      return;
    }
    this.lane(e.x);
    this.code.push(e.type === 'f32' ? CODE.f32x4Splat : CODE.i32x4Splat);
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
      const bytes = e.parts.flatMap((p) => {
        const { value } = p as { value: number };
        return e.type === 'f32' ? f32Bytes(value) : i32Bytes(e.type === 'bool' ? (value !== 0 ? -1 : 0) : value);
      });
      this.code.push([...CODE.v128Const, ...bytes]);
      return;
    }
    this.lane(e.parts[0]);
    this.code.push(e.type === 'f32' ? CODE.f32x4Splat : CODE.i32x4Splat);
    for (let i = 1; i < e.parts.length; i++) {
      this.lane(e.parts[i]);
      this.code.push([...(e.type === 'f32' ? CODE.f32x4Replace : CODE.i32x4Replace), i]);
    }
  }
}

/** The same variable or the same constant. */
function sameValue(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  return a.kind === 'const' && b.kind === 'const' && Object.is(a.value, b.value) && a.lanes === b.lanes;
}
