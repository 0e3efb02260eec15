// Numbers about the numbers of a tensor. Arrays in, a record out.

import type { StoredData } from '../../io/index.js';

/** Of the finite ones; null where there are none. */
export interface Statistics {
  readonly mean: number | null;
  /** Of all numbers, not of a sample. */
  readonly std: number | null;
  readonly least: number | null;
  readonly largest: number | null;
  /** NaN and infinities. */
  readonly notFinite: number;
}

export function statisticsOf(data: StoredData): Statistics {
  let [count, mean, squares, least, largest] = [0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) continue;
    count++;
    // Welford's: differences from the mean so far lose no digits.
    const difference = value - mean;
    mean += difference / count;
    squares += difference * (value - mean);
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const notFinite = data.length - count;
  if (count === 0) return { mean: null, std: null, least: null, largest: null, notFinite };
  return { mean, std: Math.sqrt(squares / count), least, largest, notFinite };
}
