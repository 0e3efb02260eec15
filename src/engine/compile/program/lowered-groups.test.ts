// Which groups share their kernels (lowered-groups.ts), and that those they share are the ones they would have had: compileGraph lowers
// them all with `verify`, and throws where they differ. So do the devices of the fuzzers.
import { describe, expect, test } from 'vitest';
import { type Input, b, f, i, makeLeaves } from '../../../../test/operators/case.js';
import { compiledGraph } from '../../../../test/support/kernels.js';
import * as build from '../../ir/build.js';
import type { DenseArg } from '../../ir/dense.js';
import type { Node } from '../../ir/node.js';
import { CPU_TARGETS, WASM_TARGET } from '../../loop/target.js';
import { compileGraph } from '../compile.js';

const { add, binary, cast, concat, constant, dense, div, expand, gather, matmul, mul, pad, permute, reduce } = build;
const { reshape, scatterAdd, slice, sub, sum, unary } = build;
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

  /** Two groups that differ in one thing alone. */
  const exp = (x: Node) => unary('exp', x);
  const sin = (x: Node) => unary('sin', x);
  const share = (x: Node): [quotient: Node, part: Node] => {
    const part = exp(x);
    return [div(part, sum(part, [1])), part];
  };
  const gates = (x: Node, v: Node): [Node, Node] => {
    const product = matmul(x, v);
    return [unary('sigmoid', product), unary('tanh', product)];
  };
  const CHOLESKY: DenseArg = {
    routine: 'cholesky',
    isUpper: false,
    isUnit: false,
    hasVectors: false,
    columns: 0,
    call: 'cholesky',
  };
  const index = (x: Node, n: number) => expand(reshape(x, [4, 1]), [4, n]);
  const cases: [string, readonly Input[], (leaves: readonly Node[]) => Node[]][] = [
    ['which members are stored', [f([64, 32]), f([64, 32])], ([x, y]) => [share(x)[0], ...share(y)]],
    [
      'which part of a concatenation is computed where it belongs, and in which column',
      [f([16, 32]), f([16, 32]), f([16, 32]), f([32, 32]), f([64, 8]), f([32, 8])],
      ([x, y, z, v, u, t]) => {
        const [[a, c], [d, e], [g, h]] = [gates(x, v), gates(y, v), gates(z, v)];
        return [matmul(concat([a, c], 1), u), matmul(concat([e, d], 1), u), matmul(concat([g, h], 1), u), matmul(g, t)];
      },
    ],
    [
      'which parts of a stack are where they belong',
      [f([8, 32]), ...steps.map(() => f([8, 32])), w, f([32, 8])],
      ([x, ...rest]) => {
        const [v, u] = rest.splice(-2);
        const computed = steps.map((t) => exp(matmul(mul(x, constant(t + 1) as Node), v)));
        return [matmul(concat(computed, 0), u), matmul(concat(rest, 0), u)];
      },
    ],
    [
      'an array of which more is read than a slice',
      [f([STEPS, 32])],
      ([x]) => steps.map((t) => exp(mul(x, expand(rowsOf(x, t), [STEPS, 32])))),
    ],
    ['dtypes of arrays', [i([8, 32]), b([8, 32])], ([x, y]) => [cast(x, 'float32'), cast(y, 'float32')]],
    [
      'shapes of arrays',
      [f([8, 1]), f([1, 8])],
      ([x, y]) => [exp(sin(expand(x, [8, 8]))), exp(sin(expand(y, [8, 8])))],
    ],
    [
      'the sign of zero',
      [f([8, 32]), f([8, 32])],
      ([x, y]) => [binary('max', sin(x), constant(0) as Node), binary('max', sin(y), constant(-0) as Node)],
    ],
    [
      'whom an index out of range is reported of',
      [f([9, 32]), f([9, 32]), i([4], { below: 9 }), i([4], { below: 9 })],
      ([x, y, at, to]) => [exp(gather(x, 0, index(at, 32))), exp(gather(y, 0, index(to, 32)))],
    ],
    [
      'whom an index out of range is reported of, by a scatter',
      [f([9, 32]), f([9, 32]), i([4], { below: 9 }), i([4], { below: 9 }), f([4, 32])],
      ([x, y, at, to, z]) => [scatterAdd(x, 0, index(at, 32), z), scatterAdd(y, 0, index(to, 32), z)],
    ],
    [
      'whom a matrix is reported of',
      [f([4, 4]), f([4, 4])],
      (leaves) => leaves.map((x) => dense(CHOLESKY, [cast(x, 'float64')])),
    ],
    [
      'rows of a packed product beyond those of a slice',
      [f([13, 72]), f([3 * 72 + 3, 128])],
      ([x, y]) => [0, 72, 147].map((at) => matmul(x, rowsOf(y, at, 72))),
    ],
    [
      'and of one that is turned',
      [f([STEPS * 13, 72]), f([72, 13])],
      ([x, v]) => steps.map((t) => matmul(permute(sin(rowsOf(x, t * 13, 13)), [1, 0]), permute(v, [1, 0]))),
    ],
    [
      'rows of a product that end within a vector, and are added to those of a slice in turned order',
      [f([3, 72]), f([72, 5]), f([7, 5])],
      ([x, v, y]) =>
        [0, 4].flatMap((at) =>
          [0, 4].map((from) =>
            add(matmul(x, mul(v, constant(2 + at + from / 8) as Node)), slice(y, [from, 4], [3, 5], [1, -1])),
          ),
        ),
    ],
  ];
  test.each(cases)('%s', (_, inputs, make) => {
    for (const fuse of [true, false]) kernelsOf(inputs, make, fuse);
  });

  test('whether a scatter finds its base where it adds to it', () => {
    const inputs = [f([9, 32]), f([9, 32]), i([4], { below: 9 }), f([4, 32])];
    const leaves = makeLeaves(inputs, 'test');
    const [x, y, at, z] = leaves;
    const graph = compiledGraph([scatterAdd(x, 0, index(at, 32), z), scatterAdd(y, 0, index(at, 32), z)], leaves);
    const outputs = graph.outputs.map((output, k) => (k === 0 ? { ...output, assign: 0 } : output));
    for (const target of TARGETS) {
      const { kernels } = compileGraph({ ...graph, outputs }, { target, threads: 2, verify: true }).program;
      expect(kernels).toHaveLength(4); // the check, two additions, and one copy
    }
  });
});
