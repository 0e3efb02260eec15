// The graph of a model as TensorBoard and the dashboard draw it: nodes named by the module that made them.

import type { Module } from '../../nn/module.js';
import { ArgumentError, runPending, stored } from '../../tensor/library.js';
import { getRandomState, setRandomState } from '../../tensor/random.js';
import { type Call, type ScopedNode, scopedGraph } from '../../tensor/scopes.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { GraphDefNode } from './messages.js';

type Callable = Module & { forward(...inputs: unknown[]): unknown };

/** A call of a module that is drawn: what `forward` is given. */
export interface ModuleCall {
  /** Of the module in the model; '' for the model itself. */
  readonly path: string;
  readonly module: Module;
  readonly inputs: readonly unknown[];
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function tensorsIn(value: unknown): AnyTensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  return isPlain(value) ? Object.values(value).flatMap(tensorsIn) : [];
}

function storedIn(value: unknown): unknown {
  if (value instanceof Tensor) return stored(value);
  if (Array.isArray(value)) return value.map(storedIn);
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, storedIn(one)])) : value;
}

/** The graphs of several calls, one after the other. */
export function traceCalls(calls: readonly ModuleCall[]): GraphDefNode[] {
  return calls.flatMap(({ path, module, inputs }) => {
    const nodes = traceModel(module, inputs);
    if (path === '') return nodes;
    const inner = (name: string): string => `${clean(path)}/${name}`;
    return nodes.map((node) => ({ ...node, name: inner(node.name), inputs: node.inputs.map(inner) }));
  });
}

/**
 * Sends the inputs through the model in evaluation mode; nothing but the inputs is computed, and the generator is left as it was.
 */
export function traceModel(model: Module, given: readonly unknown[]): GraphDefNode[] {
  if (!('forward' in model) || typeof model.forward !== 'function')
    throw new ArgumentError('addGraph: the model has no forward method.');
  const inputs = given.map(storedIn);
  runPending(); // how an input came to be is no part of the model
  const parts = model.namedModules();
  const modes = parts.map(([, part]) => part.training);
  const random = getRandomState();
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
    const result = (model as Callable).forward(...inputs);
    if (result instanceof Promise) {
      result.catch(() => {}); // nobody waits for it
      throw new ArgumentError('addGraph: forward gives a promise. A model that reads numbers on its way has no graph.');
    }
    const outputs = tensorsIn(result);
    const tensors = tensorsIn(inputs);
    const named = tensors.map((x, i) => [tensors.length === 1 ? 'input' : `input${i}`, x] as const);
    const state = [...model.namedParameters(), ...model.namedBuffers()];
    return nameNodes(scopedGraph(outputs, calls, [...named, ...state]));
  } finally {
    for (const handle of handles) handle.remove();
    parts.forEach(([, part], i) => (part.training = modes[i]));
    setRandomState(random);
  }
}

const clean = (path: string): string => path.replaceAll('.', '/').replaceAll(/[^\w/\\-]/g, '_');

/** layer1.0.conv1 and a convolution → layer1/0/conv1/conv; a second one there gets a number. */
function nameNodes(nodes: readonly ScopedNode[]): GraphDefNode[] {
  const used = new Map<string, number>();
  const names = nodes.map(({ op, scope, name }) => {
    const path = clean(name ?? (scope === '' ? op : `${scope}.${op}`));
    const count = used.get(path) ?? 0;
    used.set(path, count + 1);
    return count === 0 ? path : `${path}_${count}`;
  });
  return nodes.map(({ op, shape, dtype, inputs, name }, i) => ({
    name: names[i],
    op: op === 'leaf' ? (name?.startsWith('input') === true ? 'Placeholder' : 'Parameter') : op,
    shape,
    dtype,
    inputs: inputs.map((input) => names[input]),
  }));
}
