// `nabla train membrane`: where the cells of a fly's brain touch, in slices seen by an electron microscope (ISBI 2012, on which U-Net was shown).
// The files are looked for in NABLA_DATA (see `membrane`). 24 slices are learned from, in random crops, mirrored and turned by quarters; the last
// six of the stack are held back: two to validate, four to test, which are looked at once, when a run is complete.

import { DataLoader, type MembraneSlices, membrane } from '../../data/index.js';
import {
  cropMove,
  horizontalFlipMove,
  moveTogether,
  transposeMove,
  verticalFlipMove,
} from '../../data/transforms/index.js';
import type { AnyTensor, Tensor } from '../../index.js';
import { Accuracy, IoU, MeanIoU } from '../../metrics/index.js';
import { diceCrossEntropy } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { defineRun } from '../../train/index.js';
import { SEGMENTATION_MODELS } from './segmentation-models.js';
import { reportSegmentation } from './segmentation-report.js';

/** Grey values of the training slices: mean and standard deviation. */
const [MEAN, STD] = [125, 44];

/** Crops at random places, mirrored and turned by quarters, each with its mask. */
function cropped(slices: MembraneSlices, size: number) {
  return slices.transformedSamples(
    moveTogether({ masks: ['mask'] }, cropMove(size), horizontalFlipMove(), verticalFlipMove(), transposeMove()),
  );
}

function normalised(slices: MembraneSlices) {
  return slices.transformed('x', ({ data, shape }) => ({
    data: Float32Array.from(data, (grey) => (grey - MEAN) / STD),
    shape,
  }));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

export default defineRun({
  name: 'membrane',
  title: 'Finding the membranes of cells (ISBI 2012)',
  settings: {
    model: 'unet',
    epochs: 10,
    lr: 0.003,
    batchSize: 8,
    weightDecay: 0.01,
    crop: 128,
    crops: 16,
    diceWeight: 1,
  },
  choices: { model: Object.keys(SEGMENTATION_MODELS) },

  async create({ model: name, epochs, lr, batchSize, weightDecay, crop, crops, diceWeight, seed }) {
    const slices = await membrane();
    const last = slices.length;
    const train = slices.subset(range(0, (last - 6) * crops).map((i) => Math.floor(i / crops))); // so many crops of each slice
    const [validation, test] = [slices.subset(range(last - 6, last - 4)), slices.subset(range(last - 4, last))];
    const model = SEGMENTATION_MODELS[name]({ classes: 2, inChannels: 1 });
    const tested = normalised(test);
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(normalised(cropped(train, crop)), { batchSize, shuffle: true, dropLast: true, seed }),
      validation: new DataLoader(normalised(validation), { batchSize: 1 }),
      test: new DataLoader(tested, { batchSize: 1 }),
      forward(_, { x, mask }: { x: Tensor; mask: AnyTensor }) {
        const output = model.forward(x);
        return { loss: diceCrossEntropy(output, mask, { diceWeight }), output, target: mask };
      },
      metrics: { accuracy: new Accuracy(), meanIoU: new MeanIoU(), cellIoU: new IoU() },
      schedule: (step, total) => oneCycle(step, total, lr),
      epochs,
      classes: 2,
      report: (page) =>
        reportSegmentation(page, model, tested, {
          classes: ['membrane', 'cell'],
          shown: 2,
          batchSize: 1,
          pixels: (x) => x.mul(STD).add(MEAN).div(255),
        }),
    };
  },
});
