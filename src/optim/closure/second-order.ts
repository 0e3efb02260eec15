// Second-order optimisers of modules: Newton's method by conjugate gradients, Gauss-Newton, Levenberg-Marquardt. A step takes a function
// that computes the loss, or the residuals, from the module; it is differentiated here, so it calls no backward(). Within a step
// it is captured once, and its products with the Hessian or the Jacobian are replays.

import { checkChoice, checkFunction, checkWhole } from '../../tensor/library.js';
import { withValues } from '../../tensor/swapped-values.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { Damping } from '../least-squares/damping.js';
import { Fit, type FitOutcome } from '../least-squares/fit.js';
import type { FitPoint } from '../least-squares/linear-model.js';
import { type DampedState, gaussNewton, levenberg } from '../least-squares/methods.js';
import { Residuals } from '../least-squares/residuals.js';
import { Objective } from '../minimize/objective.js';
import { Search } from '../minimize/search.js';
import { followTrustRegion, steihaugModel } from '../minimize/trust-region.js';
import { largest } from '../minimize/vectors.js';
import { checkRange } from '../optimizer.js';
import { ClosureOptimizer, type HostState, type StepReport } from './closure-optimizer.js';

/** Computes the loss, or the residuals, from the parameters as they are: forward, without backward. */
export type ForwardClosure<Rows extends readonly AnyTensor[] = readonly []> = (...rows: Rows) => AnyTensor;

abstract class SecondOrder<Options extends object> extends ClosureOptimizer<Options> {
  /** The closure as a function of other tensors in the place of the parameters. */
  protected ofParameters<Rows extends readonly AnyTensor[]>(
    closure: ForwardClosure<Rows>,
  ): (values: readonly AnyTensor[], ...rows: Rows) => AnyTensor {
    checkFunction(this.constructor.name, closure, 'the closure');
    const own: readonly AnyTensor[] = this.parameters;
    return (values, ...rows) => withValues(new Map(own.map((p, i) => [p, values[i]])), () => closure(...rows));
  }

  /** The parameters as a start, whose numbers do not change meanwhile. */
  protected get start(): AnyTensor[] {
    return this.parameters.map((p) => p.detach());
  }

  protected checkShapes(shapes: Readonly<Record<string, readonly number[]>>): string | undefined {
    const { numbers = [2], ...others } = shapes;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) return `${unknown} is no state of ${this.constructor.name}`;
    return numbers.length === 1 && numbers[0] === 2 ? undefined : 'its numbers are not two';
  }
}

export interface NewtonCGOptions {
  /** Iterations of one step. Default 1. */
  maxIterations: number;
  /** Products with the Hessian for one iteration, at most. Default 20. */
  maxProducts: number;
  /** How far the parameters may move at first, in the Euclidean norm. Default 1. */
  initialRadius: number;
  /** Largest component of the gradient that counts as 0. Default 1e-7. */
  toleranceGrad: number;
}

const NEWTON_DEFAULTS: NewtonCGOptions = { maxIterations: 1, maxProducts: 20, initialRadius: 1, toleranceGrad: 1e-7 };

/**
 * Newton's method by conjugate gradients in a trust region (Steihaug 1983), for any loss: each iteration takes up to `maxProducts`
 * products with the Hessian, each of about three gradients' cost. The radius goes on from step to step. For full batches. No
 * counterpart in PyTorch.
 *
 *     const optimizer = new NewtonCG(model.parameters());
 *     const { value } = await optimizer.step(() => crossEntropy(model.forward(x), y));
 */
export class NewtonCG extends SecondOrder<NewtonCGOptions> {
  private radius = NaN;

  constructor(params: Iterable<Tensor>, options: Partial<NewtonCGOptions> = {}) {
    super(params, NEWTON_DEFAULTS, options);
  }

  protected check({ maxIterations, maxProducts, initialRadius, toleranceGrad }: NewtonCGOptions): void {
    checkWhole('NewtonCG', 'maxIterations', maxIterations, 1);
    checkWhole('NewtonCG', 'maxProducts', maxProducts, 1);
    checkRange(initialRadius, 'NewtonCG: initialRadius', Number.MIN_VALUE);
    checkRange(toleranceGrad, 'NewtonCG: toleranceGrad', 0);
  }

  async step(closure: ForwardClosure): Promise<StepReport> {
    const fn = this.ofParameters(closure);
    await this.begin();
    const { maxIterations, maxProducts, initialRadius, toleranceGrad } = this.group;
    const objective = new Objective('NewtonCG', fn as (x: never) => AnyTensor, this.start);
    const search = new Search(objective, { maxIterations, gradientTolerance: toleranceGrad });
    const trust = { radius: Number.isNaN(this.radius) ? initialRadius : this.radius, maxRadius: 1e10 };
    const first = await objective.at(await objective.unknowns.read());
    const modelAt = async (point: typeof first) => steihaugModel(objective, point, maxProducts);
    const { point, reason } = await followTrustRegion(search, first, modelAt, trust);
    this.radius = trust.radius;
    await this.writeParameters(point.x);
    this.stepCount++;
    return {
      loss: first.value,
      value: point.value,
      gradientNorm: largest(point.gradient),
      iterations: search.iteration,
      evaluations: objective.evaluations,
      reason,
    };
  }

  protected hostState(): HostState {
    return Number.isNaN(this.radius) ? {} : { numbers: { shape: [2], data: Float64Array.of(this.radius, 0) } };
  }

  protected restoreHost(state: HostState): void {
    this.radius = state.numbers?.data[0] ?? NaN;
  }
}

export interface GaussNewtonOptions {
  /** Iterations of one step. Default 1. */
  maxIterations: number;
  /**
   * `normal` through the eigenvalues of JᵀJ, `exact` through the singular values of the Jacobian J, which tell small ones from 0 better, `cg`
   * by products with it; null: `normal` for up to 500 parameters, `cg` for more. Default null.
   */
  solver: 'normal' | 'exact' | 'cg' | null;
  /** Of one iteration with `cg`; each takes two products with the Jacobian. Default 50. */
  maxProducts: number;
  /** Largest component of the gradient that counts as 0. Default 1e-8. */
  toleranceGrad: number;
}

const GAUSS_NEWTON_DEFAULTS: GaussNewtonOptions = {
  maxIterations: 1,
  solver: null,
  maxProducts: 50,
  toleranceGrad: 1e-8,
};

const FEW = 500;

abstract class LeastSquaresOptimizer<Options extends GaussNewtonOptions> extends SecondOrder<Options> {
  protected check(options: Options): void {
    const { name } = this.constructor;
    checkWhole(name, 'maxIterations', options.maxIterations, 1);
    checkWhole(name, 'maxProducts', options.maxProducts, 1);
    checkRange(options.toleranceGrad, `${name}: toleranceGrad`, 0);
    if (options.solver !== null) checkChoice(name, 'solver', options.solver, ['normal', 'exact', 'cg']);
  }

  protected abstract fit(fit: Fit, start: FitPoint): Promise<FitOutcome>;

  /**
   * Makes half the sum of squares of the residuals smaller; a tensor of any shape. `rows` are the data that the closure is then given, each with a
   * first dimension that counts samples whose residuals depend on no other sample (no batch norm in training): with `normal` the Jacobian costs
   * as much as a gradient or two then, whatever the number of parameters. Throws ArgumentError where they do depend.
   */
  async step(residuals: ForwardClosure): Promise<StepReport>;
  async step<const Rows extends readonly AnyTensor[]>(residuals: ForwardClosure<Rows>, rows: Rows): Promise<StepReport>;
  async step(residuals: ForwardClosure<AnyTensor[]>, rows: AnyTensor[] = []): Promise<StepReport> {
    const { name } = this.constructor;
    const fn = this.ofParameters(residuals);
    await this.begin();
    const { maxIterations, maxProducts, toleranceGrad, solver } = this.group;
    const made = new Residuals(name, fn as (x: never, ...rows: AnyTensor[]) => AnyTensor, this.start, rows);
    const settings = {
      loss: 'linear' as const,
      lossScale: 1,
      jacobian: undefined,
      solver: solver ?? (made.size <= FEW ? ('normal' as const) : ('cg' as const)),
      maxProducts,
    };
    const limits = { maxIterations, gradientTolerance: toleranceGrad, valueTolerance: 1e-12, stepTolerance: 1e-12 };
    const fit = new Fit(made, settings, limits);
    const first = await fit.at(await made.unknowns.read());
    const { point, gradientNorm, reason } = await this.fit(fit, first);
    await this.writeParameters(point.x);
    this.stepCount++;
    return {
      loss: first.cost,
      value: point.cost,
      gradientNorm,
      iterations: fit.iteration,
      evaluations: made.evaluations,
      reason,
    };
  }
}

/**
 * Gauss-Newton on the residuals of a module: the whole step of the linear model, shortened where it leads up. For full batches, and
 * models that are nearly linear in their parameters; otherwise LevenbergMarquardt. No counterpart in PyTorch.
 *
 *     const optimizer = new GaussNewton(model.parameters());
 *     const { value } = await optimizer.step(() => model.forward(x).sub(y));
 */
export class GaussNewton extends LeastSquaresOptimizer<GaussNewtonOptions> {
  constructor(params: Iterable<Tensor>, options: Partial<GaussNewtonOptions> = {}) {
    super(params, GAUSS_NEWTON_DEFAULTS, options);
  }

  protected fit(fit: Fit, start: FitPoint): Promise<FitOutcome> {
    return gaussNewton(fit, start);
  }

  protected hostState(): HostState {
    return {};
  }

  protected restoreHost(): void {}
}

export interface LevenbergMarquardtOptions extends GaussNewtonOptions {
  /** Of the first step, as a part of the size of JᵀJ. Default 1e-3. */
  damping: number;
}

/**
 * Levenberg-Marquardt on the residuals of a module: Gauss-Newton, damped as much as it needs, all parameters alike: in the units of its column of
 * the Jacobian, as in curve fitting, a weight whose unit saturates would move further and further. The damping goes on from step to step. For
 * full batches. No counterpart in PyTorch.
 *
 *     const optimizer = new LevenbergMarquardt(model.parameters(), { maxIterations: 20 });
 *     const { value, reason } = await optimizer.step((x, y) => model.forward(x).sub(y), [x, y]);
 */
export class LevenbergMarquardt extends LeastSquaresOptimizer<LevenbergMarquardtOptions> {
  private state: DampedState = {};

  constructor(params: Iterable<Tensor>, options: Partial<LevenbergMarquardtOptions> = {}) {
    super(params, { ...GAUSS_NEWTON_DEFAULTS, damping: 1e-3 }, options);
  }

  protected override check(options: LevenbergMarquardtOptions): void {
    super.check(options);
    checkRange(options.damping, 'LevenbergMarquardt: damping', Number.MIN_VALUE);
  }

  protected fit(fit: Fit, start: FitPoint): Promise<FitOutcome> {
    return levenberg(fit, start, this.state, this.group.damping);
  }

  protected hostState(): HostState {
    const { damping } = this.state;
    return damping === undefined
      ? {}
      : { numbers: { shape: [2], data: Float64Array.of(damping.lambda, damping.growth) } };
  }

  protected restoreHost({ numbers }: HostState): void {
    this.state = { damping: numbers && new Damping(numbers.data[0], numbers.data[1]) };
  }
}
