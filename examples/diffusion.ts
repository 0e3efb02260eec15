// Digits out of noise: a diffusion model on the digits of the package. Noise that grows and is taken away again, and how few steps do.
//   npm run build && node --experimental-strip-types examples/diffusion.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, full, manualSeed, noGrad, randn } from 'nabla';
import { DataLoader, type HostImage, contactSheet, digits } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { classScores } from 'nabla/metrics';
import { Diffusion, cnn } from 'nabla/models';
import { Adam, AdamW, oneCycle } from 'nabla/optim';
import { Trainer } from 'nabla/train';

manualSeed(0);
const loader = () => new DataLoader(digits(), { batchSize: 64, shuffle: true, dropLast: true });

// 1. A classifier that will judge
const classifier = cnn({ channels: 1, stages: [[16, 16], [32]] });
await new Trainer({
  model: classifier,
  optimizer: new Adam(classifier.parameters(), { lr: 1e-2 }),
  train: loader(),
  epochs: 15,
}).fit();
classifier.eval();

// 2. The model: it is shown a digit with noise of a random strength, and says what of it is noise
const model = new Diffusion({ shape: [1, 8, 8], width: 16, levels: [1, 2] });
const { history } = await new Trainer({
  model,
  optimizer: new AdamW(model.parameters(), { lr: 2e-3 }),
  train: loader(),
  forward: (_, { x }) => model.loss(x),
  schedule: (step, total) => oneCycle(step, total, 2e-3),
  weightAverage: { decay: 0.99 },
  epochs: 40,
}).fit();
model.eval();
console.log(
  `error of the noise: ${history[0].train.loss.toFixed(3)} after 1 epoch, ${history[39].train.loss.toFixed(3)} after 40`,
);

// 3. A digit on its way to noise
const { x } = digits().batch([0, 1, 2]);
const times = [0, 150, 300, 450, 600, 750, 900, 999];
const noise = randn(x.shape).keep();
const noisy = times.map((time) => noGrad(() => model.noisy(x, full([3], time, { dtype: 'int32' }), noise)));
const forth = await Promise.all(noisy.map((pictures) => images(pictures.add(1).div(2))));
const columns = [0, 1, 2].flatMap((digit) => forth.map((row) => row[digit]));
writeFileSync('noise.png', encodePng(contactSheet(columns, { columns: times.length, scale: 6, gap: 2 })));
console.log(`noise.png: three digits at times ${times.join(', ')}`);

// 4. And back: the same noise through ever more steps of DDIM
const start = randn([12, 1, 8, 8]).keep();
const rows: HostImage[] = [];
for (const steps of [1, 2, 5, 10, 50]) {
  rows.push(...(await images(await model.sample(12, { steps, noise: start }))));
  const { sure, classes } = await classScores(judge(await model.sample(500, { steps })));
  console.log(
    `${steps} steps: the classifier is sure of ${(100 * sure).toFixed(0)} % of 500 samples, ${classes} classes`,
  );
}
writeFileSync('steps.png', encodePng(contactSheet(rows, { columns: 12, scale: 6, gap: 2 })));
console.log('steps.png: from the same noise in 1, 2, 5, 10 and 50 steps');

function judge(pictures: Tensor<[number, number, number, number]>) {
  return noGrad(() => classifier.forward(pictures).softmax(1));
}

async function images(pictures: Tensor): Promise<HostImage[]> {
  const data = await pictures.data();
  const picture = (i: number): HostImage => ({ data: data.slice(64 * i, 64 * i + 64), shape: [1, 8, 8] });
  return Array.from({ length: pictures.shape[0] }, (_, i) => picture(i));
}
