// Adversarial networks: the losses by their formulas, and that both kinds learn to make digits which a classifier knows.
import { expect, test } from 'vitest';
import { DataLoader, digits } from '../../data/index.js';
import { type Tensor, manualSeed, noGrad, rand } from '../../index.js';
import { classScores } from '../../metrics/index.js';
import { Flatten, Linear, ReLU, Sequential } from '../../nn/index.js';
import { Adam } from '../../optim/index.js';
import { Alternating, Trainer } from '../../train/index.js';
import { type Adversaries, DCGAN, GAN } from '../index.js';

const train = digits();
const logistic = (x: number): number => Math.log1p(Math.exp(x));

/** A classifier of digits, trained for a second. */
async function classifier(): Promise<(x: Tensor) => Tensor<[number, number]>> {
  manualSeed(1);
  const model = new Sequential(new Flatten(), new Linear(64, 64), new ReLU(), new Linear(64, 10));
  const optimizer = new Adam(model.parameters(), { lr: 3e-3 });
  await new Trainer({ model, optimizer, train: loader(), epochs: 15 }).fit();
  return (x) => noGrad(() => model.forward(x as Tensor<[number, 1, 8, 8]>).softmax(1));
}

const loader = () => new DataLoader(train, { batchSize: 64, shuffle: true, dropLast: true, seed: 0 });

async function learn(gan: Adversaries, epochs: number, lr: number) {
  const betas = [0.5, 0.999] as const;
  const optimizer = new Alternating({
    discriminator: new Adam(gan.discriminator.parameters(), { lr, betas }),
    generator: new Adam(gan.generator.parameters(), { lr, betas }),
  });
  const turns = {
    discriminator: (_: unknown, { x }: { x: Tensor }) => gan.discriminatorLoss(x, { labelSmoothing: 0.1 }),
    generator: (_: unknown, { x }: { x: Tensor }) => gan.generatorLoss(x.shape[0]),
  };
  return await new Trainer({ model: gan, optimizer, turns, train: loader(), epochs, gradNorm: false }).fit();
}

test('losses are cross entropies of real and generated pictures', async () => {
  manualSeed(0);
  const gan = new GAN({ shape: [1, 4, 4], latent: 3, hidden: [8], spectralNorm: true });
  gan.eval();
  const real = rand([2, 1, 4, 4]);
  const said = await gan.judge(real).data();
  const z = [...said];
  manualSeed(5);
  const fake = [...(await gan.judge(gan.sample(2)).data())];
  manualSeed(5);
  const taken = z.reduce((sum, x) => sum + logistic(x) - 0.8 * x, 0) / 2;
  const refused = fake.reduce((sum, x) => sum + logistic(x), 0) / 2;
  expect(await gan.discriminatorLoss(real, { labelSmoothing: 0.2 }).item()).toBeCloseTo(taken + refused, 5);
  manualSeed(5);
  expect(await gan.generatorLoss(2).item()).toBeCloseTo(fake.reduce((sum, x) => sum + logistic(-x), 0) / 2, 5);
});

test('a DCGAN learns to make digits that a classifier is sure of', async () => {
  const judge = await classifier();
  manualSeed(0);
  const gan = new DCGAN({ shape: [1, 8, 8], latent: 16, width: 16 });
  gan.eval();
  const before = await classScores(judge(noGrad(() => gan.sample(200))));
  gan.train();
  const { history } = await learn(gan, 12, 1e-3);
  gan.eval();
  const after = await classScores(judge(noGrad(() => gan.sample(200))));
  expect(Object.keys(history[0].train)).toEqual(['loss', 'discriminator', 'generator']);
  expect(history.at(-1)?.train.loss).toBe(history.at(-1)?.train.generator);
  expect(before.classes).toBeLessThan(4);
  expect(after.classes).toBe(10);
  expect(after.sure).toBeGreaterThan(0.25);
}, 120_000);

test('what is wrong is said', () => {
  expect(() => new DCGAN({ shape: [1, 10, 8] })).toThrow('DCGAN: height or width is 10, which is no multiple of 4.');
  expect(() => new DCGAN({ shape: [1, 8, 8], width: 0 })).toThrow('DCGAN: width is 0.');
  expect(() => new GAN({ shape: [1, 8, 8], hidden: [0] })).toThrow('GAN: a width of hidden is 0.');
  const gan = new GAN({ shape: [1, 8, 8], latent: 4 });
  expect(() => gan.generate(rand([2, 5]))).toThrow('GAN.generate: latent numbers [2, 5]: need [N, 4]');
  expect(() => gan.judge(rand([2, 64]))).toThrow('GAN: pictures [2, 64]: need [N, 1, 8, 8]');
  expect(() => gan.sample(0)).toThrow('GAN.sample: count is 0.');
  expect(() => gan.discriminatorLoss(rand([2, 1, 8, 8]), { labelSmoothing: 1 })).toThrow(
    'GAN.discriminatorLoss: labelSmoothing is 1. Use a number of at least 0 and below 1.',
  );
});
