// From the nodes that somebody wants to a list in computing order and a key.
// The key is a list of integers (structure and operand numbers): equal keys mean that one compiled program serves both
// graphs, whatever their tensors, learning rates and node objects are. `snapshot` copies a graph so that a cached
// program does not keep anybody's tensors alive.

import { StaleTensorError } from './errors.js';
import { type Node, createNode, isOp, newStamp, topologicalOrder } from './node.js';
import { type Shape, formatShape } from './shape.js';
import type { DType } from './dtype.js';
import type { ScalarSource } from './op.js';
import type { Storage } from './storage.js';

export interface LinearGraph {
  readonly order: readonly Node[];
  /** Nodes whose numbers are given: leaves and realised nodes. */
  readonly inputs: readonly Node[];
  readonly inputStorages: readonly Storage[];
  readonly scalars: readonly ScalarSource[];
  readonly key: Int32Array;
  readonly hash: number;
}

let scratch = new Int32Array(4096);

/** Orders what `roots` need and computes its key. Throws StaleTensorError where an overwritten leaf is read. */
export function linearise(roots: readonly Node[]): LinearGraph {
  const order = topologicalOrder(roots);
  const inputs: Node[] = [];
  const inputStorages: Storage[] = [];
  const scalars: ScalarSource[] = [];
  let n = 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    let structure = node.structure;
    let src = node.src;
    if (node.storage !== undefined) {
      if (node.storage.buffer === null) throw freedError(node.storage);
      if (node.storage.expired !== undefined) checkExpired(node.storage);
      inputs.push(node);
      inputStorages.push(node.storage);
      structure = inputStructure(node.shape, node.dtype);
      src = NONE;
    } else if (isOp(node, 'leaf')) {
      const { storage, version } = node.arg;
      if (storage.buffer === null) throw freedError(storage);
      if (storage.version !== version) throw staleError(storage);
      inputs.push(node);
      inputStorages.push(storage);
    } else if (isOp(node, 'scalar')) {
      scalars.push(node.arg);
    }
    if (n + src.length + 2 > scratch.length) {
      const larger = new Int32Array(scratch.length * 2 + src.length + 2);
      larger.set(scratch);
      scratch = larger;
    }
    scratch[n++] = structure;
    hash = Math.imul(hash ^ structure, 0x01000193);
    for (let j = 0; j < src.length; j++) {
      scratch[n++] = -1 - src[j].slot;
      hash = Math.imul(hash ^ src[j].slot, 0x01000193);
    }
  }
  for (const root of roots) {
    if (n === scratch.length) {
      const larger = new Int32Array(scratch.length * 2);
      larger.set(scratch);
      scratch = larger;
    }
    scratch[n++] = root.slot;
    hash = Math.imul(hash ^ root.slot, 0x01000193);
  }
  return { order, inputs, inputStorages, scalars, key: scratch.slice(0, n), hash };
}

const NONE: readonly Node[] = [];

const inputStructures = new Map<string, number>();

/** The structure of a leaf with this shape and dtype: what a realised node looks like from outside. */
function inputStructure(shape: Shape, dtype: DType): number {
  const key = `${dtype}${shape.join()}`;
  let id = inputStructures.get(key);
  if (id === undefined) {
    id = createNode('detach', [], null, shape, dtype).structure;
    inputStructures.set(key, id);
  }
  return id;
}

/** Throws StaleTensorError where a result stands for a call that has been replayed since. */
export function checkExpired(storage: Storage): void {
  const reason = storage.expired?.();
  if (reason !== undefined) throw new StaleTensorError(`read: ${reason}`);
}

/** For each node: can it still be computed, or has a leaf below it been overwritten? */
export function areReadable(nodes: readonly Node[]): boolean[] {
  const order = topologicalOrder(nodes);
  const isReadable = new Uint8Array(order.length);
  order.forEach((node, i) => {
    if (node.storage !== undefined) isReadable[i] = node.storage.buffer === null ? 0 : 1;
    else if (isOp(node, 'leaf')) {
      const { storage, version } = node.arg;
      isReadable[i] = storage.version === version && storage.buffer !== null ? 1 : 0;
    } else isReadable[i] = node.src.every((s) => isReadable[s.slot] === 1) ? 1 : 0;
  });
  return nodes.map((node) => isReadable[node.slot] === 1);
}

function nameOf({ name, dtype, shape }: Storage): string {
  return name ?? `a ${dtype} tensor ${formatShape(shape)}`;
}

export function freedError(storage: Storage): StaleTensorError {
  return new StaleTensorError(`read: ${nameOf(storage)} was freed. Do not use a tensor after its dispose.`);
}

function staleError(storage: Storage): StaleTensorError {
  const what = nameOf(storage);
  return new StaleTensorError(
    `read: this value was built on ${what}, which has been overwritten since. ` +
      'Read it before the update, or call keep() on it so that it is computed together with the update.',
  );
}

export function sameKey(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A copy whose leaves and scalars hold nothing; same order, same slots. */
export function snapshot(order: readonly Node[]): Node[] {
  const copies: Node[] = [];
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    const isInput = node.storage !== undefined || node.op === 'leaf';
    copies.push({
      ...node,
      op: isInput ? 'leaf' : node.op,
      arg: (isInput ? null : node.op === 'scalar' ? { value: (node.arg as ScalarSource).value } : node.arg) as never,
      src: isInput ? [] : node.src.map((s) => copies[s.slot]),
      requiresGrad: false,
      storage: undefined,
      slot: i,
    });
  }
  newStamp();
  return copies;
}
