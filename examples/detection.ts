// Where are the shapes? A detector of one stage learns it: each position of its map says which class lies around it and how far the four sides of the
// box are. Measured as in COCO; writes pictures with boxes.
//   npm run build && node --experimental-strip-types examples/detection.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { manualSeed } from 'nabla';
import { DataLoader, SHAPES, contactSheet, shapeScenes } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { MeanAveragePrecision, type TrueBox } from 'nabla/metrics';
import { DenseDetector, detectionLoss } from 'nabla/models';
import { AdamW, oneCycle } from 'nabla/optim';
import { drawBoxes } from 'nabla/vision';

const [, , seed = '0', samples = '300', epochs = '8'] = process.argv;
manualSeed(Number(seed));
const SIZE = 32;
const scenes = shapeScenes({ samples: Number(samples) + 60, size: SIZE, objects: [1, 2], radius: [0.15, 0.28] });
const { train, test } = scenes.split({ train: Number(samples), test: 60 }, { seed: 0 });

const model = new DenseDetector({ classes: 3, stages: [[16], [32, 32], [48, 48, 48]] });
const loader = new DataLoader(train, { batchSize: 20, shuffle: true, seed: Number(seed) });
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
const steps = Number(epochs) * loader.length;
let step = 0;
for (let epoch = 1; epoch <= Number(epochs); epoch++) {
  let last = 0;
  for await (const { x, boxes, labels } of loader) {
    optimizer.groups[0].lr = oneCycle(step++, steps, 0.01);
    optimizer.zeroGrad();
    const loss = detectionLoss(model.forward(x), boxes, labels); // focal loss, and 1 − GIoU of the boxes
    loss.backward();
    await optimizer.step();
    last = await loss.item();
  }
  console.log(`epoch ${epoch}: loss ${last.toFixed(3)}`);
}

model.eval();
const positions = Array.from({ length: test.length }, (_, i) => i);
const found = await model.detect(test.batch(positions).x, { scoreThreshold: 0.05, names: SHAPES });
const { x, boxes, labels } = test.gather(positions);
const most = labels.shape[1];
const truth = positions.map((i) => {
  const all = Array.from(labels.data.subarray(i * most, (i + 1) * most), (index, k): TrueBox => {
    const [x1, y1, x2, y2] = boxes.data.subarray(4 * (i * most + k));
    return { box: [x1, y1, x2, y2], index };
  });
  return all.filter(({ index }) => index >= 0); // rows without a shape
});
const metric = new MeanAveragePrecision();
positions.forEach((i) => metric.update(found[i], truth[i]));
const { map, map50, perClass } = await metric.compute();
const each = SHAPES.map((name, k) => `${name} ${perClass[k].toFixed(2)}`).join(', ');
console.log(`mAP@[.5:.95] ${map.toFixed(3)} (${each}), mAP@.5 ${map50.toFixed(3)}`);

const shown = positions.slice(0, 5);
const area = 3 * SIZE * SIZE;
const image = (i: number) => ({ data: x.data.slice(i * area, (i + 1) * area), shape: [3, SIZE, SIZE] });
const sure = shown.map((i) => found[i].filter(({ score }) => score > 0.4));
const cells = [
  ...shown.map((i) => drawBoxes(image(i), sure[i], { scale: 6 })),
  ...shown.map((i) =>
    drawBoxes(
      image(i),
      truth[i].map((box) => ({ ...box, label: SHAPES[box.index] })),
      { scale: 6 },
    ),
  ),
];
const names = ['found', '', '', '', '', 'truth', '', '', '', ''];
writeFileSync('detections.png', encodePng(contactSheet(cells, { columns: 5, labels: names, scale: 1 })));
console.log('detections.png: what the detector finds, and what is there');
