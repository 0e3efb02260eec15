// The endterm of 11 August 2020. The sketches to complete (3d, 4f) are figures that the text lacks.
import { expect, test } from 'vitest';
import { type Tensor, conv2d, grad, manualSeed, ones, randn, zeros } from 'nabla';
import {
  BatchNorm1d,
  Conv2d,
  Dropout,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2d,
  RNN,
  RNNCell,
  Residual,
  Sequential,
  Sigmoid,
  init,
} from 'nabla/nn';
import { resnet18, vgg16 } from 'nabla/models';
import { SGD } from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given, numbers, set, variable } from '../support/course.js';

course('endterm of 11 August 2020', () => {
  test('1a: ResNet-18 is not larger than VGG-16: 12 million parameters against 138 million', () => {
    expect(Math.round(resnet18().parameterCount / 1e6)).toBe(12);
    expect(Math.round(vgg16().parameterCount / 1e6)).toBe(138);
  });

  test('1d: a convolution is translation equivariant: the shifted image gives the shifted map', async () => {
    manualSeed(1);
    const conv = new Conv2d(1, 2, 3);
    const x = randn([1, 1, 8, 8]) as Tensor;
    const map = (v: Tensor): Tensor => conv.forward(v as never) as unknown as Tensor;
    // the first row and column of the shifted map see pixels that came in around the edge
    const inner = (v: Tensor): Tensor => v.slice(2, 2, 6).slice(3, 1, 6) as Tensor;
    await expectSame(inner(map(x.roll(2, 2).roll(1, 3))), inner(map(x).roll(2, 2).roll(1, 3)));
    const turned = await numbers(
      map(x.transpose(2, 3) as Tensor)
        .sub(map(x).transpose(2, 3) as Tensor)
        .abs()
        .max(),
    );
    expect(turned[0], 'a turned image does not give the turned map').toBeGreaterThan(0.1);
  });

  test('1e, 1g: far from 0 the slopes of tanh and sigmoid vanish, those of ReLU and leaky ReLU do not', async () => {
    const slope = (f: (v: Tensor) => Tensor): Tensor => grad((v: Tensor) => f(v).sum())(given([20]));
    await expectPrinted(
      slope((v) => v.tanh()),
      [0],
      6,
    );
    await expectPrinted(
      slope((v) => v.sigmoid()),
      [0],
      6,
    );
    await expectExact(
      slope((v) => v.relu()),
      [1],
    );
    await expectExact(
      slope((v) => new LeakyReLU().forward(v)),
      [1],
    );
    const s = await numbers(new Sigmoid().forward(given([-5, 0, 5])));
    expect(s.every((p) => p > 0 && p < 1)).toBe(true);
  });

  test('1i: of leaky ReLU, batch norm, dropout and max pooling only batch norm has parameters', () => {
    const count = [new LeakyReLU(), new BatchNorm1d(4), new Dropout(0.5), new MaxPool2d(2)].map(
      (m) => m.parameters().length,
    );
    expect(count).toEqual([0, 2, 0, 0]);
  });

  test('2a: the inputs (2, −4, 1) give −0.03 with small weights and 1.5 with large ones', async () => {
    const x = given([[2, -4, 1]]) as unknown as Tensor<[1, 3]>;
    const s = (weight: number[]) => set(new Linear(3, 1, { bias: false }), { weight: [weight] }).forward(x);
    await expectExact(s([0.05, 0.025, -0.03]), [[-0.03]]);
    await expectExact(s([1, 0.5, 1.5]), [[1.5]]);
    // the large one lies where tanh has lost most of its slope
    const slope = grad((v: Tensor) => v.tanh().sum());
    await expectPrinted(slope(given([-0.03, 1.5])), [1, 0.18], 2);
  });

  test('2c, 2d: variance 1/n keeps the variance of a layer; ReLU halves the mean square, and 2/n makes up for it', async () => {
    manualSeed(2);
    const n = 200;
    const x = randn([200, n]);
    const spread = async (v: unknown): Promise<number> => Number(await (v as Tensor).square().mean().item());
    const s = x.matmul(init.xavierNormal([n, n]));
    expect(await spread(s)).toBeCloseTo(1, 1);
    expect(await spread(s.relu())).toBeCloseTo(0.5, 1);
    expect(await spread(x.matmul(init.kaimingNormal([n, n])).relu())).toBeCloseTo(1, 0);
  });

  test('4a: C₁ is the mean of a neighbourhood, C₂ answers to vertical edges alone', async () => {
    const vertical = given([
      [
        [
          [1, 1, 5, 5],
          [1, 1, 5, 5],
          [1, 1, 5, 5],
        ],
      ],
    ]);
    const c1 = ones([1, 1, 3, 3]).div(9);
    await expectExact(conv2d(vertical, c1 as never), [[[[7 / 3, 11 / 3]]]]);
    const c2 = given([
      [
        [
          [1, -1],
          [1, -1],
        ],
      ],
    ]);
    await expectExact(conv2d(vertical, c2 as never), [
      [
        [
          [0, -8, 0],
          [0, -8, 0],
        ],
      ],
    ]);
    const horizontal = vertical.transpose(2, 3) as Tensor;
    await expectExact((conv2d(horizontal, c2 as never) as Tensor).abs().max(), 0);
  });

  test('4b: 5 filters of 7×7, stride 3, padding 1 on 26×26×26 give 8×8×5', () => {
    expect(new Conv2d(26, 5, 7, { stride: 3, padding: 1 }).forward(zeros([1, 26, 26, 26])).shape).toEqual([1, 5, 8, 8]);
  });

  test('4c: the weight of 4 filters of 5×5 on RGB is (4, 3, 5, 5)', () => {
    expect(new Conv2d(3, 4, 5).weight.shape).toEqual([4, 3, 5, 5]);
  });

  test('4d: three 3×3 convolutions see 7×7', () => {
    const model = new Sequential(new Conv2d(1, 2, 3), new Conv2d(2, 2, 3), new Conv2d(2, 1, 3));
    expect(model.receptiveField().size).toEqual([7, 7]);
  });

  test('4e: a 1×1 convolution sees one pixel; a kernel of 224 or a linear layer sees all of 224×224', () => {
    expect(new Conv2d(1, 1, 1).receptiveField().size).toEqual([1, 1]);
    const whole = new Conv2d(1, 1, 224);
    expect(whole.receptiveField().size).toEqual([224, 224]);
    expect(whole.forward(zeros([1, 1, 224, 224])).shape).toEqual([1, 1, 1, 1]);
    expect(new Sequential(new Flatten(), new Linear(224 * 224, 1)).receptiveField().size).toEqual([Infinity]);
  });

  test('4g: around a block with the derivative r a skip connection has 1 + r', async () => {
    const body = set(new Linear(1, 1), { weight: [[0.25]] });
    const x = given([[3]]) as unknown as Tensor<[1, 1]>;
    await expectExact(grad((v: Tensor<[1, 1]>) => body.forward(v).sum())(x), [[0.25]]);
    await expectExact(grad((v: Tensor<[1, 1]>) => new Residual([body]).forward(v).sum())(x), [[1.25]]);
  });

  // nabla keeps PyTorch's two bias vectors, which enter as their sum; the exam counts one.
  test('6a: an RNN cell with 3 inputs and 5 states has 3·5 + 5·5 + 5 = 45 parameters', () => {
    const size = (options: { bias?: boolean }): number =>
      new RNNCell(3, 5, options).parameters().reduce((sum, p) => sum + p.size, 0);
    expect(size({ bias: false })).toBe(40);
    expect(size({})).toBe(45 + 5);
  });

  test('6b: without input and bias the state still changes', async () => {
    const cell = set(new RNNCell(1, 1, { bias: false }), { weight_ih: [[1]], weight_hh: [[1]] });
    const h = cell.forward(given([[0]]) as never, given([[0.5]]) as never) as Tensor;
    await expectPrinted(h, [[0.4621]], 4);
  });

  /** A ReLU-RNN of one unit without bias: h₁, h₂, h₃, and what they depend on. */
  const reluRnn = (v: number, w: number, h0: number, inputs: number[]) => {
    const cell = new RNN(1, 1, { nonlinearity: 'relu', bias: false });
    set(cell, { weight_ih_l0: [[w]], weight_hh_l0: [[v]] });
    const x = variable(inputs.map((value) => [value]));
    const [output] = cell.forward(x as Tensor<[number, 1]>, given([[h0]]));
    const of = (name: string): Tensor | undefined => new Map(cell.namedParameters()).get(name)?.grad as Tensor;
    return { x, output: (output as unknown as Tensor).reshape([inputs.length]) as Tensor, of };
  };

  test('6c: a ReLU-RNN with V = −3, W = 3 and inputs 2, 3, 1 goes through 6, 0, 3', async () => {
    await expectExact(reluRnn(-3, 3, 0, [2, 3, 1]).output, [6, 0, 3]);
  });

  // The text prints h₂ = 2/3 and with it ∂h₃/∂V = 2/3; the forward pass gives 3/2, as the note to the solution says.
  test('6d: with V = −2, W = 1, h₀ = 2 and inputs 2, 3/2, 4: ∂h₃/∂V = 3/2, ∂h₃/∂W = 1, ∂h₃/∂x₁ = 0', async () => {
    const { x, output, of } = reluRnn(-2, 1, 2, [2, 1.5, 4]);
    await expectExact(output, [0, 1.5, 1]);
    output.slice(0, 2, 3).sum().backward();
    await expectExact(of('weight_hh_l0'), [[1.5]]);
    await expectExact(of('weight_ih_l0'), [[1]]);
    await expectExact(x.grad, [[0], [-2], [1]]);
  });

  test('8b: σ(ReLU(z)) is never below 0.5', async () => {
    const p = given([-100, -1, 0, 1, 100]).relu().sigmoid();
    expect(Math.min(...(await numbers(p)))).toBe(0.5);
  });

  test('8d: a step on J + ½λΣW² is W(1 − ηλ) − η∇J', async () => {
    const [eta, lambda] = [0.1, 0.02];
    const w = variable([1, -2, 3]);
    const j = (v: Tensor): Tensor => v.pow(4).sum() as Tensor;
    const slope = grad(j)(w.detach());
    const expected = await w
      .detach()
      .mul(1 - eta * lambda)
      .sub(slope.mul(eta))
      .array();
    j(w)
      .add(
        w
          .square()
          .sum()
          .mul(0.5 * lambda),
      )
      .backward();
    await new SGD([w], { lr: eta }).step();
    await expectExact(w, expected as number[]);
  });

  test('8f: weights uniform in ±√(3/n) keep the variance of n inputs', async () => {
    manualSeed(3);
    const n = 300;
    const w = init.xavierUniform([n, n]) as Tensor;
    const bound = Math.sqrt(3 / n);
    const largest = Number(await w.abs().max().item());
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
    await expectPrinted(w.var().mul(n), 1, 1); // α²/3 = 1/n
    await expectPrinted((randn([200, n]) as Tensor).matmul(w).var(), 1, 1);
  });
});
