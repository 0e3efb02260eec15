// Rows that are walked several times: only the first walk reads from memory, and it does little else, while those that
// compute leave memory idle. So the second walk asks for the next row, and the walk before the last for what the last one
// writes.
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
const LEAST = 64 << 10;
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
    if (buffer === undefined || node.size < LEAST) return;
    if (coefficientOf(flat, along) !== 1 || (coefficientOf(flat, row) ?? 0) < along.size) return;
    const of = asked.get(phase) ?? new Map<string, Touched>();
    of.set(`${buffer.id}:${flat.key}`, { buffer, flat, isWritten });
    asked.set(phase, of);
  };
  const next = addConstant(atomIndex(row), 1);
  for (const member of members) {
    const at = walks.at(member);
    if (walks.phaseOf(member) === 1) {
      trace(isReduction(member) ? member.src[0] : member, at, lowering.isMaterialised, {
        materialised(n, index) {
          if (n === member) return true;
          if (!members.includes(n)) {
            ask(2, n, lowering.context.buffer(n), substitute(flatten(index, n.shape), row, next), false);
          }
          return false;
        },
      });
    }
    if (walks.phaseOf(member) === lastPhase && !isReduction(member)) {
      ask(lastPhase - 1, member, lowering.output(member), flatten(at, member.shape), true);
    }
  }
  return new Map([...asked].map(([phase, of]) => [phase, [...of.values()]]));
}
