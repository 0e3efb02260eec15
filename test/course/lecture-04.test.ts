// Lecture 4, backpropagation and regularisation: (x + y)·z, the sigmoid neuron, the two-layer network with 8/3 and 4/9.
import { expect, test } from 'vitest';
import { type Tensor, grad, graphOf, manualSeed, randn, valueAndGrad, zeros } from 'nabla';
import { Linear, ReLU, Sequential, bceLoss, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given, numbers, set, variable } from '../support/course.js';

const round = (value: number | undefined): number => Number((value ?? NaN).toFixed(2));

course('lecture 4', () => {
  test('backward pass: (x + y)·z at (1, −3, 4) has ∂f/∂z = −2, ∂f/∂d = 4 and ∂f/∂x = ∂f/∂y = 4', async () => {
    const { value, grads } = valueAndGrad((x: Tensor, y: Tensor, z: Tensor) => x.add(y).mul(z))(
      ...([given(1), given(-3), given(4)] as [Tensor, Tensor, Tensor]),
    );
    await expectExact(value, -8);
    await Promise.all([4, 4, -2].map((slope, i) => expectExact(grads[i], slope)));
    const { nodes } = await graphOf(given(1).add(given(-3)).mul(given(4)), { values: true, gradients: true });
    const at = (op: string) => nodes.filter((n) => n.op === op).map((n) => [n.value?.[0], n.gradient?.[0]]);
    expect(at('add')).toEqual([[-2, 4]]);
    expect(at('mul')).toEqual([[-8, 1]]);
    expect(at('leaf')).toEqual([
      [1, 4],
      [-3, 4],
      [4, -2],
    ]);
  });

  // The inputs stand in a figure that the text lacks; w = (2, −3), x = (−1, −2), b = −3 give the sum 1 that the printed numbers need.
  test('the sigmoid neuron, node by node: 0.37, 1.37, 0.73 forward and −0.53, −0.53, −0.2, 0.2 backward', async () => {
    const [w0, x0, w1, x1, b] = [2, -1, -3, -2, -3].map((v) => variable(v));
    const sum = w0.mul(x0).add(w1.mul(x1)).add(b) as Tensor;
    const f = sum.neg().exp().add(1).reciprocal();
    const { nodes } = await graphOf(f, { values: true, gradients: true });
    const last = nodes.filter((n) => n.op !== 'leaf' && n.op !== 'const' && n.op !== 'scalar').slice(-5);
    expect(last.map((n) => round(n.value?.[0]))).toEqual([1, -1, 0.37, 1.37, 0.73]);
    expect(last.map((n) => round(n.gradient?.[0]))).toEqual([0.2, -0.2, -0.53, -0.53, 1]);
    f.backward();
    await expectPrinted(w0.grad, -0.2, 2);
    await expectPrinted(x0.grad, 0.39, 2);
    await expectPrinted(w1.grad, -0.39, 2);
    await expectPrinted(x1.grad, -0.59, 2);
    await expectPrinted(b.grad, 0.2, 2);
  });

  test('the four kinds of node: 1/x has the slope −1/x², α + x has 1, eˣ has eˣ, αx has α', async () => {
    const slope = (f: (v: Tensor) => Tensor, at: number): Tensor => grad((v: Tensor) => f(v).sum())(given([at]));
    await expectPrinted(
      slope((v) => v.reciprocal(), 1.37),
      [-0.53],
      2,
    );
    await expectExact(
      slope((v) => v.add(1) as Tensor, 0.37),
      [1],
    );
    await expectPrinted(
      slope((v) => v.exp(), -1),
      [0.37],
      2,
    );
    await expectExact(
      slope((v) => v.mul(-1) as Tensor, 1),
      [-1],
    );
  });

  test('a network of 3 inputs, 4 hidden and 2 output neurons has 4·3 + 4 and 2·4 + 2 unknowns', () => {
    const rows = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2)).summary(zeros([1, 3])).rows;
    expect(rows.map((row) => row.parameters).filter((n) => n > 0)).toEqual([16, 10]);
  });

  test('through ReLU ∂L/∂w₁ᵢⱼ = 2(ŷᵢ − yᵢ)·hⱼ where the output is above 0, else 0', async () => {
    const layer = set(new Linear(2, 2), {
      weight: [
        [1, 2],
        [-1, 0.5],
      ],
      bias: [0, 0],
    });
    const h = given([[0.5, 0.25]]) as unknown as Tensor<[1, 2]>;
    const y = given([[0.2, 0.3]]) as unknown as Tensor<[1, 2]>;
    layer.forward(h).relu().sub(y).square().sum().backward();
    await expectExact(layer.weight.grad, [
      [2 * 0.8 * 0.5, 2 * 0.8 * 0.25],
      [0, 0],
    ]);
  });

  test('binary cross entropy behind sigmoids: ∂L/∂s = ŷ − y, ∂L/∂w = (ŷ − y)·h, and on through the first layer', async () => {
    manualSeed(1);
    const x = randn([1, 3]) as Tensor;
    const [w1, w2] = [randn([3, 4], { requiresGrad: true }), randn([4, 2], { requiresGrad: true })] as [Tensor, Tensor];
    const y = given([[1, 0]]);
    const h = x.matmul(w1).sigmoid();
    const yHat = h.matmul(w2).sigmoid();
    (bceLoss(yHat, y, { reduction: 'sum' }) as Tensor).backward();
    const [hidden, error] = [h.detach(), yHat.detach().sub(y) as Tensor];
    await expectSame(w2.grad, hidden.T.matmul(error));
    const back = error.matmul(w2.detach().T).mul(hidden).mul(hidden.neg().add(1)) as Tensor;
    await expectSame(w1.grad, x.T.matmul(back));
    const slope = grad((s: Tensor) => bceLoss(s.sigmoid(), y, { reduction: 'sum' }) as Tensor)(
      hidden.matmul(w2.detach()) as Tensor,
    );
    await expectSame(slope, error);
  });

  /** ŷ = w₂·max(0, w₁·x) with x = 1, w₁ = 1/3, w₂ = 2, and the target 0. */
  const twoLayers = () => {
    const first = set(new Linear(1, 1, { bias: false }), { weight: [[1 / 3]] });
    const second = set(new Linear(1, 1, { bias: false }), { weight: [[2]] });
    const model = new Sequential(first, new ReLU(), second);
    const output = () => model.forward(given([[1]]) as unknown as Tensor<[1, 1]>);
    return { first, second, model, output, loss: () => mseLoss(output() as Tensor, given([[0]])) };
  };

  test('two layers, forward: ŷ = 2/3 and L = 4/9', async () => {
    const { output, loss } = twoLayers();
    await expectExact(output(), [[2 / 3]]);
    await expectExact(loss(), 4 / 9);
  });

  test('two layers, backward: ∂L/∂w₁ = 2·2/3·2·1·1 = 8/3 and ∂L/∂w₂ = 2·2/3·1/3 = 4/9', async () => {
    const { first, second, loss } = twoLayers();
    loss().backward();
    await expectExact(first.weight.grad, [[8 / 3]]);
    await expectExact(second.weight.grad, [[4 / 9]]);
  });

  test('two layers, update: w′ = (1/3, 2) − α·(8/3, 4/9)', async () => {
    const { first, second, model, loss } = twoLayers();
    loss().backward();
    await new SGD(model.parameters(), { lr: 0.1 }).step();
    await expectExact(first.weight, [[1 / 3 - 0.8 / 3]]);
    await expectExact(second.weight, [[2 - 0.4 / 9]]);
  });

  const x = (): Tensor => given([1, 2, 1]);
  const thetas = (): Tensor[] => [given([0, 0.75, 0]), given([0.25, 0.5, 0.25])];

  test('regularisation: both classifiers give 1.5 on [1, 2, 1]', async () => {
    for (const theta of thetas()) await expectExact(x().matmul(theta), 1.5);
  });

  test('regularisation: L2 prefers the second, 0.375 to 0.5625', async () => {
    const [first, second] = thetas().map((theta) => theta.square().sum());
    await expectExact(first, 0.5625);
    await expectExact(second, 0.375);
  });

  test('regularisation: L1 prefers the first, 0.75 to 1', async () => {
    const [first, second] = thetas().map((theta) => theta.abs().sum());
    await expectExact(first, 0.75);
    await expectExact(second, 1);
  });

  test('regularisation: λ(w₁² + w₂²) adds 2λw to the gradients, as a weight decay of 2λ does', async () => {
    const lambda = 0.05;
    const { first, second, loss } = twoLayers();
    const penalty = first.weight.square().sum().add(second.weight.square().sum()).mul(lambda) as Tensor;
    (loss() as Tensor).add(penalty).backward();
    await expectExact(first.weight.grad, [[8 / 3 + (2 * lambda) / 3]]);
    await expectExact(second.weight.grad, [[4 / 9 + 2 * lambda * 2]]);
    const other = twoLayers();
    other.loss().backward();
    await new SGD(other.model.parameters(), { lr: 0.1, weightDecay: 2 * lambda }).step();
    const step = (await numbers(first.weight.grad as Tensor))[0];
    await expectPrinted(other.first.weight, [[1 / 3 - 0.1 * step]], 6);
  });
});
