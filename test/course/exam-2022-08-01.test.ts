// The endterm of 1 August 2022 (summer 2022). The toy network of 1.9 and the gates of 9 are in figures that the text lacks.
import { expect, test } from 'vitest';
import { type Tensor, arange, conv2d, hessian, manualSeed, maxPool2d, ones, randn, zeros } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  mseLoss,
} from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given, numbers, set, variable } from '../support/course.js';

course('endterm of 1 August 2022', () => {
  test('1.2: a fully connected layer is a convolution; batch norm behind XW with W of D×M learns γ and β of M', async () => {
    manualSeed(1);
    const [x, w] = [randn([4, 5]) as Tensor, randn([5, 3]) as Tensor];
    const kernels = w.T.reshape([3, 5, 1, 1]) as Tensor;
    await expectSame(conv2d(x.reshape([4, 5, 1, 1]) as Tensor, kernels as never).flatten(1), x.matmul(w));
    const norm = new BatchNorm1d(3);
    expect(norm.parameters().map((p) => p.shape)).toEqual([[3], [3]]);
    expect(norm.forward(x.matmul(w) as Tensor<[4, 3]>).shape).toEqual([4, 3]);
    expect(() => new Linear(5, 3).forward(ones([4, 6]) as never)).toThrow(/6/);
  });

  test('1.3: one 1×1 filter on 32 channels has 33 parameters', () => {
    expect(new Conv2d(32, 1, 1).summary(zeros([16, 32, 64, 64])).parameters).toBe(33);
  });

  test('1.7: behind a 2×2 max pool with distinct values one derivative in four differs from 0, at the maximum', async () => {
    const x = variable([
      [
        [
          [3, 1],
          [6, 0.5],
        ],
      ],
    ]);
    (maxPool2d(x, 2) as Tensor).sum().backward();
    await expectExact(x.grad, [
      [
        [
          [0, 0],
          [1, 0],
        ],
      ],
    ]);
    expect(new MaxPool2d(2).parameters()).toEqual([]);
  });

  test('2.2, 2.3: for Y = XW + b, dout is N×M, b has M numbers and ∂L/∂X = dout·Wᵀ is N×D', async () => {
    const [n, d, m] = [4, 3, 2];
    manualSeed(2);
    const layer = new Linear(d, m);
    const x = randn([n, d], { requiresGrad: true }) as Tensor;
    const y = layer.forward(x as never) as Tensor;
    const dout = randn([n, m]) as Tensor;
    expect(y.shape).toEqual([n, m]);
    expect(layer.bias?.shape).toEqual([m]);
    y.backward(dout);
    expect(x.grad?.shape).toEqual([n, d]);
    await expectSame(x.grad, dout.matmul(layer.weight as Tensor)); // the layer keeps Wᵀ
  });

  test('2.4: with decay λ a step of rate α gives (1 − αλ)θ − α∇L', async () => {
    const theta = variable([
      [1, -2],
      [3, 4],
    ]);
    const gradient = given([
      [0.5, 1],
      [-1, 2],
    ]);
    const expected = theta
      .detach()
      .mul(1 - 0.1 * 0.3)
      .sub(gradient.mul(0.1) as Tensor);
    theta.mul(gradient).sum().backward();
    const copy = variable((await theta.array()) as number[][]);
    copy.grad = theta.grad;
    await new SGD([copy], { lr: 0.1, weightDecay: 0.3 }).step();
    await expectSame(copy, expected as Tensor);
  });

  test('4.1: kernel 3, stride 1, padding 1 keeps the height and width', () => {
    expect(new Conv2d(2, 8, 3, { stride: 1, padding: 1 }).forward(zeros([1, 2, 28, 28])).shape).toEqual([1, 8, 28, 28]);
  });

  test('4.2, 4.3: the sum of two digits has 19 values, and 16·7·7 = 784 features reach the linear layer', async () => {
    const digits = arange(10);
    const sums = digits.unsqueeze(0).add(digits.unsqueeze(1)).flatten();
    const counts = sums.eq(arange(19).unsqueeze(1)).sum(1);
    expect((await numbers(counts)).every((n) => n > 0)).toBe(true);
    await expectExact(counts.sum(), 100);
    const body = new Sequential(
      new Sequential(new Conv2d(2, 8, 3, { padding: 1 }), new MaxPool2d(2), new BatchNorm2d(8), new ReLU()),
      new Sequential(new Conv2d(8, 16, 3, { padding: 1 }), new MaxPool2d(2), new BatchNorm2d(16), new ReLU()),
      new Flatten(),
    );
    const features = body.forward(zeros([5, 2, 28, 28]) as never) as Tensor;
    expect(features.shape).toEqual([5, 784]);
    expect(new Linear(784, 19).forward(features as Tensor<[5, 784]>).shape).toEqual([5, 19]);
  });

  test('4.5: 100 filters of 28×28 on 2×28×28 stand for a linear layer with 100 neurons', async () => {
    manualSeed(3);
    const linear = new Linear(2 * 28 * 28, 100);
    const conv = new Conv2d(2, 100, 28);
    conv.weight.assign_(linear.weight.reshape([100, 2, 28, 28]) as never);
    conv.bias?.assign_(linear.bias as never);
    const x = randn([1, 2, 28, 28]);
    const [a, b] = [conv.forward(x).flatten(1), linear.forward(x.flatten(1))];
    expect(a.shape).toEqual([1, 100]);
    const gaps = await numbers(
      (a as Tensor)
        .sub(b as Tensor)
        .abs()
        .max() as Tensor,
    );
    expect(gaps[0]).toBeLessThan(1e-5);
  });

  // The solution prints r₁ = 3 and s₁·s₂; r₁ is the first kernel, 5, and the product ends before the layer itself.
  test('4.7: behind a 5×5 convolution and a 2×2 pool of stride 2 a neuron sees 6×6 pixels', () => {
    expect(new Sequential(new Conv2d(2, 8, 5), new MaxPool2d(2)).receptiveField().size).toEqual([6, 6]);
  });

  test('4.8: behind the linear layer it sees the whole image', () => {
    const model = new Sequential(new Conv2d(2, 8, 5, { padding: 2 }), new Flatten(), new Linear(6272, 19));
    expect(model.receptiveField().size).toEqual([Infinity, Infinity]);
  });

  test('4.10: seven pairs of digits give 12, one gives 18', async () => {
    const digits = arange(10);
    const sums = digits.unsqueeze(0).add(digits.unsqueeze(1));
    await expectExact(sums.eq(12).sum(), 7);
    await expectExact(sums.eq(18).sum(), 1);
  });

  test('5.9: semantic segmentation of C×H×W gives classes×H×W', () => {
    const encoder = [new Conv2d(3, 8, 3, { padding: 1 }), new MaxPool2d(2)] as const;
    const decoder = [new ConvTranspose2d(8, 8, 2, { stride: 2 }), new Conv2d(8, 5, 1)] as const;
    expect(new Sequential(...encoder, ...decoder).forward(zeros([1, 3, 20, 28])).shape).toEqual([1, 5, 20, 28]);
  });

  const network = (b4: number, b5: number) => {
    const hidden = set(new Linear(2, 3), {
      weight: [
        [-0.5, -1],
        [1, 0.5],
        [2, 1.5],
      ],
      bias: [0.5, 0, -1],
    });
    const output = set(new Linear(3, 2), {
      weight: [
        [1, -0.5, -1],
        [-0.5, 2, 1],
      ],
      bias: [b4, b5],
    });
    return { hidden, output, model: new Sequential(hidden, new LeakyReLU(0.5), output) };
  };
  const input = (): Tensor<[1, 2]> => given([[1, -2]]) as unknown as Tensor<[1, 2]>;

  // The table prints b₄ = 2 and b₅ = 1, the solution computes with −1 and 2: the formulas are checked with both.
  test('6.1: forward through the network with leaky ReLU 0.5 gives h = (2, 0, −2), (2, 0, −1) and ŷ = (2, 0)', async () => {
    const { hidden, model } = network(-1, 2);
    const h = hidden.forward(input());
    await expectExact(h, [[2, 0, -2]]);
    await expectExact(new LeakyReLU(0.5).forward(h), [[2, 0, -1]]);
    await expectExact(model.forward(input()), [[2, 0]]);
    await expectExact(network(2, 1).model.forward(input()), [[5, -1]]);
  });

  test('6.2: the mean over both outputs of the squared error to (1, 1) is 1', async () => {
    const target = given([[1, 1]]);
    await expectExact(mseLoss(network(-1, 2).model.forward(input()) as Tensor, target), 1);
    await expectExact(mseLoss(network(2, 1).model.forward(input()) as Tensor, target), 10);
  });

  test('6.3: ∂L/∂w₁₁ = 1.5, and a step of 0.1 brings w₁₁ from −0.5 to −0.65', async () => {
    const { hidden, model } = network(-1, 2);
    mseLoss(model.forward(input()) as Tensor, given([[1, 1]])).backward();
    await expectExact((hidden.weight.grad as Tensor).slice(0, 0, 1).slice(1, 0, 1), [[1.5]]);
    await new SGD(model.parameters(), { lr: 0.1 }).step();
    await expectExact((hidden.weight as Tensor).slice(0, 0, 1).slice(1, 0, 1), [[-0.65]]);
  });

  test('7.3: running mean and variance of batch norm on 8×3×32×64 hold 2·3 = 6 numbers', async () => {
    const norm = new BatchNorm2d(3);
    expect(norm.forward(zeros([8, 3, 32, 64])).shape).toEqual([8, 3, 32, 64]);
    expect(norm.runningMean!.size + norm.runningVar!.size).toBe(6);
  });

  test('8.6: the bias correction makes the first step of Adam as long as the rate, whatever the gradient', async () => {
    for (const size of [1e-3, 1, 1e3]) {
      const w = variable([5]);
      const optimizer = new Adam([w], { lr: 0.1 });
      w.mul(size).sum().backward();
      await optimizer.step();
      await expectPrinted(w, [4.9], 4);
    }
  });

  // f is linear in w: its second derivative is 0, and the step f′/f″ of the solution does not exist.
  test('8.7: the Hessian of f(x, w) = w·x in w is 0', async () => {
    await expectExact(
      hessian((w) => w.mul(3).sum(), given([2])),
      [[0]],
    );
  });
});
