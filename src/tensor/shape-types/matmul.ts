// Matrix product of vectors, matrices and batches of matrices, as torch.matmul.
//   Two shapes in, the product's shape or the guard of the second argument out.
//   (…, M, K) x (…, K, N) → (…, M, N); a vector is a row on the left and a column on the right, and then vanishes.
// Must not know: how the product is computed.

import type { Align, Explain, Mismatch } from './broadcast.js';
import type { Guard, HasRank, Shape, ShapeError, ShapeText, SizesDiffer, SizeText } from './shape.js';

export type MatMul<A extends Shape, B extends Shape> =
  HasRank<A> extends true
    ? HasRank<B> extends true
      ? Split<A, 'left'> extends { batch: infer P extends Shape; outer: infer M extends number[] }
        ? Split<B, 'right'> extends { batch: infer Q extends Shape; outer: infer N extends number[] }
          ? [...Align<P, Q>, ...M, ...N]
          : number[]
        : number[]
      : number[]
    : number[];

/** Guard of the second argument. */
export type MatMulArg<A extends Shape, B extends Shape> = Guard<
  HasRank<A> extends true
    ? HasRank<B> extends true
      ? Split<A, 'left'> extends { batch: infer P extends Shape; inner: infer K extends number }
        ? Split<B, 'right'> extends { batch: infer Q extends Shape; inner: infer L extends number }
          ? SizesDiffer<K, L> extends true
            ? ShapeError<`${Where<A, B>}: inner dimensions ${SizeText<K>} and ${SizeText<L>} differ`>
            : Explain<Mismatch<P, Q>, Where<A, B>>
          : ShapeError<`${Where<A, B>}: both arguments need at least one dimension`>
        : ShapeError<`${Where<A, B>}: both arguments need at least one dimension`>
      : unknown
    : unknown
>;

type Where<A extends Shape, B extends Shape> = `matmul: ${ShapeText<A>} x ${ShapeText<B>}`;

/** The parts of an operand: batch sizes, the size that stays (none for a vector) and the size summed over. */
type Split<S extends Shape, Side extends 'left' | 'right'> = S extends readonly [infer K]
  ? { batch: []; outer: []; inner: K }
  : S extends readonly [...infer Batch extends Shape, infer Rows, infer Columns]
    ? Side extends 'left'
      ? { batch: Batch; outer: [Rows]; inner: Columns }
      : { batch: Batch; outer: [Columns]; inner: Rows }
    : undefined;
