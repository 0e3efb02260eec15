// What is kept from run to run: transformed weights of small convolutions (winograd.ts), which are as dear as the convolution
// and change only when the weights do. They become a program of their own, whose results are inputs of the other one.
// Input: a graph. Output: both, and the inputs that have to be watched; undefined where there is nothing to keep.

import type { Graph } from '../../ir/graph/graph.js';
import { type Node, isOp } from '../../ir/node.js';
import { derive } from './rewrite.js';

export interface Cut {
  readonly prologue: Graph;
  /** Its last inputs are the prologue's outputs. */
  readonly main: Graph;
  readonly kept: readonly Node[];
  /** Numbers of the inputs that the prologue reads. */
  readonly watched: number[];
}

export function cutKept(graph: Graph): Cut | undefined {
  const { nodes, inputs, scalars, outputs } = graph;
  const kept = nodes.filter((n) => isOp(n, 'winogradWeights') && n.arg.isKept);
  if (kept.length === 0) return undefined;
  const before = new Set<Node>(kept);
  for (let i = nodes.length - 1; i >= 0; i--) if (before.has(nodes[i])) for (const s of nodes[i].src) before.add(s);
  const given = new Set(inputs);
  const watched = inputs.flatMap((n, i) => (before.has(n) ? [i] : []));
  const prologue: Graph = {
    nodes: nodes.filter((n) => before.has(n) || given.has(n)),
    inputs,
    scalars: [],
    outputs: kept.map((node) => ({ node, assign: undefined })),
  };
  const leaves = new Map(kept.map((n) => [n, derive(n, 'leaf', [], null, n.shape)]));
  const now = new Map<Node, Node>();
  const current = (n: Node): Node => now.get(n) ?? n;
  const rest = nodes.map((n) => {
    const leaf = leaves.get(n);
    const isSame = n.src.every((s) => current(s) === s);
    const own = leaf ?? (isSame ? n : derive(n, n.op, n.src.map(current), n.arg, n.shape));
    if (own !== n) now.set(n, own);
    return own;
  });
  const used = new Set(outputs.map((o) => current(o.node)));
  for (let i = rest.length - 1; i >= 0; i--) if (used.has(rest[i])) for (const s of rest[i].src) used.add(s);
  const main: Graph = {
    nodes: rest.filter((n) => used.has(n) || n.src.length === 0),
    inputs: [...inputs, ...kept.map(current)],
    scalars,
    outputs: outputs.map((o) => ({ ...o, node: current(o.node) })),
  };
  return { prologue, main, kept, watched };
}
