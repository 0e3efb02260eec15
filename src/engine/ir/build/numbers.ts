// Numbers of formulas beside tensors of another dtype.

import { type DType, isFloat } from '../dtype.js';
import { type Node, createNode } from '../node.js';
import { constant, isOp } from './leaves.js';
import { reshape, expand } from './movement.js';

/**
 * A number, repeated or not, with another dtype of real numbers: numbers of formulas are float32 as long as nothing else is said,
 * and exact in float64, too. Undefined for anything else.
 */
function numberAs(x: Node, dtype: DType): Node | undefined {
  if (x.dtype !== 'float32' || !isFloat(dtype)) return undefined;
  if (isOp(x, 'const')) return constant(x.arg.value, dtype) as Node;
  if (isOp(x, 'scalar')) return createNode('scalar', [], x.arg, [], dtype) as Node;
  if (!isOp(x, 'expand') && !isOp(x, 'reshape')) return undefined;
  const base = numberAs(x.src[0], dtype);
  if (base === undefined) return undefined;
  return x.op === 'expand' ? expand(base, x.shape) : reshape(base, x.shape);
}

/** A number with another dtype of real numbers; anything else as it is. */
export function numberLike(x: Node, dtype: DType): Node {
  return numberAs(x, dtype) ?? x;
}

/** Both operands, of which one that is a number takes the other's dtype. */
export function withNumbers(a: Node, b: Node): readonly [Node, Node] {
  return a.dtype === b.dtype ? [a, b] : [numberLike(a, b.dtype), numberLike(b, a.dtype)];
}
