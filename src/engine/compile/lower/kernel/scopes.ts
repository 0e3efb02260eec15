// The loops of a kernel that is being built, and what is known in each: statements, axes bound to variables, and expressions by
// their keys, bound in the outermost loop that knows their variables (so loop-invariant code stands outside by construction),
// once (so shared subexpressions are computed once).

import { type Bind, binder } from '../../../loop/math/math.js';
import { InternalError } from '../../../ir/errors.js';
import * as L from '../../../loop/loop.js';
import type { Expr, Stmt, Var } from '../../../loop/loop.js';
import { type Axis, newAxis } from '../../indices/index-expr.js';

/** An expression and the loop depth at which its variables are known. */
export interface Value {
  readonly expr: Expr;
  readonly depth: number;
}

interface Scope {
  readonly body: Stmt[];
  readonly memo: Map<string, Value>;
}

interface AxisBinding {
  readonly expr: Expr;
  readonly depth: number;
  /** The variable counts elements, the axis blocks of `unit` elements. */
  readonly unit: number;
}

export class Scopes {
  /** Lanes of a vector; see `withLanes`. */
  lanes: number;
  protected readonly laneAxes = new Map<number, Axis>();
  readonly tid = L.variable('tid', 'i32');
  readonly threads = L.variable('threads', 'i32');
  /** Set where work is shared among the threads. */
  isParallel = false;
  protected readonly scopes: Scope[] = [{ body: [], memo: new Map() }];
  protected readonly axes = new Map<number, AxisBinding>();

  constructor(lanes: number) {
    this.lanes = lanes;
  }

  /** The axis whose elements are the lanes of a vector. */
  get laneAxis(): Axis {
    let axis = this.laneAxes.get(this.lanes);
    if (axis === undefined) this.laneAxes.set(this.lanes, (axis = newAxis(this.lanes)));
    return axis;
  }

  /** Vectors of another width while `build` runs. */
  withLanes(lanes: number, build: () => void): void {
    const outer = this.lanes;
    this.lanes = lanes;
    build();
    this.lanes = outer;
  }

  get depth(): number {
    return this.scopes.length - 1;
  }

  /** The statements of the kernel, once all loops are closed. */
  body(): Stmt[] {
    if (this.scopes.length !== 1) throw new InternalError('compile: a loop was left open.');
    return this.scopes[0].body;
  }

  emit(statement: Stmt): void {
    this.scopes[this.depth].body.push(statement);
  }

  /** Statements made by `build`, in a scope of their own. */
  block(build: () => void): Stmt[] {
    this.scopes.push({ body: [], memo: new Map() });
    build();
    return (this.scopes.pop() as Scope).body;
  }

  /** A loop; `axis` (if given) is bound to its variable. */
  loop(
    name: string,
    from: Expr,
    to: Expr,
    step: number,
    axis: Axis | undefined,
    build: (variable: Var) => void,
    unit = 1,
  ): void {
    const variable = L.variable(name, 'i32');
    const body = this.block(() => {
      if (axis !== undefined) this.bindAxis(axis, variable, unit);
      build(variable);
    });
    this.emit(L.loop(variable, from, to, step, body));
  }

  /** Loops over all of `axes`, the first outermost. */
  nest(axes: readonly Axis[], inside: () => void): void {
    const [first, ...rest] = axes;
    if (first === undefined) inside();
    else this.loop('at', L.int(0), L.int(first.size), 1, first, () => this.nest(rest, inside));
  }

  bindAxis(axis: Axis, expr: Expr, unit = 1): void {
    this.axes.set(axis.id, { expr, depth: this.depth, unit });
  }

  /** Binds `axes` to what they are at a row-major position. */
  bindAxes(axes: readonly Axis[], position: Expr): void {
    let rest = position;
    for (let i = axes.length - 1; i > 0; i--) {
      const size = L.int(axes[i].size);
      this.bindAxis(axes[i], this.define('at', L.binary('rems', rest, size)));
      rest = this.define('rest', L.binary('divs', rest, size));
    }
    if (axes.length > 0) this.bindAxis(axes[0], rest);
  }

  /** `let` in the current scope. */
  define(name: string, value: Expr, mutable = false): Var {
    const v = L.variable(name, value.type, value.lanes);
    this.emit(L.define(v, value, mutable));
    return v;
  }

  /** Names in the current scope. */
  binderHere(): Bind {
    return this.binder(this.depth);
  }

  /** Names at the end of a scope. */
  protected binder(depth: number): Bind {
    return binder(this.scopes[depth].body);
  }

  protected defineAt(depth: number, name: string, expr: Expr): Expr {
    if (expr.kind === 'var' || expr.kind === 'const') return expr;
    const v = L.variable(name, expr.type, expr.lanes);
    this.scopes[depth].body.push(L.define(v, expr));
    return v;
  }

  protected recall(key: string): Value | undefined {
    for (let d = this.depth; d >= 0; d--) {
      const found = this.scopes[d].memo.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  protected remember(key: string, name: string, expr: Expr, depth: number): Value {
    const value = { expr: this.defineAt(depth, name, expr), depth };
    this.scopes[depth].memo.set(key, value);
    return value;
  }
}
