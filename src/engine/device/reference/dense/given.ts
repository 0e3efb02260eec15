// What a routine is given for one matrix.

/** One matrix: where its results go, by name. */
export interface Routines {
  readonly m: number;
  readonly n: number;
  readonly isUpper: boolean;
  readonly isUnit: boolean;
  readonly operands: readonly Float64Array[];
  result(name: string): Float64Array;
}
