// Samples from a density that is known up to a factor: random-walk Metropolis-Hastings, several chains at once (Metropolis et al. 1953;
// Hastings 1970). During the burn-in the walk's steps are fitted to the shape of the density (Haario et al. 2001) and to a good
// acceptance rate; after it they stay, so that what is kept is a Markov chain.

import { tensor } from '../../tensor/creation.js';
import { HostRandom, nextHostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkFunction,
  checkNumbers,
  checkOptions,
  checkWhole,
  type OptionNames,
} from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { lowerFactorOf } from '../minimize/dense.js';
import { checkSignal } from '../minimize/search.js';
import { checkPositive } from '../line-search/line.js';
import { effectiveSampleSize, rHat } from './chains.js';
import { valuesOfRows } from './each-row.js';

export interface MetropolisOptions {
  /** Samples that are kept of each chain. Default 1000. */
  readonly samples?: number;
  /** Steps before the first one that is kept. Default as many as samples. */
  readonly burnIn?: number;
  /** Default 4. */
  readonly chains?: number;
  /** Steps for one sample that is kept. Default 1. */
  readonly thin?: number;
  /** Deviation of a step in each unknown, before it is fitted. Default 1. */
  readonly stepSize?: number;
  /** Whether steps are fitted during the burn-in. Default true. */
  readonly adapt?: boolean;
  /** Default: drawn from the generator of `manualSeed`. */
  readonly seed?: number;
  /** Ends the run when it is aborted; what was sampled until then is the result. */
  readonly signal?: AbortSignal;
}

const METROPOLIS_OPTIONS: OptionNames<MetropolisOptions> = {
  samples: true,
  burnIn: true,
  chains: true,
  thin: true,
  stepSize: true,
  adapt: true,
  seed: true,
  signal: true,
};

export interface MetropolisResult {
  /** [chains, samples, unknowns], float64. */
  readonly samples: Tensor<[number, number, number], 'float64'>;
  /** Accepted steps of each chain as a part of all, after the burn-in. */
  readonly acceptanceRate: readonly number[];
  /** Of each unknown, over all chains. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly effectiveSampleSize: readonly number[];
  readonly rHat: readonly number[];
  /** Evaluations of the density of all chains together. */
  readonly evaluations: number;
  /** `samples`: as many as were asked for. `not-finite`: the density of every chain's start is 0 or no number, so that no walk begins. */
  readonly reason: 'samples' | 'aborted' | 'not-finite';
}

/** Of accepted steps, where a walk explores fastest: in one dimension, and in many (Roberts et al. 1997). */
const GOOD_RATE = { one: 0.44, many: 0.234 };
/** Burn-in steps between two fits of the proposal. */
const FITTING = 50;

/**
 * Samples from the density whose logarithm a function gives, up to a constant. The function takes a float64 tensor [chains, unknowns] and returns
 * [chains], the log density of each row; −∞ (or NaN) where a density is 0. Chains begin around `start`, a list of numbers, scattered by `stepSize`.
 * Throws ArgumentError for what is no such function.
 *
 *     const { mean, rHat } = await metropolisHastings((x) => x.square().sum(1).mul(-0.5), [0, 0], { seed: 1 });
 */
export async function metropolisHastings(
  logDensity: (x: Tensor<[number, number], 'float64'>) => AnyTensor,
  start: readonly number[],
  options: MetropolisOptions = {},
): Promise<MetropolisResult> {
  const op = 'metropolisHastings';
  checkFunction(op, logDensity, 'the log density');
  checkNumbers(op, 'the start', start);
  if (start.length === 0 || !Array.from(start).every(Number.isFinite))
    throw new ArgumentError(
      `${op}: the start is [${Array.from(start).join(', ')}]. Give at least one number, and finite ones.`,
    );
  checkOptions(op, options, METROPOLIS_OPTIONS);
  const { samples = 1000, burnIn = samples, chains = 4, thin = 1, stepSize = 1, adapt = true, seed, signal } = options;
  checkWhole(op, 'samples', samples, 4);
  checkWhole(op, 'burnIn', burnIn);
  checkWhole(op, 'chains', chains, 1);
  checkWhole(op, 'thin', thin, 1);
  checkPositive(op, 'stepSize', stepSize);
  if (seed !== undefined) checkWhole(op, 'seed', seed);
  checkSignal(op, signal);

  const random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
  const density = valuesOfRows(op, logDensity, 'log density', 'chains', [chains, start.length]);
  const walk = new Walk(density, random, start, chains, stepSize);
  await walk.begin();
  const kept: Float64Array[] = [];
  let reason: MetropolisResult['reason'] = walk.canMove ? 'samples' : 'not-finite';
  for (let i = 0; i < burnIn && reason === 'samples'; i++) {
    await walk.step();
    if (adapt && (i + 1) % FITTING === 0) await walk.fit();
    if (signal?.aborted === true) reason = 'aborted';
  }
  walk.count();
  while (kept.length < samples && reason === 'samples') {
    for (let i = 0; i < thin; i++) await walk.step();
    kept.push(walk.places.slice());
    if (signal?.aborted === true) reason = 'aborted';
  }
  return summary(kept, walk, reason);
}

type Density = (places: Float64Array) => Promise<ArrayLike<number>>;

class Walk {
  /** [chains, unknowns] */
  readonly places: Float64Array;
  evaluations = 0;
  /** Since the last call of `count`. */
  readonly accepted: number[];
  steps = 0;
  private readonly density: Density;
  private readonly random: HostRandom;
  private readonly chains: number;
  private readonly size: number;
  private values: number[] = [];
  /** The lower triangle that normal numbers are multiplied with, and its scale. */
  private shape: Float64Array;
  private scale: number;
  private readonly seen: Float64Array[] = [];
  private sinceFit = { accepted: 0, steps: 0 };
  private fits = 0;

  constructor(density: Density, random: HostRandom, start: readonly number[], chains: number, stepSize: number) {
    [this.density, this.random, this.chains, this.size] = [density, random, chains, start.length];
    this.accepted = new Array<number>(chains).fill(0);
    this.places = new Float64Array(chains * this.size);
    for (let i = 0; i < this.places.length; i++)
      this.places[i] = start[i % this.size] + (i < this.size ? 0 : stepSize * random.normal());
    this.shape = identity(this.size);
    this.scale = stepSize;
  }

  /** Chains that begin where the density is 0 begin at the start itself. */
  async begin(): Promise<void> {
    await this.evaluateAll();
    const { size, places } = this;
    if (this.values.every(Number.isFinite) || !Number.isFinite(this.values[0])) return;
    this.values.forEach((value, c) => {
      if (!Number.isFinite(value)) places.copyWithin(c * size, 0, size);
    });
    await this.evaluateAll();
  }

  private async evaluateAll(): Promise<void> {
    this.values = Array.from(await this.density(this.places), finiteOrNothing);
    this.evaluations++;
  }

  get canMove(): boolean {
    return this.values.some((value) => value > -Infinity);
  }

  /** Acceptance is counted from here on. */
  count(): void {
    this.accepted.fill(0);
    this.steps = 0;
  }

  async step(): Promise<void> {
    const { chains, size, places, random } = this;
    const trial = places.slice();
    for (let c = 0; c < chains; c++) {
      const z = Float64Array.from({ length: size }, () => random.normal());
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) trial[c * size + i] += this.scale * this.shape[i * size + j] * z[j];
    }
    const values = await this.density(trial);
    this.evaluations++;
    this.steps++;
    this.sinceFit.steps += chains;
    for (let c = 0; c < chains; c++) {
      const value = finiteOrNothing(values[c]);
      if (!(Math.log(1 - random.uniform()) < value - this.values[c])) continue;
      this.values[c] = value;
      places.set(trial.subarray(c * size, (c + 1) * size), c * size);
      this.accepted[c]++;
      this.sinceFit.accepted++;
    }
    if (this.seen.length < 5000) this.seen.push(places.slice());
  }

  /** Steps like the places of the second half so far, and larger or smaller by how often they were accepted. */
  async fit(): Promise<void> {
    const { size, sinceFit } = this;
    const rate = sinceFit.accepted / sinceFit.steps;
    const good = size === 1 ? GOOD_RATE.one : GOOD_RATE.many;
    this.fits++;
    const recent = this.seen
      .slice(this.seen.length >> 1)
      .flatMap((all) => Array.from({ length: this.chains }, (_, c) => all.subarray(c * size, (c + 1) * size)));
    const canLearn = recent.length > 10 * size && rate > 0.05;
    const learnt = canLearn ? await lowerFactorOf(covarianceOf(recent, size), size) : undefined;
    if (learnt !== undefined) {
      if (this.fits === 1 || this.isPlain) this.scale = 2.38 / Math.sqrt(size);
      this.isPlain = false;
      this.shape = learnt;
    }
    this.scale *= Math.exp(Math.max(-1.5, Math.min(1.5, 3 * (rate - good))));
    this.sinceFit = { accepted: 0, steps: 0 };
  }

  /** Steps are still round. */
  private isPlain = true;
}

const finiteOrNothing = (value: number): number => (Number.isNaN(value) ? -Infinity : value);

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

function covarianceOf(places: readonly Float64Array[], size: number): Float64Array {
  const middle = new Float64Array(size);
  for (const place of places) for (let i = 0; i < size; i++) middle[i] += place[i] / places.length;
  const sums = new Float64Array(size * size);
  for (const place of places)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        sums[i * size + j] += ((place[i] - middle[i]) * (place[j] - middle[j])) / places.length;
  return sums;
}

function summary(kept: readonly Float64Array[], walk: Walk, reason: MetropolisResult['reason']): MetropolisResult {
  const chains = walk.accepted.length;
  const size = walk.places.length / chains;
  const data = new Float64Array(chains * kept.length * size);
  const chainsOf = (i: number): Float64Array[] =>
    Array.from({ length: chains }, (_, c) => Float64Array.from(kept, (places) => places[c * size + i]));
  kept.forEach((places, s) => {
    for (let c = 0; c < chains; c++) data.set(places.subarray(c * size, (c + 1) * size), (c * kept.length + s) * size);
  });
  const unknowns = Array.from({ length: size }, (_, i) => chainsOf(i));
  const canTell = kept.length >= 4;
  const means = unknowns.map((all) => average(all));
  return {
    samples: tensor(data, { shape: [chains, kept.length, size], dtype: 'float64' }),
    acceptanceRate: walk.accepted.map((n) => n / walk.steps),
    mean: means,
    deviation: unknowns.map((all, i) => Math.sqrt(average(all.map((c) => c.map((x) => (x - means[i]) ** 2))))),
    effectiveSampleSize: unknowns.map((all) => (canTell ? effectiveSampleSize(all) : NaN)),
    rHat: unknowns.map((all) => (canTell ? rHat(all) : NaN)),
    evaluations: walk.evaluations,
    reason,
  };
}

function average(chains: readonly Float64Array[]): number {
  let [sum, count] = [0, 0];
  for (const chain of chains) {
    for (const x of chain) sum += x;
    count += chain.length;
  }
  return sum / count;
}
