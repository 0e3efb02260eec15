// Statements of the loop IR made anew with other expressions in them: what passes over kernels share.
// What does not change, or is shared, stays so.

import type { Buffer, Expr, Stmt } from './loop.js';

export interface Rewriting {
  /** Another index for an access. */
  readonly ofIndex?: (buffer: Buffer, index: Expr) => Expr;
  /** Another expression for one whose operands are done. */
  readonly ofExpr?: (e: Expr) => Expr;
}

/** A function that rewrites expressions, each one once. */
export function rewriter({ ofIndex = (_, index) => index, ofExpr = (e) => e }: Rewriting): (e: Expr) => Expr {
  const known = new Map<Expr, Expr>();
  const expr = (e: Expr): Expr => {
    let made = known.get(e);
    if (made === undefined) known.set(e, (made = ofExpr(rebuilt(e, expr, ofIndex))));
    return made;
  };
  return expr;
}

/** The statements with every index changed. */
export function withIndices(body: readonly Stmt[], ofIndex: (buffer: Buffer, index: Expr) => Expr): Stmt[] {
  const expr = rewriter({ ofIndex });
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

function rebuilt(e: Expr, expr: (e: Expr) => Expr, ofIndex: (buffer: Buffer, index: Expr) => Expr): Expr {
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
