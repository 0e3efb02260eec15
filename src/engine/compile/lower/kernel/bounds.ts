// What a graph says about the size of a value, for operators that cost less on a known range.

import { type Node, isOp } from '../../../ir/node.js';
import type { Range } from '../../../loop/math/math.js';

/** The range of a node's values; NaN may be among them. */
export function rangeOf(node: Node): Range {
  return isBelowMaximum(node) ? { most: 0 } : {};
}

/** x − max(x, …), as in softmax: nothing is larger than the maximum. */
function isBelowMaximum(node: Node): boolean {
  if (!isOp(node, 'sub')) return false;
  const [x, shift] = node.src;
  const top = belowRepeats(shift);
  return (top.op === 'reduceMax' || top.op === 'reduceFmax') && top.src[0] === x;
}

/** exp(…) / the sum of them: of positive terms none is infinite where the sum is not. */
export function isPartOfSum(node: Node): boolean {
  if (!isOp(node, 'div')) return false;
  const [part, whole] = node.src;
  const sum = belowRepeats(whole);
  return part.op === 'exp' && sum.op === 'sum' && sum.src[0] === part;
}

/** What is under other names and repeated. */
export function belowRepeats(node: Node): Node {
  let n = node;
  while (n.op === 'expand' || n.op === 'detach') [n] = n.src;
  return n;
}
