// Random convolutions, their gradients, and matrix products, of many shapes at once: sizes that end within vectors, panels
// and tiles, images and batches whose borders lie anywhere in them. What the cpu device computes, on both tiers, must be
// what the reference device does. NABLA_FUZZ_SEED and NABLA_FUZZ_COUNT as in fuzz.test.ts (programs of 8 operators).

import { expect, test } from 'vitest';
import type { Device } from '../src/engine/device/device.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import type { ConvSpec } from '../src/engine/ir/op.js';
import type { Shape } from '../src/engine/ir/shape.js';
import { type Input, f, generator, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';
import { testDevices } from './support/tiers.js';

const FIRST = Number(process.env.NABLA_FUZZ_SEED ?? 1);
const COUNT = Number(process.env.NABLA_FUZZ_COUNT ?? 40);
/** Compiling a program with a C compiler takes a second. */
const NATIVE_EVERY = 10;
const PER_PROGRAM = 8;
const TOLERANCE = 2e-5;

const reference = new ReferenceDevice();
const devices = testDevices({
  'wasm, 1 thread': { threads: 1, tier: 'wasm', verify: true },
  'wasm, 2 threads': { threads: 2, tier: 'wasm', verify: true },
  native: { threads: 2, tier: 'native' },
});

type Below = (n: number) => number;

interface Contraction {
  readonly text: string;
  readonly inputs: readonly Input[];
  make(leaves: readonly Node[]): Node;
}

/** A size that is small, or near a multiple of a vector. */
function sizeOf(below: Below): number {
  return below(3) === 0 ? Math.max(1, 4 * (1 + below(9)) - 1 + below(3)) : 1 + below(9);
}

function randomConv(below: Below): Contraction {
  const rank = 1 + below(2);
  const each = (make: () => number): number[] => Array.from({ length: rank }, make);
  const groups = 1 + below(3);
  const [batch, perIn, perOut] = [1 + below(4), 1 + below(5), 1 + below(6)];
  const kernel = each(() => 1 + below(3));
  const spec: ConvSpec = {
    stride: each(() => 1 + below(3)),
    dilation: each(() => 1 + below(2)),
    lo: each(() => below(3)),
    hi: each(() => below(3)),
    groups,
  };
  const reach = kernel.map((k, d) => spec.dilation[d] * (k - 1) + 1);
  const sizes = reach.map((r, d) => Math.max(sizeOf(below), r - spec.lo[d] - spec.hi[d], 1));
  const out = sizes.map((n, d) => Math.floor((n + spec.lo[d] + spec.hi[d] - reach[d]) / spec.stride[d]) + 1);
  const x = f([batch, groups * perIn, ...sizes]);
  const w = f([groups * perOut, perIn, ...kernel]);
  const y = f([batch, groups * perOut, ...out]);
  const kind = below(3);
  const text = `x ${x.shape.join('×')}, w ${w.shape.join('×')}, ${JSON.stringify(spec)}`;
  if (kind === 0) return { text: `conv ${text}`, inputs: [x, w], make: ([u, v]) => build.conv(u, v, spec) };
  if (kind === 1)
    return { text: `convInput ${text}`, inputs: [y, w], make: ([u, v]) => build.convInput(u, v, spec, sizes) };
  return { text: `convWeight ${text}`, inputs: [x, y], make: ([u, v]) => build.convWeight(u, v, spec, kernel) };
}

function randomMatmul(below: Below): Contraction {
  const [m, n, k] = [sizeOf(below), sizeOf(below), sizeOf(below)];
  const lead: Shape = [[], [2], [3, 2]][below(3)];
  const isShared = below(2) === 0;
  const [turnA, turnB] = [below(2) === 0, below(2) === 0];
  const of = (front: Shape, a: number, b: number, turned: boolean) => f([...front, ...(turned ? [b, a] : [a, b])]);
  const inputs = [of(lead, m, k, turnA), of(isShared ? [] : lead, k, n, turnB)];
  const turn = (x: Node, turned: boolean): Node => {
    const order = x.shape.map((_, i) => i);
    return turned ? build.permute(x, [...order.slice(0, -2), order.length - 1, order.length - 2]) : x;
  };
  const text = `matmul ${inputs.map(({ shape }) => shape.join('×')).join(' · ')}, turned ${turnA} ${turnB}`;
  return { text, inputs, make: ([a, b]) => build.matmul(turn(a, turnA), turn(b, turnB)) };
}

test(`${COUNT} programs of random contractions`, async () => {
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const next = generator(`contractions ${seed}`);
    const below: Below = (n) => Math.floor(next() * n);
    const all = Array.from({ length: PER_PROGRAM }, () => (below(4) === 0 ? randomMatmul(below) : randomConv(below)));
    const inputs = all.flatMap((c) => c.inputs);
    const data = makeData({ name: `contractions ${seed}`, inputs });
    const run = (device: Device, name: string) => {
      const leaves = makeLeaves(inputs, name);
      let at = 0;
      const outputs = all.map((c) => c.make(leaves.slice(at, (at += c.inputs.length))));
      return evaluateOn(device, outputs, leaves, data);
    };
    const expected = await run(reference, 'reference');
    for (const [name, device] of Object.entries(devices)) {
      if (name === 'native' && (seed - FIRST) % NATIVE_EVERY !== 0) continue;
      const actual = await run(device, 'cpu');
      all.forEach(({ text }, i) => {
        const scale = Math.max(1, ...Array.from(expected[i], Math.abs));
        const worst = Math.max(0, ...Array.from(expected[i], (e, j) => Math.abs(actual[i][j] - e) / scale));
        expect(worst, `seed ${seed}: ${text}`).toBeLessThan(TOLERANCE);
      });
    }
  }
}, 600_000);
