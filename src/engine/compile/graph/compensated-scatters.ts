// A scatter-add of many rows may add most of them to one place (a histogram, the gradient of a frequent word), and such a sum
// loses as any long one does (compensated-sums.ts). It gets memory for what rounding takes from each sum.
// Input and output: a list of nodes in order. How it is computed: lower-scan.ts.

import { type Node, isOp } from '../../ir/node.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Rows that can be added to one place without harm. */
const MANY = 4096;
/** From so many on, however large the array is to which they are added. */
const VERY_MANY = 1 << 16;

export function keepLostInScatters(nodes: readonly Node[]): Rewritten {
  return rewrite(nodes, (node, push) => {
    if (!isOp(node, 'scatterAdd') || node.dtype !== 'float32' || node.arg.combine !== undefined) return undefined;
    const [base, , src] = node.src;
    const rows = src.shape[node.arg.axis];
    if (rows <= MANY || (base.size > src.size && rows <= VERY_MANY) || base.size > 0x3fffffff) return undefined;
    const like = node as Node;
    const { shape } = node;
    const both = push(derive(like, 'scatterSums', node.src, node.arg, [2, ...shape]));
    const size = [1, ...shape];
    const arg = { start: size.map(() => 0), size, step: size.map(() => 1) };
    const sums = push(derive(like, 'slice', [both], arg, size));
    return derive(like, 'reshape', [sums], { shape }, shape);
  });
}
