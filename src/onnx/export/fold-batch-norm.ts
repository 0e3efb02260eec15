// A convolution and the batch normalisation behind it as one convolution: its weights are scaled, its bias moved.

import { type ElementType, elementTypeOf, isFloatType, rowOf } from '../wire/elements.js';
import type { NodeOut, TensorOut } from '../wire/writer.js';
import { rawOf } from './finish.js';

export interface Parts {
  readonly nodes: readonly NodeOut[];
  readonly initializers: readonly TensorOut[];
}

function numbersOf(type: ElementType, raw: Uint8Array): Float64Array {
  const { bytes, read } = rowOf(type);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const numbers = new Float64Array(raw.length / bytes);
  for (let i = 0; i < numbers.length; i++) numbers[i] = read(view, i * bytes);
  return numbers;
}

/** The graph without those normalisations whose convolution has no other reader. */
export function foldBatchNorms({ nodes, initializers }: Parts, outputs: readonly string[]): Parts {
  const tensors = new Map(initializers.map((t) => [t.name, t]));
  const readers = new Map<string, number>();
  for (const name of [...outputs, ...nodes.flatMap(({ inputs }) => inputs)])
    readers.set(name, (readers.get(name) ?? 0) + 1);
  const makers = new Map(nodes.map((node) => [node.outputs[0], node]));
  const replaced = new Map<NodeOut, NodeOut | undefined>();
  for (const norm of nodes) {
    if (norm.op !== 'BatchNormalization') continue;
    const [x, ...names] = norm.inputs;
    const conv = makers.get(x);
    if (conv?.op !== 'Conv' || readers.get(x) !== 1 || readers.get(conv.inputs[1]) !== 1) continue;
    const used = [conv.inputs[1], ...names, ...conv.inputs.slice(2)].map((name) => tensors.get(name));
    const [weight] = used;
    const type = weight === undefined ? undefined : elementTypeOf(weight.type);
    const found = used.filter((t) => t !== undefined).filter((t) => t.type === weight?.type);
    if (weight === undefined || type === undefined || !isFloatType(type) || found.length < used.length) continue;
    const [w, scale, shift, mean, variance] = found.map(({ raw }) => numbersOf(type, raw));
    const before = found.length > 5 ? numbersOf(type, found[5].raw) : undefined;
    const { epsilon } = norm.attributes;
    const eps = 'float' in epsilon ? epsilon.float : 1e-5;
    const factors = Array.from(scale, (g, i) => g / Math.sqrt(variance[i] + eps));
    const perChannel = w.length / factors.length;
    const bias = `${weight.name.replace(/\.?weight$/, '')}.folded_bias`.replace(/^\./, '');
    const scaled = w.map((value, i) => value * factors[Math.floor(i / perChannel)]);
    const moved = factors.map((f, i) => ((before?.[i] ?? 0) - mean[i]) * f + shift[i]);
    tensors.set(weight.name, { ...weight, raw: rawOf(type, scaled) });
    tensors.set(bias, { name: bias, type: weight.type, dims: [factors.length], raw: rawOf(type, moved) });
    replaced.set(conv, { ...conv, inputs: [conv.inputs[0], conv.inputs[1], bias], outputs: norm.outputs });
    replaced.set(norm, undefined);
  }
  const left = nodes
    .map((node) => (replaced.has(node) ? replaced.get(node) : node))
    .filter((node) => node !== undefined);
  const used = new Set(left.flatMap(({ inputs }) => inputs).concat(outputs));
  return { nodes: left, initializers: [...tensors.values()].filter(({ name }) => used.has(name)) };
}
