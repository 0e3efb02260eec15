// Batch normalisation after a convolution, folded into its weights: for runs in which the weights are those of the file. A scaled and
// shifted convolution is another convolution, whose numbers are computed once, on the host.

import { type HostArray, sizeOf } from '../host/array.js';
import { rounded } from '../wire/elements.js';
import { type Constant, type Graph, type GraphNode, outerNames } from './graph.js';

const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose']);

/** The same graph without the normalisations that can be folded, in its own nodes alone. */
export function foldNorms(graph: Graph): Graph {
  const uses = usesOf(graph);
  const makers = new Map<string, GraphNode>(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const fixed = new Set(graph.constants.keys());
  for (const { name } of graph.defaults) fixed.delete(name); // a call may give another value
  const constants = new Map(graph.constants);
  const replaced = new Map<GraphNode, GraphNode | undefined>();
  for (const norm of graph.nodes) {
    if (norm.operator !== 'BatchNormalization' || norm.outputs.length > 1) continue;
    const conv = makers.get(norm.inputs[0]);
    if (conv === undefined || !CONVOLUTIONS.has(conv.operator) || uses.get(norm.inputs[0]) !== 1) continue;
    const names = [...conv.inputs.slice(1), ...norm.inputs.slice(1)];
    if (!names.every((name) => fixed.has(name)) || isTraining(norm)) continue;
    const arrays = names.map((name) => (graph.constants.get(name) as Constant).array);
    const bias = conv.inputs.length > 2 ? arrays[1] : undefined;
    const [scale, shift, mean, variance] = arrays.slice(-4);
    const folded = fold(conv, norm, arrays[0], bias, { scale, shift, mean, variance });
    if (folded === undefined) continue;
    const [weight, offset] = ['weight', 'bias'].map((what) => `${norm.name}\0${what}`);
    constants.set(weight, { key: weight, array: folded.weight, role: 'setting' });
    constants.set(offset, { key: offset, array: folded.bias, role: 'setting' });
    replaced.set(norm, undefined);
    replaced.set(conv, { ...conv, inputs: [conv.inputs[0], weight, offset], outputs: norm.outputs });
  }
  if (replaced.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : node));
  const needed = new Set(
    nodes.flatMap((node) => [...node.inputs, ...[...node.graphs.values()].flatMap((g) => [...outerNames(g)])]),
  );
  for (const { name } of graph.outputs) needed.add(name);
  return { ...graph, nodes, constants: new Map([...constants].filter(([name]) => needed.has(name))) };
}

function usesOf(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  const use = (name: string): void => void uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of graph.nodes) {
    node.inputs.forEach(use);
    for (const inner of node.graphs.values()) outerNames(inner).forEach(use);
  }
  for (const { name } of graph.outputs) use(name);
  return uses;
}

function isTraining({ attributes }: GraphNode): boolean {
  const mode = attributes.get('training_mode');
  return mode?.kind === 'int' && mode.value !== 0;
}

interface Norm {
  readonly scale: HostArray;
  readonly shift: HostArray;
  readonly mean: HostArray;
  readonly variance: HostArray;
}

/** Weights and bias of the convolution that does both; undefined where the numbers do not fit one another. */
function fold(
  conv: GraphNode,
  norm: GraphNode,
  weight: HostArray,
  bias: HostArray | undefined,
  { scale, shift, mean, variance }: Norm,
): { weight: HostArray; bias: HostArray } | undefined {
  const epsilon = norm.attributes.get('epsilon');
  const eps = epsilon?.kind === 'float' ? epsilon.value : 1e-5;
  const channels = scale.data.length;
  const factors = Float64Array.from(scale.data, (s, i) => s / Math.sqrt(variance.data[i] + eps));
  const channelOf = channelsOf(conv, weight, channels);
  if (channelOf === undefined) return undefined;
  const inner = sizeOf(weight.shape.slice(2));
  const rows = weight.shape[0] * weight.shape[1];
  const data = weight.data.slice();
  for (let row = 0; row < rows; row++) {
    const factor = factors[channelOf(Math.floor(row / weight.shape[1]), row % weight.shape[1])];
    for (let i = row * inner; i < (row + 1) * inner; i++) data[i] = rounded(weight.data[i] * factor, weight.type);
  }
  const offsets = new Float32Array(channels);
  for (let i = 0; i < channels; i++)
    offsets[i] = rounded(((bias?.data[i] ?? 0) - mean.data[i]) * factors[i] + shift.data[i], weight.type);
  return { weight: { ...weight, data }, bias: { type: weight.type, shape: [channels], data: offsets } };
}

/** The output channel of a weight at [first, second, …]. */
function channelsOf(
  conv: GraphNode,
  { shape, type }: HostArray,
  channels: number,
): ((first: number, second: number) => number) | undefined {
  if (type !== 'float32' && type !== 'float16') return undefined;
  if (conv.operator === 'Conv') return shape[0] === channels ? (first) => first : undefined;
  const group = conv.attributes.get('group');
  const groups = group?.kind === 'int' ? group.value : 1;
  if (shape[1] * groups !== channels) return undefined;
  return (first, second) => Math.floor((first * groups) / shape[0]) * shape[1] + second;
}
