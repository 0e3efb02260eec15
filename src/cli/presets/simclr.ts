// `nabla train simclr`: features of small colour pictures without their labels (CIFAR-10, looked for in NABLA_DATA). Two views of each
// picture have to find each other; a linear classifier of the features (the probe) says how good they are, in the end beside one of the
// features of an untrained network.

import { DataLoader, cifar10 } from '../../data/index.js';
import {
  colorJitter,
  compose,
  normalize,
  randomApply,
  randomGrayscale,
  randomHorizontalFlip,
  randomResizedCrop,
  twoViews,
} from '../../data/transforms/index.js';
import { SimCLR, cnnBody } from '../../models/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type Evaluation, defineRun } from '../../train/index.js';
import { linearProbe } from './generative/probe.js';

const MEAN = [0.4914, 0.4822, 0.4465];
const STD = [0.247, 0.2435, 0.2616];

/** Four convolutions, each at half the size of the one before: [N, 3, 32, 32] → [N, 4 · width]. */
const createEncoder = (width: number) =>
  cnnBody({ channels: 3, stages: [[width], [2 * width], [4 * width], [4 * width]] });

export default defineRun({
  name: 'simclr',
  title: 'Features of small colour pictures without labels (CIFAR-10, SimCLR)',
  settings: { epochs: 30, lr: 0.003, batchSize: 256, width: 32, projection: 64, temperature: 0.5, weightDecay: 1e-4 },

  async create({ epochs, lr, batchSize, width, projection, temperature, weightDecay, seed }) {
    const { train: all, test } = await cifar10();
    const { train, validation } = all.split({ train: 0.9, validation: 0.1 }, { seed: 0, stratify: 'y' });
    const plain = normalize(MEAN, STD);
    const [known, watched, asked] = [train, validation, test].map((set) => set.transformed('x', plain));
    const change = compose(
      randomResizedCrop(32, { scale: [0.2, 1] }),
      randomHorizontalFlip(),
      randomApply(colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }), 0.8),
      randomGrayscale(0.2),
      plain,
    );
    const encoder = createEncoder(width);
    const model = new SimCLR({ encoder, features: 4 * width, projection, temperature });
    const before = createEncoder(width);
    before.eval();
    const probe = (set: typeof asked): Evaluation => ({
      measures: { probe: 'higher' },
      evaluate: async () => ({ probe: await linearProbe((x) => encoder.forward(x), known, set) }),
    });
    /** Beside the features of an untrained network. */
    const compared: Evaluation = {
      measures: { probe: 'higher', random: 'higher', gain: 'higher' },
      async evaluate() {
        const learned = await linearProbe((x) => encoder.forward(x), known, asked);
        const random = await linearProbe((x) => before.forward(x), known, asked);
        return { probe: learned, random, gain: learned - random };
      },
    };
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train.transformedSamples(twoViews(change)), {
        batchSize,
        shuffle: true,
        dropLast: true,
        seed,
      }),
      forward: (_, { a, b }) => model.loss(a, b),
      validation: probe(watched),
      validateEvery: 10,
      test: compared,
      checkpoint: { monitor: 'probe' },
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.1 }),
      epochs,
    };
  },
});
