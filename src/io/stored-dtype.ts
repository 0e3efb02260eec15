// Element types as files have them, by PyTorch's names: bytes of an element, the typed array that its numbers come in, and
// which of our dtypes holds them. One row each; both byte orders.
// Bytes in, typed arrays out. Must not know: files, formats, tensors.

import { type DType, brainValue, halfValue } from '../tensor/library.js';

export type StoredData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

interface Row {
  /** Of an element. */
  readonly bytes: number;
  /** What is swapped where the byte order is another: half of a complex number. */
  readonly unit: 1 | 2 | 4 | 8;
  /** The dtype that holds every number of it, or those that fit: int32 for the whole ones. Undefined: none does. */
  readonly dtype: DType | undefined;
  /** The numbers in bytes of this machine's order, which begin at a multiple of 8. */
  decode(bytes: Uint8Array): StoredData;
}

type Decode = Row['decode'];

const wholes =
  (value: (bits: number) => number): Decode =>
  (bytes) =>
    Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1), value);

const halves = wholes(halfValue);
const floats: Decode = (b) => new Float32Array(b.buffer, b.byteOffset, b.length >> 2);
const doubles: Decode = (b) => new Float64Array(b.buffer, b.byteOffset, b.length >> 3);

/** An element type as a file has it: PyTorch's name without `torch.`. */
export type StoredDType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'complex32'
  | 'complex64'
  | 'complex128';

export const STORED_DTYPES: Readonly<Record<StoredDType, Row>> = {
  float64: { bytes: 8, unit: 8, dtype: 'float64', decode: doubles },
  float32: { bytes: 4, unit: 4, dtype: 'float32', decode: floats },
  float16: { bytes: 2, unit: 2, dtype: 'float16', decode: halves },
  bfloat16: { bytes: 2, unit: 2, dtype: 'bfloat16', decode: wholes(brainValue) },
  float8_e4m3fn: { bytes: 1, unit: 1, dtype: 'float32', decode: (b) => Float32Array.from(b, quarterValue) },
  float8_e5m2: {
    bytes: 1,
    unit: 1,
    dtype: 'float32',
    decode: (b) => Float32Array.from(b, (bits) => halfValue(bits << 8)),
  },
  int64: { bytes: 8, unit: 8, dtype: 'int32', decode: (b) => new BigInt64Array(b.buffer, b.byteOffset, b.length >> 3) },
  int32: { bytes: 4, unit: 4, dtype: 'int32', decode: (b) => new Int32Array(b.buffer, b.byteOffset, b.length >> 2) },
  int16: { bytes: 2, unit: 2, dtype: 'int32', decode: (b) => new Int16Array(b.buffer, b.byteOffset, b.length >> 1) },
  int8: { bytes: 1, unit: 1, dtype: 'int32', decode: (b) => new Int8Array(b.buffer, b.byteOffset, b.length) },
  uint64: {
    bytes: 8,
    unit: 8,
    dtype: 'int32',
    decode: (b) => new BigUint64Array(b.buffer, b.byteOffset, b.length >> 3),
  },
  uint32: { bytes: 4, unit: 4, dtype: 'int32', decode: (b) => new Uint32Array(b.buffer, b.byteOffset, b.length >> 2) },
  uint16: { bytes: 2, unit: 2, dtype: 'int32', decode: (b) => new Uint16Array(b.buffer, b.byteOffset, b.length >> 1) },
  uint8: { bytes: 1, unit: 1, dtype: 'uint8', decode: (b) => b },
  bool: { bytes: 1, unit: 1, dtype: 'bool', decode: (b) => b },
  complex32: { bytes: 4, unit: 2, dtype: undefined, decode: halves },
  complex64: { bytes: 8, unit: 4, dtype: undefined, decode: floats },
  complex128: { bytes: 16, unit: 8, dtype: undefined, decode: doubles },
};

export function isStoredDType(name: string): name is StoredDType {
  return Object.hasOwn(STORED_DTYPES, name);
}

/** 1 bit of sign, 4 of exponent, 3 of fraction, no infinities (float8_e4m3fn). */
export function quarterValue(bits: number): number {
  const [exponent, fraction] = [(bits >> 3) & 15, bits & 7];
  const sign = bits & 0x80 ? -1 : 1;
  if (exponent === 15 && fraction === 7) return NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (8 + fraction) * 2 ** (exponent - 10);
}

/** Exchanges the bytes of each unit, in place. */
export function swapBytes(bytes: Uint8Array, unit: number): void {
  for (let at = 0; at + unit <= bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}

/** This machine keeps the lowest byte first, as all do that browsers and Node run on nowadays. */
const isHostBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** Have bytes to be swapped here? */
export const isForeignOrder = (isBigEndian: boolean): boolean => isBigEndian !== isHostBigEndian;

/** In memory of their own. */
export function copied(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A copy in this machine's order, as `decode` takes it. */
export function inHostOrder(bytes: Uint8Array, unit: number, isBigEndian: boolean): Uint8Array {
  const own = copied(bytes);
  if (isForeignOrder(isBigEndian)) swapBytes(own, unit);
  return own;
}
