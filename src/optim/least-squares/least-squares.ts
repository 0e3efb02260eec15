// leastSquares(residuals, x0): the parameters with the smallest sum of squares, or of robust losses. Wires the rooms of this folder
// together.

import { type OptionNames, checkChoice, checkOptions, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { checkPositive } from '../line-search/line.js';
import { MESSAGES } from '../minimize/minimize.js';
import {
  CONVERGED,
  type IterationRecord,
  SEARCH_OPTIONS,
  type SearchOptions,
  type StopReason,
  checkSearchOptions,
} from '../minimize/search.js';
import type { SearchStart, SearchPoint } from '../minimize/unknowns.js';
import { tensor } from '../../tensor/creation.js';
import { Fit, type FitOutcome } from './fit.js';
import type { FitPoint } from './linear-model.js';
import { LOSSES, type RobustLoss } from './loss.js';
import { gaussNewton, levenberg, levenbergMarquardt } from './methods.js';
import { type JacobianMode, Residuals } from './residuals.js';

/** `lm` is Levenberg-Marquardt: a damping in the scale of each unknown. `levenberg` damps all alike, `gauss-newton` not at all. */
export type LeastSquaresMethod = 'gauss-newton' | 'levenberg' | 'lm';

export interface LeastSquaresOptions extends Omit<SearchOptions, 'lowest'> {
  /** Default `lm`. */
  readonly method?: LeastSquaresMethod;
  /** What counts of a residual: its square, or less where it is large. Default `linear`: the square. */
  readonly loss?: RobustLoss;
  /** The size of residuals from which on a robust loss counts less. Default 1. */
  readonly lossScale?: number;
  /** How the Jacobian is made: by columns (`forward`) or by rows (`reverse`). Default: by what there is less of. */
  readonly jacobian?: JacobianMode;
  /**
   * Solves for a step: `exact` through the singular values of the Jacobian, `cg` by conjugate gradients on products with it, for networks, where
   * `lm` damps as `levenberg` does. Default `exact` for up to 500 unknowns.
   */
  readonly solver?: 'exact' | 'cg';
  /** Of one step with `cg`; each takes two products with the Jacobian. Default 100. */
  readonly maxProducts?: number;
}

const LEAST_SQUARES_OPTIONS: OptionNames<LeastSquaresOptions> = (() => {
  const { lowest: _, ...shared } = SEARCH_OPTIONS;
  return { ...shared, method: true, loss: true, lossScale: true, jacobian: true, solver: true, maxProducts: true };
})();

const METHODS: Readonly<Record<LeastSquaresMethod, (fit: Fit, start: FitPoint) => Promise<FitOutcome>>> = {
  'gauss-newton': gaussNewton,
  levenberg: (fit, start) => levenberg(fit, start),
  lm: levenbergMarquardt,
};

const FEW = 500;

export interface LeastSquaresResult<X> {
  /** The parameters, in the form of the start. */
  readonly x: X;
  /** Half the sum of squares, or of the robust losses. */
  readonly value: number;
  /** What the function returns at x, one flat list. */
  readonly residuals: Tensor<[number], 'float64'>;
  /** The largest component of the gradient Jᵀ·f, in size. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Of the residuals. */
  readonly evaluations: number;
  /** Of the Jacobian. */
  readonly jacobians: number;
  /** Of products with the Jacobian or its transpose. */
  readonly products: number;
  readonly converged: boolean;
  readonly reason: StopReason;
  /** The reason as a sentence. */
  readonly message: string;
  readonly history: readonly IterationRecord[];
}

/**
 * The parameters that make the residuals of a function small: half the sum of their squares, or of a robust loss of them. The function takes
 * what `minimize` takes and returns a tensor of residuals. Tolerances of value, step and gradient are 1e-8 by default, evaluations 100 times
 * the unknowns and one more. Throws ArgumentError for what is no such function. SciPy: scipy.optimize.least_squares.
 *
 *     const { x } = await leastSquares((p) => p.slice(0, 0, 1).mul(t.mul(p.slice(0, 1, 2)).exp()).sub(y), [1, 0]);
 */
export async function leastSquares<const X extends SearchStart>(
  residuals: (x: SearchPoint<X>) => AnyTensor,
  x0: X,
  options: LeastSquaresOptions = {},
): Promise<LeastSquaresResult<SearchPoint<X>>> {
  const op = 'leastSquares';
  checkLeastSquaresOptions(op, options);
  const made = new Residuals(op, residuals, x0);
  const { method = 'lm', loss = 'linear', lossScale = 1, jacobian, maxProducts = 100 } = options;
  const { solver = made.size <= FEW ? 'exact' : 'cg' } = options;
  const fit = new Fit(made, { loss, lossScale, jacobian, solver, maxProducts }, options);
  const { point, gradientNorm, reason } = await METHODS[method](fit, await fit.at(await made.unknowns.read()));
  return {
    x: made.unknowns.result(point.x) as SearchPoint<X>,
    value: point.cost,
    residuals: tensor(point.residuals, { dtype: 'float64' }) as Tensor<[number], 'float64'>,
    gradientNorm,
    iterations: fit.iteration,
    evaluations: made.evaluations,
    jacobians: made.jacobians,
    products: made.products,
    converged: CONVERGED.has(reason),
    reason,
    message: MESSAGES[reason],
    history: fit.history,
  };
}

function checkLeastSquaresOptions(op: string, options: LeastSquaresOptions): void {
  checkOptions(op, options, LEAST_SQUARES_OPTIONS);
  checkSearchOptions(op, options);
  const { method, loss, lossScale, jacobian, solver, maxProducts } = options;
  if (method !== undefined) checkChoice(op, 'method', method, Object.keys(METHODS));
  if (loss !== undefined) checkChoice(op, 'loss', loss, Object.keys(LOSSES));
  if (lossScale !== undefined) checkPositive(op, 'lossScale', lossScale);
  if (jacobian !== undefined) checkChoice(op, 'jacobian', jacobian, ['forward', 'reverse']);
  if (solver !== undefined) checkChoice(op, 'solver', solver, ['exact', 'cg']);
  if (maxProducts !== undefined) checkWhole(op, 'maxProducts', maxProducts, 1);
}
