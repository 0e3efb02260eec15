// Digits through a bottleneck: autoencoders with 1, 2 and 8 numbers, and a variational one, whose latent plane is drawn.
//   npm run build && node --experimental-strip-types examples/autoencoders.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, noGrad, tensor } from 'nabla';
import { DataLoader, type HostImage, contactSheet, digits } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { Autoencoder, VAE, vaeLoss } from 'nabla/models';
import { type Module, bceWithLogits, mseLoss } from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { type Series, chartSvg } from 'nabla/train';

manualSeed(0);
const { train, test } = digits().split({ train: 0.8, test: 0.2 });
const { x, y } = test.batch(Array.from({ length: test.length }, (_, i) => i));

async function fit(model: Module, loss: (x: Tensor) => Tensor, epochs: number): Promise<void> {
  const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const batch of new DataLoader(train, { batchSize: 128, shuffle: true, dropLast: true })) {
      optimizer.zeroGrad();
      loss(batch.x).backward();
      await optimizer.step();
    }
  }
  model.eval();
}

/** [N, 64] or [N, 1, 8, 8] as pictures for a contact sheet. */
async function images(pixels: Tensor): Promise<HostImage[]> {
  const data = await pixels.data();
  return Array.from({ length: pixels.shape[0] }, (_, i) => ({
    data: data.slice(64 * i, 64 * (i + 1)),
    shape: [1, 8, 8],
  }));
}

// 1. Autoencoders: the more numbers in the middle, the better the copies
const few = x.slice(0, 0, 10);
const rows = await images(few);
for (const latent of [1, 2, 8]) {
  const model = new Autoencoder({ inFeatures: 64, latent, hidden: [128, 64] });
  await fit(model, (batch) => bceWithLogits(model.forward(batch), batch), 20);
  const error = await noGrad(() => mseLoss(model.forward(x).sigmoid(), x)).item();
  rows.push(...(await images(noGrad(() => model.forward(few).sigmoid()))));
  console.log(`autoencoder with ${latent}: squared error ${error.toFixed(4)}`);
}
writeFileSync('reconstructions.png', encodePng(contactSheet(rows, { columns: 10 })));
console.log('reconstructions.png: digits, and what is left of them after 1, 2 and 8 numbers');

// 2. A variational autoencoder: every point of its plane gives a picture
const vae = new VAE({ inFeatures: 64, latent: 2, hidden: [128, 64] });
await fit(vae, (batch) => vaeLoss(vae.forward(batch), batch), 30);
const elbo = -(await noGrad(() => vaeLoss(vae.forward(x), x)).item());
console.log(`variational: ELBO at the mean ${elbo.toFixed(2)} nats`);

const ticks = Array.from({ length: 12 }, (_, i) => -2.2 + 0.4 * i);
const grid = tensor(ticks.flatMap((v) => ticks.map((u) => [u, -v])));
const plane = noGrad(() => vae.decode(grid).sigmoid());
writeFileSync('plane.png', encodePng(contactSheet(await images(plane), { columns: 12, scale: 4, gap: 1 })));

const [points, truth] = [await noGrad(() => vae.encode(x).mean).array(), await y.array()];
const series = Array.from({ length: 10 }, (_, digit): Series => {
  const own = points.filter((__, i) => truth[i] === digit);
  return {
    name: String(digit),
    x: own.map(([u]) => u),
    y: own.map(([, v]) => v),
    colour: digit,
    look: 'points',
  };
});
const title = 'unseen digits in the latent plane';
writeFileSync('latent.svg', chartSvg([{ title, xLabel: 'first number', xScale: 'linear', series, log: false }]));
console.log('plane.png, latent.svg: what the plane gives, and where the digits lie in it');
