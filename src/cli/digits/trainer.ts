// Training the digits network, one epoch at a time. Knows nothing of terminals and files: it is given a listener, and
// hands out its state as tensors and numbers.

import { compile, getRandomState, manualSeed, noGrad, setRandomState, tensor } from '../../index.js';
import type { Digits } from '../../data/index.js';
import { crossEntropy } from '../../nn/index.js';
import { AdamW } from '../../optim/index.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Settings } from './defaults.js';
import { CLASSES, LOSS_OPTIONS, OPTIMIZER_OPTIONS, createLoader, createModel, learningRate } from './recipe.js';

type Images = Tensor<[number, 1, 8, 8]>;
type Labels = Tensor<[number], 'int32'>;

export interface BatchReport {
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
}

export interface EpochResult {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
}

/** What the network says of some images. */
export interface Evaluation {
  /** Mean cross entropy; NaN where there were no labels. */
  readonly loss: number;
  readonly accuracy: number;
  readonly predictions: number[];
  /** CLASSES numbers for each image. */
  readonly probabilities: Float32Array;
}

/** Everything that training goes on from, besides the settings. */
export interface TrainerState {
  readonly tensors: Record<string, AnyTensor>;
  readonly progress: {
    readonly epoch: number;
    readonly step: number;
    readonly random: { readonly seed: number; readonly draws: number };
  };
}

export class Trainer {
  readonly model;
  readonly settings: Settings;
  /** Epochs finished. */
  epoch = 0;
  #optimizer: AdamW;
  #loader;
  #step;

  constructor(train: Digits, settings: Settings) {
    manualSeed(settings.seed);
    this.settings = settings;
    this.model = createModel();
    this.#loader = createLoader(train, settings);
    const { model } = this;
    const optimizer = new AdamW(model.parameters(), { lr: settings.lr, ...OPTIMIZER_OPTIONS });
    this.#optimizer = optimizer;
    this.#step = compile(async (x: Images, y: Labels) => {
      optimizer.zeroGrad();
      const logits = model.forward(x) as unknown as Tensor<[number, number]>;
      const loss = crossEntropy(logits, y, LOSS_OPTIONS);
      const correct = logits.argmax(1).eq(y).sum().keep();
      const plain = crossEntropy(logits, y).keep(); // what is shown: comparable with the loss on other images
      loss.backward();
      await optimizer.step();
      return { loss: plain.detach() as AnyTensor, correct: correct as AnyTensor };
    });
  }

  get batchesPerEpoch(): number {
    return this.#loader.length;
  }

  get lr(): number {
    return this.#optimizer.groups[0].lr;
  }

  /**
   * Goes through the training images once. `onBatch` is called after each batch; when it returns false, training ends
   * there and the result is undefined: the epoch does not count.
   */
  async trainEpoch(onBatch: (report: BatchReport) => Promise<boolean>): Promise<EpochResult | undefined> {
    const { settings } = this;
    const batches = this.batchesPerEpoch;
    this.model.train();
    let [samples, lossSum, correctSum, batch] = [0, 0, 0, 0];
    for await (const { x, y } of this.#loader.batches(this.epoch)) {
      const lr = learningRate(this.epoch * batches + batch, settings.epochs * batches, settings);
      for (const group of this.#optimizer.groups) group.lr = lr;
      const { loss, correct } = await this.#step(x as Images, y as Labels);
      const value = await (loss as Tensor<[]>).item();
      lossSum += value * settings.batchSize;
      correctSum += await (correct as Tensor<[]>).item();
      samples += settings.batchSize;
      batch++;
      if (!(await onBatch({ batch, batches, loss: value }))) return undefined;
    }
    this.epoch++;
    return { loss: lossSum / samples, accuracy: correctSum / samples, samples };
  }

  evaluate(data: Digits): Promise<Evaluation> {
    return evaluate(this.model, data.column('x'), data.column('y'));
  }

  /** The state between two epochs. The tensors are the trained ones themselves: write them down before going on. */
  state(): TrainerState {
    const { step, tensors } = this.#optimizer.stateDict();
    return {
      tensors: { ...prefixed('model.', this.model.stateDict()), ...prefixed('optimizer.', tensors) },
      progress: { epoch: this.epoch, step, random: getRandomState() },
    };
  }

  restore({ tensors, progress }: TrainerState): void {
    this.model.loadStateDict(unprefixed('model.', tensors));
    const { groups } = this.#optimizer.stateDict();
    this.#optimizer.loadStateDict({ step: progress.step, groups, tensors: unprefixed('optimizer.', tensors) });
    setRandomState(progress.random);
    this.epoch = progress.epoch;
  }
}

const EVALUATION_BATCH = 256;

/** Classifies images (64 numbers each, 0 to 1); with labels, also says how well. */
export async function evaluate(
  model: ReturnType<typeof createModel>,
  pixels: Float32Array,
  labels?: ArrayLike<number>,
): Promise<Evaluation> {
  model.eval();
  const count = pixels.length / 64;
  const probabilities = new Float32Array(count * CLASSES);
  for (let start = 0; start < count; start += EVALUATION_BATCH) {
    const part = pixels.slice(start * 64, (start + EVALUATION_BATCH) * 64);
    const x = tensor(part, { shape: [part.length / 64, 1, 8, 8] as [number, 1, 8, 8] });
    const p = noGrad(() => (model.forward(x) as unknown as Tensor).softmax(1));
    probabilities.set(await p.data(), start * CLASSES);
  }
  const predictions = Array.from({ length: count }, (_, i) =>
    largest(probabilities.subarray(i * CLASSES, (i + 1) * CLASSES)),
  );
  if (labels === undefined) return { loss: NaN, accuracy: NaN, predictions, probabilities };
  let [loss, correct] = [0, 0];
  predictions.forEach((prediction, i) => {
    loss -= Math.log(Math.max(probabilities[i * CLASSES + labels[i]], 1e-30));
    if (prediction === labels[i]) correct++;
  });
  return { loss: loss / count, accuracy: correct / count, predictions, probabilities };
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function prefixed(prefix: string, tensors: Readonly<Record<string, AnyTensor>>): Record<string, AnyTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, t]) => [prefix + key, t]));
}

function unprefixed(prefix: string, tensors: Readonly<Record<string, AnyTensor>>): Record<string, AnyTensor> {
  const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, t]) => [key.slice(prefix.length), t]));
}
