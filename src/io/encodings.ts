// How numbers are stored in files, by safetensors' names: bytes → a number of one of our dtypes. One row each.

import { type StoredDType, quarterValue } from './stored-dtype.js';
import { type DType, brainBits, brainValue, halfBits, halfValue } from '../tensor/library.js';

export interface Encoding {
  /** PyTorch's name. */
  readonly stored: StoredDType;
  /** Bytes of an element in the file. */
  readonly bytes: number;
  /** What it becomes here. */
  readonly dtype: DType;
  readonly allocate: (length: number) => Float32Array | Float64Array | Int32Array | Uint8Array;
  /** The element at an offset; undefined where the dtype cannot hold it. */
  readonly read: (view: DataView, at: number) => number | undefined;
}

type Read = Encoding['read'];

const float = (stored: StoredDType, bytes: number, read: Read): Encoding => ({
  stored,
  bytes,
  dtype: 'float32',
  allocate: (n) => new Float32Array(n),
  read,
});
const integer = (stored: StoredDType, bytes: number, read: Read): Encoding => ({
  stored,
  bytes,
  dtype: 'int32',
  allocate: (n) => new Int32Array(n),
  read,
});

export const ENCODINGS: Readonly<Record<string, Encoding>> = {
  F64: {
    stored: 'float64',
    bytes: 8,
    dtype: 'float64',
    allocate: (n) => new Float64Array(n),
    read: (view, at) => view.getFloat64(at, true),
  },
  F32: float('float32', 4, (view, at) => view.getFloat32(at, true)),
  F16: { ...float('float16', 2, (view, at) => halfValue(view.getUint16(at, true))), dtype: 'float16' },
  BF16: { ...float('bfloat16', 2, (view, at) => brainValue(view.getUint16(at, true))), dtype: 'bfloat16' },
  I64: integer('int64', 8, (view, at) => fitting(view.getBigInt64(at, true))),
  I32: integer('int32', 4, (view, at) => view.getInt32(at, true)),
  I16: integer('int16', 2, (view, at) => view.getInt16(at, true)),
  I8: integer('int8', 1, (view, at) => view.getInt8(at)),
  U64: integer('uint64', 8, (view, at) => fitting(view.getBigUint64(at, true))),
  U32: integer('uint32', 4, (view, at) => fitting(BigInt(view.getUint32(at, true)))),
  U16: integer('uint16', 2, (view, at) => view.getUint16(at, true)),
  U8: {
    stored: 'uint8',
    bytes: 1,
    dtype: 'uint8',
    allocate: (n) => new Uint8Array(n),
    read: (view, at) => view.getUint8(at),
  },
  BOOL: {
    stored: 'bool',
    bytes: 1,
    dtype: 'bool',
    allocate: (n) => new Uint8Array(n),
    read: (view, at) => (view.getUint8(at) <= 1 ? view.getUint8(at) : undefined),
  },
  // There is no such dtype here: only stored tensors have it.
  C64: float('complex64', 8, () => undefined),
  F8_E4M3: float('float8_e4m3fn', 1, (view, at) => quarterValue(view.getUint8(at))),
  F8_E5M2: float('float8_e5m2', 1, (view, at) => halfValue(view.getUint8(at) << 8)),
};

/** The names under which stored tensors are written. */
export const STORED_NAMES: Readonly<Partial<Record<StoredDType, string>>> = Object.fromEntries(
  Object.entries(ENCODINGS).map(([name, { stored }]) => [stored, name]),
);

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
