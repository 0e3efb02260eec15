// Random graphs, values and gradients: the fused program on two threads, the same natively (where there is a compiler) and
// without fusion, and the reference device must agree. A failure prints the seed; NABLA_FUZZ_SEED starts there, NABLA_FUZZ_COUNT says how many to try.

import { expect, test } from 'vitest';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import { gradient } from '../src/engine/grad/backward.js';
import * as build from '../src/engine/ir/build.js';
import { type Node, topologicalOrder } from '../src/engine/ir/node.js';
import { printGraph } from '../src/engine/ir/graph/print.js';
import * as movement from '../src/tensor/movement.js';
import * as reductions from '../src/tensor/reductions.js';
import { type Input, f, generator, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn } from './operators/run.js';
import { testDevices } from './support/tiers.js';

const FIRST = Number(process.env.NABLA_FUZZ_SEED ?? 1);
const COUNT = Number(process.env.NABLA_FUZZ_COUNT ?? 300);
const TOLERANCE = 2e-4;
const MOST_ELEMENTS = 4096;

const reference = new ReferenceDevice();
const devices = testDevices({
  'fused, 2 threads': { threads: 2, tier: 'wasm', verify: true },
  'native, 2 threads': { threads: 2, tier: 'native' },
  'native, 1 thread': { threads: 1, tier: 'native' },
  'unfused, 1 thread': { threads: 1, tier: 'wasm', fuse: false, verify: true },
  'in pieces, 2 threads': { threads: 2, tier: 'wasm', mostWeight: 16, verify: true },
});

class Dice {
  private readonly next: () => number;
  constructor(seed: number) {
    this.next = generator(`fuzz ${seed}`);
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  shuffled(n: number): number[] {
    const list = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }
}

const scaled = (x: Node, factor: number): Node => build.mul(x, build.scalar(factor));

/** Any tensor made to broadcast with x: itself where it does, else its mean. */
function fitting(x: Node, other: Node): Node {
  const lead = x.shape.length - other.shape.length;
  const fits = lead >= 0 && other.shape.every((n, i) => n === 1 || n === x.shape[lead + i]);
  return build.cast(fits ? other : reductions.mean(other, undefined, false), x.dtype);
}

/** Steps keep values near 1 in size, so that rounding stays small. `smooth` ones have derivatives everywhere. */
const STEPS: Record<string, { smooth: boolean; apply: (dice: Dice, x: Node, pool: readonly Node[]) => Node }> = {
  tanh: { smooth: true, apply: (_, x) => build.unary('tanh', x) },
  sin: { smooth: true, apply: (_, x) => build.unary('sin', x) },
  expOfTanh: { smooth: true, apply: (_, x) => build.unary('exp', build.unary('tanh', x)) },
  sqrtOfSquare: {
    smooth: true,
    apply: (_, x) => build.unary('sqrt', build.add(build.mul(x, x), build.scalar(0.5))),
  },
  erf: { smooth: true, apply: (_, x) => build.unary('erf', x) },
  relu: { smooth: false, apply: (_, x) => build.unary('relu', x) },
  abs: { smooth: false, apply: (_, x) => build.unary('abs', x) },
  add: { smooth: true, apply: (dice, x, pool) => build.add(x, fitting(x, dice.of(pool))) },
  sub: { smooth: true, apply: (dice, x, pool) => build.sub(fitting(x, dice.of(pool)), x) },
  mul: { smooth: true, apply: (dice, x, pool) => build.mul(x, build.unary('tanh', fitting(x, dice.of(pool)))) },
  div: {
    smooth: true,
    apply: (dice, x, pool) => {
      const y = fitting(x, dice.of(pool));
      return build.binary('div', x, build.add(build.mul(y, y), build.scalar(1)));
    },
  },
  max: { smooth: false, apply: (dice, x, pool) => build.binary('max', x, fitting(x, dice.of(pool))) },
  where: {
    smooth: true,
    apply: (_, x) => {
      const even = build.binary(
        'eq',
        build.binary('and', build.iota(x.size), build.constant(1, 'int32') as Node),
        build.constant(0, 'int32') as Node,
      );
      return build.where(build.reshape(even, x.shape), x, scaled(x, -0.5));
    },
  },
  permute: { smooth: true, apply: (dice, x) => build.permute(x, dice.shuffled(x.shape.length)) },
  flatten: { smooth: true, apply: (_, x) => build.reshape(x, [x.size]) },
  split: {
    smooth: true,
    apply: (dice, x) => {
      const divisors = [2, 3, 4, 5].filter((d) => x.size % d === 0);
      return divisors.length === 0
        ? x
        : build.reshape(
            x,
            [dice.of(divisors), -1].map((n, _, [d]) => (n < 0 ? x.size / d : n)),
          );
    },
  },
  slice: {
    smooth: true,
    apply: (dice, x) => {
      if (x.shape.length === 0) return x;
      const dim = dice.below(x.shape.length);
      return movement.slice(x, dim, dice.below(3), undefined, dice.of([1, 1, 2]));
    },
  },
  flip: {
    smooth: true,
    apply: (dice, x) => (x.shape.length === 0 ? x : movement.flip(x, [dice.below(x.shape.length)])),
  },
  pad: {
    smooth: true,
    apply: (dice, x) =>
      movement.pad(
        x,
        x.shape.map(() => [dice.below(3), dice.below(2)] as const),
        0.25,
      ),
  },
  expand: {
    smooth: true,
    apply: (dice, x) => build.expand(movement.unsqueeze(x, 0), [dice.of([2, 3, 5]), ...x.shape]),
  },
  concat: {
    smooth: true,
    apply: (dice, x) =>
      x.shape.length === 0 ? x : build.concat([x, build.unary('sin', x)], dice.below(x.shape.length)),
  },
  mean: {
    smooth: true,
    apply: (dice, x) => {
      const dims = dice.shuffled(x.shape.length).slice(0, 1 + dice.below(2));
      return x.size === 0 ? x : reductions.mean(x, dims, dice.below(2) === 0);
    },
  },
  reduceMax: {
    smooth: false,
    apply: (dice, x) =>
      x.size === 0 || x.shape.length === 0 ? x : build.reduce('reduceMax', x, [dice.below(x.shape.length)]),
  },
  softmax: {
    smooth: true,
    apply: (dice, x) => (x.size === 0 || x.shape.length === 0 ? x : reductions.softmax(x, dice.below(x.shape.length))),
  },
  normalise: {
    smooth: true,
    apply: (dice, x) => {
      if (x.size === 0 || x.shape.length === 0) return x;
      const dim = dice.below(x.shape.length);
      const centred = build.sub(x, reductions.mean(x, dim, true));
      const variance = reductions.mean(build.mul(centred, centred), dim, true);
      return build.binary('div', centred, build.unary('sqrt', build.add(variance, build.scalar(0.3))));
    },
  },
  cumsum: {
    smooth: true,
    apply: (dice, x) => {
      if (x.shape.length === 0) return x;
      const dim = dice.below(x.shape.length);
      return scaled(build.cumsum(x, dim), 1 / Math.max(1, x.shape[dim]));
    },
  },
  matmul: {
    smooth: true,
    apply: (dice, x) => {
      if (x.shape.length < 2) return x;
      const k = x.shape[x.shape.length - 1];
      return scaled(
        build.matmul(x, build.unary('tanh', build.transposeLast(dice.below(2) === 0 ? x : build.unary('sin', x)))),
        1 / Math.max(1, k),
      );
    },
  },
  gather: {
    smooth: true,
    apply: (dice, x) => {
      if (x.size === 0 || x.shape.length === 0) return x;
      const dim = dice.below(x.shape.length);
      const n = x.shape[dim];
      const other = build.binary('and', build.iota(x.size), build.constant(3, 'int32') as Node);
      const index = build.binary('min', build.reshape(other, x.shape), build.constant(n - 1, 'int32') as Node);
      return build.gather(x, dim, index);
    },
  },
};

/** A third of the graphs is of float64 alone, and a third of both. */
const KINDS = ['float32', 'float64', 'both'] as const;
/** Rounding to float32 is done by the devices alone. */
const toOther = (x: Node): Node => build.cast(x, x.dtype === 'float64' ? 'float32' : 'float64');

interface Fuzzed {
  readonly leaves: Node[];
  readonly outputs: Node[];
  readonly data: Float64Array[];
  readonly tolerance: number;
}

function randomGraph(seed: number): Fuzzed {
  const dice = new Dice(seed);
  const inputs = Array.from({ length: 2 + dice.below(2) }, () =>
    f(
      Array.from({ length: dice.below(4) }, () => dice.of([1, 2, 3, 4, 5, 7, 8, 12, 17, dice.below(30) === 0 ? 0 : 6])),
    ),
  );
  const kind = KINDS[seed % KINDS.length];
  const isWide = (i: number): boolean => kind === 'float64' || (kind === 'both' && i % 2 === 0);
  const given = inputs.map((x, i): Input => ({ ...x, dtype: isWide(i) ? 'float64' : 'float32' }));
  const leaves = makeLeaves(given, 'test');
  const data = makeData({ name: `fuzz ${seed}`, inputs });
  const pool: Node[] = [...leaves];
  let isSmooth = true;
  for (let step = 4 + dice.below(10); step > 0; step--) {
    const { smooth, apply } = STEPS[dice.of(Object.keys(STEPS))];
    const given = dice.below(3) === 0 ? dice.of(pool) : pool[pool.length - 1];
    const made = apply(dice, kind === 'both' && step % 4 === 0 ? toOther(given) : given, pool);
    if (made.size > MOST_ELEMENTS) continue;
    isSmooth &&= smooth;
    pool.push(made);
  }
  const outputs = [pool[pool.length - 1], dice.of(pool)];
  if (isSmooth) {
    const seedNode = build.expand(build.scalar(0.7, outputs[0].dtype), outputs[0].shape);
    for (const g of gradient([outputs[0]], [seedNode], leaves)) if (g !== undefined) outputs.push(g);
  }
  return { leaves, outputs, data, tolerance: kind === 'float64' ? 1e-12 : TOLERANCE };
}

function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [largest, worst] = [1, 0];
  for (let i = 0; i < expected.length; i++)
    if (Math.abs(expected[i]) < Infinity) largest = Math.max(largest, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(actual[i]) !== Number.isNaN(expected[i])) return Infinity;
    if (!Number.isNaN(actual[i]) && actual[i] !== expected[i])
      worst = Math.max(worst, Math.abs(actual[i] - expected[i]) / largest);
  }
  return worst;
}

const seeds = Array.from({ length: COUNT }, (_, i) => FIRST + i);

test.each(seeds)('seed %i', async (seed) => {
  const { leaves, outputs, data, tolerance } = randomGraph(seed);
  const expected = await evaluateOn(reference, outputs, leaves, data);
  for (const [name, device] of Object.entries(devices)) {
    const actual = await evaluateOn(device, outputs, leaves, data);
    outputs.forEach((node, i) => {
      const difference = worstDifference(actual[i], expected[i]);
      if (difference <= tolerance) return;
      const graph = printGraph(topologicalOrder(outputs));
      expect.fail(`NABLA_FUZZ_SEED=${seed}, ${name}: output ${i} (${node.op}) is off by ${difference}\n${graph}`);
    });
  }
});
