// Placeholders: leaves without numbers, on which a function is called once to learn its graph (engine/batch). The graph is then made
// again with other nodes in their place; nothing that depends on a placeholder can be computed, kept or written anywhere.

import type { DType } from './dtype.js';
import { ArgumentError } from './errors.js';
import { type Node, createNode, topologicalOrder } from './node.js';
import type { Shape } from './shape.js';
import { type Storage, createStorage } from './storage.js';

const placeholders = new WeakSet<Storage>();
let tracing = 0;

const INSIDE_VMAP = {
  name: 'a tensor inside of vmap',
  failure:
    'vmap: a tensor inside of the function stands for all samples and cannot be read. Return it, and read the result.',
};

/**
 * Stands for a tensor of this shape. `requiresGrad` says whether gradients flow to what it stands for; `words` are what errors call it,
 * and say to whoever wants to read it.
 */
export function placeholder(
  device: string,
  dtype: DType,
  shape: Shape,
  requiresGrad: boolean,
  words: { readonly name: string; readonly failure: string } = INSIDE_VMAP,
): Node {
  const size = shape.reduce((product, n) => product * n, 1);
  const storage = createStorage(device, dtype, shape, size, null, requiresGrad);
  storage.name = words.name;
  storage.failure = new ArgumentError(words.failure);
  placeholders.add(storage);
  return createNode('leaf', [], { storage, version: 0 }, storage.shape, dtype) as Node;
}

/** Runs `body`, which calls a function on placeholders. */
export function trace<T>(body: () => T): T {
  tracing++;
  try {
    return body();
  } finally {
    tracing--;
  }
}

export function isTracing(): boolean {
  return tracing > 0;
}

/** Whether the node stands for all samples of a function that is being traced: it has no numbers. */
export function standsForSamples(node: Node): boolean {
  return tracing > 0 && topologicalOrder([node]).some(isPlaceholder);
}

export function isPlaceholder({ op, arg }: Node): boolean {
  return op === 'leaf' && placeholders.has((arg as { readonly storage: Storage }).storage);
}
