// The search itself: asks a strategy for hyper-parameters, runs an objective with them, several at a time if asked, ends
// those that fall behind, and keeps every trial in a file, so that a search can be interrupted and goes on.

import {
  ArgumentError,
  checkOptions,
  giveWay,
  NablaError,
  type OptionNames,
  checkFunction,
  checkHas,
  checkText,
  checkWhole,
  wrongKind,
} from '../../tensor/library.js';
import { checkFiles } from '../../io/path.js';
import { HostRandom } from '../../tensor/host-random.js';
import type { Pruner } from './pruner.js';
import { type ParamsOf, type Point, type Space, paramsAt, pointOf } from './space.js';
import { type Observation, type Strategy, bayesianSearch } from './strategy.js';
import { type Direction, type StudyHeader, type Trial, formatTrial, headerOf, readTrials } from './trial.js';

/** A trial that is running, as its objective sees it. */
export interface RunningTrial {
  readonly number: number;
  /** Seeds what is random about this trial. */
  readonly seed: number;
  /**
   * Says how far the trial has come; false asks it to end, because it has fallen behind or the search was stopped. What it
   * returns after that does not count.
   */
  report(value: number, step: number): Promise<boolean>;
}

/** Tries hyper-parameters and returns how good they are. */
export type Objective<S extends Space> = (params: ParamsOf<S>, trial: RunningTrial) => number | Promise<number>;

export interface SearchOptions {
  /** Trials in all, those of an earlier part of the same search included. Default 50; a grid ends by itself. */
  readonly trials?: number;
  /** Default `bayesianSearch()`. */
  readonly strategy?: Strategy;
  /** Whether less or more is better. Default 'minimize'. */
  readonly direction?: Direction;
  /** Default: trials run to their end. */
  readonly pruner?: Pruner;
  /** Trials at the same time. Default 1. With a module as objective each has a process of its own. */
  readonly parallel?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Where trials are kept, and from where the search goes on (Node). Default: nowhere. */
  readonly folder?: string;
  /** Record an objective that throws as a failed trial and go on. Default false: the search throws. */
  readonly catchErrors?: boolean;
  /** Ends the search; trials that are running are asked to end and do not count. */
  readonly signal?: AbortSignal;
  /** After each trial. */
  readonly onTrial?: (trial: Trial, best: Trial | undefined) => void;
}

const SEARCH_OPTIONS: OptionNames<SearchOptions> = {
  trials: true,
  strategy: true,
  direction: true,
  pruner: true,
  parallel: true,
  seed: true,
  folder: true,
  catchErrors: true,
  signal: true,
  onTrial: true,
};

/** What a search has found. */
export interface Study<S extends Space = Space> {
  readonly space: S;
  readonly direction: Direction;
  /** In the order of their numbers. */
  readonly trials: readonly Trial<S>[];
  /** The best completed trial. Throws NablaError if there is none. */
  readonly best: Trial<S>;
}

/** Runs objectives somewhere: here, or in processes of their own. */
interface Runner<S extends Space> {
  run: Objective<S>;
  close(): Promise<void>;
}

/**
 * Searches a space for the hyper-parameters with the best result. Throws ArgumentError for options out of range, FormatError
 * if the folder belongs to another search, and whatever the objective throws.
 *
 *     const study = await search(
 *       { lr: logUniform(1e-4, 1e-1), hidden: integer(16, 256), activation: choice(['relu', 'tanh']) },
 *       async ({ lr, hidden, activation }, trial) => { … return validationLoss; },
 *       { trials: 40, pruner: successiveHalving() },
 *     );
 *     console.log(study.best.params);
 *
 * The objective may also be the URL of a module that exports it as default: with `parallel`, trials then run in processes
 * of their own.
 */
export async function search<const S extends Space>(
  space: S,
  objective: Objective<S> | URL,
  options: SearchOptions = {},
): Promise<Study<S>> {
  checkOptions('search', options, SEARCH_OPTIONS);
  const { trials = 50, parallel = 1, seed = 0, direction = 'minimize' } = options;
  checkCount('trials', trials);
  checkCount('parallel', parallel);
  if (direction !== 'minimize' && direction !== 'maximize')
    throw new ArgumentError(`search: direction is '${String(direction)}'. Use 'minimize' or 'maximize'.`);
  if (typeof objective === 'function') checkFunction('search', objective, 'the objective');
  else if (Object.prototype.toString.call(objective) !== '[object URL]')
    throw wrongKind('search', 'the objective', objective, 'Pass a function of the parameters, or the URL of a module');
  const { strategy, pruner, folder, signal, onTrial } = options;
  checkWhole('search', 'seed', seed, -Infinity);
  if (strategy !== undefined)
    checkHas(
      'search',
      'strategy',
      strategy,
      ['suggest'],
      'Use gridSearch(), randomSearch(), refineSearch() or bayesianSearch()',
    );
  if (pruner !== undefined) checkHas('search', 'pruner', pruner, ['shouldStop'], 'Use successiveHalving()');
  if (folder !== undefined) checkText('search', 'folder', folder);
  if (signal !== undefined) checkHas('search', 'signal', signal, ['aborted'], "Pass an AbortController's signal");
  if (onTrial !== undefined) checkFunction('search', onTrial, 'onTrial');
  const header = headerOf(space, direction, seed);
  const store = await openStore(options.folder, header);
  try {
    const course = new Course(space, options, readTrials(store.lines, space, header, store.path));
    await carryOut(course, objective, options, store);
    return studyOf(space, direction, course);
  } finally {
    await store.close();
  }
}

async function carryOut<S extends Space>(
  course: Course<S>,
  objective: Objective<S> | URL,
  { trials: wanted = 50, parallel = 1, onTrial, catchErrors }: SearchOptions,
  store: Store,
): Promise<void> {
  const runner = await createRunner(objective, parallel);
  try {
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        for (let next = course.begin(wanted); next !== undefined; next = course.begin(wanted)) {
          const trial = await course.run(next, runner.run);
          if (trial === undefined) return;
          await store.append(formatTrial(trial));
          onTrial?.(trial, course.best());
          await giveWay(); // an objective need not wait for anything
          if (course.failure !== undefined && catchErrors !== true) {
            course.stopped = true;
            throw course.failure;
          }
        }
      }),
    );
  } finally {
    course.stopped = true;
    await runner.close();
  }
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new ArgumentError(`search: ${name} is ${value}. Use a whole number of at least 1.`);
}

function studyOf<S extends Space>(space: S, direction: Direction, course: Course<S>): Study<S> {
  const trials = course.ended.toSorted((a, b) => a.number - b.number);
  return {
    space,
    direction,
    trials,
    get best() {
      const best = course.best();
      if (best === undefined) throw new NablaError(`search: none of ${trials.length} trials has completed.`);
      return best;
    },
  };
}

interface Begun<S extends Space> {
  readonly number: number;
  readonly params: ParamsOf<S>;
  readonly point: Point;
  readonly reports: [number, number][];
}

/** The state of a search: what has ended, what is running. */
class Course<S extends Space> {
  readonly ended: Trial<S>[];
  stopped = false;
  /** What the objective threw. */
  failure: unknown;
  readonly #space: S;
  readonly #options: SearchOptions;
  readonly #sign: number;
  readonly #running = new Map<number, Begun<S>>();

  constructor(space: S, options: SearchOptions, ended: Trial<S>[]) {
    this.ended = ended;
    this.#space = space;
    this.#options = options;
    this.#sign = options.direction === 'maximize' ? -1 : 1;
  }

  best(): Trial<S> | undefined {
    const cost = (t: Trial<S>): number => this.#sign * t.value;
    return this.ended
      .filter(({ state }) => state === 'completed')
      .reduce<Trial<S> | undefined>((best, t) => (best === undefined || cost(t) < cost(best) ? t : best), undefined);
  }

  /** The next trial, with the lowest number that is neither done nor running; undefined at the end. */
  begin(wanted: number): Begun<S> | undefined {
    if (this.stopped || this.#options.signal?.aborted === true) return undefined;
    const taken = new Set([...this.ended.map((t) => t.number), ...this.#running.keys()]);
    let number = 0;
    while (taken.has(number)) number++;
    if (number >= wanted) return undefined;
    const { strategy = bayesianSearch(), seed = 0 } = this.#options;
    const point = strategy.suggest(this.#space, number, this.#history(), new HostRandom(seed, number, 0x5ea7c4));
    if (point === undefined) return undefined;
    const params = paramsAt(this.#space, point);
    const begun = { number, params, point: pointOf(this.#space, params), reports: [] };
    this.#running.set(number, begun);
    return begun;
  }

  /** Ends with a trial to be kept, or undefined if the search was stopped meanwhile. */
  async run(begun: Begun<S>, objective: Objective<S>): Promise<Trial<S> | undefined> {
    const { number, params, reports } = begun;
    const started = performance.now();
    let pruned = false;
    const running: RunningTrial = {
      number,
      seed: new HostRandom(this.#options.seed ?? 0, number, 0x7e57).bits(),
      report: async (value, step) => {
        reports.push([step, value]);
        pruned ||= this.#fallsBehind(begun);
        return !(pruned || this.#isStopped());
      },
    };
    let outcome: Pick<Trial, 'state' | 'value' | 'error'>;
    try {
      const value = await objective(params, running);
      if (typeof value !== 'number')
        throw new ArgumentError(`search: the objective returned ${typeof value}. Return a number.`);
      if (pruned) outcome = { state: 'pruned', value: reports.at(-1)?.[1] ?? NaN };
      else if (Number.isNaN(value)) outcome = { state: 'failed', value, error: 'the result is not a number' };
      else outcome = { state: 'completed', value };
    } catch (error) {
      this.failure ??= error;
      outcome = { state: 'failed', value: NaN, error: error instanceof Error ? error.message : String(error) };
    }
    this.#running.delete(number);
    if (this.#isStopped() && !pruned) return undefined;
    const seconds = Math.round(performance.now() - started) / 1000;
    const trial: Trial<S> = { number, params, reports, seconds, ...outcome };
    this.ended.push(trial);
    return trial;
  }

  #isStopped(): boolean {
    return this.stopped || this.#options.signal?.aborted === true;
  }

  #fallsBehind({ reports, number }: Begun<S>): boolean {
    const { pruner } = this.#options;
    if (pruner === undefined) return false;
    const costs = (list: readonly (readonly [number, number])[]) => list.map(([s, v]) => [s, this.#sign * v] as const);
    const others = [...this.ended, ...this.#running.values()].filter((t) => t.number !== number);
    return pruner.shouldStop(
      costs(reports),
      others.map((t) => costs(t.reports)),
    );
  }

  /** In the order of their numbers: strategies look at the first n. */
  #history(): Observation[] {
    const ended = this.ended.map(({ number, params, value }) => {
      const cost = Number.isFinite(value) ? this.#sign * value : Infinity;
      return { number, point: pointOf(this.#space, params), value: cost as number | undefined };
    });
    const running = [...this.#running.values()].map(({ number, point }) => ({ number, point, value: undefined }));
    return [...ended, ...running].toSorted((a, b) => a.number - b.number);
  }
}

// ---------------------------------------------------------------- where trials are kept and run

interface Store {
  readonly path: string;
  readonly lines: readonly string[];
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

async function openStore(folder: string | undefined, header: StudyHeader): Promise<Store> {
  if (folder === undefined) return { path: '', lines: [], append: async () => {}, close: async () => {} };
  checkFiles('search', `the folder '${folder}'`);
  const { openTrialFile } = await import('../node/trial-file.js');
  return openTrialFile(folder, formatTrial(header));
}

async function createRunner<S extends Space>(objective: Objective<S> | URL, parallel: number): Promise<Runner<S>> {
  if (typeof objective === 'function') return { run: objective, close: async () => {} };
  checkFiles('search', 'a module as objective');
  const { TrialProcesses } = await import('../node/trial-processes.js');
  const processes = new TrialProcesses(objective, parallel);
  return { run: (params, trial) => processes.run(params, trial), close: () => processes.close() };
}
