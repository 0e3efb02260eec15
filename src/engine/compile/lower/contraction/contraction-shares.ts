// How the threads share a contraction.

import type { ContractionFrame } from './contraction-frame.js';

export type Split = 'columns' | 'rows' | 'batch' | 'alone';

/** Threads share what gives them most to do. */
export function chooseSplit(f: ContractionFrame, isHalf: boolean): Split {
  const panels = f.panels;
  if (f.batch >= 8) return 'batch';
  if (isHalf) return 'columns'; // which can be shared evenly
  return panels >= 16 || panels >= f.tileAxis.size ? 'columns' : 'rows';
}

/**
 * Rows of a tile where each thread can have the same number of whole tiles: then it computes what comes before and after
 * of the same rows too, and need not wait for the others (barrier-elimination.ts).
 */
export function rowsForEach(rows: number, threads: number, most: number): number | undefined {
  const own = rows / threads;
  for (let tiles = Math.ceil(own / most); own / tiles > most / 2; tiles++) {
    if (Number.isInteger(own / tiles)) return own / tiles;
  }
  return undefined;
}
