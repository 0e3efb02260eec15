// torch.matmul's rules for vectors, matrices and batches, on graph nodes.

import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape } from '../engine/ir/shape.js';
import { asFloat } from './operands.js';

export function matmul(a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} x ${formatShape(b.shape)}: both arguments need at least one dimension`,
      [a.shape, b.shape],
    );
  }
  const [inner, other] = [a.shape[a.shape.length - 1], b.shape[Math.max(b.shape.length - 2, 0)]];
  if (inner !== other) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} x ${formatShape(b.shape)}: inner dimensions ${inner} and ${other} differ`,
      [a.shape, b.shape],
    );
  }
  const left = a.shape.length === 1 ? build.reshape(asFloat(a), [1, inner]) : asFloat(a);
  const right = b.shape.length === 1 ? build.reshape(asFloat(b), [inner, 1]) : asFloat(b);
  const out = build.matmul(left, right);
  let shape = [...out.shape];
  if (b.shape.length === 1) shape = shape.slice(0, -1);
  if (a.shape.length === 1) shape.splice(shape.length - (b.shape.length === 1 ? 1 : 2), 1);
  return build.reshape(out, shape);
}
