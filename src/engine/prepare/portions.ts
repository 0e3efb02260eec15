// Very many results or updates at once (50,000 tensors that were kept, or that a loop has assigned to) are computed in
// portions: a program grows with what it computes, and equal portions run the same one. Results come first, in the order in
// which they were asked for, so that what builds on an earlier one reads its numbers. Of the updates those leave the common
// program that read nothing that another one overwrites.
// Input: what a run has to compute. Output: runs, to be made one after the other.

import { type Node, newStamp } from '../ir/node.js';
import type { Storage } from '../ir/storage.js';

interface Update {
  readonly storage: Storage;
  readonly value: Node;
}

export interface Portion<U extends Update> {
  readonly roots: readonly Node[];
  readonly assigns: readonly U[];
  /** One of several: what a later one needs again has to be stored at once. */
  readonly isCut: boolean;
}

/** As many results or updates are one run; more are cut. An optimiser's step stays in one piece up to here. */
const MOST_TOGETHER = 2048;
const PORTION = 256;

export function portions<U extends Update>(roots: readonly Node[], assigns: readonly U[]): Portion<U>[] {
  if (roots.length + assigns.length <= MOST_TOGETHER) return [{ roots, assigns, isCut: false }];
  const { alone, together } = separate(assigns);
  const early =
    roots.length > MOST_TOGETHER ? chunks(roots).map((part) => ({ roots: part, assigns: [], isCut: true })) : [];
  const rest = early.length > 0 ? [] : roots;
  const common = rest.length + together.length > 0 ? [{ roots: rest, assigns: together, isCut: early.length > 0 }] : [];
  return [...early, ...common, ...chunks(alone).map((part) => ({ roots: [], assigns: part, isCut: true }))];
}

function chunks<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / PORTION) }, (_, i) => list.slice(i * PORTION, (i + 1) * PORTION));
}

/**
 * Updates that may be made in any order after the others: of what is overwritten they read at most what they overwrite
 * themselves, and they have nothing to compute in common.
 */
function separate<U extends Update>(assigns: readonly U[]): { alone: U[]; together: U[] } {
  const overwritten = new Set(assigns.map((a) => a.storage));
  const walked = newStamp();
  const alone: U[] = [];
  const together: U[] = [];
  for (const update of assigns) (isAlone(update, overwritten, walked) ? alone : together).push(update);
  return { alone, together };
}

function isAlone({ storage, value }: Update, overwritten: ReadonlySet<Storage>, walked: number): boolean {
  let isOwn = true;
  const open = [value];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const input = node.storage ?? (node.op === 'leaf' ? (node as Node<'leaf'>).arg.storage : undefined);
    if (input !== undefined) {
      if (input !== storage && overwritten.has(input)) isOwn = false;
      continue;
    }
    if (node.src.length === 0) continue;
    if (node.stamp === walked) isOwn = false;
    else {
      node.stamp = walked;
      for (const s of node.src) open.push(s);
    }
  }
  return isOwn;
}
