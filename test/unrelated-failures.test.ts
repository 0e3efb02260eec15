// What cannot be computed (an index out of range, no memory, a tensor that was disposed of) fails where it is asked for, and
// strikes nothing that merely waited for the same run.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
  type Tensor,
  compile,
  disposeDevices,
  getRandomState,
  manualSeed,
  noGrad,
  rand,
  realize,
  setDevice,
  tensor,
} from 'nabla';
import { BatchNorm1d, Linear, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { getDevice, registerDevice } from '../src/engine/engine.js';
import './support/tiers.js';

registerDevice('small', () => new CpuDevice({ name: 'small', tier: 'wasm', threads: 1, heapBytes: 8 << 20 }));
registerDevice('second', () => new CpuDevice({ name: 'second', tier: 'wasm', threads: 1 }));
afterAll(() => disposeDevices());
afterEach(() => setDevice('cpu'));

const ints = (...numbers: number[]) => tensor(Int32Array.from(numbers), { shape: [numbers.length] });
const given = (...numbers: number[]) => tensor(numbers) as unknown as Tensor;
const weight = (...numbers: number[]) => tensor(numbers, { requiresGrad: true }) as unknown as Tensor;
const OUT = /out of range|is no class/;
const FREED = /batch was freed\. Do not use a tensor after its dispose/;

describe.each(['reference', 'wasm', 'native'])('on %s', (device) => {
  beforeEach(() => setDevice(device));

  describe('a tensor that was disposed of', () => {
    test('is named where it is used', async () => {
      const x = given(1, 2).named('batch');
      const before = x.mul(2);
      x[Symbol.dispose]();
      expect(() => x.add(1)).toThrow(FREED);
      await expect(x.data()).rejects.toThrow(FREED);
      await expect(before.data()).rejects.toThrow(StaleTensorError);
      await expect(before.data()).rejects.toThrow(FREED);
      x[Symbol.dispose](); // twice is once
    });

    test('so is a result', async () => {
      const y = given(1, 2).mul(3);
      const before = y.add(1);
      await y.data();
      const after = y.mul(2);
      y[Symbol.dispose]();
      expect(() => y.add(1)).toThrow(StaleTensorError);
      await expect(after.data()).rejects.toThrow(StaleTensorError);
      await expect(before.data()).rejects.toThrow(StaleTensorError);
      await expect(y.data()).rejects.toThrow(StaleTensorError);
    });

    test('before a kept loss is read: other reads and steps go on', async () => {
      const [w, v] = [weight(1, 2), weight(5)];
      const loss = (() => {
        const batch = given(3, 4).named('batch');
        const made = w.mul(batch).sum().keep();
        batch[Symbol.dispose]();
        return made;
      })();
      expect(await given(1).add(1).array()).toEqual([2]);
      const optimizer = new SGD([v], { lr: 1 });
      v.square().sum().backward();
      await optimizer.step();
      expect(await v.array()).toEqual([-5]);
      await expect(loss.item()).rejects.toThrow(FREED);
      expect(await w.mul(2).array()).toEqual([2, 4]);
    });

    test('before the step: parameters, counts and later steps are as they were', async () => {
      const w = weight(1, 2);
      const norm = new BatchNorm1d(2);
      const optimizer = new SGD([w], { lr: 1 });
      const step = async (dispose: boolean) => {
        const batch = tensor([
          [3, 4],
          [5, 8],
        ]).named('batch');
        norm
          .forward(batch.mul(w as never) as never)
          .sum()
          .backward();
        if (dispose) batch[Symbol.dispose]();
        await optimizer.step();
      };
      await expect(step(true)).rejects.toThrow(FREED);
      expect([await w.array(), optimizer.stepCount, w.grad]).toEqual([[1, 2], 0, undefined]);
      expect(await norm.runningMean?.array()).toEqual([0, 0]);
      await step(false);
      expect(optimizer.stepCount).toBe(1);
      expect(await norm.numBatchesTracked?.array()).toBe(1);
    });

    test('in the closure or among the arguments of a captured function', async () => {
      const [w, scale] = [weight(1), given(2).named('batch')];
      const optimizer = new SGD([w], { lr: 1 });
      const step = compile(async (x: Tensor) => {
        optimizer.zeroGrad();
        w.mul(x).mul(scale).sum().backward();
        await optimizer.step();
      });
      await step(given(1));
      const gone = given(1).named('batch');
      gone[Symbol.dispose]();
      await expect(step(gone)).rejects.toThrow(FREED);
      await step(given(1));
      scale[Symbol.dispose]();
      await expect(step(given(1))).rejects.toThrow(FREED);
      expect([await w.array(), optimizer.stepCount]).toEqual([[-3], 2]);
      const other = compile((x: Tensor) => x.add(1));
      expect(await (await other(given(1))).array()).toEqual([2]);
    });
  });

  test('kept values are computed though another one fails, in time for the update', async () => {
    const [w, table] = [given(1, 2), given(7, 8)];
    const bad = table.indexSelect(0, ints(2)).keep();
    const kept = w.mul(10).keep();
    noGrad(() => w.assign_(w.add(1)));
    expect(await given(4).add(1).array()).toEqual([5]);
    expect(await w.array()).toEqual([2, 3]);
    expect(await kept.array()).toEqual([10, 20]);
    await expect(bad.data()).rejects.toThrow(OUT);
    await expect(bad.data()).rejects.toThrow(IndexError);
  });

  test('an assignment that was asked for is made though a read fails', async () => {
    const [w, table] = [given(1, 2), given(7, 8)];
    noGrad(() => w.assign_(w.mul(3)));
    await expect(table.indexSelect(0, ints(9)).data()).rejects.toThrow(OUT);
    expect(await w.array()).toEqual([3, 6]);
  });

  test('one that fails waits for those who need it, and is dropped when they have been told', async () => {
    const [w, table] = [given(1, 2), given(7, 8)];
    noGrad(() => w.assign_(table.indexSelect(0, ints(0, 2)) as never));
    expect(await table.array()).toEqual([7, 8]);
    await expect(realize()).rejects.toThrow(OUT);
    expect(await w.array()).toEqual([1, 2]);
  });

  test('first values of a model outlive the failure of its first step', async () => {
    manualSeed(5);
    const same = new Linear(3, 2);
    const [expected, bias] = [await same.weight.array(), await same.bias?.array()];
    manualSeed(5);
    const layer = new Linear(3, 2);
    const norm = new BatchNorm1d(2);
    const optimizer = new SGD([...layer.parameters(), ...norm.parameters()], { lr: 1 });
    const x = tensor([
      [1, 2, 3],
      [3, 1, 2],
    ]);
    const step = async (label: number) => {
      crossEntropy(norm.forward(layer.forward(x) as never) as never, ints(1, label) as never).backward();
      await optimizer.step();
    };
    await expect(step(2)).rejects.toThrow(OUT);
    expect([await layer.weight.array(), await layer.bias?.array()]).toEqual([expected, bias]);
    expect([await norm.runningVar?.array(), await norm.weight?.array()]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await step(1);
    expect(await norm.numBatchesTracked?.array()).toBe(1);
  });

  test('an optimiser steps with all of its parameters or with none', async () => {
    const [a, b] = [weight(1, 1), weight(1, 1)];
    const optimizer = new SGD([{ params: [a] }, { params: [b], lr: 0.5 }], { lr: 1 });
    a.mul(given(1, 2)).sum().backward();
    b.indexSelect(0, ints(5)).sum().backward();
    await expect(optimizer.step()).rejects.toThrow(OUT);
    expect([await a.array(), await b.array(), optimizer.stepCount]).toEqual([[1, 1], [1, 1], 0]);
    expect([a.grad, b.grad]).toEqual([undefined, undefined]);
  });

  test('the gradient of a batch that fails is taken off the sum', async () => {
    const w = weight(1, 1, 1);
    const optimizer = new SGD([w], { lr: 1 });
    const lossOf = (...at: number[]) =>
      w
        .indexSelect(0, ints(...at))
        .mul(2)
        .sum() as Tensor;
    lossOf(0).backward();
    const bad = lossOf(3);
    bad.backward();
    await expect(bad.item()).rejects.toThrow(OUT);
    lossOf(2, 2).backward();
    await optimizer.step();
    expect(await w.array()).toEqual([-1, 1, -3]);
  });

  test('random numbers of what failed are drawn again, others stay', async () => {
    manualSeed(9);
    const first = rand([4]);
    const second = rand([4]);
    const expected = [await first.array(), await second.array()];
    manualSeed(9);
    const waiting = rand([4]);
    const bad = rand([4]).mul(2).indexSelect(0, ints(4));
    await expect(bad.data()).rejects.toThrow(OUT);
    expect(getRandomState().draws).toBe(1);
    expect([await waiting.array(), await rand([4]).array()]).toEqual(expected);
  });

  test('a function that fails while it is captured leaves nothing behind', async () => {
    const norm = new BatchNorm1d(2);
    let isBroken = true;
    const step = compile((x: Tensor) => {
      const y = norm.forward(x as never) as unknown as Tensor;
      if (isBroken) y.reshape([7] as readonly number[]);
      return y.sum();
    });
    const x = tensor([
      [1, 2],
      [3, 6],
    ]) as unknown as Tensor;
    await expect(step(x)).rejects.toThrow(ShapeError);
    await realize();
    expect(await norm.runningMean?.array()).toEqual([0, 0]);
    isBroken = false;
    await step(x);
    expect(await norm.numBatchesTracked?.array()).toBe(1);
  });

  test.each([false, true])('a step on two devices is taken on both or on none (captured: %s)', async (isCaptured) => {
    for (const failing of [device, 'second']) {
      const places = [device, 'second'].map((name) => ({
        w: tensor([1, 2], { device: name, requiresGrad: true }),
        at: (last: number) => tensor(Int32Array.of(0, name === failing ? last : 1), { shape: [2], device: name }),
      }));
      const optimizer = new SGD(
        places.map(({ w }) => w as unknown as Tensor),
        { lr: 1 },
      );
      const body = async (...at: AnyTensor[]) => {
        optimizer.zeroGrad();
        for (const [i, { w }] of places.entries())
          w.indexSelect(0, at[i] as never)
            .sum()
            .backward();
        await optimizer.step();
      };
      const step = isCaptured ? compile(body) : body;
      const indices = (last: number) => places.map(({ at }) => at(last)) as unknown as AnyTensor[];
      const values = () => Promise.all(places.map(({ w }) => w.array()));
      await step(...indices(1));
      await expect(step(...indices(2))).rejects.toThrow(OUT);
      expect(await values()).toEqual([
        [0, 1],
        [0, 1],
      ]);
      await step(...indices(1));
      expect(await values()).toEqual([
        [-1, 0],
        [-1, 0],
      ]);
      expect(optimizer.stepCount).toBe(2);
    }
  });

  test('results of a run that fails are freed', async () => {
    const table = given(7, 8);
    const size = () => getDevice(device).memory().buffers;
    const tries = async () => {
      const [y, bad] = [table.mul(2), table.indexSelect(0, index)];
      await expect(realize(y, bad)).rejects.toThrow(OUT);
      y[Symbol.dispose]();
    };
    const index = ints(3);
    await tries();
    const before = size();
    for (let i = 0; i < 5; i++) await tries();
    expect(size()).toBe(before);
  });
});

describe('memory', () => {
  beforeEach(() => setDevice('small'));

  test('a result that does not fit does not hold back what does', async () => {
    const w = given(1, 2);
    noGrad(() => w.assign_(w.mul(3)));
    const large = given(1).expand([3000, 1000]).add(1) as AnyTensor;
    await expect(large.data()).rejects.toThrow(OutOfMemoryError);
    expect(await w.array()).toEqual([3, 6]);
    expect(await given(4).add(1).array()).toEqual([5]);
  });

  test('an optimiser whose state does not fit has not stepped', async () => {
    const w = tensor(new Float32Array(500_000).fill(1), { requiresGrad: true });
    const optimizer = new SGD([w as unknown as Tensor], { lr: 1, momentum: 0.9 });
    const filler = [1, 2, 3].map(() => tensor(new Float32Array(500_000)));
    w.sum().backward();
    await expect(optimizer.step()).rejects.toThrow(OutOfMemoryError);
    expect(optimizer.stepCount).toBe(0);
    filler.forEach((t) => t[Symbol.dispose]());
    w.grad = undefined;
    w.sum().backward();
    await optimizer.step();
    expect([optimizer.stepCount, (await w.data())[499_999]]).toEqual([1, 0]);
  });
});
