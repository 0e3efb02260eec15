// Parts that are concatenated and computed where they belong (compile/stacks.ts): along any axis, in both orders, with parts
// that come twice, that are results of their own, and that several stacks want.

import { afterAll, expect, test } from 'vitest';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import { f, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';

const reference = new ReferenceDevice();
const devices = [1, 2].map((threads) => new CpuDevice({ threads, tier: 'wasm', verify: true }));

afterAll(async () => {
  for (const device of devices) await device.dispose();
});

const STEPS = 9;
const inputs = [f([4, 20]), f([20, 20]), f([180, 20]), f([4, 9, 20]), f([5, 900]), f([900, 21]), f([84, 6])];

/** A recurrence: each step is a product of the one before, and all of them are stored. */
function steps([x, w]: readonly Node[]): Node[] {
  const all = [x];
  const small = build.mul(w, constant(0.1)); // errors shall not grow from step to step
  for (let t = 0; t < STEPS; t++) all.push(build.unary('tanh', build.matmul(all[t], small)));
  return all.slice(1);
}

const constant = (value: number): Node => build.constant(value) as Node;

const CURVES = ['tanh', 'sin', 'sigmoid', 'atan'] as const;

/** A product, and curves of it side by side. */
function sideBySide(a: Node, b: Node): { product: Node; whole: Node } {
  const product = build.mul(build.matmul(a, b), constant(0.01));
  return {
    product,
    whole: build.concat(
      CURVES.map((op) => build.unary(op, product)),
      1,
    ),
  };
}

const PROGRAMS: Record<string, (leaves: readonly Node[]) => Node[]> = {
  'one after the other': (l) => [build.matmul(build.concat(steps(l), 1), l[2])],
  'along two axes': (l) => {
    const s = steps(l);
    const middle = build.concat(
      s.map((n) => build.reshape(n, [4, 1, 20])),
      1,
    );
    return [build.matmul(build.concat(s, 0), l[1]), build.sum(build.mul(middle, l[3]), [1])];
  },
  'in both orders': (l) => {
    const s = steps(l);
    return [build.matmul(build.concat(s, 1), l[2]), build.matmul(build.concat([...s].reverse(), 1), l[2])];
  },
  'some twice': (l) => {
    const s = steps(l);
    return [build.matmul(build.concat([...s.slice(1), s[3]], 1), l[2])];
  },
  'one that is an input, one that is a result': (l) => {
    const s = steps(l);
    return [build.matmul(build.concat([l[0], ...s.slice(1)], 1), l[2]), s[4]];
  },
  'overlapping stacks': (l) => {
    const s = [l[0], ...steps(l)];
    return [build.matmul(build.concat(s.slice(0, STEPS), 1), l[2]), build.matmul(build.concat(s.slice(1), 1), l[2])];
  },
  'a stack that needs the one that it overlaps': (l) => {
    const s = [l[0], ...steps(l)];
    const last = build.unary('tanh', build.mul(build.matmul(build.concat(s.slice(0, STEPS), 1), l[2]), constant(0.1)));
    return [build.matmul(build.concat([...s.slice(2), last], 1), l[2])];
  },
  'a stack inside another, and one that goes on': (l) => {
    const s = [l[0], ...steps(l)];
    const last = [0.2, 0.3].map((by) => build.unary('sin', build.mul(s[STEPS], constant(by))));
    const sumOf = (parts: readonly Node[]) => build.sum(build.unary('sin', build.concat(parts, 0)), [0]);
    return [sumOf(s), sumOf(s.slice(1, STEPS)), sumOf([...s.slice(1), ...last])];
  },
  'columns of a short product': (l) => [
    build.matmul(sideBySide(l[0], l[1]).whole, build.slice(l[2], [0, 0], [80, 20], [1, 1])),
  ],
  'columns of a product summed in parts': (l) => [build.matmul(sideBySide(l[4], l[5]).whole, l[6])],
  'the same, and the product': (l) => {
    const { product, whole } = sideBySide(l[4], l[5]);
    return [build.matmul(whole, l[6]), build.unary('exp', product)];
  },
  'columns that others read': (l) => {
    const { product, whole } = sideBySide(l[4], l[5]);
    return [build.matmul(whole, l[6]), build.sum(build.unary('sin', product), [0])];
  },
  'columns of columns': (l) => {
    const { whole } = sideBySide(l[0], l[1]);
    const all = Array.from({ length: 8 }, (_, i) => build.unary('tanh', build.mul(whole, constant(i))));
    return [build.sum(build.mul(build.concat(all, 0), constant(2)), [0]), build.sum(whole, [1])];
  },
  'columns as a result': (l) => {
    const { whole } = sideBySide(l[0], l[1]);
    return [whole, build.matmul(whole, build.slice(l[2], [0, 0], [80, 20], [1, 1]))];
  },
  'parts of different sizes': (l) => {
    const rows = steps(l).map((n, i) => build.slice(n, [0, 0], [1 + (i % 4), 20], [1, 1]));
    const parts = rows.map((n) => build.unary('sin', build.matmul(n, l[1])));
    return [build.matmul(build.concat(parts, 0), l[1])];
  },
  // Of each of two parts another kernel reads columns, several vectors a turn; one of them is computed where it is used, and not stored.
  'parts that only some read': (l) => {
    const x = build.slice(l[2], [0, 0], [160, 16], [1, 1]);
    const mean = build.mul(build.sum(x, [0]), constant(1 / 160));
    const away = build.sub(x, build.expand(mean, [160, 16]));
    const squares = build.sum(build.mul(away, away), [0]);
    const table = build.concat([build.reshape(mean, [16]), build.reshape(squares, [16])], 0);
    const row = (i: number): Node => build.reshape(build.slice(table, [16 * i], [16], [1]), [1, 16]);
    const moved = build.unary('tanh', build.sub(x, build.expand(row(0), [160, 16])));
    return [build.sum(moved, [0]), build.unary('sqrt', row(1))];
  },
  'a stack as a result': (l) => {
    const whole = build.concat(steps(l), 0);
    return [whole, build.matmul(whole, l[1])];
  },
};

test.each(Object.entries(PROGRAMS))('%s', async (name, make) => {
  const data = makeData({ name, inputs });
  const leaves = makeLeaves(inputs, 'reference');
  const expected = await evaluateOn(reference, make(leaves), leaves, data);
  for (const device of devices) {
    const own = makeLeaves(inputs, 'cpu');
    const actual = await evaluateOn(device, make(own), own, data);
    expected.forEach((values, i) => {
      values.forEach((v, j) => expect(Math.abs(actual[i][j] - v)).toBeLessThan(1e-5 * Math.max(1, Math.abs(v))));
    });
  }
});
