// Every row of the operator table, forward and gradient, on the CPU device against the reference device:
// with one and with two threads, on both tiers (where there is a compiler), and with fusion off. Each row is a program of
// its own on the WebAssembly tier in float32; elsewhere many are in one.

import { describe, expect, test } from 'vitest';
import type { CpuDevice } from '../../src/engine/device/cpu/device.js';
import { ReferenceDevice } from '../../src/engine/device/reference/device.js';
import { gradient } from '../../src/engine/grad/backward.js';
import * as build from '../../src/engine/ir/build.js';
import { isFloat } from '../../src/engine/ir/dtype.js';
import type { Node } from '../../src/engine/ir/node.js';
import { type OperatorCase, inFloat64 } from './case.js';
import { cases, makeData, makeLeaves } from './cases.js';
import { evaluateOn } from './run.js';
import { testDevices } from '../support/tiers.js';

const reference = new ReferenceDevice();
const devices = testDevices({
  '1 thread': { threads: 1, tier: 'wasm', verify: true },
  '2 threads': { threads: 2, tier: 'wasm', verify: true },
  unfused: { threads: 1, tier: 'wasm', fuse: false, verify: true },
  'native, 2 threads': { threads: 2, tier: 'native', verify: true },
  'native, 1 thread': { threads: 1, tier: 'native' },
});

test('both threads of the second device work', async () => {
  const { runtime } = devices['2 threads'];
  await runtime.whenReady();
  expect(runtime.workingThreads).toBe(2);
});

/**
 * NaN equals NaN and infinities equal themselves; numbers are close relative to `scale(i)`. Values are compared one by
 * one. A gradient is a long sum whose terms may cancel: its rounding follows the size of the terms, so it is compared
 * relative to the largest element.
 */
function firstDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  isGradient: boolean,
): string | undefined {
  let largest = 1;
  for (let i = 0; i < expected.length; i++)
    if (Math.abs(expected[i]) < Infinity) largest = Math.max(largest, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    if ((Number.isNaN(e) && Number.isNaN(a)) || a === e || Math.fround(e) === a) continue;
    if (Math.abs(a - e) <= tolerance * (isGradient ? largest : Math.max(1, Math.abs(e)))) continue;
    return `element ${i}: ${a}, expected ${e}`;
  }
  return undefined;
}

interface Suite {
  readonly label: string;
  readonly device: CpuDevice;
  readonly rows: readonly OperatorCase[];
  /** Rows in one program: calling a compiler costs more than what it compiles. */
  readonly together: number;
}

const wide = cases.flatMap((row) => inFloat64(row) ?? []);
const suites = Object.entries(devices).flatMap(([label, device]): Suite[] => {
  const isNative = label.startsWith('native');
  const narrow = { label, device, rows: cases, together: isNative ? 16 : 1 };
  const isOfBoth = label.includes('2 threads') || label === 'unfused';
  return isOfBoth ? [narrow, { label: `${label}, float64`, device, rows: wide, together: 16 }] : [narrow];
});

interface Sample {
  readonly leaves: readonly Node[];
  readonly data: readonly Float64Array[];
  /** The value and the gradients. */
  readonly outputs: readonly Node[];
  readonly expected: Promise<readonly ArrayLike<number>[]>;
}

function sampleOf(row: OperatorCase): Sample {
  const leaves = makeLeaves(row.inputs, 'test');
  const data = makeData(row);
  const outputs: Node[] = [row.build(leaves)];
  if (row.derivatives > 0) {
    const wrt = leaves.filter((n) => isFloat(n.dtype));
    const seed = build.mul(outputs[0], build.scalar(0.37));
    for (const g of gradient([outputs[0]], [seed], wrt)) if (g !== undefined) outputs.push(g);
  }
  return { leaves, data, outputs, expected: evaluateOn(reference, outputs, leaves, data) };
}

/** What `make` gives for a key, made once. */
function once<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key) as V;
  };
}

const samples = once(sampleOf);

/** The results of each of these rows, which one program computes. */
async function evaluateTogether(device: CpuDevice, rows: readonly OperatorCase[]): Promise<ArrayLike<number>[][]> {
  const all = rows.map(samples);
  const results = await evaluateOn(
    device,
    all.flatMap(({ outputs }) => outputs),
    all.flatMap(({ leaves }) => leaves),
    all.flatMap(({ data }) => data),
  );
  return all.map(({ outputs }) => results.splice(0, outputs.length));
}

for (const { label, device, rows, together } of suites) {
  describe(`cpu, ${label}`, () => {
    const parts = once((part: number) => evaluateTogether(device, rows.slice(part * together, (part + 1) * together)));
    for (const [at, row] of rows.entries()) {
      test(row.name, async () => {
        const expected = await samples(row).expected;
        const actual = (await parts(Math.floor(at / together)))[at % together];
        expect(actual.length).toBe(expected.length);
        expected.forEach((numbers, i) => {
          const problem = firstDifference(actual[i], numbers, row.tolerance, i > 0);
          expect(problem === undefined ? '' : `${i === 0 ? 'value' : `gradient ${i}`}: ${problem}`).toBe('');
        });
      });
    }
  });
}
