// Rows that are walked several times: the first walks read from memory and do little else, while those that compute leave
// memory idle. So what a walk writes, the walk before it asks for; and what a walk reads first, a later one asks for in the
// next row: the walk after it, or one that does not ask for so much already.
// Input: the members of a group and where they stand. Output: places to ask for, by phase. Which phase is which, and the
// loops, are lower-loop.ts's.

import type { Node } from '../../../ir/node.js';
import type { Buffer } from '../../../loop/loop.js';
import type { Touched } from '../kernel/epilogue.js';
import { isReduction } from '../../graph/kinds.js';
import {
  type Axis,
  type Index,
  addConstant,
  atomIndex,
  coefficientOf,
  flatten,
  substitute,
} from '../../indices/index-expr.js';
import type { Lowering } from '../kernel/lowering.js';
import { trace } from '../../indices/trace.js';

/** Elements of an array that is no longer in a cache nearby. */
export const FAR = 64 << 10;
/** Elements of a row: more would leave the first-level cache before they are used. */
const LONGEST_ROW = 8192;

export interface Walks {
  readonly members: readonly Node[];
  /** Where a member's operand (of a reduction) or value is taken from. */
  at(member: Node): readonly Index[];
  phaseOf(member: Node): number;
  readonly lastPhase: number;
  /** The axis from one row to the next, and the one along it. */
  readonly row: Axis;
  readonly along: Axis;
}

/** Arrays that a walk asks for before the next one is better at it: of layer norm's four, two each (1.1 times as fast). */
const MOST_ASKED = 2;

/** What each phase asks for; for writing, too, as if to read, which was faster (1.02). */
export function nextRows(walks: Walks, lowering: Lowering): ReadonlyMap<number, readonly Touched[]> {
  const { members, lastPhase, row, along } = walks;
  if (lastPhase < 2 || along.size > LONGEST_ROW) return new Map();
  const asked = new Map<number, Touched[]>();
  const isAsked = (node: Node, flat: Index): boolean =>
    node.size >= FAR && coefficientOf(flat, along) === 1 && (coefficientOf(flat, row) ?? 0) >= along.size;
  const ask = (phase: number, buffer: Buffer | undefined, flat: Index): void => {
    if (buffer === undefined) return;
    asked.set(phase, [...(asked.get(phase) ?? []), { buffer, flat, isWritten: false }]);
  };
  const inOrder = [...members].sort((a, b) => walks.phaseOf(a) - walks.phaseOf(b));
  for (const member of inOrder) {
    const flat = flatten(walks.at(member), member.shape);
    const phase = walks.phaseOf(member);
    if (phase > 1 && !isReduction(member) && isAsked(member, flat)) ask(phase - 1, lowering.output(member), flat);
  }
  const next = addConstant(atomIndex(row), 1);
  const known = new Set<string>();
  for (const member of inOrder) {
    trace(isReduction(member) ? member.src[0] : member, walks.at(member), lowering.isMaterialised, {
      materialised(n, index) {
        if (n === member) return true;
        const flat = flatten(index, n.shape);
        const key = `${n.slot} ${flat.key}`;
        if (!members.includes(n) && !known.has(key) && isAsked(n, flat)) {
          let phase = walks.phaseOf(member) + 1;
          while (phase < lastPhase && (asked.get(phase)?.length ?? 0) >= MOST_ASKED) phase++;
          if (phase <= lastPhase) ask(phase, lowering.context.buffer(n), substitute(flat, row, next));
        }
        known.add(key);
        return false;
      },
    });
  }
  return asked;
}
