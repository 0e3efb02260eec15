// A graph in our own form: checked, with constants apart from nodes and functions written out.

import type { HostArray } from '../host/array.js';
import type { ElementType } from '../wire/elements.js';
import type { AttributeValue } from '../wire/messages.js';

/** A size, the name of one, or undefined for one of which nothing is said. */
export type Dimension = number | string | undefined;

/** An input or an output, as the graph declares it. */
export interface GraphValue {
  readonly name: string;
  /** undefined where the graph does not say it. */
  readonly type: ElementType | undefined;
  /** undefined where the rank is not known. */
  readonly shape: readonly Dimension[] | undefined;
}

/** What training makes of a constant: it is learned, kept, or no part of the state. */
export type Role = 'parameter' | 'buffer' | 'setting';

export interface Constant {
  /** Unique in the model: its name, or its path where subgraphs have the same one. */
  readonly key: string;
  readonly array: HostArray;
  role: Role;
}

export interface GraphNode {
  /** As in the file, or what it computes where it has none there. */
  readonly name: string;
  /** With its domain, where that is not the standard's. */
  readonly operator: string;
  readonly opset: number;
  /** Names; an empty one is an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Tensors among the attributes. */
  readonly tensors: ReadonlyMap<string, HostArray>;
  readonly graphs: ReadonlyMap<string, Graph>;
}

export interface Graph {
  readonly name: string;
  /** Those without a value of their own. */
  readonly inputs: readonly GraphValue[];
  /** Constants that are inputs too (IR version 3): what is given in a call goes before them. */
  readonly defaults: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** Operands before users. */
  readonly nodes: readonly GraphNode[];
}

/** The names that a graph takes from the graphs around it, those of its own subgraphs included. */
export function outerNames(graph: Graph): Set<string> {
  const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.constants.keys()]);
  const outer = new Set<string>();
  const use = (name: string): void => {
    if (name !== '' && !own.has(name)) outer.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(use);
    for (const inner of node.graphs.values()) outerNames(inner).forEach(use);
    for (const name of node.outputs) own.add(name);
  }
  for (const { name } of graph.outputs) use(name);
  return outer;
}

/** Every graph in a graph, itself first. */
export function allGraphs(graph: Graph): Graph[] {
  return [graph, ...graph.nodes.flatMap((node) => [...node.graphs.values()].flatMap(allGraphs))];
}

/** A graph with other outputs, without what they do not need. */
export function prunedTo(graph: Graph, outputs: readonly GraphValue[]): Graph {
  const needed = new Set(outputs.map(({ name }) => name));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of node.inputs) needed.add(name);
    for (const inner of node.graphs.values()) for (const name of outerNames(inner)) needed.add(name);
  }
  return {
    name: graph.name,
    inputs: graph.inputs.filter(({ name }) => needed.has(name)),
    defaults: graph.defaults.filter(({ name }) => needed.has(name)),
    outputs,
    constants: new Map([...graph.constants].filter(([name]) => needed.has(name))),
    nodes: nodes.reverse(),
  };
}
