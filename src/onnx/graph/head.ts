// Where the last linear layer of a graph is: what a new head takes the place of.
//   features → Gemm, MatMul or 1×1 Conv → bias, softmax, flattening, a mean over positions → output

import type { Graph, GraphNode } from './graph.js';

export interface Head {
  /** The value that goes into the layer. */
  readonly features: string;
  /** What it is called in the file. */
  readonly node: string;
}

/** Operators behind the layer that a new head does not need: it gives logits. */
const BEHIND: ReadonlySet<string> = new Set(
  (
    'Softmax LogSoftmax Sigmoid Identity Cast Dropout Flatten Reshape Squeeze Unsqueeze Transpose Relu Clip GlobalAveragePool AveragePool ' +
    'GlobalMaxPool ReduceMean ReduceSum Add Sub Mul Div QuantizeLinear DequantizeLinear'
  ).split(' '),
);

/** A weight may be rearranged before it is used. */
const REARRANGED: ReadonlySet<string> = new Set([
  'Transpose',
  'Identity',
  'Cast',
  'Reshape',
  'DequantizeLinear',
  'Squeeze',
]);

/** The last linear layer before the first output, or in words why there is none. */
export function findHead(graph: Graph): Head | string {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isConstant = (name: string): boolean => {
    for (let at = name; ;) {
      if (graph.constants.has(at)) return true;
      const maker = makers.get(at);
      if (maker === undefined || !REARRANGED.has(maker.operator)) return false;
      const [first, ...others] = maker.inputs;
      if (!others.every((other) => other === '' || graph.constants.has(other))) return false;
      at = first;
    }
  };
  let [{ name }] = graph.outputs;
  for (;;) {
    const node = makers.get(name);
    if (node === undefined) return 'before the output there is no linear layer';
    if (isLinear(node, graph, isConstant)) return { features: node.inputs[0], node: node.name };
    const open = node.inputs.filter((input) => input !== '' && !isConstant(input));
    if (!BEHIND.has(node.operator) || open.length === 0)
      return `before the output comes ${node.operator} at ${JSON.stringify(node.name)}, and no linear layer`;
    // A shape that is computed from the value is no second operand.
    const [first, ...others] = open;
    if (node.operator !== 'Reshape' && others.length > 0)
      return `before the output comes ${node.operator} of two values at ${JSON.stringify(node.name)}, and no linear layer`;
    name = first;
  }
}

function isLinear(node: GraphNode, { constants }: Graph, isConstant: (name: string) => boolean): boolean {
  const [, weight = ''] = node.inputs;
  switch (node.operator) {
    case 'Gemm':
    case 'MatMul':
    case 'com.microsoft::FusedGemm':
    case 'com.microsoft::FusedMatMul':
      return isConstant(weight);
    case 'Conv':
    case 'com.microsoft::FusedConv': {
      const shape = constants.get(weight)?.array.shape;
      const group = node.attributes.get('group');
      const isWhole = group === undefined || (group.kind === 'int' && group.value === 1);
      return isWhole && shape !== undefined && shape.length > 2 && shape.slice(2).every((n) => n === 1);
    }
    default:
      return false;
  }
}
