// `nabla train`: carries out a run, shows it, and keeps its folder such that it can be taken up again.

import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { World } from '../../distributed/index.js';
import { disposeDevices, manualSeed } from '../../index.js';
import {
  type EpochEvent,
  type FitResult,
  type RunDefinition,
  type RunListener,
  type RunPlan,
  type Settings,
  Trainer,
} from '../../train/index.js';
import { GRAPH } from '../../train/graph.js';
import { GraphRecorder } from '../../train/record-graph.js';
import { formatJson } from '../../train/record.js';
import { samplesOf } from '../../train/traits.js';
import { RunFolder } from '../../train/node/run-folder.js';
import { createPlan, loadDefinition } from '../definitions.js';
import { useDevice } from '../device.js';
import { type DownloadOption, afterDownloads, allowDownloads } from '../downloads.js';
import { CliError, Interrupted } from '../errors.js';
import { keepFiles, withKeptFiles } from '../kept-files.js';
import { nextCommands } from '../next.js';
import { type RunConfig, continuedConfig, describeConfig, readConfig } from '../run-config.js';
import { createRunFolder } from '../run-folder.js';
import type { Dashboard } from '../dashboard/server.js';
import { openDashboard } from './dashboard.js';
import { JsonView, TextView, formatResults } from '../run-view.js';
import { printable } from '../printable.js';
import { commandLine, shortest } from '../self.js';
import { type ChosenSettings, chooseSettings } from '../settings.js';
import { type Stop, watchSignals } from '../signals.js';
import { type Terminal, duration, terminalOf } from '../terminal.js';
import { isFirst, joinProcesses, launched, speakingInTurn } from '../together.js';
import { isPath, trustedDefinition } from '../trust.js';
import { explain } from '../weights.js';
import { pageOf } from '../page.js';
import { largest } from '../../tensor/extremes.js';

export interface TrainOptions extends DownloadOption {
  readonly epochs?: number;
  readonly lr?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly model?: string;
  readonly text?: string;
  readonly set?: Readonly<Record<string, string>>;
  /** Settings that have options of their own. */
  readonly settings?: Settings;
  readonly device: string;
  readonly out?: string;
  readonly resume?: string;
  readonly trust?: true;
  readonly doctor?: true;
  readonly distributed?: true;
  readonly zero?: true;
  readonly syncBatchNorm?: true;
  readonly dashboard?: true;
  readonly json?: true;
}

/** What is going to be trained, and how it can be named again. */
interface Asked {
  readonly run: string;
  readonly definition: RunDefinition;
  readonly settings: ChosenSettings;
  readonly device: string;
  /** What the run began with, if it goes on. */
  readonly before?: RunConfig;
}

/** Gives the path of the run's folder. */
export async function train(run: string | undefined, options: TrainOptions): Promise<string> {
  for (const [name, value] of [
    ['--zero', options.zero],
    ['--sync-batch-norm', options.syncBatchNorm],
  ]) {
    if (value === true && options.distributed !== true)
      throw new CliError(`${name} is for several processes. Add --distributed, and start them with mpirun.`);
  }
  const world = await joinProcesses(options.distributed, options.device);
  return speakingInTurn(world, () => trainHere(run, options, world));
}

async function trainHere(run: string | undefined, options: TrainOptions, world: World | undefined): Promise<string> {
  const resumed = options.resume === undefined ? undefined : new RunFolder(options.resume);
  const asked = resumed === undefined ? await askedNow(run, options) : await askedBefore(run, resumed, options, world);
  useDevice(asked.device);
  const stop = watchSignals();
  allowDownloads(options, stop);
  const terminal = terminalOf(process.stdout);
  let dashboard: Dashboard | undefined;
  try {
    const folder = resumed ?? newFolder(options.out, asked.definition.name, world);
    const plan = await prepareInTurn(asked, folder, stop, options, world);
    if (resumed === undefined && isFirst(world)) await keepFiles(asked.run, asked.settings, folder.path);
    const view: RunListener =
      options.json === true
        ? new JsonView(terminal, folder.path)
        : new TextView(terminal, {
            title: asked.definition.title,
            folder: folder.path,
            device: asked.device,
            processes: world && `${world.worldSize} (${world.transport.name})`,
            settings: asked.settings,
            testSamples: plan.test && 'batches' in plan.test ? samplesOf(plan.test) : undefined,
            history: (): readonly EpochEvent[] => trainer.history,
          });
    if (options.dashboard && (world?.rank ?? 0) === 0) {
      dashboard = await openDashboard(dirname(folder.path));
      terminalOf(process.stderr).line(`Dashboard: ${dashboard.url}`);
    }
    const { run: name, settings, device } = asked;
    const {
      facts,
      report: _,
      listeners = [],
      ...own
    } = world === undefined ? plan : await shared(plan, options, world);
    world?.hint(`Go on with: ${launched(world, resumeCommand(asked.run, folder.path, options))}`);
    const trainer: Trainer = new Trainer({
      ...own,
      listeners: [view, ...listeners],
      callbacks: [...(own.callbacks ?? []), ...graphRecorders(folder, world)],
      folder: folder.path,
      config:
        asked.before === undefined
          ? describeConfig(name, settings, device, facts)
          : continuedConfig(asked.before, name, settings, facts),
      signal: stop.abort,
      ...(options.doctor && { doctor: true }),
      ...(world && { distributed: world }),
    });
    if (resumed !== undefined) await takeUp(trainer, resumed, options.epochs);
    const result = await trainer.fit();
    if (result.reason === 'aborted')
      throw interrupted(result, trainer, again(asked.run, folder.path, options, world), stop.signal ?? 'SIGINT');
    if (!isFirst(world)) return folder.path;
    if (options.json !== true) await conclude(terminal, plan, result, folder);
    if (options.doctor) await tellHealth(terminal, folder.path, options.json === true);
    if (options.json !== true) end(terminal, asked, plan, result, folder);
    if (result.reason === 'diverged') throw new CliError('training has diverged: the loss is not a number any more.');
    return folder.path;
  } catch (error) {
    throw afterDownloads(error);
  } finally {
    stop.end();
    await dashboard?.close();
    await disposeDevices();
  }
}

async function askedNow(run: string | undefined, options: TrainOptions): Promise<Asked> {
  if (run === undefined) throw new CliError('nothing to train. Name a preset or a file. See nabla train --help.');
  const definition = await loadDefinition(run);
  const { epochs, lr, batchSize, seed, model, text, set = {}, settings: own = {} } = options;
  const all = { epochs, lr, batchSize, seed, model, text, ...own };
  const common = Object.entries(all).filter(([, v]) => v !== undefined);
  const given = { ...set, ...Object.fromEntries(common) };
  const source = (name: string) =>
    name in set ? `--set ${name}` : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const settings = chooseSettings(definition, given, source);
  return { run: isPath(run) ? resolve(run) : run, definition, settings, device: options.device };
}

/** A new run folder, which process 0 makes for all. */
function newFolder(out: string | undefined, name: string, world: World | undefined): RunFolder {
  if (world === undefined) return createRunFolder(out, name);
  const made = isFirst(world) ? createRunFolder(out, name) : undefined;
  const path = world.tell(made?.path ?? '');
  return made ?? new RunFolder(path);
}

/** Who writes the model's graph into a folder that has none. */
function graphRecorders(folder: RunFolder, world: World | undefined): GraphRecorder[] {
  return isFirst(world) && !existsSync(join(folder.path, GRAPH)) ? [new GraphRecorder(folder.path)] : [];
}

/** The plan, with what several processes need besides. */
async function shared(plan: RunPlan, { zero, syncBatchNorm }: TrainOptions, world: World): Promise<RunPlan> {
  const { ZeroRedundancyOptimizer, convertSyncBatchNorm } = await import('../../distributed/index.js');
  if (syncBatchNorm === true) convertSyncBatchNorm(plan.model, world);
  return zero === true ? { ...plan, optimizer: new ZeroRedundancyOptimizer(plan.optimizer, world) } : plan;
}

async function askedBefore(
  run: string | undefined,
  folder: RunFolder,
  { trust, epochs }: TrainOptions,
  world: World | undefined,
): Promise<Asked> {
  // The folder may be on process 0's machine alone.
  const own = isFirst(world) ? readConfig(folder.config) : undefined;
  const config = (world === undefined ? own : world.tell(own)) as RunConfig;
  const again = (file: string) => commandLine('train', file, '--resume', folder.path);
  const { run: name, definition } = await trustedDefinition(folder, config, { definition: run, trust }, again);
  const given = { ...config.settings, ...(epochs !== undefined && { epochs }) };
  const settings = chooseSettings(definition, given, (setting) =>
    setting === 'epochs' && epochs !== undefined ? '--epochs' : `${folder.config}, settings.${setting}`,
  );
  return { run: name, definition, settings, device: config.device, before: config };
}

/** The plan of the run. Where there is none (no data, for example), a folder that was made for it goes again. */
async function prepare(
  { run, definition, settings }: Asked,
  folder: RunFolder,
  stop: Stop,
  world: World | undefined,
): Promise<RunPlan> {
  manualSeed(settings.seed);
  try {
    return await createPlan(definition, withKeptFiles(run, settings, folder.path), stop);
  } catch (error) {
    if (isFirst(world)) await rmdir(folder.path).catch(() => {}); // one that is not empty stays
    throw error;
  }
}

/** With several processes, one may download what all of them read: the others wait. */
async function prepareInTurn(
  asked: Asked,
  folder: RunFolder,
  stop: Stop,
  { download }: TrainOptions,
  world: World | undefined,
): Promise<RunPlan> {
  if (world === undefined || download !== true) return await prepare(asked, folder, stop, world);
  const plan = isFirst(world) ? await prepare(asked, folder, stop, world) : undefined;
  await world.barrier();
  return plan ?? (await prepare(asked, folder, stop, world));
}

/** Puts the trainer where the folder says, or says why that cannot be. */
async function takeUp(trainer: Trainer, folder: RunFolder, epochs: number | undefined): Promise<void> {
  try {
    await trainer.resume(folder.path);
  } catch (error) {
    throw explain(folder.checkpoint, error, `${folder.checkpoint} is not a checkpoint of this run`);
  }
  if (epochs === undefined || epochs >= trainer.epoch) return;
  throw new CliError(`--epochs ${epochs}: ${folder.path} has ${trainer.epoch} epochs behind it. Give more than that.`);
}

/** The command that goes on with a run. */
function resumeCommand(run: string, path: string, { distributed, zero, syncBatchNorm }: TrainOptions): string {
  const file = isPath(run) ? [shortest(run)] : [];
  const switches = [distributed && '--distributed', zero && '--zero', syncBatchNorm && '--sync-batch-norm'];
  return commandLine('train', ...file, '--resume', path, ...switches.filter((word) => typeof word === 'string'));
}

function again(run: string, path: string, options: TrainOptions, world: World | undefined): string {
  const command = resumeCommand(run, path, options);
  return world === undefined ? command : launched(world, command);
}

function interrupted(
  { step }: FitResult,
  { epoch, options: { epochs } }: Trainer,
  command: string,
  signal: 'SIGINT' | 'SIGTERM',
): Interrupted {
  const where = `after update ${step}, ${epoch}${epochs === undefined ? '' : ` of ${epochs}`} epochs finished`;
  return new Interrupted(`stopped ${where}; go on with: ${command}`, signal);
}

/** What came out. */
async function conclude(terminal: Terminal, plan: RunPlan, result: FitResult, folder: RunFolder): Promise<void> {
  const { style } = terminal;
  const isEarly = result.reason === 'early-stopping';
  if (isEarly || result.test !== undefined) terminal.line();
  if (isEarly) terminal.line(`Stopped early, after epoch ${result.epoch}.`);
  if (result.test !== undefined) terminal.line(style.bold(formatResults('Test', result.test)));
  if (plan.report === undefined || result.reason === 'diverged') return;
  terminal.line();
  await plan.report(pageOf(terminal, folder.path));
}

/** What the doctor has to say about the whole record, of which this run may be the later part. */
async function tellHealth(terminal: Terminal, path: string, isJson: boolean): Promise<void> {
  const { examineRun, printHealth } = await import('./doctor.js');
  const examination = await examineRun(path);
  if (isJson) return terminal.line(formatJson({ event: 'doctor', ...examination }));
  terminal.line();
  printHealth(terminal, examination);
}

/** Where everything is, and what to type next. */
function end(
  terminal: Terminal,
  { run, definition, settings }: Asked,
  plan: RunPlan,
  result: FitResult,
  folder: RunFolder,
): void {
  const seconds = result.history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const content = result.epoch === 0 ? 'What was measured is' : 'Weights and metrics are';
  terminal.line();
  terminal.line(`Trained for ${duration(seconds)}. ${content} in ${printable(folder.path)}.`);
  const facts = {
    run,
    settings,
    defaults: definition.settings,
    folder: folder.path,
    hasDiverged: result.reason === 'diverged',
    isComplete: result.reason === 'completed',
    hasWeights: result.epoch > 0,
    hasTest: plan.test !== undefined,
    hasValidation: plan.validation !== undefined,
    hasPredictor: definition.predictor !== undefined,
  };
  const lines = nextCommands(facts);
  const width = largest(lines.map(({ command }) => command.length));
  const isAligned = lines.every(({ what }) => 8 + width + what.length <= terminal.columns);
  lines.forEach(({ command, what }, i) => {
    const start = i === 0 ? 'Next: ' : '      ';
    if (isAligned) terminal.line(`${start}${command.padEnd(width)}  ${terminal.style.dim(what)}`);
    else terminal.line(`${start}${command}`);
  });
}
