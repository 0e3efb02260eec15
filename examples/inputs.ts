// The picture as the parameter: where a network looks, what its filters and classes would like to see, and how little it takes to fool it.
//   npm run build && node --experimental-strip-types examples/inputs.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, noGrad } from 'nabla';
import { DataLoader, type HostImage, contactSheet, digits } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { type Pictures, drawHeat, fgsm, gradCam, pgd, saliency, visualise } from 'nabla/vision';

manualSeed(0);
const { train, test } = digits().split({ train: 0.8, test: 0.2 });

const features = new Sequential(
  new Conv2d(1, 16, 3, { padding: 1 }),
  new BatchNorm2d(16),
  new ReLU(),
  new Conv2d(16, 32, 3, { padding: 1 }), //        maps as large as the pictures: Grad-CAM is as sharp
  new BatchNorm2d(32),
  new ReLU(),
);
const model = new Sequential(features, new MaxPool2d(2), new Flatten(), new Linear(32 * 4 * 4, 10));
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 });
for (let epoch = 0; epoch < 8; epoch++) {
  for await (const { x, y } of new DataLoader(train, { batchSize: 64, shuffle: true })) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    await optimizer.step();
  }
}
model.eval();
const classify = (x: Pictures) => model.forward(x);

const { x, y } = test.batch(Array.from({ length: test.length }, (_, i) => i));
const named = (pictures: Pictures) => noGrad(() => model.forward(pictures).argmax(1));
const accuracy = async (pictures: Pictures): Promise<string> =>
  (100 * (await named(pictures).eq(y).to('float32').mean().item())).toFixed(1);

/** [N, H, W] as pictures for a contact sheet. */
async function images(maps: Tensor): Promise<HostImage[]> {
  const [count, height, width] = maps.shape;
  const data = await maps.data();
  const size = height * width;
  return Array.from({ length: count }, (_, i) => ({
    data: data.slice(i * size, (i + 1) * size),
    shape: [1, height, width],
  }));
}
const save = (name: string, sheet: Parameters<typeof encodePng>[0]) => writeFileSync(name, encodePng(sheet));

console.log(`pictures named rightly: ${await accuracy(x)} %`);

/** Maps from 0 to 1 as colours, over the pictures that they are of. */
async function heats(maps: Tensor, of: readonly HostImage[], isOver: boolean): Promise<HostImage[]> {
  const [, height, width] = maps.shape;
  return (await images(maps)).map(({ data }, i) => drawHeat(data, [height, width], isOver ? { over: of[i] } : {}));
}

// 1. Where it looks: pictures, saliency, Grad-CAM. Its linear layer looks at each place by itself: so does Grad-CAM
const few: Pictures = x.slice(0, 0, 8);
const seen = await images(few.squeeze(1));
const slopes = await heats(saliency(classify, few), seen, false);
const places = await heats(gradCam(classify, features, few, { weights: 'place' }), seen, true);
save('looks.png', contactSheet([...seen, ...slopes, ...places], { columns: 8 }));
console.log('looks.png: pictures, the pixels that matter (saliency), the places that speak for the class (Grad-CAM)');

// 2. What it would like to see: the first 12 filters of the last convolution, and the ten classes
const dreams = await visualise((at) => features.forward(at).mean([2, 3]).diagonal(), { shape: [32, 1, 8, 8] });
const ideals = await visualise((at) => model.forward(at).diagonal(), { shape: [10, 1, 8, 8] });
save('filters.png', contactSheet((await images(dreams.squeeze(1))).slice(0, 12), { columns: 6 }));
save('classes.png', contactSheet(await images(ideals.squeeze(1)), { columns: 5, labels: '0123456789'.split('') }));
const wished = await named(ideals).array();
console.log(`filters.png, classes.png: made by gradient ascent; the classes are named ${wished.join(', ')}`);

// 3. How to fool it: no pixel changes by more than epsilon
for (const epsilon of [0.05, 0.1, 0.2]) {
  const fast = await accuracy(fgsm(classify, x, y, { epsilon }));
  const small = await accuracy(await pgd(classify, x, y, { epsilon }));
  console.log(`pixels changed by at most ${epsilon}: FGSM ${fast} %, PGD ${small} % named rightly`);
}
const fooled = await pgd(classify, few, y.slice(0, 0, 8), { epsilon: 0.2 });
const texts = [...(await named(few).array()), ...(await named(fooled).array())].map(String);
const pairs = [...(await images(few.squeeze(1))), ...(await images(fooled.squeeze(1)))];
save('adversarial.png', contactSheet(pairs, { columns: 8, labels: texts }));
console.log('adversarial.png: pictures and their adversaries, with the names that the network gives them');
