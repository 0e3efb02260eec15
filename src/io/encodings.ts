// How numbers are stored in files, by safetensors' names: bytes → a number of one of our dtypes. One row each.

import { type DType, brainBits, brainValue, halfBits, halfValue } from '../tensor/library.js';

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
  F16: { ...float(2, (view, at) => halfValue(view.getUint16(at, true))), dtype: 'float16' },
  BF16: { ...float(2, (view, at) => brainValue(view.getUint16(at, true))), dtype: 'bfloat16' },
  I64: integer(8, (view, at) => fitting(view.getBigInt64(at, true))),
  I32: integer(4, (view, at) => view.getInt32(at, true)),
  I16: integer(2, (view, at) => view.getInt16(at, true)),
  I8: integer(1, (view, at) => view.getInt8(at)),
  U16: integer(2, (view, at) => view.getUint16(at, true)),
  U8: { bytes: 1, dtype: 'uint8', allocate: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
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

type Write = (view: DataView, at: number, value: number) => void;

/** How a dtype is written: its name, and one element. */
export const WRITTEN: Readonly<Record<DType, readonly [name: string, write: Write]>> = {
  float32: ['F32', (view, at, value) => view.setFloat32(at, value, true)],
  float64: ['F64', (view, at, value) => view.setFloat64(at, value, true)],
  float16: ['F16', (view, at, value) => view.setUint16(at, halfBits(value), true)],
  bfloat16: ['BF16', (view, at, value) => view.setUint16(at, brainBits(value), true)],
  int32: ['I32', (view, at, value) => view.setInt32(at, value, true)],
  uint8: ['U8', (view, at, value) => view.setUint8(at, value)],
  bool: ['BOOL', (view, at, value) => view.setUint8(at, value === 0 ? 0 : 1)],
};
