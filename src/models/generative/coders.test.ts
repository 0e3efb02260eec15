// The convolutional autoencoder, which takes noise away and begins a classifier, and the conditional VAE, which draws what it is asked for.
import { expect, test } from 'vitest';
import { digits } from '../../data/index.js';
import { type Tensor, compile, manualSeed, noGrad, rand, randn, tensor } from '../../index.js';
import { bceWithLogits, mseLoss } from '../../nn/index.js';
import { Adam } from '../../optim/index.js';
import { ConditionalVAE, ConvAutoencoder, vaeLoss } from '../index.js';

const { x, y } = digits().batch(Array.from({ length: 512 }, (_, i) => i));

test('a convolutional autoencoder takes noise away', async () => {
  manualSeed(0);
  const model = new ConvAutoencoder({ shape: [1, 8, 8], latent: 16, width: 8 });
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const noisy = (pictures: Tensor): Tensor => pictures.add(randn(pictures.shape).mul(0.3)).clamp(0, 1);
  const step = compile(async (pictures: Tensor) => {
    optimizer.zeroGrad();
    bceWithLogits(model.forward(noisy(pictures)), pictures).backward();
    await optimizer.step();
  });
  for (let i = 0; i < 120; i++) await step(x.slice(0, 128 * (i % 4), 128 * (i % 4) + 128));
  model.eval();
  const given = noisy(x).keep();
  const [before, after] = [mseLoss(given, x), noGrad(() => mseLoss(model.forward(given).sigmoid() as Tensor, x))];
  expect(await after.item()).toBeLessThan(0.6 * (await before.item()));
  expect(model.encode(x).shape).toEqual([512, 16]);
}, 60_000);

test('a conditional VAE draws the digits that it is asked for', async () => {
  manualSeed(0);
  const model = new ConditionalVAE({ inFeatures: 64, classes: 10, latent: 2, hidden: [64] });
  const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
  const step = compile(async (pictures: Tensor, classes: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    vaeLoss(model.forward(pictures, classes), pictures).backward();
    await optimizer.step();
  });
  for (let i = 0; i < 150; i++) await step(x, y);
  model.eval();
  expect(await noGrad(() => vaeLoss(model.draw(x, y), x)).item()).toBeLessThan(28);
  // what is drawn looks most like the mean of its own class
  const hot = y.oneHot(10).to('float32').transpose(0, 1);
  const means = hot.matmul(x.reshape([512, 64])).div(hot.sum(1, { keepdim: true }));
  const asked = tensor(Int32Array.from({ length: 100 }, (_, i) => i % 10));
  const drawn = noGrad(() => model.sample(asked).sigmoid());
  const distances = drawn.unsqueeze(1).sub(means.unsqueeze(0)).square().sum(2);
  expect(await distances.argmin(1).eq(asked).to('float32').mean().item()).toBeGreaterThan(0.8);
}, 60_000);

test('what is wrong is said', () => {
  const coder = new ConvAutoencoder({ shape: [1, 8, 8], latent: 3 });
  expect(() => coder.encode(rand([2, 1, 8, 4]))).toThrow('ConvAutoencoder: input [2, 1, 8, 4]: needs [N, 1, 8, 8]');
  expect(() => coder.decode(rand([2, 4]))).toThrow('ConvAutoencoder.decode: latent numbers [2, 4]: need [N, 3]');
  expect(() => new ConvAutoencoder({ shape: [1, 8, 7] })).toThrow('height or width is 7, which is no multiple of 4');
  expect(() => new ConvAutoencoder({ shape: [8, 8] as never })).toThrow('ConvAutoencoder: shape is [8, 8].');
  const model = new ConditionalVAE({ inFeatures: 64, classes: 10 });
  expect(() => model.forward(x, y.slice(0, 0, 3))).toThrow(
    'ConditionalVAE: classes [3]: need [512], one for each sample',
  );
  expect(() => model.sample(rand([3]))).toThrow("ConditionalVAE: classes are float32. Convert with to('int32').");
  expect(() => new ConditionalVAE({ inFeatures: 64, classes: 0 })).toThrow('ConditionalVAE: classes is 0.');
});
