// `nabla train dcgan`: pictures of digits from random numbers, by two networks that work against each other. Of MNIST (looked for in
// NABLA_DATA) or, with --set data=digits, of the small digits of the package. --set judge=RUN names a run of `nabla train mnist` (or digits), whose
// network then scores the samples after each epoch.

import { DataLoader } from '../../data/index.js';
import { DCGAN, GAN } from '../../models/index.js';
import { Adam } from '../../optim/index.js';
import { Alternating, defineRun } from '../../train/index.js';
import { Film, drawSheet, fixedNoise, picturesOf } from './generative/film.js';
import { judged, openJudge } from './generative/judge.js';
import { PICTURE_SETS, openPictures } from './generative/pictures.js';

/** Samples that the judge sees after an epoch, and in the end. */
const [FEW, MANY] = [500, 1000];

export default defineRun({
  name: 'dcgan',
  title: 'Making up pictures of digits (adversarial networks)',
  settings: {
    model: 'dcgan',
    data: 'mnist',
    judge: '',
    epochs: 15,
    lr: 0.0005,
    batchSize: 128,
    width: 32,
    latent: 64,
    labelSmoothing: 0.1,
    spectralNorm: false,
  },
  choices: { model: ['dcgan', 'gan'], data: PICTURE_SETS },

  async create({ model, data, judge: path, epochs, lr, batchSize, width, latent, labelSmoothing, spectralNorm, seed }) {
    const { train, shape } = await openPictures(data);
    const judge = await openJudge(path, data);
    const common = { shape, latent, spectralNorm };
    const gan = model === 'gan' ? new GAN(common) : new DCGAN({ ...common, width });
    const betas = [0.5, 0.999] as const;
    const fixed = fixedNoise(seed, [10, latent]);
    const film = new Film(() => gan.generate(fixed));
    return {
      model: gan,
      optimizer: new Alternating({
        discriminator: new Adam(gan.discriminator.parameters(), { lr, betas }),
        generator: new Adam(gan.generator.parameters(), { lr, betas }),
      }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      turns: {
        discriminator: (_, { x }) => gan.discriminatorLoss(x, { labelSmoothing }),
        generator: (_, { x }) => gan.generatorLoss(x.shape[0]),
      },
      validation: judged(
        judge,
        () => gan.sample(FEW),
        () => film.take(),
      ),
      ...(judge && {
        test: judged(judge, () => gan.sample(MANY)),
        checkpoint: { monitor: 'score' },
        restoreBest: true,
      }),
      epochs,
      async report(page) {
        gan.eval();
        await film.draw(page);
        await drawSheet(page, 'samples.png', await picturesOf(gan.sample(100)), 10);
      },
    };
  },
});
