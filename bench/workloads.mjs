// The training workloads: a model, its optimiser, one fixed batch. Definitions: docs/performance.md.

import { tensor } from 'nabla';
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Parameter,
  ReLU,
  Sequential,
  Tanh,
  bceWithLogits,
  crossEntropy,
} from 'nabla/nn';
import { Adam, AdamW, SGD } from 'nabla/optim';
import { integers, uniform } from './hash.mjs';
import { CharLSTM, GPT, LSTM, ResNet18, UNet } from './models.mjs';

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const image = (shape) => tensor(uniform(1, size(shape)), { shape });
const labels = (n, classes) => tensor(integers(2, n, classes));
const text = (seed, shape) => tensor(integers(seed, size(shape), 65), { shape });

/**
 * Parameters in order get seeds 100, 101, …; normalisation starts at 1 and 0, the rest uniform in ±bound, which is
 * 1/√fan-in unless the module has a rule of its own.
 */
function hashWeights(model, bound) {
  let seed = 100;
  let k = 0;
  for (const [, module] of model.namedModules()) {
    for (const [name, p] of Object.entries(module)) {
      if (!(p instanceof Parameter)) continue;
      const n = size(p.shape);
      if (module instanceof BatchNorm2d || module instanceof LayerNorm)
        p.assign_(tensor(new Float32Array(n).fill(name === 'weight' ? 1 : 0), { shape: p.shape }));
      else {
        if (bound !== undefined) k = bound;
        else if (module instanceof Embedding) k = 1;
        else if (module instanceof LSTM) k = 1 / Math.sqrt(module.hidden);
        else if (module instanceof ConvTranspose2d) k = 1 / Math.sqrt(4 * module.weight.shape[0]);
        else if (name === 'weight') k = 1 / Math.sqrt(n / p.shape[0]);
        p.assign_(tensor(uniform(seed, n, k), { shape: p.shape }));
      }
      seed++;
    }
  }
  return model;
}

/** Cross-entropy at every position. */
const everyPosition = (output, target) => crossEntropy(output.reshape([-1, output.shape.at(-1)]), target.reshape([-1]));

const block = (i, o) => [new Conv2d(i, o, 3, { padding: 1, bias: false }), new BatchNorm2d(o), new ReLU()];

export const WORKLOADS = {
  W1: () => {
    const model = hashWeights(
      new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, 10)),
    );
    return {
      model,
      optimizer: new Adam(model.parameters(), { lr: 1e-3 }),
      x: image([128, 784]),
      y: labels(128, 10),
      batch: 128,
      loss: crossEntropy,
    };
  },
  W2: () => {
    const model = hashWeights(
      new Sequential(
        new Conv2d(1, 6, 5),
        new Tanh(),
        new AvgPool2d(2),
        new Conv2d(6, 16, 5),
        new Tanh(),
        new AvgPool2d(2),
        new Conv2d(16, 120, 5),
        new Tanh(),
        new Flatten(),
        new Linear(120, 84),
        new Tanh(),
        new Linear(84, 10),
      ),
    );
    return {
      model,
      optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }),
      x: image([64, 1, 32, 32]),
      y: labels(64, 10),
      batch: 64,
      loss: crossEntropy,
    };
  },
  W3: () => {
    const model = hashWeights(
      new Sequential(
        ...block(3, 32),
        ...block(32, 32),
        new MaxPool2d(2),
        ...block(32, 64),
        ...block(64, 64),
        new MaxPool2d(2),
        ...block(64, 128),
        new AdaptiveAvgPool2d(1),
        new Flatten(),
        new Linear(128, 10),
      ),
    );
    return {
      model,
      optimizer: new Adam(model.parameters(), { lr: 1e-3 }),
      x: image([64, 3, 32, 32]),
      y: labels(64, 10),
      batch: 64,
      loss: crossEntropy,
    };
  },
  W4: () => {
    const model = hashWeights(new ResNet18());
    return {
      model,
      optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 }),
      x: image([32, 3, 32, 32]),
      y: labels(32, 10),
      batch: 32,
      loss: crossEntropy,
    };
  },
  W5: () => {
    const model = hashWeights(new CharLSTM());
    return {
      model,
      optimizer: new Adam(model.parameters(), { lr: 2e-3 }),
      x: text(1, [32, 64]),
      y: text(2, [32, 64]),
      batch: 32,
      loss: everyPosition,
      clip: 1,
    };
  },
  W6: () => {
    const model = hashWeights(new GPT(), 0.02 * Math.sqrt(3));
    const parameters = model.parameters();
    const groups = [
      { params: parameters.filter((p) => p.rank >= 2), weightDecay: 0.1 },
      { params: parameters.filter((p) => p.rank < 2), weightDecay: 0 },
    ];
    return {
      model,
      optimizer: new AdamW(groups, { lr: 1e-3, betas: [0.9, 0.99] }),
      x: text(1, [12, 64]),
      y: text(2, [12, 64]),
      batch: 12,
      loss: everyPosition,
    };
  },
  W7: () => {
    const model = hashWeights(new UNet());
    return {
      model,
      optimizer: new Adam(model.parameters(), { lr: 1e-3 }),
      x: image([8, 1, 64, 64]),
      y: tensor(Float32Array.from(integers(2, 8 * 64 * 64, 2)), { shape: [8, 1, 64, 64] }),
      batch: 8,
      loss: bceWithLogits,
    };
  },
};

/** Inference: ResNet-18 as for ImageNet, on one image. */
export const INFERENCE = {
  I1: () => ({
    model: hashWeights(new ResNet18({ imagenet: true, classes: 1000 })).eval(),
    x: image([1, 3, 224, 224]),
  }),
};
