// What stays of a compiled graph when its code has been emitted: names and sizes for profiles, and the nodes that may report
// an index out of range or a matrix that has no factors. The loop IR is many times larger, and a program may live as long as the process.

import type { CompiledGraph } from '../../../compile/compile.js';
import type { Node } from '../../../ir/node.js';
import type { Op } from '../../../ir/op.js';
import type { KernelFunction, Var } from '../../../loop/loop.js';

const CHECKING: ReadonlySet<Op> = new Set<Op>(['gather', 'scatterAdd', 'scatterSums', 'checkIndex', 'dense']);
const NOTHING: Var = { kind: 'var', id: 0, name: '', type: 'i32', lanes: 1 };

export function withoutCode(compiled: CompiledGraph): CompiledGraph {
  const { program, nodes } = compiled;
  const kernels = program.kernels.map(nameAndSizes);
  const stages = program.stages.map((s) => ({ ...s, calls: s.calls.map(({ kernel }) => ({ kernel, slots: [] })) }));
  return {
    ...compiled,
    program: { ...program, kernels, stages },
    nodes: nodes.filter(({ op }) => CHECKING.has(op)).map(alone),
    prologue: undefined,
  };
}

function nameAndSizes(kernel: KernelFunction): KernelFunction {
  return { ...kernel, buffers: [], scalars: [], scratch: [], body: [], tid: NOTHING, threads: NOTHING };
}

/** Without operands, and without the numbers that it has in this process alone. */
function alone(node: Node): Node {
  return { ...node, id: 0, structure: 0, hash: 0, stamp: 0, depth: 0, runs: 0, src: [], storage: undefined };
}
