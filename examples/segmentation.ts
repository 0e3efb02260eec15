// What is each pixel part of? Three networks learn it on pictures of shapes: U-Net, SegNet, and fully convolutional ones that add the scores of
// none, one or two earlier maps. Writes pictures of what they say beside the truth.
//   npm run build && node --experimental-strip-types examples/segmentation.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, noGrad } from 'nabla';
import { DataLoader, type HostImage, SHAPES, contactSheet, shapeScenes } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { MeanIoU } from 'nabla/metrics';
import { SegNet, SkipFCN, UNet } from 'nabla/models';
import { diceCrossEntropy } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';
import { drawMask } from 'nabla/vision';

const [, , seed = '0'] = process.argv;
const SIZE = 32;
const EPOCHS = 8;
const scenes = shapeScenes({ samples: 400, size: SIZE, objects: [1, 2], radius: [0.2, 0.3] });
const { train, test } = scenes.split({ train: 320, test: 80 }, { seed: 0 });

type Images = Tensor<[number, 3, number, number]>;
interface Network {
  readonly name: string;
  readonly model: UNet<4, 3> | SegNet<4, 3> | SkipFCN<4, 3>;
}

const sizes = { classes: 4, inChannels: 3 } as const; // the background and three shapes
const stages = [[8, 8], [16, 16], [32]]; //              channels of convolutions, with a pooling behind each list

/** All pixels count in the cross entropy; dice counts each class as much as the others, however few its pixels are. */
async function learn({ model, name }: Network): Promise<void> {
  const loader = new DataLoader(train, { batchSize: 20, shuffle: true, seed: Number(seed) });
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  let step = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for await (const { x, mask } of loader) {
      optimizer.groups[0].lr = oneCycle(step++, EPOCHS * loader.length, 0.01);
      optimizer.zeroGrad();
      diceCrossEntropy(model.forward(x), mask).backward();
      await optimizer.step();
    }
  }
  model.eval();
  const { x, mask } = test.batch(Array.from({ length: test.length }, (_, i) => i));
  const ratio = new MeanIoU();
  ratio.update(logits(model, x), mask);
  const each = (await ratio.perClass()).map((share, k) => `${['background', ...SHAPES][k]} ${share.toFixed(2)}`);
  console.log(`${name.padEnd(16)} mean IoU ${(await ratio.compute()).toFixed(3)} (${each.join(', ')})`);
}

function logits(model: Network['model'], x: Images) {
  return noGrad(() => model.forward(x));
}

manualSeed(Number(seed));
const networks: Network[] = [
  { name: 'U-Net', model: new UNet({ ...sizes, width: 8, depth: 3, batchNorm: true }) },
  { name: 'SegNet', model: new SegNet({ ...sizes, stages }) },
  ...[0, 1, 2].map((skips) => ({
    name: `FCN, ${['no skip', 'one skip', 'two skips'][skips]}`,
    model: new SkipFCN({ ...sizes, stages, skips }),
  })),
];
for (const network of networks) await learn(network);

// a column for each picture: image, truth, and what each network says
const count = 8;
const { x, mask } = test.batch(Array.from({ length: count }, (_, i) => i));
const area = SIZE * SIZE;
const pixels = await x.data();
const masks = (labels: Int32Array): HostImage[] =>
  Array.from({ length: count }, (_, i) => drawMask(labels.subarray(i * area, (i + 1) * area), [SIZE, SIZE]));
const images = Array.from({ length: count }, (_, i): HostImage => {
  return { data: pixels.slice(3 * i * area, 3 * (i + 1) * area), shape: [3, SIZE, SIZE] };
});
const said: HostImage[][] = [];
for (const { model } of networks) said.push(masks(await logits(model, x).argmax(1).data()));
const names = ['image', 'truth', 'U-Net', 'SegNet', 'FCN 8', 'FCN 4', 'FCN 2'];
const rows = [images, masks(await mask.data()), ...said];
const labels = names.flatMap((name) => [name, ...new Array<string>(count - 1).fill('')]);
writeFileSync('segmentation.png', encodePng(contactSheet(rows.flat(), { columns: count, labels })));
console.log(
  'segmentation.png: images, truths, and what the networks say (FCN 8: maps of an eighth of the size are enlarged)',
);
