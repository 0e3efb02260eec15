// Ridge: least squares with a squared L2 penalty.

import type { Tensor } from '../tensor/tensor.js';
import type { OptionNames } from '../tensor/library.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { centre, interceptOf, linearValues, normalEquations } from './centred.js';
import { type Fitted, Regressor } from './estimator.js';
import { solvePositive } from './linear-regression.js';
import { checkPositive } from './linear-svm.js';
import { type Matrix, tensorOf, vectorOf } from './rows.js';
import { checkFlag } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface RidgeOptions {
  /** How much ‖w‖² counts. Default 1. */
  readonly alpha?: number;
  /** Learn a constant, too; it is not penalised. Default true. */
  readonly intercept?: boolean;
}

const OPTIONS: OptionNames<RidgeOptions> = { alpha: true, intercept: true };

interface RidgeState extends Fitted {
  readonly features: number;
  readonly coefficients: Float64Array;
  readonly intercept: number;
}

/**
 * ‖y − Xw − b‖² + α‖w‖², solved by a Cholesky factorisation of XᵀX + αI (of XXᵀ + αI where there are fewer rows than features).
 * scikit-learn: Ridge.
 *
 *     const model = await new Ridge({ alpha: 0.5 }).fit(x, y);
 */
export class Ridge extends Regressor<RidgeOptions, RidgeState> {
  constructor(options?: RidgeOptions) {
    super(options, OPTIONS, { alpha: 1, intercept: true });
    checkPositive('Ridge', 'alpha', this.options.alpha);
    checkFlag('Ridge', 'intercept', this.options.intercept);
  }

  /** → [features], float64. */
  get coefficients(): Tensor<[number]> {
    return vectorOf(this.fitted('coefficients').coefficients);
  }

  get intercept(): number {
    return this.fitted('intercept').intercept;
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<RidgeState> {
    const { alpha, intercept } = this.options as Required<RidgeOptions>;
    const centred = centre(x, y, intercept);
    const fault = () =>
      `${this.call('fit')}: alpha ${alpha} is too small for features that depend on each other. Use a larger one.`;
    const w =
      x.columns <= x.rows
        ? await primal(centred.x, centred.y, alpha, fault)
        : await dual(centred.x, centred.y, alpha, fault);
    return { features: x.columns, coefficients: w, intercept: interceptOf(centred, w) };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { coefficients, intercept } = this.fitted('predict');
    return linearValues(x, coefficients, intercept);
  }

  protected checkState(state: Fitted): void {
    checkFields('Ridge', state, { features: 'count', coefficients: floats('features'), intercept: 'number' });
  }
}

async function primal(x: Matrix, y: Float64Array, alpha: number, fault: () => string): Promise<Float64Array> {
  const { gram, right } = await normalEquations(x, y);
  for (let j = 0; j < x.columns; j++) gram[j * x.columns + j] += alpha;
  return solvePositive(gram, right, fault);
}

/** w = Xᵀ(XXᵀ + αI)⁻¹y */
async function dual(x: Matrix, y: Float64Array, alpha: number, fault: () => string): Promise<Float64Array> {
  const rows: Tensor = tensorOf(x);
  const kernel = Float64Array.from(await withoutGrad(() => rows.matmul(rows.T) as Tensor).data());
  for (let i = 0; i < x.rows; i++) kernel[i * x.rows + i] += alpha;
  const weights = await solvePositive(kernel, y, fault);
  const w = new Float64Array(x.columns);
  for (let i = 0, at = 0; i < x.rows; i++) for (let j = 0; j < x.columns; j++, at++) w[j] += weights[i] * x.data[at];
  return w;
}
