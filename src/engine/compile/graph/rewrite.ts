// Passes that rewrite a list of nodes in order: each node is seen with its operands already rewritten.

import type { Node } from '../../ir/node.js';
import { sizeOf } from '../../ir/shape.js';

export interface Rewritten {
  /** The same list, where nothing was replaced. */
  readonly nodes: readonly Node[];
  /** The node that stands for an old one. */
  readonly now: ReadonlyMap<Node, Node>;
}

/** A private copy of a node with other operands, operator and shape. */
export function derive(like: Node, op: Node['op'], src: readonly Node[], arg: unknown, shape: readonly number[]): Node {
  return {
    ...like,
    op,
    src,
    arg: arg as never, // as `op` wants it: the caller's word
    shape,
    size: sizeOf(shape),
    requiresGrad: false,
    storage: undefined,
    slot: -1,
  };
}

/** The nodes that something wanted needs, and all leaves. */
export function withoutUnused(nodes: readonly Node[], wanted: readonly Node[]): Node[] {
  const used = new Set<Node>(wanted);
  for (let i = nodes.length - 1; i >= 0; i--) if (used.has(nodes[i])) for (const s of nodes[i].src) used.add(s);
  const kept = nodes.filter((n) => used.has(n) || n.src.length === 0);
  kept.forEach((n, i) => (n.slot = i));
  return kept;
}

/** Who reads each node, in order; twice where it is two operands of one. */
export function usersIn(nodes: readonly Node[]): ReadonlyMap<Node, readonly Node[]> {
  const users = new Map<Node, Node[]>();
  for (const n of nodes) {
    for (const s of n.src) {
      const known = users.get(s);
      if (known === undefined) users.set(s, [n]);
      else known.push(n);
    }
  }
  return users;
}

/** A list that numbers its nodes. */
export function newList(): { out: Node[]; push: (n: Node) => Node } {
  const out: Node[] = [];
  const push = (n: Node): Node => {
    n.slot = out.length;
    out.push(n);
    return n;
  };
  return { out, push };
}

/** `replace` gives what shall stand for a node, and pushes the nodes that this needs; undefined leaves it as it is. */
export function rewrite(
  nodes: readonly Node[],
  replace: (node: Node, push: (n: Node) => Node, original: Node) => Node | undefined,
): Rewritten {
  const now = new Map<Node, Node>();
  const { out, push } = newList();
  for (const node of nodes) {
    const src = node.src.map((s) => now.get(s) as Node);
    const current = src.every((s, i) => s === node.src[i]) ? node : derive(node, node.op, src, node.arg, node.shape);
    now.set(node, push(replace(current, push, node) ?? current));
  }
  const isSame = out.length === nodes.length && out.every((n, i) => n === nodes[i]);
  return { nodes: isSame ? nodes : out, now };
}
