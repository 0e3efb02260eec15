// The linear model of residuals around a place, f + J·p, and the step that makes it small: exactly, through the singular values of
// the Jacobian, through eigenvalues of JᵀJ, or by conjugate gradients on products with it.
//   Residuals and a place in; steps for any damping out.
// Must not know: when a step is accepted.

import { dot, largest, norm, scaled, addScaled, transposedTimes } from '../minimize/vectors.js';
import { type RobustLoss, costOf, weightsOf } from './loss.js';
import type { JacobianMode, Residuals } from './residuals.js';
import { type Singular, singularOf, singularOfGram } from '../minimize/dense.js';

/** A place, and how large the residuals are there. */
export interface FitPoint {
  readonly x: Float64Array;
  readonly residuals: Float64Array;
  /** Half the sum of squares, or of what the robust loss makes of them. */
  readonly cost: number;
}

export interface FitSettings {
  readonly loss: RobustLoss;
  readonly lossScale: number;
  /** How the Jacobian is made; undefined: by what is shorter, its rows or its columns. */
  readonly jacobian: JacobianMode | undefined;
  readonly solver: 'exact' | 'normal' | 'cg';
  /** Of a step with `cg`. */
  readonly maxProducts: number;
}

export interface ModelStep {
  readonly step: Float64Array;
  /** How much the model says that the cost falls. */
  readonly predicted: number;
}

/** The least-squares problem ‖f + J·p‖² around a place. */
export interface LinearModel {
  /** Jᵀ·f, the gradient of the cost. */
  readonly gradient: Float64Array;
  /** A typical size of JᵀJ: what damping is measured by. */
  readonly size: number;
  /** The p with the smallest ‖f + J·p‖² + damping · ‖p‖². */
  step(damping: number): ModelStep | Promise<ModelStep>;
}

export async function fitAt(
  residuals: Residuals,
  x: Float64Array,
  { loss, lossScale }: FitSettings,
): Promise<FitPoint> {
  const values = await residuals.at(x);
  return { x, residuals: values, cost: costOf(values, loss, lossScale) };
}

export async function linearModelAt(
  residuals: Residuals,
  point: FitPoint,
  settings: FitSettings,
): Promise<LinearModel | undefined> {
  if (settings.solver === 'exact') return await ExactModel.at(residuals, point, settings);
  if (settings.solver === 'normal') return await NormalModel.at(residuals, point);
  return await ProductModel.at(residuals, point, settings);
}

/** Through singular values, with each unknown in a scale of its own. */
export class ExactModel implements LinearModel {
  readonly gradient: Float64Array;
  /** The norms of the Jacobian's columns. */
  readonly columns: Float64Array;
  /** The robust residuals: half their squares have the gradient of the cost. */
  readonly residuals: Float64Array;
  private readonly jacobian: Float64Array;

  private constructor(jacobian: Float64Array, residuals: Float64Array) {
    [this.jacobian, this.residuals] = [jacobian, residuals];
    this.gradient = transposedTimes(jacobian, residuals);
    const columns = (this.columns = new Float64Array(this.gradient.length));
    for (let i = 0, at = 0; i < residuals.length; i++)
      for (let j = 0; j < columns.length; j++) columns[j] = Math.hypot(columns[j], jacobian[at++]);
  }

  /** Undefined where the Jacobian is not finite. */
  static async at(residuals: Residuals, point: FitPoint, settings: FitSettings): Promise<ExactModel | undefined> {
    const { loss, lossScale } = settings;
    const isWide = residuals.size > point.residuals.length;
    const jacobian = await residuals.jacobian(point.x, settings.jacobian ?? (isWide ? 'reverse' : 'forward'));
    let f = point.residuals;
    if (loss !== 'linear') {
      const weights = weightsOf(f, loss, lossScale);
      f = f.map((r, i) => r * weights.residual[i]);
      for (let i = 0; i < jacobian.length; i++) jacobian[i] *= weights.row[Math.floor(i / residuals.size)];
    }
    return Number.isFinite(largest(jacobian)) ? new ExactModel(jacobian, f) : undefined;
  }

  get size(): number {
    return largest(this.columns) ** 2;
  }

  private singular: Promise<Singular> | undefined;

  async step(damping: number): Promise<ModelStep> {
    const { jacobian, residuals, gradient } = this;
    this.singular ??= singularOf(jacobian, residuals, gradient.length);
    return stepOf(await this.singular, damping);
  }

  /** Singular values of J·D⁻¹, for D on the diagonal. */
  scaledBy(scale: Float64Array): Promise<Singular> {
    const { jacobian, residuals } = this;
    const matrix = jacobian.map((value, i) => value / scale[i % scale.length]);
    return singularOf(matrix, residuals, scale.length);
  }
}

function stepOf(singular: Singular, damping: number): ModelStep {
  const parts = partsFor(singular, damping);
  return { step: fromParts(singular, parts), predicted: predictedBy(singular, parts) };
}

/** The step along the right singular vectors: −σ / (σ² + damping) · uᵀf; nothing along those that are 0 but for rounding. */
export function partsFor({ values, along, rank }: Singular, damping: number): Float64Array {
  return values.map((s, k) => (k < rank || damping > 0 ? (-s * along[k]) / (s * s + damping || 1) : 0));
}

export function fromParts({ vectors }: Singular, parts: Float64Array): Float64Array {
  return transposedTimes(vectors, parts);
}

/** Half of ‖f‖² − ‖f + J·p‖². */
export function predictedBy({ values, along }: Singular, parts: Float64Array): number {
  let fall = 0;
  for (let k = 0; k < parts.length; k++) fall -= values[k] * parts[k] * (along[k] + 0.5 * values[k] * parts[k]);
  return fall;
}

/**
 * Through the eigenvalues of JᵀJ, the squares of the singular values: small where residuals are many, and less exact for directions whose singular
 * value is below 1e-8 of the largest.
 */
class NormalModel implements LinearModel {
  readonly gradient: Float64Array;
  readonly size: number;
  private readonly singular: Singular;

  private constructor(gradient: Float64Array, size: number, singular: Singular) {
    [this.gradient, this.size, this.singular] = [gradient, size, singular];
  }

  static async at(residuals: Residuals, { x, residuals: f }: FitPoint): Promise<NormalModel | undefined> {
    const equations = await residuals.normal(x, f);
    if (equations === undefined) return undefined;
    const { gram, gradient } = equations;
    const n = gradient.length;
    let size = 0;
    for (let j = 0; j < n; j++) size = Math.max(size, gram[j * n + j]);
    return new NormalModel(gradient, size, await singularOfGram(gram, gradient));
  }

  step(damping: number): ModelStep {
    return stepOf(this.singular, damping);
  }
}

/** By conjugate gradients: J and its transpose are multiplied with vectors, and never made. */
class ProductModel implements LinearModel {
  readonly gradient: Float64Array;
  readonly size: number;
  private readonly curved: (v: Float64Array) => Promise<Float64Array>;
  private readonly maxProducts: number;

  private constructor(
    gradient: Float64Array,
    size: number,
    curved: (v: Float64Array) => Promise<Float64Array>,
    maxProducts: number,
  ) {
    [this.gradient, this.size] = [gradient, size];
    [this.curved, this.maxProducts] = [curved, maxProducts];
  }

  static async at(
    residuals: Residuals,
    point: FitPoint,
    { loss, lossScale, maxProducts }: FitSettings,
  ): Promise<ProductModel | undefined> {
    const { x, residuals: f } = point;
    const weights = weightsOf(f, loss, lossScale);
    const timesRow = (u: Float64Array): Float64Array => u.map((value, i) => value * weights.row[i]);
    const curved = async (v: Float64Array): Promise<Float64Array> =>
      await residuals.pull(x, timesRow(timesRow(await residuals.push(x, v))));
    const seed = f.map((r, i) => r * weights.residual[i] * weights.row[i]);
    const gradient = await residuals.pull(x, seed);
    const length = norm(gradient);
    if (!Number.isFinite(length)) return undefined;
    // The curvature along the gradient tells how large JᵀJ is.
    const unit = scaled(gradient, length === 0 ? 0 : 1 / length);
    const size = length === 0 ? 1 : dot(unit, await curved(unit));
    return new ProductModel(gradient, Number.isFinite(size) && size > 0 ? size : 1, curved, maxProducts);
  }

  async step(damping: number): Promise<ModelStep> {
    const { gradient, maxProducts } = this;
    const length = norm(gradient);
    const tolerance = Math.min(0.1, Math.sqrt(length)) * length;
    const step = new Float64Array(gradient.length);
    const curved = new Float64Array(gradient.length); // JᵀJ · step
    const residual = gradient.slice();
    const d = scaled(gradient, -1);
    let rr = dot(residual, residual);
    for (let i = 0; i < maxProducts; i++) {
      const product = await this.curved(d);
      const curvature = dot(d, product) + damping * dot(d, d);
      if (!(curvature > 1e-30 * dot(d, d))) break;
      const alpha = rr / curvature;
      addScaled(step, alpha, d);
      addScaled(curved, alpha, product);
      for (let k = 0; k < d.length; k++) residual[k] += alpha * (product[k] + damping * d[k]);
      const next = dot(residual, residual);
      if (Math.sqrt(next) <= tolerance) break;
      for (let k = 0; k < d.length; k++) d[k] = -residual[k] + (next / rr) * d[k];
      rr = next;
    }
    return { step, predicted: -dot(gradient, step) - 0.5 * dot(step, curved) };
  }
}
