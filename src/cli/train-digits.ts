// nabla train digits: the main job. Trains, shows how it goes, and leaves a run folder that can be resumed and used.

import { type AnyTensor, type Tensor, compile, getRandomState, manualSeed, setRandomState, tensor } from '../index.js';
import { type ArrayDataset, DataLoader } from '../data/index.js';
import { crossEntropy } from '../nn/index.js';
import { AdamW, oneCycle } from '../optim/index.js';
import { UsageError } from './arguments.js';
import { augmentDigits } from './augment.js';
import { type DigitsModel, digitsModel, digitsParts } from './digits-model.js';
import { confusionMatrix, duration, gallery } from './draw.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { type EpochReport, Progress } from './progress.js';
import { type RunConfig, RunFolder } from './run-folder.js';

export interface TrainOptions {
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
}

const WEIGHT_DECAY = 0.02;
/** A step's loss is read this often for the display; in between the numbers stay on the device. */
const READ_EVERY = 8;

export async function trainDigits(options: TrainOptions): Promise<void> {
  if (options.resume !== undefined && options.out !== undefined)
    throw new UsageError('--resume and --out exclude each other: a resumed run stays in its folder.');
  const resumed = options.resume === undefined ? undefined : new RunFolder(options.resume);
  const config: RunConfig = resumed?.readConfig() ?? {
    task: 'digits',
    epochs: options.epochs,
    lr: options.lr,
    batchSize: options.batchSize,
    seed: options.seed,
  };
  const folder = resumed ?? RunFolder.create(options.out);
  const run = new DigitsRun(config, folder, options.json ?? false);
  if (resumed !== undefined) run.restore();
  else folder.writeConfig(config);
  await run.train();
}

class DigitsRun {
  private readonly config: RunConfig;
  private readonly folder: RunFolder;
  private readonly json: boolean;
  private readonly parts = digitsParts();
  private readonly model: DigitsModel;
  private readonly optimizer: AdamW;
  private readonly loader: DataLoader<'x' | 'y'>;
  private readonly metrics: object[] = [];
  private epoch = 0;
  private step = 0;
  private stopped = false;

  constructor(config: RunConfig, folder: RunFolder, json: boolean) {
    this.config = config;
    this.folder = folder;
    this.json = json;
    manualSeed(config.seed);
    this.model = digitsModel();
    this.optimizer = new AdamW(this.model.parameters(), { lr: config.lr, weightDecay: WEIGHT_DECAY });
    this.loader = new DataLoader(this.parts.train, { batchSize: config.batchSize, shuffle: true, seed: config.seed });
  }

  /** Back to where the run folder says it stopped. */
  restore(): void {
    const state = this.folder.readState();
    if (state === undefined) return; // interrupted before the first epoch ended
    this.model.loadStateDict(state.model);
    const own = this.optimizer.stateDict();
    this.optimizer.loadStateDict({ ...own, step: state.optimizerStep, tensors: state.optimizer });
    ({ epoch: this.epoch, step: this.step } = state.position);
    this.loader.epoch = this.epoch;
    setRandomState(state.position.random);
    this.metrics.push(...this.folder.readMetrics().slice(0, this.epoch));
    if (this.epoch >= this.config.epochs)
      throw new UsageError(`${this.folder.path} is finished: ${this.epoch} of ${this.config.epochs} epochs.`);
  }

  async train(): Promise<void> {
    const { epochs } = this.config;
    const start = performance.now();
    const progress = new Progress(epochs, this.loader.length, this.epoch);
    const stop = () => {
      if (this.stopped) process.exit(130); // a second Ctrl-C does not wait
      this.stopped = true;
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (!this.json) this.greet(progress);
    const trainStep = this.compiledStep();
    while (this.epoch < epochs && !this.stopped) {
      const report = await this.oneEpoch(trainStep, progress);
      if (report === undefined) break;
      this.metrics.push(report);
      this.folder.writeMetrics(this.metrics);
      await this.save();
      if (this.json) process.stdout.write(`${JSON.stringify({ event: 'epoch', ...report })}\n`);
      else progress.epoch(report);
    }
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    if (this.stopped && this.epoch < epochs) {
      await this.interrupted(progress);
      return;
    }
    await this.finish((performance.now() - start) / 1000);
  }

  private greet(progress: Progress): void {
    const { train, validation, test } = this.parts;
    const parameters = this.model.parameters().reduce((n, p) => n + p.size, 0);
    process.stdout.write(
      `∇ nabla: ${train.length} handwritten digits to train on, ${validation.length} to validate, ${test.length} to test.\n` +
        `  A convolutional network with ${parameters.toLocaleString('en')} parameters, seed ${this.config.seed}.\n\n`,
    );
    progress.header();
  }

  private compiledStep(): (x: AnyTensor, y: AnyTensor) => Promise<readonly AnyTensor[]> {
    return compile(async (x: AnyTensor, y: AnyTensor) => {
      this.optimizer.zeroGrad();
      const logits = this.model.forward(x as unknown as Tensor<[number, 1, 8, 8]>);
      const loss = crossEntropy(logits, y);
      const right = (logits as unknown as Tensor)
        .argmax(1)
        .eq(y as never)
        .to('float32')
        .sum();
      loss.backward();
      right.keep();
      await this.optimizer.step();
      return [loss.detach(), right] as unknown as readonly AnyTensor[];
    }) as (x: AnyTensor, y: AnyTensor) => Promise<readonly AnyTensor[]>;
  }

  /** One pass over the training data; undefined if it was interrupted, and then nothing of it counts. */
  private async oneEpoch(
    trainStep: (x: AnyTensor, y: AnyTensor) => Promise<readonly AnyTensor[]>,
    progress: Progress,
  ): Promise<EpochReport | undefined> {
    const { config, loader } = this;
    const total = config.epochs * loader.length;
    const start = performance.now();
    const results: { count: number; values: readonly AnyTensor[] }[] = [];
    let shown = NaN;
    let seen = 0;
    this.model.train();
    for (const [i, positions] of loader.batches(this.epoch).entries()) {
      if (this.stopped) return undefined;
      const { x, y } = this.batch(this.parts.train, positions);
      for (const group of this.optimizer.groups) group.lr = oneCycle(this.step, total, config.lr);
      const values = await trainStep(x, y);
      this.step++;
      seen += positions.length;
      results.push({ count: positions.length, values });
      if (i % READ_EVERY === 0) {
        shown = await (values[0] as Tensor).item();
        if (!Number.isFinite(shown))
          throw new UsageError(
            `the loss is ${shown} in epoch ${this.epoch + 1}. Use a smaller --lr than ${config.lr}.`,
          );
        await new Promise((resolve) => setImmediate(resolve)); // lets Ctrl-C in
      }
      if (!this.json) progress.step(this.epoch, i + 1, shown, seen / ((performance.now() - start) / 1000));
    }
    let [loss, right] = [0, 0];
    for (const { count, values } of results) {
      loss += count * (await (values[0] as Tensor).item());
      right += await (values[1] as Tensor).item();
    }
    const seconds = (performance.now() - start) / 1000;
    const validation = await evaluate(this.model, this.parts.validation);
    this.epoch++;
    loader.epoch = this.epoch;
    return {
      epoch: this.epoch,
      trainLoss: loss / seen,
      trainAccuracy: right / seen,
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy,
      samplesPerSecond: seen / seconds,
      seconds,
    };
  }

  private batch(set: ArrayDataset<'x' | 'y'>, positions: Int32Array): { x: AnyTensor; y: AnyTensor } {
    const x = set.collect('x', positions) as Float32Array;
    augmentDigits(x, positions, this.config.seed, this.epoch);
    return {
      x: tensor(x, { shape: [positions.length, 1, 8, 8] }) as unknown as AnyTensor,
      y: tensor(set.collect('y', positions) as Int32Array) as unknown as AnyTensor,
    };
  }

  private async save(): Promise<void> {
    const { step, tensors } = this.optimizer.stateDict();
    const position = { epoch: this.epoch, step: this.step, random: getRandomState() };
    await this.folder.writeState(this.model.stateDict(), tensors, position, step);
  }

  private async interrupted(progress: Progress): Promise<void> {
    progress.interrupt();
    // The folder holds the last whole epoch; before the first one ends it gets the weights of now.
    if (this.epoch === 0)
      await this.folder.writeState(
        this.model.stateDict(),
        this.optimizer.stateDict().tensors,
        { epoch: 0, step: 0, random: { seed: this.config.seed, draws: 0 } },
        0,
      );
    const line = `interrupted after ${this.epoch} of ${this.config.epochs} epochs. Go on with: nabla train digits --resume ${this.folder.path}`;
    if (this.json)
      process.stdout.write(
        `${JSON.stringify({ event: 'interrupted', epoch: this.epoch, folder: this.folder.path })}\n`,
      );
    else process.stdout.write(`  ${line}\n`);
    process.exitCode = 130;
  }

  private async finish(seconds: number): Promise<void> {
    const test = await evaluate(this.model, this.parts.test);
    if (this.json) {
      process.stdout.write(
        `${JSON.stringify({ event: 'done', testAccuracy: test.accuracy, testLoss: test.loss, seconds, folder: this.folder.path })}\n`,
      );
      return;
    }
    const wrong = test.predictions.reduce((n, p, i) => n + (p === test.labels[i] ? 0 : 1), 0);
    const lines = [
      '',
      `  Test accuracy: ${(100 * test.accuracy).toFixed(2)} % (${wrong} of ${test.labels.length} digits wrong), in ${duration(seconds)}.`,
      '',
      ...confusionMatrix(countConfusions(test)),
      ...mistakes(test, this.parts.test),
      '',
      `  Saved in ${this.folder.path}. Try: nabla predict --test --weights ${this.folder.path}`,
      '',
    ];
    process.stdout.write(lines.join('\n'));
  }
}

export function countConfusions({ predictions, labels }: Pick<Evaluation, 'predictions' | 'labels'>): number[][] {
  const counts = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  predictions.forEach((p, i) => counts[labels[i]][p]++);
  return counts;
}

/** Up to four digits that were read wrongly, drawn. */
export function mistakes(result: Evaluation, set: ArrayDataset<'x' | 'y'>): string[] {
  const wrong = [...result.predictions.keys()].filter((i) => result.predictions[i] !== result.labels[i]).slice(0, 4);
  if (wrong.length === 0) return [];
  const items = wrong.map((i) => ({
    caption: `${result.labels[i]}, read as ${result.predictions[i]}`,
    pixels: set.collect('x', [i]),
  }));
  return ['', '  Misread:', ...gallery(items)];
}
