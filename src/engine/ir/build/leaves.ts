// Builders of nodes without operands: inputs, numbers, counted and random ones.

import { type DType, castValue } from '../dtype.js';
import { type Node, createNode, isOp as hasOp } from '../node.js';
import type { Op, ScalarSource } from '../op.js';
import type { Shape } from '../shape.js';
import type { Storage } from '../storage.js';

export function leaf(storage: Storage): Node<'leaf'> {
  return createNode('leaf', [], { storage, version: storage.version }, storage.shape, storage.dtype);
}

export function constant(value: number, dtype: DType = 'float32'): Node<'const'> {
  // + 0 turns -0 into 0: as part of the structure they could not be told apart.
  return createNode('const', [], { value: castValue(value, dtype) + 0 }, [], dtype);
}

const STRUCTURAL = new Set([0, 1, -1, Infinity, -Infinity]);

/** A JavaScript number as a rank-0 node: structural where simplification needs it, else a run-time argument. */
export function scalar(source: number | ScalarSource, dtype: DType = 'float32'): Node {
  if (typeof source === 'number') {
    if (STRUCTURAL.has(source) || dtype === 'bool') return constant(source, dtype) as Node;
    return createNode('scalar', [], { value: source }, [], dtype) as Node;
  }
  return createNode('scalar', [], source, [], dtype) as Node;
}

export function iota(size: number): Node {
  return createNode('iota', [], { size }, [size], 'int32') as Node;
}

export function random(seed: Node, offset: Node, shape: Shape): Node {
  return createNode('random', [seed, offset], { shape }, shape, 'int32') as Node;
}

/** Whether a node still stands for this operator: one that has been computed is a value and no longer looked into. */
export function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return node.storage === undefined && hasOp(node, op);
}

/** The value of a constant, through any broadcasting; undefined for anything else. */
export function constantValue(node: Node): number | undefined {
  let n = node;
  while (isOp(n, 'expand') || isOp(n, 'reshape')) n = n.src[0];
  return isOp(n, 'const') ? n.arg.value : undefined;
}
