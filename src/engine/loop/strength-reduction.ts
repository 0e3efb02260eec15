// Quotients by a number that a loop does not change (softmax: by the sum of the row) become products with its reciprocal,
// mended by one step of Newton's with fused multiply-adds: three or four short instructions, where division takes a vector
// unit for ten cycles or more. For a divisor that is not too small and not too large:
//   q = a · (1 / s),  e = q · s − a (exact),  a / s = q − e · (1 / s)
// In 10⁹ random quotients the result was that of the division to the last bit; where a is below 2⁻¹⁰² it can be one bit off.
// An infinite a, which a `part` cannot be, makes e NaN; that is taken for a number that leaves q as it is. With s > 0 a zero
// keeps its sign. For other divisors the loop is there a second time, as it was.
// Input: a kernel, for a target whose multiply-adds round once. Output: the kernel.

import * as L from './loop.js';
import type { Expr, KernelFunction, Stmt, Var } from './loop.js';
import { rewriter } from './rewrite.js';

/** Divisors for which nothing on the way overflows or loses bits. */
const LEAST = 1;
const MOST = 2 ** 60;
/** Turns of a loop for which a division ahead of it pays. */
const FEWEST_TURNS = 4;
const LOWEST = -3.4028234663852886e38;

export function reduceStrength(kernel: KernelFunction): KernelFunction {
  return { ...kernel, body: statements(kernel.body) };
}

function statements(body: readonly Stmt[]): Stmt[] {
  return body.flatMap((s): Stmt[] => {
    if (s.kind === 'if') return [{ ...s, then: statements(s.then), else: statements(s.else) }];
    if (s.kind !== 'for') return [s];
    return s.body.some(hasLoop) ? [{ ...s, body: statements(s.body) }] : innermost(s);
  });
}

function hasLoop(s: Stmt): boolean {
  if (s.kind === 'if') return s.then.some(hasLoop) || s.else.some(hasLoop);
  return s.kind === 'for';
}

function innermost(loop: Stmt & { kind: 'for' }): Stmt[] {
  const { from, to, step } = loop;
  if (from.kind === 'const' && to.kind === 'const' && to.value - from.value < FEWEST_TURNS * step) return [loop];
  const own = new Set<Var>();
  collectVariables([loop], own);
  const reciprocals = new Map<Var, Var>();
  const body = products(loop.body, own, reciprocals);
  if (reciprocals.size === 0) return [loop];
  const divisors = [...reciprocals.keys()];
  const isOrdinary = divisors.flatMap((s) => [L.compare('le', L.float(LEAST), s), L.compare('le', s, L.float(MOST))]);
  return [
    ...divisors.map((s) => L.define(reciprocals.get(s) as Var, L.binary('div', L.float(1), s))),
    L.when(
      isOrdinary.reduce((a, b) => L.binary('and', a, b)),
      [{ ...loop, body }],
      [loop],
    ),
  ];
}

/** What statements define or set. */
function collectVariables(body: readonly Stmt[], into: Set<Var>): void {
  for (const s of body) {
    if (s.kind === 'for' || s.kind === 'let' || s.kind === 'set') into.add(s.variable);
    if (s.kind === 'for') collectVariables(s.body, into);
    if (s.kind === 'if') collectVariables([...s.then, ...s.else], into);
  }
}

/** The body of a loop with products for quotients by what is not its `own`; adds to the reciprocals that it needs. */
function products(body: readonly Stmt[], own: ReadonlySet<Var>, reciprocals: Map<Var, Var>): Stmt[] {
  return body.flatMap((s): Stmt[] => {
    if (s.kind === 'if')
      return [{ ...s, then: products(s.then, own, reciprocals), else: products(s.else, own, reciprocals) }];
    if (s.kind !== 'let' && s.kind !== 'set' && s.kind !== 'store') return [s];
    const before: Stmt[] = [];
    const expr = rewriter({
      ofExpr(e) {
        const divided = dividedByScalar(e);
        if (divided === undefined || own.has(divided.divisor)) return e;
        const { a, divisor, isPart } = divided;
        let r = reciprocals.get(divisor);
        if (r === undefined) reciprocals.set(divisor, (r = L.variable('reciprocal', 'f32')));
        const q = L.variable('q', 'f32', e.lanes);
        const rest = L.variable('rest', 'f32', e.lanes);
        before.push(L.define(q, L.mul(a, r)), L.define(rest, L.fma(q, divisor, L.unary('neg', a))));
        const lowest = L.float(LOWEST, e.lanes);
        const finite = isPart ? rest : L.select(L.compare('lt', lowest, rest), rest, lowest);
        return L.fma(L.unary('neg', finite), r, q);
      },
    });
    const value = expr(s.value);
    return [...before, { ...s, value }];
  });
}

function dividedByScalar(e: Expr): { a: Expr; divisor: Var; isPart: boolean } | undefined {
  if (e.kind !== 'binary' || (e.op !== 'div' && e.op !== 'part') || e.lanes === 1 || e.type !== 'f32') return undefined;
  return e.b.kind === 'splat' && e.b.x.kind === 'var' ? { a: e.a, divisor: e.b.x, isPart: e.op === 'part' } : undefined;
}
