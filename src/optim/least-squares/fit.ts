// A least-squares search under way: when it ends and why, and its history. The methods of this folder tell it what they accept.

import { type IterationRecord, type SearchOptions, type StopReason } from '../minimize/search.js';
import { difference, largest, norm } from '../minimize/vectors.js';
import { type FitPoint, type FitSettings, type LinearModel, fitAt, linearModelAt } from './linear-model.js';
import type { Residuals } from './residuals.js';

export interface FitOutcome {
  readonly point: FitPoint;
  readonly gradientNorm: number;
  readonly reason: StopReason;
}

export class Fit {
  readonly residuals: Residuals;
  readonly settings: FitSettings;
  readonly history: IterationRecord[] = [];
  iteration = 0;
  readonly valueTolerance: number;
  readonly stepTolerance: number;
  private readonly gradientTolerance: number;
  private readonly options: SearchOptions;
  private before: FitPoint | undefined;

  constructor(residuals: Residuals, settings: FitSettings, options: SearchOptions) {
    [this.residuals, this.settings, this.options] = [residuals, settings, options];
    this.valueTolerance = options.valueTolerance ?? 1e-8;
    this.stepTolerance = options.stepTolerance ?? 1e-8;
    this.gradientTolerance = options.gradientTolerance ?? 1e-8;
  }

  at(x: Float64Array): Promise<FitPoint> {
    return fitAt(this.residuals, x, this.settings);
  }

  modelAt(point: FitPoint): Promise<LinearModel | undefined> {
    return linearModelAt(this.residuals, point, this.settings);
  }

  /** Notes the start, or the place after an iteration, whose gradient is known; a reason if the search ends here. */
  async note(point: FitPoint, gradient: Float64Array): Promise<StopReason | undefined> {
    const { before, options, residuals } = this;
    if (before !== undefined) this.iteration++;
    const gradientNorm = largest(gradient);
    const entry: IterationRecord = {
      iteration: this.iteration,
      value: point.cost,
      gradientNorm,
      moved: before === undefined ? 0 : norm(difference(point.x, before.x)),
      evaluations: residuals.evaluations,
      ...(options.keepPath === true && { x: point.x.slice() }),
    };
    this.history.push(entry);
    this.before = point;
    const isStopAsked = (await options.callback?.(entry)) === true;
    if (!Number.isFinite(point.cost) || !Number.isFinite(gradientNorm)) return 'not-finite';
    if (gradientNorm <= this.gradientTolerance) return 'gradient';
    if (isStopAsked) return 'callback';
    if (this.iteration >= (options.maxIterations ?? Infinity)) return 'iterations';
    return this.limit();
  }

  /** A reason that has nothing to do with the place. */
  limit(): StopReason | undefined {
    if (this.options.signal?.aborted === true) return 'aborted';
    const most = this.options.maxEvaluations ?? 100 * (this.residuals.size + 1);
    return this.residuals.evaluations >= most ? 'evaluations' : undefined;
  }

  /** Whether a step is small enough to end with. `fallen` and `predicted` are decreases of the cost. */
  tolerance(before: FitPoint, after: FitPoint, fallen: number, predicted: number): StopReason | undefined {
    const small = this.valueTolerance * before.cost;
    if (Math.abs(fallen) <= small && predicted <= small && fallen <= 2 * predicted) return 'value';
    const moved = norm(difference(after.x, before.x));
    if (moved <= this.stepTolerance * (this.stepTolerance + norm(after.x))) return 'step';
    return undefined;
  }
}
