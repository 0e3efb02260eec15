// An axis walked in vectors: blocks of several, then one, then narrower ones, then single elements.
// Input: an axis and how far it is walked. Output: loops; what is done in them is the caller's.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import type { KernelBuilder } from './kernel-builder.js';

/** Narrower vectors than this are not worth their loop, where there are any wider ones. */
export const fewestLanes = (widest: number): number => Math.min(4, widest);

/** One turn: steps of `lanes` elements. */
export interface Block {
  readonly lanes: number;
  /** Index of the axis in each step. */
  readonly at: readonly Index[];
}

/** Elements [from, to) of an axis; `length` is said of those that are known to be so many wherever they begin. */
export interface Span {
  readonly from: Expr;
  readonly to: Expr;
  readonly length?: number;
}

/** Loops over a span of `axis`, `unroll` vectors a turn. Only where its length is known there are narrower vectors. */
export function overBlocks(
  k: KernelBuilder,
  axis: Axis,
  { from, to, length = lengthOf(from, to) }: Span,
  unroll: number,
  inside: (block: Block) => void,
): void {
  const widest = k.lanes;
  const narrower = length === undefined ? [] : widthsOf(length, widest).filter((n) => n > 1 && n < widest);
  const steps = [widest, ...narrower].map((lanes) => ({ lanes, count: 1 }));
  if (unroll > 1) steps.unshift({ lanes: widest, count: unroll });
  let start: Expr = from;
  let left = length;
  for (const { lanes, count } of steps) {
    const width = lanes * count;
    if (left !== undefined && left < width) continue;
    const span = L.sub(to, start);
    const whole = left === undefined ? L.sub(span, L.binary('rems', span, L.int(width))) : L.int(left - (left % width));
    const sum = L.add(start, whole);
    const end = sum.kind === 'const' ? sum : k.define('end', sum);
    if (left !== undefined) left %= width;
    // Of a turn's first vector: an index of a later one that seemed to reach beyond the axis would read what nobody computes.
    const counter = newAxis(Math.max(1, Math.floor(axis.size / lanes) - count + 1));
    const body = (): void => {
      const base = scaleIndex(atomIndex(counter), lanes);
      const lane = atomIndex(k.laneAxis);
      inside({
        lanes,
        at: Array.from({ length: count }, (_, j) => addIndex(addConstant(base, j * lanes), lane)),
      });
    };
    k.withLanes(lanes, () => k.loop('v', start, end, width, counter, body, lanes));
    start = end;
  }
  if (left !== undefined && left <= 0) return;
  k.loop('v', start, to, 1, axis, () => inside({ lanes: 1, at: [atomIndex(axis)] }));
}

function lengthOf(from: Expr, to: Expr): number | undefined {
  return from.kind === 'const' && to.kind === 'const' ? to.value - from.value : undefined;
}

/** The vectors that cover `size` elements, the widest first, and 1 if single elements are left. */
export function widthsOf(size: number, widest: number): number[] {
  const widths: number[] = [];
  let rest = size;
  for (let lanes = widest; lanes >= fewestLanes(widest); lanes /= 2) {
    if (rest >= lanes) widths.push(lanes);
    rest %= lanes;
  }
  return rest > 0 ? [...widths, 1] : widths;
}
