// The builder of dense linear algebra: a routine's results in one row a matrix, and each of them as a view.

import { type DenseArg, layoutOfNode } from '../dense.js';
import { type Node, createNode } from '../node.js';
import { sizeOf } from '../shape.js';
import { checkDType, checkDevice } from './checks.js';
import { detach } from './control.js';
import { filled, reshape, sliceAxis } from './movement.js';

/** Operands are float64 and have the same batch dimensions in front of their matrices. No gradient flows through it. */
export function dense(arg: DenseArg, operands: readonly Node[]): Node {
  for (const x of operands) checkDType(arg.routine, x, ['float64']);
  checkDevice(arg.routine, operands);
  const src = operands.map(detach);
  const batch = src[0].shape.slice(0, -2);
  const shape = [...batch, layoutOfNode({ arg, src }).length];
  if (sizeOf(shape) === 0 || src.some(({ size }) => size === 0)) return filled(0, shape, 'float64');
  return createNode('dense', src, arg, shape, 'float64') as Node;
}

/** One of the results, by its name in dense.ts; `operands` are those of the routine. */
export function densePart(packed: Node, arg: DenseArg, operands: readonly Node[], name: string): Node {
  const { at, size, shape } = layoutOfNode({ arg, src: operands }).parts[name];
  const batch = packed.shape.slice(0, -1);
  return reshape(sliceAxis(packed, batch.length, at, at + size), [...batch, ...shape]);
}
