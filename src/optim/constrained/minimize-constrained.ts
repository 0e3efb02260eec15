// minimizeConstrained(fn, x0, { equalities, inequalities }): the minimum of a function where constraints hold. Wires the rooms of this
// folder together.

import {
  ArgumentError,
  type OptionNames,
  checkChoice,
  checkFunction,
  checkNeededOptions,
  checkWhole,
} from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { checkPositive } from '../line-search/line.js';
import { checkSignal } from '../minimize/search.js';
import type { SearchStart, SearchPoint } from '../minimize/unknowns.js';
import { augmentedLagrangian } from './augmented-lagrangian.js';
import { primalDual } from './primal-dual.js';
import { ConstrainedProblem } from './problem.js';
import { type ConstrainedLimits, type ConstrainedReason, type ConstrainedRecord, ConstrainedRun } from './run.js';

/** `augmented-lagrangian` for any smooth problem, `primal-dual` for convex ones of up to some hundred unknowns, which it solves in few iterations. */
export type ConstrainedMethod = 'augmented-lagrangian' | 'primal-dual';

export interface ConstrainedOptions<X> extends ConstrainedLimits {
  /** A tensor of what has to be 0. */
  readonly equalities?: (x: X) => AnyTensor;
  /** A tensor of what has to be at most 0. */
  readonly inequalities?: (x: X) => AnyTensor;
  /** Default `augmented-lagrangian`. */
  readonly method?: ConstrainedMethod;
  /** Of the constraints and of the gradient of the Lagrangian. Default 1e-8. */
  readonly tolerance?: number;
  /** Of multipliers. Default 200. */
  readonly maxIterations?: number;
}

const CONSTRAINED_OPTIONS: OptionNames<ConstrainedOptions<never>> = {
  equalities: true,
  inequalities: true,
  method: true,
  tolerance: true,
  maxIterations: true,
  maxEvaluations: true,
  callback: true,
  signal: true,
};

export interface ConstrainedResult<X> {
  readonly x: X;
  readonly value: number;
  /** Of f + Σ multiplier · constraint: how fast the value would change with a constraint's right side. Those of inequalities are at least 0. */
  readonly multipliers: { readonly equalities: Float64Array; readonly inequalities: Float64Array };
  /** How far the worst constraint is from holding. */
  readonly violation: number;
  /** The largest component of the gradient of the Lagrangian, in size. */
  readonly gradientNorm: number;
  readonly iterations: number;
  readonly evaluations: number;
  readonly converged: boolean;
  readonly reason: ConstrainedReason;
  /** The reason as a sentence. */
  readonly message: string;
  readonly history: readonly ConstrainedRecord[];
}

const MESSAGES: Readonly<Record<ConstrainedReason, string>> = {
  optimal: 'Constraints hold and the gradient of the Lagrangian is 0, to the tolerance.',
  infeasible: 'No place was found where the constraints hold: there may be none.',
  precision: 'Constraints hold, and no better place can be found: what is left is rounding.',
  iterations: 'As many iterations as were allowed were not enough.',
  evaluations: 'As many evaluations as were allowed were not enough.',
  unbounded: 'The function falls without end where the constraints hold.',
  'not-finite': 'The function or a constraint is NaN or infinite: at the start, or wherever the search could go.',
  aborted: 'The signal asked for the end.',
  callback: 'The callback asked for the end.',
};

/**
 * A local minimum of a function among the places where constraints hold: equalities(x) = 0 and inequalities(x) ≤ 0. Starts and functions are as
 * `minimize` takes them; the start need not fulfil the constraints. Throws ArgumentError for what is no such function, and where there is no
 * constraint. SciPy: scipy.optimize.minimize with constraints, whose inequalities are ≥ 0.
 *
 *     const { x, multipliers } = await minimizeConstrained((v) => v.square().sum(), [1, 1], {
 *       equalities: (v) => v.sum().sub(1),
 *     });
 */
export async function minimizeConstrained<const X extends SearchStart>(
  fn: (x: SearchPoint<X>) => AnyTensor,
  x0: X,
  options: ConstrainedOptions<SearchPoint<X>>,
): Promise<ConstrainedResult<SearchPoint<X>>> {
  const op = 'minimizeConstrained';
  checkNeededOptions(op, options, CONSTRAINED_OPTIONS, '{ equalities: (x) => x.sum().sub(1) }');
  const {
    equalities,
    inequalities,
    method = 'augmented-lagrangian',
    tolerance,
    maxIterations,
    maxEvaluations,
  } = options;
  if (equalities === undefined && inequalities === undefined)
    throw new ArgumentError(`${op}: there are no constraints. Give equalities or inequalities, or call minimize.`);
  checkChoice(op, 'method', method, ['augmented-lagrangian', 'primal-dual']);
  if (tolerance !== undefined) checkPositive(op, 'tolerance', tolerance);
  if (maxIterations !== undefined) checkWhole(op, 'maxIterations', maxIterations, 1);
  if (maxEvaluations !== undefined) checkWhole(op, 'maxEvaluations', maxEvaluations, 1);
  if (options.callback !== undefined) checkFunction(op, options.callback, 'callback');
  checkSignal(op, options.signal);
  const problem = new ConstrainedProblem(op, fn, x0, equalities, inequalities);
  const run = new ConstrainedRun(problem, options);
  const start = await problem.unknowns.read();
  const search = method === 'primal-dual' ? primalDual : augmentedLagrangian;
  const { at, y, z, gradientNorm, reason } = await search(run, start);
  return {
    x: problem.unknowns.result(at.x) as SearchPoint<X>,
    value: at.value,
    multipliers: { equalities: y, inequalities: z },
    violation: run.violationOf(at),
    gradientNorm,
    iterations: run.iteration,
    evaluations: problem.evaluations,
    converged: reason === 'optimal',
    reason,
    message: MESSAGES[reason],
    history: run.history,
  };
}
