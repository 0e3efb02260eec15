// What dtypes are in kernels: a row for each in every table.

import type { DType } from '../../../ir/dtype.js';
import * as L from '../../../loop/loop.js';
import type { ElementType, Expr } from '../../../loop/loop.js';
import type { Bind } from '../../../loop/math/math.js';
import * as narrow from '../../../loop/math/narrow.js';

/** What a value is while a kernel computes. */
export const VALUE_TYPE = {
  float32: 'f32',
  float64: 'f64',
  float16: 'f32',
  bfloat16: 'f32',
  int32: 'i32',
  uint8: 'i32',
  bool: 'bool',
} as const satisfies Record<DType, L.ValueType>;

/** What memory holds of it. */
const ELEMENT_TYPE: Record<DType, ElementType> = {
  float32: 'f32',
  float64: 'f64',
  float16: 'u16',
  bfloat16: 'u16',
  int32: 'i32',
  uint8: 'u8',
  bool: 'i32',
};
export const elementOf = (dtype: DType): ElementType => ELEMENT_TYPE[dtype];

type Change = (x: Expr, bind: Bind) => Expr;

/** From what memory holds to the value, where they differ. */
export const LOADED: Partial<Record<DType, Change>> = {
  bool: (x) => L.compare('ne', x, L.int(0)),
  float16: narrow.halfValue,
  bfloat16: narrow.brainValue,
};

/** From the value to what memory holds. */
export const STORED: Partial<Record<DType, Change>> = {
  bool: (x) => L.select(x, L.literal(1, 'i32', x.lanes), L.literal(0, 'i32', x.lanes)),
  float16: narrow.halfBits,
  bfloat16: narrow.brainBits,
};

/** What a value becomes that a dtype cannot hold: it is rounded, or wraps. */
export const FITTED: Partial<Record<DType, Change>> = {
  float16: (x, bind) => narrow.halfValue(bind('half', narrow.halfBits(x, bind)), bind),
  bfloat16: (x, bind) => narrow.brainValue(bind('brain', narrow.brainBits(x, bind))),
  uint8: (x) => L.binary('and', x, L.literal(255, 'i32', x.lanes)),
};
