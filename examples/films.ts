// The next pictures of films: a ConvLSTM watches shapes that move and bounce, then goes on by itself. Draws films as they are and as it foretells them.
//   npm run build && node --experimental-strip-types examples/films.ts

import { writeFileSync } from 'node:fs';
import { type Tensor, compile, manualSeed, noGrad } from 'nabla';
import { DataLoader, contactSheet, movingShapes } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { FrameForecaster } from 'nabla/models';
import { bceWithLogits, mseLoss } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';

const [FRAMES, GIVEN, SIZE] = [8, 5, 16];
const options = { frames: FRAMES, size: SIZE, shapes: 1 };
const [train, test] = [
  movingShapes({ ...options, samples: 400, seed: 0 }),
  movingShapes({ ...options, samples: 60, seed: 1 }),
];

manualSeed(0);
const model = new FrameForecaster({ hidden: 12, layers: 1, kernelSize: 5 });
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
const step = compile(async (x: Tensor) => {
  optimizer.zeroGrad();
  const loss = bceWithLogits(model.forward(x.slice(1, 0, FRAMES - 1)), x.slice(1, 1, FRAMES));
  loss.backward();
  await optimizer.step();
  return loss;
});
const [epochs, batchSize] = [24, 20];
let updates = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  let last = 0;
  for await (const { x } of new DataLoader(train, { batchSize, shuffle: true })) {
    optimizer.groups[0].lr = oneCycle(updates++, (epochs * train.length) / batchSize, 0.01);
    last = await (await step(x)).item();
  }
  if (epoch % 6 === 0) console.log(`epoch ${epoch}: loss ${last.toFixed(4)}`);
}

const { x } = test.batch(Array.from({ length: test.length }, (_, i) => i));
const [seen, behind] = [x.slice(1, 0, GIVEN), x.slice(1, GIVEN, FRAMES)];
const made = noGrad(() => model.forecast(seen, FRAMES - GIVEN));
for (let t = 0; t < FRAMES - GIVEN; t++) {
  const [guess, truth, still] = [made.select(1, t), behind.select(1, t), seen.select(1, GIVEN - 1)];
  const [error, without] = [await mseLoss(guess, truth).item(), await mseLoss(still, truth).item()];
  console.log(`${t + 1} ahead: squared error ${error.toFixed(4)}; if nothing moved, ${without.toFixed(4)}`);
}

const [truth, guesses] = [await x.data(), await made.data()];
const area = SIZE * SIZE;
const picture = (from: ArrayLike<number>, at: number) => ({
  data: Float32Array.from({ length: area }, (_, i) => from[at * area + i]),
  shape: [1, SIZE, SIZE],
});
const images = Array.from({ length: 4 }, (_, film) => [
  ...Array.from({ length: FRAMES }, (__, t) => picture(truth, film * FRAMES + t)),
  ...Array.from({ length: FRAMES }, (__, t) =>
    t < GIVEN ? picture(truth, film * FRAMES + t) : picture(guesses, film * (FRAMES - GIVEN) + t - GIVEN),
  ),
]).flat();
writeFileSync('films.png', encodePng(contactSheet(images, { columns: FRAMES, scale: 3, gap: 3 })));
console.log(`films.png: in pairs, a film, and what was foretold behind its first ${GIVEN} pictures`);
