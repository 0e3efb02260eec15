// Lecture 12, attention and Transformers: soft indexing, scaling, masks, positional encoding, the schedule, complexity.
import { expect, test } from 'vitest';
import { type Tensor, grad, manualSeed, randn, scaledDotProductAttention, zeros } from 'nabla';
import { Conv1d, Module, MultiheadAttention, RNN, crossEntropy, sinusoidalEncoding } from 'nabla/nn';
import { inverseSqrtWarmup } from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given } from '../support/course.js';

course('lecture 12', () => {
  test('attention is softmax(QKᵀ/√d_k)·V', async () => {
    manualSeed(1);
    const [q, k, v] = [randn([2, 4]) as Tensor, randn([5, 4]) as Tensor, randn([5, 3]) as Tensor];
    const weights = q.matmul(k.T).div(2).softmax(-1) as Tensor;
    await expectSame(scaledDotProductAttention(q as never, k as never, v as never) as Tensor, weights.matmul(v));
    await expectExact(weights.sum(-1), [1, 1]);
  });

  test('soft indexing: a query like one of five keys brings back the value of that key', async () => {
    const keys = given([
      [20, 0],
      [0, 20],
      [-20, 0],
      [0, -20],
      [14, 14],
    ]);
    const values = given([[1], [2], [3], [4], [5]]);
    const query = given([
      [0, -20],
      [9, 9],
    ]);
    await expectPrinted(scaledDotProductAttention(query as never, keys as never, values as never), [[4], [5]], 3);
    // a query like none of them gets the mean
    await expectExact(scaledDotProductAttention(given([[0, 0]]) as never, keys as never, values as never), [[3]]);
  });

  test('√d_k: products of unit Gaussians of d dimensions have variance d, and scaled ones 1', async () => {
    manualSeed(2);
    for (const d of [16, 256]) {
      const products = (randn([60, d]) as Tensor).matmul((randn([60, d]) as Tensor).T) as Tensor;
      const variance = Number(await products.var().item());
      expect(Math.abs(variance / d - 1)).toBeLessThan(0.1);
    }
  });

  test('√d_k: without it the softmax of large products has hardly any slope', async () => {
    const slope = (scale: number) =>
      grad((s: Tensor) => s.mul(scale).softmax(-1).slice(0, 0, 1).sum())(given([16, 0, -16]));
    const [scaled, plain] = [
      await slope(1 / 16)
        .abs()
        .max()
        .item(),
      await slope(1).abs().max().item(),
    ];
    expect(Number(scaled)).toBeGreaterThan(0.01);
    expect(Number(plain)).toBeLessThan(1e-6);
  });

  test('masked attention: position i depends on positions up to i alone', async () => {
    manualSeed(3);
    const [length, width] = [4, 3];
    const x = randn([length, width]) as Tensor;
    const attend = (v: Tensor): Tensor =>
      scaledDotProductAttention(v as never, v as never, v as never, { isCausal: true }) as Tensor;
    for (let i = 0; i < length; i++) {
      const slope = grad((v: Tensor) =>
        attend(v)
          .slice(0, i, i + 1)
          .sum(),
      )(x);
      if (i + 1 < length)
        await expectExact(
          slope
            .slice(0, i + 1, length)
            .abs()
            .sum(),
          0,
        );
      expect(
        Number(
          await slope
            .slice(0, 0, i + 1)
            .abs()
            .sum()
            .item(),
        ),
      ).toBeGreaterThan(0);
    }
  });

  test('multi-head attention: eight heads of 8 for a width of 64 have as many weights as one head of 64', () => {
    const count = (heads: number): number =>
      new MultiheadAttention(64, heads).parameters().reduce((sum, p) => sum + p.size, 0);
    expect(count(8)).toBe(4 * 64 * 64 + 4 * 64);
    expect(count(1)).toBe(count(8));
  });

  test('positional encoding: sin(pos/10000^(2i/d)) and cos of the same', async () => {
    const pe = sinusoidalEncoding(50, 6);
    const row = (pos: number): number[] =>
      [0, 1, 2].flatMap((i) => [Math.sin(pos / 10000 ** ((2 * i) / 6)), Math.cos(pos / 10000 ** ((2 * i) / 6))]);
    await expectExact((pe as Tensor).slice(0, 0, 1), [[0, 1, 0, 1, 0, 1]]);
    await expectExact((pe as Tensor).slice(0, 17, 18), [row(17)]);
    await expectExact((pe as Tensor).slice(0, 49, 50), [row(49)]);
  });

  test('self-attention is a weighted mean: without positions it does not see the order of what it reads', async () => {
    manualSeed(4);
    const [q, kv] = [randn([1, 4]) as Tensor, randn([5, 4]) as Tensor];
    const read = (x: Tensor): Tensor => scaledDotProductAttention(q as never, x as never, x as never) as Tensor;
    await expectSame(read(kv), read(kv.flip(0) as Tensor));
    const placed = (x: Tensor): Tensor => x.add(sinusoidalEncoding(5, 4) as unknown as Tensor) as Tensor;
    const gap = read(placed(kv))
      .sub(read(placed(kv.flip(0) as Tensor)))
      .abs()
      .max();
    expect(Number(await gap.item())).toBeGreaterThan(1e-3);
  });

  class SelfAttention extends Module {
    forward(x: Tensor): Tensor {
      return scaledDotProductAttention(x as never, x as never, x as never) as Tensor;
    }
  }
  const attention = (n: number, d: number): number => new SelfAttention().summary(zeros([n, d])).multiplyAdds;
  const recurrent = (n: number, d: number): number => new RNN(d, d).summary(zeros([n, 1, d]) as never).multiplyAdds;
  const convolution = (n: number, d: number): number =>
    new Conv1d(d, d, 3, { padding: 1 }).summary(zeros([1, d, n]) as never).multiplyAdds;

  test('complexity per layer: n²·d for self-attention, n·d² for recurrence, k·n·d² for convolution', () => {
    const [n, d, k] = [8, 16, 3];
    expect(attention(n, d)).toBe(2 * n * n * d); // scores and values
    expect(recurrent(n, d)).toBe(2 * n * d * d); // input and state
    expect(convolution(n, d)).toBe(k * n * d * d);
    expect(attention(2 * n, d)).toBe(4 * attention(n, d));
    expect(recurrent(2 * n, d)).toBe(2 * recurrent(n, d));
  });

  test('complexity: a sentence shorter than the width of 512 is cheaper by attention', () => {
    expect(attention(70, 512)).toBeLessThan(recurrent(70, 512));
  });

  test('the schedule d^−½·min(step^−½, step·warmup^−1.5) rises to step 4000, then falls with the root', () => {
    const rate = (step: number): number => inverseSqrtWarmup(step - 1, 512, 4000);
    expect(rate(4000)).toBeCloseTo(512 ** -0.5 * 4000 ** -0.5, 12);
    expect(rate(4000)).toBeCloseTo(6.99e-4, 6);
    expect(rate(1000)).toBeCloseTo(rate(4000) / 4, 12);
    expect(rate(16000)).toBeCloseTo(rate(4000) / 2, 12);
  });

  test('label smoothing: the target of 1 becomes 1 − ε + ε/C, so that certainty has a price', async () => {
    const label = given([0]).to('int32');
    const sure = given([[30, 0, 0, 0, 0]]);
    await expectPrinted(crossEntropy(sure, label, { labelSmoothing: 0.1 }), 0.1 * (4 / 5) * 30, 4);
    const target = [0.92, 0.02, 0.02, 0.02, 0.02];
    const best = given([target.map((p) => Math.log(p))]);
    const slope = grad((z: Tensor) => crossEntropy(z, label, { labelSmoothing: 0.1 }) as Tensor)(best);
    expect(Number(await slope.abs().max().item())).toBeLessThan(1e-6);
  });
});
