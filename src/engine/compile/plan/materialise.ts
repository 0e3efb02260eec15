// Which nodes get memory. Everything else is virtual: recomputed inside the kernels that use it.
// Materialised are outputs, reductions, kernels of their own and what those read, and values that would cost more to
// recompute than to store. A node marked here that turns out to be used only inside the kernel that computes it is
// never stored (fuse.ts).
// Input: the nodes of a graph in order. Output: the set of materialised nodes.

import { STORE_COST, costOf } from './costs.js';
import { baseOfView, isContraction } from '../graph/kinds.js';
import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';
import { type Shape, sameShape } from '../../ir/shape.js';
import { isTiling, isWideConcat } from '../indices/movement.js';

/** So is reading more arrays of its size than this again. */
const MOST_READ = 3;
/**
 * A virtual expression is cut where it gets longer or deeper than this, reads more, or reshapes what is reshaped (each time,
 * the integers that say where an element lies can get twice as long): so no kernel grows without bound, and what follows
 * an expression by recursion does not go deep.
 */
const LONGEST_EXPRESSION = 160;
const DEEPEST_EXPRESSION = 192;
/** Of which an operator that is not cut itself, a concatenation of few parts, may have seven times as many. */
const MOST_READS = 128;
const MOST_RESHAPES = 8;

function isElementwise({ op }: Node): boolean {
  return OP_CLASS[op] === 'unary' || OP_CLASS[op] === 'binary' || OP_CLASS[op] === 'map';
}

/** How far a virtual expression reaches, shared parts counted once a use. */
interface Extent {
  readonly depth: number;
  /** Arrays and numbers that it reads. */
  readonly reads: number;
  readonly reshapes: number;
}

const STORED: Extent = { depth: 0, reads: 1, reshapes: 0 };
const NOTHING: Extent = { depth: 0, reads: 0, reshapes: 0 };

function extentOf(node: Node, below: (s: Node) => Extent): Extent {
  let [depth, reads, reshapes] = [0, 0, 0];
  for (const s of node.src) {
    const operand = below(s);
    depth = Math.max(depth, operand.depth);
    reads += operand.reads;
    reshapes = Math.max(reshapes, operand.reshapes);
  }
  const isReshape = node.op === 'reshape' && !sameShape(withoutOnes(node.shape), withoutOnes(node.src[0].shape));
  return { depth: depth + 1, reads, reshapes: reshapes + (isReshape ? 1 : 0) };
}

function withoutOnes(shape: Shape): Shape {
  return shape.filter((n) => n !== 1);
}

function isTooLarge({ depth, reads, reshapes }: Extent): boolean {
  return depth > DEEPEST_EXPRESSION || reads > MOST_READS || reshapes > MOST_RESHAPES;
}

/** `streamed` nodes get no memory whatever they cost. */
export function materialise(
  nodes: readonly Node[],
  outputs: readonly Node[],
  streamed: ReadonlySet<Node> = new Set(),
): Set<Node> {
  const marked = new Set<Node>();
  const mark = (n: Node) => {
    if (OP_CLASS[n.op] !== 'leaf' && !streamed.has(n)) marked.add(n);
  };
  const uses = new Map<Node, number>();
  const repeated = new Set<Node>(); // read by something larger: each element is used several times
  for (const node of nodes) {
    for (const s of node.src) {
      uses.set(s, (uses.get(s) ?? 0) + 1);
      if (node.size > s.size) repeated.add(s);
    }
    if (OP_CLASS[node.op] === 'kernel') {
      mark(node);
      // Routines of matrices walk their operands as they lie in memory.
      for (const s of node.src) mark(node.op === 'dense' ? s : baseOfView(s));
    } else if ((OP_CLASS[node.op] === 'reduce' && node.op !== 'fold') || isWideConcat(node)) {
      mark(node);
    } else if ((isOp(node, 'window') || isOp(node, 'fold')) && !isTiling(node)) {
      const base = baseOfView(node.src[0]);
      if (OP_CLASS[base.op] !== 'leaf') mark(base);
    }
  }
  for (const node of outputs) mark(node);
  const isOutput = new Set(outputs);
  const ends = new Set(nodes.filter((n) => isContraction(n) && marked.has(n) && !isOutput.has(n)));

  // Cost of the virtual expression below each node, counting shared parts once a use: an upper bound is enough.
  const cost = new Map<Node, number>();
  const extents = new Map<Node, Extent>();
  const arrays = new Map<Node, ReadonlySet<Node>>(); // of at least its size that it is computed from
  for (const node of nodes) {
    let total = OP_CLASS[node.op] === 'movement' || OP_CLASS[node.op] === 'leaf' ? 0 : costOf(node.op);
    if (node.op === 'random') total = costOf('random');
    for (const s of node.src) total += marked.has(s) ? 0 : (cost.get(s) as number);
    const isStored = (s: Node) => marked.has(s) || OP_CLASS[s.op] === 'leaf';
    const read = new Set<Node>();
    for (const s of node.src) {
      for (const a of isStored(s) ? [s] : (arrays.get(s) as ReadonlySet<Node>)) if (a.size >= node.size) read.add(a);
    }
    arrays.set(node, read);
    const extent = extentOf(node, (s) => {
      if (s.op === 'const' || s.op === 'iota') return NOTHING;
      return isStored(s) ? STORED : (extents.get(s) as Extent);
    });
    const reused = (uses.get(node) ?? 0) > 1;
    // Computed where a product that nobody else reads ends, and stored in its place.
    if (isElementwise(node) && node.src.some((s) => s.size === node.size && ends.has(s) && uses.get(s) === 1)) {
      ends.add(node);
    }
    const worthStoring =
      (reused && (total > STORE_COST || read.size > MOST_READ || ends.has(node))) ||
      (repeated.has(node) && total >= 3) ||
      total > LONGEST_EXPRESSION;
    const mayStore = isElementwise(node) || ['fold', 'random', 'concat'].includes(node.op);
    if ((worthStoring && mayStore) || isTooLarge(extent)) mark(node);
    cost.set(node, marked.has(node) ? 0 : total);
    extents.set(node, extent);
  }
  return marked;
}
