// Directions from gradients alone: steepest descent, and conjugate gradients for functions that are no quadratics (Nocedal and
// Wright 2006, chapter 5).

import type { Directions } from './descent.js';
import type { Point } from './objective.js';
import { addScaled, difference, dot, scaled } from './vectors.js';

export class SteepestDescent implements Directions {
  direction({ gradient }: Point): Float64Array {
    return scaled(gradient, -1);
  }
}

/** The formulas for how much of the last direction is kept. */
export type ConjugateFormula = 'polak-ribiere' | 'fletcher-reeves' | 'hestenes-stiefel';

/** Gradients of neighbouring steps that are less orthogonal than this have lost their conjugacy (Powell 1977). */
const LEAST_ORTHOGONAL = 0.2;

export class ConjugateGradients implements Directions {
  private readonly formula: ConjugateFormula;
  private last: { readonly direction: Float64Array; readonly gradient: Float64Array } | undefined;

  constructor(formula: ConjugateFormula) {
    this.formula = formula;
  }

  direction({ gradient }: Point): Float64Array {
    const direction = scaled(gradient, -1);
    if (this.last !== undefined) addScaled(direction, this.kept(gradient, this.last), this.last.direction);
    this.last = { direction, gradient };
    return direction;
  }

  forget(): void {
    this.last = undefined;
  }

  private kept(gradient: Float64Array, last: { direction: Float64Array; gradient: Float64Array }): number {
    const change = difference(gradient, last.gradient);
    if (this.formula === 'fletcher-reeves') {
      const size = dot(gradient, gradient);
      if (Math.abs(dot(gradient, last.gradient)) > LEAST_ORTHOGONAL * size) return 0;
      return size / dot(last.gradient, last.gradient);
    }
    const below = this.formula === 'polak-ribiere' ? dot(last.gradient, last.gradient) : dot(change, last.direction);
    const part = dot(gradient, change) / below;
    return Number.isFinite(part) ? Math.max(0, part) : 0; // 0 begins anew, as Polak-Ribière+ does
  }
}
