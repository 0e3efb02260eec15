// The matrix product of nodes whose ranks are known to fit.

import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import { contract } from './contract.js';

export function misfit(op: string, a: Shape, b: Shape, why: string): ShapeError {
  return new ShapeError(`${op}: ${formatShape(a)} x ${formatShape(b)}: ${why}`, [a, b]);
}

/** [m, k] · [k, n], or [k], and batches of both; int32 stays int32. */
export function multiplied(op: string, x: Node, y: Node): Node {
  const inner = [x.shape[x.shape.length - 1], y.shape[Math.max(y.shape.length - 2, 0)]];
  if (inner[0] !== inner[1]) throw misfit(op, x.shape, y.shape, `inner dimensions ${inner[0]} and ${inner[1]} differ`);
  const batch = x.shape.length > 2 ? ['z'] : [];
  if (batch.length > 0 && x.shape[0] !== y.shape[0])
    throw misfit(op, x.shape, y.shape, `batches of ${x.shape[0]} and ${y.shape[0]} differ`);
  const columns = y.shape.length > 1 ? ['c'] : [];
  return contract(
    [
      { node: x, labels: [...batch, 'a', 'b'] },
      { node: y, labels: [...batch, 'b', ...columns] },
    ],
    [...batch, 'a', ...columns],
  );
}
