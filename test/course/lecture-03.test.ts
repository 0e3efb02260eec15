// Lecture 3, introduction to neural networks: nested functions, activations, computational graphs, losses.
import { expect, test } from 'vitest';
import { type Tensor, grad, graphOf, manualSeed, ones, randn, zeros } from 'nabla';
import {
  ELU,
  Flatten,
  LeakyReLU,
  Linear,
  Maxout,
  PReLU,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
  bceLoss,
  crossEntropy,
  l1Loss,
  mseLoss,
  nllLoss,
} from 'nabla/nn';
import { chain, course, expectExact, expectPrinted, expectSame, given, set, variable } from '../support/course.js';

course('lecture 3', () => {
  test('two linear score functions are one: W₂·W·x = Ŵ·x with Ŵ = W₂·W', async () => {
    manualSeed(1);
    const [first, second] = [new Linear(4, 6, { bias: false }), new Linear(6, 3, { bias: false })];
    const one = new Linear(4, 3, { bias: false });
    one.weight.assign_((second.weight as Tensor).matmul(first.weight as Tensor) as never);
    const x = randn([5, 4]) as Tensor;
    await expectSame(chain(first, second).forward(x), chain(one).forward(x));
    expect(chain(first, new ReLU(), second).forward(x).shape).toEqual([5, 3]);
  });

  test('the network of five layers is W₅·σ(W₄·tanh(W₃·max(0, W₂·max(0, W₁·x))))', async () => {
    manualSeed(2);
    const w = [0, 1, 2, 3, 4].map(() => new Linear(3, 3, { bias: false }));
    const x = randn([2, 3]) as Tensor;
    const y = chain(w[0], new ReLU(), w[1], new ReLU(), w[2], new Tanh(), w[3], new Sigmoid(), w[4]).forward(x);
    const [w1, w2, w3, w4, w5] = w.map((layer) => (layer.weight as Tensor).T as Tensor);
    const inner = x.matmul(w1).maximum(0).matmul(w2).maximum(0).matmul(w3) as Tensor;
    await expectSame(y, inner.tanh().matmul(w4).sigmoid().matmul(w5));
  });

  test('activations: sigmoid, tanh, ReLU, leaky ReLU max(0.1x, x), parametric ReLU, ELU at −2 and 3', async () => {
    const x = given([-2, 3]);
    await expectPrinted(new Sigmoid().forward(x), [0.1192, 0.9526], 4);
    await expectPrinted(new Tanh().forward(x), [-0.964, 0.9951], 4);
    await expectExact(new ReLU().forward(x), [0, 3]);
    await expectExact(new LeakyReLU(0.1).forward(x), [-0.2, 3]);
    await expectExact(set(new PReLU(), { weight: [0.3] }).forward(x), [-0.6, 3]);
    await expectPrinted(new ELU(1).forward(x), [-0.8647, 3], 4);
  });

  test('maxout is the larger of w₁ᵀx + b₁ and w₂ᵀx + b₂', async () => {
    manualSeed(3);
    const unit = new Maxout(2, 1, 2);
    const x = randn([4, 2]) as Tensor;
    const state = unit.stateDict();
    const [w, b] = Object.values(state) as unknown as Tensor[];
    const lines = x.matmul(w.reshape([2, 2]).T as Tensor).add(b) as Tensor;
    await expectSame(chain(unit).forward(x), lines.amax(1, { keepdim: true } as never));
  });

  test('forward pass: (x + y)·z at x = 1, y = −3, z = 4 goes over −2 to −8', async () => {
    const [x, y, z] = [given(1), given(-3), given(4)];
    const { nodes } = await graphOf(x.add(y).mul(z), { values: true });
    expect(nodes.map((n) => [n.op, n.value?.[0]])).toEqual([
      ['leaf', 1],
      ['leaf', -3],
      ['add', -2],
      ['leaf', 4],
      ['mul', -8],
    ]);
  });

  test('L1 and MSE loss are means over the samples of the norm of their difference', async () => {
    const [y, target] = [
      given([
        [1, 2],
        [3, 4],
      ]),
      given([
        [0, 4],
        [3, 1],
      ]),
    ];
    const sum = { reduction: 'sum' } as const;
    await expectExact((l1Loss(y, target, sum) as Tensor).div(2), (1 + 2 + 0 + 3) / 2);
    await expectExact((mseLoss(y, target, sum) as Tensor).div(2), (1 + 4 + 0 + 9) / 2);
    // nabla's (and PyTorch's) own mean is over all elements
    await expectExact(mseLoss(y, target), (1 + 4 + 0 + 9) / 4);
  });

  test('binary cross entropy: a network that says yes with 0.8 pays 0.223 if it is, 1.609 if it is not', async () => {
    await expectPrinted(bceLoss(given([0.8]), given([1])), 0.2231, 4);
    await expectPrinted(bceLoss(given([0.8]), given([0])), 1.6094, 4);
  });

  test('cross entropy of two classes is the binary cross entropy', async () => {
    const p = given([[0.2, 0.8]]);
    const yes = given([1]).to('int32');
    await expectSame(nllLoss(p.log(), yes) as Tensor, bceLoss(given([0.8]), given([1])) as Tensor);
    await expectSame(crossEntropy(p.log(), yes) as Tensor, bceLoss(given([0.8]), given([1])) as Tensor);
  });

  test('one layer and MSE: the gradient by W is 2/n·Σ(W·xᵢ − yᵢ)·xᵢᵀ', async () => {
    manualSeed(4);
    const n = 5;
    const [x, y] = [randn([n, 3]) as Tensor, randn([n, 2]) as Tensor];
    const w = randn([2, 3]) as Tensor;
    const slope = grad((v: Tensor) =>
      x
        .matmul(v.T as Tensor)
        .sub(y)
        .square()
        .sum()
        .div(n),
    )(w);
    const error = x.matmul(w.T).sub(y) as Tensor;
    await expectSame(slope, error.T.matmul(x).mul(2 / n) as Tensor);
  });

  test('gradients reach the first of five layers', async () => {
    manualSeed(5);
    const first = new Linear(3, 3);
    const rest = [new ReLU(), new Linear(3, 3), new Tanh(), new Linear(3, 3), new Sigmoid(), new Linear(3, 1)];
    const x = variable([[0.5, -1, 2]]);
    chain(first, ...rest)
      .forward(x)
      .sum()
      .backward();
    expect(first.weight.grad?.shape).toEqual([3, 3]);
    expect(x.grad?.shape).toEqual(ones([1, 3]).shape);
  });
});

// Once: 16 million weights.
test('an image of 128×128 has 16384 pixels; one layer to 10 scores has 163,840 weights, with 1000 between 16,394,000', () => {
  const image = zeros([1, 1, 128, 128]);
  expect(new Flatten().forward(image).shape).toEqual([1, 16384]);
  const one = new Sequential(new Flatten(), new Linear(16384, 10, { bias: false }));
  expect(one.summary(image as never).parameters).toBe(163_840);
  const hidden = new Linear(16384, 1000, { bias: false });
  const two = chain(new Flatten(), hidden, new ReLU(), new Linear(1000, 10, { bias: false }));
  expect(two.parameters().reduce((sum, p) => sum + p.size, 0)).toBe(16_394_000);
});
