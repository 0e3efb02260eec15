// The graph as devices and the compiler get it: nodes without tensors, and which of them are wanted.

import type { Node } from '../node.js';

/**
 * A graph cut loose from tensors: `nodes` are private copies, operands first. Nodes of op 'leaf' stand for `inputs`
 * (their `arg` is meaningless), nodes of op 'scalar' for `scalars`, each in the order of the list that `run` gets.
 */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Node[];
  readonly scalars: readonly Node[];
  readonly outputs: readonly GraphOutput[];
}

export interface GraphOutput {
  readonly node: Node;
  /** Number of the input whose buffer is overwritten (an in-place update); undefined for a buffer that is no input. */
  readonly assign: number | undefined;
  /** Whether the buffer holds numbers already, which a run that fails must leave as they are; an input's always does. */
  readonly isFull?: boolean;
}
