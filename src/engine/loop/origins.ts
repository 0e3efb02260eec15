// Kernels that differ only in where their operands begin made equal. The steps of a recurrent network do the same with
// another slice of the same array: the constant that every access to an operand has in common moves out of the kernel,
// into the operand of its call. Emitters print equal kernels once, so code stays small and is compiled once.
// Input: a kernel. Output: the kernel, and for each buffer how many elements further on it begins.

import * as L from './loop.js';
import { type Buffer, type Expr, type KernelFunction, type Stmt, termsOf } from './loop.js';

export interface Moved {
  readonly kernel: KernelFunction;
  /** Elements, one for each buffer. */
  readonly origins: readonly number[];
}

export function moveOrigins(kernel: KernelFunction): Moved {
  const least = new Map<Buffer, number>();
  walk(kernel.body, (buffer, index) => {
    const constant = constantOf(index);
    least.set(buffer, Math.min(constant, least.get(buffer) ?? constant));
    return index;
  });
  const origins = kernel.buffers.map((b) => Math.max(0, least.get(b) ?? 0));
  if (origins.every((n) => n === 0)) return { kernel, origins };
  const originOf = new Map(kernel.buffers.map((b, i) => [b, origins[i]]));
  const body = walk(kernel.body, (buffer, index) => {
    const origin = originOf.get(buffer) ?? 0;
    return origin === 0 ? index : withConstant(index, constantOf(index) - origin);
  });
  return { kernel: { ...kernel, body }, origins };
}

function constantOf(index: Expr): number {
  return termsOf(index).reduce((sum, t) => (t.kind === 'const' ? sum + t.value : sum), 0);
}

function withConstant(index: Expr, constant: number): Expr {
  const terms: Expr[] = termsOf(index).filter((t) => t.kind !== 'const');
  return terms.length === 0
    ? L.int(constant)
    : L.add(
        terms.reduce((a, b) => L.add(a, b)),
        L.int(constant),
      );
}

type OfIndex = (buffer: Buffer, index: Expr) => Expr;

/** The statements with every index changed; expressions that do not change, or are shared, stay so. */
function walk(body: readonly Stmt[], ofIndex: OfIndex): Stmt[] {
  const known = new Map<Expr, Expr>();
  const expr = (e: Expr): Expr => {
    let made = known.get(e);
    if (made === undefined) known.set(e, (made = rebuilt(e, expr, ofIndex)));
    return made;
  };
  const statement = (s: Stmt): Stmt => {
    switch (s.kind) {
      case 'for':
        return { ...s, from: expr(s.from), to: expr(s.to), body: s.body.map(statement) };
      case 'let':
      case 'set':
        return { ...s, value: expr(s.value) };
      case 'store':
        return { ...s, index: ofIndex(s.buffer, expr(s.index)), value: expr(s.value) };
      case 'prefetch':
        return { ...s, index: ofIndex(s.buffer, expr(s.index)) };
      case 'if':
        return { ...s, condition: expr(s.condition), then: s.then.map(statement), else: s.else.map(statement) };
    }
  };
  return body.map(statement);
}

function rebuilt(e: Expr, expr: (e: Expr) => Expr, ofIndex: OfIndex): Expr {
  switch (e.kind) {
    case 'var':
    case 'const':
      return e;
    case 'load': {
      const index = ofIndex(e.buffer, expr(e.index));
      return index === e.index ? e : { ...e, index };
    }
    case 'unary':
    case 'convert':
    case 'splat':
    case 'extract': {
      const x = expr(e.x);
      return x === e.x ? e : { ...e, x };
    }
    case 'binary':
    case 'compare':
    case 'shuffle': {
      const [a, b] = [expr(e.a), expr(e.b)];
      return a === e.a && b === e.b ? e : { ...e, a, b };
    }
    case 'fma': {
      const [a, b, c] = [expr(e.a), expr(e.b), expr(e.c)];
      return a === e.a && b === e.b && c === e.c ? e : { ...e, a, b, c };
    }
    case 'select': {
      const [condition, a, b] = [expr(e.condition), expr(e.a), expr(e.b)];
      return condition === e.condition && a === e.a && b === e.b ? e : { ...e, condition, a, b };
    }
    case 'pack': {
      const parts = e.parts.map(expr);
      return parts.every((p, i) => p === e.parts[i]) ? e : { ...e, parts };
    }
  }
}
