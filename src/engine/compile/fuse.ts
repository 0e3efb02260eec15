// Fusion: which materialised nodes are computed by one kernel. Every node starts as a group of its own; in graph order
// each group tries to join the groups that it reads. Joining is allowed where both fit one loop nest (group.ts) and
// where no third kernel stands between them. Then reductions of the same rows or columns join that only have an operand in
// common, which is read once for all of them. Afterwards a member that nobody outside its group reads needs no memory.
// Input: nodes and the materialised set. Output: groups, operands before users, and the nodes that are stored.

import type { Node } from '../ir/node.js';
import { InternalError } from '../ir/errors.js';
import { type Group, formGroup, isReduction } from './group.js';
import type { IsMaterialised } from './trace.js';

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

/** Elements of a common operand from which reading it once pays. */
const LARGE_OPERAND = 1 << 14;

/** Is `to` reachable from `from` going up through what groups read, over at least one other group? */
function reachesIndirectly(from: Building, to: Building): boolean {
  return reaches(
    [...from.before].filter((b) => b !== to),
    to,
  );
}

function reaches(from: readonly Building[], to: Building): boolean {
  const seen = new Set<Building>();
  const stack = [...from];
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
      const joined = together(producer, own, isMaterialised);
      if (joined === undefined) continue;
      own = replace(order, owner, producer, own, joined);
      tried.clear();
    }
  }

  if (join) joinReductions(order, owner, isMaterialised);

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

/** Has the group nothing but reductions and what is made of their results? */
function onlyReduces({ group }: Building): boolean {
  const reduction = group.members.find(isReduction);
  return reduction !== undefined && group.members.every((n) => n.size === reduction.size);
}

/** Joins groups that only reduce, and read the same large operand and not each other's results. */
function joinReductions(order: Building[], owner: Map<Node, Building>, isMaterialised: IsMaterialised): void {
  const readers = new Map<Node, Node>(); // the latest reduction that reads it
  const before = [...order];
  for (const b of before) {
    if (!onlyReduces(b)) continue;
    let own = b;
    const operands = [...b.group.reads].filter((n) => n.size >= LARGE_OPERAND);
    for (const operand of operands) {
      const reader = readers.get(operand);
      const other = reader && owner.get(reader);
      if (other === undefined || other === own || reaches([other], own) || reaches([own], other)) continue;
      const joined = together(other, own, isMaterialised);
      if (joined !== undefined) own = replace(order, owner, other, own, joined);
    }
    for (const n of operands) readers.set(n, b.group.members[0]);
  }
}

function together(a: Building, b: Building, isMaterialised: IsMaterialised): Group | undefined {
  const members = [...a.group.members, ...b.group.members].sort((x, y) => x.slot - y.slot);
  return formGroup(members, isMaterialised);
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
