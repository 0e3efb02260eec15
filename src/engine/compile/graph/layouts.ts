// Operands copied into another order where their consumer would otherwise gather them again and again.
// The input gradient of a convolution sums over output channels and taps, while its weights [out, in, taps] have input
// channels in between: every thread and every block of columns would collect them for itself. One copy [in, out, taps]
// serves all. A matrix that many products of few rows have on the right, as the steps of a recurrent network do, is copied
// into the panels that the inner loop reads, once instead of once a step. What a convolution with a stride reads is copied
// phase by phase (even and odd rows and columns): a tap of neighbouring windows then reads neighbours.
// Input and output: a list of nodes in order, and which of them are such copies (they get memory).

import { type Node, isOp } from '../../ir/node.js';
import { sizeOf } from '../../ir/shape.js';
import type { Target } from '../../loop/target.js';
import { isOneWindow } from '../indices/contraction.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Smaller weights stay in the first-level cache, in whatever order. */
const LEAST_WEIGHTS = 4096;

/** Windows that an element is in, from which its copy pays in any case; otherwise up to so many rows and columns of a result. */
const MANY_TAPS = 4;
const MOST_ROWS = 256;
const MOST_COLUMNS = 1024;

/** Products with at most so many rows, of one large matrix, and how many of them there have to be. */
const FEW_ROWS = 48;
const LEAST_MATRIX = 16 << 10;
const FEWEST_USES = 8;

export interface LaidOut extends Rewritten {
  readonly copies: readonly Node[];
}

export function chooseLayouts(nodes: readonly Node[], target: Target): LaidOut {
  const copies: Node[] = [];
  const columns = target.lanes * target.tileVectors;
  const uses = new Map<Node, number>();
  for (const n of nodes) if (hasFewRows(n, columns)) uses.set(n.src[1], (uses.get(n.src[1]) ?? 0) + 1);
  const inPanels = new Map<Node, Node>();
  const strided = new Set(nodes.flatMap((n) => (readsPhases(n, target) ? [phaseKey(n)] : [])));
  const inPhases = new Map<string, Node>();
  const rewritten = rewrite(nodes, (node, push, original) => {
    if (isWindowed(node) && isWindowed(original) && strided.has(phaseKey(original))) {
      const [x, other] = node.src;
      let view = inPhases.get(phaseKey(original));
      if (view === undefined) {
        const copy = push(copyOf(phasesOf(x, node.arg.stride, push)));
        copies.push(copy);
        inPhases.set(phaseKey(original), (view = imageOf(copy, x, push)));
      }
      return derive(node, node.op, [view, other], node.arg, node.shape);
    }
    if (hasFewRows(original, columns) && (uses.get(original.src[1]) as number) >= FEWEST_USES) {
      const [a, b] = node.src;
      let view = inPanels.get(b);
      if (view === undefined) {
        const copy = push(copyOf(panelsOf(b, columns, push)));
        copies.push(copy);
        inPanels.set(b, (view = push(matrixOf(copy, b, push))));
      }
      return derive(node, 'matmul', [a, view], node.arg, node.shape);
    }
    if (!isOp(node, 'convInput') || isOneWindow(node)) return undefined;
    const [dy, w] = node.src;
    // Strided ones take the taps of one residue at a time: no order has them all side by side.
    if (w.size < LEAST_WEIGHTS || node.arg.stride.some((s) => s !== 1)) return undefined;
    const swapped = push(exchanged(w));
    const copy = push(copyOf(swapped));
    copies.push(copy);
    return derive(node, 'convInput', [dy, push(exchanged(copy))], node.arg, node.shape);
  });
  return { ...rewritten, copies };
}

type Windowed = Node<'conv'> | Node<'convWeight'>;

function isWindowed(node: Node): node is Windowed {
  return isOp(node, 'conv') || isOp(node, 'convWeight');
}

/** What is read, and by which stride. */
function phaseKey({ src, arg }: Windowed): string {
  return `${src[0].slot} ${arg.stride.join()}`;
}

/**
 * Would a convolution gain by reading phases? Where rows of the result are no whole vectors, neighbours would be gathered one by
 * one, by every thread for itself where they share the rows; elsewhere many taps have to repay the copy.
 */
function readsPhases(node: Node, { lanes }: Target): node is Node<'conv'> {
  if (!isOp(node, 'conv')) return false;
  const [x, w] = node.src;
  const { stride, groups } = node.arg;
  const [batch, channels, ...sizes] = node.shape;
  if (groups > 1 || stride.every((s) => s === 1)) return false;
  if (stride.some((s, d) => x.shape[2 + d] % s !== 0)) return false;
  const taps = sizeOf(w.shape.slice(2)) / sizeOf(stride);
  const isGathered = sizes[sizes.length - 1] % lanes !== 0;
  const isSmall = channels <= MOST_ROWS && batch * sizeOf(sizes) <= MOST_COLUMNS;
  return taps >= MANY_TAPS || (taps > 1 && isGathered && isSmall);
}

/** [B, C, H, W] → [B, C, phases of rows, phases of columns, rows, columns] */
function phasesOf(x: Node, stride: readonly number[], push: (n: Node) => Node): Node {
  const split = [...x.shape.slice(0, 2), ...stride.flatMap((s, d) => [x.shape[2 + d] / s, s])];
  const axes = [0, 1, ...stride.map((_, d) => 3 + 2 * d), ...stride.map((_, d) => 2 + 2 * d)];
  const parts = push(derive(x, 'reshape', [x], { shape: split }, split));
  return push(
    derive(
      x,
      'permute',
      [parts],
      { axes },
      axes.map((a) => split[a]),
    ),
  );
}

/** The way back, as a view. */
function imageOf(phases: Node, { shape }: Node, push: (n: Node) => Node): Node {
  const rank = shape.length - 2;
  const axes = [0, 1, ...Array.from({ length: rank }, (_, d) => [2 + rank + d, 2 + d]).flat()];
  const split = axes.map((a) => phases.shape[a]);
  const turned = push(derive(phases, 'permute', [phases], { axes }, split));
  return push(derive(phases, 'reshape', [turned], { shape }, shape));
}

function copyOf(node: Node): Node {
  return derive(node, 'detach', [node], null, node.shape);
}

function hasFewRows(node: Node, columns: number): boolean {
  if (node.op !== 'matmul') return false;
  const [, b] = node.src;
  const width = node.shape[node.shape.length - 1];
  return b.shape.length === 2 && b.size >= LEAST_MATRIX && node.size / width <= FEW_ROWS && width % columns === 0;
}

/** [k, n] → [panels, k, columns] */
function panelsOf(b: Node, columns: number, push: (n: Node) => Node): Node {
  const [k, n] = b.shape;
  const shape = [k, n / columns, columns];
  return push(exchanged(push(derive(b, 'reshape', [b], { shape }, shape))));
}

/** [panels, k, columns] → [k, n] */
function matrixOf(copy: Node, { shape }: Node, push: (n: Node) => Node): Node {
  const swapped = push(exchanged(copy));
  return derive(swapped, 'reshape', [swapped], { shape }, shape);
}

/** The first two axes exchanged. */
function exchanged(node: Node): Node {
  const order = node.shape.map((_, i) => (i < 2 ? 1 - i : i));
  return derive(
    node,
    'permute',
    [node],
    { axes: order },
    order.map((i) => node.shape[i]),
  );
}
