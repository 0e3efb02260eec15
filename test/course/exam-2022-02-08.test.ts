// The endterm of 8 February 2022.
import { expect, test } from 'vitest';
import {
  type Tensor,
  compile,
  grad,
  hessian,
  manualSeed,
  maxPool2d,
  noGrad,
  ones,
  randn,
  setDevice,
  zeros,
} from 'nabla';
import { KMeans, tableOf } from 'nabla/classic';
import { digits } from 'nabla/data';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  Softplus,
  mseLoss,
} from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given, numbers, set, variable } from '../support/course.js';

const largest = async (x: unknown): Promise<number> => Number(await (x as Tensor).abs().max().item());

course('endterm of 8 February 2022', () => {
  test('1.3: images of twice the size leave the number of parameters of a convolutional network as it is', () => {
    const model = new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new ReLU(), new Conv2d(8, 5, 1));
    const [small, large] = [model.summary(zeros([1, 3, 16, 16])), model.summary(zeros([1, 3, 32, 32]))];
    expect(large.parameters).toBe(small.parameters);
    expect(large.multiplyAdds).toBe(4 * small.multiplyAdds);
  });

  test('1.5: ReLU changes places with dropout of the same neurons and with max pooling, not with batch norm or sigmoid', async () => {
    manualSeed(1);
    const x = randn([2, 3, 4, 4]) as Tensor;
    const drop = new Dropout(0.5);
    const sameNeurons = (v: Tensor): Tensor => {
      manualSeed(2);
      return drop.forward(v);
    };
    await expectSame(sameNeurons(x.relu() as Tensor), sameNeurons(x).relu());
    await expectSame(maxPool2d(x.relu() as Tensor, 2), (maxPool2d(x, 2) as Tensor).relu());
    const norm = new BatchNorm2d(3);
    const f = (v: Tensor): Tensor => norm.forward(v as never) as unknown as Tensor;
    expect(await largest(f(x.relu() as Tensor).sub(f(x).relu()))).toBeGreaterThan(0.1);
    expect(await largest(x.sigmoid().relu().sub(x.relu().sigmoid()))).toBeGreaterThan(0.1);
  });

  test('1.7: the mean of the gradients of all mini-batches is the gradient of the whole; one batch of all is equal to it', async () => {
    manualSeed(3);
    const [x, y] = [randn([12, 3]) as Tensor, randn([12, 1]) as Tensor];
    const slope = (from: number, to: number): Tensor =>
      grad((w: Tensor) => mseLoss(x.slice(0, from, to).matmul(w) as Tensor, y.slice(0, from, to) as Tensor) as Tensor)(
        ones([3, 1]) as Tensor,
      );
    const whole = slope(0, 12);
    const parts = [slope(0, 4), slope(4, 8), slope(8, 12)];
    const mean = parts.reduce((a, b) => a.add(b) as Tensor).div(3);
    await expectSame(mean, whole);
    expect(await largest(parts[0].sub(whole))).toBeGreaterThan(0.01);
  });

  test('2.2: ln(1 + eˣ) stays within ln 2 of ReLU, closest far from 0, with the sigmoid for a slope', async () => {
    const x = given([-20, -2, 0, 2, 20]);
    const f = (v: Tensor): Tensor => new Softplus().forward(v);
    await expectPrinted(f(x).sub(x.relu()), [0, 0.127, Math.LN2, 0.127, 0], 3);
    await expectSame(grad((v: Tensor) => f(v).sum())(x), x.sigmoid());
    await expectExact(grad((v: Tensor) => f(v).sum())(given([0])), [0.5]); // ReLU has no slope there
  });

  // The solution prints p + q − 2pq; a neuron stays with (1 − p)(1 − q), so it goes with p + q − pq.
  test('2.5: two dropout layers with p and q drop like one with p + q − pq', async () => {
    manualSeed(4);
    const [p, q, n] = [0.2, 0.5, 20_000];
    const both = new Sequential(new Dropout(p), new Dropout(q)).forward(ones([n]) as never) as unknown as Tensor;
    const one = new Dropout(p + q - p * q).forward(ones([n]) as Tensor);
    for (const y of [both, one]) {
      await expectPrinted(y.eq(0).to('float32').mean(), p + q - p * q, 2);
      await expectPrinted(y.max(), 1 / ((1 - p) * (1 - q)), 4);
      await expectPrinted(y.mean(), 1, 1);
    }
  });

  const body = () =>
    new Sequential(
      new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new MaxPool2d(2), new BatchNorm2d(8), new ReLU()),
      new Sequential(new Conv2d(8, 16, 3, { padding: 1 }), new MaxPool2d(2), new BatchNorm2d(16), new ReLU()),
      new Sequential(new Conv2d(16, 32, 3, { padding: 1 }), new MaxPool2d(2), new BatchNorm2d(32), new ReLU()),
      new Flatten(),
    );

  test('4.1, 4.2: images of 80×80 arrive as x = 10·10·32 = 3200 features, and Linear(x, 4) has 4x + 4 parameters', () => {
    expect(body().forward(zeros([1, 3, 80, 80]) as never).shape).toEqual([1, 3200]);
    expect(new Linear(3200, 4).summary(zeros([1, 3200])).parameters).toBe(4 * 3200 + 4);
  });

  test('4.3: batch norm normalises each channel behind a convolution, each feature behind a linear layer', async () => {
    manualSeed(5);
    const images = new BatchNorm2d(3).forward(randn([4, 3, 5, 5]).mul(2).add(1) as never) as unknown as Tensor;
    const features = new BatchNorm1d(6).forward(randn([8, 6]).mul(2).add(1) as never) as unknown as Tensor;
    expect(await largest(images.mean([0, 2, 3]))).toBeLessThan(1e-5);
    expect(await largest(features.mean(0))).toBeLessThan(1e-5);
    expect(await largest(images.mean(0)), 'a single pixel is not').toBeGreaterThan(0.1);
  });

  test('4.4: Conv2d(3, 8) with 3×3 kernels has 216 + 8 = 224 parameters', () => {
    expect(new Conv2d(3, 8, 3).summary(zeros([1, 3, 80, 80])).parameters).toBe(224);
  });

  test('4.5: the batch norm layers together have 2·8 + 2·16 + 2·32 = 112 parameters', () => {
    const norms = body()
      .summary(zeros([2, 3, 80, 80]) as never)
      .rows.filter((row) => row.module.startsWith('BatchNorm'));
    expect(norms).toHaveLength(3);
    expect(norms.reduce((sum, row) => sum + row.parameters, 0)).toBe(112);
  });

  const descend = async (lr: number, steps: number): Promise<number[]> => {
    const x = variable(5);
    const optimizer = new SGD([x], { lr });
    const path: number[] = [];
    for (let i = 0; i < steps; i++) {
      optimizer.zeroGrad();
      x.square().sum().backward();
      await optimizer.step();
      path.push(Number(await x.item()));
    }
    return path;
  };

  test('5.5, 5.6: from 5 with rate 1 gradient descent on x² jumps between −5 and 5 and never reaches 0', async () => {
    await expectExact(given(await descend(1, 6)), [-5, 5, -5, 5, -5, 5]);
    await expectExact(grad((x: Tensor) => x.square().sum())(given([0])), [0]);
  });

  test('5.7: a smaller rate converges, and 1/2 does in one step', async () => {
    const path = await descend(0.25, 10);
    expect(path[9]).toBeCloseTo(5 / 2 ** 10, 6);
    await expectExact(given(await descend(0.5, 1)), [0]);
  });

  test("5.9: Newton's step x − f′(x)/f″(x) arrives at once", async () => {
    const f = (x: Tensor): Tensor => x.square().sum() as Tensor;
    const x = given([5]);
    await expectExact(x.sub(grad(f)(x).div(hessian(f, x).reshape([1]) as Tensor) as Tensor), [0]);
  });

  test('6.1, 6.2: the slope of the sigmoid is e⁻ˣ/(1 + e⁻ˣ)² = y(1 − y)', async () => {
    const x = given([-3, -0.5, 0, 1, 4]);
    const slope = grad((v: Tensor) => v.sigmoid().sum())(x);
    const y = x.sigmoid();
    await expectSame(slope, x.neg().exp().div(x.neg().exp().add(1).square()) as Tensor);
    await expectSame(slope, y.mul(y.neg().add(1)) as Tensor);
  });

  const layer = () => set(new Linear(2, 1), { weight: [[1, 2]], bias: [2] });
  const X = (): Tensor<[2, 2]> =>
    given([
      [1, 1],
      [0, -1],
    ]) as unknown as Tensor<[2, 2]>;

  test('6, forward: z = (5, 0) and σ(z) = (0.993, 0.5), which the text rounds up to (1, 0.5)', async () => {
    const z = layer().forward(X());
    await expectExact(z, [[5], [0]]);
    await expectPrinted(z.sigmoid(), [[0.9933], [0.5]], 4);
  });

  test('6.3: ∂y/∂z = y(1 − y) = (0.0066, 0.25); from the rounded y it is (0, 0.25)', async () => {
    await expectPrinted(grad((z: Tensor) => z.sigmoid().sum())(given([5, 0])), [0.0066, 0.25], 4);
    const y = given([1, 0.5]);
    await expectExact(y.mul(y.neg().add(1) as Tensor), [0, 0.25]);
  });

  test('6.4: from the rounded dout dW = (0, −0.25) and db = 0.25; unrounded (0.0066, −0.2434) and 0.2566', async () => {
    const rounded = layer();
    rounded.forward(X()).backward(given([[0], [0.25]]));
    await expectExact(rounded.weight.grad, [[0, -0.25]]);
    await expectExact(rounded.bias?.grad, [0.25]);
    const exact = layer();
    exact.forward(X()).sigmoid().sum().backward();
    await expectPrinted(exact.weight.grad, [[0.0066, -0.2434]], 4);
    await expectPrinted(exact.bias?.grad, [0.2566], 4);
  });

  test('7.4: a loss times 1/N has the same optimum, but ten steps end elsewhere', async () => {
    const end = async (scale: number, steps: number): Promise<number> => {
      const w = variable([3]);
      const optimizer = new SGD([w], { lr: 0.1 });
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        w.sub(1).square().sum().mul(scale).backward();
        await optimizer.step();
      }
      return (await numbers(w))[0];
    };
    const [erika, max] = [await end(1, 10), await end(1 / 4, 10)];
    expect(Math.abs(erika - max)).toBeGreaterThan(0.1);
    expect(await end(1, 60)).toBeCloseTo(1, 3);
    expect(await end(1 / 4, 200)).toBeCloseTo(1, 3);
  });

  test('2.6: one learns by heart without labels, too: k-means with as many clusters as rows has no error left', async () => {
    const rows = [
      [0, 1],
      [2, 3],
      [5, 1],
      [4, 4],
    ];
    const model = await new KMeans({ clusters: 4 }).fit(rows);
    expect([model.inertia, new Set(model.labels).size]).toEqual([0, 4]);
  });
});

// Once: the training is too much for plain loops.
test('3.3: ten clusters of an autoencoder’s codes are, by and large, the ten kinds of images', async () => {
  setDevice('cpu');
  const { x, y } = tableOf(digits());
  manualSeed(0);
  const encoder = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
  const decoder = new Sequential(new Linear(10, 32), new ReLU(), new Linear(32, 64));
  const optimizer = new Adam([...encoder.parameters(), ...decoder.parameters()], { lr: 5e-3 });
  const step = compile(async (rows: Tensor<[number, 64]>) => {
    optimizer.zeroGrad();
    mseLoss(decoder.forward(encoder.forward(rows)), rows).backward();
    await optimizer.step();
  });
  const images = x.reshape([1797, 64]);
  for (let i = 0; i < 300; i++) await step(images); // the labels are not used
  const codes = noGrad(() => encoder.forward(images));
  const { labels } = await new KMeans({ clusters: 10, starts: 5 }).fit(codes);
  let right = 0;
  for (let cluster = 0; cluster < 10; cluster++) {
    const own = y.filter((_, i) => labels[i] === cluster);
    right += Math.max(...Array.from({ length: 10 }, (_, digit) => own.filter((label) => label === digit).length));
  }
  expect(right / y.length).toBeGreaterThan(0.6); // by chance 0.1
});
