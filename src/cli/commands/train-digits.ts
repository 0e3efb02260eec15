// `nabla train digits`: trains, shows it, and keeps the run folder up to date after every epoch.

import { devices, disposeDevices } from '../../index.js';
import { loadCheckpoint, saveCheckpoint, saveWeights } from '../checkpoint.js';
import type { Digits } from '../../data/index.js';
import { useDevice } from '../device.js';
import type { Settings } from '../digits/defaults.js';
import { type Listener, jsonListener, textListener } from '../digits/listener.js';
import { FIXED, splitDigits } from '../digits/recipe.js';
import { Trainer } from '../digits/trainer.js';
import { Interrupted } from '../errors.js';
import { readConfig } from '../run-config.js';
import {
  type EpochMetrics,
  type RunFiles,
  createRunFolder,
  filesOf,
  readMetrics,
  writeJson,
  writeMetrics,
} from '../run-folder.js';
import { commandLine } from '../self.js';
import { type Stop, watchSignals } from '../signals.js';
import { terminalOf } from '../terminal.js';
import { version } from '../version.js';

interface Options extends Settings {
  readonly out?: string;
  readonly resume?: string;
  readonly json?: true;
}

export async function trainDigits(options: Options): Promise<void> {
  const resumed = options.resume === undefined ? undefined : filesOf(options.resume);
  const settings = resumed === undefined ? settingsOf(options) : readConfig(resumed).settings;
  useDevice(settings.device);
  const stop = watchSignals();
  const files = resumed ?? createRunFolder(options.out, 'digits');
  try {
    await runDigits(files, settings, resumed !== undefined, options.json === true, stop);
  } finally {
    stop.end();
    await disposeDevices();
  }
}

function settingsOf({ epochs, lr, batchSize, seed, device }: Options): Settings {
  return { epochs, lr, batchSize, seed, device };
}

async function runDigits(
  files: RunFiles,
  settings: Settings,
  isResumed: boolean,
  isJson: boolean,
  stop: Stop,
): Promise<void> {
  const { train, validation, test } = splitDigits();
  const images = { train: train.length, validation: validation.length, test: test.length };
  const trainer = new Trainer(train, settings);
  if (isResumed) await loadCheckpoint(files.checkpoint, trainer);
  else {
    await writeJson(files.config, describeRun(settings, images, trainer.model.parameterCount));
    await saveCheckpoint(files.checkpoint, trainer.state());
  }
  const metrics = readMetrics(files.metrics, trainer.epoch);
  const terminal = terminalOf(process.stdout);
  const listener = isJson ? jsonListener(terminal) : textListener(terminal, settings, trainer);
  listener.start({ files, settings, trainer, images, done: metrics });

  try {
    await goThrough(trainer, validation, metrics, files, listener, stop);
    const evaluation = await trainer.evaluate(test);
    await writeMetrics(files.metrics, [...metrics, { testLoss: evaluation.loss, testAccuracy: evaluation.accuracy }]);
    listener.end({ files, evaluation, metrics });
  } finally {
    listener.close();
  }
}

/** The epochs that are still to do. Throws Interrupted when it is asked to stop. */
async function goThrough(
  trainer: Trainer,
  validation: Digits,
  metrics: EpochMetrics[],
  files: RunFiles,
  listener: Listener,
  stop: Stop,
): Promise<void> {
  const { epochs } = trainer.settings;
  while (trainer.epoch < epochs) {
    if (await stop.asked()) throw interrupt();
    const begin = performance.now();
    const number = trainer.epoch + 1;
    const result = await trainer.trainEpoch(async ({ batch, batches, loss }) => {
      listener.batch(number, batch / batches, loss);
      return !(await stop.asked());
    });
    if (result === undefined) throw interrupt();
    const trained = (performance.now() - begin) / 1000;
    const { loss, accuracy } = await trainer.evaluate(validation);
    const entry: EpochMetrics = {
      epoch: number,
      trainLoss: result.loss,
      trainAccuracy: result.accuracy,
      validationLoss: loss,
      validationAccuracy: accuracy,
      lr: trainer.lr,
      seconds: (performance.now() - begin) / 1000,
      samplesPerSecond: result.samples / trained,
    };
    metrics.push(entry);
    // The checkpoint last: it is what a resumed run believes.
    await writeMetrics(files.metrics, metrics);
    await saveWeights(files.weights, trainer.model.stateDict(), { epoch: `${number}` });
    await saveCheckpoint(files.checkpoint, trainer.state());
    listener.epoch(entry);
  }

  function interrupt(): Interrupted {
    listener.interrupted(files, trainer.epoch);
    const command = commandLine('train', 'digits', '--resume', files.folder);
    const kept = trainer.epoch === 0 ? 'No epoch is finished yet' : `${trainer.epoch} of ${epochs} epochs are kept`;
    return new Interrupted(`stopped. ${kept}; go on with: ${command}`, stop.signal ?? 'SIGINT');
  }
}

function describeRun(settings: Settings, images: Record<string, number>, parameters: number) {
  const device = devices().find(({ name }) => name === settings.device)?.details ?? {};
  return {
    task: 'digits',
    nabla: version(),
    node: process.version,
    started: new Date().toISOString(),
    settings,
    recipe: FIXED,
    images,
    parameters,
    device,
  };
}
