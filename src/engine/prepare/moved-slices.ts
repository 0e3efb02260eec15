// Programs that differ only in where slices of their inputs begin. The first one is compiled as it stands, because what the
// compiler finds out about slices of one tensor (parts of a whole, steps of a recurrence) depends on where they begin. When
// a second one is asked for, those slices that begin elsewhere become inputs of their own, which begin where the slice
// does: one program for all places from then on. (Slices of a stretch along the first axis need none of this: narrow-inputs.)
// Input: a graph. Output: the key and the graph of the program that serves it, or nothing.

import type { Graph } from '../device/device.js';
import { type LinearGraph, sameKey, snapshot } from '../ir/graph/linearise.js';
import { type Node, isOp, structureWith } from '../ir/node.js';
import type { OpArgs } from '../ir/op.js';
import { RecentMap } from '../ir/recent-map.js';
import { stridesOf } from '../ir/shape.js';

/** More slices that begin elsewhere are left as they are: as inputs of their own they would no longer be parts of one tensor. */
const MOST_MOVED = 8;

/** A slice of an input: its node, its place in the key, its argument in the program. */
interface Candidate {
  readonly node: Node<'slice'>;
  readonly at: number;
  readonly arg: OpArgs['slice'];
}

/** What is known of the programs that are equal but for where slices begin. */
interface Family {
  readonly key: Int32Array;
  readonly starts: readonly (readonly number[])[];
  readonly moved: Set<number>;
}

/** A slice that is an input of its own. */
export interface MovedSlice {
  readonly node: Node<'slice'>;
  /** Its argument within that input. */
  readonly arg: OpArgs['slice'];
  /** Elements from the beginning of the input that it was cut from. */
  readonly offset: number;
}

const families = new RecentMap<number, Family>(2048);

export interface Moved {
  readonly slices: readonly MovedSlice[];
  /** Of the graph, with the places of these slices left open. */
  readonly key: Int32Array;
  readonly hash: number;
}

/** The slices that have to be inputs; undefined if the graph stands for itself. */
export function movedSlices(graph: LinearGraph): Moved | undefined {
  const candidates = candidatesOf(graph);
  if (candidates.length === 0) return undefined;
  const open = graph.key.slice();
  for (const { node, at, arg } of candidates) open[at] = structureAtOrigin(node, arg);
  const hash = hashOf(open);
  const family = families.get(hash);
  if (family === undefined || !sameKey(family.key, open)) {
    families.set(hash, { key: open, starts: candidates.map(({ arg }) => arg.start), moved: new Set() });
    return undefined;
  }
  const moved = candidates.flatMap(({ arg }, i) =>
    family.moved.has(i) || arg.start.some((s, d) => s !== family.starts[i][d]) ? [i] : [],
  );
  if (moved.length > MOST_MOVED) return undefined;
  for (const i of moved) family.moved.add(i);
  const key = new Int32Array(graph.key.length + moved.length + 1);
  key.set(graph.key);
  moved.forEach((i, n) => {
    key[candidates[i].at] = open[candidates[i].at];
    key[graph.key.length + n] = i;
  });
  key[key.length - 1] = MARK;
  return { slices: moved.map((i) => withOffset(candidates[i])), key, hash: hashOf(key) };
}

function hashOf(key: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i], 0x01000193);
  return hash;
}

/** No key of another kind ends like this. */
const MARK = -0x7fffffff;

function candidatesOf({ order, narrowed, overwritten }: LinearGraph): Candidate[] {
  const found: Candidate[] = [];
  let at = 0;
  for (const node of order) {
    const isInput = node.storage !== undefined || node.op === 'leaf';
    if (!isInput && isOp(node, 'slice') && node.size > 0) {
      const [x] = node.src;
      const storage = x.storage ?? (isOp(x, 'leaf') ? x.arg.storage : undefined);
      if (storage !== undefined && !overwritten.has(storage))
        found.push({ node, at, arg: narrowed?.slices.get(node) ?? node.arg });
    }
    at += 1 + (isInput ? 0 : node.src.length);
  }
  return found;
}

/** As near to the first element as the slice can be. */
function atOrigin({ size, step }: OpArgs['slice']): number[] {
  return step.map((s, d) => (s < 0 ? -s * (size[d] - 1) : 0));
}

function structureAtOrigin(node: Node, arg: OpArgs['slice']): number {
  return structureWith('slice', { ...arg, start: atOrigin(arg) }, node.shape, node.dtype);
}

function withOffset({ node, arg }: Candidate): MovedSlice {
  const start = atOrigin(arg);
  const strides = stridesOf(node.src[0].shape); // narrowing changes the first axis alone, and no stride
  const offset = start.reduce((sum, s, d) => sum + (arg.start[d] - s) * strides[d], 0);
  return { node, arg: { ...arg, start }, offset };
}

/** The graph in which each of the slices reads an input of its own; these come last. */
export function graphOfMoved(
  graph: LinearGraph,
  moved: readonly MovedSlice[],
): Pick<Graph, 'nodes' | 'inputs'> & { readonly copies: readonly Node[] } {
  const copies = snapshot(graph);
  const nodes: Node[] = [];
  const own = new Map(moved.map((m) => [m.node.slot, m]));
  const added: Node[] = [];
  copies.forEach((copy, slot) => {
    const slice = own.get(slot);
    if (slice !== undefined) {
      const [whole] = copy.src;
      const strides = stridesOf(whole.shape);
      const { size, step } = slice.arg;
      // It ends with the last element that is read: nobody may look beyond.
      const length = size.reduce((n, count, d) => n + (count - 1) * Math.abs(step[d]) * strides[d], 1);
      const part: Node = { ...whole, src: [], size: length, slot: nodes.length };
      nodes.push(part);
      added.push(part);
      copy.src = [part];
      Object.assign(copy, { arg: slice.arg });
    }
    copy.slot = nodes.length;
    nodes.push(copy);
  });
  return { nodes, copies, inputs: [...graph.inputs.map((n) => copies[n.slot]), ...added] };
}
