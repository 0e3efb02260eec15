// `nabla train mnist`: handwritten digits of 28×28 pixels. The files are looked for in NABLA_DATA (see `mnist`).
//
// 5,000 of the 60,000 training images are kept to validate. The settings are usual ones and were not tuned; the test images
// are looked at once, when a run is complete, and took no part in any choice.

import { DataLoader, mnist } from '../../data/index.js';
import { compose, normalize, randomAffine } from '../../data/transforms/index.js';
import { Accuracy } from '../../metrics/index.js';
import { type Classifier, cnn, lenet5, mlp } from '../../models/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { reportConfusion } from './confusion-report.js';

const CLASSES = [...'0123456789'];
const [MEAN, STD] = [0.1307, 0.3081];

const MODELS: Readonly<Record<string, () => Classifier>> = {
  cnn: () =>
    cnn({
      channels: 1,
      stages: [
        [16, 16],
        [32, 32],
        [64, 64],
      ],
      dropout: 0.1,
    }),
  lenet: () => lenet5({ padding: 2 }),
  mlp: () => mlp([784, 512, 256, 10]),
};

export default defineRun({
  name: 'mnist',
  title: 'Training on handwritten digits (MNIST)',
  settings: { model: 'cnn', epochs: 6, lr: 0.005, batchSize: 128, weightDecay: 0.01, augment: true },
  choices: { model: Object.keys(MODELS) },

  async create({ model: name, epochs, lr, batchSize, weightDecay, augment, seed }) {
    const { train: all, test } = await mnist();
    const { train, validation } = all.split({ train: 11 / 12, validation: 1 / 12 }, { seed: 0, stratify: 'y' });
    const plain = normalize(MEAN, STD);
    const moved = randomAffine({ degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1], interpolation: 'bilinear' });
    const model = MODELS[name]();
    const tested = test.transformed('x', plain);
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train.transformed('x', augment ? compose(moved, plain) : plain), {
        batchSize,
        shuffle: true,
        dropLast: true,
        seed,
      }),
      validation: new DataLoader(validation.transformed('x', plain), { batchSize: 500 }),
      test: new DataLoader(tested, { batchSize: 500 }),
      metrics: { accuracy: new Accuracy() },
      schedule: (step, total) => oneCycle(step, total, lr),
      epochs,
      classes: 10,
      report: (page) => reportConfusion(page, model, tested, [1, 28, 28], CLASSES),
    };
  },

  predictor: ({ model }) => ({
    kind: 'image',
    model: MODELS[model](),
    shape: [1, 28, 28],
    classes: CLASSES,
    most: 255,
    background: 'black',
    margin: 4,
    prepare: (pixels) => pixels.forEach((p, i) => (pixels[i] = (p - MEAN) / STD)),
  }),
});
