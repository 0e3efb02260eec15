// Simulated annealing: a walk among states of any kind that takes worse ones less and less often (Kirkpatrick, Gelatt and Vecchi 1983).

import { HostRandom, nextHostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkFunction,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  giveWay,
  type OptionNames,
} from '../../tensor/library.js';
import { checkBetween, checkPositive } from '../line-search/line.js';
import { checkSignal } from '../minimize/search.js';

/** Numbers that a search draws; the same seed gives the same ones. */
export type SearchRandom = Pick<HostRandom, 'uniform' | 'between' | 'below' | 'normal' | 'shuffle'>;

export interface AnnealingOptions<S> {
  /** A state near another one; must not change the one it is given. */
  readonly neighbour: (state: S, random: SearchRandom, temperature: number) => S;
  /** At the start, in the units of the cost. Default: where half of the first hundred steps that lead up would be taken. */
  readonly temperature?: number;
  /** What the temperature is multiplied with after each step. Default: so that it falls to a ten-thousandth. */
  readonly cooling?: number;
  /** Default 10,000. */
  readonly steps?: number;
  /** A cost that is good enough. Default: none is. */
  readonly target?: number;
  /** Default: drawn from the generator of `manualSeed`. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const ANNEALING_OPTIONS: OptionNames<AnnealingOptions<unknown>> = {
  neighbour: true,
  temperature: true,
  cooling: true,
  steps: true,
  target: true,
  seed: true,
  signal: true,
};

export interface AnnealingResult<S> {
  /** The best state that was met. */
  readonly state: S;
  readonly value: number;
  readonly steps: number;
  /** Steps taken as a part of all. */
  readonly acceptanceRate: number;
  readonly reason: 'steps' | 'target' | 'aborted' | 'not-finite';
  /** The cost of the walk, the best one so far, and the temperature, a hundred times over the run. */
  readonly history: readonly {
    readonly step: number;
    readonly value: number;
    readonly best: number;
    readonly temperature: number;
  }[];
}

const TRIES = 100;

/**
 * The state with the lowest cost that a cooling random walk meets. States are of any kind: a tour, a list of numbers. Costs that are NaN or ∞ are
 * never gone to; `not-finite` where that of the start is.
 *
 *     const { state } = await simulatedAnnealing((x: number) => x ** 2 + 10 * Math.sin(3 * x), 4, {
 *       neighbour: (x, random) => x + random.normal(),
 *       seed: 1,
 *     });
 */
export function simulatedAnnealing(
  cost: (state: number) => number | Promise<number>,
  start: number,
  options: AnnealingOptions<number>,
): Promise<AnnealingResult<number>>; // a start of 9 is not the type of all states
export function simulatedAnnealing<S>(
  cost: (state: S) => number | Promise<number>,
  start: S,
  options: AnnealingOptions<S>,
): Promise<AnnealingResult<S>>;
export async function simulatedAnnealing<S>(
  cost: (state: S) => number | Promise<number>,
  start: S,
  options: AnnealingOptions<S>,
): Promise<AnnealingResult<S>> {
  const op = 'simulatedAnnealing';
  checkFunction(op, cost, 'the cost');
  checkOptions(op, options, ANNEALING_OPTIONS);
  checkFunction(op, options?.neighbour, 'neighbour');
  const { neighbour, steps = 10_000, target = -Infinity, seed, signal } = options;
  checkWhole(op, 'steps', steps, 1);
  checkGiven(checkPositive, op, { temperature: options.temperature });
  if (options.cooling !== undefined) checkBetween(op, 'cooling', options.cooling, 0, 1);
  checkNumber(op, 'target', target);
  if (seed !== undefined) checkWhole(op, 'seed', seed);
  checkSignal(op, signal);
  const random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
  const valueAt = async (state: S): Promise<number> => {
    const value = await cost(state);
    if (typeof value !== 'number') throw new ArgumentError(`${op}: the cost is ${String(value)}. Return a number.`);
    return value;
  };

  let here = { state: start, value: await valueAt(start) };
  let best = here;
  const history: { step: number; value: number; best: number; temperature: number }[] = [];
  if (!Number.isFinite(here.value)) return { ...best, steps: 0, acceptanceRate: 0, reason: 'not-finite', history };
  const first = options.temperature ?? (await startingTemperature(valueAt, here, neighbour, random));
  const cooling = options.cooling ?? 1e-4 ** (1 / steps);
  let temperature = first;
  let accepted = 0;
  let reason: AnnealingResult<S>['reason'] = best.value <= target ? 'target' : 'steps';
  let step = 0;
  while (step < steps && reason === 'steps') {
    const state = neighbour(here.state, random, temperature);
    const value = await valueAt(state);
    if (
      Number.isFinite(value) &&
      (value <= here.value || random.uniform() < Math.exp((here.value - value) / temperature))
    ) {
      here = { state, value };
      accepted++;
      if (value < best.value) best = here;
    }
    step++;
    if (step % Math.max(1, Math.floor(steps / 100)) === 0)
      history.push({ step, value: here.value, best: best.value, temperature });
    temperature *= cooling;
    if (best.value <= target) reason = 'target';
    else if (signal?.aborted === true) reason = 'aborted';
    const waiting = giveWay();
    if (waiting !== undefined) await waiting;
  }
  return { ...best, steps: step, acceptanceRate: step === 0 ? 0 : accepted / step, reason, history };
}

/** At which half of the steps that lead up are taken, on average: their mean rise, divided by log 2. */
async function startingTemperature<S>(
  valueAt: (state: S) => Promise<number>,
  here: { readonly state: S; readonly value: number },
  neighbour: AnnealingOptions<S>['neighbour'],
  random: SearchRandom,
): Promise<number> {
  let [rise, count] = [0, 0];
  for (let i = 0; i < TRIES; i++) {
    const value = await valueAt(neighbour(here.state, random, 1));
    if (!(value > here.value) || !Number.isFinite(value)) continue;
    rise += value - here.value;
    count++;
  }
  return count === 0 ? 1 : rise / count / Math.LN2;
}
