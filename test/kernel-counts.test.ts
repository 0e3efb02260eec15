// What the compiler makes of well-known expressions: how many kernels, counted by a device that notes what it compiles.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, conv2d, disposeDevices, rand, realize, setDevice, tensor, zeros } from 'nabla';
import { registerDevice } from '../src/engine/engine.js';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { Linear, crossEntropy } from 'nabla/nn';
import { AdamW, SGD } from 'nabla/optim';

const compiled: (readonly string[])[] = [];

class NotingDevice extends CpuDevice {
  override compile(graph: Parameters<CpuDevice['compile']>[0]): ReturnType<CpuDevice['compile']> {
    const executable = super.compile(graph);
    compiled.push((executable as unknown as { kernels: readonly string[] }).kernels);
    return executable;
  }
}

beforeAll(() => {
  registerDevice('noting', () => new NotingDevice({ threads: 1, name: 'noting' }));
  setDevice('noting');
});
afterAll(() => disposeDevices());
beforeEach(() => {
  compiled.length = 0;
});

/** Numbers given, so that making them is no kernel. */
function given(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
    { shape },
  ) as unknown as Tensor;
}

async function kernelsOf(...results: AnyTensor[]): Promise<readonly string[]> {
  compiled.length = 0;
  await realize(...results);
  return compiled.flat();
}

const parameter = (...shape: number[]): Tensor => given(...shape).requiresGrad_() as unknown as Tensor;

describe('one kernel', () => {
  const cases: [string, () => AnyTensor][] = [
    ['a chain of element-wise operators', () => given(64, 64).mul(2).add(given(64)).exp().neg() as AnyTensor],
    [
      'gelu with scale and shift',
      () => given(64, 64).mul(given(64)).add(given(64)).gelu().mul(given(64, 1)) as AnyTensor,
    ],
    ['softmax', () => given(64, 256).softmax(-1) as AnyTensor],
    ['log-softmax', () => given(64, 256).logSoftmax(-1) as AnyTensor],
    ['softmax of scaled, masked scores', () => given(4, 32, 32).mul(0.125).add(given(32, 32)).softmax(-1) as AnyTensor],
    ['variance', () => given(64, 256).var(-1) as unknown as AnyTensor],
    [
      'layer normalisation',
      () => {
        const x = given(64, 256);
        const centred = x.sub(x.mean(-1, { keepdim: true }));
        const variance = centred.square().mean(-1, { keepdim: true });
        return centred.mul(variance.add(1e-5).rsqrt()).mul(given(256)).add(given(256)) as AnyTensor;
      },
    ],
    ['matmul, bias and relu', () => given(64, 128).matmul(given(128, 32)).add(given(32)).relu() as AnyTensor],
    [
      'convolution, bias and relu',
      () => conv2d(given(2, 8, 12, 12), given(16, 8, 3, 3), { padding: 1, bias: given(16) }).relu() as AnyTensor,
    ],
    [
      'random numbers and what is made of them',
      () => rand([64, 64]).ge(0.5).to('float32').mul(given(64, 64)) as AnyTensor,
    ],
    [
      'a transposed, sliced, padded operand',
      () =>
        given(8, 32)
          .transpose(0, 1)
          .slice(0, 1, 9)
          .pad([[1, 1]])
          .mul(2) as AnyTensor,
    ],
  ];
  test.each(cases)('%s', async (_, make) => {
    const kernels = await kernelsOf(make());
    expect(kernels).toSatisfy((list: readonly string[]) => list.length === 1);
  });
});

test('softmax backward: the gradient joins the forward pass', async () => {
  const x = parameter(64, 256);
  const y = x.softmax(-1) as Tensor;
  y.backward(given(64, 256) as never);
  expect(await kernelsOf(y as AnyTensor, x.grad as unknown as AnyTensor)).toHaveLength(1);
});

// How many labels count (all but −100) divides the gradient, and is known only after a walk over the labels.
test('crossEntropy and its gradient: the labels that count, rows in one kernel, the mean in another', async () => {
  const logits = parameter(256, 32);
  const loss = crossEntropy(
    logits as AnyTensor,
    tensor(new Int32Array(256)) as unknown as AnyTensor,
  ) as unknown as Tensor;
  loss.backward();
  expect((await kernelsOf(loss as AnyTensor, logits.grad as unknown as AnyTensor)).length).toBeLessThanOrEqual(3);
});

test('a linear layer: forward one kernel; backward one for each gradient', async () => {
  const x = parameter(64, 32);
  const layer = new Linear(32, 16);
  const y = layer.forward(x as never) as unknown as Tensor;
  y.backward(given(64, 16) as never);
  const gradients = [x.grad, layer.weight.grad, layer.bias?.grad] as unknown as AnyTensor[];
  const kernels = await kernelsOf(y as AnyTensor, ...gradients);
  expect(kernels).toSatisfy((list: readonly string[]) => list.length === 4);
});

test.each([
  ['SGD with momentum', (p: Tensor) => new SGD([p], { lr: 0.1, momentum: 0.9 })],
  ['AdamW', (p: Tensor) => new AdamW([p], { lr: 0.1 })],
])('%s: one kernel a parameter, state included', async (_, create) => {
  const p = parameter(64, 64);
  const optimizer = create(p);
  p.grad = given(64, 64) as never;
  await optimizer.step();
  expect(compiled.flat()).toHaveLength(1);
});

test('sums of the same rows or columns that have an operand in common are one kernel', async () => {
  const [x, g] = [given(256, 128), given(256, 128)];
  expect(await kernelsOf(g.sum(0) as AnyTensor, g.mul(x).sum(0) as AnyTensor)).toHaveLength(1);
  const ofRows = [g.sum(1), x.mul(2).sum(1), x.mul(g).amax(1)] as unknown as AnyTensor[];
  expect(await kernelsOf(...ofRows)).toHaveLength(1);
  const apart = [g.sum(0), g.sum(1)] as unknown as AnyTensor[];
  expect(await kernelsOf(...apart)).toHaveLength(2);
  expect(await kernelsOf(given(16).sum(0) as AnyTensor, given(16).mul(2).sum(0) as AnyTensor)).toHaveLength(2);
});

test('values that nobody reads are not computed', async () => {
  const x = given(16, 16);
  const unused = x.exp();
  const kernels = await kernelsOf(x.mul(0).add(x.mul(1)) as AnyTensor);
  expect(kernels).toHaveLength(1);
  expect(kernels[0]).not.toContain('exp');
  expect(unused.shape).toEqual([16, 16]);
});

test('equal expressions are computed once', async () => {
  const x = given(64, 64);
  const y = x.matmul(x).add(x.matmul(x));
  expect(await kernelsOf(y as AnyTensor)).toHaveLength(1);
  const z = zeros([4]);
  expect(await kernelsOf(z.add(1).mul(z.add(1)) as AnyTensor)).toHaveLength(1);
});
