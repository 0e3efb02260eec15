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

/** Counts the multiply-adds of a graph while it grows: each node once, when it is first met. */
export class WorkCounter {
  readonly #seen = new Set<Node>();

  /** The multiply-adds that are needed for `tensors` and have not been counted before. */
  count(tensors: readonly AnyTensor[]): number {
    const open = tensors.map(({ node }) => node);
    let total = 0;
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.#seen.has(node)) continue;
      this.#seen.add(node);
      total += multiplyAddsOf(node);
      if (node.storage === undefined) for (const s of node.src) open.push(s);
    }
    return total;
  }
}
