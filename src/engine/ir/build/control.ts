// Builders that say where gradients flow: identities of their operand.

import { type Node, createNode } from '../node.js';
import type { CustomGradient } from '../op.js';

/** The same value, through which no gradient flows. */
export function detach(x: Node): Node {
  if (!x.requiresGrad) return x;
  return createNode('detach', [x], null, x.shape, x.dtype) as Node;
}

/** The same value in memory of its own, where the engine computes it. */
export function copy(x: Node): Node {
  return createNode('detach', [x], null, x.shape, x.dtype) as Node;
}

/** The same value as a variable of its own: gradients can be taken with respect to it, and flow on through it. */
export function variable(x: Node): Node {
  const pass: CustomGradient = { name: 'variable', backward: (g) => [g] };
  return createNode('custom', [detach(x), x], pass, x.shape, x.dtype, true) as Node;
}

export function custom(value: Node, inputs: readonly Node[], gradient: CustomGradient): Node {
  return createNode('custom', [detach(value), ...inputs], gradient, value.shape, value.dtype) as Node;
}
