// The detector of one stage: which positions learn which box, by hand; and that it learns to find shapes.
import { expect, test } from 'vitest';
import { shapeScenes } from '../../data/index.js';
import { type Tensor, full, manualSeed, ones, rand, tensor } from '../../index.js';
import { MeanAveragePrecision, type TrueBox } from '../../metrics/index.js';
import { AdamW } from '../../optim/index.js';
import { gridPoints } from '../../vision/index.js';
import { DenseDetector, detectionLoss } from '../index.js';

test('the loss by hand: positions near the centre, the smaller box, the rest is background', async () => {
  const { points } = gridPoints([[2, 2]], [4]); // (2, 2), (6, 2), (2, 6), (6, 6)
  const boxes = tensor([0, 0, 4, 4, 0, 0, 8, 8, 0, 0, 0, 0]).to('float32').reshape([1, 3, 4]);
  const labels = tensor(Int32Array.of(1, 0, -1), { shape: [1, 3] });
  const logits: Tensor = full([1, 4, 2], 0);
  // (2, 2) lies in the small box; the others in the large one, 2 from its centre (4, 4); all four have an object
  const distances = tensor([2, 2, 2, 2, 6, 2, 2, 6, 2, 6, 6, 2, 6, 6, 2, 2]).to('float32').reshape([1, 4, 4]);
  const output = { logits, distances, points, stride: 4 };
  const half = Math.log(2) * 0.25; // (1 − p)² · −log p at p = 0.5
  const focal = (4 * 0.25 * half + 4 * 0.75 * half) / 4;
  expect(await detectionLoss(output, boxes, labels).item()).toBeCloseTo(focal, 5);
  // an empty map around the small box of (2, 2): IoU 1/4, and the hull is the larger box
  const wide = tensor([2, 2, 6, 6]).to('float32').reshape([1, 1, 4]);
  const first = { logits: logits.slice(1, 0, 1), distances: wide, points: points.slice(0, 0, 1), stride: 4 };
  const own = await detectionLoss(first, boxes.slice(1, 0, 1), labels.slice(1, 0, 1), { boxWeight: 2 }).item();
  expect(own).toBeCloseTo(0.25 * half + 0.75 * half + 2 * 0.75, 5);
  const none = detectionLoss(output, boxes, tensor(Int32Array.of(-1, -1, -1), { shape: [1, 3] }));
  expect(await none.item()).toBeCloseTo(8 * 0.75 * half, 5); // nothing to divide by
  expect(() => detectionLoss(output, boxes, ones([1, 2]))).toThrow('detectionLoss: boxes [1, 3, 4] and labels [1, 2]');
});

test('it finds shapes', async () => {
  manualSeed(0);
  const scenes = shapeScenes({ samples: 16, size: 24, objects: [1, 2], radius: [0.18, 0.28] });
  const positions = Array.from({ length: 16 }, (_, i) => i);
  const { x, boxes, labels } = scenes.batch(positions);
  const model = new DenseDetector({ classes: 3, stages: [[12], [24], [32, 32]] });
  const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
  for (let step = 0; step < 60; step++) {
    optimizer.zeroGrad();
    detectionLoss(model.forward(x), boxes, labels).backward();
    await optimizer.step();
  }
  const metric = new MeanAveragePrecision();
  const host = scenes.gather(positions);
  (await model.detect(x, { scoreThreshold: 0.05 })).forEach((found, i) => {
    const truth = [0, 1].map((k): TrueBox => {
      const [x1, y1, x2, y2] = host.boxes.data.subarray(4 * (2 * i + k));
      return { box: [x1, y1, x2, y2], index: host.labels.data[2 * i + k] };
    });
    metric.update(
      found,
      truth.filter(({ index }) => index >= 0),
    );
  });
  expect((await metric.compute()).map50).toBeGreaterThan(0.5);
  expect(() => model.forward(rand([1, 3, 26, 24]))).toThrow('height and width are not multiples of 4');
}, 60_000);
