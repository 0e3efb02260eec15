// What element-wise kernels ask for ahead (prefetch.ts): which arrays, and that results stay the same.
import { describe, expect, test } from 'vitest';
import { type Input, f, i, makeData, makeLeaves } from '../../../../../test/operators/case.js';
import { evaluateOn, worstError } from '../../../../../test/operators/run.js';
import { compiledGraph } from '../../../../../test/support/kernels.js';
import { tierDevices } from '../../../../../test/support/tiers.js';
import { ReferenceDevice } from '../../../device/reference/device.js';
import * as build from '../../../ir/build.js';
import type { Node } from '../../../ir/node.js';
import type { Stmt } from '../../../loop/loop.js';
import { CPU_TARGETS } from '../../../loop/target.js';
import { rows } from '../../../../tensor/indexing.js';
import { compileGraph } from '../../compile.js';

const LARGE = f([512, 160], 'positive');
const SMALL = f([1, 160], 'positive');
const TABLE = f([512, 160], 'positive');
const READS = i([700], { below: 512 });
const { add, mul, unary } = build;

const CASES: [name: string, inputs: Input[], make: (leaves: readonly Node[]) => Node, asked: number][] = [
  ['much computing on large arrays', [LARGE, LARGE], ([x, y]) => mul(unary('erf', add(x, y)), y), 2],
  ['little computing', [LARGE, LARGE], ([x, y]) => add(x, y), 0],
  ['one array is small', [LARGE, SMALL], ([x, y]) => unary('erf', mul(x, y)), 1],
  ['one array is turned', [LARGE, f([160, 512])], ([x, y]) => unary('erf', add(x, build.permute(y, [1, 0]))), 1],
  ['rows looked up', [TABLE, READS], ([table, at]) => unary('erf', rows(table, at)), 0],
];

const prefetches = (body: readonly Stmt[]): number =>
  body.reduce((n, s) => n + (s.kind === 'prefetch' ? 1 : 0) + (s.kind === 'for' ? prefetches(s.body) : 0), 0);

test.each(CASES)('%s', (_, inputs, make, asked) => {
  const leaves = makeLeaves(inputs, 'test');
  const [target] = CPU_TARGETS;
  const { program } = compileGraph(compiledGraph([make(leaves)], leaves), { target, threads: 1 });
  expect(program.kernels).toHaveLength(1);
  expect(prefetches(program.kernels[0].body)).toBe(asked);
});

const reference = new ReferenceDevice();

describe.each(Object.entries(tierDevices(2)))('%s', (_, device) => {
  test.each(CASES)('%s: the same results', async (name, inputs, make) => {
    const leaves = makeLeaves(inputs, 'test');
    const data = makeData({ name, inputs });
    const outputs = [make(leaves)];
    const [actual] = await evaluateOn(device, outputs, leaves, data);
    const [exact] = await evaluateOn(reference, outputs, leaves, data);
    expect(worstError(actual, exact)).toBeLessThan(1e-6);
  });
});
