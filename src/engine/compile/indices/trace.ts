// A dry run of a kernel's expression: starting from one element of a node, follow the graph down to where numbers come
// from, and report every place on the way. Fusion uses it to see whether two nodes can share a loop nest (does the
// consumer read the producer's value of the same iteration?), scheduling to see which axis is contiguous.
// Input: a node and a symbolic index. Output: calls to a visitor. Makes no code.

import { InternalError } from '../../ir/errors.js';
import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';
import { type Index, atomIndex, dynamic, flatten } from './index-expr.js';
import { broadcastIndex, readsOf } from './movement.js';

/** A materialised node is computed by a kernel and stored, or is an input. */
export type IsMaterialised = (node: Node) => boolean;

export interface TraceVisitor {
  /** A materialised node is read at `index`. Return true to go on below it as if it were not materialised. */
  materialised(node: Node, index: readonly Index[]): boolean;
  /** An integer that some condition or value depends on (padding, iota, random counters). */
  integer?(index: Index): void;
  /** A product that is computed again wherever it is needed (stream.ts) is read at `index`. */
  streamed?(node: Node, index: readonly Index[]): void;
  /** Any node that is computed on the way. */
  computed?(node: Node, index: readonly Index[]): void;
}

export function indexKey(index: readonly Index[]): string {
  let key = '';
  for (const i of index) key += `${i.key},`;
  return key;
}

/** The key of the run-time index that `gather` reads at `index`. */
export function gatherKey(node: Node, index: readonly Index[]): string {
  return `g${node.slot}(${indexKey(index)})`;
}

/** What a run-time index of a dry run stands for: the integer that `node` has at `index`. */
interface Lookup {
  readonly node: Node;
  readonly index: readonly Index[];
}

/** Where the run-time parts of an index of a dry run are read: the index moves with each of these. */
export function lookupsOf(x: Index, isMaterialised: IsMaterialised): Index[] {
  const found: Index[] = [];
  for (const { atom } of x.terms) {
    if (atom.kind !== 'dynamic') {
      if (atom.kind !== 'axis') found.push(...lookupsOf(atom.x, isMaterialised));
      continue;
    }
    const { node, index } = atom.value as Lookup; // as `trace` makes them
    trace(node, index, isMaterialised, {
      materialised(n, at) {
        found.push(flatten(at, n.shape));
        return false;
      },
      integer: (at) => found.push(at),
    });
  }
  return found;
}

export function trace(
  node: Node,
  index: readonly Index[],
  isMaterialised: IsMaterialised,
  visitor: TraceVisitor,
): void {
  const seen = new Set<string>();
  const walk = (n: Node, at: readonly Index[]): void => {
    const key = `${n.slot}:${indexKey(at)}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (n.op === 'leaf' || isMaterialised(n)) {
      if (!visitor.materialised(n, at)) return;
      if (n.op === 'leaf') return;
    }
    visitor.computed?.(n, at);
    switch (OP_CLASS[n.op]) {
      case 'leaf':
        if (n.op === 'iota') visitor.integer?.(at[0]);
        if (n.op === 'random') {
          visitor.integer?.(flatten(at, n.shape));
          for (const s of n.src) walk(s, []);
        }
        return;
      case 'unary':
      case 'binary':
      case 'map':
        for (const s of n.src) walk(s, broadcastIndex(at, s.shape));
        return;
      case 'identity':
        walk(n.src[0], at);
        return;
      case 'movement':
        if (isOp(n, 'gather')) {
          walk(n.src[1], at);
          const inner = [...at];
          const lookup: Lookup = { node: n.src[1], index: at };
          inner[n.arg.axis] = atomIndex(dynamic(lookup, n.src[0].shape[n.arg.axis], gatherKey(n, at)));
          walk(n.src[0], inner);
          return;
        }
        followReads(n, at);
        return;
      case 'reduce':
        if (n.op === 'fold') {
          followReads(n, at);
          return;
        }
        for (const s of n.src) walk(s, at); // reached only where the visitor goes on below a reduction
        return;
      case 'kernel':
        if (n.op === 'matmul') {
          visitor.streamed?.(n, at);
          return;
        }
        throw new InternalError(`compile: ${n.op} has no memory and is none that can be streamed.`);
      default:
        throw new InternalError(`compile: ${n.op} was reached inside a kernel's expression.`);
    }
  };
  const followReads = (n: Node, at: readonly Index[]): void => {
    for (const read of readsOf(n, at)) {
      for (const g of read.guards) visitor.integer?.(g.index);
      walk(read.src, read.index);
    }
  };
  walk(node, index);
}
