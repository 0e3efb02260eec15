// What a routine is given for one matrix, and what most begin with.

/** One matrix: where its results go, by name. */
export interface Routines {
  readonly m: number;
  readonly n: number;
  readonly isUpper: boolean;
  readonly isUnit: boolean;
  readonly operands: readonly Float64Array[];
  result(name: string): Float64Array;
}

/** The rows of the unit matrix. */
export const unitRows = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1));

/** The largest number in size: with all of them in units of it no square overflows or vanishes. */
export const unitOf = (x: Float64Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
