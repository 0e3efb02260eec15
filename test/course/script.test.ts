// The summary script. What it repeats from the lectures is checked there; here is what it adds, or prints differently.
import { expect, test } from 'vitest';
import { type Tensor, avgPool2d, cat, conv2d, grad, manualSeed, randn, zeros } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout2d,
  Flatten,
  GlobalAvgPool2d,
  LSTMCell,
  Linear,
  MaxPool2d,
  MessagePassing,
  Module,
  ReLU,
  Sequential,
  SiLU,
  Step,
  bceLoss,
  crossEntropy,
  init,
  l1Loss,
  mseLoss,
} from 'nabla/nn';
import { ArrayDataset, DataLoader } from 'nabla/data';
import { functional as F, type Kernel } from 'nabla/data/transforms';
import { exponentialDecay, inverseTimeDecay, stepDecay } from 'nabla/optim';
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

const sum = { reduction: 'sum' } as const;
const sizes = (model: { parameters(): readonly { size: number }[] }): number =>
  model.parameters().reduce((total, p) => total + p.size, 0);
const largest = async (x: unknown): Promise<number> => Number(await (x as Tensor).abs().max().item());

course('script', () => {
  test('II.3: the norms ‖v‖₁ = Σ|v| and ‖v‖₂ = √Σv²', async () => {
    const v = given([3, -4]);
    await expectExact(v.abs().sum(), 7);
    await expectExact(v.norm(), 5);
  });

  test('III, figure III.1: a first layer of 3 inputs and 4 neurons has 12 weights and 4 biases', () => {
    const layer = new Linear(3, 4);
    expect([layer.weight.size, layer.bias?.size]).toEqual([12, 4]);
  });

  test('III.2: the cross entropy with one-hot labels is −Σ yᵢₖ·log ŷᵢₖ / n', async () => {
    const logits = given([
      [1, 2, 0],
      [0, -1, 3],
    ]);
    const labels = given([1, 2]).to('int32');
    const byHand = logits.logSoftmax(-1).mul(labels.oneHot(3)).sum().div(-2) as Tensor;
    await expectSame(crossEntropy(logits, labels) as Tensor, byHand);
  });

  // The script prints 1/n where the derivative of the mean of squares has 2/n (lecture 3 has it).
  test('III.2: the gradient of the MSE of W·x is 2/n·Σ(W·xᵢ − yᵢ)·xᵢᵀ', async () => {
    const [x, y, w] = [
      given([
        [1, 2],
        [3, 4],
      ]),
      given([[1], [2]]),
      given([[1, -1]]),
    ];
    const slope = grad((v: Tensor) => mseLoss(x.matmul(v.T) as Tensor, y) as Tensor)(w);
    const error = x.matmul(w.T).sub(y) as Tensor;
    await expectExact(error, [[-2], [-3]]);
    await expectExact(slope, [[-11, -16]]);
    await expectSame(slope, error.T.matmul(x).mul(2 / 2) as Tensor);
  });

  test('IV.1: (x + y)·z, forward and backward', async () => {
    const [x, y, z] = [variable(1), variable(-3), variable(4)];
    x.add(y).mul(z).backward();
    for (const [v, slope] of [
      [x, 4],
      [y, 4],
      [z, -2],
    ] as const)
      await expectExact(v.grad, slope);
  });

  test('IV.2: 3 inputs, 4 hidden and 2 output neurons: 2·4 + 2 and 4·3 + 4 unknowns', () => {
    expect([sizes(new Linear(4, 2)), sizes(new Linear(3, 4))]).toEqual([10, 16]);
  });

  test('IV.3, listing: L1 has the slopes −1, 0 and 1, MSE 2(y − t), BCE −t/y + (1 − t)/(1 − y)', async () => {
    const [y, t] = [given([0.2, 0.5, 0.9]), given([0.5, 0.5, 0])];
    await expectExact(grad((v: Tensor) => l1Loss(v, t, sum) as Tensor)(y), [-1, 0, 1]);
    await expectExact(grad((v: Tensor) => mseLoss(v, t, sum) as Tensor)(y), [-0.6, 0, 1.8]);
    const [p, label] = [given([0.2, 0.8]), given([1, 0])];
    await expectExact(grad((v: Tensor) => bceLoss(v, label, sum) as Tensor)(p), [-5, 5]);
  });

  test('V.1: 1000 examples in batches of 500 are two iterations an epoch', () => {
    const data = new ArrayDataset({ x: { data: new Int32Array(1000), shape: [] } } as never);
    expect(new DataLoader(data as never, { batchSize: 500 }).length).toBe(2);
  });

  // The listing lets the gradient through where x = 0; nabla, PyTorch and the exam of 2020 have 0 there.
  test('V.3, listing: ReLU hands the gradient on where x is above 0', async () => {
    const x = variable([-1, 0, 2]);
    x.relu().backward(given([5, 6, 7]));
    await expectExact(x.grad, [0, 0, 7]);
  });

  // The listing divides dW and db by n: its dout is that of a sum over the batch, the loss a mean.
  test('V.3, listing: the affine layer has dW = Xᵀ·dout/n, db = mean of dout, dX = dout·Wᵀ', async () => {
    manualSeed(1);
    const layer = new Linear(3, 2);
    const x = randn([4, 3], { requiresGrad: true }) as Tensor;
    const dout = randn([4, 2]) as Tensor;
    const y = chain(layer).forward(x);
    y.mul(dout).sum().div(4).backward();
    await expectSame(layer.weight.grad?.T, x.detach().T.matmul(dout).div(4) as Tensor);
    await expectSame(layer.bias?.grad, dout.mean(0) as Tensor);
    await expectSame(x.grad, dout.matmul(layer.weight.detach() as Tensor).div(4) as Tensor);
  });

  test('VI.1: fractional, step and exponential decay of 0.1', () => {
    expect([0, 1, 4].map((epoch) => inverseTimeDecay(epoch, 0.1, 1))).toEqual([0.1, 0.05, 0.02]);
    expect([0, 5, 10].map((epoch) => stepDecay(epoch, 0.1, 5, 0.5))).toEqual([0.1, 0.05, 0.025]);
    expect(exponentialDecay(2, 0.1, 0.5)).toBe(0.025);
  });

  // The table prints 0.01 for leaky ReLU below 0 where 0.01·x is meant.
  test('VII.2, table: identity, step, sigmoid, tanh, ReLU and leaky ReLU at −2, 0 and 2', async () => {
    const x = given([-2, 0, 2]);
    await expectExact(new Step().forward(x), [0, 1, 1]);
    await expectPrinted(x.sigmoid(), [0.1192, 0.5, 0.8808], 4);
    const powers = x.exp().sub(x.neg().exp()).div(x.exp().add(x.neg().exp())) as Tensor;
    await expectPrinted(x.tanh(), await numbers(powers), 5);
    await expectExact(x.relu(), [0, 0, 2]);
  });

  test('VII.2, table: swish 2x·σ(βx) is x for β = 0, tends to 2·max(0, x), and for β = 1 is twice SiLU', async () => {
    const x = given([-2, 0, 3]);
    const swish = (beta: number): Tensor => x.mul(2).mul(x.mul(beta).sigmoid()) as Tensor;
    await expectExact(swish(0), [-2, 0, 3]);
    await expectPrinted(swish(40), [0, 0, 6], 5);
    await expectSame(swish(1), new SiLU().forward(x).mul(2) as Tensor);
  });

  test('VII.3: variance 1/n for tanh, 2/n for ReLU', async () => {
    manualSeed(2);
    await expectPrinted((init.xavierNormal([100, 100]) as Tensor).var().mul(100), 1, 1);
    await expectPrinted((init.kaimingNormal([100, 100]) as Tensor).var().mul(50), 1, 1);
  });

  test('VIII.3: a bias before batch norm is cancelled', async () => {
    manualSeed(3);
    const layer = new Linear(3, 4);
    const norm = new BatchNorm1d(4);
    const x = randn([8, 3]).detach();
    const before = (await (norm.forward(layer.forward(x)) as Tensor).array()) as number[][];
    layer.bias?.assign_(layer.bias.add(5) as never);
    await expectPrinted(norm.forward(layer.forward(x)), before, 4);
  });

  test('VIII.3: with β_m = 0.99 a batch has little effect on the running mean (a momentum of 0.01 in nabla)', async () => {
    const norm = new BatchNorm1d(1, { momentum: 0.01 });
    await norm.forward(given([[10], [20]]) as never).array();
    await expectExact(norm.runningMean as Tensor, [0.15]);
  });

  test('VIII.3: batch norm is not linear while training, and affine at test time', async () => {
    manualSeed(4);
    const norm = new BatchNorm1d(2);
    const [x, y] = [randn([6, 2]).detach(), randn([6, 2]).detach()];
    const f = (v: unknown): Tensor => norm.forward(v as never) as unknown as Tensor;
    const gap = () =>
      f(x.add(y)).sub(
        f(x)
          .add(f(y))
          .sub(f(zeros([6, 2]))) as Tensor,
      ) as Tensor;
    expect(await largest(gap())).toBeGreaterThan(0.1);
    norm.eval();
    expect(await largest(gap())).toBeLessThan(1e-5);
  });

  test('IX: three neurons on a [3, 5, 5] image need 75·3 weights', () => {
    const features = new Flatten().forward(zeros([1, 3, 5, 5])).shape[1];
    expect(sizes(new Linear(features, 3, { bias: false }))).toBe(75 * 3);
  });

  test('IX.1: Sobel and Scharr answer to vertical edges with 4 and 16 times the step, to horizontal ones not at all', () => {
    const rows = Array.from({ length: 5 }, () => [0, 0, 1, 1, 1]);
    const picture = (data: number[][]) => ({ data: Float32Array.from(data.flat()), shape: [1, 5, 5] as const });
    const turned = rows[0].map((_, i) => rows.map((row) => row[i]));
    const answer = (data: number[][], kernel: Kernel): number[] =>
      Array.from(F.filter2d(picture(data), kernel, { padding: 'valid' }).data.slice(0, 3));
    expect(answer(rows, F.kernels.sobel)).toEqual([-4, -4, 0]);
    expect(answer(rows, F.kernels.scharr)).toEqual([-16, -16, 0]);
    expect(answer(turned, F.kernels.sobel)).toEqual([0, 0, 0]);
  });

  test('IX.3: F·F·depth·filters weights in a tensor of (filters, depth, F, F), one bias a filter', () => {
    const layer = new Conv2d(7, 9, 5);
    expect(layer.weight.shape).toEqual([9, 7, 5, 5]);
    expect([layer.weight.size, layer.bias?.size]).toEqual([5 * 5 * 7 * 9, 9]);
  });

  test('IX.4: global average pooling leaves one number a channel', async () => {
    const x = given([
      [
        [
          [1, 3],
          [5, 7],
        ],
        [
          [0, 0],
          [0, 2],
        ],
      ],
    ]);
    await expectExact((new GlobalAvgPool2d().forward(x as never) as Tensor).reshape([2]), [4, 0.5]);
    await expectExact((avgPool2d(x, 2) as Tensor).reshape([2]), [4, 0.5]);
  });

  test('IX.5: r_k = r_{k−1} + (s₁·…·s_{k−1})·(f_k − 1), and a linear layer sees everything', () => {
    const layers: [kernel: number, stride: number][] = [
      [7, 2],
      [3, 2],
      [3, 1],
      [5, 3],
      [2, 2],
    ];
    let [field, jump] = [1, 1];
    for (const depth of layers.keys()) {
      const [kernel, stride] = layers[depth];
      field += jump * (kernel - 1);
      jump *= stride;
      const model = chain(
        ...layers
          .slice(0, depth + 1)
          .map(([k, s], i) => (i % 2 === 0 ? new Conv2d(1, 1, k, { stride: s }) : new MaxPool2d(k, { stride: s }))),
      );
      expect(model.receptiveField()).toMatchObject({ size: [field, field], stride: [jump, jump] });
    }
    expect(chain(new Conv2d(1, 1, 3), new Flatten(), new Linear(9, 1)).receptiveField().size).toEqual([
      Infinity,
      Infinity,
    ]);
  });

  test('IX.5: spatial batch norm takes mean and variance of each channel', async () => {
    manualSeed(5);
    const x = (randn([4, 3, 5, 5]) as Tensor).mul(given([1, 2, 3]).reshape([1, 3, 1, 1]) as Tensor) as Tensor;
    const y = new BatchNorm2d(3, { eps: 0 }).forward(x as never) as unknown as Tensor;
    const [mean, variance] = [
      x.mean([0, 2, 3], { keepdim: true }),
      x.var([0, 2, 3], { keepdim: true, correction: 0 } as never),
    ];
    const gap = y.sub(x.sub(mean as Tensor).div((variance as Tensor).sqrt()) as Tensor);
    expect(await largest(gap)).toBeLessThan(1e-5);
    expect(sizes(new BatchNorm2d(3))).toBe(6);
  });

  test('IX.6: spatial dropout sets whole feature maps to zero', async () => {
    manualSeed(6);
    const y = new Dropout2d(0.5).forward(randn([8, 16, 3, 3]).abs().add(1) as never) as unknown as Tensor;
    const alive = await numbers(y.gt(0).to('float32').mean([2, 3]) as Tensor);
    expect(alive.every((share) => share === 0 || share === 1)).toBe(true);
    expect(new Set(alive).size).toBe(2);
  });

  test('X.1: a valid 5×5 convolution takes two pixels from each side: 32 becomes 28', () => {
    expect(new Conv2d(1, 6, 5).forward(zeros([1, 1, 32, 32])).shape).toEqual([1, 6, 28, 28]);
  });

  test('X.6: a 1×1 convolution to fewer channels keeps the size and saves nine tenths of the multiplications', () => {
    const x = zeros([1, 200, 32, 32]);
    expect(new Conv2d(200, 16, 1).forward(x).shape).toEqual([1, 16, 32, 32]);
    const direct = new Conv2d(200, 92, 5, { padding: 2 }).summary(x).multiplyAdds;
    const through = new Sequential(new Conv2d(200, 16, 1), new Conv2d(16, 92, 5, { padding: 2 })).summary(x);
    expect(through.multiplyAdds / direct).toBeLessThan(0.1);
  });

  test('X.7, figure X.8: depth-wise, then a 1×1×3 filter: the depth becomes 1', () => {
    const depthwise = new Conv2d(3, 3, 5, { groups: 3 });
    expect(new Sequential(depthwise, new Conv2d(3, 1, 1)).forward(zeros([1, 3, 12, 12])).shape).toEqual([1, 1, 8, 8]);
  });

  test('X.8, U-Net: the decoder reads what the encoder kept, next to what it made itself', () => {
    const [kept, made] = [zeros([1, 4, 8, 8]), zeros([1, 4, 8, 8])];
    const y = conv2d(cat([kept, made], 1) as Tensor, zeros([4, 8, 3, 3]) as never, { padding: 1 }) as Tensor;
    expect(y.shape).toEqual([1, 4, 8, 8]);
  });

  // The script prints the output gate as a tanh; it is a sigmoid (lecture 11), as its own range 0 to 1 demands.
  test('XI.3: the output gate of the LSTM is a sigmoid: h = σ(o)·tanh(C)', async () => {
    const cell = set(new LSTMCell(1, 1), {
      weight_ih: [[0], [0], [0], [0]],
      weight_hh: [[0], [0], [0], [0]],
      bias_ih: [-50, 50, 0, -1],
      bias_hh: [0, 0, 0, 0],
    });
    const [h] = cell.forward(given([[0]]) as never, [given([[0]]), given([[0.5]])]);
    await expectPrinted(h, [[Math.tanh(0.5) / (1 + Math.E)]], 5);
  });

  /** Two nodes send to a third; the edges in both orders. */
  test('XII.2: message passing does not see the order of the edges, and every edge sees its two nodes', async () => {
    class Sum extends Module {
      forward(x: Tensor): Tensor {
        return x.sum(1, { keepdim: true }) as Tensor;
      }
    }
    const nodes = given([[1], [2], [4]]);
    for (const aggregation of ['sum', 'mean', 'max'] as const) {
      const layer = new MessagePassing(new Sum(), new Sum(), { aggregation });
      const run = (edges: number[][]): Tensor => layer.forward(nodes, given(edges).to('int32'))[0];
      const forth = run([
        [0, 1],
        [2, 2],
      ]);
      const back = run([
        [1, 0],
        [2, 2],
      ]);
      // the messages to node 2 are 1 + 4 and 2 + 4
      await expectExact(forth, [[1], [2], [4 + { sum: 11, mean: 5.5, max: 6 }[aggregation]]]);
      await expectSame(back, forth);
    }
  });

  test('XII.5: the discriminator loss −½·log D(x) − ½·log(1 − D(G(z))) is log 2 where it cannot tell, and the generator has −J', async () => {
    const loss = (d: Tensor): Tensor => bceLoss(d, given([1, 0])) as Tensor; // D of a real and of a generated image
    await expectExact(loss(given([0.5, 0.5])), Math.LN2);
    const both = given([0.8, 0.3]);
    await expectPrinted(loss(both), -0.5 * Math.log(0.8) - 0.5 * Math.log(0.7), 6);
    const slopes = await numbers(grad(loss)(both));
    expect([Math.sign(slopes[0]), Math.sign(slopes[1])]).toEqual([-1, 1]); // D wants D(x) up and D(G(z)) down
    await expectExact(grad((d: Tensor) => loss(d).neg())(both), [-slopes[0], -slopes[1]]);
  });

  test('XII.7: an autoencoder gives back the shape of its input; its encoder alone carries a classifier', () => {
    const encoder = new Sequential(new Linear(64, 16), new ReLU(), new Linear(16, 3));
    const decoder = new Sequential(new Linear(3, 16), new ReLU(), new Linear(16, 64));
    expect(new Sequential(encoder, decoder).forward(zeros([5, 64])).shape).toEqual([5, 64]);
    expect(new Sequential(encoder, new Linear(3, 10)).forward(zeros([5, 64])).shape).toEqual([5, 10]);
  });
});
