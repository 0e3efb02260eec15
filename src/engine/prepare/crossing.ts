// Where a graph is computed in two runs, one after the other: what the first computes on the way and the second needs as well is
// stored, so that the second does not begin from the leaves again. A gradient that is sent away while the backward pass goes on is such a
// cut: what lies before it has computed the whole forward pass.
//   stored     results of kernels (products, convolutions) and of sums, what kernels read, and ends of long expressions
//   not stored what a few elementary operations make of what is stored: a kernel recomputes those anyway
// Input: nodes of both runs. Output: nodes for the first to keep. It must not know what they are for.

import { type Node, topologicalOrder } from '../ir/node.js';
import { OP_CLASS, type OpClass } from '../ir/op.js';

/** Elementary operations that are done again rather than stored. */
const MOST_REPEATED = 8;

const COST: Readonly<Record<OpClass, number>> = {
  leaf: 0,
  unary: 1,
  binary: 1,
  map: 1,
  movement: 0,
  reduce: Infinity,
  kernel: Infinity,
  identity: 0,
};

const isInput = (node: Node): boolean => node.storage !== undefined || node.op === 'leaf';
const onlyMoves = (node: Node): boolean => OP_CLASS[node.op] === 'movement' || OP_CLASS[node.op] === 'identity';

/** The nodes of the first run that are worth their memory if the second needs them. */
function worthStoring(order: readonly Node[]): ReadonlySet<Node> {
  const isRead = new Set<Node>();
  for (const node of order) {
    if (OP_CLASS[node.op] !== 'kernel') continue;
    for (let operand of node.src) {
      while (onlyMoves(operand) && !isInput(operand)) [operand] = operand.src;
      isRead.add(operand);
    }
  }
  const found = new Set<Node>();
  const steps = new Map<Node, number>();
  for (const node of order) {
    let sum = node.op === 'random' ? Infinity : COST[OP_CLASS[node.op]];
    for (const operand of node.src) sum += steps.get(operand) ?? 0;
    const isWorth = !onlyMoves(node) && (sum > MOST_REPEATED || (sum > 0 && isRead.has(node)));
    if (isWorth) found.add(node);
    steps.set(node, isWorth ? 0 : sum);
  }
  return found;
}

/** What a run of `first` is to keep for a later one of `later`. */
export function crossing(first: readonly Node[], later: readonly Node[]): Node[] {
  const order = topologicalOrder(first).filter((node) => !isInput(node));
  const isComputed = new Set(order);
  const worth = worthStoring(order);
  const kept = new Set<Node>();
  const seen = new Set<Node>();
  const open = [...later];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node) || isInput(node)) continue;
    seen.add(node);
    if (isComputed.has(node) && worth.has(node)) kept.add(node);
    else open.push(...node.src);
  }
  return [...kept];
}
