// `nabla train shapes-detection`: where circles, squares and triangles are, in pictures that are made on the spot. A detector of one stage without
// anchors; what it finds is measured by COCO's mean average precision at overlaps of 0.5 to 0.95.
//
// Settings were chosen on the validation pictures; the test pictures are looked at once, when a run is complete.

import { DataLoader, SHAPES, type SceneData, shapeScenes } from '../../data/index.js';
import type { AnyTensor, Tensor } from '../../index.js';
import { MeanAveragePrecision } from '../../metrics/index.js';
import { DenseDetector, detectionLoss } from '../../models/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type Evaluation, defineRun } from '../../train/index.js';
import { detectAll, reportDetection } from './detection-report.js';

function evaluation(model: DenseDetector, scenes: SceneData): Evaluation {
  return {
    measures: { mAP: 'higher', mAP50: 'higher' },
    async evaluate() {
      const metric = new MeanAveragePrecision();
      for (const { found, truth } of await detectAll(model, scenes)) metric.update(found, truth);
      const { map, map50 } = await metric.compute();
      return { mAP: map, mAP50: map50 };
    },
  };
}

export default defineRun({
  name: 'shapes-detection',
  title: 'Finding circles, squares and triangles',
  settings: { epochs: 12, lr: 0.005, batchSize: 25, weightDecay: 0.01, samples: 1600, held: 200, boxWeight: 1 },

  create({ epochs, lr, batchSize, weightDecay, samples, held, boxWeight, seed }) {
    const all = shapeScenes({ samples: samples + 2 * held, seed: 1 }); // the same pictures for every seed
    const { train, validation, test } = all.split({ train: samples, validation: held, test: held }, { seed: 0 });
    const model = new DenseDetector({ classes: SHAPES.length });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: evaluation(model, validation),
      test: evaluation(model, test),
      forward: (_, { x, boxes, labels }: { x: Tensor; boxes: Tensor; labels: AnyTensor }) =>
        detectionLoss(model.forward(x), boxes, labels, { boxWeight }),
      schedule: (step, total) => oneCycle(step, total, lr),
      epochs,
      checkpoint: { monitor: 'mAP' },
      classes: SHAPES.length,
      report: async (page) => reportDetection(page, test, await detectAll(model, test)),
    };
  },
});
