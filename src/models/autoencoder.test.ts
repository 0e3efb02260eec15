// Autoencoders: the loss by its formula, the difference between training and evaluation, and that they learn digits.
import { expect, test } from 'vitest';
import { digits } from '../data/index.js';
import { manualSeed, noGrad, rand, tensor, zeros } from '../index.js';
import { bceWithLogits, mseLoss } from '../nn/index.js';
import { Adam } from '../optim/index.js';
import { Autoencoder, VAE, vaeLoss } from './index.js';

const { x } = digits().batch(Array.from({ length: 512 }, (_, i) => i));

test('the loss is the negative ELBO', async () => {
  const mean = tensor([
    [1, -2],
    [0, 0.5],
  ]);
  const logVariance = tensor([
    [0, Math.log(4)],
    [Math.log(0.25), 0],
  ]);
  const seen = tensor([
    [0, 1, 0.5],
    [1, 1, 0],
  ]);
  const output = { logits: zeros([2, 3]), mean, logVariance };
  // ½ Σ (σ² + μ² − 1 − ln σ²), by hand: (1 + 4 + 4 − 1 − ln 4) / 2 and (0.25 − 1 + ln 4 + 0.25) / 2
  const divergence = (8 - Math.log(4) + Math.log(4) - 0.5) / 4;
  expect(await vaeLoss(output, seen).item()).toBeCloseTo(3 * Math.log(2) + divergence, 5);
  expect(await vaeLoss(output, seen, { beta: 4 }).item()).toBeCloseTo(3 * Math.log(2) + 4 * divergence, 5);
});

test('an autoencoder with two numbers makes digits again, better than their mean', async () => {
  manualSeed(0);
  const model = new Autoencoder({ inFeatures: 64, hidden: [64, 32] });
  const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
  for (let step = 0; step < 150; step++) {
    optimizer.zeroGrad();
    bceWithLogits(model.forward(x), x).backward();
    await optimizer.step();
  }
  expect(model.encode(x).shape).toEqual([512, 2]);
  const error = await noGrad(() => mseLoss(model.forward(x).sigmoid(), x)).item();
  const variance = await x
    .sub(x.mean(0, { keepdim: true }))
    .square()
    .mean()
    .item();
  expect(error).toBeLessThan(0.75 * variance);
}, 60_000);

test('a VAE learns digits; it draws in training and not in evaluation', async () => {
  manualSeed(0);
  const model = new VAE({ inFeatures: 64, latent: 4, hidden: [64] });
  const start = await vaeLoss(model.forward(x), x).item();
  const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
  for (let step = 0; step < 150; step++) {
    optimizer.zeroGrad();
    vaeLoss(model.forward(x), x).backward();
    await optimizer.step();
  }
  expect(start).toBeGreaterThan(43);
  expect(await vaeLoss(model.forward(x), x).item()).toBeLessThan(29);
  const twice = async () => {
    const [a, b] = noGrad(() => [model.forward(x).logits, model.forward(x).logits]);
    return a.sub(b).abs().amax().item();
  };
  expect(await twice()).toBeGreaterThan(0.01);
  model.eval();
  expect(await twice()).toBe(0);
  expect(model.sample(3).shape).toEqual([3, 64]);
}, 60_000);

test('what is wrong is said', () => {
  const model = new VAE({ inFeatures: 64 });
  expect(() => model.forward(rand([2, 1, 7, 8]))).toThrow(
    'VAE: input [2, 1, 7, 8]: needs [N, …] with 64 numbers a sample',
  );
  expect(() => model.decode(rand([2, 3]))).toThrow('VAE.decode: latent numbers [2, 3]: need [N, 2]');
  expect(() => new Autoencoder({ inFeatures: 64, latent: 0 })).toThrow('Autoencoder: latent is 0');
  expect(() => new VAE({ inFeatures: 64, hidden: [0] })).toThrow('VAE: a width of hidden is 0');
  expect(() => vaeLoss(model.forward(x), rand([512, 64]))).toThrow('vaeLoss: logits [512, 1, 8, 8] for [512, 64]');
  expect(() => vaeLoss(model.forward(x), x, { beta: -1 })).toThrow('vaeLoss: beta is -1. Use a number of at least 0.');
  expect(() => model.sample(0)).toThrow('VAE.sample: count is 0');
});
