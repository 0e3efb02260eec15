// An axis walked in vectors: blocks of several, then one, then narrower ones, then single elements.
// Input: an axis and how far it is walked. Output: loops; what is done in them is the caller's.

import * as L from '../loop/loop.js';
import type { Expr } from '../loop/loop.js';
import { type Axis, type Index, addConstant, addIndex, atomIndex, newAxis, scaleIndex } from './index-expr.js';
import type { KernelBuilder } from './kernel-builder.js';
import { widthsOf } from './loop-nest.js';

/** One turn: steps of `lanes` elements. */
export interface Block {
  readonly lanes: number;
  /** Index of the axis in each step. */
  readonly at: readonly Index[];
}

/** Loops over [from, to) of `axis`, `unroll` vectors a turn. Only where both are known there are narrower vectors. */
export function overBlocks(
  k: KernelBuilder,
  axis: Axis,
  { from, to }: { readonly from: Expr; readonly to: Expr },
  unroll: number,
  inside: (block: Block) => void,
): void {
  const widest = k.lanes;
  const isKnown = from.kind === 'const' && to.kind === 'const';
  const narrower = isKnown ? widthsOf(remaining(from, to), widest).filter((n) => n > 1 && n < widest) : [];
  const steps = [widest, ...narrower].map((lanes) => ({ lanes, count: 1 }));
  if (unroll > 1) steps.unshift({ lanes: widest, count: unroll });
  let start: Expr = from;
  for (const { lanes, count } of steps) {
    const width = lanes * count;
    if (isKnown && remaining(start, to) < width) continue;
    const span = L.sub(to, start);
    const whole = L.sub(span, L.binary('rems', span, L.int(width)));
    const end = isKnown
      ? L.int((start as { value: number }).value + remaining(start, to) - (remaining(start, to) % width))
      : k.define('end', L.add(start, whole));
    const counter = newAxis(Math.floor(axis.size / lanes));
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
  if (isKnown && remaining(start, to) <= 0) return;
  k.loop('v', start, to, 1, axis, () => inside({ lanes: 1, at: [atomIndex(axis)] }));
}

function remaining(from: Expr, to: Expr): number {
  return (to as { value: number }).value - (from as { value: number }).value;
}
