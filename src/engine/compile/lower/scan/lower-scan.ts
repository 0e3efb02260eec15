// Running results along an axis: sums, products, extremes, log Σ exp. Threads share the other axes, and each walks its own part in order.
//   Along the last axis a row at a time; along another one, whole vectors of neighbouring columns go along it together.
// Input: a group of one such node. Output: the kernel's statements.

import type { DType } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import type { Running } from '../../../ir/op.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import * as math from '../../../loop/math/math.js';
import type { Group } from '../../plan/group.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  flatten,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import { VALUE_TYPE } from '../kernel/dtype-values.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import { LONGEST_CHAIN, knownLoss, twoSum } from '../kernel/compensated-sums.js';
import type { Lowering } from '../kernel/lowering.js';
import { splitRange } from '../kernel/parallel.js';

export const SERIAL_WORK = 4096;

/** Shares the positions of `axes` among the threads and binds the axes to this thread's one at a time. */
export function overPositions(k: KernelBuilder, axes: readonly Axis[], work: number, inside: () => void): void {
  const live = axes.filter((a) => a.size !== 1);
  const count = live.reduce((n, a) => n * a.size, 1);
  const range = splitRange(k, count, work < SERIAL_WORK, 1);
  k.loop('row', range.from, range.to, 1, undefined, (row) => {
    k.bindAxes(live, row);
    inside();
  });
}

export function lowerScan(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'cumsum'>;
  const { axis } = node.arg;
  const out = lowering.output(node as Node) as Buffer;
  const { lanes } = lowering.target;
  const k = new KernelBuilder(lowering.context, lanes);
  if (node.size === 0) return k;
  const last = group.axes.length - 1;
  /** Several lines at once, each at an index of its own. */
  const walk = (indices: readonly (readonly Index[])[], width: number): void => {
    const results = indices.map(() => running(k, node, width));
    const rests = results.flatMap(({ rest }) => (rest === undefined ? [] : [rest]));
    overParts(k, group.axes[axis], rests.length === 0 ? undefined : () => rests.forEach((rest) => rest()), () => {
      indices.forEach((index, i) => {
        const { expr } = k.value(node.src[0], index);
        const value = results[i].add(width === 1 ? expr : L.splat(expr, width));
        k.store(out, flatten(index, node.shape), { expr: value, depth: k.depth }, node.dtype);
      });
    });
  };
  const index = group.axes.map((a) => atomIndex(a));
  const others = group.axes.filter((_, i) => i !== axis);
  if (axis === last || group.axes[last].size < lanes) overPositions(k, others, node.size, () => walk([index], 1));
  else byColumns(k, group.axes, node as Node<'cumsum'>, lanes, walk);
  return k;
}

/** Vectors side by side: together they fill a cache line, and the chain of one waits while the others go on. */
const MOST_BESIDE = 4;

/** The last axis in vectors, several at once; what is left of it one by one. */
function byColumns(
  k: KernelBuilder,
  axes: readonly Axis[],
  { arg: { axis }, size: work }: Node<'cumsum'>,
  lanes: number,
  walk: (indices: readonly (readonly Index[])[], width: number) => void,
): void {
  const last = axes.length - 1;
  const inner = axes[last];
  const outer = axes.filter((_, i) => i !== axis && i !== last);
  const index = axes.map((a) => atomIndex(a));
  const blocks = (from: Expr, to: Expr, beside: number): Expr => {
    const step = lanes * beside;
    const whole = k.define(
      'whole',
      L.add(from, L.sub(L.sub(to, from), L.binary('rems', L.sub(to, from), L.int(step)))),
    );
    const counter = newAxis(Math.ceil(inner.size / lanes));
    const first = addIndex(scaleIndex(atomIndex(counter), lanes), atomIndex(k.laneAxis));
    const columns = Array.from({ length: beside }, (_, i) => index.with(last, addConstant(first, i * lanes)));
    k.loop('v', from, whole, step, counter, () => walk(columns, lanes), lanes);
    return whole;
  };
  const beside = Math.min(MOST_BESIDE, Math.floor(inner.size / lanes));
  const columns = (from: Expr, to: Expr): void => {
    const left = blocks(beside > 1 ? blocks(from, to, beside) : from, to, 1);
    k.loop('at', left, to, 1, inner, () => walk([index], 1));
  };
  if (outer.some(({ size }) => size > 1)) {
    overPositions(k, outer, work, () => columns(L.int(0), L.int(inner.size)));
    return;
  }
  const range = splitRange(k, inner.size, work < SERIAL_WORK, beside * lanes);
  columns(range.from, range.to);
}

interface RunningResult {
  /** The result so far, with `value`. */
  readonly add: (value: Expr) => Expr;
  readonly rest: (() => void) | undefined;
}

function running(k: KernelBuilder, { arg: { combine }, dtype }: Node<'cumsum'>, lanes: number): RunningResult {
  if (combine === undefined && dtype === 'float32') return inParts(k, lanes);
  const type = VALUE_TYPE[dtype];
  const total = k.define('total', L.literal(startOf(combine, dtype), type, lanes), true);
  const join = combine === undefined ? L.add : COMBINE[combine];
  const add = (value: Expr): Expr => {
    k.emit(L.set(total, join(total, value, k)));
    return total;
  };
  return { add, rest: undefined };
}

function startOf(combine: Running | undefined, dtype: DType): number {
  if (combine === undefined) return 0;
  if (combine === 'mul') return 1;
  const [lowest, highest] = dtype === 'int32' ? [-0x80000000, 0x7fffffff] : [-Infinity, Infinity];
  return combine === 'min' ? highest : lowest;
}

const COMBINE: Record<Running, (total: Expr, value: Expr, k: KernelBuilder) => Expr> = {
  mul: (a, b) => L.mul(a, b),
  max: (a, b) => L.binary('max', a, b),
  min: (a, b) => L.binary('min', a, b),
  logaddexp,
};

/** The larger one and what the other adds; equal infinities are themselves. */
function logaddexp(total: Expr, value: Expr, k: KernelBuilder): Expr {
  const bind = k.binderHere();
  const largest = bind('largest', L.binary('max', total, value));
  const distance = bind('distance', L.sub(total, value));
  const small = bind('small', math.exp(L.unary('neg', L.unary('abs', distance)), bind, { most: 0 }));
  const sum = L.add(largest, math.log1p(small, bind));
  return L.select(L.compare('eq', distance, distance), sum, largest);
}

/**
 * Of float32 sums, in two parts: what has been added up in the current part of the axis, and the sum of all before it. What rounding
 * takes from that sum is where the next part begins. The sum of both is as exact as a short sum, at one more addition.
 */
function inParts(k: KernelBuilder, lanes: number): RunningResult {
  const sum = k.define('sum', L.float(0, lanes), true);
  const part = k.define('part', L.float(0, lanes), true);
  const add = (value: Expr): Expr => {
    k.emit(L.set(part, L.add(part, value)));
    return L.add(sum, part);
  };
  const rest = (): void => {
    const next = twoSum(k, sum, part);
    k.emit(L.set(part, knownLoss(k, next.error)));
    k.emit(L.set(sum, next.sum));
  };
  return { add, rest };
}

/** All of an axis in order; `rest`, if any, comes after each part. */
function overParts(k: KernelBuilder, axis: Axis, rest: (() => void) | undefined, inside: () => void): void {
  if (rest === undefined || axis.size <= LONGEST_CHAIN) {
    k.loop('at', L.int(0), L.int(axis.size), 1, axis, inside);
    return;
  }
  k.loop('part', L.int(0), L.int(Math.ceil(axis.size / LONGEST_CHAIN)), 1, undefined, (part) => {
    const from = k.define('from', L.mul(part, L.int(LONGEST_CHAIN)));
    const to = k.define('to', L.binary('min', L.add(from, L.int(LONGEST_CHAIN)), L.int(axis.size)));
    k.loop('at', from, to, 1, axis, inside);
    rest();
  });
}
