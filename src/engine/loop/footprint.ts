// Which part of each operand one thread of a kernel reads and writes: an interval of elements for every buffer, found by
// running the kernel's integers as intervals. It may be too wide, never too narrow.
// Input: a kernel, how many threads share it, and one of them. Output: intervals. Knows nothing of programs or memory.

import type { Buffer, Expr, KernelFunction, Stmt } from './loop.js';

/** All integers from `from` to `to`, which belong to it; none if `to` is smaller. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What a thread touches of a buffer. */
export interface Touch {
  readonly read: Interval;
  readonly written: Interval;
}

export const NOTHING: Interval = { from: Infinity, to: -Infinity };
const ANYTHING: Interval = { from: -Infinity, to: Infinity };

export const isEmpty = ({ from, to }: Interval): boolean => from > to;

export const overlap = (a: Interval, b: Interval): boolean =>
  !isEmpty(a) && !isEmpty(b) && a.from <= b.to && b.from <= a.to;

const exactly = (value: number): Interval => ({ from: value, to: value });

/** The smallest interval with both. */
function hull(a: Interval, b: Interval): Interval {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** Without `tid`: what all threads together touch. */
export function footprint(kernel: KernelFunction, threads: number, tid?: number): Map<Buffer, Touch> {
  const run = new Run();
  run.set(kernel.tid.id, tid === undefined ? { from: 0, to: threads - 1 } : exactly(tid));
  run.set(kernel.threads.id, exactly(threads));
  run.statements(kernel.body);
  return run.touched;
}

class Run {
  readonly touched = new Map<Buffer, Touch>();
  private readonly variables = new Map<number, Interval>();
  private readonly known = new Map<Expr, Interval>();
  private readonly seen = new Set<Expr>();

  set(id: number, value: Interval): void {
    if (this.variables.has(id)) this.forget(); // another variable of the same name, in another place
    this.variables.set(id, value);
  }

  private forget(): void {
    this.known.clear();
    this.seen.clear();
  }

  statements(list: readonly Stmt[]): void {
    for (const s of list) this.statement(s);
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'for': {
        this.loads(s.from);
        this.loads(s.to);
        const range = steps(this.interval(s.from), this.interval(s.to), s.step);
        if (isEmpty(range)) return;
        this.set(s.variable.id, range);
        this.statements(s.body);
        return;
      }
      case 'let':
        this.loads(s.value);
        if (s.variable.type === 'i32' && s.variable.lanes === 1) {
          this.set(s.variable.id, s.mutable ? ANYTHING : this.interval(s.value));
        }
        return;
      case 'set':
        this.loads(s.value);
        return;
      case 'store':
        this.loads(s.index);
        this.loads(s.value);
        this.touch(s.buffer, this.elements(s.index, s.value.lanes), true);
        return;
      case 'prefetch':
        return;
      case 'if': {
        this.loads(s.condition);
        const holds = this.truth(s.condition);
        if (holds !== false) this.statements(s.then);
        if (holds !== true) this.statements(s.else);
      }
    }
  }

  private elements(index: Expr, lanes: number): Interval {
    const { from, to } = this.interval(index);
    return { from, to: to + lanes - 1 };
  }

  private touch(buffer: Buffer, elements: Interval, isWritten: boolean): void {
    const { read, written } = this.touched.get(buffer) ?? { read: NOTHING, written: NOTHING };
    this.touched.set(buffer, {
      read: isWritten ? read : hull(read, elements),
      written: isWritten ? hull(written, elements) : written,
    });
  }

  /** Notes what an expression reads. */
  private loads(e: Expr): void {
    if (this.seen.has(e)) return;
    this.seen.add(e);
    for (const x of operandsOf(e)) this.loads(x);
    if (e.kind === 'load') this.touch(e.buffer, this.elements(e.index, e.lanes), false);
  }

  private interval(e: Expr): Interval {
    if (e.kind === 'const') return exactly(e.value);
    if (e.kind === 'var') return this.variables.get(e.id) ?? ANYTHING;
    let found = this.known.get(e);
    if (found === undefined) this.known.set(e, (found = sound(this.compute(e))));
    return found;
  }

  private compute(e: Expr): Interval {
    if (e.type !== 'i32' || e.lanes !== 1) return ANYTHING;
    if (e.kind === 'unary' && e.op === 'same') return this.interval(e.x);
    if (e.kind === 'select') {
      const holds = this.truth(e.condition);
      if (holds !== undefined) return this.interval(holds ? e.a : e.b);
      return hull(this.checked(e.condition, e.a) ?? this.interval(e.a), this.interval(e.b));
    }
    if (e.kind !== 'binary') return ANYTHING;
    const [a, b] = [this.interval(e.a), this.interval(e.b)];
    switch (e.op) {
      case 'add':
        return { from: a.from + b.from, to: a.to + b.to };
      case 'sub':
        return { from: a.from - b.to, to: a.to - b.from };
      case 'mul': {
        const corners = [a.from * b.from, a.from * b.to, a.to * b.from, a.to * b.to];
        return { from: Math.min(...corners), to: Math.max(...corners) };
      }
      case 'min':
        return { from: Math.min(a.from, b.from), to: Math.min(a.to, b.to) };
      case 'max':
        return { from: Math.max(a.from, b.from), to: Math.max(a.to, b.to) };
      case 'divs':
        if (b.from !== b.to || b.from < 1) return ANYTHING;
        return { from: Math.trunc(a.from / b.from), to: Math.trunc(a.to / b.from) };
      case 'rems': {
        if (b.from !== b.to || b.from < 1 || a.from < 0) return ANYTHING;
        const n = b.from;
        const isOneTurn = Math.floor(a.from / n) === Math.floor(a.to / n);
        return isOneTurn ? { from: a.from % n, to: a.to % n } : { from: 0, to: n - 1 };
      }
      default:
        return ANYTHING;
    }
  }

  /** What x may be where the condition is that it is an index below some number. */
  private checked(condition: Expr, x: Expr): Interval | undefined {
    if (condition.kind !== 'compare' || condition.op !== 'ltu' || condition.a !== x) return undefined;
    const size = this.interval(condition.b);
    return size.from < 0 ? undefined : { from: 0, to: size.to - 1 }; // as unsigned numbers
  }

  /** Whether a condition holds, if that is certain. */
  private truth(e: Expr): boolean | undefined {
    if (e.kind === 'const') return e.value !== 0;
    if (e.kind === 'binary' && (e.op === 'and' || e.op === 'or') && e.type === 'bool') {
      const both = [this.truth(e.a), this.truth(e.b)];
      const decisive = e.op === 'or';
      if (both.includes(decisive)) return decisive;
      return both.includes(undefined) ? undefined : !decisive;
    }
    if (e.kind !== 'compare' || e.a.type !== 'i32' || e.a.lanes !== 1) return undefined;
    const [a, b] = [this.interval(e.a), this.interval(e.b)];
    switch (e.op) {
      case 'lt':
        return a.to < b.from ? true : a.from >= b.to ? false : undefined;
      case 'le':
        return a.to <= b.from ? true : a.from > b.to ? false : undefined;
      case 'eq':
      case 'ne': {
        const isSame = a.from === a.to && b.from === b.to && a.from === b.from;
        if (isSame) return e.op === 'eq';
        return overlap(a, b) ? undefined : e.op === 'ne';
      }
      default:
        return undefined;
    }
  }
}

/** What the variable of a loop may be. */
function steps(from: Interval, to: Interval, step: number): Interval {
  const last = to.to - 1;
  const isExact = from.from === from.to && last >= from.from && Number.isFinite(last);
  return { from: from.from, to: isExact ? last - ((last - from.from) % step) : last };
}

/** 0 · ∞ and ∞ − ∞ say nothing; nor do numbers that an integer of 32 bits cannot have. */
function sound(x: Interval): Interval {
  const isSafe = x.from >= -(2 ** 31) && x.to < 2 ** 31;
  return isSafe ? x : ANYTHING;
}

function operandsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'var':
    case 'const':
      return [];
    case 'load':
      return [e.index];
    case 'unary':
    case 'convert':
    case 'splat':
    case 'extract':
      return [e.x];
    case 'binary':
    case 'compare':
    case 'shuffle':
      return [e.a, e.b];
    case 'fma':
      return [e.a, e.b, e.c];
    case 'select':
      return [e.condition, e.a, e.b];
    case 'pack':
      return e.parts;
  }
}
