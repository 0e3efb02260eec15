// WebAssembly's binary encoding of the instructions that the emitter uses. Vector instructions carry prefix 0xfd,
// saturating conversions 0xfc, atomics 0xfe.

import { leb } from './assembler.js';

const simd = (code: number): readonly number[] => [0xfd, ...leb(code)];

export const TYPE = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
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
  i32Store: [0x36],
  f32Store: [0x38],
  i32Const: [0x41],
  f32Const: [0x43],
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
  v128Load: simd(0),
  v128Load32Splat: simd(9),
  v128Store: simd(11),
  v128Const: simd(12),
  shuffle: simd(13),
  i32x4Splat: simd(17),
  f32x4Splat: simd(19),
  i32x4Extract: simd(27),
  i32x4Replace: simd(28),
  f32x4Extract: simd(31),
  f32x4Replace: simd(32),
  andnot: simd(79),
  bitselect: simd(82),
  anyTrue: simd(83),
  pmin: simd(234),
  pmax: simd(235),
  relaxedMadd: simd(0x105),
  f32x4Mul: simd(230),
  f32x4Add: simd(228),
  f32Mul: [0x94],
  f32Add: [0x92],
} as const;

/** A rule table row: scalar and vector encodings of one operation; undefined where there is none. */
export interface Encoding {
  readonly scalar: readonly number[] | undefined;
  readonly vector: readonly number[] | undefined;
}

const both = (scalar: number, vector: number): Encoding => ({ scalar: [scalar], vector: simd(vector) });
const scalarOnly = (scalar: number): Encoding => ({ scalar: [scalar], vector: undefined });
const vectorOnly = (vector: number): Encoding => ({ scalar: undefined, vector: simd(vector) });

export const F32_UNARY = {
  neg: both(0x8c, 225),
  abs: both(0x8b, 224),
  sqrt: both(0x91, 227),
  floor: both(0x8e, 104),
  ceil: both(0x8d, 103),
  trunc: both(0x8f, 105),
  nearest: both(0x90, 106),
} as const;

export const I32_VECTOR_UNARY = { neg: vectorOnly(161), abs: vectorOnly(160), not: vectorOnly(77) } as const;

export const F32_BINARY = {
  add: both(0x92, 228),
  sub: both(0x93, 229),
  mul: both(0x94, 230),
  div: both(0x95, 231),
  part: both(0x95, 231),
  min: both(0x96, 232),
  max: both(0x97, 233),
} as const;

export const I32_BINARY = {
  add: both(0x6a, 174),
  sub: both(0x6b, 177),
  mul: both(0x6c, 181),
  min: vectorOnly(182),
  max: vectorOnly(184),
  and: both(0x71, 78),
  or: both(0x72, 80),
  xor: both(0x73, 81),
  shl: both(0x74, 171),
  shrs: both(0x75, 172),
  shru: both(0x76, 173),
  divs: scalarOnly(0x6d),
  divu: scalarOnly(0x6e),
  rems: scalarOnly(0x6f),
  remu: scalarOnly(0x70),
} as const;

export const F32_COMPARE = { eq: both(0x5b, 65), ne: both(0x5c, 66), lt: both(0x5d, 67), le: both(0x5f, 69) } as const;
export const I32_COMPARE = {
  eq: both(0x46, 55),
  ne: both(0x47, 56),
  lt: both(0x48, 57),
  le: both(0x4c, 61),
  ltu: both(0x49, 58),
} as const;

export const CONVERT = {
  'i32.f32': both(0xb2, 250),
  'f32.i32': { scalar: [0xfc, 0x00], vector: simd(248) },
  'bits.f32.i32': { scalar: [0xbc], vector: [] },
  'bits.i32.f32': { scalar: [0xbe], vector: [] },
} as const;
