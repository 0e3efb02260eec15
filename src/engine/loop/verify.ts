// Checks that a kernel is well formed: every variable is defined before it is used and only mutable ones are set, operand
// types and lanes agree, every buffer belongs to the kernel. Run by tests and at NABLA_DEBUG=4: a fault here is a fault
// of the compiler, found where it was made instead of in a machine's error message.

import { InternalError } from '../ir/errors.js';
import {
  type Buffer,
  type Expr,
  type KernelFunction,
  type Program,
  type Stmt,
  type Var,
  isFloat,
  loadedAs,
  isWide,
} from './loop.js';
import { printExpr, printKernel, typeText } from './print.js';

const INTEGER_ONLY = new Set(['shl', 'shru', 'shrs', 'divs', 'rems', 'divu', 'remu']);
const BITWISE = new Set(['and', 'or', 'xor']);

class Verifier {
  private readonly kernel: KernelFunction;
  private readonly known = new Map<number, { readonly variable: Var; readonly mutable: boolean }>();
  private readonly buffers: ReadonlySet<Buffer>;
  private readonly checked = new Set<Expr>();

  constructor(kernel: KernelFunction) {
    this.kernel = kernel;
    this.buffers = new Set([...kernel.buffers, ...kernel.scratch]);
    for (const v of [kernel.tid, kernel.threads, ...kernel.scalars])
      this.known.set(v.id, { variable: v, mutable: false });
  }

  run(): void {
    this.statements(this.kernel.body);
  }

  private fail(what: string): never {
    throw new InternalError(`kernel ${this.kernel.name}: ${what}.\n${printKernel(this.kernel)}`);
  }

  private expect(ok: boolean, e: Expr, what: string): void {
    if (!ok) this.fail(`${what} in ${printExpr(e)}`);
  }

  private statements(list: readonly Stmt[]): void {
    const defined: number[] = [];
    for (const s of list) this.statement(s, defined);
    for (const id of defined) this.known.delete(id);
    this.checked.clear(); // a shared expression may use what has just gone out of scope
  }

  private statement(s: Stmt, defined: number[]): void {
    switch (s.kind) {
      case 'for':
        this.typed(s.from, 'i32', 1);
        this.typed(s.to, 'i32', 1);
        if (!Number.isInteger(s.step) || s.step < 1) this.fail(`loop step ${s.step}`);
        this.known.set(s.variable.id, { variable: s.variable, mutable: false });
        this.statements(s.body);
        this.known.delete(s.variable.id);
        return;
      case 'let':
        this.typed(s.value, s.variable.type, s.variable.lanes);
        if (this.known.has(s.variable.id)) this.fail(`${s.variable.name}${s.variable.id} is defined twice`);
        this.known.set(s.variable.id, { variable: s.variable, mutable: s.mutable });
        defined.push(s.variable.id);
        return;
      case 'set': {
        this.typed(s.value, s.variable.type, s.variable.lanes);
        const found = this.known.get(s.variable.id);
        if (found?.mutable !== true) this.fail(`${s.variable.name}${s.variable.id} is set but not a mutable variable`);
        this.checked.clear();
        return;
      }
      case 'store':
        this.typed(s.index, 'i32', 1);
        this.expression(s.value);
        this.expect(this.buffers.has(s.buffer), s.value, `a store to ${s.buffer.name}, which is not an operand,`);
        this.expect(
          s.value.type === loadedAs(s.buffer.type),
          s.value,
          `${typeText(s.value)} stored in ${s.buffer.type}`,
        );
        return;
      case 'prefetch':
        this.typed(s.index, 'i32', 1);
        if (!this.buffers.has(s.buffer)) this.fail(`a prefetch of ${s.buffer.name}, which is not an operand`);
        return;
      case 'if':
        this.typed(s.condition, 'bool', 1);
        this.statements(s.then);
        this.statements(s.else);
        return;
    }
  }

  private typed(e: Expr, type: Expr['type'], lanes: number): void {
    this.expression(e);
    this.expect(e.type === type && e.lanes === lanes, e, `${typeText(e)} instead of ${typeText({ type, lanes })}`);
  }

  private expression(e: Expr): void {
    if (this.checked.has(e)) return;
    this.checked.add(e);
    const agree = (...operands: Expr[]) => {
      for (const x of operands) {
        this.expression(x);
        this.expect(x.lanes === e.lanes, e, `lanes ${x.lanes} and ${e.lanes}`);
      }
    };
    switch (e.kind) {
      case 'var':
        this.expect(this.known.has(e.id), e, 'a variable that is not defined here');
        return;
      case 'const':
        return;
      case 'load':
        this.typed(e.index, 'i32', 1);
        this.expect(this.buffers.has(e.buffer), e, 'a load from a buffer that is not an operand');
        this.expect(e.type === loadedAs(e.buffer.type), e, `${e.buffer.type} read as ${e.type}`);
        return;
      case 'unary':
        if (e.op === 'any') {
          this.expression(e.x);
          this.expect(e.lanes === 1 && e.x.lanes > 1, e, `any of ${e.x.lanes} lanes`);
          return;
        }
        agree(e.x);
        this.expect(e.x.type === e.type, e, 'types that differ');
        return;
      case 'binary':
        this.expression(e.b);
        if (e.op === 'shl' || e.op === 'shru' || e.op === 'shrs') {
          agree(e.a);
          this.expect(e.b.lanes === 1 && e.b.type === 'i32', e, `a shift by ${typeText(e.b)}`);
          this.expect(e.a.type === e.type, e, 'types that differ');
        } else {
          agree(e.a, e.b);
          this.expect(e.a.type === e.type && e.b.type === e.type, e, 'types that differ');
        }
        if (INTEGER_ONLY.has(e.op)) this.expect(e.type === 'i32' || e.type === 'i64', e, `${e.op} of ${e.type}`);
        if (BITWISE.has(e.op)) this.expect(!isFloat(e.type), e, `${e.op} of ${e.type}`);
        if (e.op === 'div' || e.op === 'part') this.expect(isFloat(e.type), e, `${e.op} of ${e.type}`);
        if (e.op === 'scale') this.expect(e.type === 'f32', e, `${e.op} of ${e.type}`);
        return;
      case 'compare':
        agree(e.a, e.b);
        this.expect(
          e.a.type === e.b.type && e.a.type !== 'bool' && e.a.type !== 'bool64',
          e,
          'a comparison of differing types',
        );
        return;
      case 'convert':
        agree(e.x);
        this.expect(e.x.type === e.op.split('.').at(-2), e, `a conversion from ${e.x.type}`);
        return;
      case 'fma':
        agree(e.a, e.b, e.c);
        this.expect(
          [e.a, e.b, e.c].every((x) => x.type === e.type && isFloat(x.type)),
          e,
          'fma of other than floats',
        );
        return;
      case 'select':
        agree(e.condition, e.a, e.b);
        this.expect(
          e.condition.type === (e.lanes > 1 && isWide(e.type) ? 'bool64' : 'bool'),
          e,
          'a condition that is no truth value of this width',
        );
        this.expect(e.a.type === e.type && e.b.type === e.type, e, 'types that differ');
        return;
      case 'splat':
        this.typed(e.x, e.type === 'bool64' ? 'bool' : e.type, 1);
        return;
      case 'pack':
        this.expect(e.parts.length === e.lanes, e, `${e.parts.length} parts`);
        for (const p of e.parts) this.typed(p, e.type, 1);
        return;
      case 'extract':
        this.expression(e.x);
        this.expect(
          e.lane >= 0 && e.lane < e.x.lanes && (e.x.type === 'bool64' ? 'bool' : e.x.type) === e.type,
          e,
          `lane ${e.lane}`,
        );
        return;
      case 'shuffle':
        agree(e.a, e.b);
        this.expect(
          e.pick.length === e.lanes && e.pick.every((p) => p >= 0 && p < 2 * e.lanes),
          e,
          `lanes picked from beyond the operands`,
        );
        return;
    }
  }
}

export function verifyKernel(kernel: KernelFunction): void {
  new Verifier(kernel).run();
}

/** All kernels, and that calls give each operand. */
export function verifyProgram(program: Program): void {
  for (const kernel of program.kernels) verifyKernel(kernel);
  for (const call of program.stages.flatMap((s) => s.calls)) {
    const { name, buffers, scalars } = program.kernels[call.kernel];
    const expected = buffers.length + scalars.length;
    if (call.slots.length !== expected)
      throw new InternalError(`kernel ${name}: called with ${call.slots.length} operands instead of ${expected}.`);
  }
}
