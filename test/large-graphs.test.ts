// Graphs of thousands of operands and of thousands of operators one above the other: they compile, in one program or in
// several, and give what plain loops and the reference device give. NABLA_LARGE=all makes them as large as they may be.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  type Tensor,
  cat,
  compile,
  disposeDevices,
  graphOf,
  manualSeed,
  realize,
  setDevice,
  stack,
  tensor,
} from 'nabla';
import { Linear, Sequential, Tanh, mseLoss } from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import { getDevice, registerDevice } from '../src/engine/engine.js';
import { gradient } from '../src/engine/grad/backward.js';
import * as build from '../src/engine/ir/build.js';
import type { Node } from '../src/engine/ir/node.js';
import { f, generator, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn, worstError } from './operators/run.js';
import { noNative, testDevices } from './support/tiers.js';

const isFull = process.env.NABLA_LARGE === 'all';
const sized = (quick: number, full: number): number => (isFull ? full : quick);
const PATIENCE = 300_000; // milliseconds, for busy machines

registerDevice('pieces', () => new CpuDevice({ name: 'pieces', tier: 'wasm', threads: 2, mostWeight: 60 }));
afterAll(() => disposeDevices());
beforeEach(() => setDevice('wasm'));

const number = (i: number): number => Math.sin(i + 0.3);
const vector = (i: number, n = 3): Tensor =>
  tensor(
    Float32Array.from({ length: n }, (_, j) => number(i + j)),
    { shape: [n] },
  ) as unknown as Tensor;
const vectors = (count: number, n?: number): Tensor[] => Array.from({ length: count }, (_, i) => vector(i, n));
const parameter = (i: number): Tensor => vector(i).requiresGrad_() as unknown as Tensor;
const read = async (t: unknown): Promise<number[]> => [...(await (t as Tensor).data())];

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  expect(worstError(actual, expected)).toBeLessThan(tolerance);
}

describe('thousands of operands', () => {
  test.each(isFull ? [1000, 5000, 10_000] : [1200])(
    'stack, cat and sum of %i tensors',
    async (count) => {
      const parts = vectors(count);
      const whole = Array.from({ length: count }, (_, i) => [number(i), number(i + 1), number(i + 2)]);
      expectClose(await read(stack(parts as AnyTensor[])), whole.flat());
      expectClose(
        await read(stack(parts as AnyTensor[], 1)),
        [0, 1, 2].flatMap((j) => whole.map((row) => row[j])),
      );
      expectClose(
        await read(cat(parts.map((p) => p.mul(2)) as AnyTensor[])),
        whole.flat().map((x) => 2 * x),
      );
      const sum = parts.reduce((total, p) => total.add(p) as Tensor);
      expectClose(
        await read(sum),
        [0, 1, 2].map((j) => whole.reduce((total, row) => total + row[j], 0)),
        1e-4,
      );
    },
    PATIENCE,
  );

  test(
    'parts of many sizes, along both axes',
    async () => {
      const count = sized(1200, 10_000);
      const widths = Array.from({ length: count }, (_, i) => 1 + (i % 6));
      const parts = widths.map((w, i) => vector(i, 2 * w).reshape([2, w]));
      const row = (r: number) => widths.flatMap((w, i) => Array.from({ length: w }, (_, j) => number(i + r * w + j)));
      expectClose(await read(cat(parts as AnyTensor[], 1)), [...row(0), ...row(1)]);
    },
    PATIENCE,
  );

  test(
    'numbers: each is an argument of its own',
    async () => {
      const count = sized(1500, 10_000);
      let x = vector(0);
      let expected = [0, 1, 2].map(number);
      for (let i = 0; i < count; i++) {
        const [a, b] = [0.999 - i * 1e-8, 0.001 + i * 1e-8];
        x = x.mul(a).add(b) as Tensor;
        expected = expected.map((v) => v * a + b);
      }
      expectClose(await read(x), expected, 1e-4);
    },
    PATIENCE,
  );

  test(
    'losses of many steps, added and read once',
    async () => {
      let total = tensor(0) as unknown as Tensor;
      for (let i = 0; i < sized(1200, 10_000); i++) total = total.add(vector(i).square().mean().detach()) as Tensor;
      const expected = Array.from({ length: sized(1200, 10_000) }, (_, i) =>
        [0, 1, 2].reduce((sum, j) => sum + number(i + j) ** 2 / 3, 0),
      ).reduce((a, b) => a + b);
      expectClose([(await total.item()) / expected], [1], 1e-4);
    },
    PATIENCE,
  );

  test(
    'many results',
    async () => {
      const results = vectors(sized(1200, 10_000)).map((x) => x.mul(3) as AnyTensor);
      await realize(...results);
      expectClose(
        await read(results[results.length - 1]),
        [0, 1, 2].map((j) => 3 * number(results.length - 1 + j)),
      );
    },
    PATIENCE,
  );

  test(
    'gradients of many parameters',
    async () => {
      const count = sized(1200, 10_000);
      const parameters = Array.from({ length: count }, (_, i) => parameter(i));
      const sum = parameters.map((p, i) => p.mul(i / count) as Tensor).reduce((total, p) => total.add(p) as Tensor);
      (
        stack(parameters as AnyTensor[])
          .square()
          .sum()
          .add(sum.sum()) as unknown as Tensor
      ).backward();
      await realize(...parameters.map((p) => p.grad as unknown as AnyTensor));
      for (const i of [0, 1, count >> 1, count - 1]) {
        expectClose(
          await read(parameters[i].grad),
          [0, 1, 2].map((j) => 2 * number(i + j) + i / count),
        );
      }
    },
    PATIENCE,
  );

  test(
    'a parameter that is read again and again',
    async () => {
      const p = vector(0, sized(500, 5000)).requiresGrad_() as unknown as Tensor;
      let loss = tensor(0) as unknown as Tensor;
      for (let i = 0; i < p.size; i++)
        loss = loss.add(
          p
            .slice(0, i, i + 1)
            .square()
            .sum(),
        ) as Tensor;
      loss.backward();
      expectClose(
        await read(p.grad),
        Array.from({ length: p.size }, (_, i) => 2 * number(i)),
      );
    },
    PATIENCE,
  );
});

describe('thousands of operators one above the other', () => {
  const DEPTH = sized(5000, 20_000);

  test(
    'elementwise',
    async () => {
      const a = vector(5);
      let x = vector(0);
      let expected = [0, 1, 2].map(number);
      for (let i = 0; i < DEPTH; i += 4) {
        x = x.mul(0.5).add(a).sin().mul(1.5) as Tensor;
        expected = expected.map((v, j) => 1.5 * Math.sin(v * 0.5 + number(5 + j)));
      }
      expectClose(await read(x), expected, 1e-4);
    },
    PATIENCE,
  );

  test(
    'the same operand at each level, and each level twice',
    async () => {
      const a = vector(1);
      let x = vector(0);
      let expected = [0, 1, 2].map((j) => Math.fround(number(j)));
      for (let i = 0; i < DEPTH; i++) {
        x = x.add(a) as Tensor;
        expected = expected.map((v, j) => Math.fround(v + Math.fround(number(1 + j)))); // rounded as float32 is
      }
      expect(await read(x)).toEqual(expected);
      let y = vector(0);
      for (let i = 0; i < DEPTH; i += 2) y = y.add(y).mul(0.5) as Tensor;
      expectClose(await read(y), [0, 1, 2].map(number));
    },
    PATIENCE,
  );

  test(
    'views of views',
    async () => {
      let x = vector(0, 15);
      for (let i = 0; i < DEPTH; i += 4) {
        x = x
          .reshape([3, 5])
          .transpose(0, 1)
          .reshape([15])
          .pad([[1, 0]])
          .slice(0, 1) as unknown as Tensor;
      }
      const order = Array.from({ length: 15 }, (_, i) => i);
      let expected = order;
      for (let i = 0; i < DEPTH; i += 4) expected = order.map((k) => expected[(k % 3) * 5 + Math.floor(k / 3)]);
      expectClose(await read(x), expected.map(number));
    },
    PATIENCE,
  );

  test(
    'gradients through all of them',
    async () => {
      const p = parameter(0);
      const a = vector(1);
      let x = p;
      for (let i = 0; i < DEPTH; i += 2) x = x.mul(0.9999).add(a) as Tensor;
      x.sum().backward();
      expectClose(
        await read(p.grad),
        [0, 1, 2].map(() => 0.9999 ** (DEPTH / 2)),
        1e-4,
      );
    },
    PATIENCE,
  );

  test(
    'products, sums over rows and broadcasts in turn, and their gradients',
    async () => {
      const [value, slope] = await alternating('wasm');
      const [expectedValue, expectedSlope] = await alternating('reference');
      expectClose(value, expectedValue, 1e-4);
      expectClose(slope, expectedSlope, 1e-3);
    },
    PATIENCE,
  );

  async function alternating(device: string): Promise<[value: number[], slope: number[]]> {
    setDevice(device);
    const matrix = vector(1, 16).reshape([4, 4]);
    const p = vector(0, 16).requiresGrad_() as unknown as Tensor;
    let x = p.reshape([4, 4]) as Tensor;
    for (let i = 0; i < sized(1000, 20_000); i += 5) {
      const rows = x.sum(1, { keepdim: true }).mul(0.1);
      x = x
        .add(x.matmul(matrix as never).mul(0.1))
        .add(rows as never)
        .sin() as Tensor;
    }
    x.sum().backward();
    await realize(x as AnyTensor, p.grad as unknown as AnyTensor);
    return [await read(x), await read(p.grad)];
  }

  test(
    'a picture of the graph',
    async () => {
      let x = vector(0);
      for (let i = 0; i < 3000; i++) x = x.sin() as Tensor;
      const graph = await graphOf(x as AnyTensor);
      expect(graph.nodes).toHaveLength(3001);
      expect(graph.toMermaid().split('\n').length).toBeGreaterThan(6000);
    },
    PATIENCE,
  );
});

// ---------------------------------------------------------------- random graphs

const reference = new ReferenceDevice();
const devices = testDevices({
  wasm: { threads: 2, tier: 'wasm', verify: true },
  'in pieces': { threads: 2, tier: 'wasm', mostWeight: 300, verify: true },
});

/** Steps of a deep and wide graph over [4, 6], with values near 1. */
function randomGraph(seed: number, steps: number): { leaves: Node[]; outputs: Node[]; data: Float64Array[] } {
  const next = generator(`large ${seed}`);
  const below = (n: number): number => Math.floor(next() * n);
  const inputs = [f([4, 6]), f([6]), f([4, 1]), f([6, 6])];
  const leaves = makeLeaves(inputs, 'test');
  const [x, row, column, matrix] = leaves;
  const pool: Node[] = [x];
  const recent = (): Node => pool[Math.max(0, pool.length - 1 - below(3))];
  const scaled = (n: Node, by: number): Node => build.mul(n, build.scalar(by));
  const makers: (() => Node)[] = [
    () => build.unary('sin', recent()),
    () => build.add(scaled(recent(), 0.6), scaled(recent(), 0.3 + next() / 10)),
    () => build.mul(recent(), build.unary('tanh', recent())),
    () => build.add(scaled(recent(), 0.5), row),
    () => build.unary('tanh', build.mul(recent(), column)),
    () => scaled(build.matmul(recent(), matrix), 0.3),
    () => build.sub(recent(), scaled(build.expand(build.sum(recent(), [1]), [4, 6]), 1 / 6)),
    () => build.add(scaled(build.expand(build.sum(recent(), [0, 1]), [4, 6]), 1 / 24), row),
    () => build.reshape(build.permute(build.reshape(recent(), [3, 8]), [1, 0]), [4, 6]),
    () => build.concat([build.sliceAxis(recent(), 1, 2, 6), build.sliceAxis(recent(), 1, 0, 2)], 1),
    () => {
      const parts = Array.from({ length: 2 + below(200) }, () => build.reshape(pool[below(pool.length)], [1, 4, 6]));
      return scaled(build.reshape(build.sum(build.concat(parts, 0), [0]), [4, 6]), 1 / parts.length);
    },
  ];
  for (let i = 0; i < steps; i++) {
    // The last kinds are dear: seldom.
    const kind = below(makers.length * 2);
    pool.push(makers[kind < makers.length ? kind : kind % 5]());
  }
  const outputs = [pool[pool.length - 1], pool[below(pool.length)]];
  const seedNode = build.expand(build.scalar(0.7), [4, 6]);
  for (const g of gradient([outputs[0]], [seedNode], leaves)) if (g !== undefined) outputs.push(g);
  return { leaves, outputs, data: makeData({ name: `large ${seed}`, inputs }) };
}

test.each(Array.from({ length: Number(process.env.NABLA_FUZZ_COUNT ?? 3) }, (_, i) => i + 1))(
  'a random graph, its gradients, every device, seed %i',
  async (seed) => {
    const { leaves, outputs, data } = randomGraph(seed, 60 + 40 * (seed % 5));
    const expected = await evaluateOn(reference, outputs, leaves, data);
    for (const [name, device] of Object.entries(devices)) {
      const actual = await evaluateOn(device, outputs, leaves, data);
      actual.forEach((values, i) => {
        const largest = Math.max(1, ...Array.from(expected[i], Math.abs));
        const worst = Math.max(...Array.from(values, (v, k) => Math.abs(v - expected[i][k])));
        expect({ name, i, isClose: worst <= 5e-4 * largest }).toEqual({ name, i, isClose: true });
      });
    }
  },
  PATIENCE,
);

test.skipIf(noNative !== undefined)(
  'natively',
  async () => {
    setDevice('native');
    const parts = vectors(300);
    const whole = parts.flatMap((_, i) => [0, 1, 2].map((j) => number(i + j)));
    const sum = parts.reduce((total, p) => total.mul(0.5).add(p) as Tensor);
    const expected = [0, 1, 2].map((j) =>
      parts.reduce((total, _, i) => (i === 0 ? number(j) : total * 0.5 + number(i + j)), 0),
    );
    expectClose(await read(stack(parts as AnyTensor[])), whole);
    expectClose(await read(sum), expected);
  },
  PATIENCE,
);

// ---------------------------------------------------------------- several programs as one

describe('a step in pieces', () => {
  async function train(device: string, captured: boolean): Promise<number[][]> {
    setDevice(device);
    manualSeed(5);
    const model = new Sequential(new Linear(6, 8), new Tanh(), new Linear(8, 8), new Tanh(), new Linear(8, 2));
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const plain = async (x: AnyTensor, y: AnyTensor): Promise<AnyTensor> => {
      optimizer.zeroGrad();
      const loss = mseLoss(model.forward(x as never) as AnyTensor, y) as unknown as Tensor;
      loss.backward();
      await optimizer.step();
      return loss as AnyTensor;
    };
    const step = captured ? compile(plain) : plain;
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const loss = await step(vector(i, 24).reshape([4, 6]) as AnyTensor, vector(i, 8).reshape([4, 2]) as AnyTensor);
      losses.push(...(await read(loss)));
    }
    return [losses, ...(await Promise.all(model.parameters().map(read)))];
  }

  test('updates in place, as they come and replayed', async () => {
    const expected = await train('wasm', false);
    for (const captured of [false, true]) {
      const actual = await train('pieces', captured);
      actual.forEach((list, i) => expectClose(list, expected[i]));
    }
  });

  test('what is handed on is given back, also where a piece fails', async () => {
    setDevice('pieces');
    const device = getDevice('pieces');
    const at = tensor(Int32Array.of(0, 7, 2));
    const x = vector(0);
    const total = vector(3);
    await realize(x as AnyTensor, at as unknown as AnyTensor, total as AnyTensor);
    const { buffers, usedBytes } = device.memory();
    const deep = (start: Tensor): Tensor => {
      let y = start;
      for (let i = 0; i < 100; i++) y = y.sin().add(x) as Tensor;
      return y;
    };
    using result = deep(x) as Tensor;
    await realize(result as AnyTensor);
    expect(device.memory().buffers).toBe(buffers + 1);
    expect(device.memory().usedBytes).toBeGreaterThan(usedBytes);
    const wrong = deep(x.gather(0, at as never) as Tensor);
    await expect(realize(wrong as AnyTensor)).rejects.toThrow(IndexError);
    expect(device.memory().buffers).toBeLessThanOrEqual(buffers + 2);
    expectClose(
      await read(total),
      [0, 1, 2].map((j) => number(3 + j)),
    );
  });
});
