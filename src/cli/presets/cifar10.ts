// `nabla train cifar10`: small colour pictures of ten kinds of things. The files are looked for in NABLA_DATA (see `cifar10`:
// the whole set or, where only that is there, a part of it).
//
// A tenth of the training images is kept to validate; the test images are looked at once, when a run is complete.

import { CIFAR10_CLASSES, DataLoader, cifar10 } from '../../data/index.js';
import { compose, normalize, randomCrop, randomHorizontalFlip } from '../../data/transforms/index.js';
import { Accuracy } from '../../metrics/index.js';
import { type Classifier, cnn, resnet18 } from '../../models/index.js';
import { SGD, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { reportConfusion } from './confusion-report.js';

const MEAN = [0.4914, 0.4822, 0.4465];
const STD = [0.247, 0.2435, 0.2616];

const MODELS: Readonly<Record<string, () => Classifier>> = {
  cnn: () => cnn({ channels: 3 }),
  resnet18: () => resnet18({ classes: 10, smallImages: true }),
};

export default defineRun({
  name: 'cifar10',
  title: 'Training on small colour pictures (CIFAR-10)',
  settings: { model: 'cnn', epochs: 20, lr: 0.1, batchSize: 64, weightDecay: 5e-4, augment: true },
  choices: { model: Object.keys(MODELS) },

  async create({ model: name, epochs, lr, batchSize, weightDecay, augment, seed }) {
    const { train: all, test } = await cifar10();
    const { train, validation } = all.split({ train: 0.9, validation: 0.1 }, { seed: 0, stratify: 'y' });
    const plain = normalize(MEAN, STD);
    const moved = compose(randomCrop(32, { padding: 4 }), randomHorizontalFlip(), plain);
    const model = MODELS[name]();
    const tested = test.transformed('x', plain);
    return {
      model,
      optimizer: new SGD(model.parameters(), { lr, momentum: 0.9, nesterov: true, weightDecay }),
      train: new DataLoader(train.transformed('x', augment ? moved : plain), {
        batchSize,
        shuffle: true,
        dropLast: true,
        seed,
      }),
      validation: new DataLoader(validation.transformed('x', plain), { batchSize: 250 }),
      test: new DataLoader(tested, { batchSize: 250 }),
      metrics: { accuracy: new Accuracy() },
      schedule: (step, total) => oneCycle(step, total, lr),
      epochs,
      classes: 10,
      report: (page) => reportConfusion(page, model, tested, [3, 32, 32], CIFAR10_CLASSES),
    };
  },

  predictor: ({ model }) => ({
    kind: 'image',
    model: MODELS[model](),
    shape: [3, 32, 32],
    classes: CIFAR10_CLASSES,
    most: 255,
    prepare(pixels) {
      const plane = 32 * 32;
      pixels.forEach((p, i) => {
        const channel = Math.floor(i / plane) % 3;
        pixels[i] = (p - MEAN[channel]) / STD[channel];
      });
    },
  }),
});
