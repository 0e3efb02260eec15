// Element types. Every element takes four bytes on the CPU devices, bool included (0 or 1), so that all
// lanes of a vector have one width; the reference device keeps everything in float64.

export type DType = 'float32' | 'int32' | 'bool';

export const DTYPES = ['float32', 'int32', 'bool'] as const satisfies readonly DType[];

export const BYTES_PER_ELEMENT = 4;

/** The JavaScript typed array that `data()` returns for a dtype. */
export interface DataOf {
  float32: Float32Array;
  int32: Int32Array;
  bool: Uint8Array;
}

const RANK: Record<DType, number> = { bool: 0, int32: 1, float32: 2 };

/** The dtype of a result computed from both: bool < int32 < float32, as PyTorch promotes. */
export function promote(a: DType, b: DType): DType {
  return RANK[a] >= RANK[b] ? a : b;
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
