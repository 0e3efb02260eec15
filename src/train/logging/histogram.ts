// Histograms as TensorBoard keeps them: counts in buckets that grow by a tenth, negative ones mirrored (TensorFlow's
// histogram.cc); buckets at the ends without a value are left out.

/** Counts of values; bucket i holds those below limits[i] and not below limits[i − 1]. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const SMALLEST = 1e-12;
const LARGEST = 1e20;

/** −1e20 … −1e-12, 0, 1e-12 … 1e20 */
const LIMITS: readonly number[] = (() => {
  const positive: number[] = [];
  for (let limit = SMALLEST; limit < LARGEST; limit *= 1.1) positive.push(limit);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive];
})();

/** The histogram of the finite values; undefined if there are none. */
export function histogramOf(values: ArrayLike<number>): Histogram | undefined {
  const counts = new Array<number>(LIMITS.length + 1).fill(0);
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    counts[bucketOf(value)]++;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return undefined;
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  const from = Math.max(0, first - 1); // an empty bucket in front: its limit is where the first one begins
  const limits = [...LIMITS, Number.MAX_VALUE].slice(from, last + 1);
  return { min, max, count, sum, sumOfSquares, limits, counts: counts.slice(from, last + 1) };
}

/** The first bucket whose limit is above the value. */
function bucketOf(value: number): number {
  let [low, high] = [0, LIMITS.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (LIMITS[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
