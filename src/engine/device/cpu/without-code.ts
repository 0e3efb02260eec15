// What stays of a compiled graph when its code has been emitted: names and sizes for profiles, and the nodes that may report
// an index out of range. The loop IR is many times larger, and a program may live as long as the process.

import type { CompiledGraph } from '../../compile/compile.js';

export function withoutCode(compiled: CompiledGraph): CompiledGraph {
  const { program, nodes } = compiled;
  const kernels = program.kernels.map((k) => ({ ...k, buffers: [], scalars: [], scratch: [], body: [] }));
  const stages = program.stages.map((s) => ({ ...s, calls: s.calls.map(({ kernel }) => ({ kernel, slots: [] })) }));
  return {
    ...compiled,
    program: { ...program, kernels, stages },
    nodes: nodes.filter((n) => n.op === 'gather' || n.op === 'scatterAdd').map((n) => ({ ...n, src: [] })),
    prologue: undefined,
  };
}
