// The primal-dual interior-point method: Newton's method on the conditions of Karush, Kuhn and Tucker, with slacks and multipliers that
// stay positive (Boyd and Vandenberghe 2004, 11.7; Nocedal and Wright 2006, chapter 19). For convex problems, where it needs few
// iterations; elsewhere it finds a stationary point, or says that it does not.

import { solutionOf } from '../minimize/dense.js';
import { dot, largest, matrixTimes, norm, sumScaled, transposedTimes } from '../minimize/vectors.js';
import type { ConstrainedPoint } from './problem.js';
import type { ConstrainedOutcome, ConstrainedRun } from './run.js';

/** Slacks and multipliers keep at least this part of themselves in a step. */
const KEPT = 0.005;
/** The distance to the border that a step aims at, as a part of the present one. */
const CENTRING = 0.1;

interface State {
  readonly at: ConstrainedPoint;
  /** Slacks: g + s = 0. */
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
}

interface Step {
  readonly dx: Float64Array;
  readonly ds: Float64Array;
  readonly dy: Float64Array;
  readonly dz: Float64Array;
}

export async function primalDual(run: ConstrainedRun, start: Float64Array): Promise<ConstrainedOutcome> {
  const { problem, tolerance } = run;
  const first = await problem.at(start);
  let state: State = {
    at: first,
    s: first.g.map((value) => Math.max(-value, 1)),
    y: new Float64Array(first.h.length),
    z: new Float64Array(first.g.length).fill(1),
  };
  let stalls = 0;
  for (;;) {
    const { at, s, y, z } = state;
    const slope = lagrangianGradient(state);
    const gradientNorm = largest(slope);
    const end = (reason: ConstrainedOutcome['reason']): ConstrainedOutcome => ({ at, y, z, gradientNorm, reason });
    if (!Number.isFinite(at.value) || !Number.isFinite(gradientNorm)) return end('not-finite');
    const reason = await run.note(at, gradientNorm);
    const distance = s.length === 0 ? 0 : dot(s, z) / s.length;
    const enough = run.toleranceAt(at);
    if (gradientNorm <= enough && run.violationOf(at) <= tolerance && distance <= enough) return end('optimal');
    if (reason !== undefined) return end(reason);
    if (at.value < -1e100 || largest(at.x) > 1e25 * Math.max(1, largest(start))) return end('unbounded');
    const target = CENTRING * distance;
    const step = await newtonStep(run, state, slope, target);
    if (step === undefined) return end(run.isFeasible(at) ? 'precision' : 'infeasible');
    const next = await advance(run, state, step, target);
    if (next === undefined) return end(run.isFeasible(at) ? 'precision' : 'infeasible');
    const isStalled = residualOf(next, 0) > 0.999 * residualOf(state, 0);
    stalls = isStalled ? stalls + 1 : 0;
    state = next;
    if (stalls > 20) return end(run.isFeasible(at) ? 'precision' : 'infeasible');
  }
}

/** ∇f + Jₕᵀ·y + J_gᵀ·z */
function lagrangianGradient({ at, y, z }: State): Float64Array {
  let sum = at.gradient;
  if (y.length > 0) sum = sumScaled(sum, 1, transposedTimes(at.hJacobian, y));
  return z.length > 0 ? sumScaled(sum, 1, transposedTimes(at.gJacobian, z)) : sum;
}

/** How far all conditions together are from holding, with s·z = target. */
function residualOf(state: State, target: number): number {
  const { at, s, z } = state;
  const open = at.g.map((value, i) => value + s[i]);
  const centre = s.map((value, i) => value * z[i] - target);
  return Math.hypot(norm(lagrangianGradient(state)), norm(at.h), norm(open), norm(centre));
}

/** One system for dx and dy; ds and dz follow from them. Where it is singular, the Hessian gets a diagonal. */
async function newtonStep(
  run: ConstrainedRun,
  { at, s, y, z }: State,
  slope: Float64Array,
  target: number,
): Promise<Step | undefined> {
  const [n, p] = [at.x.length, at.h.length];
  const total = n + p;
  const matrix = new Float64Array(total * total);
  const hessian = await run.problem.hessian(at.x, y, z);
  for (let i = 0; i < n; i++) matrix.set(hessian.subarray(i * n, (i + 1) * n), i * total);
  for (let k = 0; k < s.length; k++) {
    const weight = z[k] / s[k];
    const row = at.gJacobian.subarray(k * n, (k + 1) * n);
    for (let i = 0; i < n; i++) {
      if (row[i] === 0) continue;
      for (let j = 0; j < n; j++) matrix[i * total + j] += weight * row[i] * row[j];
    }
  }
  for (let k = 0; k < p; k++)
    for (let i = 0; i < n; i++) matrix[(n + k) * total + i] = matrix[i * total + n + k] = at.hJacobian[k * n + i];
  const open = at.g.map((value, i) => value + s[i]);
  const pull = s.map((value, i) => (target - value * z[i] + z[i] * open[i]) / value);
  const right = new Float64Array(total);
  right.set(s.length > 0 ? sumScaled(slope, 1, transposedTimes(at.gJacobian, pull)) : slope);
  right.set(at.h, n);
  const size = Math.max(largest(hessian), 1e-8);
  for (const shift of [0, 1e-8, 1e-4, 1, 100]) {
    const shifted = matrix.slice();
    for (let i = 0; i < n; i++) shifted[i * total + i] += shift * size;
    for (let i = n; i < total; i++) shifted[i * total + i] -= shift === 0 ? 0 : 1e-8;
    const solution = await solutionOf(
      shifted,
      right.map((value) => -value),
    );
    if (solution === undefined) continue;
    const dx = solution.slice(0, n);
    const dg = s.length > 0 ? matrixTimes(at.gJacobian, dx) : s;
    const ds = open.map((value, i) => -value - dg[i]);
    const dz = s.map((value, i) => (target - value * z[i] - z[i] * ds[i]) / value);
    return { dx, ds, dy: solution.slice(n), dz };
  }
  return undefined;
}

/** The longest step that keeps slacks and multipliers positive and brings the conditions closer. */
async function advance(run: ConstrainedRun, state: State, step: Step, target: number): Promise<State | undefined> {
  const { at, s, y, z } = state;
  let length = Math.min(longest(s, step.ds), longest(z, step.dz));
  const before = residualOf(state, target);
  for (let i = 0; i < 40; i++, length /= 2) {
    const next: State = {
      at: await run.problem.at(sumScaled(at.x, length, step.dx)),
      s: sumScaled(s, length, step.ds),
      y: sumScaled(y, length, step.dy),
      z: sumScaled(z, length, step.dz),
    };
    if (residualOf(next, target) <= (1 - 0.01 * length) * before) return next;
    if (run.signal?.aborted === true || run.evaluationsLeft <= 0) return undefined;
  }
  return undefined;
}

function longest(values: Float64Array, step: Float64Array): number {
  let most = 1;
  for (let i = 0; i < values.length; i++) if (step[i] < 0) most = Math.min(most, ((KEPT - 1) * values[i]) / step[i]);
  return most;
}
