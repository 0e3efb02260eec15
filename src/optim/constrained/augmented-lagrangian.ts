// The augmented Lagrangian (Hestenes 1969; Powell 1969; Rockafellar 1973 for inequalities): minima without constraints of the function
// plus multipliers and a penalty, which grows where constraints do not come closer (Nocedal and Wright 2006, 17.3 and 17.4).

import type { Tensor } from '../../tensor/tensor.js';
import { type Directions, descend } from '../minimize/descent.js';
import { ParametricObjective, type Point } from '../minimize/objective.js';
import { Bfgs, Lbfgs } from '../minimize/quasi-newton.js';
import { Search, type StopReason } from '../minimize/search.js';
import { largest } from '../minimize/vectors.js';
import type { ConstrainedOutcome, ConstrainedRun } from './run.js';

const FIRST_PENALTY = 10;
const MOST_PENALTY = 1e12;
/** x this much larger than the start, or than 1, is on a way without end. */
const FURTHEST = 1e25;
const FEW = 200;

export async function augmentedLagrangian(run: ConstrainedRun, start: Float64Array): Promise<ConstrainedOutcome> {
  const { problem, tolerance } = run;
  let at = await problem.at(start);
  let [y, z] = [new Float64Array(at.h.length), new Float64Array(at.g.length)];
  let penalty = FIRST_PENALTY;
  let violation = run.violationOf(at);
  const end = (reason: ConstrainedOutcome['reason'], gradientNorm: number): ConstrainedOutcome => ({
    at,
    y,
    z,
    gradientNorm,
    reason,
  });
  const objective = new ParametricObjective(problem.unknowns, (flat, [multipliers, rho]) =>
    augmented(run, flat, multipliers, rho, y.length),
  );
  if (!Number.isFinite(at.value)) return end('not-finite', NaN);
  let looseness = Math.max(tolerance, 0.1);
  // What is learnt of the curvature holds as long as the penalty stays.
  const method = objective.size <= FEW ? new Bfgs(objective.size) : new Lbfgs(20);
  for (;;) {
    objective.parameters = [concat(y, z), Float64Array.of(penalty)];
    const found = await inner(run, objective, at.x, method, looseness);
    problem.evaluations += objective.evaluations;
    objective.evaluations = 0;
    at = await problem.at(found.point.x);
    const gradientNorm = largest(found.point.gradient); // that of the Lagrangian with the next multipliers
    // With a larger penalty it may not fall any more, but from so far away there is no way back.
    if (largest(at.x) > FURTHEST * Math.max(1, largest(start))) return end('unbounded', gradientNorm);
    if (found.reason === 'not-finite') return end('not-finite', gradientNorm);
    const now = run.violationOf(at, z, penalty);
    y = y.map((value, i) => value + penalty * at.h[i]);
    z = z.map((value, i) => Math.max(0, value + penalty * at.g[i]));
    const reason = await run.note(at, gradientNorm);
    const isStationary = found.reason !== 'unbounded' && gradientNorm <= run.toleranceAt(at);
    if (now <= tolerance && (isStationary || (found.reason === 'precision' && looseness <= tolerance)))
      return end(isStationary ? 'optimal' : 'precision', gradientNorm);
    if (reason !== undefined) return end(reason, gradientNorm);
    if (!(now <= 0.25 * violation) || found.reason === 'unbounded') {
      if (penalty >= MOST_PENALTY) return end(run.isFeasible(at) ? 'precision' : 'infeasible', gradientNorm);
      penalty *= 10;
      method.forget();
    }
    violation = now;
    looseness = Math.max(tolerance, 0.1 * looseness);
  }
}

/** f + yᵀh + ρ/2·‖h‖² + (‖max(0, z + ρ·g)‖² − ‖z‖²) / 2ρ */
function augmented({ problem }: ConstrainedRun, flat: Tensor, multipliers: Tensor, rho: Tensor, equal: number): Tensor {
  const { objective, equalities, inequalities } = problem;
  let sum = objective(flat);
  const penalty = rho.reshape([]) as Tensor;
  if (equalities !== undefined) {
    const h = equalities(flat);
    const y = multipliers.slice(0, 0, equal) as Tensor;
    sum = sum.add(h.mul(y).sum()).add(h.square().sum().mul(penalty).mul(0.5)) as Tensor;
  }
  if (inequalities !== undefined) {
    const z = multipliers.slice(0, equal, multipliers.size) as Tensor;
    const active = z.add(inequalities(flat).mul(penalty)).relu() as Tensor;
    sum = sum.add(active.square().sum().sub(z.square().sum()).div(penalty).mul(0.5)) as Tensor;
  }
  return sum;
}

async function inner(
  run: ConstrainedRun,
  objective: ParametricObjective,
  x: Float64Array,
  method: Directions,
  tolerance: number,
): Promise<{ point: Point; reason: StopReason }> {
  const search = new Search(objective, {
    gradientTolerance: tolerance,
    maxEvaluations: Math.max(1, Math.min(run.evaluationsLeft, 200 * objective.size + 2000)),
    ...(run.signal !== undefined && { signal: run.signal }),
  });
  return await descend(search, await objective.at(x), method, { name: 'strong-wolfe', c1: 1e-4, c2: 0.9 });
}

function concat(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(Math.max(1, a.length + b.length)); // no tensor is empty
  both.set(a);
  both.set(b, a.length);
  return both;
}
