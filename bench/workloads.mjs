// The training workloads: a model, its optimiser, one fixed batch. Definitions: docs/performance.md.

import { tensor } from 'nabla';
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  Tanh,
  crossEntropy,
} from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';
import { integers, uniform } from './hash.mjs';

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const image = (shape) => tensor(uniform(1, size(shape)), { shape });
const labels = (n, classes) => tensor(integers(2, n, classes));

/** Parameters in order get seeds 100, 101, …; normalisation starts at 1 and 0, the rest uniform in ±1/√fan-in. */
function hashWeights(model) {
  let seed = 100;
  let k = 0;
  for (const [, module] of [...model.namedModules()].map((m) => (Array.isArray(m) ? m : [m[0], m[1]]))) {
    for (const name of ['weight', 'bias']) {
      const p = module[name];
      if (p === undefined || p.shape === undefined) continue;
      const n = size(p.shape);
      if (module instanceof BatchNorm2d)
        p.assign_(tensor(new Float32Array(n).fill(name === 'weight' ? 1 : 0), { shape: p.shape }));
      else {
        if (name === 'weight') k = 1 / Math.sqrt(n / p.shape[0]);
        p.assign_(tensor(uniform(seed, n, k), { shape: p.shape }));
      }
      seed++;
    }
  }
  return model;
}

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
};
