// A graph computed in two runs: the second begins from what the first has kept, and finds the same numbers.
import { beforeAll, expect, test } from 'vitest';
import { compile, manualSeed, randn, setDevice, tensor, zeros } from '../../index.js';
import { BatchNorm2d, Conv2d, Flatten, LayerNorm, Linear, ReLU, Sequential, crossEntropy } from '../../nn/index.js';
import type { Module } from '../../nn/index.js';
import { updateBefore } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { OP_CLASS } from '../ir/op.js';
import { crossing } from './crossing.js';

beforeAll(() => setDevice('cpu'));

test('what the second run needs of the first: results of kernels and sums, and what kernels read', () => {
  const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
  const w = tensor([[1, 0], [0, 1]]); // prettier-ignore
  const y = x.matmul(w);
  const z = y.mul(2).add(1); // cheap: not kept where nobody but the cut needs it
  const first = z.relu().sum();
  const later = z.exp();
  expect(crossing([first.node], [later.node])).toEqual([y.node]);
  // A kernel of the first run reads it, so it is stored anyway.
  expect(crossing([z.matmul(w).node], [later.node])).toEqual([z.node]);
  // A long expression ends in something that is kept.
  let long: Tensor = y as Tensor;
  for (let i = 0; i < 12; i++) long = long.sin();
  const kept = crossing([long.sum().node], [long.mul(3).node]);
  expect(kept).toHaveLength(1);
  expect(OP_CLASS[kept[0].op]).toBe('unary');
  expect(crossing([first.node], [x.mul(5).node])).toEqual([]); // nothing in common
  expect(crossing([], [later.node])).toEqual([]);
});

/** Gradients in two halves, the second after an update that keeps what it needs; a program of each of the two. */
async function gradientsOf(model: Module & { forward(x: AnyTensor): AnyTensor }, x: AnyTensor, isCut: boolean) {
  const parameters = model.parameters();
  const sums = parameters.map((p) => tensor(new Float32Array(p.size), { shape: p.shape }));
  const pass = async (input: AnyTensor): Promise<void> => {
    for (const p of parameters) p.grad = undefined;
    const target: AnyTensor = zeros([input.shape[0]], { dtype: 'int32' });
    crossEntropy(model.forward(input) as Tensor, target as Tensor<readonly number[], 'int32'>).backward();
    const gradients = parameters.map((p) => p.grad as Tensor);
    for (const p of parameters) p.grad = undefined;
    const half = parameters.length >> 1;
    const put = (from: number, to: number) => (): void => {
      for (let i = from; i < to; i++) sums[i].assign_(gradients[i]);
    };
    if (!isCut) return await updateBefore([], put(0, parameters.length));
    await updateBefore(gradients.slice(0, half), put(half, parameters.length));
    await updateBefore([], put(0, half));
  };
  const captured = compile(pass);
  await pass(x);
  const once = await Promise.all(sums.map((sum) => sum.array()));
  await captured(x);
  await captured(x);
  const replayed = await Promise.all(sums.map((sum) => sum.array()));
  return { once, replayed };
}

test('gradients in two runs are those of one', async () => {
  manualSeed(1);
  const convolutions = new Sequential(
    new Conv2d(2, 4, 3),
    new BatchNorm2d(4),
    new ReLU(),
    new Conv2d(4, 4, 3),
    new BatchNorm2d(4),
    new ReLU(),
    new Flatten(),
    new Linear(4 * 4 * 4, 3),
  );
  const rows = new Sequential(
    new Linear(6, 8),
    new LayerNorm(8),
    new ReLU(),
    new Linear(8, 8),
    new LayerNorm(8),
    new Linear(8, 3),
  );
  for (const [model, x] of [
    [convolutions, randn([3, 2, 8, 8])],
    [rows, randn([5, 6])],
  ] as const) {
    await x.data();
    const whole = await gradientsOf(model, x, false);
    const cut = await gradientsOf(model, x, true);
    for (const [a, b] of [
      [whole.once, cut.once],
      [cut.once, cut.replayed],
    ])
      expect(flat(a).every((v, i) => Math.abs(v - flat(b)[i]) < 1e-5)).toBe(true);
    expect(flat(whole.once).some((v) => Math.abs(v) > 1e-3)).toBe(true);
  }
});

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)]);
