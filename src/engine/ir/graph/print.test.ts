import { expect, test } from 'vitest';
import { add, constant, custom, leaf, matmul, reshape, scalar, sum } from '../build.js';
import { type Node, topologicalOrder } from '../node.js';
import { printGraph, toDot, toMermaid } from './print.js';
import { createStorage } from '../storage.js';

function example(): Node[] {
  const storage = createStorage('reference', 'float32', [2, 3], 6, null, true);
  storage.name = 'weight';
  const w = leaf(storage) as Node;
  const product = matmul(w, reshape(w, [3, 2]));
  return topologicalOrder([sum(add(product, constant(0.5) as Node), [1])]);
}

test('text', () => {
  expect(printGraph(example(), (node) => (node.op === 'sum' ? 'value 3\ngradient 1' : undefined))).toBe(
    `%0 = leaf float32 [2, 3] weight@0 requires grad
%1 = reshape float32 [3, 2] (%0)
%2 = matmul float32 [2, 2] (%0, %1)
%3 = const float32 [] 0.5
%4 = add float32 [2, 2] (%2, %3)
%5 = sum float32 [2, 1] (%4) axes=[1]  # value 3; gradient 1`,
  );
});

test('operands outside the list are named by id', () => {
  const nodes = example();
  expect(printGraph([nodes[1]])).toBe(`%0 = reshape float32 [3, 2] (node ${nodes[0].id})`);
});

test('arguments of scalars and custom derivatives', () => {
  const lr = scalar(0.1);
  const own = custom(lr, [lr], { name: 'myOp', backward: () => [null] });
  expect(printGraph([lr, own])).toBe('%0 = scalar float32 [] 0.1\n%1 = custom float32 [] (%0, %0) myOp');
});

test('Mermaid', () => {
  const nodes = example().slice(0, 2);
  expect(toMermaid(nodes, (_, i) => (i === 1 ? 'max < "1"' : undefined))).toBe(
    `flowchart TD
  n0(["leaf weight@0 requires grad<br/>float32 [2, 3]"])
  n1["reshape<br/>float32 [3, 2]<br/>max &lt; &quot;1&quot;"]
  n0 --> n1
`,
  );
});

test('Graphviz', () => {
  const nodes = example().slice(0, 2);
  expect(toDot(nodes, (_, i) => (i === 1 ? 'max < "1"' : undefined))).toBe(
    `digraph nabla {
  node [shape=box, fontname="monospace"];
  n0 [label="leaf weight@0 requires grad\\nfloat32 [2, 3]", style=rounded];
  n1 [label="reshape\\nfloat32 [3, 2]\\nmax < \\"1\\""];
  n0 -> n1;
}
`,
  );
});
