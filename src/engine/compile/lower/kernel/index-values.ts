// Symbolic integers and conditions as expressions of a kernel: scalars, and vectors where they move with the lanes.

import { InternalError } from '../../../ir/errors.js';
import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Atom,
  type Axis,
  type Index,
  coefficientOf,
  constantIndex,
  dependsOn,
  splitByAxis,
  substitute,
} from '../../indices/index-expr.js';
import type { Guard } from '../../indices/movement.js';
import { Scopes, type Value } from './scopes.js';

/** Terms and conditions in one expression: compilers of C take no parentheses within hundreds of others. */
export const MOST_NESTED = 32;

export class IndexValues extends Scopes {
  /** The integer `index` as a scalar expression; it must not contain the lane axis. */
  integer(index: Index): Value {
    if (index.terms.length === 0) return { expr: L.int(index.constant), depth: 0 };
    const found = this.recall(`i${index.key}`);
    if (found !== undefined) return found;
    // Terms are added from the outermost loop inwards, so that each partial sum is bound where it is known.
    const byDepth = new Map<number, Expr[]>();
    for (const { atom, coefficient } of index.terms) {
      const { expr, depth } = this.scaledAtom(atom, coefficient);
      const list = byDepth.get(depth);
      if (list === undefined) byDepth.set(depth, [expr]);
      else list.push(expr);
    }
    let sum: Expr | undefined;
    let depth = 0;
    for (const d of [...byDepth.keys()].sort((a, b) => a - b)) {
      for (const e of byDepth.get(d) as Expr[]) sum = sum === undefined ? e : L.add(sum, e);
      depth = d;
      sum = this.defineAt(d, 'i', sum as Expr);
    }
    const total = L.add(sum as Expr, L.int(index.constant));
    const value = { expr: total, depth };
    this.scopes[depth].memo.set(`i${index.key}`, value);
    return value;
  }

  protected scaledAtom(atom: Atom, coefficient: number): Value {
    if (atom.kind === 'axis') {
      const axis = this.axes.get(atom.id);
      if (axis === undefined) throw new InternalError(`compile: axis ${atom.key} is used outside its loop.`);
      if (coefficient % axis.unit === 0) {
        return { expr: L.mul(axis.expr, L.int(coefficient / axis.unit)), depth: axis.depth };
      }
      return { expr: L.mul(L.binary('divs', axis.expr, L.int(axis.unit)), L.int(coefficient)), depth: axis.depth };
    }
    const { expr, depth } = this.atom(atom);
    return { expr: L.mul(expr, L.int(coefficient)), depth };
  }

  protected atom(atom: Exclude<Atom, Axis>): Value {
    if (atom.kind === 'dynamic') return atom.value as Value;
    const key = `i${atom.key}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const x = this.integer(atom.x);
    return this.remember(
      key,
      atom.kind,
      L.binary(atom.kind === 'div' ? 'divs' : 'rems', x.expr, L.int(atom.by)),
      x.depth,
    );
  }

  protected hasLane(index: Index): boolean {
    return dependsOn(index, this.laneAxis);
  }

  protected atLane(index: Index, lane: number): Index {
    return substitute(index, this.laneAxis, constantIndex(lane));
  }

  /** The integer as a value: a vector if it moves with the lane axis. */
  integerValue(index: Index): Value {
    if (!this.hasLane(index)) return this.integer(index);
    const step = coefficientOf(index, this.laneAxis);
    if (step !== undefined) {
      const base = this.integer(this.atLane(index, 0));
      const offsets = L.pack(Array.from({ length: this.lanes }, (_, i) => L.int(i * step)));
      return { expr: L.add(L.splat(base.expr, this.lanes), offsets), depth: base.depth };
    }
    // Quotients and remainders of the lanes are put together where they are known, and moved from there.
    const { moving, still } = splitByAxis(index, this.laneAxis);
    const vector = this.vectorOf(moving);
    const base = this.integer(still);
    return { expr: L.add(vector.expr, L.splat(base.expr, this.lanes)), depth: Math.max(vector.depth, base.depth) };
  }

  protected vectorOf(index: Index): Value {
    const key = `v${this.lanes}:${index.key}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const parts = Array.from({ length: this.lanes }, (_, i) => this.integer(this.atLane(index, i)));
    const depth = Math.max(...parts.map((p) => p.depth));
    return this.remember(key, 'lanes', L.pack(parts.map((p) => p.expr)), depth);
  }

  // -------------------------------------------------------------- conditions

  protected condition(every: readonly Guard[]): Value | undefined {
    let all: Value | undefined;
    const guards = every.filter((g) => g.index.min < 0 || g.index.max >= g.size);
    const scalars = guards.filter((g) => !this.hasLane(g.index));
    const vectors = guards.filter((g) => this.hasLane(g.index));
    [...scalars, ...vectors].forEach((g, i) => {
      const c = this.guardValue(g);
      if (i > 0 && i % MOST_NESTED === 0) all = this.named('inside', all as Value);
      all = all === undefined ? c : this.combine(all, c);
    });
    return all;
  }

  protected named(name: string, { expr, depth }: Value): Value {
    return { expr: this.defineAt(depth, name, expr), depth };
  }

  protected combine(a: Value, b: Value): Value {
    return { expr: L.binary('and', a.expr, b.expr), depth: Math.max(a.depth, b.depth) };
  }

  protected guardValue(g: Guard): Value {
    const key = `c${g.index.key}<${g.size}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    if (!this.hasLane(g.index)) {
      const { expr, depth } = this.integer(g.index);
      return this.remember(key, 'inside', L.compare('ltu', expr, L.int(g.size)), depth);
    }
    const { expr, depth } = this.integerValue(g.index);
    const low = g.index.min < 0 ? L.compare('le', L.int(0), expr) : undefined;
    const high = g.index.max >= g.size ? L.compare('lt', expr, L.int(g.size)) : undefined;
    const both = low === undefined ? (high as Expr) : high === undefined ? low : L.binary('and', low, high);
    return this.remember(key, 'inside', both, depth);
  }
}

export function guardKey(guards: readonly Guard[]): string {
  let key = '';
  for (const g of guards) key += `?${g.index.key}<${g.size}`;
  return key;
}
