// Element-wise kernels that compute much for what they read: a processor looks only a few vectors ahead and would wait for
// memory in turns with its arithmetic. So each vector asks for the one that comes a kilobyte later.
// Input: the members of a group and where they stand. Output: places to ask for; the loops are lower-loop.ts's.

import type { Node } from '../../../ir/node.js';
import type { Touched } from '../kernel/epilogue.js';
import { type Axis, type Index, addConstant, coefficientOf, flatten, isDynamic } from '../../indices/index-expr.js';
import type { Lowering } from '../kernel/lowering.js';
import { costOf } from '../../plan/costs.js';
import { FAR } from './prefetch-rows.js';
import { trace } from '../../indices/trace.js';

/** Vector instructions for an element from which asking pays. */
const MUCH = 12;
/** Elements between what is asked for and what is read. */
const AHEAD = 256;

/** The arrays that `members`, computed along `along`, will read a little later. */
export function farAhead(
  members: readonly Node[],
  placeOf: (member: Node) => readonly Index[],
  along: Axis,
  lowering: Lowering,
): Touched[] {
  const asked = new Map<string, Touched>();
  let cost = 0;
  for (const member of members) {
    trace(member, placeOf(member), lowering.isMaterialised, {
      materialised(n, index) {
        if (n === member) return true;
        const flat = flatten(index, n.shape);
        if (n.size < FAR || members.includes(n) || isDynamic(flat) || coefficientOf(flat, along) !== 1) return false;
        const buffer = lowering.context.buffer(n);
        if (buffer !== undefined)
          asked.set(`${buffer.id}:${flat.key}`, { buffer, flat: addConstant(flat, AHEAD), isWritten: false });
        return false;
      },
      computed: (n) => void (cost += costOf(n.op)),
    });
  }
  return cost < MUCH ? [] : [...asked.values()];
}
