// The network, in a worker: the page stays free whatever it computes. Weights that were trained are kept in the browser.
import { noGrad, tensor } from 'nabla';
import { expose, openBrowserFiles } from 'nabla/browser';
import { DataLoader, digits } from 'nabla/data';
import { loadWeights, toSafetensors } from 'nabla/io';
import { Accuracy } from 'nabla/metrics';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { Trainer } from 'nabla/train';

const WEIGHTS = 'digits.safetensors';
const model = new Sequential(
  new Conv2d(1, 16, 3, { padding: 1 }),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(16 * 4 * 4, 10),
);
const files = openBrowserFiles({ folder: 'nabla-page' });
/** Whether there are weights of an earlier training. Not awaited here: the first answer that needs them waits, and nothing else. */
let isTrained = restore();

async function restore(): Promise<boolean> {
  const kept = await files;
  if (!(await kept.has(WEIGHTS))) return false;
  await loadWeights(model, await kept.read(WEIGHTS));
  return true;
}

const api = expose({
  /** Trains, from what was learnt before, and gives the part of unseen digits that is right. */
  async train(epochs: number, onEpoch: (epoch: number, loss: number) => void): Promise<number> {
    await isTrained; // weights that are still being read would come in between
    const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { seed: 0, stratify: 'y' });
    const trainer = new Trainer({
      model,
      optimizer: new AdamW(model.parameters(), { lr: 5e-3 }),
      train: new DataLoader(train, { batchSize: 64, shuffle: true, seed: 0 }),
      validation: new DataLoader(test, { batchSize: 512 }),
      metrics: { accuracy: new Accuracy() },
      callbacks: [{ onEpochEnd: (_, event) => onEpoch(event.epoch, event.train['loss'] ?? NaN) }],
      epochs,
    });
    const { history } = await trainer.fit();
    await (await files).write(WEIGHTS, await toSafetensors(model.stateDict()));
    isTrained = Promise.resolve(true);
    return history.at(-1)?.validation?.['accuracy'] ?? NaN;
  },

  /** The digit in 8×8 pixels from 0 to 1; undefined before any training. */
  async predict(pixels: Float32Array): Promise<number | undefined> {
    if (!(await isTrained)) return undefined;
    model.eval();
    return noGrad(() => model.forward(tensor(pixels, { shape: [1, 1, 8, 8] })).argmax(1)).item();
  },
});
export type Api = typeof api;
