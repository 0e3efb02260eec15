// `nabla train digits`: a small convolutional network on the 1,797 handwritten digits that come with the package.
//
// How the numbers below were chosen: on the validation part alone. The test part is not looked at while training and
// took no part in any choice; it is evaluated once, when a run is complete. The split is the same for every seed, so
// that two runs differ in nothing but the random numbers of training, and `nabla predict --test` means the same images.

import { DataLoader, digits, jitter } from '../../data/index.js';
import { Accuracy } from '../../metrics/index.js';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  crossEntropy,
} from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { reportDigits } from './digits-report.js';

const createModel = () =>
  new Sequential(
    new Conv2d(1, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new Conv2d(32, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(32, 64, 3, { padding: 1, bias: false }),
    new BatchNorm2d(64),
    new ReLU(),
    new Flatten(),
    new Dropout(0.2),
    new Linear(64 * 4 * 4, 10),
  );

export default defineRun({
  name: 'digits',
  title: 'Training a small convolutional network on handwritten digits',
  settings: { epochs: 30, lr: 0.01, batchSize: 64, weightDecay: 0.02, labelSmoothing: 0.05 },

  create({ epochs, lr, batchSize, seed, weightDecay, labelSmoothing }) {
    const { train, validation, test } = digits().split(
      { train: 0.7, validation: 0.1, test: 0.2 },
      { seed: 0, stratify: 'y' }, // the same mix of digits in each part
    );
    const moved = train.augmented((batch, random) => jitter(batch.x, random, { shift: 0.7, rotate: 10, scale: 0.1 }));
    const model = createModel();
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(moved, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation, { batchSize: 256 }),
      test: new DataLoader(test, { batchSize: 256 }),
      forward(_, { x, y }) {
        const output = model.forward(x);
        const loss = crossEntropy(output, y, { labelSmoothing: model.training ? labelSmoothing : 0 });
        return { loss, output, target: y, reported: crossEntropy(output, y) }; // comparable with the loss on other images
      },
      metrics: { accuracy: new Accuracy() },
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.25 }),
      epochs,
      classes: 10,
      report: (page) => reportDigits(page, model, test),
    };
  },

  predictor: () => ({
    kind: 'image',
    model: createModel(),
    shape: [1, 8, 8],
    classes: [...'0123456789'],
    most: 16,
    background: 'black',
  }),
});
