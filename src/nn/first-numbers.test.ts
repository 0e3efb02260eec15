// Initial numbers are made when they are needed: what that saves, and that nobody can tell otherwise.
import { beforeEach, expect, test } from 'vitest';
import { type Tensor, compile, manualSeed, memoryStats, noGrad, ones, rand, setDevice, tensor } from 'nabla';
import { SGD } from 'nabla/optim';
import { fromHostLater } from '../tensor/from-host.js';
import { Linear, Parameter, deepCopy, init } from './index.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(0);
});

/** Numbers 1, 2, 3, and how often they were made. */
function counted() {
  const made = { times: 0 };
  const t = fromHostLater(() => (made.times++, Float32Array.of(1, 2, 3)), [3], 'float32');
  return { t, made };
}

test('a layer takes no memory before it is used', async () => {
  const before = memoryStats().usedBytes;
  const layer = new Linear(4096, 4096);
  expect(layer.parameterCount).toBe(4096 * 4097);
  expect(memoryStats().usedBytes).toBe(before);
  await layer.bias?.data();
  expect(memoryStats().usedBytes - before).toBeLessThan(1e6);
});

test('the numbers do not depend on who is read first, and the generator goes on as if they had been made', async () => {
  const read = async (order: readonly number[]): Promise<number[][]> => {
    manualSeed(5);
    const all = [init.normal([4]), init.uniform([4]), init.orthogonal([2, 2]), init.sparse([4, 2], 0.5)];
    const found: number[][] = [];
    for (const i of order) found[i] = [...(await all[i].data())];
    return [...found, [...(await rand([2]).data())]];
  };
  expect(await read([3, 1, 0, 2])).toEqual(await read([0, 1, 2, 3]));
});

test('what is overwritten before it was needed is never made', async () => {
  const { t, made } = counted();
  const p = new Parameter(t);
  p.assign_(tensor([7, 8, 9]));
  expect(await p.array()).toEqual([7, 8, 9]);
  init.constant_(p, 4);
  expect(await p.array()).toEqual([4, 4, 4]);
  expect(made.times).toBe(0);
});

test('what was built on the first numbers keeps them', async () => {
  const { t, made } = counted();
  const p = new Parameter(t);
  const twice = noGrad(() => p.mul(2));
  init.constant_(p, 5);
  expect(await twice.array()).toEqual([2, 4, 6]);
  expect(await p.array()).toEqual([5, 5, 5]);
  expect(made.times).toBe(1);
});

test('two tensors that begin alike stay apart', async () => {
  const { t } = counted();
  const [a, b] = [new Parameter(ones([3]).mul(0)), new Parameter(init.zeros([3]))];
  b.assign_(t);
  a.assign_(t);
  b.assign_(noGrad(() => b.add(1)));
  expect([await a.array(), await b.array(), await t.array()]).toEqual([
    [1, 2, 3],
    [2, 3, 4],
    [1, 2, 3],
  ]);
});

test('copies, arguments and captured steps', async () => {
  const { t } = counted();
  const copied = deepCopy(new Linear(2, 2));
  expect(copied.weight.shape).toEqual([2, 2]);
  const add = compile((x: Tensor) => x.add(1));
  expect(await (await add(t)).array()).toEqual([2, 3, 4]);
  const p = new Parameter(counted().t);
  const optimizer = new SGD([p], { lr: 1 });
  const step = compile(async () => {
    optimizer.zeroGrad();
    p.sum().backward();
    await optimizer.step();
  });
  await step();
  await step();
  await step();
  expect(await p.array()).toEqual([-2, -1, 0]);
});

test('an update that fails leaves the first numbers', async () => {
  const p = new Parameter(counted().t);
  p.assign_(tensor([1, 2, 3]).gather(0, tensor([0, 1, 9], { dtype: 'int32' })));
  await expect(p.data()).rejects.toThrow(/9/);
  expect(await p.array()).toEqual([1, 2, 3]);
});

test('freed before it was made, it is an error to use it', async () => {
  const { t, made } = counted();
  t[Symbol.dispose]();
  expect(() => t.add(1)).toThrow(/freed/);
  expect(made.times).toBe(0);
});
