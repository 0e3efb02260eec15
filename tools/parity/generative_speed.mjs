// One update of each generative preset on a batch of random pictures, timed when asked: a line with a case's name in, milliseconds out. Started
// by generative_speed.py, which takes turns with PyTorch. Needs dist/ (npm run build).
import { createInterface } from 'node:readline';
import { manualSeed, rand, randint } from '../../dist/index.js';
import { ConvAutoencoder, DCGAN, Diffusion, SimCLR, VAE, cnnBody, vaeLoss } from '../../dist/models/index.js';
import { Linear, bceWithLogits, crossEntropy } from '../../dist/nn/index.js';
import { Adam, AdamW } from '../../dist/optim/index.js';
import { Alternating, Trainer } from '../../dist/train/index.js';

manualSeed(0);

/** Updates of a Trainer from one batch again and again: the clock runs between the steps that it tells. */
function updates(plan, batch) {
  const source = {
    length: Infinity,
    async *batches() {
      for (;;) yield batch;
    },
  };
  return async (ms) => {
    const times = [];
    let last;
    const onStep = (running) => {
      const now = performance.now();
      if (last !== undefined) times.push(now - last);
      last = now;
      if (times.length > 5 && times.reduce((sum, t) => sum + t, 0) > ms) running.stop();
    };
    await new Trainer({ ...plan, train: source, epochs: 1, gradNorm: false, callbacks: [{ onStep }] }).fit();
    return times.slice(2);
  };
}

const grey = (count) => rand([count, 1, 28, 28]).keep();
const colour = () => rand([128, 3, 32, 32]).keep();
const digits = { shape: [1, 28, 28] };

function dcgan() {
  const gan = new DCGAN({ ...digits, width: 32 });
  const rate = { lr: 5e-4, betas: [0.5, 0.999] };
  const optimizer = new Alternating({
    discriminator: new Adam(gan.discriminator.parameters(), rate),
    generator: new Adam(gan.generator.parameters(), rate),
  });
  const turns = {
    discriminator: (_, { x }) => gan.discriminatorLoss(x, { labelSmoothing: 0.1 }),
    generator: (_, { x }) => gan.generatorLoss(x.shape[0]),
  };
  return updates({ model: gan, optimizer, turns }, { x: grey(128) });
}

function ddpm() {
  const model = new Diffusion({ ...digits, width: 16, levels: [1, 2, 4] });
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  return updates({ model, optimizer, forward: (_, { x }) => model.loss(x) }, { x: grey(32) });
}

function vae() {
  const model = new VAE({ inFeatures: 784, latent: 20, hidden: [400] });
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  return updates({ model, optimizer, forward: (_, { x }) => vaeLoss(model.draw(x), x) }, { x: grey(128) });
}

function autoencoder() {
  const model = new ConvAutoencoder({ ...digits, latent: 32 });
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  return updates({ model, optimizer, forward: (_, { x }) => bceWithLogits(model.forward(x), x) }, { x: grey(128) });
}

function fewLabels() {
  const { encoder } = new ConvAutoencoder({ ...digits, latent: 32 });
  const head = new Linear(32, 10);
  const optimizer = new AdamW([...encoder.parameters(), ...head.parameters()], { lr: 1e-3 });
  const y = randint(0, 10, [20]).keep();
  const forward = (_, batch) => crossEntropy(head.forward(encoder.forward(batch.x).relu()), batch.y);
  return updates({ model: encoder, optimizer, forward }, { x: grey(20), y });
}

function simclr() {
  const encoder = cnnBody({ channels: 3, stages: [[32], [64], [128], [128]] });
  const model = new SimCLR({ encoder, features: 128 });
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  return updates({ model, optimizer, forward: (_, { a, b }) => model.loss(a, b) }, { a: colour(), b: colour() });
}

const MAKE = {
  'dcgan, 128 pictures': dcgan,
  'ddpm, 32 pictures': ddpm,
  'vae, 128 pictures': vae,
  'autoencoder, 128 pictures': autoencoder,
  'few-labels, 20 pictures': fewLabels,
  'simclr, 128 pictures': simclr,
};
const made = {};

for await (const line of createInterface({ input: process.stdin })) {
  made[line] ??= MAKE[line]();
  const times = (await made[line](500)).sort((a, b) => a - b);
  console.log(times[Math.floor(times.length / 2)]);
}
process.exit(0);
