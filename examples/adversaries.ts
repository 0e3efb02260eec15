// Digits out of random numbers: a DCGAN on the digits of the package. Samples after each epoch, walks between samples, and what a
// classifier says about them.
//   npm run build && node --experimental-strip-types examples/adversaries.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, noGrad, randn, stack } from 'nabla';
import { DataLoader, type HostImage, contactSheet, digits } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { classScores } from 'nabla/metrics';
import { DCGAN, cnn } from 'nabla/models';
import { Adam } from 'nabla/optim';
import { Alternating, Trainer } from 'nabla/train';

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

// 2. Two networks against each other: each has its turn in every update
const gan = new DCGAN({ shape: [1, 8, 8], latent: 16, width: 32 });
const rate = { lr: 2e-3, betas: [0.5, 0.999] } as const;
const numbers = randn([12, 16]).keep();
const rows: HostImage[] = [];
await new Trainer({
  model: gan,
  optimizer: new Alternating({
    discriminator: new Adam(gan.discriminator.parameters(), rate),
    generator: new Adam(gan.generator.parameters(), rate),
  }),
  turns: {
    discriminator: (_, { x }) => gan.discriminatorLoss(x, { labelSmoothing: 0.1 }),
    generator: (_, { x }) => gan.generatorLoss(x.shape[0]),
  },
  train: loader(),
  epochs: 40,
  callbacks: [
    {
      async onEpochEnd(_, { epoch, train: { discriminator, generator } }) {
        if (![1, 2, 5, 10, 20, 40].includes(epoch)) return;
        gan.eval();
        rows.push(...(await images(noGrad(() => gan.generate(numbers)))));
        console.log(`epoch ${epoch}: discriminator ${discriminator.toFixed(2)}, generator ${generator.toFixed(2)}`);
      },
    },
  ],
}).fit();
writeFileSync('epochs.png', encodePng(contactSheet(rows, { columns: 12, scale: 5, gap: 2 })));
console.log('epochs.png: the same random numbers after 1, 2, 5, 10, 20 and 40 epochs');

// 3. What the classifier says
gan.eval();
const { x: real } = digits().batch(Array.from({ length: 1000 }, (_, i) => i));
for (const [name, pictures] of [
  ['real', real],
  ['made up', noGrad(() => gan.sample(1000))],
] as const) {
  const { sure, classes, score } = await classScores(noGrad(() => classifier.forward(pictures).softmax(1)));
  console.log(`${name}: sure of ${(100 * sure).toFixed(0)} % of 1000; ${classes} classes, score ${score.toFixed(2)}`);
}

// 4. From one sample to another: the numbers between give pictures, too
const walk = (from: Tensor, to: Tensor): Tensor[] =>
  Array.from({ length: 12 }, (_, i) => from.mul(1 - i / 11).add(to.mul(i / 11)));
const walks = [0, 1, 2, 3].flatMap((i) => walk(numbers.select(0, 2 * i), numbers.select(0, 2 * i + 1)));
const steps = await images(noGrad(() => gan.generate(stack(walks))));
writeFileSync('walks.png', encodePng(contactSheet(steps, { columns: 12, scale: 5, gap: 2 })));
console.log('walks.png: from one sample to another');

async function images(x: Tensor): Promise<HostImage[]> {
  const data = await x.data();
  const picture = (i: number): HostImage => ({ data: data.slice(64 * i, 64 * i + 64), shape: [1, 8, 8] });
  return Array.from({ length: x.shape[0] }, (_, i) => picture(i));
}
