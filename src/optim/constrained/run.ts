// A search under constraints, whatever its method: how far constraints are violated, when it ends, and its history.

import type { IterationRecord, SearchOptions } from '../minimize/search.js';
import { difference, largest, norm } from '../minimize/vectors.js';
import type { ConstrainedPoint, ConstrainedProblem } from './problem.js';

/**
 * Why a search under constraints ended. `optimal`: constraints hold and the gradient of the Lagrangian is 0, to the tolerance;
 * `infeasible`: no place was found where the constraints hold; the others as without constraints.
 */
export type ConstrainedReason =
  | 'optimal'
  | 'infeasible'
  | 'precision'
  | 'iterations'
  | 'evaluations'
  | 'unbounded'
  | 'not-finite'
  | 'aborted'
  | 'callback';

export interface ConstrainedRecord extends IterationRecord {
  /** How far the worst constraint is from holding. */
  readonly violation: number;
}

export type ConstrainedLimits = Pick<SearchOptions, 'maxIterations' | 'maxEvaluations' | 'signal'> & {
  readonly tolerance?: number;
  readonly callback?: (iteration: ConstrainedRecord) => boolean | void | Promise<boolean | void>;
};

export interface ConstrainedOutcome {
  readonly at: ConstrainedPoint;
  /** Multipliers of equalities and of inequalities. */
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly gradientNorm: number;
  readonly reason: ConstrainedReason;
}

export class ConstrainedRun {
  readonly problem: ConstrainedProblem;
  readonly tolerance: number;
  readonly history: ConstrainedRecord[] = [];
  iteration = 0;
  private readonly limits: ConstrainedLimits;
  private before: Float64Array | undefined;

  constructor(problem: ConstrainedProblem, limits: ConstrainedLimits) {
    this.problem = problem;
    this.limits = limits;
    this.tolerance = limits.tolerance ?? 1e-8;
  }

  get signal(): AbortSignal | undefined {
    return this.limits.signal;
  }

  get evaluationsLeft(): number {
    return (this.limits.maxEvaluations ?? Infinity) - this.problem.evaluations;
  }

  /** With multipliers z and their penalty, an inequality that is loose counts by how far its multiplier still has to fall. */
  violationOf({ h, g }: ConstrainedPoint, z?: Float64Array, penalty = 1): number {
    const open =
      z === undefined ? g.map((value) => Math.max(0, value)) : g.map((value, i) => Math.max(value, -z[i] / penalty));
    return Math.max(largest(h), largest(open));
  }

  isFeasible(at: ConstrainedPoint): boolean {
    return this.violationOf(at) <= Math.max(1e-6, this.tolerance);
  }

  /** The gradient that counts as 0, measured by that of the function itself. */
  toleranceAt({ gradient }: ConstrainedPoint): number {
    return this.tolerance * Math.max(1, largest(gradient));
  }

  /** Notes an iteration; a reason if the search ends here. */
  async note(at: ConstrainedPoint, gradientNorm: number): Promise<ConstrainedReason | undefined> {
    const { before, limits } = this;
    const moved = before === undefined ? 0 : norm(difference(at.x, before));
    const { evaluations } = this.problem;
    const entry: ConstrainedRecord = {
      iteration: ++this.iteration,
      value: at.value,
      gradientNorm,
      moved,
      evaluations,
      violation: this.violationOf(at),
    };
    this.history.push(entry);
    this.before = at.x;
    if ((await limits.callback?.(entry)) === true) return 'callback';
    if (limits.signal?.aborted === true) return 'aborted';
    if (!Number.isFinite(at.value)) return 'not-finite';
    if (this.iteration >= (limits.maxIterations ?? 200)) return 'iterations';
    return this.evaluationsLeft <= 0 ? 'evaluations' : undefined;
  }
}
