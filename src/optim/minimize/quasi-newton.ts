// Directions from an inverse Hessian that is learnt from the gradients on the way: BFGS keeps the matrix, L-BFGS the last steps that it
// would follow from (Nocedal and Wright 2006, chapters 6 and 7; Liu and Nocedal 1989).

import type { Directions } from './descent.js';
import type { Point } from './objective.js';
import { addScaled, difference, dot, matrixTimes, norm, scaled } from './vectors.js';

/** A step and how the gradient has changed over it, where they tell of positive curvature; undefined where they do not. */
function curvatureOf(before: Point, after: Point): { s: Float64Array; y: Float64Array; sy: number } | undefined {
  const [s, y] = [difference(after.x, before.x), difference(after.gradient, before.gradient)];
  const sy = dot(s, y);
  return sy > 1e-14 * norm(s) * norm(y) && sy > 0 && Number.isFinite(sy) ? { s, y, sy } : undefined;
}

/** Of the first step, while nothing is known of the curvature: one of length 1. */
const unitStep = ({ gradient }: Point): number => Math.min(1 / norm(gradient), 1e10);

export class Bfgs implements Directions {
  private readonly size: number;
  /** The inverse Hessian, row by row. */
  private inverse: Float64Array | undefined;

  constructor(size: number) {
    this.size = size;
  }

  direction({ gradient }: Point): Float64Array {
    return this.inverse === undefined ? scaled(gradient, -1) : scaled(matrixTimes(this.inverse, gradient), -1);
  }

  firstStep(point: Point): number {
    return this.inverse === undefined ? unitStep(point) : 1;
  }

  forget(): void {
    this.inverse = undefined;
  }

  /** H ← (I − ρ·s·yᵀ)·H·(I − ρ·y·sᵀ) + ρ·s·sᵀ with ρ = 1/yᵀs; at first H is (yᵀs / yᵀy)·I, which has the right size. */
  learn(before: Point, after: Point): void {
    const known = curvatureOf(before, after);
    if (known === undefined) return;
    const { s, y, sy } = known;
    const { size } = this;
    this.inverse ??= diagonal(size, sy / dot(y, y));
    const h = this.inverse;
    const hy = matrixTimes(h, y);
    const factor = (1 + dot(y, hy) / sy) / sy;
    for (let i = 0, at = 0; i < size; i++)
      for (let j = 0; j < size; j++, at++) h[at] += factor * s[i] * s[j] - (s[i] * hy[j] + hy[i] * s[j]) / sy;
  }
}

function diagonal(size: number, value: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = value;
  return matrix;
}

export class Lbfgs implements Directions {
  private readonly most: number;
  private readonly known: { readonly s: Float64Array; readonly y: Float64Array; readonly sy: number }[] = [];

  /** `historySize` steps are remembered. */
  constructor(historySize: number) {
    this.most = historySize;
  }

  direction({ gradient }: Point): Float64Array {
    const { known } = this;
    const d = scaled(gradient, -1);
    if (known.length === 0) return d;
    const parts = new Float64Array(known.length);
    for (let i = known.length - 1; i >= 0; i--) {
      const { s, y, sy } = known[i];
      parts[i] = dot(s, d) / sy;
      addScaled(d, -parts[i], y);
    }
    const { y, sy } = known[known.length - 1];
    const scale = sy / dot(y, y);
    for (let i = 0; i < d.length; i++) d[i] *= scale;
    known.forEach((one, i) => addScaled(d, parts[i] - dot(one.y, d) / one.sy, one.s));
    return d;
  }

  firstStep(point: Point): number {
    return this.known.length === 0 ? unitStep(point) : 1;
  }

  forget(): void {
    this.known.length = 0;
  }

  learn(before: Point, after: Point): void {
    const pair = curvatureOf(before, after);
    if (pair === undefined) return;
    if (this.known.length === this.most) this.known.shift();
    this.known.push(pair);
  }
}
