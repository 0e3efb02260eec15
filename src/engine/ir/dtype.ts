// Element types: one row each. On the CPU devices a truth value takes four bytes, 0 or 1; the reference device keeps everything
// in float64.

interface Row {
  /** What arithmetic on it gives: of two dtypes the one with the higher kind, and of one kind the one with the higher rank. */
  readonly kind: 'bool' | 'int' | 'float';
  readonly rank: number;
  /** Bytes of an element on a CPU device. */
  readonly bytes: number;
}

const ROWS = {
  bool: { kind: 'bool', rank: 0, bytes: 4 },
  int32: { kind: 'int', rank: 1, bytes: 4 },
  float32: { kind: 'float', rank: 2, bytes: 4 },
  float64: { kind: 'float', rank: 3, bytes: 8 },
} as const satisfies Readonly<Record<string, Row>>;

export type DType = keyof typeof ROWS;

export const DTYPES: readonly DType[] = ['float32', 'float64', 'int32', 'bool'];

/** The JavaScript typed array that `data()` returns for a dtype. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/** Dtypes of real numbers: those that have gradients. */
export type FloatDType = 'float32' | 'float64';

export function isDType(name: string): name is DType {
  return Object.hasOwn(ROWS, name);
}

export const bytesOf = (dtype: DType): number => ROWS[dtype].bytes;

export function isFloat(dtype: DType): dtype is FloatDType {
  return ROWS[dtype].kind === 'float';
}

/** The dtype of a result computed from both: bool < int32 < float32 < float64, as PyTorch promotes. */
export function promote(a: DType, b: DType): DType {
  return ROWS[a].rank >= ROWS[b].rank ? a : b;
}

/** Can an int32 hold the number, fractions cut off? */
export function fitsInt32(value: number): boolean {
  return value > -0x80000001 && value < 0x80000000;
}

/** Value after storing it as `dtype`: int32 truncates and wraps, bool is 0 or 1. */
export function castValue(value: number, dtype: DType): number {
  if (dtype === 'int32') return value | 0;
  if (dtype === 'bool') return value !== 0 ? 1 : 0;
  return value;
}
