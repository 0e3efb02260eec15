// A function's graph for those that write it down elsewhere (onnx): the function is called on placeholders, and its operators are read
// off, operands first. What is behind the graph (storages, interning) stays here.

import { ArgumentError } from '../engine/ir/errors.js';
import { type Node, isOp, topologicalOrder } from '../engine/ir/node.js';
import type { Op, OpArgs, ScalarSource } from '../engine/ir/op.js';
import { isPlaceholder, placeholder, trace } from '../engine/ir/placeholder.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';
import { withoutGrad } from './grad-mode.js';
import { type AnyTensor, Tensor, wrap } from './tensor.js';
import { GraphValue } from './values.js';

export { isOp };
export type { Node, Op, OpArgs };

/** A tensor without numbers. `op` is the user's call, which errors about reading it begin with. */
export function standIn(op: string, device: string, dtype: DType, shape: Shape): Tensor {
  const words = {
    name: `a tensor inside of ${op}`,
    failure: `${op}: a tensor inside of forward stands for any input and cannot be read. Decide nothing by its numbers.`,
  };
  return new Tensor(new GraphValue(placeholder(device, dtype, shape, false, words)));
}

/** The result of `body`, which builds a graph on placeholders. Throws ArgumentError for a promise. */
export function traced(op: string, body: () => unknown): unknown {
  const result = trace(() => withoutGrad(body));
  if (result instanceof Promise) {
    result.catch(() => {}); // the error is this one
    throw new ArgumentError(`${op}: forward is asynchronous. Wait for nothing in it.`);
  }
  return result;
}

/** All operators that the tensors come from, operands first; what is stored ends the walk. */
export function operatorsOf(tensors: readonly AnyTensor[]): Node[] {
  return topologicalOrder(tensors.map(({ node }) => node));
}

/** Whether it is stored, or a leaf: there are numbers, unless it is a placeholder. */
export function isLeaf(node: Node): boolean {
  return node.op === 'leaf' || node.storage !== undefined;
}

export { isPlaceholder };

/** What identifies the numbers of a leaf: that of the parameter which they belong to. */
export function storageOf(node: Node): object | undefined {
  return node.storage ?? (isOp(node, 'leaf') ? node.arg.storage : undefined);
}

/** A tensor of a node. */
export function tensorOf(node: Node): AnyTensor {
  return wrap(node);
}

/** The number that a rank-0 node stands for; undefined for other nodes. */
export function numberOf(node: Node): number | undefined {
  if (isOp(node, 'const')) return node.arg.value;
  if (!isOp(node, 'scalar')) return undefined;
  const source: ScalarSource = node.arg;
  return source.get === undefined ? source.value : source.get();
}
