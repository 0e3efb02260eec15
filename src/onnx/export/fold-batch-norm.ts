// A convolution and the batch normalisation behind it as one convolution: its weights are scaled, its bias moved.

import { rowOf } from '../wire/elements.js';
import type { NodeOut, TensorOut } from '../wire/writer.js';
import { rawOf } from './finish.js';

export interface Parts {
  readonly nodes: readonly NodeOut[];
  readonly initializers: readonly TensorOut[];
}

const FLOAT32 = rowOf('float32').code;

const numbersOf = ({ raw }: TensorOut): Float32Array => new Float32Array(raw.slice().buffer);

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
    const used = [conv.inputs[1], ...names].map((name) => tensors.get(name));
    const own = conv.inputs[2] === undefined ? undefined : tensors.get(conv.inputs[2]);
    const found = used.filter((t) => t?.type === FLOAT32).map((t) => t as TensorOut);
    if (found.length < used.length || (conv.inputs[2] !== undefined && own === undefined)) continue;
    const [weight] = found;
    const [w, scale, shift, mean, variance] = found.map(numbersOf);
    const before = own === undefined ? undefined : numbersOf(own);
    const { epsilon } = norm.attributes;
    const eps = 'float' in epsilon ? epsilon.float : 1e-5;
    const factors = Array.from(scale, (g, i) => g / Math.sqrt(variance[i] + eps));
    const perChannel = w.length / factors.length;
    const bias = `${weight.name.replace(/\.?weight$/, '')}.folded_bias`.replace(/^\./, '');
    const scaled = w.map((value, i) => value * factors[Math.floor(i / perChannel)]);
    const moved = factors.map((f, i) => ((before?.[i] ?? 0) - mean[i]) * f + shift[i]);
    tensors.set(weight.name, { ...weight, raw: rawOf('float32', scaled) });
    tensors.set(bias, { name: bias, type: FLOAT32, dims: [factors.length], raw: rawOf('float32', moved) });
    replaced.set(conv, { ...conv, inputs: [conv.inputs[0], conv.inputs[1], bias], outputs: norm.outputs });
    replaced.set(norm, undefined);
  }
  const left = nodes
    .map((node) => (replaced.has(node) ? replaced.get(node) : node))
    .filter((node) => node !== undefined);
  const used = new Set(left.flatMap(({ inputs }) => inputs).concat(outputs));
  return { nodes: left, initializers: [...tensors.values()].filter(({ name }) => used.has(name)) };
}
