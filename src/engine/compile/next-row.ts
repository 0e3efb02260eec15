// Rows that are walked several times: the first walks read from memory and do little else, while those that compute leave
// memory idle. So what one walk reads first, the walk after it asks for in the next row; and what a walk writes, the walk
// before it asks for.
// Input: the members of a group and where they stand. Output: places to ask for, by phase. Which phase is which, and the
// loops, are lower-loop.ts's.

import type { Node } from '../ir/node.js';
import type { Buffer } from '../loop/loop.js';
import type { Touched } from './epilogue.js';
import { isReduction } from './group.js';
import { type Axis, type Index, addConstant, atomIndex, coefficientOf, flatten, substitute } from './index-expr.js';
import type { Lowering } from './lower-group.js';
import { trace } from './trace.js';

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

/** What each phase asks for. */
export function nextRows(walks: Walks, lowering: Lowering): ReadonlyMap<number, readonly Touched[]> {
  const { members, lastPhase, row, along } = walks;
  const asked = new Map<number, Map<string, Touched>>();
  if (lastPhase < 2 || along.size > LONGEST_ROW) return new Map();
  const ask = (phase: number, node: Node, buffer: Buffer | undefined, flat: Index, isWritten: boolean) => {
    if (buffer === undefined || node.size < FAR) return;
    if (coefficientOf(flat, along) !== 1 || (coefficientOf(flat, row) ?? 0) < along.size) return;
    const of = asked.get(phase) ?? new Map<string, Touched>();
    of.set(`${buffer.id}:${flat.key}`, { buffer, flat, isWritten });
    asked.set(phase, of);
  };
  const next = addConstant(atomIndex(row), 1);
  const known = new Set<string>();
  for (const member of [...members].sort((a, b) => walks.phaseOf(a) - walks.phaseOf(b))) {
    const at = walks.at(member);
    const phase = walks.phaseOf(member);
    trace(isReduction(member) ? member.src[0] : member, at, lowering.isMaterialised, {
      materialised(n, index) {
        if (n === member) return true;
        const flat = flatten(index, n.shape);
        const key = `${n.slot} ${flat.key}`;
        if (!members.includes(n) && !known.has(key) && phase < lastPhase)
          ask(phase + 1, n, lowering.context.buffer(n), substitute(flat, row, next), false);
        known.add(key);
        return false;
      },
    });
    if (phase > 1 && !isReduction(member))
      ask(phase - 1, member, lowering.output(member), flatten(at, member.shape), true);
  }
  return new Map([...asked].map(([phase, of]) => [phase, [...of.values()]]));
}
