// A lookup (gather) that a kernel reads behind several paddings: each has an index of its own, checked where its padding says that
// somebody looks. Kernels once took the first for all that read at the same place.

import { expect, test } from 'vitest';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import { gradient } from '../src/engine/grad/backward.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import { f, i, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';

const BLOCK = 16;
const whole = (value: number): Node => build.constant(value, 'int32') as Node;

/** Running products of lines, by shifts of 1, 2, 4, … */
function running(x: Node, axis: number): Node {
  const n = x.shape[axis];
  const place = build.reshape(
    build.iota(n),
    x.shape.map((_, k) => (k === axis ? n : 1)),
  );
  let done = x;
  for (let step = 1; step < n; step *= 2) {
    const lo = x.shape.map((_, k) => (k === axis ? step : 0));
    const before = build.pad(
      build.sliceAxis(done, axis, 0, n - step),
      lo,
      lo.map(() => 0),
    );
    done = build.where(build.binary('le', whole(step), place), build.mul(before, done), done);
  }
  return done;
}

/** The same in blocks, whose products are joined in. */
function inBlocks(x: Node): Node {
  const [n] = x.shape;
  const count = Math.ceil(n / BLOCK);
  const inner = running(build.reshape(build.pad(x, [0], [count * BLOCK - n]), [count, BLOCK]), 1);
  const totals = running(build.reshape(build.sliceAxis(inner, 1, BLOCK - 1, BLOCK), [count]), 0);
  const before = build.expand(build.reshape(build.sliceAxis(totals, 0, 0, count - 1), [count - 1, 1]), [
    count - 1,
    BLOCK,
  ]);
  const later = build.mul(before, build.sliceAxis(inner, 0, 1, count));
  const blocks = build.concat([build.sliceAxis(inner, 0, 0, 1), later], 0);
  return build.sliceAxis(build.reshape(blocks, [count * BLOCK]), 0, 0, n);
}

test.each([33, 40, 90])('%i running products of looked up numbers, and their gradient', async (n) => {
  const numbers = Array.from({ length: n }, (_, k) => 1 + ((k * 37) % 11) / 64);
  const index = Array.from({ length: n }, (_, k) => (k * k + 3) % n);
  const leaves = makeLeaves([f([n]), i([n])], 'test');
  const at = build.gather(leaves[1], 0, build.argsort(leaves[1], 0, false));
  const out = inBlocks(build.gather(leaves[0], 0, at));
  const seed = build.unary('cos', build.cast(build.iota(n), 'float32'));
  const [slope] = gradient([out], [seed], [leaves[0]]);
  const expected = await evaluateOn(new ReferenceDevice(), [out, slope!], leaves, [numbers, index]);
  for (const fuse of [true, false]) {
    const device = new CpuDevice({ threads: 1, tier: 'wasm', fuse, verify: true });
    const actual = await evaluateOn(device, [out, slope!], leaves, [numbers, index]);
    actual.forEach((values, k) => {
      const largest = Math.max(...expected[k].map(Math.abs));
      values.forEach((value, e) => expect(Math.abs(value - expected[k][e]) / largest).toBeLessThan(1e-5));
    });
    await device.dispose();
  }
});
