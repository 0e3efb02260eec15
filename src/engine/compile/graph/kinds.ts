// What kind of node something is, as several rooms of the compiler ask.

import type { Node } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';

const CONTRACTIONS = new Set(['matmul', 'conv', 'convInput', 'convWeight', 'winograd']);

export function isContraction(node: Node): boolean {
  return CONTRACTIONS.has(node.op);
}

export function isReduction(node: Node): boolean {
  return OP_CLASS[node.op] === 'reduce' && node.op !== 'fold';
}

/** Below views: the node whose numbers a kernel of its own will read. */
export function baseOfView(node: Node): Node {
  let n = node;
  for (;;) {
    const through =
      OP_CLASS[n.op] === 'identity' || (OP_CLASS[n.op] === 'movement' && n.op !== 'concat' && n.op !== 'gather');
    if (!through) return n;
    n = n.src[0];
  }
}
