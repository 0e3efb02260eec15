// From the nodes that somebody wants to a list in computing order and a key.
// The key is a list of integers (structure and operand numbers): equal keys mean that one compiled program serves both
// graphs, whatever their tensors, learning rates and node objects are. `snapshot` copies a graph so that a cached
// program does not keep anybody's tensors alive.

import { StaleTensorError } from '../errors.js';
import { type Node, inputStructure, isOp, newStamp, topologicalOrder } from '../node.js';
import { formatShape, sizeOf } from '../shape.js';
import type { ScalarSource } from '../op.js';
import type { Storage } from '../storage.js';
import { type Narrowed, narrowInputs } from './narrow-inputs.js';

export interface LinearGraph {
  readonly order: readonly Node[];
  /** Nodes whose numbers are given: leaves and realised nodes. */
  readonly inputs: readonly Node[];
  readonly inputStorages: readonly Storage[];
  /** Inputs of which only a part is read, and where it begins; undefined where all are read as they are. */
  readonly narrowed: Narrowed | undefined;
  readonly offsets: readonly number[] | undefined;
  readonly overwritten: ReadonlySet<Storage>;
  readonly scalars: readonly ScalarSource[];
  readonly key: Int32Array;
  readonly hash: number;
}

let scratch = new Int32Array(4096);

/**
 * Orders what `roots` need and computes its key. Throws StaleTensorError where an overwritten leaf is read. Storages that
 * the run overwrites are taken as a whole. `device` is where it runs: what is made of numbers alone (zeros, a range) belongs to
 * no device, and is computed anew where another one holds its result.
 */
export function linearise(
  roots: readonly Node[],
  overwritten: ReadonlySet<Storage> = NO_STORAGES,
  device?: unknown,
): LinearGraph {
  const order = topologicalOrder(roots);
  const narrowed = narrowInputs(order, roots, overwritten);
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
      if (device !== undefined && node.storage.owner !== device && isMadeOfNumbers(node)) {
        node.storage = undefined;
        return linearise(roots, overwritten, device);
      }
      inputs.push(node);
      inputStorages.push(node.storage);
      if (node.op !== 'leaf') structure = inputStructure(node.shape, node.dtype);
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
    if (narrowed !== undefined) structure = narrowed.structures.get(node) ?? structure;
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
  const offsets = narrowed && inputs.map((node) => narrowed.inputs.get(node)?.offset ?? 0);
  return { order, inputs, inputStorages, narrowed, offsets, overwritten, scalars, key: scratch.slice(0, n), hash };
}

/** More are taken for a calculation whose steps are read one after the other, and must not be held. */
const MOST_OF_NUMBERS = 64;

/** Can the node be computed anywhere: from numbers alone, and by few nodes that are all still known? */
export function isMadeOfNumbers(node: Node): boolean {
  if (node.device !== undefined) return false;
  const seen = new Set<Node>([node]);
  for (const n of seen) {
    if (n.src.length === 0 && !NULLARY.has(n.op)) return false;
    for (const s of n.src) seen.add(s);
    if (seen.size > MOST_OF_NUMBERS) return false;
  }
  return true;
}

const NULLARY: ReadonlySet<string> = new Set(['const', 'iota']);
const NONE: readonly Node[] = [];
const NO_STORAGES: ReadonlySet<Storage> = new Set();

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

/** Why a storage has no buffer. */
export function freedError(storage: Storage): Error {
  return (
    storage.failure ??
    new StaleTensorError(`read: ${nameOf(storage)} was freed. Do not use a tensor after its dispose.`)
  );
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

const NO_GRADIENTS = (): readonly unknown[] => [];

/** A node's argument without what belongs to somebody: numbers are asked for elsewhere, and derivatives have been taken. */
function withoutTensors(node: Node): unknown {
  if (isOp(node, 'scalar')) return { value: node.arg.value };
  if (isOp(node, 'custom')) return { name: node.arg.name, backward: NO_GRADIENTS };
  return node.arg;
}

/** A copy whose leaves and scalars hold nothing; same order, same slots. */
export function snapshot({ order, narrowed }: Pick<LinearGraph, 'order' | 'narrowed'>): Node[] {
  const copies: Node[] = [];
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    const isInput = node.storage !== undefined || node.op === 'leaf';
    const shape = narrowed?.inputs.get(node)?.shape ?? node.shape;
    const slice = narrowed?.slices.get(node);
    copies.push({
      ...node,
      shape,
      size: sizeOf(shape),
      op: isInput ? 'leaf' : node.op,
      arg: (isInput ? null : (slice ?? withoutTensors(node))) as never, // as `op` wants it, which the type cannot follow
      src: isInput ? [] : node.src.map((s) => copies[s.slot]),
      requiresGrad: false,
      storage: undefined,
      slot: i,
      next: undefined, // a neighbour in the table of nodes, which holds somebody's tensors
    });
  }
  newStamp();
  return copies;
}
