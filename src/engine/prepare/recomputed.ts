// What would be computed again and again: a state that is carried on from read to read (`h = out.h`, a running total, the
// position of a chain) while only what follows from it is read. Nobody asked for its numbers, so every read would compute it
// from the beginning, and compile a longer program each time. A node that is about to be computed for the third time, for
// something new, is computed as a result of this run instead, and from then on its numbers are there. What hangs on such a
// state is stored when it is computed for the second time.
// Input: the nodes of a run in order. Output: those of them that are to be stored. It must not know programs or tensors.

import type { DeviceMemory } from '../device/device.js';
import { bytesOf } from '../ir/dtype.js';
import type { Node } from '../ir/node.js';
import { OP_CLASS, type OpClass } from '../ir/op.js';

/** Computing a node costs at least so much, all that it needs included, or it is not worth memory. */
const WORTH_STORING = 8;
const COST: Readonly<Record<OpClass, number>> = {
  leaf: 0,
  unary: 1,
  binary: 1,
  map: 1,
  movement: 0,
  reduce: WORTH_STORING,
  kernel: WORTH_STORING,
  identity: 0,
};
/** More nodes than that are no state that somebody carries on. */
const MOST_STORED = 256;
/** Of the memory that is free, at most one part in so many is spent on it. */
const SHARE = 8;

/** Results that were stored because of this. */
const carried = new WeakSet<Node>();

const isInput = (node: Node): boolean => node.storage !== undefined || node.op === 'leaf';

/**
 * The nodes of a run that are to be stored besides what is `wanted`. Where the run is one portion of several (`isCut`), what
 * an earlier portion has computed is stored at once, whatever it is needed for.
 */
export function recomputed(
  order: readonly Node[],
  wanted: readonly Node[],
  memory: DeviceMemory,
  isCut = false,
): Node[] {
  if (!order.some((n) => n.runs > 0)) return [];
  const cost = new Int32Array(order.length);
  /** Whether it hangs on a carried state. */
  const hangs = new Uint8Array(order.length);
  const found = new Set<Node>();
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    if (isInput(node)) {
      if (carried.has(node)) hangs[i] = 1;
      continue;
    }
    let sum = node.op === 'random' ? WORTH_STORING : COST[OP_CLASS[node.op]];
    for (let j = 0; j < node.src.length; j++) {
      const source = node.src[j];
      const { slot } = source;
      sum += cost[slot];
      if (hangs[slot] === 1) hangs[i] = 1;
      const often = isCut || hangs[slot] === 1 ? 1 : 2;
      if (source.runs < often || source.runs <= node.runs || isInput(source)) continue;
      if (node.isGradient && !isCut) continue; // it needs all that its function has computed: that is no state
      if (cost[slot] >= WORTH_STORING) found.add(withoutRepeats(source));
    }
    cost[i] = Math.min(sum, WORTH_STORING);
  }
  if (found.size === 0) return [];
  for (const node of wanted) found.delete(node);
  const nodes = [...found].filter((n) => !isInput(n));
  const bytes = nodes.reduce((total, { size, dtype }) => total + size * bytesOf(dtype), 0);
  if ((nodes.length > MOST_STORED && !isCut) || bytes * SHARE > memory.limitBytes - memory.usedBytes) return [];
  for (const node of nodes) carried.add(node);
  return nodes;
}

/** What is behind a value that only repeats another one, or adds zeros around it: less to store. */
function withoutRepeats(node: Node): Node {
  let least = node;
  for (let n = node; OP_CLASS[n.op] === 'movement' || OP_CLASS[n.op] === 'identity';) {
    [n] = n.src;
    if (n.size < least.size) least = n;
    if (isInput(n)) break;
  }
  return least;
}

/** The nodes of a run that was made: what has not been stored will be computed again if it is needed again. */
export function countRun(order: readonly Node[]): void {
  for (let i = 0; i < order.length; i++) if (order[i].storage === undefined && order[i].src.length > 0) order[i].runs++;
}
