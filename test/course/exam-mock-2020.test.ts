// The mock exam of summer 2020 with its solutions.
import { expect, test } from 'vitest';
import { type Tensor, checkGradient, customOp, manualSeed, randn, zeros } from 'nabla';
import { BatchNorm2d, Conv2d, Linear, ReLU, Sequential, mseLoss } from 'nabla/nn';
import { Precision, Recall } from 'nabla/metrics';
import { SGD } from 'nabla/optim';
import { course, expectExact, expectSame, given, set } from '../support/course.js';

course('mock exam of 2020', () => {
  test('I.3: batch norm has two parameters a feature, and they can undo the normalisation', async () => {
    manualSeed(1);
    const x = randn([6, 2, 3, 3]).mul(3).add(5) as Tensor;
    const norm = new BatchNorm2d(2, { eps: 0 });
    expect(norm.parameters().map((p) => p.shape)).toEqual([[2], [2]]);
    norm.weight!.assign_(x.var([0, 2, 3], { correction: 0 } as never).sqrt() as never);
    norm.bias!.assign_(x.mean([0, 2, 3]) as never);
    const gap = (norm.forward(x as never) as Tensor).sub(x).abs().max();
    expect(Number(await gap.item())).toBeLessThan(1e-5);
  });

  test('II.2: recall counts true positives among the positive samples, precision among the predicted ones', async () => {
    const predicted = given([1, 1, 1, 0, 0, 0, 0, 0]).to('int32');
    const truth = given([1, 1, 0, 1, 1, 0, 0, 0]).to('int32');
    const [recall, precision] = [
      new Recall({ numClasses: 2, average: 'binary' }),
      new Precision({ numClasses: 2, average: 'binary' }),
    ];
    for (const metric of [recall, precision]) metric.update(predicted, truth);
    expect(await recall.compute()).toBeCloseTo(2 / 4, 6);
    expect(await precision.compute()).toBeCloseTo(2 / 3, 6);
  });

  test('II.6: a layer with a forward pass that caches and a backward pass that returns every derivative', async () => {
    const affine = customOp({
      name: 'affine',
      forward(ctx, x, w, b) {
        Object.assign(ctx.saved, { x, w });
        return x.matmul(w).add(b) as Tensor;
      },
      backward({ saved }, dout) {
        const { x, w } = saved as { x: Tensor; w: Tensor };
        return [dout.matmul(w.T), x.T.matmul(dout), dout.sum(0)] as Tensor[];
      },
    });
    manualSeed(2);
    const inputs = [randn([4, 3]), randn([3, 2]), randn([2])] as unknown as Tensor[];
    const [x, w, b] = inputs;
    await expectSame(affine(x, w, b), x.matmul(w).add(b));
    const check = await checkGradient((x, w, b) => affine(x, w, b).square(), inputs);
    expect(check).toMatchObject({ ok: true });
  });

  test('II.7: 8 filters of 6×6, stride 2, padding 1 on 32×32×32 give 15×15×8', () => {
    expect(new Conv2d(32, 8, 6, { stride: 2, padding: 1 }).forward(zeros([1, 32, 32, 32])).shape).toEqual([
      1, 8, 15, 15,
    ]);
  });

  const network = () => {
    const hidden = set(new Linear(2, 2), {
      weight: [
        [1, 0.5],
        [-0.5, -1],
      ],
      bias: [0.5, -0.5],
    });
    const output = set(new Linear(2, 2), {
      weight: [
        [0.5, -0.5],
        [-1, 1],
      ],
      bias: [-1, 0.5],
    });
    return { hidden, model: new Sequential(hidden, new ReLU(), output) };
  };
  const input = (): Tensor<[1, 2]> => given([[2, -1]]) as unknown as Tensor<[1, 2]>;
  const target = (): Tensor => given([[1, 0.5]]);

  test('III.1a: h = (2, −0.5), after ReLU (2, 0), and the outputs are (0, −1.5)', async () => {
    const { hidden, model } = network();
    const h = hidden.forward(input());
    await expectExact(h, [[2, -0.5]]);
    await expectExact(h.relu(), [[2, 0]]);
    await expectExact(model.forward(input()), [[0, -1.5]]);
  });

  test('III.1b: the mean squared error to (1, 0.5) is 2.5', async () => {
    await expectExact(mseLoss(network().model.forward(input()) as Tensor, target()), 2.5);
  });

  test('III.1c: ∂MSE/∂w₂₁ = −1.5, and gradient descent with 0.1 brings w₂₁ from 0.5 to 0.65', async () => {
    const { hidden, model } = network();
    mseLoss(model.forward(input()) as Tensor, target()).backward();
    await expectExact((hidden.weight.grad as Tensor).slice(0, 0, 1).slice(1, 1, 2), [[-1.5]]);
    await new SGD(model.parameters(), { lr: 0.1 }).step();
    await expectExact((hidden.weight as Tensor).slice(0, 0, 1).slice(1, 1, 2), [[0.65]]);
  });
});
