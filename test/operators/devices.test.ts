// Every row of the operator table, forward and gradient, on the CPU device against the reference device:
// with one and with two threads, on both tiers (where there is a compiler), and with fusion off.

import { describe, expect, test } from 'vitest';
import { ReferenceDevice } from '../../src/engine/device/reference/device.js';
import { gradient } from '../../src/engine/grad/backward.js';
import * as build from '../../src/engine/ir/build.js';
import { isFloat } from '../../src/engine/ir/dtype.js';
import type { Node } from '../../src/engine/ir/node.js';
import { inFloat64 } from './case.js';
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

const wide = cases.flatMap((row) => inFloat64(row) ?? []);
const suites = [
  ...Object.entries(devices).map(([label, device]) => ({ label, device, rows: cases })),
  ...Object.entries(devices)
    .filter(([label]) => label.includes('2 threads') || label === 'unfused')
    .map(([label, device]) => ({ label: `${label}, float64`, device, rows: wide })),
];

for (const { label, device, rows } of suites) {
  describe(`cpu, ${label}`, () => {
    for (const row of rows) {
      test(row.name, async () => {
        const leaves = makeLeaves(row.inputs, 'test');
        const data = makeData(row);
        const outputs: Node[] = [row.build(leaves)];
        if (row.derivatives > 0) {
          const wrt = leaves.filter((n) => isFloat(n.dtype));
          const seed = build.mul(outputs[0], build.scalar(0.37));
          for (const g of gradient([outputs[0]], [seed], wrt)) if (g !== undefined) outputs.push(g);
        }
        const expected = await evaluateOn(reference, outputs, leaves, data);
        const actual = await evaluateOn(device, outputs, leaves, data);
        outputs.forEach((_, i) => {
          const problem = firstDifference(actual[i], expected[i], row.tolerance, i > 0);
          expect(problem === undefined ? '' : `${i === 0 ? 'value' : `gradient ${i}`}: ${problem}`).toBe('');
        });
      });
    }
  });
}
