// `nabla train transfer`: what a network has learned of some digits helps it with others. Without `base` it learns the digits of `classes`
// from scratch; `base` names a run of this preset on other digits, whose network it begins with: with a new head, opened step by step from
// its end to its beginning, each part with a rate of its own. `labels` leaves only so many digits to learn from.

import { DataLoader } from '../../data/index.js';
import { tensor } from '../../index.js';
import { Accuracy } from '../../metrics/index.js';
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from '../../nn/index.js';
import { AdamW, cosine, layerwiseGroups } from '../../optim/index.js';
import { defineRun, unfreezeStepwise } from '../../train/index.js';
import { CliError } from '../errors.js';
import { beginWith } from './generative/encoder.js';
import { PICTURE_SETS, type Pictures, openPictures } from './generative/pictures.js';

/** Twice 3×3, half the size. */
const stage = (from: number, to: number) =>
  new Sequential(
    new Conv2d<number, number, 3, { padding: 1; bias: false }>(from, to, 3, { padding: 1, bias: false }),
    new BatchNorm2d<number>(to),
    new ReLU(),
    new MaxPool2d(2),
  );

export default defineRun({
  name: 'transfer',
  title: 'From some digits to others',
  settings: {
    data: 'mnist',
    classes: '01234',
    base: '',
    labels: 0,
    width: 16,
    unfreeze: 5,
    decay: 0.4,
    epochs: 30,
    lr: 0.003,
    batchSize: 32,
  },
  choices: { data: PICTURE_SETS },

  async create({ data, classes, base, labels, width, unfreeze, decay, epochs, lr, batchSize, seed }) {
    const wanted = [...new Set(classes)].map(Number);
    if (wanted.length < 2 || wanted.some((digit) => !Number.isInteger(digit)))
      throw new CliError(`--set classes=${classes}: name at least two digits, such as 56789.`);
    const sets = await openPictures(data);
    const [all, validation, test] = [sets.train, sets.validation, sets.test].map((set) => ofClasses(set, wanted));
    const train = labels > 0 ? all.split({ part: labels }, { seed, stratify: 'y' }).part : all;
    const [low, middle, high] = [stage(1, width), stage(width, 2 * width), stage(2 * width, 4 * width)];
    const body = new Sequential(low, middle, high);
    const cells = Math.floor(sets.shape[1] / 8) ** 2 * 4 * width;
    const head = new Sequential(new Flatten(), new Linear<number, number>(cells, wanted.length));
    const isNew = base === '';
    if (!isNew)
      await beginWith(base, { option: 'base', run: 'transfer', settings: { data, width }, prefix: '0.' }, body);
    const parts = [low, middle, high, head];
    const groups = layerwiseGroups(parts, { lr, decay: isNew ? 1 : decay });
    const places = tensor(Int32Array.from({ length: 10 }, (_, digit) => Math.max(0, wanted.indexOf(digit))));
    return {
      model: new Sequential(body, head),
      optimizer: new AdamW(groups, { weightDecay: 0.01 }),
      train: new DataLoader(train, { batchSize, shuffle: true, seed }),
      validation: new DataLoader(validation, { batchSize: 500 }),
      test: new DataLoader(test, { batchSize: 500 }),
      forward(_, { x, y }) {
        const output = head.forward(body.forward(x));
        const target = places.indexSelect(0, y);
        return { loss: crossEntropy(output, target), output, target };
      },
      metrics: { accuracy: new Accuracy() },
      schedule: groups.map(
        ({ lr: own }) =>
          (step: number, total: number) =>
            cosine(step, total, own),
      ),
      ...(!isNew && { callbacks: [unfreezeStepwise(parts, { every: unfreeze })] }),
      checkpoint: { monitor: 'accuracy' },
      restoreBest: true,
      validateEvery: 5,
      epochs,
      classes: wanted.length,
    };
  },
});

function ofClasses(set: Pictures, wanted: readonly number[]): Pictures {
  const classes = set.column('y');
  return set.subset([...classes.keys()].filter((i) => wanted.includes(classes[i])));
}
