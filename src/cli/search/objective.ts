// One trial of `nabla search`: a training run with some settings, in a folder of its own, whose epochs are reported. Also
// the module that trial processes load: what to do is in its address.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { manualSeed } from '../../index.js';
import { type EpochEvent, type RunningTrial, Trainer } from '../../train/index.js';
import { createPlan, loadDefinition } from '../definitions.js';
import { useDevice } from '../device.js';
import { fileFault } from '../errors.js';
import { describeConfig } from '../run-config.js';
import { chooseSettings } from '../settings.js';

/** What is the same for all trials. Plain JSON. */
export interface SearchTask {
  /** A preset's name or the path of a file. */
  readonly run: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly device: string;
  /** Where the folders of the trials are. */
  readonly folder: string;
  readonly monitor: string;
}

/** The best value of the monitored number over the epochs of the run. */
export async function runTrial(
  task: SearchTask,
  params: Readonly<Record<string, unknown>>,
  trial: RunningTrial,
  signal?: AbortSignal,
): Promise<number> {
  const definition = await loadDefinition(task.run);
  const settings = chooseSettings(definition, { ...task.settings, ...params }, (name) => `setting ${name}`);
  useDevice(task.device);
  manualSeed(settings.seed);
  const plan = await createPlan(definition, settings);
  const { facts, report: _report, test: _test, callbacks = [], ...own } = plan; // a search must not look at test data
  const path = createTrialFolder(task.folder, trial.number);
  const trainer: Trainer = new Trainer({
    ...own,
    checkpoint: { ...own.checkpoint, monitor: task.monitor },
    callbacks: [
      ...callbacks,
      {
        onEpochEnd: async (_trainer, event) => {
          if (event.epoch === own.epochs) return; // it ends anyway, and its result counts
          const value = monitored(event, task.monitor);
          if (value !== undefined && !(await trial.report(value, event.epoch))) trainer.stop();
        },
      },
    ],
    folder: path,
    ...(signal && { signal }),
    config: describeConfig(task.run, settings, task.device, facts),
  });
  const { best, reason } = await trainer.fit();
  return reason === 'diverged' || best === undefined ? NaN : best.value;
}

/** trial-001 and so on; where an interrupted search has left one of that name, which does not count, trial-001-2. */
function createTrialFolder(folder: string, number: number): string {
  const wanted = join(folder, `trial-${String(number + 1).padStart(3, '0')}`);
  for (let i = 1; ; i++) {
    const path = i === 1 ? wanted : `${wanted}-${i}`;
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFault('create the folder', path, error);
    }
  }
}

/** The number that `train.loss`, `validation.loss` or `loss` (of the validation, where there is one) stands for. */
function monitored(event: EpochEvent, monitor: string): number | undefined {
  const [, part, name] = /^(?:(train|validation)\.)?(.+)$/s.exec(monitor) as [string, string?, string?];
  const values = part === undefined ? (event.validation ?? event.train) : event[part as 'train' | 'validation'];
  return values?.[name as string];
}

/** For trial processes. */
export default function objective(params: Readonly<Record<string, unknown>>, trial: RunningTrial): Promise<number> {
  const task = JSON.parse(new URL(import.meta.url).searchParams.get('task') ?? '') as SearchTask;
  return runTrial(task, params, trial);
}
