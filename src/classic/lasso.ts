// Lasso: least squares with an L1 penalty, by coordinate descent on the normal equations. It ends when the duality gap is small, which
// bounds how far the cost is from its minimum.

import { ArgumentError, type OptionNames, checkNumber, checkWhole } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { centre, interceptOf, linearValues, normalEquations } from './centred.js';
import { type Fitted, Regressor } from './estimator.js';
import { checkPositive } from './linear-svm.js';
import { type Matrix, vectorOf } from './rows.js';
import { checkFlag } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface LassoOptions {
  /** How much ‖w‖₁ counts. Default 1. */
  readonly alpha?: number;
  /** Learn a constant, too; it is not penalised. Default true. */
  readonly intercept?: boolean;
  /** Ends when the duality gap is less than this share of ‖y − mean‖² / n. Default 1e-4. */
  readonly tolerance?: number;
  /** Walks through the coefficients, at most. Default 1000. */
  readonly maxIterations?: number;
}

const OPTIONS: OptionNames<LassoOptions> = { alpha: true, intercept: true, tolerance: true, maxIterations: true };

interface LassoState extends Fitted {
  readonly features: number;
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly iterations: number;
  readonly gap: number;
  readonly converged: boolean;
}

/**
 * ‖y − Xw − b‖² / 2n + α‖w‖₁: some coefficients become exactly 0. scikit-learn: Lasso.
 *
 *     const model = await new Lasso({ alpha: 0.1 }).fit(x, y);
 *     model.zeros; // coefficients that are 0
 */
export class Lasso extends Regressor<LassoOptions, LassoState> {
  constructor(options?: LassoOptions) {
    super(options, OPTIONS, { alpha: 1, intercept: true, tolerance: 1e-4, maxIterations: 1000 });
    const { alpha, intercept, tolerance, maxIterations } = this.options;
    checkPositive('Lasso', 'alpha', alpha);
    checkFlag('Lasso', 'intercept', intercept);
    checkNumber('Lasso', 'tolerance', tolerance);
    if (!(tolerance! >= 0)) throw new ArgumentError(`Lasso: tolerance is ${tolerance}. Use a number of at least 0.`);
    checkWhole('Lasso', 'maxIterations', maxIterations, 1);
  }

  /** → [features], float64. */
  get coefficients(): Tensor<[number]> {
    return vectorOf(this.fitted('coefficients').coefficients);
  }

  get intercept(): number {
    return this.fitted('intercept').intercept;
  }

  /** Number of coefficients that are 0. */
  get zeros(): number {
    return this.fitted('zeros').coefficients.filter((w) => w === 0).length;
  }

  /** Walks through the coefficients. */
  get iterations(): number {
    return this.fitted('iterations').iterations;
  }

  /** The cost is at most this far from its minimum. */
  get gap(): number {
    return this.fitted('gap').gap;
  }

  /** Whether the tolerance was reached. */
  get converged(): boolean {
    return this.fitted('converged').converged;
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<LassoState> {
    const { alpha, intercept, tolerance, maxIterations } = this.options as Required<LassoOptions>;
    const centred = centre(x, y, intercept);
    const { gram, right } = await normalEquations(centred.x, centred.y);
    const square = centred.y.reduce((sum, v) => sum + v * v, 0);
    const problem = { gram, right, square, penalty: alpha * x.rows };
    const { w, iterations, gap, converged } = descend(problem, tolerance, maxIterations);
    return {
      features: x.columns,
      coefficients: w,
      intercept: interceptOf(centred, w),
      iterations,
      gap: gap / x.rows,
      converged,
    };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { coefficients, intercept } = this.fitted('predict');
    return linearValues(x, coefficients, intercept);
  }

  protected checkState(state: Fitted): void {
    checkFields('Lasso', state, {
      features: 'count',
      coefficients: floats('features'),
      intercept: 'number',
      iterations: 'count',
      gap: 'number',
      converged: 'flag',
    });
  }
}

/** ½‖y − Xw‖² + penalty·‖w‖₁ by XᵀX, Xᵀy and yᵀy. */
interface Problem {
  readonly gram: Float64Array;
  readonly right: Float64Array;
  readonly square: number;
  readonly penalty: number;
}

function descend(
  problem: Problem,
  tolerance: number,
  most: number,
): { w: Float64Array; iterations: number; gap: number; converged: boolean } {
  const { gram, right, square, penalty } = problem;
  const d = right.length;
  const w = new Float64Array(d);
  const rest = right.slice(); // Xᵀ(y − Xw)
  const least = tolerance * square;
  let gap = Infinity;
  for (let iteration = 1; iteration <= most; iteration++) {
    let [largestChange, largestWeight] = [0, 0];
    for (let j = 0; j < d; j++) {
      const curvature = gram[j * d + j];
      if (curvature === 0) continue;
      const before = w[j];
      const pull = rest[j] + curvature * before;
      w[j] = (Math.sign(pull) * Math.max(Math.abs(pull) - penalty, 0)) / curvature;
      const change = w[j] - before;
      if (change !== 0) for (let k = 0; k < d; k++) rest[k] -= change * gram[j * d + k];
      largestChange = Math.max(largestChange, Math.abs(change));
      largestWeight = Math.max(largestWeight, Math.abs(w[j]));
    }
    // the gap costs a walk of its own: it is taken when the weights have come to rest
    if (largestChange > tolerance * largestWeight && iteration < most) continue;
    gap = dualityGap(problem, w, rest);
    if (gap <= least) return { w, iterations: iteration, gap, converged: true };
    if (largestChange === 0) return { w, iterations: iteration, gap, converged: gap <= 1e-10 * square };
  }
  return { w, iterations: most, gap, converged: false };
}

/** Of the residual, scaled until it is a feasible point of the dual problem. */
function dualityGap({ right, square, penalty }: Problem, w: Float64Array, rest: Float64Array): number {
  const wRight = w.reduce((sum, v, j) => sum + v * right[j], 0);
  const wRest = w.reduce((sum, v, j) => sum + v * rest[j], 0);
  const size = w.reduce((sum, v) => sum + Math.abs(v), 0);
  const residual = Math.max(0, square - wRight - wRest); // ‖y − Xw‖²
  const steepest = rest.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const scale = steepest > penalty ? penalty / steepest : 1;
  return 0.5 * residual * (1 + scale * scale) + penalty * size - scale * (square - wRight);
}
