// Element types of ONNX: one row each, with what they become in nabla and how their numbers are stored.

import { type DType, brainBits, brainValue, halfBits, halfValue } from '../../tensor/library.js';

export type ElementType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'bool'
  | 'string';

/** Numbers of one tensor on the host: 64-bit integers as Float64Array, exact to 2⁵³. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

interface Row {
  /** In TensorProto.DataType. */
  readonly code: number;
  /** Bytes of an element in raw data. */
  readonly bytes: number;
  readonly kind: 'float' | 'int' | 'bool' | 'string';
  /** What holds it on a device. */
  readonly dtype: DType;
  /** The smallest and the largest integer. */
  readonly range?: readonly [low: number, high: number];
  /** Where a list of ints holds what raw data hold too. */
  readonly list: 'floats' | 'ints32' | 'ints64' | 'doubles' | 'uints64' | 'strings';
  /** Reads an element of raw data. */
  readonly read: (view: DataView, at: number) => number;
  /** Writes one at the beginning. */
  readonly write: (view: DataView, value: number) => void;
  readonly allocate: (length: number) => Numbers;
}

const float32s = (n: number): Numbers => new Float32Array(n);
const float64s = (n: number): Numbers => new Float64Array(n);
const int32s = (n: number): Numbers => new Int32Array(n);
const uint8s = (n: number): Numbers => new Uint8Array(n);

const ROWS: Readonly<Record<ElementType, Row>> = {
  float32: {
    code: 1,
    bytes: 4,
    kind: 'float',
    dtype: 'float32',
    list: 'floats',
    read: (v, at) => v.getFloat32(at, true),
    write: (v, x) => v.setFloat32(0, x, true),
    allocate: float32s,
  },
  uint8: {
    code: 2,
    bytes: 1,
    kind: 'int',
    dtype: 'uint8',
    range: [0, 255],
    list: 'ints32',
    read: (v, at) => v.getUint8(at),
    write: (v, x) => v.setUint8(0, x),
    allocate: uint8s,
  },
  int8: {
    code: 3,
    bytes: 1,
    kind: 'int',
    dtype: 'int32',
    range: [-128, 127],
    list: 'ints32',
    read: (v, at) => v.getInt8(at),
    write: (v, x) => v.setInt8(0, x),
    allocate: int32s,
  },
  uint16: {
    code: 4,
    bytes: 2,
    kind: 'int',
    dtype: 'int32',
    range: [0, 65535],
    list: 'ints32',
    read: (v, at) => v.getUint16(at, true),
    write: (v, x) => v.setUint16(0, x, true),
    allocate: int32s,
  },
  int16: {
    code: 5,
    bytes: 2,
    kind: 'int',
    dtype: 'int32',
    range: [-32768, 32767],
    list: 'ints32',
    read: (v, at) => v.getInt16(at, true),
    write: (v, x) => v.setInt16(0, x, true),
    allocate: int32s,
  },
  int32: {
    code: 6,
    bytes: 4,
    kind: 'int',
    dtype: 'int32',
    range: [-0x80000000, 0x7fffffff],
    list: 'ints32',
    read: (v, at) => v.getInt32(at, true),
    write: (v, x) => v.setInt32(0, x, true),
    allocate: int32s,
  },
  int64: {
    code: 7,
    bytes: 8,
    kind: 'int',
    dtype: 'int32',
    range: [-(2 ** 63), 2 ** 63],
    list: 'ints64',
    read: (v, at) => v.getUint32(at, true) + v.getInt32(at + 4, true) * 2 ** 32,
    write: (v, x) => v.setBigInt64(0, BigInt(x), true),
    allocate: float64s,
  },
  string: {
    code: 8,
    bytes: 0,
    kind: 'string',
    dtype: 'int32',
    list: 'strings',
    read: () => 0,
    write: () => {},
    allocate: uint8s,
  },
  bool: {
    code: 9,
    bytes: 1,
    kind: 'bool',
    dtype: 'bool',
    list: 'ints32',
    read: (v, at) => (v.getUint8(at) === 0 ? 0 : 1),
    write: (v, x) => v.setUint8(0, x),
    allocate: uint8s,
  },
  float16: {
    code: 10,
    bytes: 2,
    kind: 'float',
    dtype: 'float16',
    list: 'ints32',
    read: (v, at) => halfValue(v.getUint16(at, true)),
    write: (v, x) => v.setUint16(0, halfBits(x), true),
    allocate: float32s,
  },
  float64: {
    code: 11,
    bytes: 8,
    kind: 'float',
    dtype: 'float64',
    list: 'doubles',
    read: (v, at) => v.getFloat64(at, true),
    write: (v, x) => v.setFloat64(0, x, true),
    allocate: float64s,
  },
  uint32: {
    code: 12,
    bytes: 4,
    kind: 'int',
    dtype: 'int32',
    range: [0, 0xffffffff],
    list: 'uints64',
    read: (v, at) => v.getUint32(at, true),
    write: (v, x) => v.setUint32(0, x, true),
    allocate: float64s,
  },
  uint64: {
    code: 13,
    bytes: 8,
    kind: 'int',
    dtype: 'int32',
    range: [0, 2 ** 64],
    list: 'uints64',
    read: (v, at) => v.getUint32(at, true) + v.getUint32(at + 4, true) * 2 ** 32,
    write: (v, x) => v.setBigUint64(0, BigInt(x), true),
    allocate: float64s,
  },
  bfloat16: {
    code: 16,
    bytes: 2,
    kind: 'float',
    dtype: 'bfloat16',
    list: 'ints32',
    read: (v, at) => brainValue(v.getUint16(at, true)),
    write: (v, x) => v.setUint16(0, brainBits(x), true),
    allocate: float32s,
  },
};

/** Those that nabla has not, for messages. */
const OTHERS: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

const BY_CODE = new Map(Object.entries(ROWS).map(([name, { code }]) => [code, name as ElementType]));

/** By its number in a file; undefined for one that nabla has not. */
export const elementTypeOf = (code: number): ElementType | undefined => BY_CODE.get(code);

/** The name of a number, known or not. */
export const elementTypeName = (code: number): string => BY_CODE.get(code) ?? OTHERS[code] ?? `type ${code}`;

export const rowOf = (type: ElementType): Row => ROWS[type];
export const isFloatType = (type: ElementType): boolean => ROWS[type].kind === 'float';
export const isIntType = (type: ElementType): boolean => ROWS[type].kind === 'int';

/** The element type that holds what a device has in a dtype, where nothing else says it. */
export function typeOfDType(dtype: DType): ElementType {
  return dtype === 'int32' ? 'int64' : dtype;
}

/** A number as a value of the type: rounded, cut or wrapped. */
export function rounded(value: number, type: ElementType): number {
  switch (type) {
    case 'float32':
      return Math.fround(value);
    case 'float64':
    case 'string':
      return value;
    case 'float16':
      return halfValue(halfBits(value));
    case 'bfloat16':
      return brainValue(brainBits(value));
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return wrapped(Math.trunc(value), type);
  }
}

function wrapped(value: number, type: ElementType): number {
  const [low, high] = ROWS[type].range as readonly [number, number];
  if (value >= low && value <= high) return value;
  if (Number.isNaN(value)) return 0;
  if (type === 'int64' || type === 'uint64') return value < low ? low : high;
  const count = high - low + 1;
  return low + ((((value - low) % count) + count) % count);
}
