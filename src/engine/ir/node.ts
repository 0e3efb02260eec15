// Graph nodes: immutable, interned. A node is an operator applied to nodes; numbers come later.
// `createNode` is the only way to make one: structure (operator, arguments, shape, dtype) is interned for the life of
// the process, nodes (structure + operands) until the next run of the engine. Two nodes of one graph that mean the
// same are therefore the same object (common subexpressions cost nothing), and a program's key is a list of integers.
// Not here: shape rules (infer.ts), simplification (build.ts).

import type { DType } from './dtype.js';
import type { Op, OpArgs } from './op.js';
import { type Shape, sizeOf } from './shape.js';
import type { Storage } from './storage.js';

/** What two structurally equal nodes share. */
export interface Structure {
  readonly id: number;
  readonly op: Op;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly size: number;
}

export interface Node<O extends Op = Op> {
  readonly id: number;
  readonly op: O;
  readonly arg: OpArgs[O];
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;
  readonly structure: number;
  /** A gradient can flow from here to some leaf. */
  readonly requiresGrad: boolean;
  /** Nodes on the longest path down to a leaf that is not yet realised. */
  readonly depth: number;
  readonly device: string | undefined;
  src: readonly Node[];
  /** The result, once the engine has computed it; from then on the node is read like a leaf. */
  storage: Storage | undefined;
  /** Scratch of the walk in progress: which walk, and the node's number in it. */
  stamp: number;
  slot: number;
}

const structures = new Map<string, Structure>();
const interned = new Map<string, Node>();
let nextNode = 1;

/** A text that is equal for equal arguments; leaves and scalars are told apart by identity instead. */
function argKey(arg: object | null): string {
  if (arg === null) return '';
  let key = '';
  for (const value of Object.values(arg)) key += Array.isArray(value) ? `[${value.join()}]` : `${value};`;
  return key;
}

function structureOf(op: Op, arg: object | null, shape: Shape, dtype: DType): Structure {
  const own = op === 'leaf' || op === 'scalar' || op === 'custom' ? null : arg;
  const key = `${op}|${dtype}|${shape.join()}|${argKey(own)}`;
  let found = structures.get(key);
  if (found === undefined) {
    found = { id: structures.size + 1, op, dtype, shape, size: sizeOf(shape) };
    structures.set(key, found);
  }
  return found;
}

function deviceOf(op: Op, arg: unknown, src: readonly Node[]): string | undefined {
  if (op === 'leaf') return (arg as OpArgs['leaf']).storage.device;
  for (const s of src) if (s.device !== undefined) return s.device;
  return undefined;
}

/** Makes a node, or returns the one that already means this. Shape and dtype are the caller's word (infer.ts). */
export function createNode<O extends Op>(
  op: O,
  src: readonly Node[],
  arg: OpArgs[O],
  shape: Shape,
  dtype: DType,
): Node<O> {
  const structure = structureOf(op, arg as object | null, shape, dtype);
  // A scalar is never shared: two learning rates that happen to be equal today stay two arguments.
  const unique = op === 'scalar' || op === 'custom';
  let key = '';
  if (!unique) {
    key = `${structure.id}`;
    if (op === 'leaf') {
      const { storage, version } = arg as OpArgs['leaf'];
      key += `@${storage.id}.${version}${storage.requiresGrad ? 'g' : ''}`;
    }
    for (let i = 0; i < src.length; i++) key += `,${src[i].id}`;
    const found = interned.get(key);
    if (found !== undefined) return found as Node<O>;
  }
  let requiresGrad = op === 'leaf' && (arg as OpArgs['leaf']).storage.requiresGrad;
  let depth = 0;
  for (let i = 0; i < src.length; i++) {
    const s = src[i];
    if (s.requiresGrad && op !== 'detach') requiresGrad = true;
    if (s.storage === undefined && s.depth >= depth) depth = s.depth + 1;
  }
  const node: Node<O> = {
    id: nextNode++,
    op,
    arg,
    shape: structure.shape,
    dtype,
    size: structure.size,
    structure: structure.id,
    requiresGrad: requiresGrad && dtype === 'float32',
    depth,
    device: deviceOf(op, arg, src),
    src,
    storage: undefined,
    stamp: 0,
    slot: 0,
  };
  if (!unique) interned.set(key, node as Node);
  return node;
}

/** Forgets which nodes exist (not the nodes themselves); the engine calls it after each run. */
export function clearInterned(): void {
  interned.clear();
}

export function internedCount(): number {
  return interned.size;
}

export function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return (node.op as Op) === op;
}

let nextStamp = 1;

/** A number that marks the nodes of one walk. */
export function newStamp(): number {
  return nextStamp++;
}

/**
 * Operands before users, each node once. Realised nodes end the walk unless `through` is set.
 * Sets `slot` of every node to its place in the list. Iterative: graphs are deeper than the call stack.
 */
export function topologicalOrder(roots: readonly Node[], through = false): Node[] {
  const stamp = newStamp();
  const order: Node[] = [];
  const stack: Node[] = [];
  const next: number[] = [];
  for (const root of roots) {
    if (root.stamp === stamp) continue;
    root.stamp = stamp;
    stack.push(root);
    next.push(0);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top];
      const src = through || node.storage === undefined ? node.src : EMPTY;
      const i = next[top];
      if (i < src.length) {
        next[top] = i + 1;
        const child = src[i];
        if (child.stamp !== stamp) {
          child.stamp = stamp;
          stack.push(child);
          next.push(0);
        }
      } else {
        node.slot = order.length;
        order.push(node);
        stack.pop();
        next.pop();
      }
    }
  }
  return order;
}

const EMPTY: readonly Node[] = [];
