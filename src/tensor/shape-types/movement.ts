// Dimensions that change place, appear or vanish: permute, transpose, unsqueeze, squeeze.
//   A shape and dimensions in, the new shape or a guard out.
// Must not know: strides or views; sizes themselves never change here.

import type { Axis, DimArg, InsertAxis, Longer, RemoveAxis, ReplaceAxis } from './axis.js';
import type { Guard, Forget, HasRank, Shape, ShapeError, ShapeText } from './shape.js';

/** Dimension i of the result is dimension `Order[i]` of S. */
export type Permute<S extends Shape, Order extends readonly number[]> =
  HasRank<S> extends true ? (HasRank<Order> extends true ? Reorder<S, Order> : Forget<S>) : Forget<Order>;

type Reorder<S extends Shape, Order extends readonly number[]> = {
  -readonly [I in keyof Order]: SizeAt<S, Axis<S, Order[I] & number>>;
};

/** The size of an axis that `Axis` has found; `number` where it found none. */
type SizeAt<S extends Shape, A> = number extends A ? number : A extends keyof S ? S[A] & number : number;

export type PermuteArg<S extends Shape, Order extends readonly number[]> = Guard<
  HasRank<S> extends true
    ? HasRank<Order> extends true
      ? Order['length'] extends S['length']
        ? DimArg<'permute', S, Order>
        : ShapeError<`permute: ${ShapeText<S>} has ${S['length']} dimensions, ${ShapeText<Order>} lists ${Order['length']}`>
      : unknown
    : unknown
>;

/** S with dimensions A and B exchanged. Guard of each: `DimArg`. */
export type Transpose<S extends Shape, A extends number, B extends number> =
  HasRank<S> extends true ? Exchange<S, Axis<S, A>, Axis<S, B>> : number[];

type Exchange<S extends Shape, A, B> = S extends readonly []
  ? []
  : number extends A | B
    ? Forget<S>
    : A extends number
      ? B extends number
        ? ReplaceAxis<ReplaceAxis<S, A, SizeAt<S, A>>, A, SizeAt<S, B>> extends infer T extends Shape
          ? ReplaceAxis<T, B, SizeAt<S, A>>
          : number[]
        : Forget<S>
      : Forget<S>;

/** S with a dimension of size 1 at Dim. Guard: `NewDimArg`. */
export type Unsqueeze<S extends Shape, Dim extends number> =
  HasRank<S> extends true ? Insert<S, Axis<Longer<S>, Dim>, 1> : number[];

/** S with `Size` at axis A; where A is not known, all that is known is the rank. */
export type Insert<S extends Shape, A, Size extends number> = number extends A
  ? [number, ...Forget<S>]
  : A extends number
    ? InsertAxis<S, A, Size>
    : [number, ...Forget<S>];

/** S without dimension Dim if its size is 1, or without any dimension of size 1. Guard of Dim: `DimArg`. */
export type Squeeze<S extends Shape, Dim extends number | readonly number[] | undefined = undefined> =
  HasRank<S> extends true
    ? Dim extends readonly number[]
      ? number[]
      : Dim extends number
        ? SqueezeAxis<S, Axis<S, Dim>>
        : SqueezeAll<S>
    : number[];

type SqueezeAxis<S extends Shape, A> = S extends readonly []
  ? []
  : number extends A
    ? number[]
    : A extends keyof S & number
      ? [S[A]] extends [1]
        ? RemoveAxis<S, A>
        : 1 extends S[A]
          ? number[]
          : [...S]
      : number[];

type SqueezeAll<S extends Shape, Out extends number[] = []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? [N] extends [1]
    ? SqueezeAll<Rest, Out>
    : 1 extends N
      ? number[]
      : SqueezeAll<Rest, [...Out, N]>
  : Out;
