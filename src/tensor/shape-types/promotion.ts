// The dtypes of results, as types: PyTorch's promotion of two operands, and what operators make of one. The same at run time: promote
// (engine/ir/dtype.ts).

import type { DType } from '../../engine/ir/dtype.js';

/** The dtype of a result computed from both. */
export type Promoted<A extends DType, B extends DType> = [A] extends ['float64']
  ? A
  : [B] extends ['float64']
    ? B
    : 'float32' extends A | B
      ? 'float32'
      : PromotedNarrow<A, B>;
type Half = 'float16' | 'bfloat16';
/** Of neither float32 nor float64. */
type PromotedNarrow<A extends DType, B extends DType> = [A] extends [Half]
  ? [B] extends [Half]
    ? [A] extends [B]
      ? A
      : 'float32'
    : A
  : [B] extends [Half]
    ? B
    : 'int32' extends A | B
      ? 'int32'
      : 'uint8' extends A | B
        ? 'uint8'
        : 'bool';
/** Real numbers: integers and truth values become float32, and what is not known counts as that. */
export type Real<D extends DType> = [D] extends ['float64' | Half] ? D : 'float32';
/** Arithmetic on truth values counts them. */
export type Counted<D extends DType> = D extends 'bool' ? 'int32' : D;
/** What sums of it are. */
export type Summed<D extends DType> = D extends 'bool' | 'uint8' ? 'int32' : D;
