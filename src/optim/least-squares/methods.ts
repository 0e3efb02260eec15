// The ways from a linear model to the minimum: Gauss-Newton (the whole step, shortened where it leads up), Levenberg (damped by λ·I), and
// Levenberg-Marquardt in a trust region whose axes are the sizes of the Jacobian's columns (Moré 1978).

import { backtracking } from '../line-search/backtracking.js';
import type { StopReason } from '../minimize/search.js';
import { dot, largest, norm, sumScaled } from '../minimize/vectors.js';
import { Damping } from './damping.js';
import type { Fit, FitOutcome } from './fit.js';
import { ExactModel, type FitPoint, fromParts, partsFor, predictedBy } from './linear-model.js';
import type { Singular } from '../minimize/dense.js';

const ACCEPTED = 1e-4;

export async function gaussNewton(fit: Fit, start: FitPoint): Promise<FitOutcome> {
  let point = start;
  for (;;) {
    const model = await fit.modelAt(point);
    if (model === undefined) return { point, gradientNorm: NaN, reason: 'not-finite' };
    const { gradient } = model;
    const end = (reason: StopReason): FitOutcome => ({ point, gradientNorm: largest(gradient), reason });
    const reason = await fit.note(point, gradient);
    if (reason !== undefined) return end(reason);
    const { step, predicted } = await model.step(0);
    const line = async (length: number) => {
      const at = await fit.at(sumScaled(point.x, length, step));
      return { value: at.cost, slope: 0, at }; // backtracking asks for no slope but that at 0
    };
    const found = await backtracking(line, { start: { value: point.cost, slope: dot(gradient, step), at: point } });
    if (found.step === 0) return end(found.reason === 'not-finite' ? 'not-finite' : (fit.limit() ?? 'precision'));
    const next = found.point.at;
    const small = fit.tolerance(point, next, point.cost - next.cost, predicted);
    point = next;
    if (small !== undefined) return await settled(fit, point, small);
  }
}

/** What a damped search goes on from. */
export interface DampedState {
  damping?: Damping | undefined;
}

/** With damping λ·I: between Gauss-Newton (λ small) and gradient descent (λ large). `initial` is the first λ as a part of the size of JᵀJ. */
export async function levenberg(
  fit: Fit,
  start: FitPoint,
  state: DampedState = {},
  initial = 1e-3,
): Promise<FitOutcome> {
  let point = start;
  for (;;) {
    const model = await fit.modelAt(point);
    if (model === undefined) return { point, gradientNorm: NaN, reason: 'not-finite' };
    const end = (reason: StopReason): FitOutcome => ({ point, gradientNorm: largest(model.gradient), reason });
    const reason = await fit.note(point, model.gradient);
    if (reason !== undefined) return end(reason);
    const damping = (state.damping ??= new Damping(initial * (model.size || 1)));
    let next: FitPoint | undefined;
    let small: StopReason | undefined;
    while (next === undefined) {
      const { step, predicted } = await model.step(damping.lambda);
      const trial = await fit.at(sumScaled(point.x, 1, step));
      const fallen = point.cost - trial.cost;
      const isBetter = Number.isFinite(trial.cost) && fallen > ACCEPTED * predicted && predicted > 0;
      small = Number.isFinite(trial.cost) ? fit.tolerance(point, trial, fallen, predicted) : undefined;
      if (isBetter) {
        damping.accept(fallen / predicted);
        next = trial;
      } else {
        damping.refuse();
        const why = small ?? (damping.isHopeless ? 'precision' : fit.limit());
        if (why !== undefined) return end(why);
      }
    }
    point = next;
    if (small !== undefined) return await settled(fit, point, small);
  }
}

/** In a trust region ‖D·p‖ ≤ radius, where D has the largest norms that the columns of the Jacobian have had. */
export async function levenbergMarquardt(fit: Fit, start: FitPoint): Promise<FitOutcome> {
  if (fit.settings.solver === 'cg') return await levenberg(fit, start); // without the Jacobian its columns are not known
  let point = start;
  let radius = 0;
  let lambda = 0;
  const scale = new Float64Array(start.x.length);
  for (let isFirst = true; ; isFirst = false) {
    const model = await ExactModel.at(fit.residuals, point, fit.settings);
    if (model === undefined) return { point, gradientNorm: NaN, reason: 'not-finite' };
    const end = (reason: StopReason): FitOutcome => ({ point, gradientNorm: largest(model.gradient), reason });
    const reason = await fit.note(point, model.gradient);
    if (reason !== undefined) return end(reason);
    widen(scale, model.columns);
    if (isFirst) radius = 100 * (norm(scale.map((d, j) => d * point.x[j])) || 1);
    const singular = await model.scaledBy(scale);
    let next: FitPoint | undefined;
    let small: StopReason | undefined;
    while (next === undefined) {
      const { parts, damping } = withinRadius(singular, radius, lambda);
      lambda = damping;
      const length = norm(parts);
      if (isFirst) radius = Math.min(radius, length);
      const step = fromParts(singular, parts).map((value, j) => value / scale[j]);
      const trial = await fit.at(sumScaled(point.x, 1, step));
      const predicted = predictedBy(singular, parts);
      const fallen = point.cost - trial.cost;
      const gain = Number.isFinite(trial.cost) && predicted > 0 ? fallen / predicted : -1;
      if (gain <= 0.25) {
        // The minimum of the parabola through both costs and the slope, within [0.1, 0.5].
        const slope = -dot(model.gradient, step);
        const part = fallen >= 0 ? 0.5 : (0.5 * slope) / (slope - fallen);
        const shrink = part >= 0.1 ? Math.min(part, 0.5) : 0.1;
        radius = shrink * Math.min(radius, length / 0.1);
        lambda /= shrink;
      } else if (lambda === 0 || gain >= 0.75) {
        radius = length / 0.5;
        lambda *= 0.5;
      }
      small = Number.isFinite(trial.cost) ? fit.tolerance(point, trial, fallen, predicted) : undefined;
      if (gain >= ACCEPTED) next = trial;
      else {
        const isNothing = radius <= Number.EPSILON * norm(scale.map((d, j) => d * point.x[j]));
        const why = small ?? (isNothing ? 'precision' : fit.limit());
        if (why !== undefined) return end(why);
      }
    }
    point = next;
    if (small !== undefined) return await settled(fit, point, small);
  }
}

/** Units that only grow; 1 for what nothing depends on. */
function widen(scale: Float64Array, columns: Float64Array): void {
  for (let j = 0; j < scale.length; j++) scale[j] = Math.max(scale[j], columns[j]) || 1;
}

/** The place that a search ends with counts as an iteration; its gradient is that of the model there. */
async function settled(fit: Fit, point: FitPoint, reason: StopReason): Promise<FitOutcome> {
  const model = await fit.modelAt(point);
  if (model === undefined) return { point, gradientNorm: NaN, reason: 'not-finite' };
  const other = await fit.note(point, model.gradient);
  return { point, gradientNorm: largest(model.gradient), reason: other === 'gradient' ? other : reason };
}

/** The least damping with which the step is within 10 % of the radius, or none where it is shorter anyway. */
function withinRadius(singular: Singular, radius: number, guess: number): { parts: Float64Array; damping: number } {
  const { values, along, rank } = singular;
  const newton = partsFor(singular, 0);
  const length = norm(newton);
  if (length <= 1.1 * radius) return { parts: newton, damping: 0 };
  let high = norm(values.map((s, k) => s * along[k])) / radius;
  // Where no singular value is 0, the tangent at 0 is a lower bound.
  let low = rank === values.length ? Math.max(0, (length - radius) / slopeOf(values, newton, 0)) : 0;
  let damping = Math.min(Math.max(guess, low), high) || high / length;
  for (let i = 0; i < 50; i++) {
    if (!(damping > 0)) damping = Math.max(Number.MIN_VALUE, 0.001 * high);
    const parts = partsFor(singular, damping);
    const size = norm(parts);
    if (Math.abs(size - radius) <= 0.1 * radius) return { parts, damping };
    if (size > radius) low = Math.max(low, damping);
    else high = Math.min(high, damping);
    const next = damping + ((size - radius) / radius) * (size / slopeOf(values, parts, damping));
    damping = next > low && next < high ? next : Math.max(Math.sqrt(low * high), 0.001 * high);
  }
  return { parts: partsFor(singular, damping), damping };
}

/** −d‖p‖/dλ */
function slopeOf(values: Float64Array, parts: Float64Array, damping: number): number {
  let sum = 0;
  for (let k = 0; k < parts.length; k++) if (parts[k] !== 0) sum += parts[k] ** 2 / (values[k] ** 2 + damping);
  return sum / (norm(parts) || 1);
}
