// Linear support vector machines by dual coordinate descent (Hsieh and others 2008; the algorithm of liblinear): for each row in turn, in a
// random order, its multiplier is moved to the best place, and the weights follow. One problem for two classes, one for each class of more.

import { HostRandom } from '../tensor/host-random.js';
import { ArgumentError, type OptionNames, checkChoice, checkNumber, checkWhole } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ClassState, type Fitted, ScoringClassifier } from './estimator.js';
import type { Encoded } from './labels.js';
import { type Matrix, type Rows, asDouble, readRows, tensorOf, vectorOf, zeroMatrix } from './rows.js';
import { checkFlag } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface LinearSvmOptions {
  /** max(0, 1 − y·f)² ('squared-hinge', default) or max(0, 1 − y·f) ('hinge'). */
  readonly loss?: 'squared-hinge' | 'hinge';
  /** How much the losses count beside ½‖w‖²: the larger, the less is regularised. Default 1. */
  readonly c?: number;
  /** Learn a constant, too; it is regularised like the weights, as in liblinear. Default true. */
  readonly intercept?: boolean;
  /** Ends when no multiplier's gradient violates its bounds by more. Default 1e-4. */
  readonly tolerance?: number;
  /** Walks through the rows, at most. Default 1000. */
  readonly maxIterations?: number;
  /** Of the order of rows. Default 0. */
  readonly seed?: number;
}

const OPTIONS: OptionNames<LinearSvmOptions> = {
  loss: true,
  c: true,
  intercept: true,
  tolerance: true,
  maxIterations: true,
  seed: true,
};

interface SvmState extends ClassState {
  readonly coefficients: Matrix;
  readonly intercept: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * The widest margin between classes: ½‖w‖² + C Σ loss. More than two classes: each against the rest. Features of very different sizes slow it
 * down: put a StandardScaler in front. scikit-learn: LinearSVC.
 *
 *     const model = await pipeline(new StandardScaler(), new LinearSVM({ c: 0.1 })).fit(x, y);
 */
export class LinearSVM extends ScoringClassifier<LinearSvmOptions, SvmState> {
  constructor(options?: LinearSvmOptions) {
    super(options, OPTIONS, {
      loss: 'squared-hinge',
      c: 1,
      intercept: true,
      tolerance: 1e-4,
      maxIterations: 1000,
      seed: 0,
    });
    const { loss, c, intercept, tolerance, maxIterations, seed } = this.options;
    checkChoice('LinearSVM', 'loss', loss, ['squared-hinge', 'hinge']);
    checkPositive('LinearSVM', 'c', c);
    checkFlag('LinearSVM', 'intercept', intercept);
    checkPositive('LinearSVM', 'tolerance', tolerance);
    checkWhole('LinearSVM', 'maxIterations', maxIterations, 1);
    checkWhole('LinearSVM', 'seed', seed, -Infinity);
  }

  /** → [1, features] for two classes, else [classes, features]. */
  get coefficients(): Tensor<[number, number]> {
    return tensorOf(this.fitted('coefficients').coefficients);
  }

  /** → [1] for two classes, else [classes]. */
  get intercept(): Tensor<[number]> {
    return vectorOf(this.fitted('intercept').intercept);
  }

  /** Walks through the rows, the most of any class. */
  get iterations(): number {
    return this.fitted('iterations').iterations;
  }

  /** Whether the tolerance was reached, for every class. */
  get converged(): boolean {
    return this.fitted('converged').converged;
  }

  /** w·x + b: [n, 1] for two classes (positive for the second), else [n, classes]. */
  async decisionFunction(x: Rows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('decisionFunction');
    return tensorOf(this.margins(await readRows(this.call('decisionFunction'), x, features)));
  }

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<SvmState> {
    const problems = classes.length === 2 ? [1] : Array.from(classes.keys());
    const coefficients = zeroMatrix(problems.length, x.columns);
    const intercept = new Float64Array(problems.length);
    let [iterations, converged] = [0, true];
    problems.forEach((positive, p) => {
      const signs = Float64Array.from(y, (place) => (place === positive ? 1 : -1));
      const found = descend(asDouble(x), signs, this.options as Required<LinearSvmOptions>);
      coefficients.data.set(found.w.subarray(0, x.columns), p * x.columns);
      intercept[p] = this.options.intercept === true ? found.w[x.columns] : 0;
      iterations = Math.max(iterations, found.iterations);
      converged &&= found.converged;
    });
    return { features: x.columns, classes, coefficients, intercept, iterations, converged };
  }

  protected async scores(x: Matrix): Promise<Matrix> {
    const margins = this.margins(x);
    if (margins.columns > 1) return margins;
    const out = zeroMatrix(x.rows, 2);
    for (let i = 0; i < x.rows; i++) out.data[2 * i + 1] = margins.data[i];
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('LinearSVM', state, {
      features: 'count',
      classes: 'labels',
      coefficients: floats('problems', 'features'),
      intercept: floats('problems'),
      iterations: 'count',
      converged: 'flag',
    });
    const classes = (state['classes'] as readonly unknown[]).length;
    const { rows } = state['coefficients'] as Matrix;
    if (rows !== (classes === 2 ? 1 : classes))
      throw new ArgumentError('loadEstimator: the LinearSVM has coefficients for another number of classes.');
  }

  private margins(x: Matrix): Matrix {
    const { coefficients, intercept } = this.fitted('predict');
    return linearScores(x, coefficients, intercept);
  }
}

/** X·Wᵀ + b, in float64. */
export function linearScores(x: Matrix, w: Matrix, intercept: Float64Array): Matrix {
  const out = zeroMatrix(x.rows, w.rows);
  const d = x.columns;
  for (let i = 0; i < x.rows; i++)
    for (let k = 0; k < w.rows; k++) {
      let sum = intercept[k];
      for (let j = 0; j < d; j++) sum += x.data[i * d + j] * w.data[k * d + j];
      out.data[i * w.rows + k] = sum;
    }
  return out;
}

export function checkPositive(op: string, what: string, value: unknown): void {
  checkNumber(op, what, value);
  if (!((value as number) > 0)) throw new ArgumentError(`${op}: ${what} is ${String(value)}. Use a number above 0.`);
}

/** min ½αᵀQα − Σα with 0 ≤ α ≤ C (hinge), or α ≥ 0 and 1/2C on the diagonal (squared hinge); w = Σ αyx. */
function descend(
  { data, rows, columns }: Matrix,
  signs: Float64Array,
  { loss, c, intercept, tolerance, maxIterations, seed }: Required<LinearSvmOptions>,
): { w: Float64Array; iterations: number; converged: boolean } {
  const [diagonal, most] = loss === 'hinge' ? [0, c] : [0.5 / c, Infinity];
  const constant = intercept ? 1 : 0;
  const w = new Float64Array(columns + 1);
  const alpha = new Float64Array(rows);
  const curvature = Float64Array.from({ length: rows }, (_, i) => {
    let sum = diagonal + constant;
    for (let j = 0; j < columns; j++) sum += data[i * columns + j] ** 2;
    return sum;
  });
  const random = new HostRandom(seed, 0x5f3);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    random.shuffle(order);
    let [high, low] = [-Infinity, Infinity];
    for (const i of order) {
      const from = i * columns;
      let f = constant * w[columns];
      for (let j = 0; j < columns; j++) f += w[j] * data[from + j];
      const gradient = signs[i] * f - 1 + diagonal * alpha[i];
      // at a bound only what points inwards counts
      const inward = alpha[i] === 0 ? Math.min(gradient, 0) : alpha[i] === most ? Math.max(gradient, 0) : gradient;
      high = Math.max(high, inward);
      low = Math.min(low, inward);
      if (inward === 0) continue;
      const before = alpha[i];
      const step = curvature[i] > 0 ? gradient / curvature[i] : Math.sign(gradient) * Infinity;
      alpha[i] = Math.min(Math.max(before - step, 0), most);
      if (!Number.isFinite(alpha[i])) alpha[i] = before; // a row of zeros and no constant: nothing to learn from it
      const change = (alpha[i] - before) * signs[i];
      for (let j = 0; j < columns; j++) w[j] += change * data[from + j];
      w[columns] += change * constant;
    }
    if (high - low <= tolerance) return { w, iterations: iteration, converged: true };
  }
  return { w, iterations: maxIterations, converged: false };
}
