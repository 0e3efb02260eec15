// Minimisers of a log loss with a penalty on all weights but the constants: Newton's method (for L1 with coordinate descent on its quadratic
// model), accelerated gradient descent with a proximal step for L1, and L-BFGS.
// Each says how the cost fell and why it ended.

import { minimize } from '../../optim/minimize/minimize.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { tensor } from '../../tensor/creation.js';
import { solvePositive } from '../linear-regression.js';
import type { LogLoss, Slope } from './loss.js';

export interface Penalty {
  /** λ of λ·½‖w‖². */
  readonly l2: number;
  /** λ of λ‖w‖₁. */
  readonly l1: number;
  /** 1 for weights that are penalised, 0 for constants. */
  readonly counts: Float64Array;
}

/** Why a search ended: the gradient is small, no step lowers the cost any more (what is left is rounding), or too many iterations. */
export type SolverReason = 'gradient' | 'precision' | 'iterations';

export interface Solved {
  readonly w: Float64Array;
  readonly iterations: number;
  readonly reason: SolverReason;
  /** The cost at the start and after each iteration. */
  readonly history: readonly number[];
}

export interface Limit {
  /** Of the largest part of the (sub)gradient. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export function penaltyOf({ l2, l1, counts }: Penalty, w: Float64Array): number {
  let [squares, sizes] = [0, 0];
  for (let j = 0; j < w.length; j++) {
    squares += counts[j] * w[j] * w[j];
    sizes += counts[j] * Math.abs(w[j]);
  }
  return 0.5 * l2 * squares + l1 * sizes;
}

/** The smallest subgradient, in its largest part. */
function steepest({ gradient }: Slope, w: Float64Array, { l2, l1, counts }: Penalty): number {
  let most = 0;
  for (let j = 0; j < w.length; j++) {
    const g = gradient[j] + counts[j] * l2 * w[j];
    const edge = counts[j] * l1;
    const own = w[j] === 0 ? Math.max(0, Math.abs(g) - edge) : Math.abs(g + edge * Math.sign(w[j]));
    most = Math.max(most, own);
  }
  return most;
}

const ENOUGH_DECREASE = 1e-4;
const MOST_HALVINGS = 40;

// ---------------------------------------------------------------- Newton

export async function newton(
  loss: LogLoss,
  penalty: Penalty,
  { tolerance, maxIterations }: Limit,
  op: string,
): Promise<Solved> {
  let w: Float64Array = new Float64Array(loss.size);
  const history: number[] = [];
  for (;;) {
    const here = await loss.curvature(w);
    const cost = here.value + penaltyOf(penalty, w);
    history.push(cost);
    const done = (reason: SolverReason): Solved => ({ w, iterations: history.length - 1, reason, history });
    if (steepest(here, w, penalty) <= tolerance) return done('gradient');
    if (history.length > maxIterations) return done('iterations');
    const step =
      penalty.l1 > 0
        ? proximalStep(here.gradient, here.hessian, w, penalty)
        : await newtonStep(loss, here.gradient, here.hessian, w, penalty, op);
    const next = await along(loss, penalty, w, step, here.gradient, cost);
    if (next === undefined) return done('precision');
    w = next;
  }
}

async function newtonStep(
  loss: LogLoss,
  gradient: Float64Array,
  hessian: Float64Array,
  w: Float64Array,
  { l2, counts }: Penalty,
  op: string,
): Promise<Float64Array> {
  const n = w.length;
  for (let j = 0; j < n; j++) hessian[j * n + j] += counts[j] * l2;
  fixGauge(loss, hessian, counts, l2);
  // where the loss is flat (separable classes without a penalty) the step stays finite
  let trace = 0;
  for (let j = 0; j < n; j++) trace += hessian[j * n + j];
  for (let j = 0; j < n; j++) hessian[j * n + j] += (1e-13 * trace) / n + Number.MIN_VALUE;
  const right = Float64Array.from(gradient, (g, j) => -(g + counts[j] * l2 * w[j]));
  return solvePositive(
    hessian,
    right,
    () => `${op}: the loss is flat: nothing more can be learned. Give penalty: 'l2'.`,
  );
}

/** A softmax does not change when all outputs get the same: where no penalty decides, the sum over outputs stays what it is. */
function fixGauge({ outputs, width }: LogLoss, hessian: Float64Array, counts: Float64Array, l2: number): void {
  if (outputs === 1) return;
  const n = outputs * width;
  for (let i = 0; i < width; i++) {
    if (counts[i] * l2 > 0) continue;
    const scale = hessian[i * n + i] + 1e-12;
    for (let k = 0; k < outputs; k++)
      for (let l = 0; l < outputs; l++) hessian[(k * width + i) * n + l * width + i] += scale;
  }
}

/** The step to the minimum of the quadratic model with the L1 penalty, by coordinate descent (as glmnet). */
function proximalStep(
  gradient: Float64Array,
  hessian: Float64Array,
  w: Float64Array,
  { l1, l2, counts }: Penalty,
): Float64Array {
  const n = w.length;
  const step = new Float64Array(n);
  const slope = Float64Array.from(gradient, (g, j) => g + counts[j] * l2 * w[j]); // of the model at w + step
  for (let walk = 0; walk < 1000; walk++) {
    let largest = 0;
    for (let j = 0; j < n; j++) {
      const curvature = hessian[j * n + j] + counts[j] * l2 + 1e-14;
      const aim = w[j] + step[j] - slope[j] / curvature;
      const edge = (counts[j] * l1) / curvature;
      const change = Math.sign(aim) * Math.max(Math.abs(aim) - edge, 0) - (w[j] + step[j]);
      if (change === 0) continue;
      step[j] += change;
      for (let k = 0; k < n; k++) slope[k] += change * hessian[j * n + k];
      slope[j] += change * counts[j] * l2;
      largest = Math.max(largest, change * change * curvature);
    }
    if (largest <= 1e-20) break;
  }
  return step;
}

/** The first of w + s, w + s/2, w + s/4, … that lowers the cost enough (Armijo; with L1 as Tseng and Yun 2009 count it). */
async function along(
  loss: LogLoss,
  penalty: Penalty,
  w: Float64Array,
  step: Float64Array,
  gradient: Float64Array,
  cost: number,
): Promise<Float64Array | undefined> {
  const before = penaltyOf(penalty, w);
  let promised =
    penaltyOf(
      { ...penalty, l2: 0 },
      w.map((v, j) => v + step[j]),
    ) - penaltyOf({ ...penalty, l2: 0 }, w);
  for (let j = 0; j < w.length; j++) promised += (gradient[j] + penalty.counts[j] * penalty.l2 * w[j]) * step[j];
  if (!(promised < 0) || !Number.isFinite(before)) return undefined;
  for (let i = 0, length = 1; i < MOST_HALVINGS; i++, length /= 2) {
    const next = w.map((v, j) => v + length * step[j]);
    const own = (await loss.value(next)) + penaltyOf(penalty, next);
    if (own < cost && own <= cost + ENOUGH_DECREASE * length * promised) return next;
  }
  return undefined;
}

// ---------------------------------------------------------------- gradient descent

/** FISTA (Beck and Teboulle 2009) with a step that adapts, and a fresh start whenever the cost rises (O'Donoghue and Candès 2015). */
export async function gradientDescent(
  loss: LogLoss,
  penalty: Penalty,
  { tolerance, maxIterations }: Limit,
): Promise<Solved> {
  let w: Float64Array = new Float64Array(loss.size);
  let ahead = w;
  let [momentum, lipschitz] = [1, 1];
  let here = await loss.slope(w);
  let cost = here.value + penaltyOf(penalty, w);
  const history = [cost];
  for (;;) {
    const done = (reason: SolverReason): Solved => ({ w, iterations: history.length - 1, reason, history });
    if (steepest(here, w, penalty) <= tolerance) return done('gradient');
    if (history.length > maxIterations) return done('iterations');
    const at = ahead === w ? here : await loss.slope(ahead);
    const base = at.value + smoothPenalty(penalty, ahead);
    let next = w;
    for (let i = 0; ; i++) {
      next = proximal(ahead, at.gradient, lipschitz, penalty);
      const own = (await loss.value(next)) + smoothPenalty(penalty, next);
      let bound = base;
      for (let j = 0; j < next.length; j++) {
        const difference = next[j] - ahead[j];
        const slope = at.gradient[j] + penalty.counts[j] * penalty.l2 * ahead[j];
        bound += difference * (slope + 0.5 * lipschitz * difference);
      }
      if (own <= bound + 1e-15 * Math.abs(base) || i >= MOST_HALVINGS) break;
      lipschitz *= 2;
    }
    const slope = await loss.slope(next);
    const nextCost = slope.value + penaltyOf(penalty, next);
    if (!(nextCost < cost)) {
      if (momentum === 1) return done('precision');
      [ahead, momentum] = [w, 1]; // the same step again without momentum
      continue;
    }
    const after = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const previous = w;
    [w, here, cost] = [next, slope, nextCost];
    ahead = w.map((v, j) => v + ((momentum - 1) / after) * (v - previous[j]));
    momentum = after;
    lipschitz *= 0.9;
    history.push(cost);
  }
}

function smoothPenalty(penalty: Penalty, w: Float64Array): number {
  return penaltyOf({ ...penalty, l1: 0 }, w);
}

function proximal(
  w: Float64Array,
  gradient: Float64Array,
  lipschitz: number,
  { l1, l2, counts }: Penalty,
): Float64Array {
  return w.map((v, j) => {
    const aim = v - (gradient[j] + counts[j] * l2 * v) / lipschitz;
    const edge = (counts[j] * l1) / lipschitz;
    return Math.sign(aim) * Math.max(Math.abs(aim) - edge, 0);
  });
}

// ---------------------------------------------------------------- L-BFGS

export async function limitedMemory(
  loss: LogLoss,
  { l2, counts }: Penalty,
  { tolerance, maxIterations }: Limit,
): Promise<Solved> {
  const mask: AnyTensor = tensor(counts);
  const fn = (w: AnyTensor): AnyTensor => {
    const own = w as Tensor;
    return l2 > 0
      ? loss.loss(own).add(
          own
            .square()
            .mul(mask as Tensor)
            .sum()
            .mul(0.5 * l2),
        )
      : loss.loss(own);
  };
  const { x, iterations, reason, history } = await minimize(fn, tensor(new Float64Array(loss.size)), {
    method: 'l-bfgs',
    gradientTolerance: tolerance,
    maxIterations,
  });
  const ended: SolverReason = reason === 'gradient' ? 'gradient' : reason === 'iterations' ? 'iterations' : 'precision';
  const w = Float64Array.from(await (x as AnyTensor).data());
  return { w, iterations, reason: ended, history: history.map(({ value }) => value) };
}
