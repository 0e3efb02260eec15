// The graph of a forward pass with each node in the call that made it: what a picture of a model with boxes in boxes needs.
// In: output tensors, the calls (inputs and outputs, inner calls before outer ones), names of given tensors. Out: plain data.
// Must not know: modules.

import { type Node, topologicalOrder } from '../engine/ir/node.js';
import type { Storage } from '../engine/ir/storage.js';
import type { AnyTensor } from './tensor.js';

/** A part of the computation with a name: `layer1.0.conv1`. */
export interface Call {
  readonly path: string;
  readonly inputs: readonly AnyTensor[];
  readonly outputs: readonly AnyTensor[];
}

export interface ScopedNode {
  readonly op: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Places of the operands in the list. */
  readonly inputs: readonly number[];
  /** Path of the innermost call that made it; '' outside of all. */
  readonly scope: string;
  /** Of a given tensor, if it has one. */
  readonly name: string | undefined;
}

/** Operands before users. */
export function scopedGraph(
  outputs: readonly AnyTensor[],
  calls: readonly Call[],
  names: Iterable<readonly [name: string, tensor: AnyTensor]>,
): ScopedNode[] {
  const order = topologicalOrder(
    outputs.map((t) => t.node),
    true,
  );
  const place = new Map(order.map((node, i) => [node, i]));
  const scopes = new Map<Node, string>();
  // Outer calls first, so that inner ones have the last word.
  for (const { path, inputs, outputs: results } of calls.toReversed()) {
    const stop = new Set(inputs.map((t) => t.node));
    const open = results.map((t) => t.node).filter((node) => !stop.has(node));
    const seen = new Set(open);
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.op === 'leaf') continue;
      scopes.set(node, path);
      for (const operand of node.src) {
        if (stop.has(operand) || seen.has(operand)) continue;
        seen.add(operand);
        open.push(operand);
      }
    }
  }
  const named = new Map<Storage, string>();
  for (const [name, { storage }] of names) if (storage !== undefined) named.set(storage, name);
  return order.map((node) => ({
    op: node.op,
    shape: node.shape,
    dtype: node.dtype,
    inputs: node.src.map((operand) => place.get(operand) as number),
    scope: scopes.get(node) ?? '',
    name: node.op === 'leaf' ? named.get((node as Node<'leaf'>).arg.storage) : undefined,
  }));
}
