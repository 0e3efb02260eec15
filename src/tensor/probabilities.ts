// Which nodes are known to be probabilities: losses that take logits can then say that they were given the wrong thing.

import type { Node } from '../engine/ir/node.js';

const known = new WeakSet<Node>();

/** Remembers that the node is a result of softmax or sigmoid. */
export function markProbabilities(node: Node): Node {
  known.add(node);
  return node;
}

export function areProbabilities(node: Node): boolean {
  return known.has(node);
}
