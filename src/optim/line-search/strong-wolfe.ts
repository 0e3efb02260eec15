// The line search of Moré and Thuente (1994): an interval that holds a step with enough decrease and a small slope is made smaller by
// cubics and secants. Until a place with enough decrease and a rising slope is known it works on the function less what
// Armijo's condition asks for.

import { checkNumber, checkOptions, type OptionNames } from '../../tensor/library.js';
import { type Place, cubicMinimum, parabolaMinimum, secantZero } from './interpolate.js';
import {
  LINE_OPTIONS,
  type LineFunction,
  type LinePoint,
  LineSearch,
  type LineSearchOptions,
  type LineSearchResult,
  checkBetween,
  isFinitePoint,
} from './line.js';

export interface StrongWolfeOptions<P extends LinePoint = LinePoint> extends LineSearchOptions<P> {
  /** The slope has to be c2 times that at 0 at most, in size. Above c1; default 0.9. */
  readonly c2?: number;
  /** Differences of values up to it are rounding: there the slopes decide alone (Hager and Zhang 2005). Default 0. */
  readonly noise?: number;
}

const STRONG_WOLFE_OPTIONS: OptionNames<StrongWolfeOptions> = { ...LINE_OPTIONS, c2: true, noise: true };

/** How far a step may go beyond the last one while no minimum is bracketed. */
const LONGEST_LEAP = 4;
/** How much smaller two rounds have to make the interval; otherwise it is halved. */
const LEAST_SHRINKING = 0.66;
/** Relative width of an interval that is nothing but rounding. */
const NARROWEST = 1e-14;

/**
 * A step that fulfils the strong Wolfe conditions: φ(step) ≤ φ(0) + c1·step·φ'(0), and |φ'(step)| ≤ c2·|φ'(0)|. SciPy: line_search.
 *
 *     const { step, reason } = await strongWolfe((t) => ({ value: Math.cosh(t - 2), slope: Math.sinh(t - 2) }));
 */
export async function strongWolfe<P extends LinePoint>(
  phi: LineFunction<P>,
  options: StrongWolfeOptions<P> = {},
): Promise<LineSearchResult<P>> {
  const op = 'strongWolfe';
  checkOptions(op, options, STRONG_WOLFE_OPTIONS);
  const { c1 = 1e-4, c2 = 0.9, noise = 0 } = options;
  checkBetween(op, 'c1', c1, 0, 1);
  checkBetween(op, 'c2', c2, c1, 1);
  checkNumber(op, 'noise', noise);
  const search = await LineSearch.begin(op, phi, options);
  if (search.obstacle !== undefined) return search.giveUp(search.obstacle);
  return await new Interval(search, c1, c2, noise).narrow(options.step ?? 1);
}

class Interval<P extends LinePoint> {
  private readonly search: LineSearch<P>;
  private readonly c1: number;
  private readonly c2: number;
  private readonly noise: number;
  /** The end with the lower value, and the other one. */
  private low: Place;
  private high: Place;
  private isBracketed = false;
  /** Until a place with enough decrease and a rising slope is known. */
  private isFirstStage = true;
  /** Steps that are allowed at present. */
  private least = 0;
  private most: number;
  /** Where the function is no number any more. */
  private wall = Infinity;

  constructor(search: LineSearch<P>, c1: number, c2: number, noise: number) {
    this.search = search;
    [this.c1, this.c2, this.noise] = [c1, c2, noise];
    const { value, slope } = search.start;
    this.low = this.high = { step: 0, value, slope };
    this.most = search.maxStep;
  }

  async narrow(first: number): Promise<LineSearchResult<P>> {
    const { search, c1, c2, noise } = this;
    const steepest = search.start.slope;
    let step = Math.min(first, search.maxStep);
    this.most = Math.min(search.maxStep, step + LONGEST_LEAP * step);
    let [width, widthBefore] = [search.maxStep, 2 * search.maxStep];
    while (!search.isExhausted) {
      const point = await search.at('strongWolfe', step);
      if (point.value === -Infinity) return search.giveUp('max-step');
      if (!isFinitePoint(point)) {
        this.wall = step;
        step = this.low.step + 0.1 * (step - this.low.step);
        if (step <= NARROWEST * this.wall) return search.giveUp('not-finite');
        this.most = Math.min(this.most, this.wall);
        continue;
      }
      const hasFallen = point.value <= search.allowed(step, c1) + noise;
      if (hasFallen && Math.abs(point.slope) <= -c2 * steepest) return search.accept(step, point);
      if (hasFallen && step >= search.maxStep && point.slope <= c1 * steepest) return search.giveUp('max-step');
      const isNarrow = this.most - this.least <= NARROWEST * this.most;
      if (this.isBracketed && (step <= this.least || step >= this.most || isNarrow)) return search.giveUp('precision');

      if (this.isFirstStage && hasFallen && point.slope >= 0) this.isFirstStage = false;
      step = this.next({ step, value: point.value, slope: point.slope });
      if (this.isBracketed) {
        const span = Math.abs(this.high.step - this.low.step);
        if (span >= LEAST_SHRINKING * widthBefore) step = (this.low.step + this.high.step) / 2;
        [widthBefore, width] = [width, span];
        this.least = Math.min(this.low.step, this.high.step);
        this.most = Math.max(this.low.step, this.high.step);
        // Nothing lies between the ends any more: the better one is asked once again, and then it is over.
        if (this.most - this.least <= NARROWEST * this.most || step <= this.least || step >= this.most)
          return search.giveUp('precision');
      } else {
        this.least = step + 1.1 * (step - this.low.step);
        this.most = step + LONGEST_LEAP * (step - this.low.step);
      }
      step = Math.min(step, search.maxStep);
      if (step >= this.wall) step = (this.low.step + this.wall) / 2;
    }
    return search.giveUp('evaluations');
  }

  /** Takes a place into the interval, and says where to look next. */
  private next(at: Place): number {
    const isModified =
      this.isFirstStage && at.value <= this.low.value && at.value > this.search.allowed(at.step, this.c1) + this.noise;
    if (!isModified) return this.narrowAround(at);
    const asked = this.c1 * this.search.start.slope;
    const tilt = (by: number) => (place: Place) => ({
      step: place.step,
      value: place.value - by * place.step,
      slope: place.slope - by,
    });
    [this.low, this.high] = [this.low, this.high].map(tilt(asked));
    const step = this.narrowAround(tilt(asked)(at));
    [this.low, this.high] = [this.low, this.high].map(tilt(-asked));
    return step;
  }

  /** The four cases of the paper: where the new place lies, as against the better end. */
  private narrowAround(at: Place): number {
    const { low, high } = this;
    const fromLow = (part: number): number => low.step + part * (at.step - low.step);
    const fromHere = (part: number, end: Place): number => at.step + part * (end.step - at.step);
    const isOpposite = at.slope * Math.sign(low.slope) < 0;
    const isHigher = at.value > low.value + this.noise;
    let next: number;
    if (isHigher) {
      // Higher: a minimum lies between.
      const [cubic, parabola] = [fromLow(cubicMinimum(low, at)), fromLow(parabolaMinimum(low, at))];
      const isCubicCloser = Math.abs(cubic - low.step) < Math.abs(parabola - low.step);
      next = isCubicCloser ? cubic : cubic + (parabola - cubic) / 2;
      this.isBracketed = true;
    } else if (isOpposite) {
      // Lower, and the slope has turned: a minimum lies between.
      const [cubic, secant] = [fromHere(cubicMinimum(at, low), low), fromHere(secantZero(at, low), low)];
      next = Math.abs(cubic - at.step) > Math.abs(secant - at.step) ? cubic : secant;
      this.isBracketed = true;
    } else if (Math.abs(at.slope) < Math.abs(low.slope)) {
      next = this.onward(at);
    } else if (this.isBracketed) {
      next = fromHere(cubicMinimum(at, high), high);
    } else {
      next = at.step > low.step ? this.most : this.least;
    }
    if (isHigher) this.high = at;
    else {
      if (isOpposite) this.high = low;
      this.low = at;
    }
    return Math.max(Math.min(next, this.upper), this.lower);
  }

  private get upper(): number {
    return this.isBracketed ? Infinity : this.most;
  }

  private get lower(): number {
    return this.isBracketed ? -Infinity : this.least;
  }

  /** Lower, the slope of the same sign and smaller: the minimum lies ahead, and the cubic may have none. */
  private onward(at: Place): number {
    const { low, high } = this;
    const part = cubicMinimum(at, low, true);
    const limit = at.step > low.step ? this.most : this.least;
    const cubic = part < 0 && Number.isFinite(part) ? at.step + part * (low.step - at.step) : limit;
    const secant = at.step + secantZero(at, low) * (low.step - at.step);
    const isCubicCloser = Math.abs(cubic - at.step) < Math.abs(secant - at.step);
    if (!this.isBracketed) return isCubicCloser ? secant : cubic;
    const next = isCubicCloser ? cubic : secant;
    const furthest = at.step + LEAST_SHRINKING * (high.step - at.step);
    return at.step > low.step ? Math.min(furthest, next) : Math.max(furthest, next);
  }
}
