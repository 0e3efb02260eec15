// `nabla train few-labels`: a classifier of digits of which only a few have labels. --set encoder=RUN names a run of
// `nabla train autoencoder --model conv --set latent=32`, whose encoder has seen all digits without labels, and with which it begins;
// otherwise it begins from scratch. The validation digits choose the epoch.

import { DataLoader } from '../../data/index.js';
import { Accuracy } from '../../metrics/index.js';
import { ConvAutoencoder } from '../../models/index.js';
import { BatchNorm1d, Linear, ReLU, Sequential, crossEntropy } from '../../nn/index.js';
import { AdamW, cosine, layerwiseGroups } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { beginWith } from './generative/encoder.js';
import { PICTURE_SETS, openPictures } from './generative/pictures.js';

export default defineRun({
  name: 'few-labels',
  title: 'Digits of which few have labels',
  settings: {
    data: 'mnist',
    encoder: '',
    labels: 100,
    latent: 32,
    width: 16,
    epochs: 60,
    lr: 0.002,
    encoderRate: 0.3,
    batchSize: 20,
  },
  choices: { data: PICTURE_SETS },

  async create({ data, encoder: path, labels, latent, width, epochs, lr, encoderRate, batchSize, seed }) {
    const { train, validation, test, shape } = await openPictures(data);
    const { labelled } = train.split({ labelled: labels }, { seed, stratify: 'y' });
    const { encoder } = new ConvAutoencoder({ shape, latent, width });
    const settings = { model: 'conv', data };
    if (path !== '')
      await beginWith(path, { option: 'encoder', run: 'autoencoder', settings, prefix: 'encoder.' }, encoder);
    // the encoder's numbers are of any size
    const head = new Sequential(new BatchNorm1d<number>(latent), new ReLU(), new Linear<number, 10>(latent, 10));
    const model = new Sequential(encoder, head);
    const groups = layerwiseGroups([encoder, head], { lr, decay: path === '' ? 1 : encoderRate });
    return {
      model,
      optimizer: new AdamW(groups, { weightDecay: 0.01 }),
      train: new DataLoader(labelled, { batchSize, shuffle: true, seed }),
      validation: new DataLoader(validation, { batchSize: 500 }),
      test: new DataLoader(test, { batchSize: 500 }),
      forward(_, { x, y }) {
        const output = head.forward(encoder.forward(x));
        return { loss: crossEntropy(output, y), output, target: y };
      },
      metrics: { accuracy: new Accuracy() },
      schedule: groups.map(
        ({ lr: own }) =>
          (step: number, total: number) =>
            cosine(step, total, own),
      ),
      validateEvery: 5,
      checkpoint: { monitor: 'accuracy' },
      restoreBest: true,
      epochs,
      classes: 10,
    };
  },
});
