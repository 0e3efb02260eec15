// Trainings with a mistake in the network or its rates, and the name that it has to be given; and trainings without any.
import type { Tensor, AnyTensor } from '../../src/index.js';
import { ArrayDataset, HostRandom } from '../../src/data/index.js';
import { BatchNorm1d, Dropout, Flatten, Linear, ReLU, Sigmoid, Tanh, init } from '../../src/nn/index.js';
import { Adam, AdamW, SGD } from '../../src/optim/index.js';
import {
  type Case,
  type Data,
  SequenceNet,
  adam,
  both,
  change,
  cnn,
  deep,
  digitsOf,
  dropoutNet,
  forEachWeight,
  mlp,
  mse,
  net,
  sgd,
  shapeOf,
  swings,
  themselves,
  training,
  waves,
  zeroBiases,
} from './support.js';

export const RATE_CASES: readonly Case[] = [
  {
    name: 'SGD at 40 times the good rate',
    expected: 'lr-too-high',
    run: training(mlp, (model) => ({ optimizer: sgd(model, 12) })),
  },
  {
    name: 'Adam at 1',
    isExtra: true,
    expected: 'lr-too-high',
    run: training(mlp, (model) => ({ optimizer: adam(model, 1) })),
  },
  {
    name: 'SGD at 1 on a regression',
    isExtra: true,
    expected: 'lr-too-high',
    run: training(
      () => net(new Linear(6, 32), new ReLU(), new Linear(32, 1)),
      (model, seed) => ({
        optimizer: sgd(model, 2),
        loss: mse,
        data: waves(seed),
      }),
    ),
  },
  {
    name: 'SGD at 1e-5',
    isExtra: true,
    expected: 'lr-too-low',
    run: training(mlp, (model) => ({ optimizer: sgd(model, 1e-5) })),
  },
  { name: 'Adam at 1e-6', expected: 'lr-too-low', run: training(mlp, (model) => ({ optimizer: adam(model, 1e-6) })) },
  {
    name: 'momentum 0.998',
    expected: 'momentum-too-high',
    run: training(mlp, (model) => ({ optimizer: sgd(model, 0.1, { momentum: 0.998 }) })),
  },
  {
    name: 'weights of deviation 1',
    expected: 'initialisation-too-large',
    run: training(mlp, (model) => {
      forEachWeight(model, (w) => init.normal_(w, 0, 1));
      return { optimizer: sgd(model, 1e-3) };
    }),
  },
  {
    name: 'tanh, weights of deviation 1 (lecture 7)',
    isExtra: true,
    expected: 'initialisation-too-large',
    run: training(
      () => deep(6, () => new Tanh(), 64),
      (model) => {
        forEachWeight(model, (w) => init.normal_(w, 0, 1));
        return { optimizer: sgd(model, 0.01) };
      },
    ),
  },
  {
    name: 'tanh, weights of deviation 0.01 (lecture 7)',
    expected: 'initialisation-too-small',
    run: training(
      () => deep(6, () => new Tanh(), 64),
      (model) => {
        forEachWeight(model, (w) => init.normal_(w, 0, 0.01));
        zeroBiases(model);
        return { optimizer: sgd(model, 0.05) };
      },
    ),
  },
  {
    name: 'all weights 0',
    expected: 'symmetric-initialisation',
    run: training(mlp, (model) => {
      for (const p of model.parameters()) init.zeros_(p as never);
      return {};
    }),
  },
  {
    name: 'all weights 0.1',
    isExtra: true,
    expected: 'symmetric-initialisation',
    run: training(mlp, (model) => {
      forEachWeight(model, (w) => init.constant_(w, 0.1));
      zeroBiases(model);
      return {};
    }),
  },
  {
    name: 'log of 0 in a loss of its own',
    expected: 'loss-not-finite',
    run: training(
      () => mlp(),
      () => ({
        // softmax and logarithm one after the other, at a temperature that makes probabilities 0
        loss: (output, target) => {
          const p = (output.mul(2000) as Tensor).softmax(1) as Tensor;
          const labels = (target as Tensor<number[], 'int32'>).unsqueeze(1);
          return (p.log() as Tensor)
            .gather(1, labels as never)
            .mean()
            .neg() as AnyTensor;
        },
      }),
    ),
  },
];

export const LAYER_CASES: readonly Case[] = [
  {
    name: 'biases of -20',
    expected: 'dead-relus',
    run: training(mlp, (model) => {
      model
        .parameters()
        .filter((p) => p.rank === 1)
        .slice(0, -1)
        .forEach((b) => init.constant_(b as never, -20));
      return {};
    }),
  },
  {
    name: 'eight sigmoids',
    expected: 'vanishing-gradients',
    run: training(
      () => deep(8, () => new Sigmoid()),
      (model) => ({ optimizer: sgd(model, 0.1) }),
    ),
  },
  {
    name: 'ReLU network, gains of 4',
    isExtra: true,
    expected: 'exploding-gradients',
    also: ['initialisation-too-large'],
    run: training(
      () => deep(8, () => new ReLU()),
      (model) => {
        forEachWeight(model, (w, i) => init.normal_(w, 0, i === 0 ? 1e-6 : i === 8 ? 0.05 : 1.2));
        return { optimizer: sgd(model, 0.01) };
      },
    ),
  },
  {
    name: 'recurrent weights of gain 3, ReLU',
    expected: 'exploding-gradients',
    run: training(
      () => new SequenceNet(1, 'relu'),
      (model, seed) => {
        forEachWeight(model, (w) => {
          if (w.shape[0] === 24 && w.shape[1] === 24) init.normal_(w, 0, 0.8);
        });
        const data = both(swings(seed), (part) => {
          const y = Float32Array.from(part.column('y'), (v) => v - 1);
          return new ArrayDataset({
            x: { data: part.column('x') as Float32Array, shape: shapeOf(part, 'x') },
            y: { data: y, shape: [1] },
          }) as Data;
        });
        return { optimizer: sgd(model, 1e-3), data, loss: mse };
      },
    ),
  },
  {
    name: 'tanh driven to its ends by a bias',
    expected: 'saturated-activations',
    run: training(
      () => deep(3, () => new Tanh()),
      (model) => {
        const biases = model
          .parameters()
          .filter((p) => p.rank === 1)
          .slice(0, -1);
        for (const b of biases) init.constant_(b as never, 6);
        return { optimizer: sgd(model, 0.05) };
      },
    ),
  },
  {
    name: 'weight decay 2',
    expected: 'too-much-weight-decay',
    run: training(mlp, (model) => ({ optimizer: new SGD(model.parameters(), { lr: 0.05, weightDecay: 1 }) })),
  },
  {
    name: 'dropout 0.95',
    expected: 'too-much-dropout',
    run: training(() =>
      net(
        new Flatten(),
        new Linear(64, 48),
        new ReLU(),
        new Dropout(0.95),
        new Linear(48, 24),
        new ReLU(),
        new Dropout(0.95),
        new Linear(24, 10),
      ),
    ),
  },
];

export const CURVE_CASES: readonly Case[] = [
  {
    name: 'large network, 40 samples with noise',
    expected: 'overfitting',
    run: training(
      () => net(new Flatten(), new Linear(64, 128), new ReLU(), new Linear(128, 10)),
      (_, seed) => {
        const { train, validation } = digitsOf(seed, 60);
        const random = new HostRandom(seed, 3);
        const noisy = change(train, { x: (v) => v + 1.2 * random.normal() });
        return {
          data: { train: noisy, validation: change(validation, { x: (v) => v + 1.2 * random.normal() }) },
          batchSize: 20,
          epochs: 40,
        };
      },
    ),
  },
  {
    name: 'polynomial-like fit of 24 noisy points',
    isExtra: true,
    expected: 'overfitting',
    run: training(
      () => net(new Linear(6, 128), new ReLU(), new Linear(128, 1)),
      (model, seed) => {
        const { train, validation } = waves(seed, 1, 1);
        return {
          data: { train: train.subset([...Array(32).keys()]) as Data, validation },
          optimizer: adam(model, 0.01),
          batchSize: 16,
          epochs: 60,
          loss: mse,
        };
      },
    ),
  },
  {
    name: 'one hidden unit',
    expected: 'underfitting',
    run: training(
      () => net(new Flatten(), new Linear(64, 1), new Tanh(), new Linear(1, 10)),
      (model) => ({ optimizer: adam(model, 0.01), epochs: 12 }),
    ),
  },
];

export const HEALTHY_CASES: readonly Case[] = [
  { name: 'MLP, Adam', expected: undefined, run: training(mlp) },
  {
    name: 'MLP, SGD with momentum',
    isExtra: true,
    expected: undefined,
    run: training(mlp, (model) => ({ optimizer: sgd(model, 0.05, { momentum: 0.9 }), epochs: 10 })),
  },
  { name: 'CNN with batch norm', expected: undefined, run: training(cnn) },
  {
    name: 'dropout',
    expected: undefined,
    run: training(
      () => dropoutNet(0.5),
      () => ({ epochs: 10 }),
    ),
  },
  {
    name: 'RNN',
    expected: undefined,
    run: training(
      () => new SequenceNet(3),
      (model, seed) => ({ data: swings(seed), optimizer: adam(model, 0.01), epochs: 12 }),
    ),
  },
  {
    name: 'autoencoder',
    expected: undefined,
    run: training(
      () =>
        net(
          new Linear(64, 32),
          new ReLU(),
          new Linear(32, 12),
          new ReLU(),
          new Linear(12, 32),
          new ReLU(),
          new Linear(32, 64),
        ),
      (model, seed) => ({ data: themselves(seed), loss: mse, optimizer: adam(model, 5e-3), epochs: 10 }),
    ),
  },
  {
    name: 'regression',
    expected: undefined,
    run: training(
      () => net(new Linear(6, 32), new Tanh(), new Linear(32, 1)),
      (model, seed) => ({ data: waves(seed), loss: mse, optimizer: adam(model, 0.01), epochs: 12 }),
    ),
  },
  {
    name: 'deep tanh network, Xavier',
    isExtra: true,
    expected: undefined,
    run: training(
      () => deep(5, () => new Tanh()),
      (model) => {
        forEachWeight(model, (w) => init.xavierNormal_(w));
        return { optimizer: adam(model, 2e-3), epochs: 8 };
      },
    ),
  },
  {
    name: 'batch norm MLP, AdamW with decay, warm-up',
    expected: undefined,
    run: training(
      () => net(new Flatten(), new Linear(64, 48), new BatchNorm1d(48), new ReLU(), new Linear(48, 10)),
      (model) => ({
        optimizer: new AdamW(model.parameters(), { lr: 3e-3, weightDecay: 0.05 }),
        schedule: (step) => 3e-3 * Math.min(1, step / 20),
        epochs: 6,
      }),
    ),
  },
  {
    name: 'fine-tuning: first layers frozen',
    isExtra: true,
    expected: undefined,
    run: training(mlp, (model) => {
      model
        .parameters()
        .slice(0, 2)
        .forEach((p) => p.requiresGrad_(false));
      return { optimizer: new Adam(model.parameters().slice(2), { lr: 5e-3 }), epochs: 10 };
    }),
  },
];
