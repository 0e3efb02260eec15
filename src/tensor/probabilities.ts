// Which nodes are known to be probabilities, and which to be logits: losses that take logits can then say that they were given the
// wrong thing, and metrics need not guess.

import { type Node, isOp } from '../engine/ir/node.js';

const probabilities = new WeakSet<object>();
const logits = new WeakSet<object>();

/** Remembers that the node is a result of softmax or sigmoid. */
export function markProbabilities(node: Node): Node {
  probabilities.add(sourceOf(node));
  return node;
}

export function areProbabilities(node: Node): boolean {
  return probabilities.has(sourceOf(node));
}

/** Remembers that the node was given to a loss of logits. */
export function markLogits(node: Node): void {
  logits.add(sourceOf(node));
}

export function areLogits(node: Node): boolean {
  return logits.has(sourceOf(node));
}

/** Where the numbers were made, whatever shape they have now: a node, or the storage that a tensor has for good. */
function sourceOf(node: Node): object {
  let found = node;
  const isMoved = ({ op, src }: Node): boolean =>
    src.length > 0 && (op === 'reshape' || op === 'permute' || op === 'detach'); // a node that was computed forgets its operands
  while (isMoved(found)) found = found.src[0];
  return isOp(found, 'leaf') ? found.arg.storage : found;
}
