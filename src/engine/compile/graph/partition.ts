// Graphs that are too large for one program, as the pieces of an expression of ten thousand terms or of a recurrence that
// was never read: each piece becomes a program of its own, and the values that go from one to a later one are stored in
// between. So the time of compiling grows with a graph's size and not faster, and memory holds what is under way.
// Pieces are runs of the nodes in order. A cut is made where the least has to be stored; views and constants are computed
// again on the other side. Updates in place are all made by the last piece, when nobody reads the old values any more.
// Input: a graph. Output: the pieces in order, or undefined if one program will do.

import type { Graph, GraphOutput } from '../../ir/graph/graph.js';
import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS, type Op } from '../../ir/op.js';
import { derive } from './rewrite.js';

/** Operators and their operands in one program. */
const MOST_WEIGHT = 1 << 16;
/** A node from which so many slices are taken is stored instead of each of them. */
const MANY_SLICES = 4;
/** Views one above the other that are made again. */
const MOST_VIEWS = 64;

/** Memory that a piece reads or writes: an input or output of the whole graph, or a value that pieces hand on, by number. */
export interface Place {
  readonly kind: 'input' | 'output' | 'value';
  readonly index: number;
}

export interface Piece {
  readonly graph: Graph;
  /** Where the inputs and outputs of the graph are. */
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  /** Numbers of the scalars of the whole graph that it takes. */
  readonly scalars: readonly number[];
  /** Values that no later piece reads. */
  readonly lastOf: readonly number[];
}

export interface Pieces {
  readonly pieces: readonly Piece[];
  /** What is handed on. */
  readonly values: readonly Node[];
}

export function cutGraph(graph: Graph, mostWeight = MOST_WEIGHT): Pieces | undefined {
  const { nodes } = graph;
  if (nodes.reduce((n, node) => n + weightOf(node), 0) <= mostWeight) return undefined;
  const order = orderOf(graph.outputs);
  const place = new Map(order.map((n, i) => [n, i]));
  const anchorOf = anchors(order);
  const lastUse = new Array<number>(order.length).fill(-1);
  const use = (node: Node, at: number): void => {
    const i = place.get(anchorOf(node)) as number;
    lastUse[i] = Math.max(lastUse[i], at);
  };
  order.forEach((node, i) => {
    if (!isRepeated(node)) for (const s of operandsOf(node)) use(s, i);
  });
  for (const { node, assign } of graph.outputs) {
    use(node, assign === undefined ? (place.get(node) as number) : order.length);
  }
  const cut = makePieces(graph, order, lastUse, chooseEnds(order, lastUse, mostWeight));
  return cut.pieces.length === 1 ? undefined : cut;
}

function weightOf(node: Node): number {
  return OP_CLASS[node.op] === 'leaf' ? 0 : 1 + node.src.length;
}

/**
 * Operands first. Updates come last, and of them the later ones first: the walk down to the update of a last layer leads
 * through no other one, so that updates stand near the gradients that they need.
 */
function orderOf(outputs: readonly GraphOutput[]): Node[] {
  const plain = outputs.filter((o) => o.assign === undefined);
  const updates = outputs.filter((o) => o.assign !== undefined).reverse();
  const order: Node[] = [];
  walk(
    [...plain, ...updates].map((o) => o.node),
    operandsOf,
    (n) => order.push(n),
  );
  return order;
}

/** Derivatives have been taken: an operator with one of its own is its value. */
function operandsOf({ op, src }: Node): readonly Node[] {
  return op === 'custom' ? src.slice(0, 1) : src;
}

/** Calls `visit` for every node below `roots`, once, after its operands. */
function walk(roots: readonly Node[], operands: (n: Node) => readonly Node[], visit: (n: Node) => void): void {
  const seen = new Set<Node>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const open = [{ node: root, src: operands(root), next: 0 }];
    while (open.length > 0) {
      const top = open[open.length - 1];
      if (top.next === top.src.length) {
        visit(top.node);
        open.pop();
        continue;
      }
      const node = top.src[top.next++];
      if (seen.has(node)) continue;
      seen.add(node);
      open.push({ node, src: operands(node), next: 0 });
    }
  }
}

/** Costs nothing to have again, wherever it is needed. */
function isRepeated({ op, src }: Node): boolean {
  return OP_CLASS[op] === 'leaf' && src.every((s) => OP_CLASS[s.op] === 'leaf');
}

const VIEWS: ReadonlySet<Op> = new Set<Op>(['reshape', 'permute', 'expand', 'pad', 'window', 'detach', 'custom']);

/** The node that is stored if a node is needed later: what it is a view of, or itself. */
function anchors(order: readonly Node[]): (n: Node) => Node {
  const slices = new Map<Node, number>();
  for (const { op, src } of order) if (op === 'slice') slices.set(src[0], (slices.get(src[0]) ?? 0) + 1);
  const anchor = new Map<Node, { readonly node: Node; readonly views: number }>();
  for (const node of order) {
    const [base] = node.src;
    const below = base && anchor.get(base);
    const isSmaller =
      node.op === 'slice' && !(below && isRepeated(below.node)) && (slices.get(base) ?? 0) < MANY_SLICES;
    const isView = VIEWS.has(node.op) || (node.op === 'slice' && !isSmaller);
    if (!isView || below === undefined || below.views === MOST_VIEWS) anchor.set(node, { node, views: 0 });
    else anchor.set(node, { node: below.node, views: below.views + 1 });
  }
  return (n) => (anchor.get(n) as { node: Node }).node;
}

/** Where pieces end, as places in the order: of the places where one may end, those with the least to store. */
function chooseEnds(order: readonly Node[], lastUse: readonly number[], mostWeight: number): number[] {
  const weight = new Float64Array(order.length + 1); // of all nodes before a place
  const stored = new Float64Array(order.length + 2); // elements, if a piece ends there
  order.forEach((node, i) => {
    weight[i + 1] = weight[i] + weightOf(node);
    if (isRepeated(node) || lastUse[i] <= i) return;
    stored[i + 1] += node.size;
    stored[lastUse[i] + 1] -= node.size;
  });
  for (let i = 1; i < stored.length; i++) stored[i] += stored[i - 1];
  const ends: number[] = [];
  let from = 0;
  while (weight[order.length] - weight[from] > mostWeight) {
    let at = from + 1;
    while (weight[at] - weight[from] < mostWeight / 2) at++;
    let best = at;
    for (; weight[at] - weight[from] <= mostWeight; at++) if (stored[at] <= stored[best]) best = at;
    ends.push(best);
    from = best;
  }
  if (from < order.length) ends.push(order.length);
  return ends;
}

function makePieces(graph: Graph, order: readonly Node[], lastUse: readonly number[], ends: readonly number[]): Pieces {
  const made = new Map<Node, Place>(graph.inputs.map((n, index) => [n, { kind: 'input', index }]));
  const values: Node[] = [];
  const outputsOf = new Map<Node, number[]>();
  graph.outputs.forEach(({ node, assign }, i) => {
    if (assign === undefined) outputsOf.set(node, [...(outputsOf.get(node) ?? []), i]);
  });
  const scalarNumber = new Map(graph.scalars.map((n, i) => [n, i]));
  let from = 0;
  const pieces = ends.flatMap((end, i) => {
    const wanted: { node: Node; place: Place; assign?: number }[] = [];
    for (let at = from; at < end; at++) {
      const node = order[at];
      const own = outputsOf.get(node) ?? [];
      for (const index of own) wanted.push({ node, place: { kind: 'output', index } });
      if (lastUse[at] >= end && own.length === 0 && i < ends.length - 1 && !isRepeated(node)) {
        wanted.push({ node, place: { kind: 'value', index: values.push(node) - 1 } });
      }
    }
    from = end;
    if (i === ends.length - 1) {
      graph.outputs.forEach(({ node, assign }, index) => {
        if (assign !== undefined) wanted.push({ node, place: { kind: 'output', index }, assign });
      });
    }
    if (wanted.length === 0) return []; // views, which are made again
    const piece = makePiece(wanted, made, scalarNumber);
    for (const { node, place, assign } of wanted) if (assign === undefined && !made.has(node)) made.set(node, place);
    return [piece];
  });
  return { values, pieces: withLastUses(pieces) };
}

type Open = Omit<Piece, 'lastOf'>;

function makePiece(
  wanted: readonly { node: Node; place: Place; assign?: number }[],
  made: ReadonlyMap<Node, Place>,
  scalarNumber: ReadonlyMap<Node, number>,
): Open {
  const copies = new Map<Node, Node>();
  const nodes: Node[] = [];
  const inputs: Node[] = [];
  const places: Place[] = [];
  const numberOfInput = new Map<number, number>(); // by that of the whole graph
  const scalars: Node[] = [];
  const scalarNumbers: number[] = [];
  walk(
    wanted.map(({ node }) => node),
    (n) => (made.has(n) ? [] : operandsOf(n)),
    (node) => {
      const place = made.get(node);
      const copy =
        place === undefined ? copyOf(node, (s) => copies.get(s) as Node) : derive(node, 'leaf', [], null, node.shape);
      copy.slot = nodes.push(copy) - 1;
      copies.set(node, copy);
      if (place !== undefined) {
        if (place.kind === 'input') numberOfInput.set(place.index, inputs.length);
        inputs.push(copy);
        places.push(place);
      } else if (isOp(node, 'scalar')) {
        scalars.push(copy);
        scalarNumbers.push(scalarNumber.get(node as Node) as number);
      }
    },
  );
  const outputs = wanted.map(({ node, assign }) => ({
    node: copies.get(node) as Node,
    assign: assign === undefined ? undefined : numberOfInput.get(assign),
  }));
  const graph = { nodes, inputs, scalars, outputs };
  return { graph, inputs: places, outputs: wanted.map((w) => w.place), scalars: scalarNumbers };
}

function copyOf(node: Node, current: (n: Node) => Node): Node {
  const src = operandsOf(node).map(current);
  return node.op === 'custom'
    ? derive(node, 'detach', src, null, node.shape)
    : derive(node, node.op, src, node.arg, node.shape);
}

function withLastUses(pieces: readonly Open[]): Piece[] {
  const last = new Map<number, number>();
  pieces.forEach(({ inputs, outputs }, i) => {
    for (const { kind, index } of [...inputs, ...outputs]) if (kind === 'value') last.set(index, i);
  });
  const lastOf: number[][] = pieces.map(() => []);
  for (const [value, piece] of last) lastOf[piece].push(value);
  return pieces.map((piece, i) => ({ ...piece, lastOf: lastOf[i] }));
}
