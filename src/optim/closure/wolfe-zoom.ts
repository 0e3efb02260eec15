// The line search of PyTorch's L-BFGS, place by place the same: extrapolation until an interval is known that holds a step with the strong
// Wolfe conditions, then cubics within it (Nocedal and Wright 2006, algorithms 3.5 and 3.6). `strongWolfe` is the one of `minimize`,
// which asks for fewer evaluations.

import type { Numbers } from '../minimize/vectors.js';

/** The loss along a line, with its whole gradient. */
export interface WolfePoint {
  readonly step: number;
  readonly value: number;
  readonly gradient: Numbers;
  /** Of the value with respect to the step. */
  readonly slope: number;
}

const C1 = 1e-4;
const C2 = 0.9;
const MOST = 25;
/** An interval over which no parameter moves by more counts as none. */
const NARROWEST = 1e-9;

export interface WolfeResult {
  readonly point: WolfePoint;
  readonly evaluations: number;
}

/** From `start` (step 0) with `step` as the first try; `reach` is how far the largest parameter moves for a step of 1. */
export async function wolfeZoom(
  evaluate: (step: number) => Promise<WolfePoint>,
  start: WolfePoint,
  step: number,
  reach: number,
): Promise<WolfeResult> {
  const search = new Zoom(evaluate, start, reach);
  const found = await search.bracket(step);
  const point = found instanceof Array ? await search.zoom(found) : found;
  return { point, evaluations: search.evaluations };
}

class Zoom {
  evaluations = 0;
  private rounds = 0;
  private readonly evaluate: (step: number) => Promise<WolfePoint>;
  private readonly start: WolfePoint;
  private readonly reach: number;

  constructor(evaluate: (step: number) => Promise<WolfePoint>, start: WolfePoint, reach: number) {
    [this.evaluate, this.start, this.reach] = [evaluate, start, reach];
  }

  private async at(step: number): Promise<WolfePoint> {
    this.evaluations++;
    return await this.evaluate(step);
  }

  private isTooHigh({ step, value }: WolfePoint): boolean {
    // A value that is no number is too high.
    return !(value <= this.start.value + C1 * step * this.start.slope);
  }

  private isFlat({ slope }: WolfePoint): boolean {
    return Math.abs(slope) <= -C2 * this.start.slope;
  }

  /** A point that fulfils the conditions, or two that have one between them. */
  async bracket(first: number): Promise<WolfePoint | [WolfePoint, WolfePoint]> {
    let before = this.start;
    let now = await this.at(first);
    for (; this.rounds < MOST; this.rounds++) {
      if (this.isTooHigh(now) || (this.rounds > 1 && now.value >= before.value)) return [before, now];
      if (this.isFlat(now)) return now;
      if (now.slope >= 0) return [before, now];
      const next = cubicStep(before, now, now.step + 0.01 * (now.step - before.step), 10 * now.step);
      before = now;
      now = await this.at(next);
    }
    return [this.start, now];
  }

  async zoom(ends: [WolfePoint, WolfePoint]): Promise<WolfePoint> {
    let low = ends[0].value <= ends[1].value || Number.isNaN(ends[1].value) ? 0 : 1;
    let isSlow = false;
    for (; this.rounds < MOST; this.rounds++) {
      const [least, most] = [Math.min(ends[0].step, ends[1].step), Math.max(ends[0].step, ends[1].step)];
      if ((most - least) * this.reach < NARROWEST) break;
      let step = cubicStep(ends[0], ends[1], least, most);
      const margin = 0.1 * (most - least);
      // Twice close to an end, or at it: a tenth of the interval away from it.
      const isClose = Math.min(most - step, step - least) < margin;
      if (isClose && (isSlow || step >= most || step <= least)) {
        step = Math.abs(step - most) < Math.abs(step - least) ? most - margin : least + margin;
        isSlow = false;
      } else isSlow = isClose;
      const now = await this.at(step);
      if (this.isTooHigh(now) || now.value >= ends[low].value) {
        ends[1 - low] = now;
        low = ends[0].value <= ends[1].value || Number.isNaN(ends[1].value) ? 0 : 1;
        continue;
      }
      if (this.isFlat(now)) return now;
      if (now.slope * (ends[1 - low].step - ends[low].step) >= 0) ends[1 - low] = ends[low];
      ends[low] = now;
    }
    return ends[low];
  }
}

/** Where the cubic through two places with their slopes is lowest, within bounds; in their middle where it has no minimum or is no number. */
function cubicStep(a: WolfePoint, b: WolfePoint, least: number, most: number): number {
  const d = a.slope + b.slope - (3 * (a.value - b.value)) / (a.step - b.step);
  const square = d * d - a.slope * b.slope;
  if (!(square >= 0) || !Number.isFinite(square)) return (least + most) / 2;
  const root = Math.sqrt(square);
  const [left, right] = a.step <= b.step ? [a, b] : [b, a];
  const lowest =
    right.step - (right.step - left.step) * ((right.slope + root - d) / (right.slope - left.slope + 2 * root));
  return Math.min(Math.max(lowest, least), most);
}
