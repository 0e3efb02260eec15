// Fusion: which materialised nodes are computed by one kernel. Every node starts as a group of its own; in graph order
// each group tries to join the groups that it reads. Joining is allowed where both fit one loop nest (group.ts) and
// where no third kernel stands between them. Then reductions of the same rows or columns join that only have an operand in
// common, which is read once for all of them. Afterwards a member that nobody outside its group reads needs no memory.
// Input: nodes and the materialised set. Output: groups, operands before users, and the nodes that are stored.

import type { Node } from '../../ir/node.js';
import { InternalError } from '../../ir/errors.js';
import { type Group, formGroup, isAlone, mayJoin } from './group.js';
import { isReduction } from '../graph/kinds.js';
import type { IsMaterialised } from '../indices/trace.js';

export interface Fused {
  readonly groups: readonly Group[];
  /** Nodes that need memory: outputs and what another group reads. */
  readonly stored: ReadonlySet<Node>;
}

interface Building {
  readonly group: Group;
  /** Groups that this one reads, and those that read it. */
  readonly before: Set<Building>;
  readonly after: Set<Building>;
  /** Its place in the order. */
  readonly at: number;
  /** The last slot in it and in all groups that have to run before it. */
  top: number;
}

/** Elements of a common operand from which reading it once pays. */
const LARGE_OPERAND = 1 << 14;

/** Is `to` reachable from `from` going up through what groups read, over at least one other group? */
function reachesIndirectly(from: Building, to: Building): boolean {
  const others: Building[] = [];
  for (const b of from.before) if (b !== to) others.push(b);
  return reaches(others, to);
}

function reaches(from: readonly Building[], to: Building): boolean {
  const first = firstSlot(to.group);
  const seen = new Set<Building>();
  const stack = [...from];
  while (stack.length > 0) {
    const b = stack.pop() as Building;
    if (b === to) return true;
    // Before a group with a later top there may be anything, before one with an earlier top not this one.
    if (seen.has(b) || b.top < first) continue;
    seen.add(b);
    for (const x of b.before) stack.push(x);
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
  const order: (Building | undefined)[] = [];

  for (const node of nodes) {
    if (!materialised.has(node)) continue;
    const group = formGroup([node], isMaterialised);
    if (group === undefined) throw new InternalError(`compile: no kernel for ${node.op}.`);
    const before = ownersOf(group, owner);
    let own: Building = { group, before, after: new Set(), at: order.length, top: topOf(group, before) };
    for (const b of before) b.after.add(own);
    owner.set(node, own);
    order.push(own);
    if (!join || isAlone(group)) continue;
    // Nearest producer first: it shares most with its consumer.
    const candidates = () => [...own.before].sort((a, b) => lastSlot(a.group) - lastSlot(b.group));
    for (let open = candidates(); open.length > 0;) {
      const producer = open.pop() as Building;
      if (!mayJoin(producer.group, own.group) || reachesIndirectly(own, producer)) continue;
      const joined = together(producer, own, isMaterialised);
      if (joined === undefined) continue;
      own = replace(order, owner, producer, own, joined);
      open = candidates();
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
function joinReductions(
  order: (Building | undefined)[],
  owner: Map<Node, Building>,
  isMaterialised: IsMaterialised,
): void {
  const readers = new Map<Node, Node>(); // the latest reduction that reads it
  for (const b of order) {
    if (b === undefined || !onlyReduces(b)) continue;
    let own = b;
    const operands = [...b.group.reads].filter((n) => n.size >= LARGE_OPERAND);
    for (const operand of operands) {
      const reader = readers.get(operand);
      const other = reader && owner.get(reader);
      if (other === undefined || other === own || !mayJoin(other.group, own.group)) continue;
      if (reaches([other], own) || reaches([own], other)) continue;
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

function firstSlot(group: Group): number {
  return group.members[0].slot;
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

function topOf(group: Group, before: ReadonlySet<Building>): number {
  let top = lastSlot(group);
  for (const b of before) top = Math.max(top, b.top);
  return top;
}

/** What runs after a group that has grown has to wait for all that the group waits for. */
function raiseAfter({ after, top }: Building): void {
  const stack = [...after];
  for (let b = stack.pop(); b !== undefined; b = stack.pop()) {
    if (b.top >= top) continue;
    b.top = top;
    for (const x of b.after) stack.push(x);
  }
}

/** Puts one joined group in the place of two: in that of the second. */
function replace(
  order: (Building | undefined)[],
  owner: Map<Node, Building>,
  a: Building,
  b: Building,
  group: Group,
): Building {
  const isOther = (x: Building) => x !== a && x !== b;
  const before = new Set([...a.before, ...b.before].filter(isOther));
  const joined: Building = {
    group,
    before,
    top: topOf(group, before),
    after: new Set([...a.after, ...b.after].filter(isOther)),
    at: b.at,
  };
  for (const n of group.members) owner.set(n, joined);
  for (const x of joined.before) {
    x.after.delete(a);
    x.after.delete(b);
    x.after.add(joined);
  }
  for (const x of joined.after) {
    x.before.delete(a);
    x.before.delete(b);
    x.before.add(joined);
  }
  raiseAfter(joined);
  order[a.at] = undefined;
  order[b.at] = joined;
  return joined;
}

/** Operands before users. Not by recursion: graphs are deeper than the call stack. */
function sortGroups(groups: readonly (Building | undefined)[]): Group[] {
  const sorted: Group[] = [];
  const seen = new Set<Building>();
  for (const first of groups) {
    if (first === undefined || seen.has(first)) continue;
    seen.add(first);
    const open = [{ building: first, rest: first.before.values() }];
    while (open.length > 0) {
      const { building, rest } = open[open.length - 1];
      const next = rest.next();
      if (next.done === true) {
        sorted.push(building.group);
        open.pop();
      } else if (!seen.has(next.value)) {
        seen.add(next.value);
        open.push({ building: next.value, rest: next.value.before.values() });
      }
    }
  }
  return sorted;
}
