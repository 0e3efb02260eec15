// `nabla train ddpm`: pictures of digits out of noise, by a network that learns to find the noise in them. Of MNIST (looked for in
// NABLA_DATA) or, with --set data=digits, of the small digits of the package. --set judge=RUN names a run of `nabla train mnist` (or digits), whose
// network then scores the samples.

import { DataLoader } from '../../data/index.js';
import { Diffusion } from '../../models/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { Film, drawSheet, fixedNoise, picturesOf } from './generative/film.js';
import { judged, openJudge } from './generative/judge.js';
import { PICTURE_SETS, openPictures } from './generative/pictures.js';

/** Samples that the judge sees after an epoch, and in the end; steps of a sample for the report. */
const [FEW, MANY, STEPS] = [100, 1000, 50];

/** Channels by level, as multiples of `width`. */
const LEVELS: Readonly<Record<string, readonly number[]>> = { mnist: [1, 2, 4], digits: [1, 2] };

export default defineRun({
  name: 'ddpm',
  title: 'Making up pictures of digits (denoising diffusion)',
  settings: {
    data: 'mnist',
    judge: '',
    epochs: 10,
    lr: 0.002,
    batchSize: 128,
    width: 16,
    steps: 1000,
    schedule: 'cosine',
    decay: 0.995,
  },
  choices: { data: PICTURE_SETS, schedule: ['cosine', 'linear'] },

  async create({ data, judge: path, epochs, lr, batchSize, width, steps, schedule: name, decay, seed }) {
    const { train, shape } = await openPictures(data);
    const judge = await openJudge(path, data);
    const schedule = name === 'linear' ? 'linear' : 'cosine';
    const model = new Diffusion({ shape, width, levels: LEVELS[data], steps, schedule });
    const noise = fixedNoise(seed, [10, ...shape]);
    const film = new Film(() => model.sample(10, { noise, steps: 20 }));
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      forward: (_, { x }) => model.loss(x),
      validation: judged(
        judge,
        () => model.sample(FEW, { steps: 20 }),
        () => film.take(),
      ),
      ...(judge && { test: judged(judge, () => model.sample(MANY, { steps: STEPS })) }),
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.1 }),
      clipNorm: 1,
      weightAverage: { decay },
      epochs,
      async report(page) {
        await film.draw(page);
        await drawSheet(page, 'samples.png', await picturesOf(await model.sample(100, { steps: STEPS })), 10);
      },
    };
  },
});
