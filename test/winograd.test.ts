// Convolutions that the compiler computes as Winograd's products (compile/winograd.ts), and those just beside them: all
// widths of an image that end a vector, a strip or a panel somewhere else, on both tiers, against the reference device.

import { describe, expect, test } from 'vitest';
import type { Device } from '../src/engine/device/device.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import type { ConvSpec } from '../src/engine/ir/op.js';
import { f, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';
import { testDevices } from './support/tiers.js';

const TOLERANCE = 2e-5;

const reference = new ReferenceDevice();
const devices = testDevices({
  'wasm, 1 thread': { threads: 1, tier: 'wasm', verify: true },
  'wasm, 2 threads': { threads: 2, tier: 'wasm', verify: true },
  'native, 2 threads': { threads: 2, tier: 'native' },
});

interface Case {
  /** batch, channels, out channels, height, width */
  readonly sizes: readonly [number, number, number, number, number];
  /** Before and after each spatial axis. */
  readonly lo: readonly [number, number];
  readonly hi: readonly [number, number];
}

const padded = (...sizes: Case['sizes']): Case => ({ sizes, lo: [1, 1], hi: [1, 1] });

const CASES: readonly Case[] = [
  padded(16, 64, 64, 4, 4), // strips of two tiles
  padded(2, 32, 48, 16, 16),
  padded(5, 33, 35, 7, 7), // odd sizes
  padded(1, 32, 32, 28, 56),
  padded(1, 32, 40, 6, 130), // more tiles in a row than a panel has columns
  padded(1, 40, 32, 5, 131), // the same, odd
  padded(2, 32, 32, 9, 141),
  padded(1, 32, 32, 4, 128), // the longest rows of the weight gradient
  padded(1, 32, 32, 3, 1602),
  padded(2, 800, 32, 12, 12), // more channels than are summed at once
  padded(1, 192, 192, 7, 7), // transformed weights are kept: 16 tiles, half a panel
  padded(1, 200, 190, 14, 14), // output channels that are not shared in equal chunks
  { sizes: [4, 40, 32, 18, 18], lo: [0, 0], hi: [0, 0] },
  { sizes: [3, 32, 33, 9, 20], lo: [2, 0], hi: [1, 2] },
  { sizes: [2, 32, 32, 14, 14], lo: [3, 3], hi: [0, 0] },
];

/** The results of one program: a convolution with something done to it, its input gradient, its weight gradient. */
function program({ sizes: [batch, channels, out, height, width], lo, hi }: Case) {
  const spec: ConvSpec = { stride: [1, 1], dilation: [1, 1], lo, hi, groups: 1 };
  const [high, wide] = [height + lo[0] + hi[0] - 2, width + lo[1] + hi[1] - 2];
  const inputs = [f([batch, channels, height, width]), f([out, channels, 3, 3]), f([batch, out, high, wide])];
  const make = ([x, w, y]: readonly Node[]): Node[] => [
    build.unary('relu', build.add(build.conv(x, w, spec), y)),
    build.convInput(y, w, spec, [height, width]),
    build.convWeight(x, y, spec, [3, 3]),
  ];
  return { inputs, make };
}

describe.each(CASES)('$sizes, padding $lo $hi', (c) => {
  const { inputs, make } = program(c);
  const data = makeData({ name: `winograd ${c.sizes.join()}`, inputs });
  const run = (device: Device) => {
    const leaves = makeLeaves(inputs, device.name);
    return evaluateOn(device, make(leaves), leaves, data);
  };
  const expected = run(reference);

  test.each(Object.keys(devices) as (keyof typeof devices)[])('%s', async (name) => {
    const actual = await run(devices[name]);
    (await expected).forEach((values, i) => {
      let largest = 1;
      for (const v of values) largest = Math.max(largest, Math.abs(v));
      let worst = 0;
      values.forEach((v, j) => (worst = Math.max(worst, Math.abs(actual[i][j] - v) / largest)));
      expect(worst, `result ${i}`).toBeLessThan(TOLERANCE);
    });
  });
});
