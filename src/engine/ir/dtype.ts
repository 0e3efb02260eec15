// Element types: one row each. On the CPU devices a truth value takes four bytes, 0 or 1; the reference device keeps everything
// in float64. The narrow ones (uint8, float16, bfloat16) are for storage: arithmetic converts to a wide one and back.

interface Row {
  /** What arithmetic on it gives: of two dtypes the one with the higher kind, and of one kind the one with the higher rank. */
  readonly kind: 'bool' | 'int' | 'float';
  readonly rank: number;
  /** Bytes of an element on a CPU device. */
  readonly bytes: number;
  /** What arithmetic computes in, if it is another one. */
  readonly wide?: 'int32' | 'float32';
}

const ROWS = {
  bool: { kind: 'bool', rank: 0, bytes: 4 },
  uint8: { kind: 'int', rank: 1, bytes: 1, wide: 'int32' },
  int32: { kind: 'int', rank: 2, bytes: 4 },
  float16: { kind: 'float', rank: 3, bytes: 2, wide: 'float32' },
  bfloat16: { kind: 'float', rank: 3, bytes: 2, wide: 'float32' },
  float32: { kind: 'float', rank: 4, bytes: 4 },
  float64: { kind: 'float', rank: 5, bytes: 8 },
} as const satisfies Readonly<Record<string, Row>>;

export type DType = keyof typeof ROWS;

export const DTYPES: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'];

/** The JavaScript typed array that `data()` returns for a dtype. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  /** Widened: JavaScript has no such array everywhere. */
  float16: Float32Array;
  bfloat16: Float32Array;
  uint8: Uint8Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/** Dtypes of real numbers: those that have gradients. */
export type FloatDType = 'float32' | 'float64' | 'float16' | 'bfloat16';

export function isDType(name: string): name is DType {
  return Object.hasOwn(ROWS, name);
}

export const bytesOf = (dtype: DType): number => ROWS[dtype].bytes;

export function isFloat(dtype: DType): dtype is FloatDType {
  return ROWS[dtype].kind === 'float';
}

/** What is computed in for operands of a narrow dtype; undefined for the others. */
export function wideOf(dtype: DType): 'int32' | 'float32' | undefined {
  const row: Row = ROWS[dtype];
  return row.wide;
}

/**
 * The dtype of a result computed from both, as PyTorch promotes: bool < uint8 < int32 < float16, bfloat16 < float32 < float64, and
 * of float16 and bfloat16 float32.
 */
export function promote(a: DType, b: DType): DType {
  if (a !== b && ROWS[a].rank === ROWS[b].rank) return 'float32';
  return ROWS[a].rank >= ROWS[b].rank ? a : b;
}

/** Can an int32 hold the number, fractions cut off? */
export function fitsInt32(value: number): boolean {
  return value > -0x80000001 && value < 0x80000000;
}

/** Value after storing it as `dtype`: integers truncate and wrap, bool is 0 or 1, float16 and bfloat16 are rounded. */
export function castValue(value: number, dtype: DType): number {
  if (dtype === 'int32') return value | 0;
  if (dtype === 'uint8') return value & 255;
  if (dtype === 'float16') return halfValue(halfBits(value));
  if (dtype === 'bfloat16') return brainValue(brainBits(value));
  if (dtype === 'bool') return value !== 0 ? 1 : 0;
  return value;
}

// ---------------------------------------------------------------- sixteen bits

const scratch = new DataView(new ArrayBuffer(4));

/** The number of IEEE 754 half precision with these bits: 1 of sign, 5 of exponent, 10 of fraction. */
export function halfValue(bits: number): number {
  const sign = (bits & 0x8000) !== 0 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the nearest number of half precision, of two the even one. */
export function halfBits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x47800000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  // Below the normal numbers they are whole multiples of 2⁻²⁴, which is what is left of float32 beside ½.
  scratch.setFloat32(0, Math.abs(value) + 0.5);
  return sign | (scratch.getUint32(0) - 0x3f000000);
}

/** bfloat16 is the upper half of a float32. */
export function brainValue(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

export function brainBits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
