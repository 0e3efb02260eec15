// The graph of a model as TensorBoard draws it: nodes named by the module that made them.

import type { Module } from '../../nn/module.js';
import { ArgumentError, runPending, stored } from '../../tensor/library.js';
import { type Call, type ScopedNode, scopedGraph } from '../../tensor/scopes.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { GraphDefNode } from './messages.js';

type Callable = Module & { forward(...inputs: unknown[]): unknown };

function tensorsIn(value: unknown): AnyTensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return [];
  return Object.values(value).flatMap(tensorsIn);
}

/** Sends the inputs through the model in evaluation mode; nothing but the inputs is computed. */
export function traceModel(model: Module, given: readonly AnyTensor[]): GraphDefNode[] {
  if (!('forward' in model) || typeof model.forward !== 'function')
    throw new ArgumentError('addGraph: the model has no forward method.');
  const inputs = given.map((x) => stored(x));
  runPending(); // how an input came to be is no part of the model
  const parts = model.namedModules();
  const modes = parts.map(([, part]) => part.training);
  const calls: Call[] = [];
  const handles = parts
    .filter(([path, part]) => path !== '' && 'forward' in part)
    .map(([path, part]) =>
      part.registerForwardHook((_module, args, output) => {
        calls.push({ path, inputs: tensorsIn(args), outputs: tensorsIn(output) });
      }),
    );
  try {
    model.eval();
    const outputs = tensorsIn((model as Callable).forward(...inputs));
    const named = inputs.map((x, i) => [inputs.length === 1 ? 'input' : `input${i}`, x] as const);
    const state = [...model.namedParameters(), ...model.namedBuffers()];
    return nameNodes(scopedGraph(outputs, calls, [...named, ...state]));
  } finally {
    for (const handle of handles) handle.remove();
    parts.forEach(([, part], i) => (part.training = modes[i]));
  }
}

/** layer1.0.conv1 and a convolution → layer1/0/conv1/conv; a second one there gets a number. */
function nameNodes(nodes: readonly ScopedNode[]): GraphDefNode[] {
  const used = new Map<string, number>();
  const names = nodes.map(({ op, scope, name }) => {
    const path = name ?? (scope === '' ? op : `${scope}.${op}`);
    const clean = path.replaceAll('.', '/').replaceAll(/[^\w/\\-]/g, '_');
    const count = used.get(clean) ?? 0;
    used.set(clean, count + 1);
    return count === 0 ? clean : `${clean}_${count}`;
  });
  return nodes.map(({ op, shape, dtype, inputs, name }, i) => ({
    name: names[i],
    op: op === 'leaf' ? (name?.startsWith('input') === true ? 'Placeholder' : 'Parameter') : op,
    shape,
    dtype,
    inputs: inputs.map((input) => names[input]),
  }));
}
