// Small graphs of several kinds, made on the spot: the class belongs to a whole graph. Nodes have no features that would tell it.
// The same options give the same graphs.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkNumbers,
  checkOptions,
  checkWhole,
  IndexError,
  type OptionNames,
  wrongKind,
} from '../../tensor/library.js';
import { tensor } from '../../tensor/creation.js';
import type { Tensor } from '../../tensor/tensor.js';

export const GRAPH_KINDS = ['ring', 'star', 'tree', 'grid', 'two groups'] as const;

/** Several graphs as one, without edges between them. */
export interface GraphBatch {
  /** [N, 1], all 1. */
  readonly x: Tensor<[number, number]>;
  /** [2, E], each edge both ways. */
  readonly edges: Tensor<[2, number], 'int32'>;
  /** The graph of each node, [N]. */
  readonly graph: Tensor<[number], 'int32'>;
  /** Positions in GRAPH_KINDS, [count]. */
  readonly y: Tensor<[number], 'int32'>;
  readonly count: number;
}

/** One graph: each edge once. */
interface Graph {
  readonly nodes: number;
  readonly edges: readonly (readonly [number, number])[];
  readonly kind: number;
}

/** Graphs by number. */
export interface GraphKinds {
  readonly length: number;
  /** The class of each graph. */
  readonly labels: Int32Array;
  /** The graphs at `positions` as one. */
  batch(positions: ArrayLike<number>): GraphBatch;
  /** The edges of a graph, each once, and how many nodes it has. */
  graph(position: number): { readonly nodes: number; readonly edges: readonly (readonly [number, number])[] };
}

export interface GraphKindOptions {
  /** Number of graphs. Default 250. */
  readonly samples?: number;
  /** Fewest and most nodes of a graph. Default [8, 20]. */
  readonly nodes?: readonly [fewest: number, most: number];
  /** Edges between any two nodes that are added to each graph. Default 1. */
  readonly extra?: number;
  /** Default 0. */
  readonly seed?: number;
}

const GRAPH_KIND_OPTIONS: OptionNames<GraphKindOptions> = { samples: true, nodes: true, extra: true, seed: true };

/**
 * Rings, stars, trees, grids, and pairs of groups in which nearly all nodes are neighbours; each with some edges too many, its nodes in any order.
 *
 *     const graphs = graphKinds({ samples: 200 });
 *     const { x, edges, graph, y, count } = graphs.batch([0, 1, 2]);
 */
export function graphKinds(options: GraphKindOptions = {}): GraphKinds {
  const op = 'graphKinds';
  checkOptions(op, options, GRAPH_KIND_OPTIONS);
  const { samples = 250, nodes = [8, 20], extra = 1, seed = 0 } = options;
  checkWhole(op, 'samples', samples, 1);
  checkWhole(op, 'extra', extra);
  checkWhole(op, 'seed', seed, -Infinity);
  if (!Array.isArray(nodes) || nodes.length !== 2)
    throw wrongKind(op, 'nodes', nodes, 'Use two numbers, the smaller first');
  const [fewest, most] = nodes;
  checkWhole(op, 'the fewest nodes', fewest, 6);
  checkWhole(op, 'the most nodes', most, fewest);
  const graphs = Array.from({ length: samples }, (_, i): Graph => {
    const random = new HostRandom(seed, 0x64a9, i);
    const count = fewest + random.below(most - fewest + 1);
    const kind = i % GRAPH_KINDS.length;
    const plain = MAKERS[GRAPH_KINDS[kind]](count, random);
    const size = 1 + plain.reduce((last, [u, v]) => Math.max(last, u, v), 0);
    const order = random.shuffle(Int32Array.from({ length: size }, (__, node) => node));
    const names = new Set<number>();
    const add = (u: number, v: number): void => void (u !== v && names.add(Math.min(u, v) * size + Math.max(u, v)));
    for (const [u, v] of plain) add(order[u], order[v]);
    for (let k = 0; k < extra; k++) add(random.below(size), random.below(size));
    return { nodes: size, kind, edges: [...names].map((name) => [Math.floor(name / size), name % size] as const) };
  });
  const at = (position: number): Graph => {
    const graph = graphs[position];
    if (graph !== undefined) return graph;
    throw new IndexError(`${op}: graph ${position} of ${samples}. Use 0 to ${samples - 1}.`, position, samples);
  };
  return {
    length: samples,
    labels: Int32Array.from(graphs, ({ kind }) => kind),
    batch(positions) {
      checkNumbers('batch', 'the list of positions', positions);
      if (positions.length === 0) throw new ArgumentError('batch: no positions. Give at least one.');
      return together(Array.from(positions, at));
    },
    graph(position) {
      const { nodes: size, edges } = at(position);
      return { nodes: size, edges };
    },
  };
}

type Edges = [number, number][];

const MAKERS: Readonly<Record<(typeof GRAPH_KINDS)[number], (nodes: number, random: HostRandom) => Edges>> = {
  ring: (nodes) => Array.from({ length: nodes }, (_, i) => [i, (i + 1) % nodes]),
  star: (nodes) => Array.from({ length: nodes - 1 }, (_, i) => [0, i + 1]),
  tree: (nodes, random) => Array.from({ length: nodes - 1 }, (_, i) => [random.below(i + 1), i + 1]),
  grid(nodes) {
    const columns = Math.max(2, Math.round(Math.sqrt(nodes)));
    const rows = Math.max(3, Math.round(nodes / columns));
    const edges: Edges = [];
    for (let i = 0; i < rows * columns; i++) {
      if ((i + 1) % columns !== 0) edges.push([i, i + 1]);
      if (i + columns < rows * columns) edges.push([i, i + columns]);
    }
    return edges;
  },
  'two groups'(nodes, random) {
    const edges: Edges = [[0, nodes - 1]];
    const half = Math.floor(nodes / 2);
    for (let u = 0; u < nodes; u++)
      for (let v = u + 1; v < nodes; v++) if (u < half === v < half && random.uniform() < 0.8) edges.push([u, v]);
    return edges;
  },
};

function together(graphs: readonly Graph[]): GraphBatch {
  const [sources, targets, owners]: number[][] = [[], [], []];
  let first = 0;
  graphs.forEach(({ nodes, edges }, i) => {
    for (const [u, v] of edges) {
      sources.push(first + u, first + v);
      targets.push(first + v, first + u);
    }
    for (let node = 0; node < nodes; node++) owners.push(i);
    first += nodes;
  });
  return {
    x: tensor(new Float32Array(first).fill(1), { shape: [first, 1] }),
    edges: tensor(Int32Array.from([...sources, ...targets]), { shape: [2, sources.length] }),
    graph: tensor(Int32Array.from(owners)),
    y: tensor(Int32Array.from(graphs, ({ kind }) => kind)),
    count: graphs.length,
  };
}
