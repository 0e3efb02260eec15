// Lecture 6, training neural networks: learning-rate decay as printed, splits, the checks before training.
import { expect, test, vi } from 'vitest';
import { type Tensor, manualSeed, randn, zeros } from 'nabla';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { digits } from 'nabla/data';
import {
  Adam,
  LRScheduler,
  SGD,
  exponentialDecay,
  inverseSqrtDecay,
  inverseTimeDecay,
  stepDecay,
  table,
} from 'nabla/optim';
import { course, expectExact, expectPrinted, given, variable } from '../support/course.js';

const near = (actual: readonly number[], expected: readonly number[], digitsShown: number): void =>
  expect(actual.map((v) => Number(v.toFixed(digitsShown)))).toEqual(expected);

course('lecture 6', () => {
  test('momentum as recalled: v ← βv + ∇L, θ ← θ − αv', async () => {
    const w = variable([1]);
    const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
    const path: number[] = [];
    for (const slope of [1, 2, -1]) {
      optimizer.zeroGrad();
      w.mul(slope).sum().backward();
      await optimizer.step();
      path.push(Number(await w.sum().item()));
    }
    // v = 1, 2.9, 1.61
    await expectPrinted(given(path), [0.9, 0.61, 0.449], 5);
  });

  test('decay 1/(1 + rate·epoch) with α₀ = 0.1 and rate 1: 0.1, 0.05, 0.033, 0.025', () => {
    near(
      [0, 1, 2, 3].map((epoch) => inverseTimeDecay(epoch, 0.1, 1)),
      [0.1, 0.05, 0.033, 0.025],
      3,
    );
  });

  test('the same values in an optimiser', async () => {
    const w = variable([1]);
    const optimizer = new SGD([w], { lr: 0.1 });
    const scheduler = new LRScheduler(optimizer, (epoch) => inverseTimeDecay(epoch, 0.1, 1));
    const rates: number[] = [];
    for (let epoch = 0; epoch < 4; epoch++) {
      rates.push(optimizer.groups[0].lr);
      scheduler.step();
    }
    near(rates, [0.1, 0.05, 0.033, 0.025], 3);
  });

  test('step decay α − t·α with t = 0.5 halves the rate every n epochs', () => {
    near(
      [0, 9, 10, 19, 20, 30].map((epoch) => stepDecay(epoch, 0.8, 10, 1 - 0.5)),
      [0.8, 0.8, 0.4, 0.4, 0.2, 0.1],
      6,
    );
  });

  test('exponential decay tᵉᵖᵒᶜʰ·α₀', () => {
    near(
      [0, 1, 2, 3].map((epoch) => exponentialDecay(epoch, 0.1, 0.9)),
      [0.1, 0.09, 0.081, 0.0729],
      6,
    );
  });

  test('decay t/√epoch·α₀', () => {
    near(
      [1, 4, 9, 16].map((epoch) => inverseSqrtDecay(epoch, 0.1, 0.5)),
      [0.05, 0.025, 0.016667, 0.0125],
      6,
    );
  });

  test('a schedule by hand', () => {
    const rows = [
      [0, 0.1],
      [30, 0.01],
      [60, 0.001],
    ] as const;
    expect([0, 29, 30, 59, 60, 90].map((epoch) => table(epoch, rows))).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
  });

  test('typical splits: 60/20/20 and 80/10/10 percent of 1797 digits, each once', () => {
    for (const [train, val, test_] of [
      [0.6, 0.2, 0.2],
      [0.8, 0.1, 0.1],
    ]) {
      const parts = digits().split({ train, val, test: test_ });
      const lengths = [parts.train.length, parts.val.length, parts.test.length];
      expect(lengths.reduce((a, b) => a + b)).toBe(1797);
      lengths.forEach((n, i) => expect(Math.abs(n - 1797 * [train, val, test_][i])).toBeLessThanOrEqual(1));
    }
  });

  test('initial loss: log(C) for softmax with C classes', async () => {
    for (const classes of [2, 10, 1000]) {
      const labels = given([0, 1]).to('int32');
      await expectPrinted(crossEntropy(zeros([2, classes]), labels), Math.log(classes), 5);
    }
    manualSeed(1);
    const model = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
    const labels = given(Array.from({ length: 100 }, (_, i) => i % 10)).to('int32');
    const loss = crossEntropy(model.forward(randn([100, 64])), labels);
    expect(Math.abs(Number(await loss.item()) - Math.log(10))).toBeLessThan(0.2);
  });

  test('how to start: one sample, then four, are learnt by heart to an accuracy of 100 %', async () => {
    for (const n of [1, 4]) {
      manualSeed(n);
      const model = new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 3));
      const optimizer = new Adam(model.parameters(), { lr: 0.1 });
      const x = randn([n, 8]).detach() as Tensor<[number, 8]>;
      const y = given(Array.from({ length: n }, (_, i) => i % 3)).to('int32');
      for (let i = 0; i < 25; i++) {
        optimizer.zeroGrad();
        crossEntropy(model.forward(x) as Tensor, y).backward();
        await optimizer.step();
      }
      const hits = model
        .forward(x)
        .argmax(1)
        .eq(y as never);
      await expectExact(hits.to('float32').mean() as Tensor, 1);
    }
  });

  test('a common mistake: without zeroGrad the second backward pass adds to the first', async () => {
    const w = variable([2]);
    const pass = (): void => w.square().sum().backward();
    pass();
    await expectExact(w.grad, [4]);
    pass();
    await expectExact(w.grad, [8]);
    new SGD([w], { lr: 0.1 }).zeroGrad();
    pass();
    await expectExact(w.grad, [4]);
  });

  test('a common mistake: softmax before the cross entropy keeps the loss of a perfect network of ten classes at 1.46', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined); // nabla names the mistake
    const logits = given([[100, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
    const label = given([0]).to('int32');
    await expectPrinted(crossEntropy(logits, label), 0, 6);
    const twice = Math.log(Math.E + 9) - 1;
    await expectPrinted(crossEntropy(logits.softmax(-1), label), twice, 5);
    expect(twice).toBeCloseTo(1.46, 2);
  });
});
