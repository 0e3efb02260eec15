// argsort of each row, stable, in memory of the thread's own. Rows are shared by the threads.
//   Long rows of 32 bits are sorted by their digits (LSD radix sort, 8 bits at a time: four walks whatever the length); others by merging
//   runs, from the bottom up. Both carry the keys along with the positions, so that memory is read in order.
// Input: a group of one argsort node. Output: the kernel's statements.

import { isFloat } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { atomIndex, flatten } from '../../indices/index-expr.js';
import { elementOf } from '../kernel/dtype-values.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { overPositions } from './lower-scan.js';

/** From here on four walks are cheaper than the logarithm of the length. */
const LEAST_BY_DIGITS = 512;

/** Keys, and the position that each has in its row. */
interface Keyed {
  readonly keys: Buffer;
  readonly positions: Buffer;
}

/** A row that is sorted: `from` ends in the result's `positions`. */
interface Sort {
  readonly k: KernelBuilder;
  readonly n: number;
  readonly from: Keyed;
  readonly to: Keyed;
}

export function lowerArgsort(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'argsort'>;
  const { axis, descending } = node.arg;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  if (node.size === 0) return k;
  const n = node.shape[axis];
  const { dtype } = node.src[0];
  const byDigits = n >= LEAST_BY_DIGITS && dtype !== 'float64';
  const keyed = (name: string): Keyed => ({
    keys: lowering.scratch(`keys${name}`, n, byDigits ? 'i32' : elementOf(dtype)),
    positions: lowering.scratch(`positions${name}`, n, 'i32'),
  });
  const [from, to] = [keyed('One'), keyed('Two')];
  const counts = byDigits ? DIGITS.map((d) => lowering.scratch(`counts${d}`, RADIX, 'i32')) : [];
  const out = lowering.output(node as Node) as Buffer;
  const index = group.axes.map((a) => atomIndex(a));
  overPositions(
    k,
    group.axes.filter((_, i) => i !== axis),
    node.size,
    () => {
      for (const digits of counts)
        k.loop('digit', L.int(0), L.int(RADIX), 1, undefined, (d) => k.emit(L.store(digits, d, L.int(0))));
      k.loop('i', L.int(0), L.int(n), 1, group.axes[axis], (i) => {
        const value = k.value(node.src[0], index).expr;
        const key = byDigits ? k.define('key', orderedBits(k, value, descending)) : value;
        k.emit(L.store(from.keys, i, key));
        k.emit(L.store(from.positions, i, i));
        counts.forEach((digits, place) => count(k, digits, digitOf(key, place)));
      });
      const sort = { k, n, from, to };
      const sorted = byDigits ? sortByDigits(sort, counts) : sortByMerging(sort, isFloat(dtype), descending);
      k.loop('i', L.int(0), L.int(n), 1, group.axes[axis], (i) => {
        const value = k.define('order', L.load(sorted.positions, i));
        k.store(out, flatten(index, node.shape), { expr: value, depth: k.depth }, 'int32');
      });
    },
  );
  return k;
}

// ---------------------------------------------------------------- by digits

const RADIX = 256;
const DIGIT_BITS = 8;
/** The places of a key's digits, the least first. */
const DIGITS = [0, 1, 2, 3];

/** 32 bits whose order as a number without a sign is that of the row: NaN last of all (first when descending), -0 as 0. */
function orderedBits(k: KernelBuilder, value: Expr, descending: boolean): Expr {
  const lowest = L.int(-0x80000000);
  const flipped = (bits: Expr): Expr => (descending ? L.binary('xor', bits, L.int(-1)) : bits);
  if (value.type === 'i32') return flipped(L.binary('xor', value, lowest));
  const number = k.define('number', L.add(value, L.float(0))); // -0 + 0 is 0
  const raw = L.convert('bits.f32.i32', number);
  const bits = k.define('bits', L.select(L.compare('eq', number, number), raw, L.int(0x7fffffff)));
  // Of a negative number all bits are turned, else the sign alone.
  return flipped(L.binary('xor', bits, L.binary('or', L.binary('shrs', bits, L.int(31)), lowest)));
}

function digitOf(key: Expr, place: number): Expr {
  return L.binary('and', L.binary('shru', key, L.int(place * DIGIT_BITS)), L.int(RADIX - 1));
}

function count(k: KernelBuilder, counts: Buffer, digit: Expr): void {
  const at = k.define('digit', digit);
  k.emit(L.store(counts, at, L.add(L.load(counts, at), L.int(1))));
}

/** By the least digit first; each walk leaves those of one digit in the order in which it has found them. */
function sortByDigits({ k, n, ...both }: Sort, counts: readonly Buffer[]): Keyed {
  let { from, to } = both;
  counts.forEach((digits, place) => {
    // How many have a digit → where the first of them goes.
    const start = k.define('start', L.int(0), true);
    k.loop('digit', L.int(0), L.int(RADIX), 1, undefined, (d) => {
      const own = k.define('own', L.load(digits, d));
      k.emit(L.store(digits, d, start));
      k.emit(L.set(start, L.add(start, own)));
    });
    const [source, target] = [from, to];
    k.loop('i', L.int(0), L.int(n), 1, undefined, (i) => {
      const key = k.define('key', L.load(source.keys, i));
      const digit = k.define('digit', digitOf(key, place));
      const at = k.define('at', L.load(digits, digit));
      k.emit(L.store(digits, digit, L.add(at, L.int(1))));
      if (place < DIGITS.length - 1) k.emit(L.store(target.keys, at, key));
      k.emit(L.store(target.positions, at, L.load(source.positions, i)));
    });
    [from, to] = [to, from];
  });
  return from;
}

// ---------------------------------------------------------------- by merging

function sortByMerging({ k, n, ...both }: Sort, isReal: boolean, descending: boolean): Keyed {
  /** Must the element with key `b` (later in the row) come before the one with key `a`? */
  const before = (b: Expr, a: Expr): Expr => {
    if (!isReal) return descending ? L.compare('lt', a, b) : L.compare('lt', b, a);
    const [bIsNaN, aIsNaN] = [L.compare('ne', b, b), L.compare('ne', a, a)];
    if (descending) return L.binary('and', L.unary('not', aIsNaN), L.binary('or', bIsNaN, L.compare('lt', a, b)));
    return L.binary('and', L.unary('not', bIsNaN), L.binary('or', aIsNaN, L.compare('lt', b, a)));
  };
  let { from, to } = both;
  for (let width = 1; width < n; width *= 2) {
    mergeRuns({ k, n, from, to }, width, before);
    [from, to] = [to, from];
  }
  return from;
}

/** Merges neighbouring sorted runs of `width`. */
function mergeRuns({ k, n, from, to }: Sort, width: number, before: (b: Expr, a: Expr) => Expr): void {
  k.loop('run', L.int(0), L.int(n), 2 * width, undefined, (run: Var) => {
    const middle = k.define('middle', L.binary('min', L.add(run, L.int(width)), L.int(n)));
    const end = k.define('end', L.binary('min', L.add(run, L.int(2 * width)), L.int(n)));
    const left = k.define('left', run, true);
    const right = k.define('right', middle, true);
    k.loop('at', run, end, 1, undefined, (at) => {
      // Reads of an exhausted side are clamped into the array; the conditions decide.
      const a = k.define('a', L.binary('min', left, L.int(n - 1)));
      const b = k.define('b', L.binary('min', right, L.int(n - 1)));
      const ka = k.define('ka', L.load(from.keys, a));
      const kb = k.define('kb', L.load(from.keys, b));
      const hasLeft = L.compare('lt', left, middle);
      const hasRight = L.compare('lt', right, end);
      const takeRight = k.define(
        'takeRight',
        L.binary('and', hasRight, L.binary('or', L.unary('not', hasLeft), before(kb, ka))),
      );
      k.emit(L.store(to.keys, at, L.select(takeRight, kb, ka)));
      k.emit(L.store(to.positions, at, L.load(from.positions, L.select(takeRight, b, a))));
      k.emit(L.set(left, L.add(left, L.select(takeRight, L.int(0), L.int(1)))));
      k.emit(L.set(right, L.add(right, L.select(takeRight, L.int(1), L.int(0)))));
    });
  });
}
