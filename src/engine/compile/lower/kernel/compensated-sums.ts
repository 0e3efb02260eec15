// Sums of many float32 numbers. Added one after the other they lose more with every addition, and stand still where a term is
// less than half a unit in the last place of the sum (16,777,216 + 1 = 16,777,216). So an accumulator takes a few additions
// only; then its sum moves to a total that keeps what rounding loses (Knuth's two-sum and Kahan's summation, a handful of additions), and it begins
// again. The error of a sum of any length is that of a short one.
// Input: reductions, and the axes that they walk. Output: accumulators and the loops that fill them.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Expr, Var } from '../../../loop/loop.js';
import type { Axis } from '../../indices/index-expr.js';
import type { KernelBuilder } from './kernel-builder.js';
import { combineOf, identityOf, inPairs } from './reductions.js';
import { type Block, overBlocks } from './vector-blocks.js';

/** Additions to an accumulator before its sum moves: the last digits of 64 additions are lost at worst, as pairwise. */
export const LONGEST_CHAIN = 64;

/** A sum, and what rounding has taken from it. */
export interface Total {
  readonly sum: Var;
  readonly lost: Var;
}

export function newTotal(k: KernelBuilder, lanes: number): Total {
  return { sum: k.define('sum', L.float(0, lanes), true), lost: k.define('lost', L.float(0, lanes), true) };
}

/** a + b rounded, and the rounding error, exactly; the error of what is not finite is NaN. */
export function twoSum(k: KernelBuilder, a: Expr, b: Expr): { readonly sum: Var; readonly error: Expr } {
  const sum = k.define('next', L.add(a, b));
  const part = k.define('part', L.sub(sum, a));
  return { sum, error: L.add(L.sub(a, L.sub(sum, part)), L.sub(b, part)) };
}

/** What a sum has lost, where that is known: 0 for NaN. */
export function knownLoss(k: KernelBuilder, lost: Expr): Expr {
  const loss = k.define('loss', lost);
  return L.select(L.compare('eq', loss, loss), loss, L.float(0, loss.lanes));
}

/**
 * The sum with another value, and what it has lost then. What was lost before is added to the value (Kahan), so that it stays below
 * a unit in the last place of the sum, and the sum is right by itself.
 */
export function plus(k: KernelBuilder, sum: Expr, lost: Expr, value: Expr): { readonly sum: Var; readonly lost: Expr } {
  const next = twoSum(k, sum, k.define('value', L.add(value, lost)));
  return { sum: next.sum, lost: knownLoss(k, next.error) };
}

function addTo(k: KernelBuilder, { sum, lost }: Total, value: Expr): void {
  const next = plus(k, sum, lost, value);
  k.emit(L.set(lost, next.lost));
  k.emit(L.set(sum, next.sum));
}

export function isFloatSum(node: Node): boolean {
  return node.op === 'sum' && node.dtype === 'float32';
}

/** `count` accumulators of `lanes` lanes for each of some reductions. */
export class Accumulators {
  private readonly k: KernelBuilder;
  private readonly lanes: number;
  private readonly vars = new Map<Node, readonly Var[]>();
  private readonly totals = new Map<Node, readonly Total[]>();

  /** `isLong`: `rest` is called often enough. `isOne`: all accumulators of a reduction have one total. */
  constructor(
    k: KernelBuilder,
    reductions: readonly Node[],
    { count, lanes, isLong, isOne }: { count: number; lanes: number; isLong: boolean; isOne: boolean },
  ) {
    this.k = k;
    this.lanes = lanes;
    for (const node of reductions) {
      const start = identityOf(node, lanes);
      this.vars.set(
        node,
        Array.from({ length: count }, () => k.define('acc', start, true)),
      );
      if (isLong && isFloatSum(node))
        this.totals.set(
          node,
          Array.from({ length: isOne ? 1 : count }, () => newTotal(k, lanes)),
        );
    }
  }

  of(node: Node): readonly Var[] {
    return this.vars.get(node) as readonly Var[];
  }

  get nodes(): readonly Node[] {
    return [...this.vars.keys()];
  }

  /** Moves the sums so far to their totals. */
  rest(): void {
    const { k } = this;
    for (const [node, totals] of this.totals) {
      const vars = this.of(node);
      if (totals.length === 1) addTo(k, totals[0], k.define('block', inPairs(vars, combineOf(node))));
      else totals.forEach((total, i) => addTo(k, total, vars[i]));
      for (const v of vars) k.emit(L.set(v, L.literal(0, v.type, this.lanes)));
    }
  }

  /** All accumulators of a reduction as one. */
  combined(node: Node): Expr {
    const [total] = this.totals.get(node) ?? [];
    return total === undefined ? (this.of(node) as readonly Expr[]).reduce(combineOf(node)) : total.sum;
  }

  /** The result of each accumulator. */
  each(node: Node): readonly Expr[] {
    return this.totals.get(node)?.map((t) => t.sum) ?? this.of(node);
  }
}

/** Are so many additions too many for one accumulator of any of these? */
export function isLongSum(reductions: readonly Node[], additions: number): boolean {
  return additions > LONGEST_CHAIN && reductions.some(isFloatSum);
}

/** Loops over all of `axes`, each turn of which makes `additions` at most; `rest` comes often enough for long chains. */
export function nestInChains(
  k: KernelBuilder,
  axes: readonly Axis[],
  additions: number,
  inside: () => void,
  rest: () => void,
): void {
  let cut = axes.length;
  let inner = additions;
  while (cut > 0 && inner * axes[cut - 1].size <= LONGEST_CHAIN) inner *= axes[--cut].size;
  if (cut === 0) {
    k.nest(axes, inside);
    rest();
    return;
  }
  const axis = axes[cut - 1];
  const most = Math.max(1, Math.floor(LONGEST_CHAIN / inner));
  const blocks = Math.ceil(axis.size / most);
  const chunk = Math.ceil(axis.size / blocks);
  k.nest(axes.slice(0, cut - 1), () =>
    k.loop('block', L.int(0), L.int(Math.ceil(axis.size / chunk)), 1, undefined, (block) => {
      const from = k.define('from', L.mul(block, L.int(chunk)));
      const end = L.add(from, L.int(chunk));
      const to = k.define('to', axis.size % chunk === 0 ? end : L.binary('min', end, L.int(axis.size)));
      k.loop('at', from, to, 1, axis, () => k.nest(axes.slice(cut), inside));
      rest();
    }),
  );
}

/** A long axis in vectors, `unroll` a turn: as many turns as an accumulator bears, then `rest`, and so on. */
export function overLongVector(
  k: KernelBuilder,
  axis: Axis,
  unroll: number,
  inside: (block: Block) => void,
  rest: () => void,
): void {
  const length = LONGEST_CHAIN * unroll * k.lanes;
  const blocks = Math.floor(axis.size / length);
  k.loop('block', L.int(0), L.int(blocks), 1, undefined, (block) => {
    const from = k.define('from', L.mul(block, L.int(length)));
    overBlocks(k, axis, { from, to: L.add(from, L.int(length)), length }, unroll, inside);
    rest();
  });
  overBlocks(k, axis, { from: L.int(blocks * length), to: L.int(axis.size) }, unroll, inside);
  rest();
}
