// What a line search looks at, and what it gives: a function of one step length, with its slope. Shared by all searches.
// Must not know: tensors, and what the line lies in.

import { ArgumentError, checkFunction, checkNumber, checkWhole, wrongKind } from '../../tensor/library.js';

/** A function of one number at one place. */
export interface LinePoint {
  readonly value: number;
  /** Its derivative with respect to the step. */
  readonly slope: number;
}

/** φ(step) = f(x + step · direction). What it returns beside value and slope comes back with the result. */
export type LineFunction<P extends LinePoint = LinePoint> = (step: number) => P | Promise<P>;

/**
 * Why a line search ended. `satisfied`: the step fulfils the conditions. The others are no step, or the best one that was found:
 * `not-descent`: the function does not fall at 0; `precision`: the interval has shrunk to nothing; `max-step`: it still falls at the longest
 * step; `evaluations`: as many as were allowed; `not-finite`: it is NaN or infinite wherever it was asked.
 */
export type LineSearchReason = 'satisfied' | 'not-descent' | 'precision' | 'max-step' | 'evaluations' | 'not-finite';

export interface LineSearchResult<P extends LinePoint = LinePoint> {
  /** The step; 0 where no better place was found. */
  readonly step: number;
  readonly value: number;
  readonly slope: number;
  /** Calls of the function, that at 0 included unless it was given. */
  readonly evaluations: number;
  readonly converged: boolean;
  readonly reason: LineSearchReason;
  /** What the function returned at the step. */
  readonly point: P;
}

export interface LineSearchOptions<P extends LinePoint = LinePoint> {
  /** The step that is tried first. Default 1. */
  readonly step?: number;
  /** What the function is at 0, if that is known already. */
  readonly start?: P;
  /** The value has to fall by c1 · step · slope at 0 (Armijo). Default 1e-4. */
  readonly c1?: number;
  /** Default 1e10. */
  readonly maxStep?: number;
  /** Calls of the function after which the search gives up. Default 40. */
  readonly maxEvaluations?: number;
}

export const LINE_OPTIONS = { step: true, start: true, c1: true, maxStep: true, maxEvaluations: true } as const;

/** A search under way: counts calls, and keeps the best place. */
export class LineSearch<P extends LinePoint> {
  readonly start: P;
  readonly maxStep: number;
  /** The best place so far; 0 to begin with. */
  best: { readonly step: number; readonly point: P };
  evaluations: number;
  /** Some place other than 0 had a finite value. */
  private hasSeenNumbers = false;
  private readonly phi: LineFunction<P>;
  private readonly maxEvaluations: number;

  private constructor(phi: LineFunction<P>, start: P, evaluations: number, options: LineSearchOptions<P>) {
    this.phi = phi;
    this.start = start;
    this.best = { step: 0, point: start };
    this.evaluations = evaluations;
    this.maxStep = options.maxStep ?? 1e10;
    this.maxEvaluations = options.maxEvaluations ?? 40;
  }

  static async begin<P extends LinePoint>(
    op: string,
    phi: LineFunction<P>,
    options: LineSearchOptions<P>,
  ): Promise<LineSearch<P>> {
    checkFunction(op, phi);
    checkPositive(op, 'step', options.step ?? 1);
    checkPositive(op, 'maxStep', options.maxStep ?? 1e10);
    checkWhole(op, 'maxEvaluations', options.maxEvaluations ?? 40, 1);
    const start = checkedPoint(op, options.start ?? (await phi(0)));
    return new LineSearch(phi, start, options.start === undefined ? 1 : 0, options);
  }

  /** There is nothing to search: the function does not fall at 0, or is no number there. */
  get obstacle(): LineSearchReason | undefined {
    const { value, slope } = this.start;
    if (!Number.isFinite(value) || !Number.isFinite(slope)) return 'not-finite';
    return slope < 0 ? undefined : 'not-descent';
  }

  get isExhausted(): boolean {
    return this.evaluations >= this.maxEvaluations;
  }

  async at(op: string, step: number): Promise<P> {
    const point = checkedPoint(op, await this.phi(step));
    this.evaluations++;
    const isBottomless = point.value === -Infinity;
    if (isFinitePoint(point)) this.hasSeenNumbers = true;
    if ((isFinitePoint(point) || isBottomless) && point.value < this.best.point.value) this.best = { step, point };
    return point;
  }

  /** The value that Armijo's condition allows at a step. */
  allowed(step: number, c1: number): number {
    return this.start.value + c1 * step * this.start.slope;
  }

  accept(step: number, point: P): LineSearchResult<P> {
    return this.result(step, point, 'satisfied');
  }

  /** Ends with the best place that was found. */
  giveUp(reason: LineSearchReason): LineSearchResult<P> {
    const isBlind = reason === 'evaluations' && !this.hasSeenNumbers;
    return this.result(this.best.step, this.best.point, isBlind ? 'not-finite' : reason);
  }

  private result(step: number, point: P, reason: LineSearchReason): LineSearchResult<P> {
    const { value, slope } = point;
    return { step, value, slope, evaluations: this.evaluations, converged: reason === 'satisfied', reason, point };
  }
}

export function isFinitePoint({ value, slope }: LinePoint): boolean {
  return Number.isFinite(value) && Number.isFinite(slope);
}

function checkedPoint<P extends LinePoint>(op: string, point: P): P {
  const given: unknown = point;
  const isPoint = typeof given === 'object' && given !== null && 'value' in given && 'slope' in given;
  if (!isPoint || typeof given.value !== 'number' || typeof given.slope !== 'number')
    throw wrongKind(op, 'what the function returned', given, 'Return { value, slope }, two numbers');
  return point;
}

/** Throws unless `value` is a number above 0. */
export function checkPositive(op: string, what: string, value: unknown): void {
  checkNumber(op, what, value);
  if ((value as number) <= 0) throw new ArgumentError(`${op}: ${what} is ${String(value)}. Use a number above 0.`);
}

/** Throws unless `value` is a number of at least 0. */
export function checkNotNegative(op: string, what: string, value: unknown): void {
  checkNumber(op, what, value);
  if ((value as number) < 0) throw new ArgumentError(`${op}: ${what} is ${String(value)}. Use a number of at least 0.`);
}

/** Throws unless low < value < high. */
export function checkBetween(op: string, what: string, value: unknown, low: number, high: number): void {
  checkNumber(op, what, value);
  if (!((value as number) > low && (value as number) < high))
    throw new ArgumentError(`${op}: ${what} is ${String(value)}. Use a number between ${low} and ${high}.`);
}
