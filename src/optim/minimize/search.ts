// A search under way, whatever its method: when it ends and why, its history, its callbacks. Methods tell it each place that they
// accept, and go on while it gives no reason to stop.

import { checkFunction, checkGiven, checkHas, checkNumber, checkWhole } from '../../tensor/library.js';
import { checkNotNegative } from '../line-search/line.js';
import type { Evaluated, Point } from './objective.js';
import { largest } from './vectors.js';

/**
 * Why a search ended.
 *
 * | | |
 * |---|---|
 * | `gradient` | converged: no component of the gradient is larger than `gradientTolerance` |
 * | `value` | converged: the value falls by no more than `valueTolerance` of its size any more |
 * | `step` | converged: x moves by no more than `stepTolerance` of its size any more |
 * | `precision` | no lower value can be found: what is left is rounding |
 * | `iterations`, `evaluations` | as many as were allowed |
 * | `unbounded` | the function falls without end, as far as it was followed |
 * | `not-finite` | value or gradient is NaN or infinite at the start, or wherever the search could go |
 * | `aborted`, `callback` | the signal, or the callback, asked for the end |
 */
export type StopReason =
  | 'gradient'
  | 'value'
  | 'step'
  | 'precision'
  | 'iterations'
  | 'evaluations'
  | 'unbounded'
  | 'not-finite'
  | 'aborted'
  | 'callback';

export const CONVERGED: ReadonlySet<StopReason> = new Set(['gradient', 'value', 'step']);

/** One iteration of a search. */
export interface IterationRecord {
  /** 0 is the start. */
  readonly iteration: number;
  readonly value: number;
  /** The largest component of the gradient, in size. */
  readonly gradientNorm: number;
  /** How far x has moved, in the Euclidean norm. */
  readonly moved: number;
  /** Evaluations of value and gradient so far. */
  readonly evaluations: number;
  /** Where it was, one flat list; only with `keepPath`. */
  readonly x?: Float64Array;
}

export interface SearchOptions {
  /** Largest component of the gradient that counts as 0. Default 1e-5. */
  readonly gradientTolerance?: number;
  /** Relative decrease of the value that counts as none. Default 0: not asked. */
  readonly valueTolerance?: number;
  /** Relative change of x that counts as none. Default 0: not asked. */
  readonly stepTolerance?: number;
  /** Default 200 times the size of x, and at least 1000. */
  readonly maxIterations?: number;
  /** Of value and gradient. Default: no limit but that of iterations. */
  readonly maxEvaluations?: number;
  /** A value below which the function counts as unbounded. Default -1e100. */
  readonly lowest?: number;
  /** Keeps x of each iteration in the history. Default false. */
  readonly keepPath?: boolean;
  /** Called after each iteration; the search ends where it returns true. */
  readonly callback?: (iteration: IterationRecord) => boolean | void | Promise<boolean | void>;
  /** Ends the search when it is aborted; what was found so far is the result. */
  readonly signal?: AbortSignal;
}

export const SEARCH_OPTIONS = {
  gradientTolerance: true,
  valueTolerance: true,
  stepTolerance: true,
  maxIterations: true,
  maxEvaluations: true,
  lowest: true,
  keepPath: true,
  callback: true,
  signal: true,
} as const;

/** Throws ArgumentError for tolerances and limits outside their range. */
export function checkSearchOptions(op: string, options: SearchOptions): void {
  const { gradientTolerance, valueTolerance, stepTolerance, maxIterations, maxEvaluations } = options;
  checkGiven(checkNotNegative, op, { gradientTolerance, valueTolerance, stepTolerance });
  checkGiven(
    (name, what, value) => {
      if (value !== Infinity) checkWhole(name, what, value, 1);
    },
    op,
    { maxIterations, maxEvaluations },
  );
  if (options.lowest !== undefined) checkNumber(op, 'lowest', options.lowest);
  if (options.callback !== undefined) checkFunction(op, options.callback, 'callback');
  checkSignal(op, options.signal);
}

/** Throws ArgumentError for a signal that cannot be asked whether it is aborted. */
export function checkSignal(op: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined) checkHas(op, 'signal', signal, ['aborted'], 'Pass the signal of an AbortController');
}

/** The outcome of a method: where it is, and why it stopped. */
export interface Outcome {
  readonly point: Point;
  readonly reason: StopReason;
}

export class Search {
  readonly objective: Evaluated;
  readonly history: IterationRecord[] = [];
  /** Iterations done. */
  iteration = 0;
  private readonly options: SearchOptions;
  private readonly maxIterations: number;
  private readonly maxEvaluations: number;
  private before: Point | undefined;

  constructor(objective: Evaluated, options: SearchOptions) {
    this.objective = objective;
    this.options = options;
    this.maxIterations = options.maxIterations ?? Math.max(1000, 200 * objective.size);
    this.maxEvaluations = options.maxEvaluations ?? Infinity;
  }

  /** What a line search may still spend. */
  get evaluationsLeft(): number {
    return Math.max(1, this.maxEvaluations - this.objective.evaluations);
  }

  get isSpent(): boolean {
    return this.objective.evaluations >= this.maxEvaluations;
  }

  /** Between two places, where a step was refused: a reason if the search ends here. */
  limit(): StopReason | undefined {
    if (this.options.signal?.aborted === true) return 'aborted';
    return this.isSpent ? 'evaluations' : undefined;
  }

  /** Notes the start, or the place after an iteration; a reason if the search ends here. */
  async note(point: Point): Promise<StopReason | undefined> {
    const { before, options } = this;
    const { callback, signal, keepPath = false, lowest = -1e100 } = options;
    if (before !== undefined) this.iteration++;
    const gradientNorm = largest(point.gradient);
    const moved = before === undefined ? 0 : distance(point.x, before.x);
    const entry: IterationRecord = {
      iteration: this.iteration,
      value: point.value,
      gradientNorm,
      moved,
      evaluations: this.objective.evaluations,
      ...(keepPath && { x: point.x.slice() }),
    };
    this.history.push(entry);
    this.before = point;
    const isStopAsked = (await callback?.(entry)) === true;
    if (point.value < lowest) return 'unbounded';
    if (!Number.isFinite(point.value) || !Number.isFinite(gradientNorm)) return 'not-finite';
    if (gradientNorm <= (options.gradientTolerance ?? 1e-5)) return 'gradient';
    if (isStopAsked) return 'callback';
    if (signal?.aborted === true) return 'aborted';
    if (before !== undefined) {
      const { valueTolerance = 0, stepTolerance = 0 } = options;
      const size = Math.max(Math.abs(before.value), Math.abs(point.value), 1);
      if (valueTolerance > 0 && before.value - point.value <= valueTolerance * size) return 'value';
      if (stepTolerance > 0 && moved <= stepTolerance * (stepTolerance + largest(point.x))) return 'step';
    }
    if (this.iteration >= this.maxIterations) return 'iterations';
    return this.isSpent ? 'evaluations' : undefined;
  }
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
