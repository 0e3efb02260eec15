// How numbers are stored in files, by safetensors' names: bytes → a number of one of our dtypes. One row each.

import type { DType } from '../tensor/library.js';

export interface Encoding {
  /** Bytes of an element in the file. */
  readonly bytes: number;
  /** What it becomes here. */
  readonly dtype: DType;
  readonly allocate: (length: number) => Float32Array | Float64Array | Int32Array | Uint8Array;
  /** The element at an offset; undefined where the dtype cannot hold it. */
  readonly read: (view: DataView, at: number) => number | undefined;
}

type Read = Encoding['read'];

const float = (bytes: number, read: Read): Encoding => ({
  bytes,
  dtype: 'float32',
  allocate: (n) => new Float32Array(n),
  read,
});
const integer = (bytes: number, read: Read): Encoding => ({
  bytes,
  dtype: 'int32',
  allocate: (n) => new Int32Array(n),
  read,
});

export const ENCODINGS: Readonly<Record<string, Encoding>> = {
  F64: {
    bytes: 8,
    dtype: 'float64',
    allocate: (n) => new Float64Array(n),
    read: (view, at) => view.getFloat64(at, true),
  },
  F32: float(4, (view, at) => view.getFloat32(at, true)),
  F16: float(2, (view, at) => half(view.getUint16(at, true))),
  BF16: float(2, (view, at) => brain(view.getUint16(at, true))),
  I64: integer(8, (view, at) => fitting(view.getBigInt64(at, true))),
  I32: integer(4, (view, at) => view.getInt32(at, true)),
  I16: integer(2, (view, at) => view.getInt16(at, true)),
  I8: integer(1, (view, at) => view.getInt8(at)),
  U16: integer(2, (view, at) => view.getUint16(at, true)),
  U8: integer(1, (view, at) => view.getUint8(at)),
  BOOL: {
    bytes: 1,
    dtype: 'bool',
    allocate: (n) => new Uint8Array(n),
    read: (view, at) => (view.getUint8(at) <= 1 ? view.getUint8(at) : undefined),
  },
};

function fitting(value: bigint): number | undefined {
  return BigInt.asIntN(32, value) === value ? Number(value) : undefined;
}

/** IEEE 754 half precision: 1 bit sign, 5 exponent, 10 fraction. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
export function brain(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
