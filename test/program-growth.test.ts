// What a process holds does not grow with what it has seen: slices at other places run the same program, programs that were
// not used for long are disposed of, and tables forget. Everything is counted, nothing is timed.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { GRUCell, Linear } from 'nabla/nn';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { disposeDevices, engineStats, getDevice, programCache, registerDevice } from '../src/engine/engine.js';
import { createNode, structureCount } from '../src/engine/ir/node.js';
import { compile, noGrad, setDevice, tensor } from '../src/index.js';
import { type Loose, forward, give } from './support/loose.js';
import { noNative } from './support/tiers.js';

registerDevice('counted', () => new CpuDevice({ name: 'counted', tier: 'wasm', threads: 2, verify: true }));
const devices = ['reference', 'counted', ...(noNative === undefined ? ['native'] : [])];
afterAll(() => setDevice('cpu'));

/** Programs compiled by `body`. */
async function compiled(body: () => Promise<void>): Promise<number> {
  const before = engineStats().programs;
  await body();
  return engineStats().programs - before;
}

const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);
const matrix = (rows: number, columns: number) => give(range(rows * columns), [rows, columns]);

const captured = compile as unknown as <R>(
  fn: (x: Loose) => R,
) => ((x: Loose) => Promise<Awaited<R>>) & { readonly captures: number };

describe.each(devices)('slices at other places run the same program (%s)', (device) => {
  beforeEach(() => setDevice(device));
  const given = (rows: number, columns: number) => give(range(rows * columns), [rows, columns]);

  test('a part of the first dimension, in a loop: one program', async () => {
    const x = given(50, 3);
    const count = await compiled(async () => {
      for (let i = 0; i < 40; i++)
        expect(
          await x
            .slice(0, i, i + 10)
            .sum(1)
            .array(),
        ).toEqual(range(10, i).map((r) => 9 * r + 3));
    });
    expect(count).toBe(1);
  });

  test('an element, a row, every second row, and rows backwards: one program each', async () => {
    const x = given(30, 2);
    const one = await compiled(async () => {
      for (let i = 0; i < 30; i++) expect(await x.index(i).sum().item()).toBe(4 * i + 1);
    });
    const steps = await compiled(async () => {
      for (let i = 0; i < 20; i++)
        expect(
          await x
            .slice(0, i, i + 5, 2)
            .sum(1)
            .array(),
        ).toEqual([0, 2, 4].map((d) => 4 * (i + d) + 1));
    });
    const back = await compiled(async () => {
      for (let i = 0; i < 20; i++)
        expect(
          await x
            .slice(0, i + 3, i, -1)
            .sum(1)
            .array(),
        ).toEqual([3, 2, 1].map((d) => 4 * (i + d) + 1));
    });
    expect([one, steps, back]).toEqual([1, 1, 1]);
  });

  test('inputs and targets of a language model, one position apart: one program', async () => {
    const text = given(200, 1);
    const count = await compiled(async () => {
      for (let i = 0; i < 50; i++) {
        const [x, y] = [text.slice(0, i, i + 8), text.slice(0, i + 1, i + 9)];
        expect(await y.sub(x).mul(x).sum().item()).toBe(8 * i + 28);
      }
    });
    expect(count).toBe(1);
  });

  test('parts of the second dimension, and of both: two programs', async () => {
    const x = given(6, 40);
    const second = await compiled(async () => {
      for (let i = 0; i < 30; i++)
        expect(
          await x
            .slice(1, i, i + 3)
            .sum(1)
            .array(),
        ).toEqual(range(6).map((r) => 3 * (40 * r + i) + 3));
    });
    expect(second).toBeLessThanOrEqual(2);
    const both = await compiled(async () => {
      for (let i = 0; i < 30; i++) {
        const part = x.slice(0, i % 5, (i % 5) + 2).slice(1, i, i + 3);
        expect(await part.sum(1).array()).toEqual([0, 1].map((r) => 3 * (40 * (r + (i % 5)) + i) + 3));
      }
    });
    expect(both).toBeLessThanOrEqual(2);
  });

  test('a part beside the whole, and padded parts: two programs, and no element from beyond the part', async () => {
    const x = given(20, 4);
    const whole = await compiled(async () => {
      for (let i = 0; i < 16; i++)
        expect(
          await x
            .slice(0, i, i + 2)
            .sum()
            .sub(x.sum())
            .item(),
        ).toBe(32 * i + 28 - 3160);
    });
    expect(whole).toBeLessThanOrEqual(2);
    const padded = await compiled(async () => {
      for (let i = 0; i < 3; i++) {
        const part = x.slice(1, i, i + 2).pad([
          [0, 0],
          [1, 5],
        ]);
        expect(await part.slice(0, 19, 20).array()).toEqual([[0, 76 + i, 77 + i, 0, 0, 0, 0, 0]]);
      }
    });
    expect(padded).toBeLessThanOrEqual(2);
  });

  test('products with parts of weights, and gradients through parts', async () => {
    const [x, w] = [given(4, 6), given(12, 5).requiresGrad_()];
    const count = await compiled(async () => {
      for (let i = 0; i < 6; i++) {
        const part = w.slice(0, i, i + 6);
        const y = await x.matmul(part).array();
        const expected = range(4).map((r) =>
          range(5).map((c) => range(6).reduce((s, k) => s + (6 * r + k) * (5 * (i + k) + c), 0)),
        );
        expect(y).toEqual(expected);
      }
    });
    expect(count).toBe(1);
  });

  test('a part of what is overwritten in the same run reads the old values', async () => {
    const state = given(8, 2);
    for (let i = 0; i < 4; i++) {
      state.assign_(
        state
          .slice(0, 1, 8)
          .pad([
            [0, 1],
            [0, 0],
          ])
          .add(0),
      );
      expect(await state.sum(1).array()).toEqual(range(8).map((r) => (r + i + 1 < 8 ? 4 * (r + i + 1) + 1 : 0)));
    }
  });

  test('what repeats is the same wherever the part begins', async () => {
    const x = given(1, 4).expand([100, 4]);
    const count = await compiled(async () => {
      for (let i = 0; i < 20; i++)
        expect(
          await x
            .slice(0, i, i + 3)
            .sum()
            .item(),
        ).toBe(18);
    });
    expect(count).toBe(1);
  });
});

test('a cell over the steps of an input stays one graph of steps, wherever the stretch begins', async () => {
  setDevice('counted');
  const [cell, head] = [new GRUCell(3, 4), new Linear(4, 2)];
  const data = matrix(40, 3).mul(0.01);
  const xs = give(await data.data(), [40, 1, 3]);
  const values: number[] = [];
  const count = await compiled(async () => {
    for (let i = 0; i < 10; i++) {
      let h = give([0, 0, 0, 0], [1, 4]);
      for (let t = 0; t < 6; t++) h = forward(cell, xs.index(i + t), h);
      values.push(await forward(head, h).sum().item());
    }
  });
  expect(count).toBe(1);
  setDevice('cpu');
  expect(new Set(values).size).toBe(10);
});

describe('the cache of programs is bounded by bytes', () => {
  const LIMIT = 4 << 20;
  let before: number;
  beforeEach(() => {
    setDevice('counted');
    before = programCache().limitBytes;
    programCache().limitBytes = LIMIT;
    return () => {
      programCache().limitBytes = before;
      setDevice('cpu');
    };
  });

  /** Programs of the device that are loaded, while `body` runs. */
  async function loaded(body: () => Promise<void>): Promise<{ made: number; held: number }> {
    const device = getDevice('counted') as CpuDevice;
    const counts = { made: 0, held: 0 };
    const compile = device.compile.bind(device);
    device.compile = (graph) => {
      const executable = compile(graph);
      const dispose = executable.dispose.bind(executable);
      counts.made++;
      counts.held++;
      return Object.assign(executable, {
        dispose: () => {
          counts.held--;
          dispose();
        },
      });
    };
    await body();
    device.compile = compile;
    return counts;
  }

  test('many batch sizes: those not used for long are disposed of, and compiled again when they come back', async () => {
    const layer = new Linear(3, 2);
    const sum = async (n: number) =>
      forward(layer, give(range(3 * n), [n, 3]))
        .sum()
        .item();
    const first: number[] = [];
    const { made, held } = await loaded(async () => {
      for (let n = 1; n <= 120; n++) first.push(await sum(n));
    });
    expect(made).toBe(120);
    expect(held).toBeLessThan(60);
    expect(programCache().bytes).toBeLessThanOrEqual(LIMIT);
    for (let n = 1; n <= 120; n += 17) expect(await sum(n)).toBeCloseTo(first[n - 1], 4);
  });

  test('what is used stays: between many others, one program is compiled once', async () => {
    const x = give([1.5, 2, 3]);
    const others = async (n: number) =>
      void (await give(range(n + 1))
        .mul(2.5)
        .sum()
        .item());
    const own = async () => expect(await x.mul(3.5).exp().log().sum().item()).toBeCloseTo(22.75, 4);
    await own();
    for (let n = 300; n < 400; n++) {
      await others(n);
      expect(await compiled(own)).toBe(0);
    }
  });

  test('a captured function whose programs are gone is captured again', async () => {
    const state = give([0]);
    const count = captured(async (x) => {
      state.assign_(state.add(1));
      return x.mul(2);
    });
    for (let n = 1; n <= 120; n++) await count(give(range(n)));
    expect(count.captures).toBe(120);
    for (const n of [1, 120, 2, 119, 1, 2])
      expect(await (await count(give(range(n)))).array()).toEqual(range(n).map((i) => 2 * i));
    expect(count.captures).toBeGreaterThan(120);
    expect(await state.item()).toBe(126);
  });

  test.skipIf(noNative !== undefined)('native libraries of programs that are gone are closed', async () => {
    setDevice('native');
    for (let n = 1; n <= 3; n++) expect(await give(range(n)).add(0.5).sum().item()).toBe((n * n) / 2);
    programCache().limitBytes = 0;
    setDevice('counted');
    for (let n = 1; n <= 20; n++) await give(range(n)).sub(0.25).sum().item();
    setDevice('native');
    for (let n = 1; n <= 3; n++) expect(await give(range(n)).add(0.5).sum().item()).toBe((n * n) / 2);
  });
});

test('tables of structures forget', () => {
  for (let i = 0; i < 70_000; i++) createNode('const', [], { value: i }, [], 'float32');
  expect(structureCount()).toBeLessThan(67_000);
});

test('a cached program holds no tensor: not as a neighbour of its nodes, not through a derivative', async () => {
  setDevice('counted');
  const device = getDevice('counted');
  const gc = (globalThis as { gc?: () => void }).gc ?? (await collector());
  const run = async () => {
    const x = give(new Float32Array(1000).fill(0.5), [10, 1, 100]);
    const { GRU } = await import('nabla/nn');
    const gru = new GRU(100, 4);
    const [y] = noGrad(() => forward<Loose[]>(gru, x));
    await y.sum().item();
  };
  await run();
  const settle = async () => {
    for (let i = 0; i < 4; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await settle();
  const held = device.memory().buffers;
  for (let i = 0; i < 3; i++) await run();
  await settle();
  setDevice('cpu');
  expect(device.memory().buffers).toBeLessThanOrEqual(held);
});

test('a captured function holds the memory of no call', async () => {
  setDevice('counted');
  const gc = (globalThis as { gc?: () => void }).gc ?? (await collector());
  const device = getDevice('counted');
  const double = captured((x) => ({ twice: x.mul(2), sum: x.mul(2).sum() }));
  const call = async (n: number) => {
    const { twice } = await double(give(new Float32Array(n).fill(n)));
    expect((await twice.data())[n - 1]).toBe(2 * n);
  };
  const settle = async () => {
    for (let i = 0; i < 4; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await settle();
  const { buffers } = device.memory();
  for (let n = 1; n <= 20; n++) await call(n);
  for (let n = 20; n >= 1; n--) await call(n);
  await settle();
  expect(double.captures).toBe(20);
  expect(device.memory().buffers - buffers).toBeLessThan(8);
  setDevice('cpu');
});

test('sequences of all lengths are one program where they are padded, and their lengths an argument', async () => {
  setDevice('counted');
  const { GRU } = await import('nabla/nn');
  const [gru, longest] = [new GRU(2, 3), 12];
  const inputs = give(range(longest * 2).map(Math.sin), [longest, 1, 2]);
  const last = async (length: number) => {
    const lengths = tensor([length], { dtype: 'int32' });
    return [...(await forward<Loose[]>(gru, inputs, undefined, { lengths })[1].data())];
  };
  const results: number[][] = [];
  const count = await compiled(async () => {
    for (let length = 2; length <= longest; length++) results.push(await last(length));
  });
  expect(count).toBe(1);
  for (const length of [2, 7, longest]) {
    const exact = [...(await forward<Loose[]>(gru, inputs.slice(0, 0, length))[1].data())];
    exact.forEach((v, i) => expect(results[length - 2][i]).toBeCloseTo(v, 5));
  }
  setDevice('cpu');
});

async function collector(): Promise<() => void> {
  const v8 = await import('node:v8');
  const vm = await import('node:vm');
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}

afterAll(() => disposeDevices());
