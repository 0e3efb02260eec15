// The words that routines of matrices are written in: loops over rows, strips of a row in vectors with what is left one by one, named
// numbers, sums. Matrices lie row by row in a buffer; all indices are run-time integers.
//   Everything that is loaded or computed from a variable is named at once, so that the order of statements is the order of effects.
// Must not know: nodes of the graph, which routine is written.

import * as L from '../../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../../loop/loop.js';
import type { KernelBuilder } from '../../kernel/kernel-builder.js';

/** A whole number of a kernel: known, or computed while it runs. */
export type Int = Expr | number;

/** Rows of `ld` numbers each, the first at `base`. */
export interface Matrix {
  readonly buffer: Buffer;
  readonly base: Expr;
  readonly ld: number;
}

/** Numbers that lie one after the other from `base` on. */
export interface Line {
  readonly buffer: Buffer;
  readonly base: Expr;
}

export const asInt = (x: Int): Expr => (typeof x === 'number' ? L.int(x) : x);
export const plus = (a: Int, b: Int): Expr => L.add(asInt(a), asInt(b));
export const minus = (a: Int, b: Int): Expr => L.sub(asInt(a), asInt(b));
export const real = (x: number): Expr => L.literal(x, 'f64');
export const negated = (x: Expr): Expr => L.unary('neg', x);
export const absolute = (x: Expr): Expr => L.unary('abs', x);
export const root = (x: Expr): Expr => L.unary('sqrt', x);
export const quotient = (a: Expr, b: Expr): Expr => L.binary('div', a, b);

/** Sums that are added up side by side, so that none waits for the one before. */
const SUMS = 4;

export class MatrixWriter {
  readonly k: KernelBuilder;
  readonly lanes: number;

  constructor(k: KernelBuilder, lanes: number) {
    this.k = k;
    this.lanes = lanes;
  }

  // -------------------------------------------------------------- names and control

  /** The value as it is now. */
  int(x: Int, name = 'n'): Expr {
    const e = asInt(x);
    return e.kind === 'const' ? e : this.k.define(name, e);
  }

  named(name: string, x: Expr): Expr {
    return x.kind === 'const' ? x : this.k.define(name, x);
  }

  variable(name: string, x: Expr): Var {
    return this.k.define(name, x, true);
  }

  set(v: Var, x: Expr): void {
    this.k.emit(L.set(v, x));
  }

  when(condition: Expr, then: () => void, otherwise?: () => void): void {
    const holds = this.named('holds', condition);
    this.k.emit(L.when(holds, this.k.block(then), otherwise === undefined ? [] : this.k.block(otherwise)));
  }

  loop(from: Int, to: Int, inside: (i: Expr) => void, step = 1, name = 'i'): void {
    const [first, end] = [this.int(from, 'from'), this.int(to, 'to')];
    this.k.loop(name, first, end, step, undefined, inside);
  }

  /** From to − 1 down to `from`. */
  down(from: Int, to: Int, inside: (i: Expr) => void): void {
    const last = this.int(minus(to, 1), 'last');
    this.loop(0, minus(to, from), (i) => inside(this.int(minus(last, i), 'i')));
  }

  /** All of from … to in vectors, what is left one by one. */
  strips(from: Int, to: Int, inside: (at: Expr, lanes: number) => void): void {
    const [first, end] = [this.int(from, 'from'), this.int(to, 'to')];
    const { lanes } = this;
    const left = lanes === 1 ? end : L.binary('rems', minus(end, first), L.int(lanes));
    const whole = lanes === 1 ? first : this.int(L.binary('max', minus(end, left), first), 'whole');
    if (lanes > 1) this.loop(first, whole, (at) => inside(at, lanes), lanes, 'v');
    this.loop(whole, end, (at) => inside(at, 1), 1, 'v');
  }

  // -------------------------------------------------------------- memory

  row({ buffer, base, ld }: Matrix, i: Int): Line {
    return { buffer, base: this.int(L.add(base, L.mul(asInt(i), L.int(ld))), 'row') };
  }

  /** The matrix without its first rows and columns. */
  from({ buffer, base, ld }: Matrix, i: Int, j: Int): Matrix {
    return { buffer, base: this.int(L.add(L.add(base, L.mul(asInt(i), L.int(ld))), asInt(j)), 'corner'), ld };
  }

  get({ buffer, base }: Line, i: Int, lanes = 1): Expr {
    return this.k.define('x', L.load(buffer, L.add(base, asInt(i)), lanes));
  }

  put({ buffer, base }: Line, i: Int, x: Expr): void {
    this.k.emit(L.store(buffer, L.add(base, asInt(i)), x));
  }

  at({ buffer, base, ld }: Matrix, i: Int, j: Int): Expr {
    return this.get({ buffer, base: L.add(base, L.mul(asInt(i), L.int(ld))) }, j);
  }

  putAt({ buffer, base, ld }: Matrix, i: Int, j: Int, x: Expr): void {
    this.put({ buffer, base: L.add(base, L.mul(asInt(i), L.int(ld))) }, j, x);
  }

  // -------------------------------------------------------------- lines

  fill(x: Line, from: Int, to: Int, value: Expr): void {
    this.strips(from, to, (at, lanes) => this.put(x, at, L.splat(value, lanes)));
  }

  copy(x: Line, y: Line, from: Int, to: Int): void {
    this.strips(from, to, (at, lanes) => this.put(y, at, this.get(x, at, lanes)));
  }

  swap(x: Line, y: Line, from: Int, to: Int): void {
    this.strips(from, to, (at, lanes) => {
      const [a, b] = [this.get(x, at, lanes), this.get(y, at, lanes)];
      this.put(x, at, b);
      this.put(y, at, a);
    });
  }

  /** y = y + factor · x */
  addTo(y: Line, factor: Expr, x: Line, from: Int, to: Int): void {
    const f = this.named('factor', factor);
    this.strips(from, to, (at, lanes) =>
      this.put(y, at, L.fma(L.splat(f, lanes), this.get(x, at, lanes), this.get(y, at, lanes))),
    );
  }

  scale(x: Line, factor: Expr, from: Int, to: Int): void {
    const f = this.named('factor', factor);
    this.strips(from, to, (at, lanes) => this.put(x, at, L.mul(L.splat(f, lanes), this.get(x, at, lanes))));
  }

  /** Sums over from … to − 1, in vectors and one by one: `inside` adds what belongs to the places from `at` on. */
  sums(
    count: number,
    from: Int,
    to: Int,
    inside: (at: Expr, lanes: number, sums: readonly Var[]) => void,
  ): readonly Var[] {
    const made = (lanes: number): Var[] =>
      Array.from({ length: count }, () => this.variable('sum', L.literal(0, 'f64', lanes)));
    const single = made(1);
    const wide = this.lanes === 1 ? single : made(this.lanes);
    this.strips(from, to, (at, lanes) => inside(at, lanes, lanes === 1 ? single : wide));
    if (wide === single) return single;
    wide.forEach((sum, i) => {
      const parts = Array.from({ length: this.lanes }, (_, lane) => L.extract(sum, lane));
      this.set(
        single[i],
        parts.reduce<Expr>((a, b) => L.add(a, b), single[i]),
      );
    });
    return single;
  }

  /** Σ x · y for each pair: several sums in one walk share what they read of the line `with`. */
  dots(lines: readonly Line[], other: Line, from: Int, to: Int): Expr[] {
    const { lanes } = this;
    const beside = Math.max(1, Math.floor(SUMS / lines.length));
    const [first, end] = [this.int(from, 'from'), this.int(to, 'to')];
    const totals = lines.map(() => this.variable('total', real(0)));
    let rest: Expr = first;
    if (lanes > 1) {
      const step = lanes * beside;
      const left = L.binary('rems', minus(end, first), L.int(step));
      const whole = this.int(L.binary('max', minus(end, left), first), 'whole');
      const sums = lines.map(() =>
        Array.from({ length: beside }, () => this.variable('sum', L.literal(0, 'f64', lanes))),
      );
      this.loop(
        first,
        whole,
        (at) => {
          for (let s = 0; s < beside; s++) {
            const here = s === 0 ? at : plus(at, s * lanes);
            const y = this.get(other, here, lanes);
            lines.forEach((x, i) => this.set(sums[i][s], L.fma(this.get(x, here, lanes), y, sums[i][s])));
          }
        },
        step,
        'v',
      );
      totals.forEach((total, i) => {
        const all = this.named(
          'all',
          sums[i].slice(1).reduce<Expr>((a, b) => L.add(a, b), sums[i][0]),
        );
        const parts = Array.from({ length: lanes }, (_, lane) => L.extract(all, lane));
        this.set(
          total,
          parts.reduce((a, b) => L.add(a, b)),
        );
      });
      rest = whole;
    }
    this.loop(rest, end, (at) => {
      const y = this.get(other, at);
      lines.forEach((x, i) => this.set(totals[i], L.fma(this.get(x, at), y, totals[i])));
    });
    return totals;
  }

  dot(x: Line, y: Line, from: Int, to: Int): Expr {
    return this.dots([x], y, from, to)[0];
  }
}
