// What stays of a compiled graph when its code has been emitted: names and sizes for profiles, and the nodes that may report
// an index out of range or a matrix that has no factors. The loop IR is many times larger, and a program may live as long as the process.

import type { CompiledGraph } from '../../compile/compile.js';
import type { Op } from '../../ir/op.js';

const CHECKING: ReadonlySet<Op> = new Set<Op>(['gather', 'scatterAdd', 'scatterSums', 'checkIndex', 'dense']);

export function withoutCode(compiled: CompiledGraph): CompiledGraph {
  const { program, nodes } = compiled;
  const kernels = program.kernels.map((k) => ({ ...k, buffers: [], scalars: [], scratch: [], body: [] }));
  const stages = program.stages.map((s) => ({ ...s, calls: s.calls.map(({ kernel }) => ({ kernel, slots: [] })) }));
  return {
    ...compiled,
    program: { ...program, kernels, stages },
    nodes: nodes.filter(({ op }) => CHECKING.has(op)).map((n) => ({ ...n, src: [] })),
    prologue: undefined,
  };
}
