// Whether a kernel may write a new value over the old one that it reads.

import type { Node } from '../../ir/node.js';
import { contractionsOf, isSummedInParts } from '../indices/contraction.js';
import { isContraction } from '../graph/kinds.js';
import { flatten } from '../indices/index-expr.js';
import { trace } from '../indices/trace.js';
import { type Group, collectReads } from './group.js';
import type { UpdateInPlace } from './schedule.js';

/** Does the group read the old value only where it writes the new one? */
export function readsInPlace(group: Group, a: UpdateInPlace, isMaterialised: (n: Node) => boolean): boolean {
  if (group.kind === 'scatterAdd') return writesSomePlaces(group.members[0], a, isMaterialised);
  if (group.kind !== 'loop' && !writesOnce(group)) return false;
  const target = flatten(group.place.get(a.node) ?? [], a.node.shape).key;
  let same = true;
  for (const node of group.members) {
    if (isContraction(node)) {
      const operands = new Set<Node>();
      for (const s of node.src) collectReads(s, isMaterialised, operands);
      if (operands.has(a.input)) return false;
      continue;
    }
    const operand = group.operand.get(node);
    trace(operand === undefined ? node : node.src[0], operand ?? group.place.get(node) ?? [], isMaterialised, {
      materialised(n, index) {
        if (n === node) return true;
        if (n === a.input && flatten(index, n.shape).key !== target) same = false;
        return false;
      },
      streamed(n) {
        const operands = new Set<Node>();
        for (const s of n.src) collectReads(s, isMaterialised, operands);
        if (operands.has(a.input)) same = false;
      },
    });
  }
  return same;
}

/** Does a scatter-add start from the old value itself, and read it nowhere else? Then only what it adds or sets is written. */
function writesSomePlaces(node: Node, a: UpdateInPlace, isMaterialised: (n: Node) => boolean): boolean {
  const [base, ...others] = node.src;
  if (node !== a.node || base !== a.input) return false;
  const read = new Set<Node>();
  for (const s of others) collectReads(s, isMaterialised, read);
  return !read.has(a.input);
}

/** Does a product compute each element once, and finish it at once? */
function writesOnce({ kind, members }: Group): boolean {
  const node = members.find(isContraction);
  if (kind !== 'contraction' || node === undefined || node.op === 'winograd') return false;
  return contractionsOf(node).every((form) => !isSummedInParts(form));
}
