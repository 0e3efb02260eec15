// Where parts of a concatenation are computed in its own memory, so that nothing is left to copy.
//   A stack (stacks.ts) has its parts one after the other: any node may be one.
//   A concatenation of few parts along another axis has them side by side: a part's rows lie apart, so only the epilogue of a
//   product, which asks where an element goes, can write them; and nobody else may read them.
// Input: the groups, and the nodes that get memory in the arena. Output: the place of each such part.

import type { Node } from '../../ir/node.js';
import { isSummedInParts, contractionsOf } from '../indices/contraction.js';
import type { Group } from './group.js';
import { isContraction } from '../graph/kinds.js';
import { type Index, addConstant, flatten } from '../indices/index-expr.js';
import { usersIn } from '../graph/rewrite.js';
import { partsOfStack } from '../graph/stacks.js';

export interface Place {
  /** The concatenation. */
  readonly host: Node;
  /** Elements from its start, for a part that is in one piece; else the part begins at `column` of `axis`. */
  readonly at: number;
  readonly axis?: number;
  readonly column: number;
}

export type Places = ReadonlyMap<Node, Place>;

/** Position in memory of an element of `node`, seen from where its host (or the node itself) begins. */
export function positionOf(places: Places, node: Node, index: readonly Index[]): Index {
  const place = places.get(node);
  if (place?.axis === undefined) return flatten(index, node.shape);
  const { axis, column, host } = place;
  return flatten(
    index.map((x, i) => (i === axis ? addConstant(x, column) : x)),
    host.shape,
  );
}

/** Elements from where that begins to where the last element may lie. */
export function reachOf(places: Places, node: Node): number {
  const place = places.get(node);
  return place?.axis === undefined ? node.size : place.host.size;
}

/** Are all parts of a concatenation where they belong? */
export function isComplete(places: Places, node: Node): boolean {
  const parts = partsOfStack(node) ?? (node.op === 'concat' ? node.src.map(withoutNames) : []);
  return parts.length > 0 && parts.every((p) => places.get(p)?.host === node);
}

export function placeParts(nodes: readonly Node[], groups: readonly Group[], inArena: readonly Node[]): Places {
  const places = new Map<Node, Place>();
  const own = new Set(inArena);
  const isFree = (part: Node, host: Node) => own.has(part) && !places.has(part) && part.dtype === host.dtype;
  for (const { kind, members } of groups) {
    const [host] = members;
    if (kind !== 'concat' || !own.has(host)) continue;
    const parts = partsOfStack(host) ?? [];
    let at = 0;
    const times = new Map<Node, number>();
    for (const part of parts) times.set(part, (times.get(part) ?? 0) + 1);
    parts.forEach((part) => {
      if (times.get(part) === 1 && isFree(part, host) && partsOfStack(part) === undefined)
        places.set(part, { host, at, column: 0 });
      at += part.size;
    });
  }
  placeColumns(nodes, groups, own, isFree, places);
  return places;
}

/** Other names of a node. */
function withoutNames(node: Node): Node {
  let base = node;
  while (base.op === 'detach') [base] = base.src;
  return base;
}

function placeColumns(
  nodes: readonly Node[],
  groups: readonly Group[],
  own: ReadonlySet<Node>,
  isFree: (part: Node, host: Node) => boolean,
  places: Map<Node, Place>,
): void {
  const isInPieces = (n: Node) => places.get(n)?.axis !== undefined;
  const groupOf = new Map<Node, Group>();
  for (const g of groups) for (const n of g.members) groupOf.set(n, g);
  const users = usersIn(nodes);
  /** Does only `host` read it, apart from the kernel that computes it? */
  const isOnlyFor = (node: Node, host: Node, home: Group | undefined): boolean => {
    const names = new Set([node]);
    for (const name of names) {
      for (const u of users.get(name) ?? []) {
        if (u === host || home?.members.includes(u)) continue;
        if (u.op !== 'detach') return false;
        names.add(u);
      }
    }
    return true;
  };
  for (const { kind, members } of groups) {
    const [host] = members;
    if (kind !== 'loop' || members.length !== 1 || host.op !== 'concat' || !own.has(host)) continue;
    const { axis } = host.arg as { axis: number };
    const parts = host.src.map(withoutNames);
    const home = groupOf.get(parts[0]);
    const fits =
      new Set(parts).size === parts.length &&
      parts.every((p) => isFree(p, host) && groupOf.get(p) === home && !isContraction(p) && isOnlyFor(p, host, home));
    if (!fits || home === undefined || !canPlace(home, parts, (n) => own.has(n) && !isInPieces(n))) continue;
    let column = 0;
    for (const part of parts) {
      places.set(part, { host, at: 0, axis, column });
      column += part.shape[axis];
    }
  }
}

/** Sums in parts need another stored result that holds them until the last one. */
function canPlace(home: Group, parts: readonly Node[], isStored: (n: Node) => boolean): boolean {
  const node = home.members.find(isContraction);
  if (home.kind !== 'contraction' || node === undefined) return false;
  if (node.op === 'winograd' || !contractionsOf(node).some(isSummedInParts)) return true;
  return home.members.some((n) => isStored(n) && n.dtype === node.dtype && n.size === node.size && !parts.includes(n));
}
