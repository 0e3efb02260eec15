// The alternating direction method of multipliers (Boyd et al. 2011): the lasso, and the consensus of several functions.

import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  checkFunction,
  checkGiven,
  checkList,
  checkOptions,
  checkWhole,
  formatShape,
  isFloat,
  type OptionNames,
  ShapeError,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { checkNotNegative, checkPositive } from '../line-search/line.js';
import { descend } from '../minimize/descent.js';
import { eigenOf } from '../minimize/dense.js';
import { ParametricObjective } from '../minimize/objective.js';
import { Lbfgs } from '../minimize/quasi-newton.js';
import { Search, checkSignal } from '../minimize/search.js';
import { type SearchStart, type SearchPoint, Unknowns, as, checkedScalar } from '../minimize/unknowns.js';
import {
  difference,
  dot,
  isFiniteVector,
  largest,
  matrixTimes,
  norm,
  sumScaled,
  transposedTimes,
} from '../minimize/vectors.js';

export interface AdmmOptions {
  /** Weight of the disagreement, at first: it is doubled or halved where one residual is ten times the other. Default 1. */
  readonly rho?: number;
  /** Default 1000. */
  readonly maxIterations?: number;
  /** Of both residuals, for each unknown. Default 1e-8. */
  readonly absoluteTolerance?: number;
  /** As a part of the size of what they compare. Default 1e-6. */
  readonly relativeTolerance?: number;
  readonly signal?: AbortSignal;
}

const ADMM_OPTIONS: OptionNames<AdmmOptions> = {
  rho: true,
  maxIterations: true,
  absoluteTolerance: true,
  relativeTolerance: true,
  signal: true,
};

/** `residuals`: converged: both residuals are 0, to the tolerance. */
export type AdmmReason = 'residuals' | 'iterations' | 'not-finite' | 'aborted';

export interface AdmmRecord {
  readonly iteration: number;
  /** How far the two copies of the unknowns are from agreeing. */
  readonly primalResidual: number;
  /** How far the multipliers are from their final values. */
  readonly dualResidual: number;
  readonly rho: number;
}

export interface AdmmResult<X> {
  readonly x: X;
  readonly value: number;
  readonly iterations: number;
  readonly converged: boolean;
  readonly reason: AdmmReason;
  readonly history: readonly AdmmRecord[];
}

function checkAdmmOptions(op: string, options: AdmmOptions): void {
  checkOptions(op, options, ADMM_OPTIONS);
  const { rho, maxIterations, absoluteTolerance, relativeTolerance, signal } = options;
  checkGiven(checkPositive, op, { rho });
  checkGiven((name, what, value) => checkWhole(name, what, value, 1), op, { maxIterations });
  checkGiven(checkNotNegative, op, { absoluteTolerance, relativeTolerance });
  checkSignal(op, signal);
}

/** What both methods share: the residuals, when they are small, and the weight between them. */
class Agreement {
  rho: number;
  readonly history: AdmmRecord[] = [];
  private readonly options: AdmmOptions;

  constructor(options: AdmmOptions) {
    this.options = options;
    this.rho = options.rho ?? 1;
  }

  /** Notes an iteration; a reason if the search ends here. `sizes` are those of what each residual compares. */
  note(primal: number, dual: number, sizes: { primal: number; dual: number }, count: number): AdmmReason | undefined {
    const { maxIterations = 1000, absoluteTolerance = 1e-8, relativeTolerance = 1e-6, signal } = this.options;
    const iteration = this.history.length + 1;
    this.history.push({ iteration, primalResidual: primal, dualResidual: dual, rho: this.rho });
    if (!Number.isFinite(primal) || !Number.isFinite(dual)) return 'not-finite';
    const absolute = absoluteTolerance * Math.sqrt(count);
    if (primal <= absolute + relativeTolerance * sizes.primal && dual <= absolute + relativeTolerance * sizes.dual)
      return 'residuals';
    if (signal?.aborted === true) return 'aborted';
    return iteration >= maxIterations ? 'iterations' : undefined;
  }

  /** What the scaled multipliers are multiplied with, after a change of ρ. */
  balance(): number {
    const { primalResidual, dualResidual, iteration } = this.history[this.history.length - 1];
    if (iteration > 500) return 1; // changes without end would keep it from converging
    if (primalResidual > 10 * dualResidual) {
      this.rho *= 2;
      return 0.5;
    }
    if (dualResidual > 10 * primalResidual) {
      this.rho /= 2;
      return 2;
    }
    return 1;
  }
}

/**
 * The x [n] with the smallest ½·‖A·x − b‖² + lambda·‖x‖₁, for A [m, n] and b [m]; many components of x are 0. The eigenvalues of AᵀA are taken
 * once. Throws ShapeError where A and b do not fit. scikit-learn: Lasso(alpha=lambda / m, fit_intercept=False).
 *
 *     const { x } = await admmLasso(features, target, 0.5);
 */
export async function admmLasso(
  a: Tensor<[number, number]> | Tensor<[number, number], 'float64'>,
  b: Tensor<[number]> | Tensor<[number], 'float64'>,
  lambda: number,
  options: AdmmOptions = {},
): Promise<AdmmResult<Tensor<[number], 'float64'>>> {
  const op = 'admmLasso';
  checkTensor(a, op, 'A');
  checkTensor(b, op, 'b');
  const [shape, target] = [a.shape as readonly number[], b.shape as readonly number[]];
  if (shape.length !== 2 || target.length !== 1 || shape[0] !== target[0] || shape[0] * shape[1] === 0)
    throw new ShapeError(`${op}: A is ${formatShape(shape)}, b ${formatShape(target)}. Give [m, n] and [m].`, [
      shape,
      target,
    ]);
  if (!isFloat(a.dtype) || !isFloat(b.dtype))
    throw new ArgumentError(`${op}: A is ${a.dtype}, b ${b.dtype}. Convert them with to('float64').`);
  checkNotNegative(op, 'lambda', lambda);
  checkAdmmOptions(op, options);
  const n = shape[1];
  const wide = as(a, 'float64');
  const [gram, rows, right] = await Promise.all([
    (wide.T as Tensor).matmul(wide).data(),
    wide.data(),
    as(b, 'float64').data(),
  ]);
  const [matrix, y] = [Float64Array.from(rows as ArrayLike<number>), Float64Array.from(right as ArrayLike<number>)];
  const agreement = new Agreement(options);
  const valueOf = (x: Float64Array): number => {
    const rest = difference(matrixTimes(matrix, x), y);
    return 0.5 * dot(rest, rest) + lambda * x.reduce((sum, v) => sum + Math.abs(v), 0);
  };
  let z = new Float64Array(n);
  let u = new Float64Array(n);
  let reason: AdmmReason | undefined;
  const eigen = isFiniteVector(y) ? await eigenOf(Float64Array.from(gram as ArrayLike<number>), n) : undefined;
  if (eigen === undefined) reason = 'not-finite';
  const aty = transposedTimes(matrix, y);
  while (reason === undefined && eigen !== undefined) {
    const { rho } = agreement;
    // (AᵀA + ρ·I)·x = Aᵀb + ρ·(z − u), in the eigenvectors of AᵀA
    const side = aty.map((value, i) => value + rho * (z[i] - u[i]));
    const parts = transposedTimes(eigen.vectors, side).map((value, k) => value / (Math.max(0, eigen.values[k]) + rho));
    const x = matrixTimes(eigen.vectors, parts);
    const before = z;
    z = x.map((value, i) => shrink(value + u[i], lambda / rho));
    u = u.map((value, i) => value + x[i] - z[i]);
    const primal = norm(difference(x, z));
    const dual = rho * norm(difference(z, before));
    reason = agreement.note(primal, dual, { primal: Math.max(norm(x), norm(z)), dual: rho * norm(u) }, n);
    const factor = agreement.balance();
    if (factor !== 1) u = u.map((value) => value * factor);
  }
  const end = reason ?? 'iterations';
  return {
    x: tensor(z, { dtype: 'float64' }),
    value: valueOf(z),
    iterations: agreement.history.length,
    converged: end === 'residuals',
    reason: end,
    history: agreement.history,
  };
}

const shrink = (value: number, by: number): number => Math.sign(value) * Math.max(0, Math.abs(value) - by);

/**
 * The x with the smallest sum of several functions, each of which is minimised on its own, near what all agree on: functions of data that lie in
 * several places. They are smooth, and called as `minimize` calls its function. Throws ArgumentError where there are none.
 *
 *     const { x } = await admmConsensus([(v) => v.sub(1).square().sum(), (v) => v.add(1).square().sum()], [5]);
 */
export async function admmConsensus<const X extends SearchStart>(
  functions: readonly ((x: SearchPoint<X>) => AnyTensor)[],
  x0: X,
  options: AdmmOptions = {},
): Promise<AdmmResult<SearchPoint<X>>> {
  const op = 'admmConsensus';
  checkList(op, 'the functions', functions, 'functions');
  if (functions.length === 0) throw new ArgumentError(`${op}: there are no functions. Give at least one.`);
  functions.forEach((fn, i) => checkFunction(op, fn, `function ${i}`));
  checkAdmmOptions(op, options);
  const unknowns = new Unknowns(op, x0);
  const agents = functions.map((fn) => new ParametricObjective(unknowns, nearTo(op, fn, unknowns)));
  const agreement = new Agreement(options);
  let z = await unknowns.read();
  let places: Float64Array[] = agents.map(() => z);
  let us: Float64Array[] = agents.map(() => new Float64Array(z.length));
  let reason: AdmmReason | undefined;
  while (reason === undefined) {
    const { rho } = agreement;
    const [agreed, own] = [z, us];
    const next: Float64Array[] = [];
    for (const [i, agent] of agents.entries()) {
      agent.parameters = [difference(agreed, own[i]), Float64Array.of(rho)];
      const tolerance = Math.max(1e-12, 1e-2 * (options.absoluteTolerance ?? 1e-8));
      const search = new Search(agent, { gradientTolerance: tolerance, maxIterations: 500 });
      const found = await descend(search, await agent.at(places[i]), new Lbfgs(10), {
        name: 'strong-wolfe',
        c1: 1e-4,
        c2: 0.9,
      });
      next.push(found.point.x);
    }
    places = next;
    const before = z;
    z = new Float64Array(z.length);
    for (const [i, x] of places.entries())
      for (let k = 0; k < z.length; k++) z[k] += (x[k] + own[i][k]) / agents.length;
    const now = z;
    us = own.map((u, i) => difference(sumScaled(u, 1, places[i]), now));
    const primal = norm(Float64Array.from(places, (x) => norm(difference(x, now))));
    const dual = rho * Math.sqrt(agents.length) * norm(difference(now, before));
    const sizes = {
      primal: norm(Float64Array.from(places, (x) => norm(x))),
      dual: rho * norm(Float64Array.from(us, (u) => norm(u))),
    };
    reason = agreement.note(primal, dual, sizes, z.length * agents.length);
    const factor = agreement.balance();
    if (factor !== 1) us = us.map((u) => u.map((value) => value * factor));
  }
  let value = 0;
  for (const agent of agents) {
    agent.parameters = [z, Float64Array.of(0)];
    value += (await agent.at(z)).value;
  }
  const isFinite = Number.isFinite(value) && Number.isFinite(largest(z));
  const end = isFinite ? reason : 'not-finite';
  return {
    x: unknowns.result(z) as SearchPoint<X>,
    value,
    iterations: agreement.history.length,
    converged: end === 'residuals',
    reason: end,
    history: agreement.history,
  };
}

/** fn(x) + ρ/2·‖x − place‖², whose place and ρ change */
function nearTo(
  op: string,
  fn: (x: never) => AnyTensor,
  unknowns: Unknowns,
): (flat: Tensor, parameters: readonly Tensor[]) => Tensor {
  return (flat, [place, rho]) => {
    const own = as(checkedScalar(op, (fn as (x: unknown) => unknown)(unknowns.formed(flat))).reshape([]), 'float64');
    return own.add(flat.sub(place).square().sum().mul(rho.reshape([])).mul(0.5)) as Tensor;
  };
}
