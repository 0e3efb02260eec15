// Where a program overwrites parameters or state, all indices are known to be in range before the first of those writes:
// a step whose label is out of range must leave everything as it was (the program ends there, emit/*).
// Mostly the kernel that reads by an index comes before all updates anyway. Where it does not (statistics of a batch are
// written long before the loss looks at the labels), a kernel of its own looks at the indices alone.
// The same is true of a matrix that turns out to be singular: the routine that finds it comes before all updates.
// Input: groups, and what must come before what. Output: the groups that check, each of them before every update.

import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';
import { type Group, formGroup } from './group.js';
import { derive } from '../graph/rewrite.js';
import type { IsMaterialised } from '../indices/trace.js';

type Reader = Node<'gather'> | Node<'scatterAdd'>;

/** Indices and the size they have to be below. */
interface Indices {
  readonly reader: Reader;
  readonly index: Node;
  readonly size: number;
  /** The first group that reads by them. */
  readonly group: Group;
}

/** What holds all the numbers of `index`, each at least once. */
function withoutMovement(index: Node): Node {
  let node = index;
  while (OP_CLASS[node.op] === 'identity' || ['reshape', 'permute', 'expand'].includes(node.op)) node = node.src[0];
  return node;
}

/** What a kernel computes `starts` from without looking into memory, themselves included. */
function expressionOf(starts: readonly Node[], isMaterialised: IsMaterialised): ReadonlySet<Node> {
  const found = new Set(starts);
  for (const node of found) for (const s of node.src) if (s.op !== 'leaf' && !isMaterialised(s)) found.add(s);
  return found;
}

/** Can no number of `index` lie outside: positions that sorting gives, or 0, 1, 2, …? */
function isInside(index: Node, size: number): boolean {
  const all = new Set([index]);
  for (const node of all) {
    if (isOp(node, 'iota') && node.arg.size <= size) continue;
    if (isOp(node, 'argsort') && node.shape[node.arg.axis] <= size) continue;
    if (isOp(node, 'const') && node.arg.value >= 0 && node.arg.value < size) continue;
    const isMoved = OP_CLASS[node.op] === 'identity' || (OP_CLASS[node.op] === 'movement' && node.op !== 'gather');
    if (!isMoved) return false;
    for (const s of node.src) all.add(s);
  }
  return true;
}

/** All indices that the groups read by, each once. */
function indicesOf(groups: readonly Group[], isMaterialised: IsMaterialised): Indices[] {
  const found = new Map<string, Indices>();
  for (const group of groups) {
    for (const node of expressionOf(group.members, isMaterialised)) {
      if (!isOp(node, 'gather') && !isOp(node, 'scatterAdd')) continue;
      const [index, size] = [withoutMovement(node.src[1]), node.src[0].shape[node.arg.axis]];
      const key = `${index.slot} ${size}`;
      const isNew = !found.has(key) && node.src[1].size > 0 && !isInside(index, size);
      if (isNew) found.set(key, { reader: node, index, size, group });
    }
  }
  return [...found.values()];
}

/** Is it a routine that reports a matrix on which it fails? */
function mayFail({ members: [node] }: Group): boolean {
  return isOp(node, 'dense') && node.arg.call !== '';
}

/** How many groups have to come one after the other up to each. */
function levelsOf(
  groups: readonly Group[],
  before: ReadonlyMap<Group, ReadonlySet<Group>>,
): ReadonlyMap<Group, number> {
  const levels = new Map<Group, number>();
  for (const group of groups) {
    let level = 0;
    for (const g of before.get(group) as ReadonlySet<Group>) level = Math.max(level, levels.get(g) as number);
    levels.set(group, level + 1);
  }
  return levels;
}

/** Can a kernel compute it from what is stored? All but a product that is streamed. */
function isComputable(index: Node, isMaterialised: IsMaterialised): boolean {
  if (index.op === 'leaf' || isMaterialised(index)) return true;
  return [...expressionOf([index], isMaterialised)].every((n) => OP_CLASS[n.op] !== 'kernel');
}

/** `groups` are in order, `writers` are those that overwrite; groups in the result that were not given have no place in the order yet. */
export function checkIndices(
  groups: readonly Group[],
  before: ReadonlyMap<Group, ReadonlySet<Group>>,
  writers: ReadonlySet<Group>,
  isMaterialised: IsMaterialised,
): readonly Group[] {
  if (writers.size === 0) return [];
  const matrices = groups.filter(mayFail);
  const all = indicesOf(groups, isMaterialised);
  if (all.length === 0) return matrices;
  const levels = levelsOf(groups, before);
  const levelOf = (g: Group): number => levels.get(g) as number;
  let first = Infinity;
  for (const g of writers) first = Math.min(first, levelOf(g));
  const checks = all.map(({ reader, index, size, group }) => {
    if (levelOf(group) < first) return group; // nobody waits for it longer than he does anyway
    if (!isComputable(index, isMaterialised)) return group;
    const arg = { ...reader.arg, op: reader.op as 'gather' | 'scatterAdd', size };
    return formGroup([derive(index, 'checkIndex', [index], arg, index.shape)], isMaterialised) as Group;
  });
  return [...checks, ...matrices];
}
