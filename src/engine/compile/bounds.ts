// What a graph says about the size of a value, for operators that cost less on a known range.

import { type Node, isOp } from '../ir/node.js';
import type { Range } from '../loop/math.js';

/** The range of a node's values; NaN may be among them. */
export function rangeOf(node: Node): Range {
  return isBelowMaximum(node) ? { most: 0 } : {};
}

/** x − max(x, …), as in softmax: nothing is larger than the maximum. */
function isBelowMaximum(node: Node): boolean {
  if (!isOp(node, 'sub')) return false;
  const [x, shift] = node.src;
  let top = shift;
  while (top.op === 'expand' || top.op === 'detach') [top] = top.src;
  return (top.op === 'reduceMax' || top.op === 'reduceFmax') && top.src[0] === x;
}
