// `nabla finetune`: a network that others have trained learns the classes of a folder of pictures. A new last layer learns first; what is
// below it is frozen, for good or for some epochs, and learns at a rate of its own.
//   Statistics of batch normalisation stay those of the network that it begins with: folders are small.

import { resolve } from 'node:path';
import { DataLoader } from '../../data/index.js';
import { Accuracy } from '../../metrics/index.js';
import { auxiliaryCrossEntropy } from '../../models/index.js';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, type Module } from '../../nn/index.js';
import { AdamW, cosine } from '../../optim/index.js';
import { type Callback, type ImagePredictor, defineRun } from '../../train/index.js';
import { CliError } from '../errors.js';
import { makeNetwork } from '../finetune/network.js';
import { AUGMENTATIONS, type AugmentationName, openSets } from '../finetune/pictures.js';
import { preprocessingFor } from '../networks/pictures.js';

export default defineRun({
  name: 'finetune',
  title: 'Fine-tuning a network on folders of pictures',
  settings: {
    model: '',
    weights: '',
    data: '',
    size: '',
    features: '',
    preprocess: 'imagenet',
    augment: 'light',
    validation: 0.2,
    epochs: 10,
    lr: 0.001,
    bodyLr: 0.0001,
    batchSize: 16,
    weightDecay: 0.01,
    freeze: true,
    unfreeze: 0,
  },
  choices: { augment: AUGMENTATIONS },

  async create({ data, preprocess: name, augment, validation: share, batchSize, seed, ...settings }) {
    if (settings.model === '' || data === '')
      throw new CliError(
        'fine-tuning begins with a model and a folder: nabla finetune resnet18 photos --weights resnet18.pth',
      );
    if (!(share > 0 && share < 1)) throw new CliError(`--validation ${share}: use a number between 0 and 1.`);
    const { epochs, lr, bodyLr, weightDecay, freeze, unfreeze } = settings;
    // The size is known with the network, and the number of classes with the folder: the network comes second.
    const trial = await makeNetwork(networkSettings(settings), 2);
    const preprocess = preprocessingFor(trial.shape, name);
    const chosen = AUGMENTATIONS.find((one) => one === augment) ?? ('light' satisfies AugmentationName);
    const { classes, train, validation, test } = await openSets({
      root: resolve(data),
      preprocess,
      augment: chosen,
      share,
    });
    const { model, head, body } = await makeNetwork(networkSettings(settings), classes.length);
    for (const parameter of body) parameter.requiresGrad_(!freeze);
    const learnsBody = !freeze || unfreeze > 0;
    const stepsPerEpoch = Math.ceil(train.length / batchSize);
    const begin = freeze ? unfreeze * stepsPerEpoch : 0;
    const bodyRate = (step: number, total: number): number => cosine(Math.max(0, step - begin), total - begin, bodyLr);
    const groups = [{ params: head, lr }, ...(learnsBody ? [{ params: body, lr: bodyLr }] : [])];
    return {
      model,
      optimizer: new AdamW(groups, { weightDecay }),
      train: new DataLoader(train, { batchSize, shuffle: true, seed, prefetch: 2 }),
      validation: new DataLoader(validation, { batchSize, prefetch: 2 }),
      ...(test !== undefined && { test: new DataLoader(test, { batchSize, prefetch: 2 }) }),
      forward(_, { x, y }) {
        const output = model.forward(x);
        const [logits] = Array.isArray(output) ? output : [output];
        return { loss: auxiliaryCrossEntropy(output, y), output: logits, target: y };
      },
      metrics: { accuracy: new Accuracy() },
      schedule: [(step: number, total: number) => cosine(step, total, lr), ...(learnsBody ? [bodyRate] : [])],
      epochs,
      classes: classes.length,
      callbacks: [asFarAs(model, body, freeze ? (unfreeze > 0 ? unfreeze : Infinity) : 0)],
      facts: { classes },
    };
  },

  async predictor({ preprocess: name, ...settings }, { classes }): Promise<ImagePredictor> {
    if (!Array.isArray(classes) || !classes.every((one) => typeof one === 'string'))
      throw new CliError('config.json does not say which classes the network has learned (facts.classes).');
    const { model, shape } = await makeNetwork({ ...networkSettings(settings), weights: '' }, classes.length);
    const { mean, std } = preprocessingFor(shape, name).settings;
    const plane = shape[1] * shape[2];
    return {
      kind: 'image',
      model: model.eval() as ImagePredictor['model'], // in evaluation it gives logits alone
      shape,
      classes,
      most: 255,
      prepare(pixels) {
        for (let i = 0; i < pixels.length; i++) {
          const channel = Math.floor(i / plane) % shape[0];
          pixels[i] = (pixels[i] - mean[channel]) / std[channel];
        }
      },
    };
  },
});

interface NetworkTexts {
  readonly model: string;
  readonly weights: string;
  readonly size: string;
  readonly features: string;
}

function networkSettings({ model, weights, size, features }: NetworkTexts) {
  const [height, width = height] = size.split('x').map(Number);
  return { model, weights, features, size: size === '' ? undefined : ([height, width] as const) };
}

/** Before each epoch: the body learns after so many, and batch normalisation measures nothing. */
function asFarAs(model: Module, body: readonly { requiresGrad_(flag: boolean): unknown }[], frozen: number): Callback {
  return {
    onEpochStart(_, epoch) {
      for (const parameter of body) parameter.requiresGrad_(epoch > frozen);
      for (const [, part] of model.namedModules())
        if (part instanceof BatchNorm1d || part instanceof BatchNorm2d || part instanceof BatchNorm3d)
          part.training = false;
    },
  };
}
