// Where a program overwrites parameters or state, all indices are known to be in range before the first of those writes:
// a step whose label is out of range must leave everything as it was (the program ends there, emit/*).
// Mostly the kernel that reads by an index comes before all updates anyway, since they follow from what it reads. Where it
// does not (statistics of a batch are written long before the loss looks at the labels), a kernel of its own looks at
// the indices alone.
// Input: groups, and what must come before what. Output: the groups that check, each of them before every update.

import { type Node, isOp } from '../ir/node.js';
import { OP_CLASS } from '../ir/op.js';
import { type Group, formGroup } from './group.js';
import { derive } from './rewrite.js';
import type { IsMaterialised } from './trace.js';

type Reader = Node<'gather'> | Node<'scatterAdd'>;

/** Indices and the size they have to be below. */
interface Indices {
  readonly reader: Reader;
  readonly index: Node;
  readonly size: number;
  /** The first group that reads by them. */
  readonly group: Group;
}

const sizeBehind = (n: Reader): number => n.src[0].shape[n.arg.axis];

/** What holds all the numbers of `index`, each at least once. */
function withoutMovement(index: Node): Node {
  const keepsAll = OP_CLASS[index.op] === 'identity' || ['reshape', 'permute', 'expand'].includes(index.op);
  return keepsAll ? withoutMovement(index.src[0]) : index;
}

/** Can no number of `index` lie outside: positions that sorting gives, or 0, 1, 2, …? */
function isInside(index: Node, size: number): boolean {
  if (isOp(index, 'iota')) return index.arg.size <= size;
  if (isOp(index, 'argsort')) return index.shape[index.arg.axis] <= size;
  if (isOp(index, 'const')) return index.arg.value >= 0 && index.arg.value < size;
  const moves = OP_CLASS[index.op] === 'movement' && index.op !== 'gather';
  return moves && index.src.every((s) => isInside(s, size));
}

/** All indices that the groups read by, each once. */
function indicesOf(groups: readonly Group[], isMaterialised: IsMaterialised): Indices[] {
  const found = new Map<string, Indices>();
  for (const group of groups) {
    const seen = new Set<Node>();
    const walk = (node: Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (isOp(node, 'gather') || isOp(node, 'scatterAdd')) {
        const [index, size] = [withoutMovement(node.src[1]), sizeBehind(node)];
        const key = `${index.slot} ${size}`;
        const isNew = !found.has(key) && node.src[1].size > 0 && !isInside(index, size);
        if (isNew) found.set(key, { reader: node, index, size, group });
      }
      for (const s of node.src) if (s.op !== 'leaf' && !isMaterialised(s)) walk(s);
    };
    group.members.forEach(walk);
  }
  return [...found.values()];
}

/** For each group those that need its results at once. */
function usersOf(before: ReadonlyMap<Group, ReadonlySet<Group>>): ReadonlyMap<Group, readonly Group[]> {
  const users = new Map<Group, Group[]>();
  for (const [g, earlier] of before) {
    for (const e of earlier) {
      const list = users.get(e);
      if (list === undefined) users.set(e, [g]);
      else list.push(g);
    }
  }
  return users;
}

/** Can a kernel compute it from what is stored? All but a product that is streamed. */
function isComputable(index: Node, isMaterialised: IsMaterialised): boolean {
  if (index.op === 'leaf' || isMaterialised(index)) return true;
  return OP_CLASS[index.op] !== 'kernel' && index.src.every((s) => isComputable(s, isMaterialised));
}

/** `writers` are the groups that overwrite; groups in the result that were not given have no place in the order yet. */
export function checkIndices(
  groups: readonly Group[],
  before: ReadonlyMap<Group, ReadonlySet<Group>>,
  writers: ReadonlySet<Group>,
  isMaterialised: IsMaterialised,
): readonly Group[] {
  const all = writers.size === 0 ? [] : indicesOf(groups, isMaterialised);
  if (all.length === 0) return [];
  const users = usersOf(before);
  return all.map(({ reader, index, size, group }) => {
    const after = new Set<Group>([group]);
    for (const g of after) for (const next of users.get(g) ?? []) after.add(next);
    if (!writers.has(group) && [...writers].every((w) => after.has(w))) return group;
    if (!isComputable(index, isMaterialised)) return group;
    const arg = { op: reader.op as 'gather' | 'scatterAdd', axis: reader.arg.axis, size };
    return formGroup([derive(index, 'checkIndex', [index], arg, index.shape)], isMaterialised) as Group;
  });
}
