// Where graphs are cut, and what pieces hand on.

import { describe, expect, test } from 'vitest';
import { f, makeLeaves } from '../../../../test/operators/case.js';
import { compiledGraph } from '../../../../test/support/kernels.js';
import * as build from '../../ir/build.js';
import type { Graph } from '../../ir/graph/graph.js';
import type { Node } from '../../ir/node.js';
import { cutGraph } from './partition.js';

const { add, mul, unary } = build;
const weightOf = ({ nodes }: Graph): number =>
  nodes.reduce((n, { src }) => n + (src.length === 0 ? 0 : 1 + src.length), 0);

function chain(x: Node, length: number, step: (n: Node) => Node = (n) => unary('sin', n)): Node {
  let n = x;
  for (let i = 0; i < length; i++) n = step(n);
  return n;
}

describe('cutGraph', () => {
  test('leaves small graphs alone', () => {
    const [x] = makeLeaves([f([4])], 'test');
    expect(cutGraph(compiledGraph([chain(x, 40)], [x]), 80)).toBeUndefined();
  });

  test('pieces have at most the given weight, and hand on one value of a chain', () => {
    const [x] = makeLeaves([f([4])], 'test');
    const { pieces, values } = cutGraph(compiledGraph([chain(x, 1000)], [x]), 80)!;
    for (const { graph } of pieces) expect(weightOf(graph)).toBeLessThanOrEqual(80);
    expect(values).toHaveLength(pieces.length - 1);
    expect(pieces.map((p) => p.lastOf)).toEqual([[], ...values.map((_, i) => [i])]);
  });

  test('cuts where the least has to be stored', () => {
    const [x, row] = makeLeaves([f([4, 1]), f([64])], 'test');
    let y: Node = x;
    for (let i = 0; i < 30; i++) {
      const wide = chain(add(y, row), 5);
      y = chain(build.sum(wide, [1]), 5);
    }
    const { values } = cutGraph(compiledGraph([y], [x, row]), 60)!;
    expect(values.length).toBeGreaterThan(2);
    for (const { size } of values) expect(size).toBe(4);
  });

  test('views and constants are made again', () => {
    const [x] = makeLeaves([f([4])], 'test');
    const far = build.expand(chain(x, 30), [1000, 4]);
    let y: Node = far;
    for (let i = 0; i < 60; i++) y = add(unary('sin', build.sum(y, [0])), build.sum(mul(far, build.scalar(0.5)), [0]));
    const { values } = cutGraph(compiledGraph([y], [x]), 60)!;
    for (const { size } of values) expect(size).toBe(4);
  });

  test('an operator with a derivative of its own is its value', () => {
    const [x] = makeLeaves([f([4])], 'test');
    const step = (n: Node): Node =>
      build.custom(unary('sin', n), [unary('cos', n)], { name: 'own', backward: (g) => [g] });
    const { pieces, values } = cutGraph(compiledGraph([chain(x, 500, step)], [x]), 100)!;
    for (const { graph } of pieces) expect(weightOf(graph)).toBeLessThanOrEqual(102);
    expect(values).toHaveLength(pieces.length - 1);
  });

  test('updates are all made by the last piece', () => {
    const leaves = makeLeaves(
      Array.from({ length: 20 }, () => f([4])),
      'test',
    );
    const updates = leaves.map((p, i) => add(p, chain(leaves[(i + 1) % 20], 20)));
    const whole = compiledGraph(updates, leaves);
    const graph: Graph = { ...whole, outputs: whole.outputs.map(({ node }, i) => ({ node, assign: i })) };
    const { pieces } = cutGraph(graph, 100)!;
    expect(pieces.length).toBeGreaterThan(5);
    pieces.forEach(({ outputs }, i) => {
      const isLast = i === pieces.length - 1;
      expect(outputs.every(({ kind }) => kind === (isLast ? 'output' : 'value'))).toBe(true);
      if (isLast) expect(outputs.map(({ index }) => index).sort((a, b) => a - b)).toEqual(leaves.map((_, j) => j));
    });
  });
});
