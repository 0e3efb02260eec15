// Which groups share their kernels (lowered-groups.ts), and that those they share are the ones they would have had: compileGraph lowers
// them all with `verify`, and throws where they differ. So do the devices of the fuzzers.
import { describe, expect, test } from 'vitest';
import { type Input, f, makeLeaves } from '../../../../test/operators/case.js';
import { compiledGraph } from '../../../../test/support/kernels.js';
import * as build from '../../ir/build.js';
import type { Node } from '../../ir/node.js';
import { CPU_TARGETS, WASM_TARGET } from '../../loop/target.js';
import { compileGraph } from '../compile.js';

const { add, concat, constant, div, matmul, mul, pad, reduce, reshape, slice, sub, sum, unary } = build;
const STEPS = 12;
const TARGETS = [WASM_TARGET, CPU_TARGETS[0]];
const steps = Array.from({ length: STEPS }, (_, t) => t);

/** Rows [at, at + rows) of the first axis. */
function rowsOf(x: Node, at: number, rows = 1): Node {
  const size = [rows, ...x.shape.slice(1)];
  return slice(
    x,
    size.map((_, i) => (i === 0 ? at : 0)),
    size,
    size.map(() => 1),
  );
}

/** Kernels, and how many of them are there once. */
function kernelsOf(
  inputs: readonly Input[],
  make: (leaves: readonly Node[]) => Node[],
  fuse = true,
): [calls: number, own: number][] {
  const leaves = makeLeaves(inputs, 'test');
  const graph = compiledGraph(make(leaves), leaves);
  return TARGETS.map((target) => {
    const { kernels } = compileGraph(graph, { target, threads: 2, fuse, verify: true }).program;
    return [kernels.length, new Set(kernels).size];
  });
}

/** Results that are computed one by one: each is read by a product. */
const apart = (parts: readonly Node[], weights: Node): Node[] => parts.map((x) => matmul(x, weights));

test('the layers of a deep network', () => {
  const counts = kernelsOf([f([16, 64]), ...steps.map(() => f([64, 64]))], ([x, ...weights]) => [
    weights.reduce((h, w) => unary('tanh', matmul(h, w)), x),
  ]);
  for (const [calls, own] of counts) {
    expect(calls).toBeGreaterThanOrEqual(STEPS);
    expect(own).toBeLessThanOrEqual(3); // and the layout of the weights
  }
});

describe('the steps of a recurrent network', () => {
  const inputs = [f([STEPS, 4, 32]), f([32, 32]), f([4, 32])];
  const recurrence =
    (at: (x: Node, t: number) => Node) =>
    ([x, w, h0]: readonly Node[]): Node[] => [steps.reduce((h, t) => unary('tanh', add(matmul(h, w), at(x, t))), h0)];

  test('wherever the slice of each begins: but for the first one, whose array does', () => {
    for (const [calls, own] of kernelsOf(
      inputs,
      recurrence((x, t) => reshape(rowsOf(x, t), [4, 32])),
    )) {
      expect(calls).toBeGreaterThanOrEqual(STEPS);
      expect(own).toBeLessThanOrEqual(3);
    }
  });

  test('backwards, and two slices at once', () => {
    const both = (x: Node, t: number) =>
      add(reshape(rowsOf(x, STEPS - 1 - t), [4, 32]), reshape(rowsOf(x, Math.max(STEPS - 2 - t, 0)), [4, 32]));
    for (const [calls, own] of kernelsOf(inputs, recurrence(both))) {
      expect(calls).toBeGreaterThanOrEqual(STEPS);
      expect(own).toBeLessThanOrEqual(4); // the last one reads one slice twice
    }
  });
});

describe('what is not the same', () => {
  const w = f([32, 32]);

  test('what lies beyond a slice is memory of the array, or it is not', () => {
    const padded = (x: Node, t: number) => pad(rowsOf(x, t * 8, 8), [1, 0], [1, 0]);
    const counts = kernelsOf([f([8 * STEPS, 32]), w], ([x, v]) =>
      apart(
        steps.map((t) => unary('exp', unary('sin', padded(x, t)))),
        v,
      ),
    );
    for (const [calls] of counts) expect(calls).toBeGreaterThanOrEqual(STEPS);
  });

  test('parts of a concatenation of slices', () => {
    const joined = (x: Node, t: number) => concat([rowsOf(x, t, 3), rowsOf(x, t + 3, 2)], 0);
    kernelsOf([f([STEPS + 8, 32]), w], ([x, v]) =>
      apart(
        steps.map((t) => unary('exp', unary('sin', joined(x, t)))),
        v,
      ),
    );
  });

  test('products whose rows end in narrower vectors', () => {
    kernelsOf([f([STEPS * 5, 7]), f([7, 13]), f([STEPS, 5, 13])], ([x, v, b]) =>
      steps.map((t) => unary('tanh', add(matmul(rowsOf(x, t * 5, 5), v), reshape(rowsOf(b, t), [5, 13])))),
    );
  });

  test('every second element, the last one first, from one array at different distances', () => {
    const odd = (x: Node, t: number, step: number, at: number) =>
      reshape(slice(x, [t, step < 0 ? at + 31 : at], [1, 32], [1, step]), [32]);
    kernelsOf([f([STEPS, 80]), w], ([x, v]) =>
      steps.map((t) =>
        matmul(reshape(unary('exp', sub(odd(x, t, 2, t % 3), odd(x, STEPS - 1 - t, -1, t % 5))), [1, 32]), v),
      ),
    );
  });

  test('numbers', () => {
    const scaled = (x: Node, factor: number) => mul(unary('sin', x), constant(factor) as Node);
    for (const [, own] of kernelsOf([f([8, 32]), f([8, 32])], ([x, y]) => [scaled(x, 2), scaled(y, 3)]))
      expect(own).toBe(2);
  });

  test.each([true, false])('what a quotient is divided by, and what the maximum is of (fused: %s)', (fuse) => {
    const exp = (x: Node) => unary('exp', x);
    const shares = (x: Node, y: Node) => div(exp(x), sum(exp(y), [1]));
    const below = (x: Node, y: Node) => exp(sub(x, reduce('reduceMax', y, [1])));
    const make = ([x, y]: readonly Node[]) => [shares(x, x), shares(x, y), below(y, y), below(y, x)];
    kernelsOf([f([8, 32]), f([8, 32])], make, fuse);
  });
});
