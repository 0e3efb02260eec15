// Trust regions: the minimum of the quadratic model within a radius, which grows where the model is right and shrinks where it is not
// (Nocedal and Wright 2006, chapter 4; Conn, Gould and Toint 2000). The model is solved exactly through the eigenvalues of the
// Hessian (Moré and Sorensen 1983), or by conjugate gradients up to the border (Steihaug 1983).

import { type Eigen, eigenOf } from './dense.js';
import type { Objective, Point } from './objective.js';
import type { Outcome, Search } from './search.js';
import { addScaled, dot, norm, scaled, sumScaled } from './vectors.js';

export interface TrustStep {
  readonly step: Float64Array;
  /** How much the model says that the value falls. */
  readonly predicted: number;
  readonly isAtBorder: boolean;
}

/** The quadratic model around a place: its minimum within a radius. */
export type TrustModel = (radius: number) => TrustStep | Promise<TrustStep>;

/** How far the model is trusted; changes on the way. */
export interface TrustRadius {
  radius: number;
  readonly maxRadius: number;
}

/** The part of the predicted decrease that makes a step acceptable. */
const ACCEPTED = 1e-4;

export async function followTrustRegion(
  search: Search,
  start: Point,
  modelAt: (point: Point) => Promise<TrustModel | undefined>,
  trust: TrustRadius,
): Promise<Outcome> {
  const { objective } = search;
  let point = start;
  let reason = await search.note(point);
  while (reason === undefined) {
    const model = await modelAt(point);
    if (model === undefined) return { point, reason: 'not-finite' };
    let next: Point | undefined;
    let isSpent = false;
    while (next === undefined && reason === undefined) {
      const { step, predicted, isAtBorder } = await model(trust.radius);
      const length = norm(step);
      const noise = 10 * objective.precision * Math.abs(point.value); // differences of values below it are rounding
      if (!(predicted > 0) || length <= 1e-16 * norm(point.x)) return { point, reason: 'precision' };
      const trial = await objective.at(sumScaled(point.x, 1, step));
      const fallen = point.value - trial.value;
      const isFinite =
        (Number.isFinite(trial.value) && Number.isFinite(norm(trial.gradient))) || trial.value === -Infinity;
      const isNoise = predicted <= noise && Math.abs(fallen) <= noise;
      const gain = !isFinite ? -1 : isNoise ? 1 : fallen / predicted;
      if (gain < 0.25) trust.radius = Math.min(length, trust.radius) / 4;
      else if (gain > 0.75 && isAtBorder) {
        isSpent = trust.radius >= trust.maxRadius;
        trust.radius = Math.min(2 * trust.radius, trust.maxRadius);
      }
      const isBetter = !isNoise || trial.value < point.value || norm(trial.gradient) < norm(point.gradient);
      if (gain > ACCEPTED && isBetter) next = trial;
      else if (isNoise) return { point, reason: 'precision' };
      else reason = search.limit();
    }
    if (next === undefined) break;
    point = next;
    reason = await search.note(point);
    if (reason === undefined && isSpent) reason = 'unbounded';
  }
  return { point, reason: reason ?? 'precision' };
}

/** The exact minimum within a radius, for any radius: the Hessian is taken apart once. */
export async function exactModel(objective: Objective, { x, gradient }: Point): Promise<TrustModel | undefined> {
  const eigen = await eigenOf(await objective.hessian(x), x.length);
  if (eigen === undefined) return undefined;
  const { values, vectors } = eigen;
  const along = inEigenvectors(eigen, gradient);
  return (radius) => {
    const { parts, isAtBorder } = shiftedStep(values, along, radius);
    const size = values.length;
    const step = new Float64Array(size);
    let predicted = 0;
    for (let k = 0; k < size; k++) {
      predicted -= parts[k] * (along[k] + 0.5 * values[k] * parts[k]);
      for (let i = 0; i < size; i++) step[i] += parts[k] * vectors[i * size + k];
    }
    return { step, predicted, isAtBorder };
  };
}

function inEigenvectors({ values, vectors }: Eigen, v: Float64Array): Float64Array {
  const size = values.length;
  const parts = new Float64Array(size);
  for (let i = 0, at = 0; i < size; i++) for (let k = 0; k < size; k++) parts[k] += vectors[at++] * v[i];
  return parts;
}

/**
 * −(Λ + λ)⁻¹·g in eigenvectors, with the λ ≥ 0 that makes it as long as the radius, or λ = 0 where it is shorter. Where g has no part along
 * the most negative curvature (the hard case), the rest of the radius is gone along that.
 */
function shiftedStep(
  values: Float64Array,
  along: Float64Array,
  radius: number,
): { parts: Float64Array; isAtBorder: boolean } {
  const size = values.length;
  const least = values[0];
  const spread = Math.max(Math.abs(least), Math.abs(values[size - 1]), Number.MIN_VALUE);
  const stepFor = (shift: number): Float64Array =>
    along.map((g, k) => {
      const curvature = values[k] + shift;
      return curvature > 1e-15 * spread ? -g / curvature : 0;
    });
  if (least > 1e-15 * spread) {
    const newton = stepFor(0);
    if (norm(newton) <= radius) return { parts: newton, isAtBorder: false };
  }
  const lowest = Math.max(0, -least);
  // At λ = −λ₁ the step is bounded only where g has no part in that direction.
  const atLowest = stepFor(lowest);
  const isHard = along.every((g, k) => values[k] + lowest > 1e-15 * spread || Math.abs(g) <= 1e-14 * norm(along));
  if (isHard && norm(atLowest) <= radius) {
    const rest = Math.sqrt(Math.max(0, radius ** 2 - dot(atLowest, atLowest)));
    if (least < 0) atLowest[0] += along[0] > 0 ? -rest : rest;
    return { parts: atLowest, isAtBorder: least < 0 };
  }
  // Newton on 1/‖p(λ)‖ − 1/radius, which is nearly a straight line, kept within an interval by halving it.
  let [low, high] = [lowest, lowest + norm(along) / radius];
  let shift = high;
  for (let i = 0; i < 100; i++) {
    const parts = stepFor(shift);
    const length = norm(parts);
    if (Math.abs(length - radius) <= 1e-10 * radius) break;
    if (length > radius) low = shift;
    else high = shift;
    let weighted = 0;
    for (let k = 0; k < size; k++) if (parts[k] !== 0) weighted += parts[k] ** 2 / (values[k] + shift);
    const next = shift + ((length - radius) / radius) * (length ** 2 / weighted);
    shift = next > low && next < high ? next : Math.max((low + high) / 2, Number.MIN_VALUE);
    if (high - low <= 1e-15 * high) break;
  }
  return { parts: stepFor(shift), isAtBorder: true };
}

/** Conjugate gradients on the model, until they are good enough, leave the radius, or find negative curvature: then to the border. */
export function steihaugModel(objective: Objective, { x, gradient }: Point, maxProducts: number): TrustModel {
  const size = norm(gradient);
  const tolerance = Math.min(0.5, Math.sqrt(size)) * size;
  // Products are the same for every radius: a smaller one after a refused step asks for no new ones.
  const products: Float64Array[] = [];
  return async (radius) => {
    const step = new Float64Array(x.length);
    const residual = gradient.slice();
    const d = scaled(gradient, -1);
    const curved = new Float64Array(x.length); // H · step
    const predicted = (): number => -dot(gradient, step) - 0.5 * dot(step, curved);
    let rr = dot(residual, residual);
    for (let i = 0; i < maxProducts; i++) {
      const product = (products[i] ??= await objective.product(x, d));
      const curvature = dot(d, product);
      const alpha = rr / curvature;
      const isOutside = !(curvature > 1e-14 * dot(d, d)) || norm(sumScaled(step, alpha, d)) >= radius;
      if (isOutside) {
        const onward = toBorder(step, d, radius);
        addScaled(step, onward, d);
        addScaled(curved, onward, product);
        return { step, predicted: predicted(), isAtBorder: true };
      }
      addScaled(step, alpha, d);
      addScaled(curved, alpha, product);
      addScaled(residual, alpha, product);
      const next = dot(residual, residual);
      if (Math.sqrt(next) <= tolerance) break;
      for (let k = 0; k < d.length; k++) d[k] = -residual[k] + (next / rr) * d[k];
      rr = next;
    }
    return { step, predicted: predicted(), isAtBorder: false };
  };
}

/** The t ≥ 0 with ‖step + t·d‖ = radius. */
function toBorder(step: Float64Array, d: Float64Array, radius: number): number {
  const [a, b, c] = [dot(d, d), dot(step, d), dot(step, step) - radius ** 2];
  const root = Math.sqrt(Math.max(0, b * b - a * c));
  return b > 0 ? -c / (b + root) : (root - b) / a;
}
