// `nabla train`: carries out a run, shows it, and keeps its folder such that it can be taken up again.

import { rmdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { disposeDevices, manualSeed } from '../../index.js';
import {
  type EpochEvent,
  type FitResult,
  type RunDefinition,
  type RunListener,
  type RunPlan,
  Trainer,
} from '../../train/index.js';
import { RunFolder } from '../../train/node/run-folder.js';
import { loadDefinition } from '../definitions.js';
import { useDevice } from '../device.js';
import { CliError, Interrupted } from '../errors.js';
import { describeConfig, readConfig } from '../run-config.js';
import { createRunFolder, RUNS } from '../run-folder.js';
import { JsonView, TextView, formatResults } from '../run-view.js';
import { waitFor } from '../pending.js';
import { commandLine, shortest } from '../self.js';
import { type ChosenSettings, chooseSettings } from '../settings.js';
import { type Stop, watchSignals } from '../signals.js';
import { type Terminal, duration, terminalOf } from '../terminal.js';
import { isPath, trustedDefinition } from '../trust.js';
import { explain } from '../weights.js';

export interface TrainOptions {
  readonly epochs?: number;
  readonly lr?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly model?: string;
  readonly text?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly device: string;
  readonly out?: string;
  readonly resume?: string;
  readonly trust?: true;
  readonly doctor?: true;
  readonly json?: true;
}

/** What is going to be trained, and how it can be named again. */
interface Asked {
  readonly run: string;
  readonly definition: RunDefinition;
  readonly settings: ChosenSettings;
  readonly device: string;
}

export async function train(run: string | undefined, options: TrainOptions): Promise<void> {
  const resumed = options.resume === undefined ? undefined : new RunFolder(options.resume);
  const asked = resumed === undefined ? await askedNow(run, options) : await askedBefore(run, resumed, options.trust);
  useDevice(asked.device);
  const stop = watchSignals();
  const terminal = terminalOf(process.stdout);
  try {
    const folder = resumed ?? createRunFolder(options.out, asked.definition.name);
    const plan = await prepare(asked, folder, stop);
    const view: RunListener =
      options.json === true
        ? new JsonView(terminal, folder.path)
        : new TextView(terminal, {
            title: asked.definition.title,
            folder: folder.path,
            device: asked.device,
            settings: asked.settings,
            testSamples: (plan.test?.dataset as { length?: number } | undefined)?.length,
            history: (): readonly EpochEvent[] => trainer.history,
          });
    const { run: name, settings, device } = asked;
    const { facts, report: _, listeners = [], ...own } = plan;
    const trainer: Trainer = new Trainer({
      ...own,
      listeners: [view, ...listeners],
      folder: folder.path,
      config: describeConfig(name, settings, device, facts),
      signal: stop.abort,
      ...(options.doctor && { doctor: true }),
    });
    if (resumed !== undefined) await takeUp(trainer, resumed);
    const result = await trainer.fit();
    if (result.reason === 'aborted')
      throw interrupted(result, trainer, asked.run, folder.path, stop.signal ?? 'SIGINT');
    if (options.json !== true) await conclude(terminal, asked.run, plan, result, folder);
    if (result.reason === 'diverged') throw new CliError('training has diverged: the loss is not a number any more.');
  } finally {
    stop.end();
    await disposeDevices();
  }
}

async function askedNow(run: string | undefined, options: TrainOptions): Promise<Asked> {
  if (run === undefined) throw new CliError('nothing to train. Name a preset or a file. See nabla train --help.');
  const definition = await loadDefinition(run);
  const { epochs, lr, batchSize, seed, model, text, set = {} } = options;
  const common = Object.entries({ epochs, lr, batchSize, seed, model, text }).filter(([, v]) => v !== undefined);
  const given = { ...set, ...Object.fromEntries(common) };
  const source = (name: string) =>
    name in set ? `--set ${name}` : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const settings = chooseSettings(definition, given, source);
  return { run: isPath(run) ? resolve(run) : run, definition, settings, device: options.device };
}

async function askedBefore(run: string | undefined, folder: RunFolder, trust: true | undefined): Promise<Asked> {
  const config = readConfig(folder.config);
  const again = (file: string) => commandLine('train', file, '--resume', folder.path);
  const { run: name, definition } = await trustedDefinition(folder, config, { definition: run, trust }, again);
  const settings = chooseSettings(definition, config.settings, (name) => `${folder.config}, settings.${name}`);
  return { run: name, definition, settings, device: config.device };
}

/** The plan of the run. Where there is none (no data, for example), a folder that was made for it goes again. */
async function prepare({ definition, settings }: Asked, folder: RunFolder, stop: Stop): Promise<RunPlan> {
  manualSeed(settings.seed);
  try {
    return await waitFor(`what ${definition.name} creates`, definition.create(settings as never), stop);
  } catch (error) {
    await rmdir(folder.path).catch(() => {}); // one that is not empty stays
    throw error;
  }
}

/** Puts the trainer where the folder says, or says why that cannot be. */
async function takeUp(trainer: Trainer, folder: RunFolder): Promise<void> {
  try {
    await trainer.resume(folder.path);
  } catch (error) {
    throw explain(folder.checkpoint, error, `${folder.checkpoint} is not a checkpoint of this run`);
  }
}

function interrupted(
  { step }: FitResult,
  { epoch, options: { epochs } }: Trainer,
  run: string,
  path: string,
  signal: 'SIGINT' | 'SIGTERM',
): Interrupted {
  const command = commandLine('train', ...(isPath(run) ? [shortest(run)] : []), '--resume', path);
  const where = `after update ${step}, ${epoch}${epochs === undefined ? '' : ` of ${epochs}`} epochs finished`;
  return new Interrupted(`stopped ${where}; go on with: ${command}`, signal);
}

async function conclude(
  terminal: Terminal,
  run: string,
  plan: RunPlan,
  result: FitResult,
  folder: RunFolder,
): Promise<void> {
  const { style } = terminal;
  terminal.line();
  if (result.reason === 'early-stopping') terminal.line(`Stopped early, after epoch ${result.epoch}.`);
  if (result.test !== undefined) {
    terminal.line(style.bold(formatResults('Test', result.test)));
  }
  if (plan.report !== undefined && result.reason !== 'diverged') {
    terminal.line();
    await plan.report(terminal);
  }
  terminal.line();
  const seconds = result.history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  terminal.line(`Trained for ${duration(seconds)}. Weights and metrics are in ${folder.path}.`);
  const isLatest = relative(RUNS, folder.path) !== '' && !relative(RUNS, folder.path).startsWith('..');
  const weights = isLatest ? [] : ['--weights', folder.path];
  const definition = isPath(run) ? ['--definition', shortest(run)] : [];
  terminal.line(`Next: ${commandLine('predict', ...weights, ...definition, ...(plan.test ? ['--test'] : []))}`);
}
