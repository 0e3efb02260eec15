// Graph nodes: immutable, interned. A node is an operator applied to nodes; numbers come later.
// `createNode` is the only way to make one: structure (operator, arguments, shape, dtype) is interned for as long as it
// is in use, nodes (structure + operands) until the next run of the engine. Two nodes of one graph that mean the
// same are therefore the same object (common subexpressions cost nothing), and a program's key is a list of integers.
// Not here: shape rules (infer.ts), simplification (build.ts).

import { type DType, isFloat } from './dtype.js';
import type { Op, OpArgs } from './op.js';
import { ArgumentError } from './errors.js';
import { RecentMap } from './recent-map.js';
import { type Shape, checkShape, sizeOf } from './shape.js';
import type { Storage } from './storage.js';

/** What two structurally equal nodes share. */
export interface Structure {
  readonly id: number;
  readonly op: Op;
  readonly dtype: DType;
  /** Frozen, since every tensor of this shape hands it out. */
  readonly shape: Shape;
  readonly size: number;
  /** A frozen copy: a list that the caller changes later changes nothing here. */
  readonly arg: object | null;
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
  /** How often it was computed as part of other results, without being stored. */
  runs: number;
  /** Made while differentiating. */
  readonly isGradient: boolean;
  /** Scratch of the walk in progress: which walk, and the node's number in it. */
  stamp: number;
  slot: number;
  /** Its place in the table of interned nodes. */
  readonly hash: number;
  next: Node | undefined;
}

// ---------------------------------------------------------------- structures

/**
 * Structures that are remembered. One that was forgotten gets another number when it is met again: nodes are then not found
 * to be equal to older ones, and a program is compiled once more; nothing becomes wrong.
 */
const STRUCTURES = 1 << 15;
let nextStructure = 1;
const byText = new RecentMap<string, Structure>(STRUCTURES);
/** Structures without arguments, by operator, dtype and shape: the common case, found without building a text. */
const byNumber = new RecentMap<number, Structure>(STRUCTURES);
const opNumber = new Map<Op, number>();
/** Numbers of the shapes that structures hold; builders mostly pass those on, so identity finds them. */
const shapeNumber = new WeakMap<Shape, number>();
const shapesByText = new RecentMap<string, Shape>(STRUCTURES);
let nextShape = 1;
const DTYPE_NUMBER: Record<DType, number> = {
  float32: 0,
  int32: 1,
  bool: 2,
  float64: 3,
  uint8: 4,
  float16: 5,
  bfloat16: 6,
};

function canonicalShape(shape: Shape): Shape {
  if (shapeNumber.has(shape)) return shape;
  const text = shape.join();
  let found = shapesByText.get(text);
  if (found === undefined) {
    found = Object.freeze([...shape]);
    shapesByText.set(text, found);
    shapeNumber.set(found, nextShape++);
  }
  return found;
}

/** A text that is equal for equal arguments; leaves and scalars are told apart by identity instead. */
function argKey(arg: object | null): string {
  if (arg === null) return '';
  let key = '';
  for (const value of Object.values(arg)) key += Array.isArray(value) ? `[${value.join()}]` : `${value};`;
  return key;
}

function structureOf(op: Op, arg: object | null, anyShape: Shape, dtype: DType): Structure {
  const shape = canonicalShape(anyShape);
  const hasOwnArg = arg !== null && op !== 'leaf' && op !== 'scalar' && op !== 'custom';
  if (hasOwnArg) {
    const key = `${op}|${dtype}|${shapeNumber.get(shape)}|${argKey(arg)}`;
    let found = byText.get(key);
    if (found === undefined) byText.set(key, (found = newStructure(op, dtype, shape, frozenCopy(op, arg))));
    return found;
  }
  let number = opNumber.get(op);
  if (number === undefined) opNumber.set(op, (number = opNumber.size));
  const key = ((shapeNumber.get(shape) as number) * 128 + number) * 8 + DTYPE_NUMBER[dtype];
  let found = byNumber.get(key);
  if (found === undefined) byNumber.set(key, (found = newStructure(op, dtype, shape, null)));
  return found;
}

/** Of the numbers and lists of numbers that an operator carries; positions and sizes are whole numbers. */
function frozenCopy(op: Op, arg: object): object {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(arg)) {
    if (!Array.isArray(value)) copy[name] = value;
    else {
      if (!value.every(Number.isSafeInteger))
        throw new ArgumentError(`${op}: ${name} [${value.join(', ')}] is not a list of whole numbers.`);
      copy[name] = Object.freeze([...value]);
    }
  }
  return Object.freeze(copy);
}

/** The structure of an input of this shape: of a leaf, and of a node whose numbers are known. */
export function inputStructure(shape: Shape, dtype: DType): number {
  return structureOf('leaf', null, shape, dtype).id;
}

/** The structure that a node of this shape would have with another argument. */
export function structureWith<O extends Op>(op: O, arg: OpArgs[O], shape: Shape, dtype: DType): number {
  return structureOf(op, arg as object | null, shape, dtype).id;
}

/** The last word on shapes: kernels count elements with 32 bits, and would read and write elsewhere. */
function newStructure(op: Op, dtype: DType, shape: Shape, arg: object | null): Structure {
  checkShape(shape, op);
  return { id: nextStructure++, op, dtype, shape, size: sizeOf(shape), arg };
}

// ---------------------------------------------------------------- nodes

/** Hash table of the nodes that exist: chains of nodes with one hash. */
const FEWEST_BUCKETS = 2048;
/** Graphs that nobody ever computes must not be held for ever: from so many nodes on, the table starts anew. */
const MOST_INTERNED = 1 << 20;
let buckets: (Node | undefined)[] = new Array<Node | undefined>(FEWEST_BUCKETS).fill(undefined);
/** The nodes in the table: emptying it costs as much as they are, not as the table is. */
let interned: Node[] = [];
let nextNode = 1;

let differentiating = 0;

/** Nodes made by `body` are marked as parts of a derivative. */
export function markGradients<T>(body: () => T): T {
  differentiating++;
  try {
    return body();
  } finally {
    differentiating--;
  }
}

function hashOf(structure: number, identity: number, src: readonly Node[]): number {
  let hash = Math.imul(structure ^ Math.imul(identity, 0x9e3779b1), 0x85ebca6b);
  for (let i = 0; i < src.length; i++) hash = Math.imul(hash ^ src[i].id, 0x01000193) + i;
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** What tells two leaves apart: their storage, its version, and whether gradients are wanted. */
function leafIdentity({ storage, version }: OpArgs['leaf']): number {
  return Math.imul(storage.id, 0x2545f491) ^ (version * 2 + (storage.requiresGrad ? 1 : 0));
}

function isSame(node: Node, op: Op, structure: number, arg: unknown, src: readonly Node[]): boolean {
  if (node.structure !== structure || node.src.length !== src.length) return false;
  for (let i = 0; i < src.length; i++) if (node.src[i] !== src[i]) return false;
  if (op !== 'leaf') return true;
  const [a, b] = [node.arg as OpArgs['leaf'], arg as OpArgs['leaf']];
  return (
    a.storage === b.storage &&
    a.version === b.version &&
    node.requiresGrad === (b.storage.requiresGrad && isFloat(node.dtype))
  );
}

function grow(): void {
  buckets = new Array<Node | undefined>(buckets.length * 4).fill(undefined);
  for (const node of interned) {
    const at = node.hash % buckets.length;
    node.next = buckets[at];
    buckets[at] = node;
  }
}

/**
 * Makes a node, or returns the one that already means this. Shape and dtype are the caller's word (build.ts).
 * `isVariable` makes a gradient flow to it even where its operands need none.
 */
export function createNode<O extends Op>(
  op: O,
  src: readonly Node[],
  arg: OpArgs[O],
  shape: Shape,
  dtype: DType,
  isVariable = false,
): Node<O> {
  const structure = structureOf(op, arg as object | null, shape, dtype);
  // A scalar is never shared: two learning rates that happen to be equal today stay two arguments.
  const unique = op === 'scalar' || op === 'custom';
  const hash = unique ? 0 : hashOf(structure.id, op === 'leaf' ? leafIdentity(arg as OpArgs['leaf']) : 0, src);
  if (!unique) {
    for (let n = buckets[hash % buckets.length]; n !== undefined; n = n.next) {
      if (n.hash === hash && isSame(n, op, structure.id, arg, src)) return n as Node<O>;
    }
  }
  let requiresGrad = isVariable || (op === 'leaf' && (arg as OpArgs['leaf']).storage.requiresGrad);
  let depth = 0;
  let device = op === 'leaf' ? (arg as OpArgs['leaf']).storage.device : undefined;
  for (let i = 0; i < src.length; i++) {
    const s = src[i];
    if (s.requiresGrad && op !== 'detach') requiresGrad = true;
    if (s.storage === undefined && s.depth >= depth) depth = s.depth + 1;
    device ??= s.device;
  }
  const node: Node<O> = {
    id: nextNode++,
    op,
    arg: structure.arg === null ? arg : (structure.arg as OpArgs[O]),
    shape: structure.shape,
    dtype,
    size: structure.size,
    structure: structure.id,
    requiresGrad: requiresGrad && isFloat(dtype),
    depth,
    device,
    src,
    storage: undefined,
    runs: 0,
    isGradient: differentiating > 0,
    stamp: 0,
    slot: 0,
    hash,
    next: undefined,
  };
  if (!unique) {
    if (interned.length >= MOST_INTERNED) clearInterned();
    if (interned.length > buckets.length) grow();
    const at = hash % buckets.length;
    node.next = buckets[at];
    buckets[at] = node as Node;
    interned.push(node as Node);
  }
  return node;
}

/** Forgets which nodes exist (not the nodes themselves); the engine calls it after each run. */
export function clearInterned(): void {
  if (interned.length === 0) return;
  // Chains are cut, so that a node that lives on does not keep its neighbours alive.
  for (const node of interned) {
    node.next = undefined;
    buckets[node.hash % buckets.length] = undefined;
  }
  interned = [];
}

/** From now on an equal expression is a node of its own. */
export function forget(node: Node): void {
  const at = interned.indexOf(node);
  if (at < 0) return;
  interned[at] = interned[interned.length - 1];
  interned.pop();
  const bucket = node.hash % buckets.length;
  let before: Node | undefined;
  for (let n = buckets[bucket]; n !== undefined && n !== node; n = n.next) before = n;
  if (before === undefined) buckets[bucket] = node.next;
  else before.next = node.next;
  node.next = undefined;
}

export function internedCount(): number {
  return interned.length;
}

/** How many structures are remembered: for tests that they do not grow for ever. */
export function structureCount(): number {
  return byText.size + byNumber.size;
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
