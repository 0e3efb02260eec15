// Graphs whose nodes have classes: Cora and CiteSeer, articles that cite one another, with the public split (Yang et al. 2016, Planetoid), and
// graphs that are made on the spot. Each is one sample: tensors of all nodes and all edges, and which nodes are for what.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  FormatError,
  type OptionNames,
} from '../../tensor/library.js';
import { tensor } from '../../tensor/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { readText } from '../read.js';
import { locate, namesOf, type SetOptions } from './files.js';

type NodeList = Tensor<[number], 'int32'>;

/** A graph of N nodes with F features each. */
export interface NodeData {
  /** [N, F]. */
  readonly x: Tensor<[number, number]>;
  /** Shape [2, E]; row 0 has the nodes that edges come from, row 1 those they go to; an undirected edge is there both ways. */
  readonly edges: Tensor<[2, number], 'int32'>;
  /** Classes, [N]; −1 where none is known. */
  readonly y: NodeList;
  /** The nodes whose classes are for training. */
  readonly train: NodeList;
  readonly validation: NodeList;
  readonly test: NodeList;
  readonly classes: number;
}

interface Arrays {
  readonly x: Float32Array;
  readonly y: Int32Array;
  /** Each undirected edge once: u, v, u, v, …. */
  readonly pairs: Int32Array;
  readonly parts: { readonly train: number[]; readonly validation: number[]; readonly test: number[] };
  readonly classes: number;
}

function asTensors({ x, y, pairs, parts, classes }: Arrays): NodeData {
  const edges = pairs.length / 2;
  const ends = new Int32Array(4 * edges);
  for (let i = 0; i < edges; i++) {
    const [u, v] = [pairs[2 * i], pairs[2 * i + 1]];
    ends[i] = ends[3 * edges + i] = u;
    ends[edges + i] = ends[2 * edges + i] = v;
  }
  const list = (nodes: readonly number[]): NodeList => tensor(Int32Array.from(nodes));
  return {
    x: tensor(x).reshape([y.length, x.length / y.length]),
    edges: tensor(ends).reshape([2, 2 * edges]),
    y: tensor(y),
    train: list(parts.train),
    validation: list(parts.validation),
    test: list(parts.test),
    classes,
  };
}

// ---------------------------------------------------------------- files

export type NodeSetOptions = Pick<SetOptions, 'folder'>;

const NODE_SET_OPTIONS: OptionNames<NodeSetOptions> = { folder: true };

/**
 * 2,708 articles on machine learning in 7 fields; x: which of 1,433 words an article has (0 or 1); 5,278 citations; 140 nodes for training,
 * 500 for validation, 1,000 for testing. Read from `cora.nodes.tsv` (a line each: id, class, `train`, `val`, `test` or `-`, the words) and
 * `cora.edges.tsv` (two ids), lines with `#` left out. Throws NablaError if they are not there, FormatError if one is damaged.
 */
export function cora(options: NodeSetOptions = {}): Promise<NodeData> {
  checkOptions('cora', options, NODE_SET_OPTIONS);
  return load('cora', options, 1433, 7);
}

/** 3,327 articles in 6 fields, 3,703 words, 4,552 citations; 15 articles have neither class nor words. In files as `cora`'s are. */
export function citeseer(options: NodeSetOptions = {}): Promise<NodeData> {
  checkOptions('citeseer', options, NODE_SET_OPTIONS);
  return load('citeseer', options, 3703, 6);
}

async function load(name: string, options: NodeSetOptions, features: number, classes: number): Promise<NodeData> {
  const layouts = [{ nodes: namesOf(`${name}.nodes.tsv`), edges: namesOf(`${name}.edges.tsv`) }];
  const { paths } = await locate({ name, call: name, layouts }, [], options);
  const rows = await readRows(paths['nodes']);
  const whole = (text: string | undefined, from: number, below: number, path: string, row: number): number => {
    const value = Number(text);
    if (text !== undefined && text !== '' && Number.isInteger(value) && value >= from && value < below) return value;
    throw new FormatError(
      `${name}: ${path}, row ${row + 1}: '${text ?? ''}' is not a whole number from ${from} to ${below - 1}.`,
      path,
    );
  };
  const [x, y] = [new Float32Array(rows.length * features), new Int32Array(rows.length)];
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  rows.forEach(([id, label, part, words = ''], row) => {
    const node = whole(id, 0, rows.length, paths['nodes'], row);
    y[node] = whole(label, -1, classes, paths['nodes'], row);
    for (const word of words.split(' ').filter((text) => text !== ''))
      x[node * features + whole(word, 0, features, paths['nodes'], row)] = 1;
    if (part === 'train') parts.train.push(node);
    else if (part === 'val') parts.validation.push(node);
    else if (part === 'test') parts.test.push(node);
    else if (part !== '-')
      throw new FormatError(
        `${name}: ${paths['nodes']}, row ${row + 1}: '${part ?? ''}' is no part: train, val, test or -.`,
        paths['nodes'],
      );
  });
  const pairs = (await readRows(paths['edges'])).flatMap(([u, v], row) =>
    [u, v].map((id) => whole(id, 0, rows.length, paths['edges'], row)),
  );
  return asTensors({ x, y, pairs: Int32Array.from(pairs), parts, classes });
}

/** The lines of a table with tabs, without remarks. */
async function readRows(path: string): Promise<string[][]> {
  const lines = (await readText(path)).split(/\r?\n/);
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split('\t'));
}

// ---------------------------------------------------------------- made on the spot

export interface CommunityOptions {
  /** Number of nodes, shared among the classes. Default 300. */
  readonly nodes?: number;
  /** Number of communities, a class each. Default 4. */
  readonly classes?: number;
  /** Mean number of neighbours. Default 8. */
  readonly degree?: number;
  /** Share of a node's neighbours that are of its own community. Default 0.8. */
  readonly inside?: number;
  /** Features of a node, at least as many as classes. Default 16. */
  readonly features?: number;
  /** Standard deviation of what is added to each feature; without it the feature of a node's class is 1 and the others are 0. Default 1. */
  readonly noise?: number;
  /** Nodes of each class for training; the rest is halved into validation and test. Default 5. */
  readonly labelled?: number;
  /** Default 0. */
  readonly seed?: number;
}

const COMMUNITY_OPTIONS: OptionNames<CommunityOptions> = {
  nodes: true,
  classes: true,
  degree: true,
  inside: true,
  features: true,
  noise: true,
  labelled: true,
  seed: true,
};

/**
 * Communities whose nodes have most of their neighbours among themselves (a stochastic block model), and features from which alone a class
 * can hardly be told: a network has to look at the neighbours. The same options give the same graph.
 */
export function communities(options: CommunityOptions = {}): NodeData {
  checkOptions('communities', options, COMMUNITY_OPTIONS);
  const {
    nodes = 300,
    classes = 4,
    degree = 8,
    inside = 0.8,
    features = 16,
    noise = 1,
    labelled = 5,
    seed = 0,
  } = options;
  checkGiven(checkNumber, 'communities', { degree, inside, noise });
  checkWhole('communities', 'classes', classes, 2);
  checkWhole('communities', 'labelled', labelled, 1);
  checkWhole('communities', 'nodes', nodes, classes * (labelled + 2));
  checkWhole('communities', 'features', features, classes);
  checkWhole('communities', 'seed', seed, -Infinity);
  if (!(inside >= 0 && inside <= 1))
    throw new ArgumentError(`communities: inside is ${inside}. Use a number from 0 to 1.`);
  if (!(noise >= 0)) throw new ArgumentError(`communities: noise is ${noise}. Use a number of at least 0.`);
  const size = nodes / classes;
  const [near, far] = [(degree * inside) / (size - 1), (degree * (1 - inside)) / (nodes - size)];
  if (!(degree > 0 && near <= 1 && far <= 1))
    throw new ArgumentError(`communities: a degree of ${degree} with ${nodes} nodes. Use one above 0, and more nodes.`);
  const random = new HostRandom(seed, 0x6a4b);
  const y = random.shuffle(Int32Array.from({ length: nodes }, (_, i) => i % classes));
  const x = Float32Array.from({ length: nodes * features }, (_, i) => {
    const [node, feature] = [Math.floor(i / features), i % features];
    return (y[node] === feature ? 1 : 0) + noise * random.normal();
  });
  const pairs: number[] = [];
  for (let v = 1; v < nodes; v++)
    for (let u = 0; u < v; u++) if (random.between(0, 1) < (y[u] === y[v] ? near : far)) pairs.push(u, v);
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  const seen = new Int32Array(classes);
  y.forEach((label, node) => {
    const place = seen[label]++;
    const isRest = (place - labelled) % 2 === 0 ? parts.validation : parts.test;
    (place < labelled ? parts.train : isRest).push(node);
  });
  return asTensors({ x, y, pairs: Int32Array.from(pairs), parts, classes });
}
