// How much arithmetic a part of the graph holds: the multiply-adds of its contractions. Element-wise work, reductions and
// what simplification has removed (a product with zeros) do not count.

import type { Node } from '../engine/ir/node.js';
import type { AnyTensor } from './tensor.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Multiply-adds of one node. */
function multiplyAddsOf(node: Node): number {
  const { op, src, size } = node;
  if (op === 'matmul') return size * src[0].shape[src[0].shape.length - 1];
  if (op === 'conv') return size * product(src[1].shape.slice(1)); // w [O, C / groups, …kernel]
  if (op === 'convInput') return src[0].size * product(src[1].shape.slice(1)); // each dy meets its O's kernels
  if (op === 'convWeight') return src[1].size * product(node.shape.slice(1));
  return 0;
}

/** The multiply-adds that are needed for `outputs` once `inputs` are there; what both share is counted once. */
export function multiplyAdds(outputs: readonly AnyTensor[], inputs: readonly AnyTensor[]): number {
  const seen = new Set<Node>(inputs.map(({ node }) => node));
  const open = outputs.map(({ node }) => node);
  let total = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    total += multiplyAddsOf(node);
    if (node.storage === undefined) open.push(...node.src);
  }
  return total;
}
