// WebAssembly's binary encoding of the instructions that the emitter uses. Vector instructions carry prefix 0xfd,
// saturating conversions 0xfc, atomics 0xfe.

import type { ElementType } from '../../loop/loop.js';
import { leb } from './assembler.js';

const simd = (code: number): readonly number[] => [0xfd, ...leb(code)];

export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export const EMPTY_BLOCK = 0x40;

export const CODE = {
  block: [0x02],
  loop: [0x03],
  if: [0x04],
  else: [0x05],
  end: [0x0b],
  br: [0x0c],
  brIf: [0x0d],
  brTable: [0x0e],
  return: [0x0f],
  call: [0x10],
  select: [0x1b],
  get: [0x20],
  set: [0x21],
  tee: [0x22],
  i32Load: [0x28],
  f32Load: [0x2a],
  f64Load: [0x2b],
  i32Const: [0x41],
  i32Eqz: [0x45],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  i32Mul: [0x6c],
  i32And: [0x71],
  i32Shl: [0x74],
  i32Eq: [0x46],
  i32LtS: [0x48],
  i32GeS: [0x4e],
  i32LtU: [0x49],
  i64ExtendI32: [0xac],
  v128Const: simd(12),
  shuffle: simd(13),
  andnot: simd(79),
  bitselect: simd(82),
  anyTrue: simd(83),
} as const;

type Lane = 'f32' | 'f64' | 'i32' | 'i64';

/** Loads and stores: one element, a whole vector, half of one, and one element in every lane. */
export const MEMORY: Readonly<Record<ElementType, { load: readonly number[]; store: readonly number[] }>> = {
  f32: { load: CODE.f32Load, store: [0x38] },
  f64: { load: CODE.f64Load, store: [0x39] },
  i32: { load: CODE.i32Load, store: [0x36] },
  u8: { load: [0x2d], store: [0x3a] },
  u16: { load: [0x2f], store: [0x3b] },
};
export const VECTOR_MEMORY = {
  load: simd(0),
  store: simd(11),
  loadHalf: simd(93),
  /** Needs the number of the 64-bit lane after the address. */
  storeHalf: simd(91),
  loadQuarter: simd(92),
  storeQuarter: simd(90),
  storeEighth: simd(89),
} as const;
/** Bytes to words and words to 32 bits, without a sign, of the lower half; and back. */
export const WIDEN = { u8: simd(137), u16: simd(169) } as const;
export const NARROW = { u8: simd(102), u16: simd(134) } as const;
export const LOAD_SPLAT = { 4: simd(9), 8: simd(10) } as const;

/** What a type of lane needs besides its arithmetic. */
export const LANE: Readonly<
  Record<Lane, Readonly<Record<'const' | 'splat' | 'extract' | 'replace', readonly number[]>>>
> = {
  f32: { const: [0x43], splat: simd(19), extract: simd(31), replace: simd(32) },
  f64: { const: [0x44], splat: simd(20), extract: simd(33), replace: simd(34) },
  i32: { const: CODE.i32Const, splat: simd(17), extract: simd(27), replace: simd(28) },
  i64: { const: [0x42], splat: simd(18), extract: simd(29), replace: simd(30) },
};
/** a < b ? a : b, b < a ? b : a, and a · b + c rounded once where the engine can, on vectors of floats. */
export const FLOAT_VECTOR = {
  f32: { pmin: simd(234), pmax: simd(235), relaxedMadd: simd(0x105) },
  f64: { pmin: simd(246), pmax: simd(247), relaxedMadd: simd(0x107) },
} as const;

/** A rule table row: scalar and vector encodings of one operation; undefined where there is none. */
export interface Encoding {
  readonly scalar: readonly number[] | undefined;
  readonly vector: readonly number[] | undefined;
}

const both = (scalar: number, vector: number): Encoding => ({ scalar: [scalar], vector: simd(vector) });
const scalarOnly = (scalar: number): Encoding => ({ scalar: [scalar], vector: undefined });
const vectorOnly = (vector: number): Encoding => ({ scalar: undefined, vector: simd(vector) });

type Table = Readonly<Record<string, Encoding>>;

export const UNARY: Readonly<Record<Lane, Table>> = {
  f32: {
    neg: both(0x8c, 225),
    abs: both(0x8b, 224),
    sqrt: both(0x91, 227),
    floor: both(0x8e, 104),
    ceil: both(0x8d, 103),
    trunc: both(0x8f, 105),
    nearest: both(0x90, 106),
  },
  f64: {
    neg: both(0x9a, 237),
    abs: both(0x99, 236),
    sqrt: both(0x9f, 239),
    floor: both(0x9c, 117),
    ceil: both(0x9b, 116),
    trunc: both(0x9d, 122),
    nearest: both(0x9e, 148),
  },
  i32: { neg: vectorOnly(161), abs: vectorOnly(160), not: vectorOnly(77) },
  i64: { neg: vectorOnly(193), abs: vectorOnly(192), not: vectorOnly(77) },
};

const BITWISE = { and: 78, or: 80, xor: 81 } as const;

export const BINARY: Readonly<Record<Lane, Table>> = {
  f32: {
    add: both(0x92, 228),
    sub: both(0x93, 229),
    mul: both(0x94, 230),
    div: both(0x95, 231),
    part: both(0x95, 231),
    min: both(0x96, 232),
    max: both(0x97, 233),
  },
  f64: {
    add: both(0xa0, 240),
    sub: both(0xa1, 241),
    mul: both(0xa2, 242),
    div: both(0xa3, 243),
    part: both(0xa3, 243),
    min: both(0xa4, 244),
    max: both(0xa5, 245),
  },
  i32: {
    add: both(0x6a, 174),
    sub: both(0x6b, 177),
    mul: both(0x6c, 181),
    min: vectorOnly(182),
    max: vectorOnly(184),
    and: both(0x71, BITWISE.and),
    or: both(0x72, BITWISE.or),
    xor: both(0x73, BITWISE.xor),
    shl: both(0x74, 171),
    shrs: both(0x75, 172),
    shru: both(0x76, 173),
    divs: scalarOnly(0x6d),
    divu: scalarOnly(0x6e),
    rems: scalarOnly(0x6f),
    remu: scalarOnly(0x70),
  },
  i64: {
    add: both(0x7c, 206),
    sub: both(0x7d, 209),
    mul: both(0x7e, 213),
    and: both(0x83, BITWISE.and),
    or: both(0x84, BITWISE.or),
    xor: both(0x85, BITWISE.xor),
    shl: both(0x86, 203),
    shrs: both(0x87, 204),
    shru: both(0x88, 205),
  },
};

export const COMPARE: Readonly<Record<Lane, Table>> = {
  f32: { eq: both(0x5b, 65), ne: both(0x5c, 66), lt: both(0x5d, 67), le: both(0x5f, 69) },
  f64: { eq: both(0x61, 71), ne: both(0x62, 72), lt: both(0x63, 73), le: both(0x65, 75) },
  i32: { eq: both(0x46, 55), ne: both(0x47, 56), lt: both(0x48, 57), le: both(0x4c, 61), ltu: both(0x49, 58) },
  i64: { eq: both(0x51, 214), ne: both(0x52, 215), lt: both(0x53, 216), le: both(0x57, 218) },
};

/** Conversions to lanes of another width are of two lanes: the lower half of a vector of narrow ones. */
export const CONVERT: Table = {
  'i32.f32': both(0xb2, 250),
  'f32.i32': { scalar: [0xfc, 0x00], vector: simd(248) },
  'i32.f64': both(0xb7, 254),
  'f64.i32': { scalar: [0xfc, 0x02], vector: simd(252) },
  'f32.f64': both(0xbb, 95),
  'f64.f32': both(0xb6, 94),
  'bits.f32.i32': { scalar: [0xbc], vector: [] },
  'bits.i32.f32': { scalar: [0xbe], vector: [] },
  'bits.f64.i64': { scalar: [0xbd], vector: [] },
  'bits.i64.f64': { scalar: [0xbf], vector: [] },
  'bool.i32': { scalar: [], vector: [] },
  'bool.bool64': { scalar: [], vector: simd(199) },
  'bool64.bool': { scalar: [], vector: undefined }, // a shuffle
};
