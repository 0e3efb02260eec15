// Lecture 7: outputs and losses, with the tables of hinge loss and cross entropy; activations; initialisation.
import { expect, test } from 'vitest';
import { type Tensor, getDefaultDevice, grad, manualSeed, randn, setDevice } from 'nabla';
import {
  LeakyReLU,
  Linear,
  Maxout,
  PReLU,
  Sequential,
  Tanh,
  crossEntropy,
  hingeLoss,
  init,
  l1Loss,
  mseLoss,
} from 'nabla/nn';
import { chain, course, expectExact, expectPrinted, expectSame, given, numbers, set } from '../support/course.js';

const valueOf = async (x: unknown): Promise<number> => Number(await (x as Tensor).item());

course('lecture 7', () => {
  // The two tables of numbers are a figure; the differences are those of the printed sum.
  test('regression losses: differences of 3, 4, 2, 2 and zeros sum to an L2 loss of 33 and an L1 loss of 11', async () => {
    const [y, prediction] = [given([3, -4, 2, 2, 0, 0]), given([0, 0, 0, 4, 0, 0])];
    await expectExact(mseLoss(prediction, y, { reduction: 'sum' }), 33);
    await expectExact(l1Loss(prediction, y, { reduction: 'sum' }), 11);
  });

  test('the optimum of the L2 loss is the mean, that of the L1 loss the median', async () => {
    const y = given([1, 2, 3, 10, 100]);
    const l2 = (c: Tensor): Tensor => mseLoss(c.expand([5]) as Tensor, y) as Tensor;
    const l1 = (c: Tensor): Tensor => l1Loss(c.expand([5]) as Tensor, y) as Tensor;
    await expectPrinted(grad(l2)(y.mean().reshape([1]) as Tensor), [0], 5);
    await expectExact(grad(l1)(given([3])), [0]);
    const [below, above] = [grad(l1)(given([2.5])), grad(l1)(given([3.5]))];
    expect((await valueOf(below.sum())) < 0 && (await valueOf(above.sum())) > 0).toBe(true);
  });

  test('sigmoid and softmax: probabilities above 0 that sum to 1; two classes make a sigmoid of the difference', async () => {
    const s = given([
      [2, -1],
      [-30, 3],
    ]);
    const p = s.softmax(-1);
    await expectExact(p.sum(-1), [1, 1]);
    expect(Math.min(...(await numbers(p)))).toBeGreaterThan(0);
    const difference = s.matmul(given([[1], [-1]])) as Tensor;
    await expectSame(p.slice(1, 0, 1), difference.sigmoid());
  });

  test('softmax takes scores of 1000, as if the largest had been subtracted', async () => {
    const s = given([1000, 1001, 999]);
    await expectSame(s.softmax(-1), s.sub(1001).softmax(-1));
    await expectPrinted(s.softmax(-1), [0.2447, 0.6652, 0.09], 4);
    await expectPrinted(crossEntropy(given([[1e4, -1e4]]), given([1]).to('int32')), 2e4, 2);
  });

  const scores = (): Tensor =>
    given([
      [3.2, 5.1, -1.7],
      [1.3, 4.9, 2],
      [2.2, 2.5, -3.1],
    ]);
  const labels = () => given([0, 1, 2]).to('int32');

  const none = { reduction: 'none' } as const;

  test('cat, chair, car: cross entropies of 2.04, 0.079 and 6.156', async () => {
    await expectPrinted(crossEntropy(scores(), labels(), none), [2.04, 0.079, 6.156], 3);
  });

  test('cat, chair, car: hinge losses of 2.9, 0 and 12.9', async () => {
    await expectExact(hingeLoss(scores(), labels(), none), [2.9, 0, 12.9]);
  });

  test('cat, chair, car: the mean cross entropy is 2.76, the mean hinge loss 5.3', async () => {
    await expectPrinted(crossEntropy(scores(), labels()), 2.76, 2);
    await expectPrinted(hingeLoss(scores(), labels()) as Tensor, 5.3, 1);
  });

  const models = (): Tensor =>
    given([
      [5, -3, 2],
      [5, 10, 10],
      [5, -20, -20],
    ]);
  const first = () => given([0, 0, 0]).to('int32');

  test('three models: the hinge loss is 0, 12 and 0 and cannot tell the first from the third', async () => {
    await expectExact(hingeLoss(models(), first(), none), [0, 12, 0]);
  });

  test('three models: the cross entropy is 0.05, 5.70 and 2·10⁻¹¹', async () => {
    const losses = crossEntropy(models(), first(), none) as Tensor;
    await expectPrinted(losses, [0.05, 5.7, 0], 2);
    // 2·e⁻²⁵ = 2.8·10⁻¹¹, of which one digit is printed; float32 cannot tell 1 + 2.8·10⁻¹¹ from 1.
    const third = getDefaultDevice() === 'reference' ? 2 * Math.exp(-25) : 0;
    expect((await numbers(losses))[2]).toBeCloseTo(third, 13);
  });

  // One slide prints e³ in the denominator; its result 0.05, and the score −3, belong to e⁻³ (e³ would give 0.17).
  test('model 1 of hinge against cross entropy: −ln(e⁵ / (e⁵ + e⁻³ + e²)) = 0.05', async () => {
    const loss = (s: number[]) => crossEntropy(given([s]), given([0]).to('int32'));
    await expectPrinted(loss([5, -3, 2]), 0.05, 2);
    await expectPrinted(loss([5, 3, 2]), 0.17, 2);
  });

  test('cross entropy always wants to improve, the hinge loss has no slope left', async () => {
    const s = given([[5, -3, 2]]);
    const ce = grad((v: Tensor) => crossEntropy(v, given([0]).to('int32')) as Tensor)(s);
    const hinge = grad((v: Tensor) => hingeLoss(v, given([0]).to('int32')) as unknown as Tensor)(s);
    expect((await numbers(ce))[0]).toBeLessThan(-0.04);
    await expectExact(hinge, [[0, 0, 0]]);
  });

  test('regularisation: xᵀw₁ = xᵀw₂ = 1 with R² of 1 and 0.25, 1.25 together', async () => {
    const x = given([1, 1, 1, 1]);
    const [w1, w2] = [given([1, 0, 0, 0]), given([0.25, 0.25, 0.25, 0.25])];
    await expectExact(x.matmul(w1), 1);
    await expectExact(x.matmul(w2), 1);
    await expectExact(w1.square().sum(), 1);
    await expectExact(w2.square().sum(), 0.25);
    await expectExact(w1.square().sum().add(w2.square().sum()), 1.25);
  });

  test('full loss = data loss + λ·R²: the gradients add', async () => {
    const w = given([
      [1, -1, 2],
      [0.5, 0, 1],
      [2, 1, -1],
    ]);
    const data = (v: Tensor): Tensor => crossEntropy(scores().matmul(v) as Tensor, labels()) as Tensor;
    const full = (v: Tensor): Tensor => data(v).add(v.square().sum().mul(0.1) as Tensor) as Tensor;
    await expectSame(grad(full)(w), grad(data)(w).add(w.mul(0.2) as Tensor) as Tensor);
  });

  test('a sigmoid saturates: its slope is 0.25 at 0 and below 10⁻⁴ at ±10', async () => {
    const slope = grad((s: Tensor) => s.sigmoid().sum())(given([0, 10, -10]));
    await expectPrinted(slope, [0.25, 0, 0], 4);
  });

  test('positive inputs: the gradients of all weights of a neuron have one sign', async () => {
    manualSeed(1);
    for (let i = 0; i < 5; i++) {
      const layer = new Linear(2, 1);
      const x = (randn([1, 2]) as Tensor).abs().add(0.1) as Tensor<[1, 2]>;
      layer.forward(x).sigmoid().sub(0.5).square().sum().backward();
      const [a, b] = await numbers(layer.weight.grad as Tensor);
      expect(Math.sign(a)).toBe(Math.sign(b));
    }
  });

  test('tanh is centred at 0 and saturates; a ReLU that outputs 0 is dead, leaky ReLU max(0.01x, x) is not', async () => {
    await expectPrinted(new Tanh().forward(given([-20, 0, 20])), [-1, 0, 1], 5);
    const x = given([-3]);
    await expectExact(grad((v: Tensor) => v.relu().sum())(x), [0]);
    await expectExact(grad((v: Tensor) => new LeakyReLU().forward(v).sum())(x), [0.01]);
    await expectExact(new LeakyReLU().forward(given([-3, 4])), [-0.03, 4]);
    const prelu = set(new PReLU(), { weight: [0.2] });
    prelu.forward(x).sum().backward();
    await expectExact(prelu.weight.grad, [-3]); // one more parameter to propagate into
  });

  test('a bias of 0.01 lets a ReLU with small weights start alive', async () => {
    const layer = set(new Linear(2, 1), { weight: [[1e-3, -2e-3]], bias: [0.01] });
    layer
      .forward(given([[1, 1]]) as never)
      .relu()
      .sum()
      .backward();
    await expectExact(layer.weight.grad, [[1, 1]]);
  });

  test('maxout with k = 2 holds ReLU, and has twice the parameters of a linear layer', async () => {
    const unit = set(new Maxout(1, 1, 2), { 'linear.weight': [[1], [0]], 'linear.bias': [0, 0] });
    const x = given([[-2], [0.5], [3]]);
    await expectSame(chain(unit).forward(x), x.relu());
    const count = (m: { parameters(): readonly { size: number }[] }): number =>
      m.parameters().reduce((sum, p) => sum + p.size, 0);
    expect(count(new Maxout(7, 3, 2))).toBe(2 * count(new Linear(7, 3)));
    // |x| as two straight lines
    const convex = set(new Maxout(1, 1, 2), { 'linear.weight': [[1], [-1]], 'linear.bias': [0, 0] });
    await expectSame(chain(convex).forward(x), x.abs());
  });

  test('weights of zero: hidden units compute the same, and no gradient reaches the first layer', async () => {
    const zero = set(new Linear(2, 3), {
      weight: [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      bias: [0, 0, 0],
    });
    const out = set(new Linear(3, 1), { weight: [[0, 0, 0]], bias: [0] });
    const model = new Sequential(zero, new Tanh(), out);
    model
      .forward(given([[1, 2]]) as never)
      .sub(1)
      .square()
      .sum()
      .backward();
    await expectExact(zero.weight.grad, [
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    await expectExact(out.bias?.grad, [-2]);
  });

  test('Var(s) = n·Var(w)·Var(x)', async () => {
    manualSeed(2);
    const n = 200;
    const s = (randn([100, n]) as Tensor).mul(2).matmul((randn([n, 100]) as Tensor).mul(0.1)) as Tensor;
    const expected = n * 0.1 ** 2 * 2 ** 2;
    expect(Math.abs((await valueOf(s.var())) / expected - 1)).toBeLessThan(0.1);
  });
});

// Once: 160 million multiply-adds are too much for plain loops.

/** The mean square of the activations behind each of ten layers of 500 neurons, and the share of them beyond ±0.95. */
const tenLayers = async (makeWeight: (shape: [number, number]) => unknown, f: (s: Tensor) => Tensor) => {
  setDevice('cpu');
  manualSeed(3);
  let x = randn([64, 500]) as Tensor;
  const spread: Tensor[] = [];
  for (let i = 0; i < 10; i++) {
    x = f(x.matmul(makeWeight([500, 500]) as Tensor) as Tensor);
    spread.push(x.square().mean() as Tensor);
  }
  const saturated = x.abs().gt(0.95).to('float32').mean();
  return { spread: await Promise.all(spread.map(valueOf)), saturated: await valueOf(saturated) };
};
const normal = (std: number) => (shape: [number, number]) => init.normal(shape, 0, std);

test('ten layers of tanh: weights of 0.01 fade to 0, weights of 1 saturate, variance 1/n keeps the signal', async () => {
  const tanh = (s: Tensor): Tensor => s.tanh();
  const [small, big, xavier] = [
    await tenLayers(normal(0.01), tanh),
    await tenLayers(normal(1), tanh),
    await tenLayers((shape) => init.xavierNormal(shape), tanh),
  ];
  expect(small.spread[9]).toBeLessThan(1e-10);
  expect(small.spread[9] / small.spread[8]).toBeCloseTo(500 * 0.01 ** 2, 2);
  expect(big.saturated).toBeGreaterThan(0.9);
  expect(xavier.spread[9]).toBeGreaterThan(0.03);
  expect(xavier.saturated).toBeLessThan(0.01);
});

test('ten layers of ReLU: variance 1/n halves the signal at each layer, 2/n keeps it', async () => {
  const relu = (s: Tensor): Tensor => s.relu();
  const xavier = await tenLayers((shape) => init.xavierNormal(shape), relu);
  const kaiming = await tenLayers((shape) => init.kaimingNormal(shape), relu);
  expect(xavier.spread[9] * 2 ** 10).toBeGreaterThan(0.5);
  expect(xavier.spread[9] * 2 ** 10).toBeLessThan(2);
  expect(kaiming.spread[9]).toBeGreaterThan(0.5);
  expect(kaiming.spread[9]).toBeLessThan(2);
});
