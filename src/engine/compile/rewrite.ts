// Passes that rewrite a list of nodes in order: each node is seen with its operands already rewritten.

import type { Node } from '../ir/node.js';
import { sizeOf } from '../ir/shape.js';

export interface Rewritten {
  readonly nodes: Node[];
  /** The node that stands for an old one. */
  readonly now: ReadonlyMap<Node, Node>;
}

/** A private copy of a node with other operands, operator and shape. */
export function derive(like: Node, op: Node['op'], src: readonly Node[], arg: unknown, shape: readonly number[]): Node {
  return {
    ...like,
    op,
    src,
    arg: arg as never,
    shape,
    size: sizeOf(shape),
    requiresGrad: false,
    storage: undefined,
    slot: -1,
  };
}

/** `replace` gives what shall stand for a node, and pushes the nodes that this needs; undefined leaves it as it is. */
export function rewrite(
  nodes: readonly Node[],
  replace: (node: Node, push: (n: Node) => Node) => Node | undefined,
): Rewritten {
  const now = new Map<Node, Node>();
  const out: Node[] = [];
  const push = (n: Node): Node => {
    n.slot = out.length;
    out.push(n);
    return n;
  };
  for (const node of nodes) {
    const src = node.src.map((s) => now.get(s) as Node);
    const current = src.every((s, i) => s === node.src[i]) ? node : derive(node, node.op, src, node.arg, node.shape);
    now.set(node, push(replace(current, push) ?? current));
  }
  return { nodes: out, now };
}
