// Parts of a tensor: slice, select, indexSelect, and oneHot, which goes the other way.
//   A shape, a dimension and bounds in, the new shape out. Guard of the dimension: `DimArg`.
// Bounds are never an error: like JavaScript's slice they are clamped; what cannot be followed is `number`.
// Must not know: where the values lie.

import type { Add, Divide, IsNatural, Subtract } from './arithmetic.js';
import type { Axis, RemoveAxis, ReplaceAxis } from './axis.js';
import type { Forget, HasRank, Shape } from './shape.js';

/** `x[..., start:end:step, ...]` along Dim; negative bounds count from the end, an `undefined` End is the size. */
export type Slice<
  S extends Shape,
  Dim extends number,
  Start extends number = 0,
  End extends number | undefined = undefined,
  Step extends number = 1,
> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A
      ? number extends A
        ? Forget<S>
        : A extends keyof S & number
          ? ReplaceAxis<S, A, SliceSize<S[A], Start, End, Step>>
          : Forget<S>
      : Forget<S>
    : number[];

/** Ceil((end - start) / step), not below 0. */
type SliceSize<N extends number, Start extends number, End, Step extends number> =
  IsNatural<N> extends true
    ? Step extends 0
      ? number
      : Span<Bound<N, Start>, Bound<N, End extends number ? End : N>> extends infer Length extends number
        ? Divide<Length, Step> extends [infer Whole extends number, infer Rest extends number]
          ? number extends Rest
            ? number
            : Rest extends 0
              ? Whole
              : Add<Whole, 1>
          : number
        : number
    : number;

type Span<From extends number, To extends number> = Subtract<To, From> extends infer Length extends number ? Length : 0;

/** A bound counted from the front and clamped to 0 … N. */
type Bound<N extends number, B extends number> =
  IsNatural<B> extends true
    ? Subtract<N, B> extends 'negative'
      ? N
      : B
    : number extends B
      ? number
      : `${B}` extends `-${infer FromEnd extends number}`
        ? Subtract<N, FromEnd> extends infer FromFront extends number
          ? FromFront
          : 0
        : number;

/** S without dimension Dim: one index of it is chosen. */
export type Select<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A
      ? number extends A
        ? Forget<RemoveAxis<S, 0>>
        : A extends number
          ? RemoveAxis<S, A>
          : number[]
      : number[]
    : number[];

/** S with dimension Dim as long as the list of indices, which has shape [n]. */
export type IndexSelect<S extends Shape, Dim extends number, Index extends Shape> = Resize<
  S,
  Dim,
  Index extends readonly [infer N extends number] ? N : number
>;

/** S with dimension Dim of size N. */
export type Resize<S extends Shape, Dim extends number, N extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A
      ? number extends A
        ? Forget<S>
        : A extends number
          ? ReplaceAxis<S, A, N>
          : Forget<S>
      : number[]
    : number[];

/** Class numbers of shape S as vectors of `Classes` zeros and a one. */
export type OneHot<S extends Shape, Classes extends number> = [...S, Classes];
