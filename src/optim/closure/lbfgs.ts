// L-BFGS on the parameters of a module, with PyTorch's options and PyTorch's path: one `step` is up to `maxIter` iterations on one
// batch, and what has been learnt about the curvature goes on to the next one.

import { ArgumentError, checkChoice, checkFunction, checkWhole, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { StopReason } from '../minimize/search.js';
import { type Numbers, addScaled, dot, isFiniteVector, largest } from '../minimize/vectors.js';
import { checkRange } from '../optimizer.js';
import { ClosureOptimizer, type HostState, type StepReport } from './closure-optimizer.js';
import { type WolfePoint, wolfeZoom } from './wolfe-zoom.js';

export interface LBFGSOptions {
  /** Default 1. */
  lr: number;
  /** Iterations of one step. Default 20. */
  maxIter: number;
  /** Evaluations of one step; null: 1.25 times maxIter. Default null. */
  maxEval: number | null;
  /** Largest component of the gradient that counts as 0. Default 1e-7. */
  toleranceGrad: number;
  /** Change of loss and parameters that counts as none. Default 1e-9. */
  toleranceChange: number;
  /** Iterations that are remembered. Default 100. */
  historySize: number;
  /** `strong_wolfe` searches for the length of each iteration; null takes lr. Default null. */
  lineSearchFn: 'strong_wolfe' | null;
}

const DEFAULTS: LBFGSOptions = {
  lr: 1,
  maxIter: 20,
  maxEval: null,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearchFn: null,
};

/** Computes the loss and its gradients: zeroGrad, forward, backward. */
export type LossClosure = () => AnyTensor | Promise<AnyTensor>;

interface Pair {
  /** How the gradient has changed, and the step that it changed over. */
  readonly y: Numbers;
  readonly s: Numbers;
  readonly rho: number;
}

/**
 * L-BFGS (Liu and Nocedal 1989). `step` takes a closure that computes loss and gradients anew, of the same data each time: it is for full
 * batches, or large ones. A step that leads to NaN is taken back. PyTorch: torch.optim.LBFGS.
 *
 *     const optimizer = new LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe' });
 *     const { loss, value, reason } = await optimizer.step(() => {
 *       optimizer.zeroGrad();
 *       const loss = mseLoss(model.forward(x), y);
 *       loss.backward();
 *       return loss;
 *     });
 */
export class LBFGS extends ClosureOptimizer<LBFGSOptions> {
  private pairs: Pair[] = [];
  /** Iterations and evaluations of all steps. */
  private iterations = 0;
  private evaluations = 0;
  private direction: Numbers | undefined;
  private previousGradient: Numbers | undefined;
  /** The length of the last iteration, and the size of the first guess of the inverse Hessian. */
  private length = 0;
  private scale = 1;

  constructor(params: Iterable<Tensor>, options: Partial<LBFGSOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected check({
    lr,
    maxIter,
    maxEval,
    toleranceGrad,
    toleranceChange,
    historySize,
    lineSearchFn,
  }: LBFGSOptions): void {
    checkRange(lr, 'LBFGS: lr', 0);
    checkWhole('LBFGS', 'maxIter', maxIter, 1);
    if (maxEval !== null) checkWhole('LBFGS', 'maxEval', maxEval, 1);
    checkRange(toleranceGrad, 'LBFGS: toleranceGrad', 0);
    checkRange(toleranceChange, 'LBFGS: toleranceChange', 0);
    checkWhole('LBFGS', 'historySize', historySize, 1);
    if (lineSearchFn !== null) checkChoice('LBFGS', 'lineSearchFn', lineSearchFn, ['strong_wolfe']);
  }

  /** Up to `maxIter` iterations on the loss of a closure, which is called for each evaluation. */
  async step(closure: LossClosure): Promise<StepReport> {
    checkFunction('LBFGS', closure, 'the closure');
    await this.begin();
    const x = await this.readParameters();
    const run: Run = { x, ...(await this.evaluate(closure)), evaluations: 1, iterations: 0 };
    const loss = run.value;
    const reason = await this.iterate(closure, run);
    this.stepCount++;
    const { value, gradient, iterations, evaluations } = run;
    return { loss, value, gradientNorm: largest(gradient), iterations, evaluations, reason };
  }

  /** Changes `run` as it goes on; the parameters are where it is when it ends. */
  private async iterate(closure: LossClosure, run: Run): Promise<StopReason> {
    const { maxIter, toleranceGrad, toleranceChange, lineSearchFn } = this.group;
    const maxEval = this.group.maxEval ?? Math.floor((maxIter * 5) / 4);
    this.evaluations++;
    if (!isFinitePlace(run)) return 'not-finite';
    if (largest(run.gradient) <= toleranceGrad) return 'gradient';
    for (;;) {
      run.iterations++;
      this.iterations++;
      const d = this.nextDirection(run.gradient);
      const before = { x: run.x, value: run.value, gradient: run.gradient };
      this.previousGradient = run.gradient;
      this.length = this.group.lr * (this.iterations === 1 ? Math.min(1, 1 / sumOfSizes(run.gradient)) : 1);
      const slope = dot(run.gradient, d);
      if (slope > -toleranceChange) return 'value';
      if (!Number.isFinite(slope)) return 'not-finite';
      if (lineSearchFn === null) {
        run.x = this.moved(before.x, this.length, d);
        await this.writeParameters(run.x);
        if (run.iterations !== maxIter) {
          Object.assign(run, await this.evaluate(closure));
          run.evaluations++;
          this.evaluations++;
        }
      } else await this.search(closure, run, d, slope);
      if (!isFinitePlace(run)) {
        Object.assign(run, before);
        await this.writeParameters(before.x);
        this.forget();
        return 'not-finite';
      }
      if (run.iterations === maxIter) return 'iterations';
      if (run.evaluations >= maxEval) return 'evaluations';
      if (largest(run.gradient) <= toleranceGrad) return 'gradient';
      if (Math.abs(this.length) * largest(d) <= toleranceChange) return 'step';
      if (Math.abs(run.value - before.value) < toleranceChange) return 'value';
    }
  }

  private async search(closure: LossClosure, run: Run, d: Numbers, slope: number): Promise<void> {
    const { x } = run;
    const evaluate = async (step: number): Promise<WolfePoint> => {
      await this.writeParameters(this.moved(x, step, d));
      const { value, gradient } = await this.evaluate(closure);
      return { step, value, gradient, slope: dot(gradient, d) };
    };
    const start = { step: 0, value: run.value, gradient: run.gradient, slope };
    const { point, evaluations } = await wolfeZoom(evaluate, start, this.length, largest(d));
    this.length = point.step;
    [run.x, run.value, run.gradient] = [this.moved(x, point.step, d), point.value, point.gradient];
    run.evaluations += evaluations;
    this.evaluations += evaluations;
    await this.writeParameters(run.x);
  }

  private async evaluate(closure: LossClosure): Promise<{ value: number; gradient: Numbers }> {
    const loss = await closure();
    if (!(loss instanceof Tensor))
      throw wrongKind('LBFGS', 'what the closure returned', loss, 'Return the loss, a tensor');
    if (loss.size !== 1)
      throw new ArgumentError(
        `LBFGS: the closure returned shape [${loss.shape.join(', ')}], not one number. Take its mean().`,
      );
    return await this.readGradients(loss as AnyTensor);
  }

  private moved(x: Numbers, length: number, d: Numbers): Numbers {
    const to = x.slice();
    addScaled(to, length, d);
    return to;
  }

  /** −H·g, with H from the pairs that are remembered; the last step is learnt first. */
  private nextDirection(gradient: Numbers): Numbers {
    const { direction, previousGradient, length } = this;
    if (this.iterations === 1 || direction === undefined || previousGradient === undefined) {
      this.forget();
      return (this.direction = negated(gradient));
    }
    const [y, s] = [gradient.slice(), direction.slice()];
    for (let i = 0; i < y.length; i++) {
      y[i] -= previousGradient[i];
      s[i] *= length;
    }
    const ys = dot(y, s);
    if (ys > 1e-10) {
      while (this.pairs.length >= this.group.historySize) this.pairs.shift();
      this.pairs.push({ y, s, rho: 1 / ys });
      this.scale = ys / dot(y, y);
    }
    const d = negated(gradient);
    const parts = new Float64Array(this.pairs.length);
    for (let i = parts.length - 1; i >= 0; i--) {
      const pair = this.pairs[i];
      parts[i] = dot(pair.s, d) * pair.rho;
      addScaled(d, -parts[i], pair.y);
    }
    for (let i = 0; i < d.length; i++) d[i] *= this.scale;
    this.pairs.forEach((pair, i) => addScaled(d, parts[i] - dot(pair.y, d) * pair.rho, pair.s));
    return (this.direction = d);
  }

  private forget(): void {
    this.pairs = [];
    this.scale = 1;
    this.direction = this.previousGradient = undefined;
  }

  protected hostState(): HostState {
    const { direction, previousGradient, pairs, size } = this;
    const numbers = Float64Array.of(this.iterations, this.evaluations, this.length, this.scale);
    const counts = { numbers: { shape: [4], data: numbers } };
    if (direction === undefined || previousGradient === undefined) return counts;
    const rows = (of: (pair: Pair) => Numbers): { shape: number[]; data: Numbers } => {
      const data = this.newVector(pairs.length * size);
      pairs.forEach((pair, i) => data.set(of(pair), i * size));
      return { shape: [pairs.length, size], data };
    };
    const vector = (data: Numbers) => ({ shape: [size], data });
    return {
      ...counts,
      d: vector(direction),
      prev_flat_grad: vector(previousGradient),
      ...(pairs.length > 0 && { old_dirs: rows((pair) => pair.y), old_stps: rows((pair) => pair.s) }),
    };
  }

  protected checkShapes(shapes: Readonly<Record<string, readonly number[]>>): string | undefined {
    const { size } = this;
    const { numbers = [4], d = [size], prev_flat_grad: before = [size], old_dirs: y, old_stps: s, ...others } = shapes;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) return `${unknown} is no state of L-BFGS`;
    const isVector = (shape: readonly number[]): boolean => shape.length === 1 && shape[0] === size;
    const isHistory = (shape: readonly number[] | undefined): boolean =>
      shape === undefined || (shape.length === 2 && shape[1] === size && shape[0] === y?.[0]);
    const fits =
      numbers.length === 1 && numbers[0] === 4 && isVector(d) && isVector(before) && isHistory(y) && isHistory(s);
    return fits && (y === undefined) === (s === undefined) ? undefined : `its tensors are not of ${size} numbers`;
  }

  protected restoreHost(state: HostState): void {
    this.forget();
    [this.iterations, this.evaluations, this.length, this.scale] = state.numbers?.data ?? [0, 0, 0, 1];
    this.direction = state.d?.data;
    this.previousGradient = state.prev_flat_grad?.data;
    const [ys, ss] = [state.old_dirs, state.old_stps];
    if (ys === undefined || ss === undefined) return;
    const [count, size] = ys.shape;
    for (let i = 0; i < count; i++) {
      const [y, s] = [ys, ss].map(({ data }) => data.slice(i * size, (i + 1) * size));
      this.pairs.push({ y, s, rho: 1 / dot(y, s) });
    }
  }
}

/** Where a step is. */
interface Run {
  x: Numbers;
  value: number;
  gradient: Numbers;
  evaluations: number;
  iterations: number;
}

function isFinitePlace({ value, gradient }: { value: number; gradient: Numbers }): boolean {
  return Number.isFinite(value) && isFiniteVector(gradient);
}

function negated(a: Numbers): Numbers {
  const b = a.slice();
  for (let i = 0; i < b.length; i++) b[i] = -b[i];
  return b;
}

function sumOfSizes(a: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]);
  return sum;
}
