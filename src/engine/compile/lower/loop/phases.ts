// In which walk along a row what is computed: phase 1 has the reductions that need no other reduction of the kernel, and so
// on; a value is stored in the first phase in which all is known.
// Input: a group and its loop nest. Output: a phase for each member.

import type { Node } from '../../../ir/node.js';
import type { Group } from '../../plan/group.js';
import { isReduction } from '../../graph/kinds.js';
import type { Index } from '../../indices/index-expr.js';
import type { Nest } from './loop-nest.js';
import type { Lowering } from '../kernel/lowering.js';
import { trace } from '../../indices/trace.js';

export interface Phases {
  readonly of: ReadonlyMap<Node, number>;
  readonly last: number;
}

export function phasesOf(group: Group, nest: Nest, lowering: Lowering): Phases {
  const of = new Map<Node, number>();
  let last = 1;
  const needs = new Map<Node, number>(); // the latest phase among the reductions below a member
  for (const node of group.members) {
    let phase = 0;
    const reduction = isReduction(node);
    const at = (reduction ? nest.operand : nest.place).get(node) as readonly Index[];
    trace(reduction ? node.src[0] : node, at, lowering.isMaterialised, {
      materialised: (n) => {
        if (n === node) return true;
        const below = needs.get(n);
        if (below !== undefined) phase = Math.max(phase, below);
        return false;
      },
    });
    if (reduction) phase++;
    needs.set(node, phase);
    const own = reduction ? phase : phase + 1;
    of.set(node, own);
    if (reduction || lowering.output(node) !== undefined) last = Math.max(last, own);
  }
  // What is written over is read until the end.
  for (const node of group.members) if (lowering.inPlace.has(node)) of.set(node, last);
  return { of, last };
}
