// Newton's directions: from the whole Hessian, made positive definite through its eigenvalues, or from products with it by truncated
// conjugate gradients (Nocedal and Wright 2006, 3.4 and 7.1).

import type { Directions } from './descent.js';
import { type Eigen, eigenOf } from './dense.js';
import type { Objective, Point } from './objective.js';
import { addScaled, dot, norm, scaled } from './vectors.js';

/** Curvatures below this part of the largest one count as flat. */
const FLAT = 1e-12;

/** −|H|⁻¹·g: Newton's step where the function is convex, and down the curve where it is not (Dauphin et al. 2014). */
export class NewtonDirections implements Directions {
  private readonly objective: Objective;

  constructor(objective: Objective) {
    this.objective = objective;
  }

  async direction({ x, gradient }: Point): Promise<Float64Array> {
    const matrix = await this.objective.hessian(x);
    const eigen = await eigenOf(matrix, x.length);
    return eigen === undefined ? scaled(gradient, -1) : throughEigen(eigen, gradient);
  }

  firstStep(): number {
    return 1;
  }
}

function throughEigen({ values, vectors }: Eigen, gradient: Float64Array): Float64Array {
  const size = values.length;
  const most = Math.max(Math.abs(values[0]), Math.abs(values[size - 1]));
  const d = new Float64Array(size);
  if (most === 0) return scaled(gradient, -1);
  for (let k = 0; k < size; k++) {
    let along = 0;
    for (let i = 0; i < size; i++) along += vectors[i * size + k] * gradient[i];
    const step = -along / Math.max(Math.abs(values[k]), FLAT * most);
    for (let i = 0; i < size; i++) d[i] += step * vectors[i * size + k];
  }
  return d;
}

/** The step of Newton as far as conjugate gradients get: exactly enough to converge faster than linearly, and to negative curvature at most. */
export class NewtonCgDirections implements Directions {
  private readonly objective: Objective;
  private readonly maxProducts: number;

  constructor(objective: Objective, maxProducts: number) {
    this.objective = objective;
    this.maxProducts = maxProducts;
  }

  async direction({ x, gradient }: Point): Promise<Float64Array> {
    const size = norm(gradient);
    const tolerance = Math.min(0.5, Math.sqrt(size)) * size;
    const step = new Float64Array(x.length);
    const residual = gradient.slice();
    const d = scaled(gradient, -1);
    let rr = dot(residual, residual);
    for (let i = 0; i < this.maxProducts; i++) {
      const product = await this.objective.product(x, d);
      const curvature = dot(d, product);
      if (!Number.isFinite(curvature)) break;
      if (curvature <= 1e-14 * dot(d, d)) {
        if (i === 0) return d;
        break;
      }
      const alpha = rr / curvature;
      addScaled(step, alpha, d);
      addScaled(residual, alpha, product);
      const next = dot(residual, residual);
      if (Math.sqrt(next) <= tolerance) break;
      for (let k = 0; k < d.length; k++) d[k] = -residual[k] + (next / rr) * d[k];
      rr = next;
    }
    return dot(step, gradient) < 0 ? step : scaled(gradient, -1);
  }

  firstStep(): number {
    return 1;
  }
}
