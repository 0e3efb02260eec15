// `nabla train autoencoder`: digits through a few numbers and back, by dense layers or convolutions, of MNIST (looked for in NABLA_DATA) or,
// with --set data=digits, of the small digits of the package. With --set noise=0.5 what goes in has noise on it, and what should come out has
// not. With two numbers the report draws where the digits lie.

import { KNeighborsClassifier } from '../../classic/index.js';
import { DataLoader } from '../../data/index.js';
import { type Tensor, noGrad, randn } from '../../index.js';
import { encodePng } from '../../io/index.js';
import { Autoencoder, ConvAutoencoder } from '../../models/index.js';
import { bceWithLogits } from '../../nn/index.js';
import { Adam, oneCycle } from '../../optim/index.js';
import { type Page, defineRun } from '../../train/index.js';
import { drawSheet, picturesOf } from './generative/film.js';
import { PICTURE_SETS, type Pictures, openPictures } from './generative/pictures.js';
import { scatterPicture } from './generative/scatter.js';

const SHOWN = 10;

export default defineRun({
  name: 'autoencoder',
  title: 'Handwritten digits through a few numbers and back',
  settings: {
    model: 'dense',
    data: 'mnist',
    latent: 2,
    width: 16,
    noise: 0,
    epochs: 30,
    lr: 0.002,
    batchSize: 128,
  },
  choices: { model: ['dense', 'conv'], data: PICTURE_SETS },

  async create({ model: kind, data, latent, width, noise, epochs, lr, batchSize, seed }) {
    const { train, validation, test, shape } = await openPictures(data);
    const inFeatures = shape[0] * shape[1] * shape[2];
    const model =
      kind === 'conv'
        ? new ConvAutoencoder({ shape, latent, width })
        : new Autoencoder({ inFeatures, latent, hidden: [512, 256, 128] });
    const noisy = (x: Tensor): Tensor => (noise > 0 ? x.add(randn(x.shape).mul(noise)).clamp(0, 1) : x);
    return {
      model,
      optimizer: new Adam(model.parameters(), { lr }),
      train: new DataLoader(train, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(validation, { batchSize: 500 }),
      test: new DataLoader(test, { batchSize: 500 }),
      forward: (_, { x }) => bceWithLogits(model.forward(noisy(x)), x),
      schedule: (step, total) => oneCycle(step, total, lr, { warmup: 0.05 }),
      epochs,
      async report(page: Page) {
        model.eval();
        const { x } = test.batch(Array.from({ length: SHOWN }, (_, i) => i));
        const given = noisy(x).keep();
        const rows = noise > 0 ? [x, given] : [x];
        const copies = noGrad((): Tensor => model.forward(given).sigmoid());
        const pictures = await Promise.all([...rows, copies].map((row) => picturesOf(row)));
        await drawSheet(page, 'copies.png', pictures.flat(), SHOWN);
        if (latent === 2) await drawCodes(page, model, validation, test);
      },
    };
  },
});

type Encoder = { encode(x: Tensor): Tensor<[number, number]> };

/** Where the classes lie in the plane, and how well that says what a digit is. */
async function drawCodes(page: Page, model: Encoder, known: Pictures, asked: Pictures): Promise<void> {
  const codes = async (set: Pictures) => {
    const { x, y } = set.batch(Array.from({ length: Math.min(set.length, 5000) }, (_, i) => i));
    const z = noGrad(() => model.encode(x));
    return { z, points: await z.data(), classes: await y.data() };
  };
  const [before, after] = [await codes(known), await codes(asked)];
  const neighbours = await new KNeighborsClassifier({ k: 10 }).fit(before.z, before.classes);
  const accuracy = await neighbours.score(after.z, after.classes);
  page.line(
    `By its 10 nearest neighbours in the plane, ${(100 * accuracy).toFixed(1)} % of the test digits are known.`,
  );
  if (page.picture !== undefined)
    await page.picture('codes.png', encodePng(scatterPicture(after.points, after.classes)));
}
