// What lanes are in WebAssembly: types of locals, bytes of constants, instructions for memory by their width.

import * as L from '../../loop/loop.js';
import type { ValueType } from '../../loop/loop.js';
import { f32Bytes, f64Bytes, i32Bytes, i64Bytes } from './assembler.js';
import { TYPE, VECTOR_MEMORY } from './opcodes.js';

export const ALIGN_4 = 2;
export const VECTOR_BYTES = 16;
/** By their bytes. */
export const VECTOR_LOADS: Readonly<Record<number, readonly number[]>> = {
  4: VECTOR_MEMORY.loadQuarter,
  8: VECTOR_MEMORY.loadHalf,
  16: VECTOR_MEMORY.load,
};
export const VECTOR_STORES: Readonly<Record<number, readonly number[]>> = {
  2: VECTOR_MEMORY.storeEighth,
  4: VECTOR_MEMORY.storeQuarter,
  8: VECTOR_MEMORY.storeHalf,
  16: VECTOR_MEMORY.store,
};

/** What addresses are known to be multiples of, as a power of two. */
export const alignment = (type: L.ElementType): number => Math.min(ALIGN_4, Math.log2(L.ELEMENT_BYTES[type]));

/** What lanes of a type are to the machine: truth values are integers. */
export function laneOf(type: ValueType): 'f32' | 'f64' | 'i32' | 'i64' {
  return type === 'bool' ? 'i32' : type === 'bool64' ? 'i64' : type;
}

export function wasmType(type: ValueType, lanes: number): number {
  return lanes > 1 ? TYPE.v128 : TYPE[laneOf(type)];
}

export const laneBytes = (type: ValueType): 4 | 8 => (L.isWide(type) ? 8 : 4);

/** The bytes of a constant in a lane: a truth value is all ones or all zeros. */
export function bytesOf(type: ValueType, value: number): number[] {
  switch (type) {
    case 'f32':
      return f32Bytes(value);
    case 'f64':
      return f64Bytes(value);
    case 'i32':
      return i32Bytes(value);
    case 'i64':
      return i64Bytes(value);
    case 'bool':
      return i32Bytes(value !== 0 ? -1 : 0);
    case 'bool64':
      return i64Bytes(value !== 0 ? -1 : 0);
  }
}

/** A whole vector of them: where there are fewer lanes, the first one again. */
export function vectorBytes(lanes: readonly number[][]): number[] {
  const bytes = lanes.flat();
  const [first] = lanes;
  return Array.from({ length: VECTOR_BYTES }, (_, i) => bytes[i] ?? first[i % first.length]);
}
