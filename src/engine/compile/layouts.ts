// Operands copied into another order where their consumer would otherwise gather them again and again.
// The input gradient of a convolution sums over output channels and taps, while its weights [out, in, taps] have input
// channels in between: every thread and every block of columns would collect them for itself. One copy [in, out, taps]
// serves all.
// Input and output: a list of nodes in order, and which of them are such copies (they get memory).

import { type Node, isOp } from '../ir/node.js';
import { isOneWindow } from './contraction.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Smaller weights stay in the first-level cache, in whatever order. */
const LEAST_WEIGHTS = 4096;

export interface LaidOut extends Rewritten {
  readonly copies: readonly Node[];
}

export function chooseLayouts(nodes: readonly Node[]): LaidOut {
  const copies: Node[] = [];
  const rewritten = rewrite(nodes, (node, push) => {
    if (!isOp(node, 'convInput') || isOneWindow(node)) return undefined;
    const [dy, w] = node.src;
    // Strided ones take the taps of one residue at a time: no order has them all side by side.
    if (w.size < LEAST_WEIGHTS || node.arg.stride.some((s) => s !== 1)) return undefined;
    const swapped = push(exchanged(w));
    const copy = push(derive(swapped, 'detach', [swapped], null, swapped.shape));
    copies.push(copy);
    return derive(node, 'convInput', [dy, push(exchanged(copy))], node.arg, node.shape);
  });
  return { ...rewritten, copies };
}

/** The first two axes exchanged. */
function exchanged(node: Node): Node {
  const order = node.shape.map((_, i) => (i < 2 ? 1 - i : i));
  return derive(
    node,
    'permute',
    [node],
    { axes: order },
    order.map((i) => node.shape[i]),
  );
}
