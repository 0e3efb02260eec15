// The order of nodes: operands before users, whatever the order in the file, in time that grows with the number of inputs alone.

import type { GraphNode } from './graph.js';

/** Names of a graph, and of those around it. */
export class Names {
  readonly own: Set<string>;
  private readonly outer: Names | undefined;

  constructor(outer: Names | undefined, own: Iterable<string> = []) {
    this.outer = outer;
    this.own = new Set(own);
  }

  has(name: string): boolean {
    return this.own.has(name) || (this.outer?.has(name) ?? false);
  }
}

/** The nodes whose inputs are there, operands first; `given` gets what they compute. Those left out wait for a name that nothing gives. */
export function inOrder(nodes: readonly GraphNode[], given: Names): ReadonlySet<GraphNode> {
  const ordered = new Set<GraphNode>();
  // a node waits for the first of its inputs that is not there, and goes on behind it when it is
  const waiting = new Map<string, { node: GraphNode; at: number }[]>();
  for (const first of nodes) {
    const ready = [{ node: first, at: 0 }];
    for (let turn = ready.pop(); turn !== undefined; turn = ready.pop()) {
      const { node } = turn;
      const { inputs, outputs } = node;
      let { at } = turn;
      while (at < inputs.length && (inputs[at] === '' || given.has(inputs[at]))) at++;
      if (at < inputs.length) {
        const others = waiting.get(inputs[at]);
        if (others === undefined) waiting.set(inputs[at], [{ node, at }]);
        else others.push({ node, at });
        continue;
      }
      ordered.add(node);
      for (const name of outputs) {
        given.own.add(name);
        for (const other of waiting.get(name) ?? []) ready.push(other);
        waiting.delete(name);
      }
    }
  }
  return ordered;
}
