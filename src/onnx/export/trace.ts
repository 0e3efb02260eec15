// A model's forward, called once on inputs without numbers, as a draft. Calls of layers with a row are cut out: what they result in
// stands for itself, and the layer is written when the walk comes to it; all else is read off the graph.

import { type CallObserver, observeCalls } from '../../nn/calls.js';
import type { Module } from '../../nn/module.js';
import { isLeaf, isPlaceholder, operatorsOf, standIn, traced } from '../../tensor/graph-trace.js';
import { ArgumentError, type DType, type Shape } from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { leavesOf, withLeaves } from '../../tensor/trees.js';
import { Draft, type Input } from './draft.js';
import { type LayerWriter, layerWriter } from './layers.js';
import { isLate, writeOperator } from './operators.js';

export interface Given {
  readonly name: string;
  readonly dtype: DType;
  readonly device: string;
  readonly shape: Shape;
}

export interface Traced {
  readonly draft: Draft;
  readonly outputs: readonly {
    readonly path: string;
    readonly value: Input;
    readonly dtype: DType;
    readonly shape: Shape;
  }[];
}

/** What is to be written, in the order of the calls: the operators below some tensors, then perhaps a layer. */
interface Entry {
  readonly path: string;
  readonly below: readonly AnyTensor[];
  readonly layer?: { readonly path: string; readonly write: LayerWriter; readonly results: readonly AnyTensor[] };
}

const tensorsIn = (tree: unknown): AnyTensor[] => leavesOf(tree).map(({ tensor }) => tensor);

/** `example`: the arguments of forward, in which the inputs stand for the tensors. */
export function traceModel(
  model: Module & { forward(...given: never[]): unknown },
  inputs: readonly Given[],
  example: readonly unknown[],
  opset: number,
): Traced {
  const paths = new Map<object, string>(model.namedModules().map(([path, module]) => [module, path]));
  const entries: Entry[] = [];
  let path = '';
  const see: CallObserver = (module, given, forward) => {
    const own = paths.get(module) ?? path;
    const write = layerWriter(module as Module, given, opset);
    const below = tensorsIn(given);
    if (write === undefined) {
      entries.push({ path, below });
      const outer = path;
      path = own;
      try {
        const result = forward();
        entries.push({ path, below: tensorsIn(result) });
        return result;
      } finally {
        path = outer;
      }
    }
    const result = observeCalls(undefined, forward);
    const results = tensorsIn(result).map((t) => standIn('exportOnnx', t.device, t.dtype, t.shape));
    entries.push({ path, below, layer: { path: own, write, results } });
    return withLeaves(result, results);
  };
  const stands = inputs.map(({ device, dtype, shape }) => standIn('exportOnnx', device, dtype, shape));
  // What forward takes is what it is exported with.
  const given = withLeaves(example, stands) as never[];
  const result = traced('exportOnnx', () => observeCalls(see, () => model.forward(...given)));
  const found = leavesOf(result);
  if (found.length === 0)
    throw new ArgumentError('exportOnnx: forward returns no tensor. Return a tensor, or a list or object of tensors.');
  const draft: Draft = new Draft(opset, (node) => (isLate(node) ? writeOperator(draft, node) : undefined));
  stands.forEach((stand, i) => draft.put(stand.node, inputs[i].name));
  for (const entry of [...entries, { path: '', below: tensorsIn(result) } as Entry]) write(draft, entry);
  return {
    draft,
    outputs: found.map(({ tensor, path: at }) => ({
      path: at,
      value: draft.ofTensor(tensor),
      dtype: tensor.dtype,
      shape: tensor.shape,
    })),
  };
}

function write(draft: Draft, { path, below, layer }: Entry): void {
  draft.path = path;
  for (const node of operatorsOf(below)) {
    if (draft.has(node) || isLate(node)) continue;
    if (isLeaf(node)) {
      if (isPlaceholder(node)) draft.put(node, draft.refuse('leaf', 'it belongs to another traced function'));
      else draft.put(node, { kind: 'weight', node });
    } else draft.put(node, writeOperator(draft, node));
  }
  if (layer === undefined) return;
  draft.path = layer.path;
  const values = layer.write(draft, draft.ofTensor(below[0]));
  layer.results.forEach((stand, i) => draft.put(stand.node, values[i]));
}
