// Strategies: which point of a space to try next, given what earlier trials have found. A strategy keeps nothing: its answer
// follows from the number of the trial, the results so far and a seeded stream, so that a search can stop and go on.
// Space and history in, a point of the unit cube out. Must not know: how trials are run.

import { ArgumentError, checkOptions, type OptionNames } from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import { GaussianProcess } from './gaussian-process.js';
import { type Point, type Space, dimensionsOf, randomPoint } from './space.js';
import { smallest } from '../../tensor/extremes.js';

/** What a strategy knows of an earlier trial. */
export interface Observation {
  readonly point: Point;
  /** To be minimised; undefined while the trial runs. Failed trials have Infinity. */
  readonly value: number | undefined;
}

export interface Strategy {
  readonly name: string;
  /** The point of trial `number` (from 0); undefined when there is nothing left to try. */
  suggest(space: Space, number: number, history: readonly Observation[], random: HostRandom): Point | undefined;
}

/** Every combination of `points` values a dimension (all of them, for choices). */
export function gridSearch(options: { readonly points?: number } = {}): Strategy {
  checkOptions('gridSearch', options, { points: true });
  const { points = 5 } = options;
  return {
    name: 'grid',
    suggest(space, number) {
      const axes = dimensionsOf(space).map(([, d]) => d.grid(points).map((value) => d.place(value)));
      if (number >= axes.reduce((product, axis) => product * axis.length, 1)) return undefined;
      let rest = number;
      const point: number[] = [];
      for (const axis of axes.toReversed()) {
        point.unshift(axis[rest % axis.length]);
        rest = Math.floor(rest / axis.length);
      }
      return point;
    },
  };
}

/** Independent random points: better than a grid wherever some dimensions matter more than others (Bergstra and Bengio 2012). */
export function randomSearch(): Strategy {
  return { name: 'random', suggest: (space, _number, _history, random) => randomPoint(space, random) };
}

export interface RefineOptions {
  /** Trials a round. Default 10. */
  readonly perRound?: number;
  /** By how much the box around the best point shrinks each round. Default 0.5. */
  readonly shrink?: number;
}

const REFINE_OPTIONS: OptionNames<RefineOptions> = { perRound: true, shrink: true };

/** Coarse to fine: rounds of random points in a box around the best so far, which shrinks from round to round. */
export function refineSearch(options: RefineOptions = {}): Strategy {
  checkOptions('refineSearch', options, REFINE_OPTIONS);
  const { perRound = 10, shrink = 0.5 } = options;
  if (!Number.isInteger(perRound) || perRound < 1)
    throw new ArgumentError(`refineSearch: perRound is ${perRound}. Use a whole number of at least 1.`);
  if (!(shrink > 0 && shrink < 1))
    throw new ArgumentError(`refineSearch: shrink is ${shrink}. Use a number above 0 and below 1.`);
  return {
    name: 'refine',
    suggest(space, number, history, random) {
      const round = Math.floor(number / perRound);
      const best = bestOf(history.slice(0, round * perRound));
      if (best === undefined) return randomPoint(space, random);
      const width = shrink ** round;
      return dimensionsOf(space).map(([, d], i) => {
        if (d.categories !== undefined) return random.uniform() < width ? random.uniform() : best.point[i];
        const low = Math.min(Math.max(best.point[i] - width / 2, 0), 1 - width);
        return low + width * random.uniform();
      });
    },
  };
}

export interface BayesianOptions {
  /** Random points before the model is asked. Default: twice the number of dimensions, at least 5. */
  readonly startup?: number;
  /** Points at which the model is asked. Default 500. */
  readonly candidates?: number;
}

const BAYESIAN_OPTIONS: OptionNames<BayesianOptions> = { startup: true, candidates: true };

/**
 * A Gaussian process models the results; the next point is where the expected improvement on the best one is largest
 * (Močkus 1974; Snoek et al. 2012). Trials that are running count with the model's mean, so that parallel ones differ.
 */
export function bayesianSearch(options: BayesianOptions = {}): Strategy {
  checkOptions('bayesianSearch', options, BAYESIAN_OPTIONS);
  const { candidates = 500 } = options;
  return {
    name: 'bayesian',
    suggest(space, number, history, random) {
      const startup = options.startup ?? Math.max(5, 2 * dimensionsOf(space).length);
      const known = history.filter(({ value }) => value !== undefined && Number.isFinite(value));
      if (number < startup || known.length < 2) return randomPoint(space, random);
      const embed = embedding(space);
      const values = squeeze(known.map(({ value }) => value as number));
      const points = known.map(({ point }) => embed(point));
      let model = new GaussianProcess(points, values, random);
      const running = history.filter(({ value }) => value === undefined).map(({ point }) => embed(point));
      if (running.length > 0) {
        const guesses = running.map((p) => model.predict(p).mean);
        model = new GaussianProcess([...points, ...running], [...values, ...guesses], random);
      }
      const least = smallest(values);
      const start = known[values.indexOf(least)].point;
      const gain = (p: Point): number => expectedImprovement(model.predict(embed(p)), least);
      return climb(space, start, candidates, gain, random);
    },
  };
}

/** The best of random points and of points near the best one so far, then of ever smaller moves around it. */
function climb(space: Space, start: Point, count: number, gain: (p: Point) => number, random: HostRandom): Point {
  const dimensions = dimensionsOf(space);
  const near = (center: Point, width: number): number[] =>
    dimensions.map(([, d], i) => {
      if (d.categories !== undefined) return random.uniform() < 0.2 ? random.uniform() : center[i];
      return reflect(center[i] + width * random.normal());
    });
  let best: Point = randomPoint(space, random);
  let most = gain(best);
  const consider = (p: Point): void => {
    const value = gain(p);
    if (value > most) [best, most] = [p, value];
  };
  for (let i = 0; i < count; i++) consider(i % 2 === 0 ? randomPoint(space, random) : near(start, 0.1));
  for (let width = 0.1; width > 1e-4; width /= 2) for (let i = 0; i < 8; i++) consider(near(best, width));
  return best;
}

/** Back into [0, 1] as from a mirror. */
function reflect(u: number): number {
  const v = Math.abs(u) % 2;
  return v > 1 ? 2 - v : v;
}

/** Choices become one coordinate a value, so that all are equally far from each other. */
function embedding(space: Space): (point: Point) => number[] {
  const dimensions = dimensionsOf(space).map(([, d]) => d);
  return (point) =>
    dimensions.flatMap(({ categories }, i) => {
      if (categories === undefined) return [point[i]];
      const chosen = Math.min(Math.floor(point[i] * categories), categories - 1);
      return Array.from({ length: categories }, (_, c) => (c === chosen ? Math.SQRT1_2 : 0));
    });
}

/** Results that are far above the median are pulled in: what they say is "bad", and how bad does not matter. */
function squeeze(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const spread = median - sorted[0] || 1;
  return values.map((v) => (v <= median ? v : median + spread * Math.log1p((v - median) / spread)));
}

/** How much lower than `least` a value may be expected to be. */
function expectedImprovement({ mean, variance }: { mean: number; variance: number }, least: number): number {
  const deviation = Math.sqrt(variance);
  const z = (least - mean) / deviation;
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  return (least - mean) * normalCdf(z) + deviation * density;
}

/** Abramowitz and Stegun 26.2.17; the error is below 8e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? 1 - tail : tail;
}

function bestOf(history: readonly Observation[]): Observation | undefined {
  let best: Observation | undefined;
  for (const o of history) {
    if (o.value !== undefined && Number.isFinite(o.value) && (best === undefined || o.value < (best.value as number)))
      best = o;
  }
  return best;
}
