// The endterm of 13 July 2021. The residual network of 4.4 is a figure that the text lacks, and its solution contradicts itself.
import { expect, test } from 'vitest';
import { type Tensor, grad, jacobian, manualSeed, randn, zeros } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2d,
  PReLU,
  ReLU,
  Sequential,
  Tanh,
  Unflatten,
  bceWithLogits,
  crossEntropy,
  init,
} from 'nabla/nn';
import { SGD } from 'nabla/optim';
import {
  chain,
  course,
  expectExact,
  expectPrinted,
  expectSame,
  given,
  numbers,
  set,
  variable,
} from '../support/course.js';

const sizes = (model: { parameters(): readonly { size: number }[] }): number =>
  model.parameters().reduce((sum, p) => sum + p.size, 0);

course('endterm of 13 July 2021', () => {
  test('1.5: a loss times 3 has gradients times 3, and its minimum where it was', async () => {
    const f = (w: Tensor): Tensor => w.sub(2).square().sum() as Tensor;
    const [at, minimum] = [given([5]), given([2])];
    await expectSame(grad((w: Tensor) => f(w).mul(3))(at), grad(f)(at).mul(3));
    await expectExact(grad((w: Tensor) => f(w).mul(3))(minimum), [0]);
  });

  test('1.6: ReLU(x) − ReLU(−x) is x itself, and log(ReLU(x + 1)) is −∞ up to −1', async () => {
    const x = given([-3, -1, 0, 0.5, 2]);
    await expectSame(x.relu().sub(x.neg().relu()), x);
    expect((await numbers(x.add(1).relu().log())).slice(0, 2)).toEqual([-Infinity, -Infinity]);
    await expectPrinted(x.relu().add(1).log(), [0, 0, 0, 0.4055, 1.0986], 4);
  });

  test('1.7: leaky ReLU with slope 0 is ReLU', async () => {
    const x = given([-3, 0, 2]);
    await expectSame(new LeakyReLU(0).forward(x), x.relu());
  });

  test('2.2: the binary cross entropy of an untrained network is log 2', async () => {
    manualSeed(1);
    const target = randn([64]).gt(0).to('float32');
    await expectExact(bceWithLogits(zeros([64]), target), Math.LN2);
    const model = new Sequential(new Linear(20, 16), new ReLU(), new Linear(16, 1));
    const loss = bceWithLogits(model.forward(randn([64, 20])).reshape([64]), target);
    expect(Math.abs(Number(await loss.item()) - Math.LN2)).toBeLessThan(0.1);
  });

  test('2.3: below 0 ReLU is 0, leaky ReLU has a fixed slope, PReLU one to learn, for all or for each channel', async () => {
    const x = given([[-2, 4]]);
    await expectExact(new ReLU().forward(x), [[0, 4]]);
    await expectExact(new LeakyReLU(0.1).forward(x), [[-0.2, 4]]);
    const prelu = new PReLU();
    await expectExact(prelu.forward(x), [[-0.5, 4]]);
    prelu.forward(x).sum().backward();
    await expectExact(prelu.weight.grad, [-2]);
    expect([sizes(new LeakyReLU()), sizes(new PReLU()), sizes(new PReLU(7))]).toEqual([0, 1, 7]);
  });

  test('2.4: Xavier weights have mean 0 and variance 1/n, and so the outputs the mean and variance of the inputs', async () => {
    manualSeed(2);
    const n = 256;
    const w = init.xavierNormal([n, n]) as Tensor;
    const s = (randn([150, n]) as Tensor).matmul(w);
    await expectPrinted(w.mean(), 0, 2);
    await expectPrinted(w.var().mul(n), 1, 1);
    await expectPrinted(s.mean(), 0, 1);
    await expectPrinted(s.var(), 1, 1);
  });

  test('2.5: the step on ½λ‖W‖² alone multiplies the weights by 1 − ηλ', async () => {
    const w = variable([1, -2, 4]);
    w.square()
      .sum()
      .mul(0.5 * 0.3)
      .backward();
    await new SGD([w], { lr: 0.1 }).step();
    await expectExact(w, [0.97, -1.94, 3.88]);
    const same = variable([1, -2, 4]);
    same.mul(0).sum().backward();
    await new SGD([same], { lr: 0.1, weightDecay: 0.3 }).step();
    await expectExact(same, [0.97, -1.94, 3.88]);
  });

  test('2.6: 6 filters of 5×5, stride 3, padding 2 on 28×28×28 give 6×10×10', () => {
    expect(new Conv2d(28, 6, 5, { stride: 3, padding: 2 }).forward(zeros([1, 28, 28, 28])).shape).toEqual([
      1, 6, 10, 10,
    ]);
  });

  test('2.7: 5 filters of 4×4 on 3 channels have 240 + 5 = 245 parameters', () => {
    expect(sizes(new Conv2d(3, 5, 4, { stride: 2, padding: 1 }))).toBe(245);
  });

  test('2.8: 8×8 pixels, 10 and 5 neurons with dropout and 3 classes make 705 + 18 = 723 parameters', () => {
    const model = new Sequential(
      new Flatten(),
      new Sequential(new Linear(64, 10), new ReLU(), new Dropout(0.5)),
      new Sequential(new Linear(10, 5), new ReLU(), new Dropout(0.5)),
      new Linear(5, 3),
    );
    expect(model.summary(zeros([1, 1, 8, 8]) as never).parameters).toBe(723);
    const biases = model.namedParameters().filter(([name]) => name.endsWith('bias'));
    expect(biases.reduce((sum, [, p]) => sum + p.size, 0)).toBe(18);
  });

  test('2.9: neurons that start alike get the same gradient and stay alike', async () => {
    manualSeed(3);
    const hidden = set(new Linear(2, 2), {
      weight: [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      bias: [0, 0],
    });
    const output = set(new Linear(2, 1), { weight: [[0.5, 0.5]], bias: [0] });
    const model = new Sequential(hidden, new Tanh(), output);
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = randn([8, 2]);
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      model.forward(x).sub(1).square().mean().backward();
      await optimizer.step();
    }
    const [first, second] = (hidden.weight as Tensor).split(1);
    await expectSame(first, second);
    const moved = Math.abs((await numbers(first))[0] - 0.5);
    expect(moved).toBeGreaterThan(1e-3);
  });

  // The exam counts γ and β as 2 behind a linear layer; each is a vector with one number a neuron.
  test('2.13: batch norm has γ and β, 2 numbers a neuron behind a linear layer and 2·16 = 32 behind 16 filters', () => {
    expect(new BatchNorm1d(1).parameters()).toHaveLength(2);
    expect(sizes(new BatchNorm1d(7))).toBe(14);
    expect(sizes(new BatchNorm2d(16))).toBe(32);
  });

  // The illustration is missing; the sizes that the text gives fix this network.
  const down = () => [
    new Sequential(new Conv2d(3, 50, 4, { stride: 2, padding: 1 }), new ReLU()),
    new MaxPool2d(2),
    new Sequential(new Conv2d(50, 100, 4, { stride: 2, padding: 1 }), new ReLU()),
    new MaxPool2d(2),
  ];
  test('3.1: conv1 gives 50×32×32, and fc1 leads from 100·4·4 = 1600 to 40·4·4 = 640 (the layer keeps 640×1600)', () => {
    const modules = down();
    expect(modules[0].forward(zeros([1, 3, 64, 64]) as never).shape).toEqual([1, 50, 32, 32]);
    const features = chain(...modules, new Flatten()).forward(zeros([1, 3, 64, 64]));
    expect(features.shape).toEqual([1, 1600]);
    const fc1 = new Linear(1600, 640);
    expect(fc1.weight.shape).toEqual([640, 1600]);
    expect(new Unflatten(1, [40, 4, 4]).forward(fc1.forward(features as never) as never).shape).toEqual([1, 40, 4, 4]);
  });

  test('3.2: a pixel behind maxpool1 sees 6×6, a neuron of fc1 the whole image', () => {
    expect(chain(...down().slice(0, 2)).receptiveField().size).toEqual([6, 6]);
    const fc1 = chain(...down(), new Flatten(), new Linear(1600, 640));
    expect(fc1.receptiveField().size).toEqual([Infinity, Infinity]);
  });

  const up = (classes: number) => [
    new ConvTranspose2d(40, 20, 4, { stride: 2, padding: 1 }),
    new ConvTranspose2d(20, 20, 4, { stride: 2, padding: 1 }),
    new ConvTranspose2d(20, 10, 4, { stride: 2, padding: 1 }),
    new ConvTranspose2d(10, classes, 4, { stride: 2, padding: 1 }),
  ];

  test('3.3, 3.4: 30 classes come from 30 channels of the last up-convolution, or from a 1×1 convolution behind 5', () => {
    expect(chain(...up(30)).forward(zeros([1, 40, 4, 4])).shape).toEqual([1, 30, 64, 64]);
    expect(chain(...up(5), new Conv2d(5, 30, 1)).forward(zeros([1, 40, 4, 4])).shape).toEqual([1, 30, 64, 64]);
  });

  test('3.6: without the linear layer images of another size run through', () => {
    const fully = chain(...down(), new Conv2d(100, 40, 1), ...up(5));
    expect(fully.forward(zeros([1, 3, 96, 128])).shape).toEqual([1, 5, 96, 128]);
  });

  test('5.1: softmax makes a probability distribution of the logits', async () => {
    manualSeed(4);
    const y = (randn([3, 10]) as Tensor).mul(5).softmax(-1);
    await expectExact(y.sum(-1), [1, 1, 1]);
    expect((await numbers(y)).every((p) => p >= 0 && p <= 1)).toBe(true);
  });

  test('5.3, 5.4: the Jacobian of softmax is ŷᵢ(1 − ŷᵢ) on the diagonal and −ŷᵢŷⱼ elsewhere', async () => {
    manualSeed(5);
    const z = randn([10]) as Tensor;
    const y = z.softmax(-1);
    const outer = y.unsqueeze(1).mul(y.unsqueeze(0)) as Tensor;
    const diagonal = (init.eye([10, 10]) as Tensor).mul(y.unsqueeze(0));
    await expectSame(
      jacobian((v) => v.softmax(-1), z),
      diagonal.sub(outer) as Tensor,
    );
  });

  test('5.5: the cross entropy of a one-hot label is −log ŷ of the true class', async () => {
    manualSeed(6);
    const z = randn([1, 10]) as Tensor;
    const y = z.softmax(-1);
    const loss = crossEntropy(z, given([2]).to('int32'));
    await expectSame(loss as Tensor, y.slice(1, 2, 3).log().neg().reshape([]));
    const oneHot = given([2]).to('int32').oneHot(10);
    await expectSame(loss as Tensor, y.log().mul(oneHot).sum().neg());
  });

  test('5.7: with true class 3 the gradient of w₃,₁ of the second layer is ŷ₁·h₃', async () => {
    manualSeed(7);
    const [h, w] = [randn([1, 6]) as Tensor, randn([6, 10], { requiresGrad: true }) as Tensor];
    const z = h.matmul(w);
    crossEntropy(z as Tensor, given([2]).to('int32')).backward();
    const y = z.detach().softmax(-1);
    const [y1, h3] = [(y as Tensor).slice(1, 0, 1), h.slice(1, 2, 3)];
    await expectSame((w.grad as Tensor).slice(0, 2, 3).slice(1, 0, 1), y1.mul(h3 as Tensor) as Tensor);
  });
});
