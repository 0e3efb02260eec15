// Minimal cost-complexity pruning (Breiman and others 1984): the subtree that saves least for each leaf it costs goes first.

import type { Tree } from './grow.js';

/**
 * The smallest subtree whose weakest link saves more than `alpha` for each leaf. Costs are impurities weighted by the share of rows, as
 * scikit-learn's ccp_alpha counts them.
 */
export function pruneTree(tree: Tree, alpha: number): Tree {
  if (!(alpha > 0)) return tree;
  const isLeaf = Uint8Array.from(tree.feature, (f) => (f < 0 ? 1 : 0));
  const all = tree.samples[0];
  const own = tree.impurity.map((cost, i) => (cost * tree.samples[i]) / all);
  for (;;) {
    const { leaves, costs } = sums(tree, isLeaf, own);
    let [weakest, least] = [-1, Infinity];
    const reached = reachable(tree, isLeaf);
    for (const node of reached) {
      if (isLeaf[node] === 1) continue;
      const saves = (own[node] - costs[node]) / (leaves[node] - 1);
      if (saves < least) [weakest, least] = [node, saves];
    }
    if (weakest < 0 || least > alpha) return kept(tree, isLeaf, reached);
    isLeaf[weakest] = 1;
  }
}

/** Leaves below each node, and their costs. Children come after their parents. */
function sums(tree: Tree, isLeaf: Uint8Array, own: Float64Array): { leaves: Int32Array; costs: Float64Array } {
  const leaves = new Int32Array(own.length);
  const costs = new Float64Array(own.length);
  for (let node = own.length - 1; node >= 0; node--) {
    const [l, r] = [tree.left[node], tree.right[node]];
    leaves[node] = isLeaf[node] === 1 ? 1 : leaves[l] + leaves[r];
    costs[node] = isLeaf[node] === 1 ? own[node] : costs[l] + costs[r];
  }
  return { leaves, costs };
}

/** Nodes that are still there, in their order. */
function reachable(tree: Tree, isLeaf: Uint8Array): number[] {
  const isThere = new Uint8Array(isLeaf.length);
  isThere[0] = 1;
  const found: number[] = [];
  for (let node = 0; node < isLeaf.length; node++) {
    if (isThere[node] === 0) continue;
    found.push(node);
    if (isLeaf[node] === 0) isThere[tree.left[node]] = isThere[tree.right[node]] = 1;
  }
  return found;
}

function kept(tree: Tree, isLeaf: Uint8Array, nodes: readonly number[]): Tree {
  const place = new Map(nodes.map((node, i) => [node, i]));
  const width = tree.value.columns;
  const data = new Float64Array(nodes.length * width);
  nodes.forEach((node, i) => data.set(tree.value.data.subarray(node * width, (node + 1) * width), i * width));
  const child = (of: Int32Array): Int32Array =>
    Int32Array.from(nodes, (node) => (isLeaf[node] === 1 ? -1 : place.get(of[node])!));
  return {
    feature: Int32Array.from(nodes, (node) => (isLeaf[node] === 1 ? -1 : tree.feature[node])),
    threshold: Float64Array.from(nodes, (node) => (isLeaf[node] === 1 ? 0 : tree.threshold[node])),
    left: child(tree.left),
    right: child(tree.right),
    impurity: Float64Array.from(nodes, (node) => tree.impurity[node]),
    samples: Int32Array.from(nodes, (node) => tree.samples[node]),
    value: { data, rows: nodes.length, columns: width },
  };
}
