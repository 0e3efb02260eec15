// Gradients as users ask for them: backward and what it leaves, functions of functions, operators of their own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  DeviceError,
  type Tensor,
  arange,
  checkGradient,
  compile,
  conv2d,
  customOp,
  disposeDevices,
  grad,
  hessian,
  jacobian,
  jvp,
  manualSeed,
  noGrad,
  ones,
  randn,
  setDevice,
  tensor,
  valueAndGrad,
  vjp,
} from 'nabla';

const variable = (values: number[] | number) => tensor(values as number[], { requiresGrad: true }) as unknown as Tensor;
const values = async (t: unknown): Promise<unknown> => (t as AnyTensor).array();

afterAll(() => disposeDevices());

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));

  test('backward leaves gradients in leaves, adds up over calls, and zero is undefined', async () => {
    const x = variable([1, 2, 3]);
    const y = x.square().sum() as Tensor;
    y.backward();
    expect(await values(x.grad)).toEqual([2, 4, 6]);
    (x.mul(10).sum() as Tensor).backward();
    expect(await values(x.grad)).toEqual([12, 14, 16]);
    x.grad = undefined;
    (x.sum() as Tensor).backward();
    expect(await values(x.grad)).toEqual([1, 1, 1]);
    expect(y.grad).toBeUndefined();
  });

  test('a seed weighs the results', async () => {
    const x = variable([1, 2, 3]);
    x.square().backward(tensor([1, 0, -1]) as AnyTensor);
    expect(await values(x.grad)).toEqual([2, 0, -6]);
  });

  test('only what was asked for gets a gradient; detach and noGrad cut the graph', async () => {
    const [x, w] = [variable([1, 2]), variable([3, 4])];
    const frozen = tensor([5, 6]) as unknown as Tensor;
    const inside = noGrad(() => x.mul(100));
    expect([inside.requiresGrad, x.detach().requiresGrad, x.mul(frozen).requiresGrad]).toEqual([false, false, true]);
    (x.mul(w.detach()).add(inside).mul(frozen).sum() as Tensor).backward();
    expect(await values(x.grad)).toEqual([15, 24]);
    expect([w.grad, frozen.grad]).toEqual([undefined, undefined]);
  });

  test('a value used several times, broadcast, reshaped and sliced', async () => {
    const b = variable([1, 2]);
    const x = b.unsqueeze(0).expand([3, 2]);
    (x.mul(x).slice(0, 0, 2).reshape([-1]).sum() as Tensor).backward();
    expect(await values(b.grad)).toEqual([4, 8]);
  });

  test('gradients of functions', async () => {
    const f = (x: Tensor) => x.pow(3).sum() as unknown as AnyTensor;
    expect(await values(grad(f)(tensor([1, 2]) as unknown as Tensor))).toEqual([3, 12]);
    const { value, grads } = valueAndGrad((a: Tensor, b: Tensor) => a.mul(b).sum() as unknown as AnyTensor)(
      tensor([1, 2]) as unknown as Tensor,
      tensor([3, 4]) as unknown as Tensor,
    );
    expect([await value.item(), await values(grads[0]), await values(grads[1])]).toEqual([11, [3, 4], [1, 2]]);
  });

  test('derivatives of derivatives', async () => {
    const cube = (x: Tensor) => x.pow(3).sum() as unknown as AnyTensor;
    const second = grad((x: Tensor) => grad(cube)(x).sum() as unknown as AnyTensor);
    const third = grad((x: Tensor) => second(x).sum() as unknown as AnyTensor);
    const at = tensor([2, -1]) as unknown as Tensor;
    expect([await values(second(at)), await values(third(at))]).toEqual([
      [12, -6],
      [6, 6],
    ]);
  });

  test('Jacobian, Hessian, products with them', async () => {
    const f = (x: Tensor) => x.square().cumsum(0) as unknown as AnyTensor;
    const at = tensor([1, 2]) as unknown as Tensor;
    expect(await values(jacobian(f, at))).toEqual([
      [2, 0],
      [2, 4],
    ]);
    expect(await values(hessian((x) => x.square().prod() as unknown as AnyTensor, at))).toEqual([
      [8, 8],
      [8, 2],
    ]);
    const { value, pull } = vjp(f, at);
    expect([await values(value), await values(pull(tensor([1, 1]) as AnyTensor)[0])]).toEqual([
      [1, 5],
      [4, 4],
    ]);
    const pushed = jvp(f, [at], [tensor([1, 0]) as unknown as Tensor]);
    expect([await values(pushed.value), await values(pushed.tangent)]).toEqual([
      [1, 5],
      [2, 2],
    ]);
  });

  test('an operator with its own derivative, differentiated twice and inside a compiled step', async () => {
    const square = customOp({
      name: 'square',
      forward(ctx, x) {
        ctx.saved.x = x;
        return x.mul(x) as Tensor;
      },
      backward: (ctx, g) => [g.mul((ctx.saved.x as Tensor).mul(2)) as AnyTensor],
    });
    const f = (x: Tensor) => square(x).sum() as unknown as AnyTensor;
    const at = tensor([3, -2]) as unknown as Tensor;
    expect(await values(grad(f)(at))).toEqual([6, -4]);
    expect(await values(grad((x: Tensor) => grad(f)(x).square().sum() as unknown as AnyTensor)(at))).toEqual([24, -16]);
    const step = compile((x: AnyTensor) => grad(f)(x as unknown as Tensor) as unknown as AnyTensor);
    for (const v of [1, 5]) expect(await (await step(tensor([v]) as AnyTensor)).array()).toEqual([2 * v]);
    const straightThrough = customOp({
      name: 'round',
      forward: (_, x) => x.round(),
      backward: (_, g) => [g as AnyTensor],
    });
    const x = variable([0.4, 1.6]);
    (straightThrough(x).mul(3).sum() as Tensor).backward();
    expect(await values(x.grad)).toEqual([3, 3]);
  });

  test('checkGradient finds right and wrong derivatives', async () => {
    manualSeed(5);
    const x = randn([2, 3]);
    const w = randn([3, 2]);
    const right = await checkGradient((a: Tensor, b: Tensor) => a.matmul(b).tanh().sum() as unknown as AnyTensor, [
      x,
      w,
    ] as unknown as Tensor[]);
    expect(right.ok).toBe(true);
    const wrong = customOp({
      name: 'wrong',
      forward: (_, a) => a.square() as Tensor,
      backward: (_, g) => [g as AnyTensor],
    });
    const found = await checkGradient((a: Tensor) => wrong(a).sum() as unknown as AnyTensor, [x as unknown as Tensor]);
    expect(found.ok).toBe(false);
  });

  test('checkGradient takes functions that take slopes themselves', async () => {
    const cubes = (x: Tensor): Tensor =>
      x
        .pow(3)
        .mul(tensor([0.5, -1.5]))
        .sum() as Tensor;
    const slopes = (x: Tensor): Tensor => grad(cubes)(x).square() as Tensor;
    expect(await checkGradient(slopes, [tensor([1, 2])])).toMatchObject({ ok: true });
    const found = await checkGradient((x) => grad(cubes)(x).detach().mul(x) as Tensor, [tensor([1, 2])]);
    expect(found.ok).toBe(false); // half of the slope is held back
  });

  test('a leaf that is changed in place: the gradient is that of the values the graph was built with', async () => {
    const w = variable([1, 2]);
    const loss = w.square().sum() as Tensor;
    loss.backward();
    const g = w.grad as unknown as AnyTensor;
    w.assign_(w.sub(g.mul(0.5) as Tensor) as AnyTensor);
    expect(await w.array()).toEqual([0, 0]);
  });

  test('gradients through a small convolutional network agree with finite differences', async () => {
    manualSeed(1);
    const inputs = [randn([2, 2, 5, 5]), randn([3, 2, 3, 3]), randn([3])] as unknown as Tensor[];
    const f = (x: Tensor, w: Tensor, b: Tensor) =>
      conv2d(x, w, { padding: 1, bias: b as AnyTensor })
        .tanh()
        .mean() as unknown as AnyTensor;
    expect((await checkGradient(f, inputs)).ok).toBe(true);
  });

  test('constants that fold are not rounded to float32 where the device does not', async () => {
    const slope = grad((x: Tensor) => x.square().mean())(tensor([1, 2, 5]) as unknown as Tensor);
    const precision = device === 'reference' ? 1e-15 : 1e-7;
    expect(Math.abs(Number((await slope.data())[0]) - 2 / 3)).toBeLessThan(precision);
  });
});

describe('tensors from another device', () => {
  beforeAll(() => setDevice('cpu'));

  test('checkGradient says that it runs on the reference device, whether they are seen at once or when it computes', async () => {
    const weights = tensor([1, 2, 3]);
    const known = ones([3]);
    await known.data();
    const computed = known.mul(weights.shape[0]);
    await computed.data();
    const elsewhere = (what: string): DeviceError =>
      new DeviceError(
        `checkGradient: the function is run on the reference device, in float64, and uses a tensor from elsewhere. Give that one as an input, too, or move it with to('reference'). (${what})`,
      );
    await expect(checkGradient((x) => x.mul(weights), [tensor([1, 1, 1])])).rejects.toThrow(
      elsewhere("mul: tensors on two devices (reference and cpu). Move one with to('reference')."),
    );
    await expect(checkGradient((x) => x.mul(computed), [tensor([1, 1, 1])])).rejects.toThrow(
      elsewhere(
        "read: a float32 tensor [3] is on the device cpu and what is computed of it on reference. Move it with to('reference').",
      ),
    );
    expect(await checkGradient((x, w) => x.mul(w), [tensor([1, 1, 1]), weights])).toMatchObject({ ok: true });
    const moved = await weights.to('reference');
    expect(await checkGradient((x) => x.mul(moved), [tensor([1, 1, 1])])).toMatchObject({ ok: true });
  });

  test('the same numbers written again belong to the device of now, wherever the first ones were computed', async () => {
    const table = arange(4).to('float32').sin().add(1);
    const known = ones([4]);
    expect(await known.data()).toEqual(new Float32Array(4).fill(1));
    for (let i = 0; i < 3; i++) {
      const { ok } = await checkGradient((x) => x.mul(table).mul(known), [tensor([1, 2, 3, 4])]);
      expect(ok).toBe(true);
    }
    const sines = [0, 1, 2, 3].map((v) => Math.fround(Math.sin(v) + 1));
    expect([...(await table.mul(tensor([1, 1, 1, 1])).data())]).toEqual(sines);
    setDevice('reference');
    expect([
      ...(await ones([4])
        .add(tensor([1, 2, 3, 4]))
        .data()),
    ]).toEqual([2, 3, 4, 5]);
    expect((await checkGradient((x) => x.square(), [ones([4])])).ok).toBe(true);
    setDevice('cpu');
    expect([
      ...(await ones([4])
        .add(tensor([1, 2, 3, 4]))
        .data()),
    ]).toEqual([2, 3, 4, 5]);
  });
});
