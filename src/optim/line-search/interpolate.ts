// Minima of the parabola and of the cubic through two places of a function with its slopes (Nocedal and Wright 2006, 3.5).
// Differences are divided by the largest of them first, so that their squares neither overflow nor vanish.

export interface Place {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

/**
 * How far from `a`, as a part of the way to `b`, the cubic through both has its minimum; NaN where it has none. With `isClamped` a cubic
 * without one counts as one whose two extrema meet.
 */
export function cubicMinimum(a: Place, b: Place, isClamped = false): number {
  const theta = (3 * (a.value - b.value)) / (b.step - a.step) + a.slope + b.slope;
  const size = Math.max(Math.abs(theta), Math.abs(a.slope), Math.abs(b.slope));
  let inside = (theta / size) ** 2 - (a.slope / size) * (b.slope / size);
  if (isClamped) inside = Math.max(0, inside);
  const root = size * Math.sqrt(inside) * (b.step < a.step ? -1 : 1);
  return (root - a.slope + theta) / (root - a.slope + root + b.slope);
}

/** The same for the parabola with the value and slope of `a` and the value of `b`. */
export function parabolaMinimum(a: Place, b: Place): number {
  return a.slope / ((a.value - b.value) / (b.step - a.step) + a.slope) / 2;
}

/** Where the straight line through both slopes is 0, as a part of the way from `a` to `b`. */
export function secantZero(a: Place, b: Place): number {
  return a.slope / (a.slope - b.slope);
}
