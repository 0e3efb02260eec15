// The largest, the smallest and the Euclidean norm of any number of numbers. `Math.max(...list)` puts the list on the stack,
// which overflows beyond some 100,000 numbers.

/** -Infinity of none, NaN if one is NaN, as Math.max. */
export function largest(values: Iterable<number>): number {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** Infinity of none, NaN if one is NaN, as Math.min. */
export function smallest(values: Iterable<number>): number {
  let least = Infinity;
  for (const value of values) least = Math.min(least, value);
  return least;
}

/** The root of the sum of squares, without overflow in between, as Math.hypot. */
export function norm(values: Iterable<number>): number {
  const sizes = Array.from(values, Math.abs);
  const most = largest(sizes);
  if (sizes.length === 0 || most === 0) return 0;
  if (!Number.isFinite(most)) return most;
  return most * Math.sqrt(sizes.reduce((sum, size) => sum + (size / most) ** 2, 0));
}
