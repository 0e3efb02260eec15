// Order: groups become stages; the kernels of one stage are independent of each other and share one barrier.
// A group comes after the groups whose results it reads, and an update in place after everybody who reads the old
// value. Where in-place updates wait for each other in a circle (a swap), or a kernel would overwrite what it still
// reads elsewhere, the new value goes through memory of its own and is copied at the end.
// Groups that check indices come before all updates (check-indices.ts).
// Input: groups, and which stored node overwrites which input. Output: stages, and the copies.

import type { Node } from '../../ir/node.js';
import { checkIndices } from './check-indices.js';
import type { Group } from './group.js';
import type { IsMaterialised } from '../indices/trace.js';

export interface Assignment {
  /** The node whose value is written over `input` (a leaf), or over what is no input of the program. */
  readonly node: Node;
  readonly input: Node | undefined;
}

export type UpdateInPlace = Assignment & { readonly input: Node };

export interface Schedule {
  readonly stages: readonly (readonly Group[])[];
  readonly stageOf: ReadonlyMap<Node, number>;
  /** Assignments that could not be made in place. */
  readonly copied: readonly Assignment[];
  /** Groups that have to be done before anything is overwritten. */
  readonly checks: ReadonlySet<Group>;
}

export function schedule(
  given: readonly Group[],
  assignments: readonly Assignment[],
  canUpdateInPlace: (group: Group, a: UpdateInPlace) => boolean,
  isMaterialised: IsMaterialised,
): Schedule {
  const owner = new Map<Node, Group>();
  for (const group of given) for (const n of group.members) owner.set(n, group);
  const before = new Map<Group, Set<Group>>();
  const enter = (group: Group): void => {
    const set = new Set<Group>();
    for (const n of group.reads) {
      const g = owner.get(n);
      if (g !== undefined && g !== group) set.add(g);
    }
    before.set(group, set);
  };
  given.forEach(enter);
  const writers = new Set(assignments.flatMap(({ node }) => owner.get(node) ?? []));
  const checks = new Set(checkIndices(given, before, writers, isMaterialised));
  const own = [...checks].filter((g) => !before.has(g));
  own.forEach(enter);
  const groups = [...own, ...given];
  const copied: Assignment[] = [];
  const readersOf = new Map(assignments.map((a): [Node | undefined, Group[]] => [a.input, []]));
  for (const group of groups) for (const n of group.reads) readersOf.get(n)?.push(group);
  for (const a of assignments) {
    const writer = owner.get(a.node);
    const { input } = a;
    const readers = input === undefined ? [] : (readersOf.get(input) as Group[]).filter((g) => g !== writer);
    if (
      writer === undefined ||
      (input !== undefined && writer.reads.has(input) && !canUpdateInPlace(writer, { ...a, input })) ||
      checks.has(writer) ||
      [...readers, ...checks].some((g) => isBefore(before, writer, g))
    ) {
      copied.push(a);
      continue;
    }
    for (const g of [...readers, ...checks]) (before.get(writer) as Set<Group>).add(g);
  }

  const level = levelsOf(groups, before);
  const stages: Group[][] = [];
  const stageOf = new Map<Node, number>();
  for (const group of groups) {
    const l = level.get(group) as number;
    while (stages.length <= l) stages.push([]);
    stages[l].push(group);
    for (const n of group.members) stageOf.set(n, l);
  }
  return { stages, stageOf, copied, checks };
}

/** How many groups have to run before each, one after the other. Not by recursion: graphs are deeper than the call stack. */
function levelsOf(
  groups: readonly Group[],
  before: ReadonlyMap<Group, ReadonlySet<Group>>,
): ReadonlyMap<Group, number> {
  const level = new Map<Group, number>();
  for (const first of groups) {
    const open = [first];
    while (open.length > 0) {
      const group = open[open.length - 1];
      const count = open.length;
      let own = 0;
      for (const g of before.get(group) as ReadonlySet<Group>) {
        const known = level.get(g);
        if (known === undefined) open.push(g);
        else own = Math.max(own, known + 1);
      }
      if (open.length > count) continue;
      level.set(group, own);
      open.pop();
    }
  }
  return level;
}

/** Must `a` run before `b`? */
function isBefore(before: ReadonlyMap<Group, ReadonlySet<Group>>, a: Group, b: Group): boolean {
  const seen = new Set<Group>();
  const stack = [b];
  while (stack.length > 0) {
    const g = stack.pop() as Group;
    if (g === a) return true;
    if (seen.has(g)) continue;
    seen.add(g);
    for (const x of before.get(g) as ReadonlySet<Group>) stack.push(x);
  }
  return false;
}
