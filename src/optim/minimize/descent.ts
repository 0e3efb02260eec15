// Descent along lines: a method says which way, a line search how far. The loop that all methods without a trust region share.
//   a search, a place to start from, a method's directions in; the place reached and the reason to stop out.
// Must not know: how directions are found.

import { backtracking, exactStep, goldstein } from '../line-search/backtracking.js';
import type { LineFunction, LinePoint, LineSearchReason, LineSearchResult } from '../line-search/line.js';
import { strongWolfe } from '../line-search/strong-wolfe.js';
import type { Evaluated, Point } from './objective.js';
import type { Outcome, Search, StopReason } from './search.js';
import { dot, largest, norm, scaled, sumScaled } from './vectors.js';

/** Where a method wants to go. */
export interface Directions {
  /** Which way from a place; a promise where the Hessian is asked for. */
  direction(point: Point): Float64Array | Promise<Float64Array>;
  /** The step that is tried first; undefined: as the last one would suggest. */
  firstStep?(point: Point): number | undefined;
  /** Learns from a step. */
  learn?(before: Point, after: Point): void;
  /** Forgets what it has learnt: the next direction is that of steepest descent. */
  forget?(): void;
}

export type LineSearchName = 'strong-wolfe' | 'backtracking' | 'goldstein' | 'exact';

export interface LineSettings {
  readonly name: LineSearchName;
  readonly c1: number;
  readonly c2: number;
}

/** How far x may go in one step, as a multiple of its size or of 1. */
const FURTHEST = 1e10;
/** Iterations without a lower value and without a gradient half as large, after which what is left is rounding. */
const PATIENCE = 5;

interface PlacedPoint extends LinePoint {
  readonly at: Point;
}

/** The function along a line from a place. */
export function alongDirection(objective: Evaluated, from: Point, direction: Float64Array): LineFunction<PlacedPoint> {
  return async (step) => {
    const at = await objective.at(sumScaled(from.x, step, direction));
    return { value: at.value, slope: dot(at.gradient, direction), at };
  };
}

export async function descend(
  search: Search,
  start: Point,
  method: Directions,
  settings: LineSettings,
): Promise<Outcome> {
  let point = start;
  let before: Point | undefined;
  let reason = await search.note(point);
  // A direction that leads nowhere is followed by steepest descent, once.
  let isFresh = true;
  const stalls = new Stalls(search.objective.precision);
  while (reason === undefined) {
    let direction = await method.direction(point);
    let slope = dot(point.gradient, direction);
    if (!(slope < -1e-14 * norm(point.gradient) * norm(direction))) {
      method.forget?.();
      isFresh = true;
      direction = scaled(point.gradient, -1);
      slope = dot(point.gradient, direction);
    }
    const first = method.firstStep?.(point) ?? suggestedStep(point, before, slope, direction);
    const found = await searchLine(search, point, direction, slope, first, settings);
    if (found.step === 0) {
      if (isFresh || method.forget === undefined) return { point, reason: whyNothing(search, found.reason) };
      method.forget();
      isFresh = true;
      continue;
    }
    const next = found.point.at;
    method.learn?.(point, next);
    isFresh = false;
    stalls.see(point, next);
    [before, point] = [point, next];
    reason = await search.note(point);
    if (reason === undefined && found.reason === 'max-step') reason = 'unbounded';
    if (reason === undefined && stalls.count >= PATIENCE) reason = 'precision';
  }
  return { point, reason };
}

/** How long a search has not come closer, but for rounding. */
class Stalls {
  count = 0;
  private smallest = Infinity;
  private readonly precision: number;

  constructor(precision: number) {
    this.precision = precision;
  }

  see(before: Point, after: Point): void {
    const size = largest(after.gradient);
    const hasFallen = before.value - after.value > this.precision * Math.abs(before.value);
    if (hasFallen || size < 0.5 * this.smallest) {
      this.count = 0;
      this.smallest = hasFallen ? size : Math.min(size, this.smallest);
    } else this.count++;
  }
}

async function searchLine(
  search: Search,
  point: Point,
  direction: Float64Array,
  slope: number,
  step: number,
  { name, c1, c2 }: LineSettings,
): Promise<LineSearchResult<PlacedPoint>> {
  const phi = alongDirection(search.objective, point, direction);
  const start: PlacedPoint = { value: point.value, slope, at: point };
  const maxStep = (FURTHEST * Math.max(1, largest(point.x))) / largest(direction);
  if (name === 'exact') return await exactStep(phi, { step: Math.min(step, maxStep), start });
  const options = {
    step: Math.min(step, maxStep),
    start,
    maxStep,
    maxEvaluations: Math.min(60, search.evaluationsLeft),
  };
  if (name === 'backtracking') return await backtracking(phi, { ...options, c1 });
  if (name === 'goldstein') return await goldstein(phi, options);
  return await strongWolfe(phi, { ...options, c1, c2, noise: search.objective.precision * Math.abs(point.value) });
}

/** A step that would lower the value as much as the last one has (Nocedal and Wright 2006, 3.60); at first one of length 1. */
function suggestedStep(point: Point, before: Point | undefined, slope: number, direction: Float64Array): number {
  const unit = 1 / norm(direction);
  if (before === undefined) return Math.min(unit, 1e10);
  const step = (2.02 * (point.value - before.value)) / slope;
  return step > 1e-14 * unit && Number.isFinite(step) ? step : unit;
}

function whyNothing(search: Search, reason: LineSearchReason): StopReason {
  if (reason === 'not-finite') return 'not-finite';
  if (reason === 'max-step') return 'unbounded';
  return search.isSpent ? 'evaluations' : 'precision';
}
