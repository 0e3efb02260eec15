// Hooks on gradients of tensors, gradients that are retained, also in compiled functions, and what is refused.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CaptureError, GradError, type Tensor, compile, disposeDevices, grad, setDevice, tensor, vmap } from 'nabla';
import { Linear, parametersToVector, vectorToParameters } from 'nabla/nn';
import { SGD, getTotalNorm } from 'nabla/optim';

beforeAll(() => setDevice('cpu'));
afterAll(() => disposeDevices());

const leaf = (...values: number[]): Tensor<[number]> => tensor(values, { requiresGrad: true });

test('a hook sees the whole gradient and replaces it; retained gradients come after it and add up; remove ends it', async () => {
  const x = leaf(1, 2, 3);
  const h = x.mul(2);
  const y = h.square().sum().add(h.sum()); // used before the hook is there, and in two ways
  const seen: Tensor[] = [];
  const handle = h.registerHook((g) => void seen.push(g as Tensor));
  h.registerHook((g) => g.mul(10));
  h.retainGrad();
  y.backward();
  expect(await seen[0].array()).toEqual([5, 9, 13]);
  expect([await h.grad?.array(), await x.grad?.array()]).toEqual([
    [50, 90, 130],
    [100, 180, 260],
  ]);
  handle.remove();
  handle.remove();
  h.sum().backward();
  expect(seen.length).toBe(1);
  expect([await h.grad?.array(), await x.grad?.array()]).toEqual([
    [60, 100, 140],
    [120, 200, 280],
  ]);
});

test('a hook of a leaf changes what its grad gets; equal expressions made later are values of their own', async () => {
  const x = leaf(1, -2);
  const handle = x.registerHook((g) => g.clamp(-1, 1));
  x.mul(5).sum().backward();
  expect(await x.grad?.array()).toEqual([1, 1]);
  handle.remove();
  x.grad = undefined;
  const a = x.relu();
  a.registerHook((g) => g.mul(100));
  a.add(x.relu()).sum().backward();
  expect(await (x.grad as Tensor | undefined)?.array()).toEqual([101, 0]);
  expect(x.retainGrad()).toBe(x);
});

test('hooks in functions that are differentiated and mapped', async () => {
  const f = (v: Tensor) => {
    const h: Tensor = v.mul(3);
    h.registerHook((g) => g.mul(v));
    return h.sum();
  };
  const x: Tensor = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(await vmap(grad(f))(x).array()).toEqual([
    [3, 6],
    [9, 12],
  ]);
});

test('a retained gradient is there after the step', async () => {
  const layer = new Linear(2, 1);
  const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
  const h = layer.forward(tensor([[1, 2]]));
  h.retainGrad();
  h.mul(3).sum().backward();
  await optimizer.step();
  expect(await h.grad?.array()).toEqual([[3]]);
});

test('a compiled function with hooks and retained gradients of its own is replayed', async () => {
  const x = leaf(1, 2);
  const step = compile((v: Tensor) => {
    x.grad = undefined;
    const h = x.mul(v);
    h.registerHook((g) => g.mul(10));
    h.retainGrad();
    h.sum().backward();
    return [x.grad as unknown as Tensor, h.grad as unknown as Tensor];
  });
  for (const v of [2, 3, 4, 5]) {
    const found = await step(tensor(v) as Tensor);
    expect(await Promise.all(found.map((g) => g.array()))).toEqual([
      [10 * v, 10 * v],
      [10, 10],
    ]);
  }
  expect(step.captures).toBe(1);
  const returns = compile(() => {
    const h = x.mul(2).retainGrad();
    h.sum().backward();
    return h;
  });
  await expect(returns()).rejects.toThrow(CaptureError);
});

test('a compiled function runs itself while a tensor from outside has a hook', async () => {
  const x = leaf(1, 2);
  const step = compile((v: Tensor) => {
    x.grad = undefined;
    x.mul(v).sum().backward();
    return x.grad as unknown as Tensor;
  });
  const run = async (v: number) => (await step(tensor(v) as Tensor)).array();
  expect(await run(2)).toEqual([2, 2]);
  let calls = 0;
  const handle = x.registerHook((g) => (calls++, g.neg()));
  expect([await run(2), await run(3)]).toEqual([
    [-2, -2],
    [-3, -3],
  ]);
  expect(calls).toBe(2);
  handle.remove();
  expect(await run(4)).toEqual([4, 4]);
  const captures = step.captures;
  expect(await run(5)).toEqual([5, 5]);
  expect(step.captures).toBe(captures);
});

test('what is refused', () => {
  const x = leaf(1, 2);
  const wrong = (hook: (g: Tensor) => unknown) => () => {
    const h = x.mul(2);
    h.registerHook(hook as () => void);
    h.sum().backward();
  };
  expect(wrong((g) => g.sum())).toThrow(/returned float32 \[\] in the place of a gradient that is float32 \[2\]/);
  expect(wrong((g) => g.to('int32'))).toThrow(GradError);
  expect(wrong(() => 3)).toThrow(/returned 3/);
  expect(wrong(async (g) => g)).toThrow(/a promise/);
  expect(() => tensor([1]).registerHook(() => {})).toThrow(/requires no gradient/);
  expect(() => tensor([1]).mul(2).retainGrad()).toThrow(/requires no gradient/);
  expect(() => x.registerHook(undefined as never)).toThrow(/the hook is missing/);
});

test('parameters as a vector and back, and the norm of all gradients', async () => {
  const [a, b] = [new Linear(2, 3), new Linear(2, 3)];
  const vector = parametersToVector(a.parameters());
  expect(vector.shape).toEqual([9]);
  vectorToParameters(vector, b.parameters());
  expect(await b.weight.array()).toEqual(await a.weight.array());
  expect(await b.bias?.array()).toEqual(await a.bias?.array());
  expect(() => vectorToParameters(tensor([1, 2]), b.parameters())).toThrow(/\[2\] for parameters of 9 numbers/);
  vector.square().sum().backward();
  const gradients = a.parameters().map((p) => p.grad as Tensor);
  const norm = await getTotalNorm(gradients).item();
  expect(norm).toBeCloseTo(2 * (await (vector.norm() as Tensor).item()), 5);
  expect(await getTotalNorm([tensor([3, -5]), tensor([4])], { normType: Infinity }).item()).toBe(5);
});
