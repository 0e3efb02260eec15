// Fusion: which materialised nodes are computed by one kernel. Every node starts as a group of its own; in graph order
// each group tries to join the groups that it reads. Joining is allowed where both fit one loop nest (group.ts) and
// where no third kernel stands between them. Afterwards a member that nobody outside its group reads needs no memory.
// Input: nodes and the materialised set. Output: groups, operands before users, and the nodes that are stored.

import type { Node } from '../ir/node.js';
import { type Group, formGroup } from './group.js';
import { InternalError } from '../ir/errors.js';

export interface Fused {
  readonly groups: readonly Group[];
  /** Nodes that need memory: outputs and what another group reads. */
  readonly stored: ReadonlySet<Node>;
}

interface Building {
  group: Group;
  /** Groups that this one reads. */
  before: Set<Building>;
}

/** Is `to` reachable from `from` going up through what groups read, over at least one other group? */
function reachesIndirectly(from: Building, to: Building): boolean {
  const seen = new Set<Building>();
  const stack = [...from.before].filter((b) => b !== to);
  while (stack.length > 0) {
    const b = stack.pop() as Building;
    if (b === to) return true;
    if (seen.has(b)) continue;
    seen.add(b);
    stack.push(...b.before);
  }
  return false;
}

export function fuse(
  nodes: readonly Node[],
  materialised: ReadonlySet<Node>,
  outputs: readonly Node[],
  join = true,
): Fused {
  const isMaterialised = (n: Node) => materialised.has(n);
  const owner = new Map<Node, Building>();
  const order: Building[] = [];

  for (const node of nodes) {
    if (!materialised.has(node)) continue;
    const group = formGroup([node], isMaterialised);
    if (group === undefined) throw new InternalError(`compile: no kernel for ${node.op}.`);
    let own: Building = { group, before: ownersOf(group, owner) };
    owner.set(node, own);
    order.push(own);
    if (!join) continue;
    // Nearest producer first: it shares most with its consumer.
    const tried = new Set<Building>();
    for (;;) {
      const candidates = [...own.before]
        .filter((b) => !tried.has(b))
        .sort((a, b) => lastSlot(b.group) - lastSlot(a.group));
      if (candidates.length === 0) break;
      const producer = candidates[0];
      tried.add(producer);
      if (reachesIndirectly(own, producer)) continue;
      const members = [...producer.group.members, ...own.group.members].sort((a, b) => a.slot - b.slot);
      const joined = formGroup(members, isMaterialised);
      if (joined === undefined) continue;
      own = replace(order, owner, producer, own, joined);
      tried.clear();
    }
  }

  // From the results upwards: a group that nobody reads (its user has no elements) is not computed.
  const stored = new Set<Node>(outputs.filter((n) => materialised.has(n)));
  const groups = sortGroups(order)
    .reverse()
    .filter((group) => {
      const isRead = group.members.some((n) => stored.has(n));
      if (isRead) for (const n of group.reads) if (materialised.has(n)) stored.add(n);
      return isRead;
    })
    .reverse();
  return { groups, stored };
}

function lastSlot(group: Group): number {
  return group.members[group.members.length - 1].slot;
}

function ownersOf(group: Group, owner: Map<Node, Building>): Set<Building> {
  const before = new Set<Building>();
  for (const n of group.reads) {
    const b = owner.get(n);
    if (b !== undefined) before.add(b);
  }
  return before;
}

/** Puts one joined group in the place of two. */
function replace(order: Building[], owner: Map<Node, Building>, a: Building, b: Building, group: Group): Building {
  const joined: Building = { group, before: new Set([...a.before, ...b.before].filter((x) => x !== a && x !== b)) };
  for (const n of group.members) owner.set(n, joined);
  for (const other of order) {
    if (other.before.delete(a) || other.before.has(b)) {
      other.before.delete(b);
      if (other !== a && other !== b) other.before.add(joined);
    }
  }
  order.splice(order.indexOf(a), 1);
  order.splice(order.indexOf(b), 1, joined);
  return joined;
}

function sortGroups(groups: readonly Building[]): Group[] {
  const sorted: Group[] = [];
  const done = new Set<Building>();
  const visit = (b: Building) => {
    if (done.has(b)) return;
    done.add(b);
    for (const x of b.before) visit(x);
    sorted.push(b.group);
  };
  for (const b of groups) visit(b);
  return sorted;
}
