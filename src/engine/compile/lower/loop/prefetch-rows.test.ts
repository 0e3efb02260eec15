// What the walks along a row ask for ahead (prefetch-rows.ts): how many arrays each.
import { expect, test } from 'vitest';
import { f, makeLeaves } from '../../../../../test/operators/case.js';
import { compiledGraph } from '../../../../../test/support/kernels.js';
import { gradient } from '../../../grad/backward.js';
import * as build from '../../../ir/build.js';
import type { Node } from '../../../ir/node.js';
import type { Stmt } from '../../../loop/loop.js';
import { CPU_TARGETS } from '../../../loop/target.js';
import { compileGraph } from '../../compile.js';

const { add, constant, div, mul, reduce, sub, sum, unary } = build;
const WIDTH = 512;
const LARGE = f([256, WIDTH]);
const SMALL = f([16, WIDTH]);

function softmax(x: Node): Node {
  const e = unary('exp', sub(x, reduce('reduceMax', x, [1])));
  return div(e, sum(e, [1]));
}

function norm(x: Node): Node {
  const mean = (n: Node) => mul(sum(n, [1]), constant(1 / WIDTH) as Node);
  const c = sub(x, mean(x));
  return mul(c, unary('recip', unary('sqrt', add(mean(mul(c, c)), constant(1e-5) as Node))));
}

const withGradient = (y: Node, x: Node, seed: Node): Node[] => [y, gradient([y], [seed], [x])[0] as Node];

const CASES: [name: string, input: typeof LARGE, make: (x: Node, g: Node) => Node[], asked: number[]][] = [
  ['softmax', LARGE, (x) => [softmax(x)], [0, 2, 0]],
  ['layer norm: no walk asks for all', LARGE, (x, g) => withGradient(norm(x), x, g), [0, 2, 2]],
  ['small arrays', SMALL, (x) => [softmax(x)], [0, 0, 0]],
];

/** The arrays that each walk along a row asks for: the loops that have no loop in them. */
function asked(body: readonly Stmt[]): number[] {
  return body.flatMap((s) => {
    if (s.kind === 'if') return asked(s.then); // of the ways to divide, one
    if (s.kind !== 'for') return [];
    if (s.body.some((t) => t.kind === 'for')) return asked(s.body);
    return [new Set(s.body.flatMap((t) => (t.kind === 'prefetch' ? [t.buffer] : []))).size];
  });
}

test.each(CASES)('%s', (_, input, make, expected) => {
  const leaves = makeLeaves([input, input], 'test');
  const outputs = make(leaves[0], leaves[1]);
  const { program } = compileGraph(compiledGraph(outputs, leaves), { target: CPU_TARGETS[0], threads: 1 });
  expect(program.kernels).toHaveLength(1);
  expect(asked(program.kernels[0].body)).toEqual(expected);
});
