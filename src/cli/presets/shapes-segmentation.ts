// `nabla train shapes-segmentation`: which pixels belong to a circle, a square, a triangle, in pictures that are made on the spot. U-Net, SegNet
// (pooling indices) and a fully convolutional network with skips, each small. The loss is cross entropy plus dice.
//
// Settings were chosen on the validation pictures; the test pictures are looked at once, when a run is complete.

import { DataLoader, SHAPES, shapeScenes } from '../../data/index.js';
import type { AnyTensor, Tensor } from '../../index.js';
import { Accuracy, MeanIoU } from '../../metrics/index.js';
import { diceCrossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { SEGMENTATION_MODELS } from './segmentation-models.js';
import { reportSegmentation } from './segmentation-report.js';

const CLASSES = 1 + SHAPES.length;

export default defineRun({
  name: 'shapes-segmentation',
  title: 'Naming the pixels of circles, squares and triangles',
  settings: {
    model: 'unet',
    epochs: 25,
    lr: 0.005,
    batchSize: 25,
    weightDecay: 0.01,
    samples: 1000,
    held: 200,
    diceWeight: 1,
  },
  choices: { model: Object.keys(SEGMENTATION_MODELS) },

  create({ model: name, epochs, lr, batchSize, weightDecay, samples, held, diceWeight, seed }) {
    const all = shapeScenes({ samples: samples + 2 * held, seed: 0 }); // the same pictures for every seed
    const { train, validation, test } = all.split({ train: samples, validation: held, test: held }, { seed: 0 });
    const model = SEGMENTATION_MODELS[name]({ classes: CLASSES, inChannels: 3 });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation, { batchSize: 50 }),
      test: new DataLoader(test, { batchSize: 50 }),
      forward(_, { x, mask }: { x: Tensor; mask: AnyTensor }) {
        const output = model.forward(x);
        return { loss: diceCrossEntropy(output, mask, { diceWeight }), output, target: mask };
      },
      metrics: { meanIoU: new MeanIoU(), accuracy: new Accuracy() },
      schedule: (step, total) => oneCycle(step, total, lr),
      epochs,
      classes: CLASSES,
      report: (page) => reportSegmentation(page, model, test, { classes: ['background', ...SHAPES] }),
    };
  },
});
