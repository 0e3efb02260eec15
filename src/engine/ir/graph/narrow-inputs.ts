// Where a slice begins is an argument of a program, not a part of it: `x.slice(0, i, i + n)` in a loop over i is one program.
// An input of which only slices are read is replaced by the stretch that they cover along its first axis, a smaller input
// that begins somewhere in the same memory. What the slices read stays where it is relative to one another, so that a
// recurrent network that reads one input step by step is compiled as before.
// Input: a graph in order. Output: shapes and first elements of such inputs, the slices' arguments and structures.

import { type Node, inputStructure, isOp, structureWith } from '../node.js';
import type { OpArgs } from '../op.js';
import { type Shape, stridesOf } from '../shape.js';
import type { Storage } from '../storage.js';

export interface Narrowed {
  /** By input: its shape in the program, and the element of its storage that it begins with. */
  readonly inputs: ReadonlyMap<Node, { readonly shape: Shape; readonly offset: number }>;
  /** Arguments of slices of these. */
  readonly slices: ReadonlyMap<Node, OpArgs['slice']>;
  /** Structures of both. */
  readonly structures: ReadonlyMap<Node, number>;
}

const isInput = (node: Node): boolean => node.storage !== undefined || node.op === 'leaf';

export function narrowInputs(
  order: readonly Node[],
  roots: readonly Node[],
  overwritten: ReadonlySet<Storage>,
): Narrowed | undefined {
  const slicesOf = new Map<Node, Node<'slice'>[]>();
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    if (node.storage !== undefined || !isOp(node, 'slice') || !isInput(node.src[0])) continue;
    const known = slicesOf.get(node.src[0]);
    if (known === undefined) slicesOf.set(node.src[0], [node]);
    else known.push(node);
  }
  if (slicesOf.size === 0) return undefined;
  for (const root of roots) slicesOf.delete(root);
  for (const node of order) {
    if (isInput(node)) {
      if (overwritten.has(storageOf(node))) slicesOf.delete(node);
    } else if (node.op !== 'slice') {
      // The inputs of an operator with a derivative of its own are there for the derivative.
      const operands = node.op === 'custom' ? 1 : node.src.length;
      for (let j = 0; j < operands; j++) slicesOf.delete(node.src[j]);
    }
  }
  const inputs = new Map<Node, { shape: Shape; offset: number }>();
  const slices = new Map<Node, OpArgs['slice']>();
  const structures = new Map<Node, number>();
  for (const [input, own] of slicesOf) {
    const axis = input.shape.findIndex((n) => n !== 1);
    const range = axis < 0 ? undefined : rangeAlong(own, axis);
    if (range === undefined || (range.from === 0 && range.to === input.shape[axis])) continue;
    const shape = input.shape.map((n, d) => (d === axis ? range.to - range.from : n));
    inputs.set(input, { shape, offset: range.from * stridesOf(input.shape)[axis] });
    structures.set(input, inputStructure(shape, input.dtype));
    for (const node of own) {
      const start = node.arg.start.map((s, d) => (d === axis ? s - range.from : s));
      const arg = { ...node.arg, start };
      slices.set(node, arg);
      structures.set(node, structureWith('slice', arg, node.shape, node.dtype));
    }
  }
  return inputs.size === 0 ? undefined : { inputs, slices, structures };
}

function storageOf(input: Node): Storage {
  return input.storage ?? (input as Node<'leaf'>).arg.storage;
}

/** The positions of `axis` that any of the slices reads; undefined where one of them is empty. */
function rangeAlong(slices: readonly Node<'slice'>[], axis: number): { from: number; to: number } | undefined {
  let [from, to] = [Infinity, 0];
  for (const { arg, size } of slices) {
    if (size === 0) return undefined;
    const first = arg.start[axis];
    const last = first + (arg.size[axis] - 1) * arg.step[axis];
    from = Math.min(from, first, last);
    to = Math.max(to, first + 1, last + 1);
  }
  return { from, to };
}
