// Searches that need values more than slopes: backtracking until Armijo's condition holds, Goldstein's two-sided condition, and the
// exact step of a parabola (Nocedal and Wright 2006, chapter 3).

import { checkOptions, type OptionNames } from '../../tensor/library.js';
import {
  LINE_OPTIONS,
  type LineFunction,
  type LinePoint,
  LineSearch,
  type LineSearchOptions,
  type LineSearchResult,
  checkBetween,
} from './line.js';

export interface BacktrackingOptions<P extends LinePoint = LinePoint> extends LineSearchOptions<P> {
  /** What a step that is too long is multiplied with; undefined: where the parabola through what is known has its minimum. */
  readonly shrink?: number;
}

const BACKTRACKING_OPTIONS: OptionNames<BacktrackingOptions> = { ...LINE_OPTIONS, shrink: true };

/**
 * Shortens the step until the value has fallen by c1 · step · slope (Armijo 1966).
 *
 *     const { step } = await backtracking((t) => ({ value: (t - 1) ** 2, slope: 2 * (t - 1) }), { step: 8 });
 */
export async function backtracking<P extends LinePoint>(
  phi: LineFunction<P>,
  options: BacktrackingOptions<P> = {},
): Promise<LineSearchResult<P>> {
  const op = 'backtracking';
  checkOptions(op, options, BACKTRACKING_OPTIONS);
  const { c1 = 1e-4, shrink } = options;
  checkBetween(op, 'c1', c1, 0, 1);
  if (shrink !== undefined) checkBetween(op, 'shrink', shrink, 0, 1);
  const search = await LineSearch.begin(op, phi, options);
  if (search.obstacle !== undefined) return search.giveUp(search.obstacle);
  const { start } = search;
  let step = Math.min(options.step ?? 1, search.maxStep);
  while (!search.isExhausted) {
    const point = await search.at(op, step);
    if (point.value <= search.allowed(step, c1) && Number.isFinite(point.value)) return search.accept(step, point);
    if (step < 1e-15 * (options.step ?? 1)) return search.giveUp('precision');
    // The parabola through φ(0), φ'(0) and φ(step); within [0.1, 0.5] of the step, so that it neither stands still nor jumps to 0.
    const curved = point.value - start.value - step * start.slope;
    const part = Number.isFinite(curved) && curved > 0 ? (-0.5 * step * start.slope) / curved : 0.1;
    step *= shrink ?? Math.min(0.5, Math.max(0.1, part));
  }
  return search.giveUp('evaluations');
}

export interface GoldsteinOptions<P extends LinePoint = LinePoint> extends LineSearchOptions<P> {
  /** Between c and 1 − c of what the slope promises has to be gained. In (0, 0.5), default 0.25. */
  readonly c?: number;
}

const GOLDSTEIN_OPTIONS: OptionNames<Omit<GoldsteinOptions, 'c1'>> = {
  step: true,
  start: true,
  maxStep: true,
  maxEvaluations: true,
  c: true,
};

/**
 * A step that is neither too long nor too short: φ(0) + (1 − c)·step·slope ≤ φ(step) ≤ φ(0) + c·step·slope (Goldstein 1965). Steps that are too
 * short are doubled, and between a short and a long one the interval is halved.
 */
export async function goldstein<P extends LinePoint>(
  phi: LineFunction<P>,
  options: Omit<GoldsteinOptions<P>, 'c1'> = {},
): Promise<LineSearchResult<P>> {
  const op = 'goldstein';
  checkOptions(op, options, GOLDSTEIN_OPTIONS);
  const { c = 0.25 } = options;
  checkBetween(op, 'c', c, 0, 0.5);
  const search = await LineSearch.begin(op, phi, options);
  if (search.obstacle !== undefined) return search.giveUp(search.obstacle);
  let [low, high] = [0, Infinity];
  let step = Math.min(options.step ?? 1, search.maxStep);
  while (!search.isExhausted) {
    const point = await search.at(op, step);
    if (!(point.value <= search.allowed(step, c))) high = step;
    else if (point.value < search.allowed(step, 1 - c)) low = step;
    else return search.accept(step, point);
    if (low >= search.maxStep) return search.giveUp('max-step');
    if (high - low <= 1e-15 * high) return search.giveUp('precision');
    step = high === Infinity ? Math.min(2 * low, search.maxStep) : (low + high) / 2;
  }
  return search.giveUp('evaluations');
}

export interface ExactOptions<P extends LinePoint = LinePoint> {
  /** The step at which the slope is measured. Default 1. */
  readonly step?: number;
  /** What the function is at 0, if that is known already. */
  readonly start?: P;
}

const EXACT_OPTIONS: OptionNames<ExactOptions> = { step: true, start: true };

/**
 * The minimum of a parabola, from its slopes at two places: along the gradient g of a quadratic with matrix H that is gᵀg / gᵀHg. For other
 * functions it is one step of the secant method. `not-descent` where the parabola has no minimum ahead.
 */
export async function exactStep<P extends LinePoint>(
  phi: LineFunction<P>,
  options: ExactOptions<P> = {},
): Promise<LineSearchResult<P>> {
  const op = 'exactStep';
  checkOptions(op, options, EXACT_OPTIONS);
  const search = await LineSearch.begin(op, phi, options);
  if (search.obstacle !== undefined) return search.giveUp(search.obstacle);
  const { step: trial = 1 } = options;
  const point = await search.at(op, trial);
  const curvature = (point.slope - search.start.slope) / trial;
  if (!Number.isFinite(curvature)) return search.giveUp('not-finite');
  if (curvature <= 0) return search.giveUp('max-step');
  const step = -search.start.slope / curvature;
  return search.accept(step, step === trial ? point : await search.at(op, step));
}
