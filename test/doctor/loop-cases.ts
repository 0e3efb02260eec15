// Trainings with a mistake in the loop or in the data, and the name that it has to be given.
import { type Tensor, type AnyTensor, randn } from '../../src/index.js';
import { HostRandom } from '../../src/data/index.js';
import { Flatten, Linear, ReLU, Softmax } from '../../src/nn/index.js';
import { Adam } from '../../src/optim/index.js';
import {
  type Batch,
  type Case,
  type Data,
  WithSpare,
  both,
  change,
  cnn,
  digitsOf,
  dropoutNet,
  loop,
  made,
  mlp,
  net,
  sgd,
  training,
} from './support.js';

export const PROCESS_CASES: readonly Case[] = [
  {
    name: 'zeroGrad is never called',
    expected: 'forgotten-zero-grad',
    run: training(mlp, () => ({ zeroGrad: false })),
  },
  {
    name: 'evaluation mode all the time',
    expected: 'eval-in-training',
    run: training(
      () => dropoutNet(),
      () => ({ mode: 'always-eval' }),
    ),
  },
  {
    name: 'training mode all the time, dropout',
    isExtra: true,
    expected: 'train-in-validation',
    run: training(
      () => dropoutNet(),
      () => ({ mode: 'always-train' }),
    ),
  },
  {
    name: 'training mode all the time, batch norm',
    expected: 'train-in-validation',
    run: training(cnn, () => ({ mode: 'always-train' })),
  },
  {
    name: 'softmax before cross entropy',
    expected: 'softmax-before-loss',
    run: training(() => net(mlp(), new Softmax(1))),
  },
  {
    name: 'half of the parameters passed to the optimiser',
    expected: 'unoptimised-parameters',
    run: training(mlp, (model) => ({ optimizer: new Adam(model.parameters().slice(4), { lr: 3e-3 }) })),
  },
  {
    name: 'optimiser of another model',
    isExtra: true,
    expected: 'unoptimised-parameters',
    also: ['no-updates'],
    run: async (seed) => {
      const model = made(seed, mlp);
      const other = mlp();
      return loop(seed, { model, optimizer: new Adam(other.parameters(), { lr: 3e-3 }), epochs: 1 });
    },
  },
  {
    name: 'a layer in the middle is frozen',
    expected: 'frozen-parameters',
    run: training(mlp, (model) => {
      model.parameters()[2].requiresGrad_(false);
      return {};
    }),
  },
  {
    name: 'a layer that the loss does not reach',
    expected: 'unconnected-parameters',
    run: training(() => new WithSpare()),
  },
  {
    name: 'learning rate 0',
    isExtra: true,
    expected: 'no-updates',
    run: training(mlp, (model) => ({ optimizer: sgd(model, 0) })),
  },
  { name: 'step() is never called', expected: 'no-updates', run: training(mlp, () => ({ step: false, epochs: 2 })) },
  {
    name: 'batch norm of single samples',
    expected: 'batch-norm-of-one',
    run: training(cnn, (_, seed) => ({ batchSize: 1, epochs: 2, data: digitsOf(seed, 100) })),
  },
];

const NOISE = (seed: number) => {
  const random = new HostRandom(seed, 5);
  return () => Math.floor(random.uniform() * 10);
};

export const DATA_CASES: readonly Case[] = [
  {
    name: 'pixels from 0 to 255 and more',
    expected: 'unnormalised-inputs',
    run: training(mlp, (model, seed) => ({
      optimizer: sgd(model, 0.05),
      data: both(digitsOf(seed), (data) => change(data, { x: (v) => 120 + 80 * v })),
    })),
  },
  {
    name: 'inputs far from 0',
    isExtra: true,
    expected: 'unnormalised-inputs',
    run: training(mlp, (model, seed) => ({
      optimizer: sgd(model, 0.05),
      data: both(digitsOf(seed), (data) => change(data, { x: (v) => 40 + v })),
    })),
  },
  {
    name: 'NaN among the inputs',
    expected: 'input-not-finite',
    run: training(mlp, (_, seed) => ({
      epochs: 1,
      data: both(digitsOf(seed), (data) => change(data, { x: (v, i) => (i % 997 === 0 ? NaN : v) })),
    })),
  },
  {
    name: 'random labels, small network',
    isExtra: true,
    expected: 'shuffled-labels',
    run: training(mlp, (_, seed) => ({ data: both(digitsOf(seed), (data) => change(data, { y: NOISE(seed) })) })),
  },
  {
    name: 'labels shuffled, memorised',
    expected: 'shuffled-labels',
    run: training(
      () => net(new Flatten(), new Linear(64, 200), new ReLU(), new Linear(200, 10)),
      (_, seed) => ({
        epochs: 15,
        data: both(digitsOf(seed), (data) => change(data, { y: NOISE(seed) })),
      }),
    ),
  },
  {
    name: 'all labels the same',
    expected: 'constant-labels',
    run: training(mlp, (_, seed) => ({ data: both(digitsOf(seed), (data) => change(data, { y: () => 3 })) })),
  },
  {
    name: 'sorted by class, not shuffled',
    expected: 'forgotten-shuffle',
    run: training(mlp, (model, seed) => {
      const { train, validation } = digitsOf(seed);
      const y = train.column('y');
      const order = [...y.keys()].sort((a, b) => y[a] - y[b]);
      return { optimizer: sgd(model, 0.05), shuffle: false, data: { train: train.subset(order) as Data, validation } };
    }),
  },
  {
    name: 'the first batch again and again',
    expected: 'same-batch',
    run: training(mlp, () => {
      let first: Batch | undefined;
      return {
        async *batches(loader) {
          for await (const batch of loader) yield (first ??= batch);
        },
      };
    }),
  },
  {
    name: 'labels from 1 to 9 of 20 classes',
    expected: 'wrong-classes',
    run: training(
      () => net(new Flatten(), new Linear(64, 32), new ReLU(), new Linear(32, 20)),
      () => ({ epochs: 20 }),
    ),
  },
  {
    name: 'training samples are validated',
    expected: 'validation-easier',
    run: training(
      () => net(new Flatten(), new Linear(64, 48), new ReLU(), new Linear(48, 10)),
      (_, seed) => {
        const { train } = digitsOf(seed);
        return {
          data: { train, validation: train },
          epochs: 8,
          // what makes training harder than the copies that have leaked
          async *batches(loader) {
            for await (const { x, y } of loader)
              yield { x: (x as Tensor).add(randn(x.shape).mul(1.5)) as AnyTensor, y };
          },
        };
      },
    ),
  },
];
