// A small run with everything in it that a checkpoint has to keep: dropout, batch norm, augmentation, momentum, a schedule,
// averaged weights, early stopping, metrics, checkpoints in the middle of epochs. For tests that kill it.

import { DataLoader, digits, jitter } from 'nabla/data';
import { Accuracy } from 'nabla/metrics';
import { BatchNorm1d, Dropout, Flatten, Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';
import { defineRun } from 'nabla/train';

export default defineRun({
  name: 'killed',
  title: 'A run to be killed',
  settings: { epochs: 12, lr: 0.01, batchSize: 64, every: 5 },

  create({ epochs, lr, batchSize, every, seed }) {
    const { train, validation, test } = digits().split({ train: 0.4, validation: 0.1, test: 0.1 });
    const moved = train.augmented((sample, random) => jitter(sample.x, random, { shift: 0.5, rotate: 5 }));
    const model = new Sequential(
      new Flatten(),
      new Linear(64, 32),
      new BatchNorm1d(32),
      new ReLU(),
      new Dropout(0.2),
      new Linear(32, 10),
    );
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay: 0.01 }),
      train: new DataLoader(moved, { batchSize, shuffle: true, seed }),
      validation: new DataLoader(validation, { batchSize: 128 }),
      test: new DataLoader(test, { batchSize: 128 }),
      forward(_, { x, y }) {
        const output = model.forward(x);
        return { loss: crossEntropy(output, y), output, target: y };
      },
      metrics: { accuracy: new Accuracy() },
      schedule: (step, total) => oneCycle(step, total, lr),
      weightAverage: { decay: 0.95, from: 2 },
      earlyStopping: { patience: 1000 },
      checkpoint: { every, monitor: 'accuracy' },
      epochs,
    };
  },
});
