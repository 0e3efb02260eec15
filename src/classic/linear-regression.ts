// Least squares: the line, plane or hyperplane with the smallest sum of squared errors, which is also the likeliest one of normal errors.

import { cholesky, choleskySolve, lstsq } from '../linalg/index.js';
import { LinAlgError, type OptionNames, checkChoice, checkWhole } from '../tensor/library.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { type Tensor, realize } from '../tensor/tensor.js';
import { type Centred, centre, interceptOf, linearValues, normalEquations } from './centred.js';
import { type Fitted, Regressor } from './estimator.js';
import { checkPositive } from './linear-svm.js';
import { type Matrix, tensorOf, vectorOf } from './rows.js';
import { checkFlag } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface LinearRegressionOptions {
  /** Learn a constant, too. Default true. */
  readonly intercept?: boolean;
  /**
   * 'qr' (default) solves by an orthogonal factorisation, which also finds the smallest solution where there are many; 'normal' solves
   * XᵀXw = Xᵀy, which is quicker and loses twice the digits; 'gradient' descends along the gradient.
   */
  readonly solver?: 'qr' | 'normal' | 'gradient';
  /** Of 'gradient': the length of a step as a share of the longest that is safe, 1 / (largest eigenvalue of XᵀX). Default 1. */
  readonly rate?: number;
  /** Of 'gradient': ends when no part of the gradient of the mean squared error is larger. Default 1e-8. */
  readonly tolerance?: number;
  /** Of 'gradient': steps at most. Default 10,000. */
  readonly maxIterations?: number;
}

const OPTIONS: OptionNames<LinearRegressionOptions> = {
  intercept: true,
  solver: true,
  rate: true,
  tolerance: true,
  maxIterations: true,
};

interface LinearState extends Fitted {
  readonly features: number;
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly rank: number | null;
  readonly sigma: number;
  readonly logLikelihood: number;
  readonly iterations: number;
  readonly converged: boolean;
  readonly history: readonly number[];
}

/**
 * ŷ = Xw + b with the least ‖y − ŷ‖². Of errors that are normal and independent it is the likeliest, with a standard deviation of `sigma`.
 * scikit-learn: LinearRegression.
 *
 *     const model = await new LinearRegression().fit([[1], [2], [3]], [2, 4, 6]);
 *     await model.predict([[4]]); // [8]
 */
export class LinearRegression extends Regressor<LinearRegressionOptions, LinearState> {
  constructor(options?: LinearRegressionOptions) {
    super(options, OPTIONS, { intercept: true, solver: 'qr', rate: 1, tolerance: 1e-8, maxIterations: 10_000 });
    const { intercept, solver, rate, tolerance, maxIterations } = this.options;
    checkFlag('LinearRegression', 'intercept', intercept);
    checkChoice('LinearRegression', 'solver', solver, ['qr', 'normal', 'gradient']);
    checkPositive('LinearRegression', 'rate', rate);
    checkPositive('LinearRegression', 'tolerance', tolerance);
    checkWhole('LinearRegression', 'maxIterations', maxIterations, 1);
  }

  /** w → [features], float64. */
  get coefficients(): Tensor<[number]> {
    return vectorOf(this.fitted('coefficients').coefficients);
  }

  /** b. */
  get intercept(): number {
    return this.fitted('intercept').intercept;
  }

  /** Rank of the (centred) rows; NaN where the solver does not say. */
  get rank(): number {
    return this.fitted('rank').rank ?? NaN;
  }

  /** Standard deviation of the errors that makes them likeliest: the root of their mean square. */
  get sigma(): number {
    return this.fitted('sigma').sigma;
  }

  /** Log-likelihood of the rows that fit() got, of normal errors with `sigma`. */
  get logLikelihood(): number {
    return this.fitted('logLikelihood').logLikelihood;
  }

  /** Steps of 'gradient'; 0 for the others. */
  get iterations(): number {
    return this.fitted('iterations').iterations;
  }

  /** Whether 'gradient' has reached its tolerance; true for the others. */
  get converged(): boolean {
    return this.fitted('converged').converged;
  }

  /** The mean squared error before each step of 'gradient'. */
  get history(): readonly number[] {
    return this.fitted('history').history;
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<LinearState> {
    const { solver, intercept } = this.options as Required<LinearRegressionOptions>;
    const centred = centre(x, y, intercept);
    const solution = await SOLVERS[solver](
      centred,
      this.options as Required<LinearRegressionOptions>,
      this.call('fit'),
    );
    const b = interceptOf(centred, solution.w);
    const predicted = linearValues(x, solution.w, b);
    const sigma = Math.sqrt(y.reduce((sum, v, i) => sum + (v - predicted[i]) ** 2, 0) / y.length);
    return {
      features: x.columns,
      coefficients: solution.w,
      intercept: b,
      rank: solution.rank,
      sigma,
      logLikelihood: (-y.length / 2) * (Math.log(2 * Math.PI * sigma * sigma) + 1),
      iterations: solution.history.length,
      converged: solution.converged,
      history: solution.history,
    };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { coefficients, intercept } = this.fitted('predict');
    return linearValues(x, coefficients, intercept);
  }

  protected checkState(state: Fitted): void {
    checkFields('LinearRegression', state, {
      features: 'count',
      coefficients: floats('features'),
      intercept: 'number',
      sigma: 'number',
      logLikelihood: 'number',
      iterations: 'count',
      converged: 'flag',
      history: 'numbers',
    });
  }
}

interface Solution {
  readonly w: Float64Array;
  readonly rank: number | null;
  readonly converged: boolean;
  readonly history: readonly number[];
}

type Solver = (centred: Centred, options: Required<LinearRegressionOptions>, op: string) => Promise<Solution>;

const SOLVERS: Readonly<Record<'qr' | 'normal' | 'gradient', Solver>> = {
  async qr({ x, y }) {
    const rows: Tensor = tensorOf(x);
    const targets: Tensor = vectorOf(y);
    const { solution, rank } = withoutGrad(() => lstsq(rows, targets));
    await realize(solution, rank); // together: apart, each would factorise the rows
    const [w, r] = await Promise.all([solution.data(), rank.item()]);
    return { w: Float64Array.from(w), rank: r, converged: true, history: [] };
  },
  async normal({ x, y }, _options, op) {
    const { gram, right } = await normalEquations(x, y);
    const w = await solvePositive(
      gram,
      right,
      () => `${op}: XᵀX is singular: features depend on each other. Use solver: 'qr'.`,
    );
    return { w, rank: x.columns, converged: true, history: [] };
  },
  gradient: async ({ x, y }, { rate, tolerance, maxIterations }) => {
    const { gram, right } = await normalEquations(x, y);
    const square = y.reduce((sum, v) => sum + v * v, 0);
    return descend(gram, right, square, x.rows, rate, tolerance, maxIterations);
  },
};

/** w of A·w = b for a positive definite A [d, d]. `fault` is what is said where A is none. */
export async function solvePositive(a: Float64Array, b: Float64Array, fault: () => string): Promise<Float64Array> {
  const d = b.length;
  let info = 0;
  try {
    const solution: Tensor = withoutGrad(() => {
      const matrix: Tensor = tensorOf({ data: a, rows: d, columns: d });
      const right: Tensor = tensorOf({ data: b, rows: d, columns: 1 });
      return choleskySolve(right, cholesky(matrix)) as Tensor;
    });
    const w = Float64Array.from(await solution.data());
    if (w.every((v) => Number.isFinite(v))) return w;
  } catch (error) {
    if (!(error instanceof LinAlgError)) throw error;
    ({ info } = error);
  }
  throw new LinAlgError(fault(), info);
}

/** Gradient descent on ‖y − Xw‖² / n by XᵀX and Xᵀy: the steps are those on the rows themselves. */
function descend(
  gram: Float64Array,
  right: Float64Array,
  square: number,
  rows: number,
  rate: number,
  tolerance: number,
  most: number,
): Solution {
  const d = right.length;
  const step = rate / (largestEigenvalue(gram, d) || 1);
  const w = new Float64Array(d);
  const history: number[] = [];
  while (history.length < most) {
    const slope = new Float64Array(d); // Xᵀ(Xw − y)
    let [cost, steepest] = [square, 0];
    for (let j = 0; j < d; j++) {
      let own = 0;
      for (let k = 0; k < d; k++) own += gram[j * d + k] * w[k];
      cost += w[j] * (own - 2 * right[j]);
      slope[j] = own - right[j];
      steepest = Math.max(steepest, (2 * Math.abs(slope[j])) / rows);
    }
    history.push(Math.max(0, cost) / rows);
    if (steepest <= tolerance) return { w, rank: null, converged: true, history };
    for (let j = 0; j < d; j++) w[j] -= step * slope[j];
  }
  return { w, rank: null, converged: false, history };
}

/** By power iteration, from above within a percent: Gershgorin's bound where it has not settled. */
function largestEigenvalue(a: Float64Array, d: number): number {
  let v = new Float64Array(d).fill(1 / Math.sqrt(d));
  let value = 0;
  for (let i = 0; i < 200; i++) {
    const next = new Float64Array(d);
    for (let j = 0; j < d; j++) for (let k = 0; k < d; k++) next[j] += a[j * d + k] * v[k];
    const size = Math.sqrt(next.reduce((sum, n) => sum + n * n, 0));
    if (size === 0) return 0;
    v = next.map((n) => n / size);
    if (Math.abs(size - value) <= 1e-6 * size) return size * 1.01;
    value = size;
  }
  return value * 1.05;
}
