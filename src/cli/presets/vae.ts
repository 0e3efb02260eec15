// `nabla train vae`: a variational autoencoder of digits, of MNIST (looked for in NABLA_DATA) or, with --set data=digits, of the small ones of
// the package. The loss that is written down is the negative ELBO in nats, with drawn latent numbers, whatever beta is. With
// --set conditional=true it is told the classes.

import { DataLoader } from '../../data/index.js';
import { type Tensor, noGrad, stack, tensor } from '../../index.js';
import { ConditionalVAE, VAE, type VAEOutput, vaeLoss } from '../../models/index.js';
import { Adam, oneCycle } from '../../optim/index.js';
import { type Page, defineRun } from '../../train/index.js';
import { drawSheet, fixedNoise, picturesOf } from './generative/film.js';
import { PICTURE_SETS, openPictures } from './generative/pictures.js';

const SHOWN = 10;

export default defineRun({
  name: 'vae',
  title: 'A variational autoencoder of handwritten digits',
  settings: {
    data: 'mnist',
    conditional: false,
    latent: 20,
    hidden: 400,
    beta: 1,
    epochs: 30,
    lr: 0.002,
    batchSize: 128,
  },
  choices: { data: PICTURE_SETS },

  async create({ data, conditional, latent, hidden, beta, epochs, lr, batchSize, seed }) {
    const { train, validation, test, shape } = await openPictures(data);
    const sizes = { inFeatures: shape[0] * shape[1] * shape[2], latent, hidden: [hidden] };
    const model = conditional ? new ConditionalVAE({ ...sizes, classes: 10 }) : new VAE(sizes);
    const encode = (x: Tensor, y: Tensor<[number], 'int32'>) =>
      model instanceof ConditionalVAE ? model.encode(x, y) : model.encode(x);
    const decode = (z: Tensor, y: Tensor<[number], 'int32'>): Tensor => {
      const logits = model instanceof ConditionalVAE ? model.decode(z, y) : model.decode(z);
      return noGrad(() => logits.sigmoid().reshape([z.shape[0], ...shape]));
    };
    const noise = fixedNoise(seed, [SHOWN * SHOWN, latent]);

    return {
      model,
      optimizer: new Adam(model.parameters(), { lr }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation, { batchSize: 500 }),
      test: new DataLoader(test, { batchSize: 500 }),
      forward(_, { x, y }) {
        const output: VAEOutput = model instanceof ConditionalVAE ? model.draw(x, y) : model.draw(x);
        return { loss: vaeLoss(output, x, { beta }), reported: vaeLoss(output, x) };
      },
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.05 }),
      epochs,
      async report(page: Page) {
        const { x, y } = test.batch(Array.from({ length: SHOWN }, (_, i) => i));
        const { mean } = noGrad(() => encode(x, y));
        const copies = await picturesOf(decode(mean, y));
        await drawSheet(page, 'copies.png', [...(await picturesOf(x)), ...copies], SHOWN);
        // a row for each class, where the classes are known
        const rows = tensor(Int32Array.from({ length: SHOWN * SHOWN }, (_, i) => Math.floor(i / SHOWN)));
        await drawSheet(page, 'samples.png', await picturesOf(decode(noise, rows)), SHOWN);
        const pairs = [0, 1, 2, 3, 4].map((i) => walk(mean.select(0, i), mean.select(0, i + 5)));
        const classes = Int32Array.from({ length: 5 * SHOWN }, (_, i) => Math.floor(i / SHOWN));
        const steps = decode(stack(pairs.flat()), y.indexSelect(0, tensor(classes)));
        await drawSheet(page, 'walks.png', await picturesOf(steps), SHOWN);
        if (latent === 2 && !conditional) {
          const plane = decode(planeOf(15), tensor(new Int32Array(225)));
          await drawSheet(page, 'plane.png', await picturesOf(plane), 15);
        }
      },
    };
  },
});

/** Points on the way from one to the other. */
function walk(from: Tensor, to: Tensor): Tensor[] {
  return Array.from({ length: SHOWN }, (_, i) => from.mul(1 - i / (SHOWN - 1)).add(to.mul(i / (SHOWN - 1))));
}

/** A square grid over most of the standard normal distribution of two numbers, [side², 2]. */
function planeOf(side: number): Tensor {
  const ticks = Array.from({ length: side }, (_, i) => -2.4 + (4.8 * i) / (side - 1));
  return tensor(ticks.flatMap((v) => ticks.map((u) => [u, -v])));
}
