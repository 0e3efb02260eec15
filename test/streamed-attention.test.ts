// Attention whose scores are never stored (engine/compile/stream.ts), value and gradients, against the reference device:
// on one and two threads and natively, with everything that may stand between scores and weights.
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../src/engine/compile/compile.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import { gradient } from '../src/engine/grad/backward.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import { WASM_TARGET } from '../src/engine/loop/target.js';
import { type AttentionOptions, attentionWeights, scaledDotProductAttention } from '../src/tensor/attention.js';
import { dropout } from '../src/tensor/dropout.js';
import { type AnyTensor, type Tensor, wrap } from '../src/tensor/tensor.js';
import { type Input, b, f, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';
import { compiledGraph } from './support/kernels.js';
import { testDevices } from './support/tiers.js';

const leastStreamed = 1;
const reference = new ReferenceDevice();
const devices = testDevices({
  '1 thread': { threads: 1, tier: 'wasm', verify: true, leastStreamed },
  '2 threads': { threads: 2, tier: 'wasm', verify: true, leastStreamed },
  'native, 2 threads': { threads: 2, tier: 'native', verify: true, leastStreamed },
});

interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly options?: (inputs: readonly AnyTensor[]) => AttentionOptions;
  /** Also natively: each case takes the C compiler seconds, the first time. */
  readonly native?: true;
}

const qkv = (lead: number[], length: number, keys: number, e: number, v: number): Input[] => [
  f([...lead, length, e]),
  f([...lead, keys, e]),
  f([...lead, keys, v]),
];
const CASES: Case[] = [
  { name: 'one head, sizes that no tile divides', inputs: qkv([], 131, 97, 5, 18) },
  { name: 'heads, causal', inputs: qkv([2, 3], 70, 70, 8, 8), options: () => ({ isCausal: true }) },
  {
    name: 'a mask of its own for each query',
    inputs: [...qkv([2, 2], 66, 81, 16, 16), b([66, 81])],
    options: ([, , , mask]) => ({ mask }),
  },
  {
    name: 'padded keys, causal',
    inputs: [...qkv([3], 64, 64, 4, 20), b([3, 1, 64])],
    options: ([, , , mask]) => ({ mask, isCausal: true }),
    native: true,
  },
  {
    name: 'a mask that is added, and a scale',
    inputs: [...qkv([1, 2], 65, 70, 8, 17), f([70])],
    options: ([, , , mask]) => ({ mask, scale: 0.3 }),
  },
  { name: 'dropout', inputs: qkv([2], 72, 90, 8, 16), options: () => ({ dropout: 0.3 }), native: true },
  { name: 'keys in blocks, rows in blocks', inputs: qkv([], 260, 800, 16, 32), native: true },
];

/** The value and the gradients of everything that has one. */
function graphOf({ inputs, options }: Case): { leaves: Node[]; outputs: Node[] } {
  const leaves = makeLeaves(inputs, 'test');
  const tensors = leaves.map((n) => wrap(n) as AnyTensor);
  const [q, k, v] = tensors as Tensor[];
  const y = (scaledDotProductAttention(q, k, v, options?.(tensors)) as Tensor).node;
  const seed = build.mul(y, build.scalar(0.37));
  const wrt = leaves.slice(0, 3);
  return { leaves, outputs: [y, ...gradient([y], [seed], wrt).map((g) => g as Node)] };
}

/** The largest difference, relative to the largest number, at least 1. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [largest, worst] = [1, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  }
  return worst / largest;
}

describe.each(CASES)('$name', (row) => {
  const labels = (Object.keys(devices) as (keyof typeof devices)[]).filter(
    (l) => l !== 'native, 2 threads' || row.native,
  );
  test.each(labels)('%s', async (label) => {
    const { leaves, outputs } = graphOf(row);
    const data = makeData({ name: row.name, inputs: row.inputs });
    const expected = await evaluateOn(reference, outputs, leaves, data);
    const actual = await evaluateOn(devices[label], outputs, leaves, data);
    outputs.forEach((_, i) => {
      expect(difference(actual[i], expected[i])).toBeLessThan(3e-6);
    });
  });

  test('stores nothing of the size of the scores', () => {
    const { leaves, outputs } = graphOf(row);
    const graph = compiledGraph(outputs, leaves);
    const [streamed, stored] = [1, Infinity].map(
      (least) => compileGraph(graph, { target: WASM_TARGET, threads: 2, leastStreamed: least }).program.arenaBytes,
    );
    const [q, k] = row.inputs;
    const scores = (4 * q.shape.slice(0, -1).reduce((x, n) => x * n, 1) * (k.shape.at(-2) as number)) as number;
    expect(stored - streamed).toBeGreaterThan(scores);
  });
});

test('weights that are wanted are stored; the second derivative is right either way', async () => {
  const leaves = makeLeaves(qkv([], 70, 66, 4, 16), 'test');
  const [q, k, v] = leaves.map((n) => wrap(n) as Tensor);
  const weights = dropout(attentionWeights(q, k), 0.2);
  const y = (weights.matmul(v) as Tensor).node;
  const first = gradient([y], [build.mul(y, y)], leaves).map((g) => g as Node);
  const second = gradient([first[1]], [build.mul(first[1], first[1])], leaves).map((g) => g as Node);
  const outputs = [weights.node, ...second];
  const data = makeData({ name: 'twice', inputs: qkv([], 70, 66, 4, 16) });
  const expected = await evaluateOn(reference, outputs, leaves, data);
  for (const device of [devices['1 thread'], devices['2 threads']]) {
    const actual = await evaluateOn(device, outputs, leaves, data);
    outputs.forEach((_, i) => {
      expect(difference(actual[i], expected[i])).toBeLessThan(1e-5);
    });
  }
});
