// What the passes of the compiler hand to each other.

import type { Graph } from '../../ir/graph/graph.js';
import type { Node } from '../../ir/node.js';
import type { Program } from '../../loop/loop.js';
import type { Target } from '../../loop/target.js';
import type { Fused } from './fuse.js';
import type { Group } from './group.js';
import type { Assignment, Schedule } from './schedule.js';

export interface CompileOptions {
  readonly target: Target;
  /** Programs run on so many threads, or on one. */
  readonly threads: number;
  /** False computes every materialised node in a kernel of its own: the slow twin that fusion is tested against. */
  readonly fuse?: boolean;
  /** Elements from which a product that nobody needs as a whole is computed tile by tile (stream.ts). */
  readonly leastStreamed?: number;
  /** Every group is lowered, also where others have its kernels (lowered-groups.ts), and compared with those. */
  readonly verify?: boolean;
  readonly onPass?: (name: string, state: CompileState, ms: number) => void;
}

export interface CompileState {
  readonly graph: Graph;
  readonly options: CompileOptions;
  nodes: readonly Node[];
  inputs: readonly Node[];
  scalars: readonly Node[];
  /** One distinct node for each output of the graph. */
  outputs: readonly Node[];
  /** Copies of operands in another order. */
  copiedLayouts: readonly Node[];
  materialised: ReadonlySet<Node>;
  fused: Fused;
  schedule: Schedule;
  copies: readonly { group: Group; output: number }[];
  program: Program | undefined;
}

/** Outputs that replace an input, or are written whole before they are read. */
export function assignments(state: CompileState): Assignment[] {
  return state.graph.outputs.flatMap(({ assign, isFull }, i) => {
    const input = assign === undefined ? undefined : state.inputs[assign];
    return input !== undefined || isFull === true ? [{ node: state.outputs[i], input }] : [];
  });
}

/** The place of each node in a list; of the first, where one stands there twice. */
export function numbersOf(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const numbers = new Map<Node, number>();
  nodes.forEach((n, i) => {
    if (!numbers.has(n)) numbers.set(n, i);
  });
  return numbers;
}
