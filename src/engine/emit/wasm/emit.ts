// Program → WebAssembly bytes. Each kernel becomes a function (tid, threads, scratch, buffers…, scalars…); `run` calls those
// of some stages. Scheduling and tiling are done: this file only prints, by the tables in opcodes.ts.
// Input: a program in the loop IR. Output: a module that imports env.memory and exports run, and how many stages there are.

import * as L from '../../loop/loop.js';
import type { Buffer, Expr, KernelFunction, Program, Stmt } from '../../loop/loop.js';
import { type FunctionBody, assembleModule, i32Bytes, leb, sleb } from './assembler.js';
import { type EmitOptions, ExpressionEmitter } from './expressions.js';
import { VECTOR_BYTES, VECTOR_STORES, alignment, vectorBytes, wasmType } from './lanes.js';
import { BINARY, CODE, EMPTY_BLOCK, MEMORY, NARROW, TYPE } from './opcodes.js';
import { runFunction } from './run-function.js';

export type { EmitOptions } from './expressions.js';

export function emitProgram(program: Program, options: EmitOptions): Uint8Array<ArrayBuffer> {
  const functions: FunctionBody[] = [];
  const numbers = new Map<string, number>(); // of functions, by their bytes: equal kernels are one
  const known = new Map<KernelFunction, number>();
  const targets = program.kernels.map((kernel) => {
    const same = known.get(kernel);
    if (same !== undefined) return same;
    const body = new FunctionEmitter(kernel, options).emit();
    const key = `${body.params.join()};${body.locals.join()};${new TextDecoder('latin1').decode(body.code)}`;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = functions.push(body) - 1));
    known.set(kernel, number);
    return number;
  });
  const run = functions.push(runFunction(program, targets)) - 1;
  const constants = { stages: program.stages.length, serial: program.serial ? 1 : 0 };
  return assembleModule({ memory: options, functions, exports: { run }, constants });
}

/** Statements: a kernel's function. */
class FunctionEmitter extends ExpressionEmitter {
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
}
