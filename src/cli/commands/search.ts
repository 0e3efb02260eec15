// `nabla search`: runs training again and again with other settings, and says which were the best.

import { join, resolve } from 'node:path';
import { disposeDevices, manualSeed } from '../../index.js';
import {
  type RunDefinition,
  type RunningTrial,
  type SearchOptions,
  type Strategy,
  type Study,
  bayesianSearch,
  chartSvg,
  formatStudy,
  gridSearch,
  randomSearch,
  refineSearch,
  search as searchSpace,
  studyCharts,
  successiveHalving,
} from '../../train/index.js';
import { createPlan, loadDefinition } from '../definitions.js';
import { useDevice } from '../device.js';
import { type DownloadOption, afterDownloads, allowDownloads } from '../downloads.js';
import { CliError, Interrupted } from '../errors.js';
import { createFolder, createFreeFolder } from '../run-folder.js';
import { type SearchTask, runTrial } from '../search/objective.js';
import type { Workers } from '../search/together.js';
import { readSpace } from '../search/space-text.js';
import { writeOutput } from '../output-file.js';
import { commandLine } from '../self.js';
import { chooseSettings } from '../settings.js';
import { type Stop, watchSignals } from '../signals.js';
import { joinProcesses } from '../together.js';
import { isPath } from '../trust.js';
import { type Terminal, duration, terminalOf } from '../terminal.js';

export interface SearchCommandOptions extends DownloadOption {
  readonly space?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, string>>;
  readonly epochs?: number;
  readonly trials: number;
  readonly strategy: keyof typeof STRATEGIES;
  readonly halving?: true;
  readonly monitor: string;
  readonly parallel: number;
  readonly distributed?: true;
  readonly seed: number;
  readonly device: string;
  readonly out?: string;
  readonly json?: true;
}

export const STRATEGIES: Readonly<Record<'bayesian' | 'random' | 'grid' | 'refine', () => Strategy>> = {
  bayesian: bayesianSearch,
  random: randomSearch,
  grid: gridSearch,
  refine: refineSearch,
};

export async function search(run: string, options: SearchCommandOptions): Promise<void> {
  if (options.distributed === true && options.parallel > 1)
    throw new CliError('--parallel is for one machine; --distributed has a worker for each process. Leave one out.');
  const world = await joinProcesses(options.distributed, options.device);
  if (world === undefined) return searchHere(run, options);
  const { searchTogether } = await import('../search/together.js');
  return searchTogether(world, (workers) => searchHere(run, options, workers));
}

async function searchHere(run: string, options: SearchCommandOptions, workers?: Workers): Promise<void> {
  const definition = await loadDefinition(run);
  const { set = {}, epochs, monitor, device, parallel, trials, seed } = options;
  const fixed = { ...set, ...(epochs !== undefined && { epochs: String(epochs) }) };
  const space = readSpace(definition, options.space ?? {});
  const settings = chooseSettings(definition, fixed, (name) => `--set ${name}`);
  useDevice(device);
  const stop = watchSignals();
  allowDownloads(options, stop);
  const terminal = terminalOf(process.stdout);
  try {
    const direction = await directionOf(definition, settings, monitor, stop);
    const folder =
      options.out === undefined
        ? createFreeFolder(`search-${definition.name}`)
        : createFolder(options.out, 'create the folder');
    const task: SearchTask = {
      run: isPath(run) ? resolve(run) : run,
      settings,
      device,
      folder: resolve(folder),
      monitor,
    };
    const view = options.json === true ? jsonView(terminal) : textView(terminal, definition, folder, trials);
    const again = goOnCommand(run, options, folder);
    const carryOut =
      workers !== undefined
        ? await workers.begin(task, again)
        : parallel > 1
          ? moduleFor(task)
          : (p: Readonly<Record<string, unknown>>, t: RunningTrial) => runTrial(task, p, t, stop.abort);
    const study = await searchSpace(space, carryOut, {
      trials,
      direction,
      parallel: workers?.count ?? parallel,
      seed,
      folder,
      strategy: STRATEGIES[options.strategy](),
      signal: stop.abort,
      onTrial: view,
      ...(options.halving && { pruner: successiveHalving() }),
    });
    if (stop.signal !== undefined)
      throw new Interrupted(
        `stopped after ${study.trials.length} of ${trials} trials; go on with: ${workers?.launched(again) ?? again}`,
        stop.signal,
      );
    await writeOutput(join(folder, 'search.svg'), chartSvg(studyCharts(study, monitor)));
    if (options.json !== true) conclude(terminal, run, study, options, folder);
  } catch (error) {
    throw afterDownloads(error);
  } finally {
    stop.end();
    await disposeDevices();
  }
}

/** Whether more or less of the monitored number is better, as its metric says. */
async function directionOf(
  definition: RunDefinition,
  settings: Readonly<Record<string, unknown>>,
  monitor: string,
  stop: Stop,
): Promise<NonNullable<SearchOptions['direction']>> {
  manualSeed(0);
  const { metrics = {} } = await createPlan(definition, settings, stop);
  const name = monitor.replace(/^(train|validation)\./, '');
  if (name !== 'loss' && !Object.hasOwn(metrics, name)) {
    throw new CliError(
      `--monitor ${monitor}: ${definition.name} measures ${['loss', ...Object.keys(metrics)].join(', ')}.`,
    );
  }
  return metrics[name]?.better === 'higher' ? 'maximize' : 'minimize';
}

/** The address of the module that trial processes run, with what is the same for all of them. */
function moduleFor(task: SearchTask): URL {
  const url = new URL('../search/objective.js', import.meta.url);
  url.searchParams.set('task', JSON.stringify(task));
  return url;
}

type View = NonNullable<SearchOptions['onTrial']>;

function textView(terminal: Terminal, definition: RunDefinition, folder: string, trials: number): View {
  const { style } = terminal;
  terminal.line(style.bold(`Searching settings: ${definition.title}`));
  terminal.line();
  terminal.line(`  ${style.dim('folder'.padEnd(9))} ${folder}`);
  terminal.line();
  const width = String(trials).length;
  return ({ number, value, state, params, seconds }, best) => {
    const label = `${String(number + 1).padStart(width)}/${trials}`;
    const text = `${state === 'completed' ? value.toFixed(4) : state}`.padStart(10);
    const isBest = best?.number === number;
    const shown = Object.entries(params).map(([name, v]) => `${name} ${short(v)}`);
    terminal.line(
      `${label} ${isBest ? style.bold(text) : text} ${isBest ? style.green('best') : '    '} ${duration(seconds).padStart(7)}  ${shown.join(', ')}`,
    );
  };
}

function jsonView(terminal: Terminal): View {
  return (trial, best) =>
    terminal.line(
      JSON.stringify({ event: 'trial', ...trial, best: best?.number }, (_, v: unknown) =>
        typeof v === 'number' && !Number.isFinite(v) ? String(v) : v,
      ),
    );
}

function short(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(3))) : String(value);
}

function conclude(terminal: Terminal, run: string, study: Study, options: SearchCommandOptions, folder: string): void {
  terminal.line();
  for (const line of formatStudy(study, { rows: 10 }).split('\n')) terminal.line(line);
  terminal.line();
  terminal.line(`Every trial is in ${folder}, the results as a picture in ${join(folder, 'search.svg')}.`);
  if (!study.trials.some(({ state }) => state === 'completed')) return;
  const chosen = { ...options.set, ...study.best.params };
  const settings = Object.entries(chosen).flatMap(([name, value]) => ['--set', `${name}=${String(value)}`]);
  terminal.line(`Next: ${commandLine('train', run, ...settings)}`);
}

/** The command line that goes on with a search that was broken off. */
function goOnCommand(
  run: string,
  { space = {}, set = {}, epochs, ...options }: SearchCommandOptions,
  folder: string,
): string {
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  const again = [
    ...pairs('--space', space),
    ...pairs('--set', set),
    ...(epochs === undefined ? [] : ['--epochs', String(epochs)]),
    ...(options.halving ? ['--halving'] : []),
    '--trials',
    String(options.trials),
    '--strategy',
    options.strategy,
    '--monitor',
    options.monitor,
    '--seed',
    String(options.seed),
    ...(options.parallel === 1 ? [] : ['--parallel', String(options.parallel)]),
    ...(options.distributed ? ['--distributed'] : []),
    ...(options.device === 'cpu' ? [] : ['--device', options.device]),
    ...(options.json ? ['--json'] : []),
    '--out',
    folder,
  ];
  return commandLine('search', run, ...again);
}
