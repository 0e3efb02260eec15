// Large products that are never stored: the scores of attention, queries × keys, whose memory grows with the square of the
// length while everything they are made of grows with the length.
// Such a product is virtual, like an element-wise value: every kernel that needs it computes it again, a tile at a time, in
// memory of each thread's own. Kernels that can: reductions over its rows (the maximum and the sum of softmax, the row sums
// of its gradient), and products that have it, or its transpose, on the left (weights · values, and the gradients of
// queries, keys and values). Between them stand element-wise operators: scale, masks, softmax, dropout, whose random numbers
// go by position and so come out the same each time. If anything else looks at the product it is stored as ever.
// Input: the nodes of a graph in order. Output: the nodes that get no memory.

import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';
import { sameShape } from '../../ir/shape.js';
import { isReduction } from '../graph/kinds.js';
import { usersIn } from '../graph/rewrite.js';
import { type IsMaterialised, trace } from '../indices/trace.js';
import { type Index, atomIndex, newAxis } from '../indices/index-expr.js';

/**
 * Elements from which a product is streamed: 64 MiB, the scores of 4096 queries and keys. A training step multiplies twice as
 * much as one that stores them; at this size that takes a tenth longer (measured with AVX-512), since memory is spared, at
 * a quarter of it half as long again.
 */
export const LEAST_STREAMED = 16 << 20;
/** The inner axis is short, so that computing is cheap, and the outer ones are long enough for whole tiles. */
const LONGEST_INNER = 256;
const SHORTEST_OUTER = 64;
/** Values that go with a product, and how far from them is looked for their sources: more would make kernels without bound. */
const MOST_VALUES = 96;
const FARTHEST_SOURCE = 32;

/** The products that are streamed, and the element-wise values of their size that go with them. */
export function findStreams(nodes: readonly Node[], outputs: readonly Node[], least = LEAST_STREAMED): Set<Node> {
  const found = new Set<Node>();
  const candidates = nodes.filter((n) => isCandidate(n, least));
  if (candidates.length === 0) return found;
  const users = usersIn(nodes);
  const usersOf = (n: Node): readonly Node[] => users.get(n) ?? [];
  const wanted = new Set(outputs);
  for (const product of candidates) {
    const region = regionOf(product, usersOf, wanted);
    for (const n of region ?? []) found.add(n);
  }
  addSources(found, usersOf, wanted);
  return found;
}

function isCandidate(node: Node, least: number): boolean {
  if (node.op !== 'matmul' || node.size < least) return false;
  const [a] = node.src;
  const [rows, columns] = node.shape.slice(-2);
  return a.shape[a.shape.length - 1] <= LONGEST_INNER && Math.min(rows, columns) >= SHORTEST_OUTER;
}

/** Element-wise, or the same values under another name. */
function isMap(node: Node): boolean {
  const kind = OP_CLASS[node.op];
  return kind === 'unary' || kind === 'binary' || kind === 'map' || kind === 'identity';
}

/** Everything of the product's shape that is computed from it element by element; undefined where it has to be stored. */
function regionOf(
  product: Node,
  usersOf: (n: Node) => readonly Node[],
  outputs: ReadonlySet<Node>,
): Set<Node> | undefined {
  const region = new Set([product]);
  for (const n of region) {
    if (outputs.has(n) || region.size > MOST_VALUES) return undefined;
    for (const user of usersOf(n)) {
      if (isMap(user) && sameShape(user.shape, product.shape)) region.add(user);
      else if (!streamsInto(user, n, usersOf)) return undefined;
    }
  }
  return region;
}

function streamsInto(user: Node, from: Node, usersOf: (n: Node) => readonly Node[]): boolean {
  const last = from.shape.length - 1;
  if (isReduction(user)) {
    const { axes } = user.arg as { axes: readonly number[] };
    return axes.length === 1 && axes[0] === last;
  }
  if (isOp(user, 'permute')) {
    const swaps = user.arg.axes.every((axis, i) => axis === (i < last - 1 ? i : 2 * last - 1 - i));
    return swaps && usersOf(user).every((u) => isLeftOf(u, user));
  }
  return isLeftOf(user, from);
}

/** Does `user` multiply `left` from the right, each matrix of the batch with its own? */
function isLeftOf(user: Node, left: Node): boolean {
  if (user.op !== 'matmul' || user.arg !== null || user.src[0] !== left || user.src[1] === left) return false;
  const lead = user.shape.slice(0, -2);
  const isSingle = lead.every((n) => n === 1);
  const [, right] = user.src;
  return sameShape(lead, left.shape.slice(0, -2)) && (isSingle || right.shape.slice(0, -2).some((n) => n > 1));
}

/** What only streamed values read, and is as cheap to have again: the random numbers of dropout, comparisons. */
function addSources(found: Set<Node>, usersOf: (n: Node) => readonly Node[], outputs: ReadonlySet<Node>): void {
  const distances = new Map<Node, number>(); // of sources
  for (const n of found) {
    const distance = (distances.get(n) ?? 0) + 1;
    if (n.op === 'matmul' || distance > FARTHEST_SOURCE) continue;
    for (const s of n.src) {
      const isSource = sameShape(s.shape, n.shape) && (isMap(s) || s.op === 'random') && !outputs.has(s);
      if (!isSource || found.has(s) || !usersOf(s).every((u) => found.has(u))) continue;
      found.add(s);
      distances.set(s, distance);
    }
  }
}

/** A streamed product below a kernel's expression, and the index at which it is read. */
export interface Stream {
  readonly node: Node;
  readonly index: readonly Index[];
}

/** The streamed products that element `index` of `node` is computed from. */
export function streamsBelow(
  node: Node,
  index: readonly Index[],
  isMaterialised: IsMaterialised,
  into = new Map<Node, Stream>(),
): Map<Node, Stream> {
  trace(node, index, isMaterialised, {
    materialised: () => false,
    streamed: (n, at) => into.set(n, { node: n, index: at }),
  });
  return into;
}

/** The same, for nodes seen as a whole. */
export function hasStreams(node: Node, isMaterialised: IsMaterialised): boolean {
  const anywhere = node.shape.map((n) => atomIndex(newAxis(n)));
  return streamsBelow(node, anywhere, isMaterialised).size > 0;
}
