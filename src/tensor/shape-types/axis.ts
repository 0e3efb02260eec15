// Dimensions given by number, negative ones counting from the end, and what is removed, replaced or inserted there.
//   A shape and a dimension in, the axis or a new shape out.
// A dimension known at run time only (`number`, a union) gives the axis `number`; what follows from that is the
// caller's decision.
// Must not know: what an operator does with an axis.

import type { Subtract } from './arithmetic.js';
import type { Guard, HasRank, IsUnion, Shape, ShapeError, ShapeText } from './shape.js';

/** `Dim` counted from the front, `number` where it is not one literal, or 'outside'. S has a rank. */
export type Axis<S extends Shape, Dim extends number> = number extends Dim
  ? number
  : IsUnion<Dim> extends true
    ? number
    : `${Dim}` extends keyof S
      ? Dim
      : `${Dim}` extends `-${infer FromEnd extends number}`
        ? Subtract<S['length'], FromEnd> extends infer A extends number
          ? A
          : 'outside'
        : 'outside';

/** The axes of a list as a union; `number` where one is not known, 'outside' where one does not exist. */
export type Axes<S extends Shape, Dims extends readonly number[], Found = never> = number extends Dims['length']
  ? number
  : Dims extends readonly [infer Dim extends number, ...infer Rest extends readonly number[]]
    ? Axis<S, Dim> extends infer A
      ? A extends 'outside'
        ? A
        : Axes<S, Rest, Found | A>
      : never
    : Found;

export type RemoveAxis<S extends Shape, A extends number, Head extends number[] = []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Head['length'] extends A
    ? [...Head, ...Rest]
    : RemoveAxis<Rest, A, [...Head, N]>
  : Head;

export type ReplaceAxis<S extends Shape, A extends number, Size extends number> = {
  -readonly [I in keyof S]: I extends `${A}` ? Size : S[I];
};

/** `Size` in front of axis A; at the end where A is the rank. */
export type InsertAxis<
  S extends Shape,
  A extends number,
  Size extends number,
  Head extends number[] = [],
> = Head['length'] extends A
  ? [...Head, Size, ...S]
  : S extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? InsertAxis<Rest, A, Size, [...Head, N]>
    : Head;

/** The first `Count` sizes. */
export type Take<S extends Shape, Count extends number, Taken extends number[] = []> = Taken['length'] extends Count
  ? Taken
  : S extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? Take<Rest, Count, [...Taken, N]>
    : Taken;

/** All but the first `Count` sizes. */
export type Drop<
  S extends Shape,
  Count extends number,
  Dropped extends unknown[] = [],
> = Dropped['length'] extends Count
  ? [...S]
  : S extends readonly [number, ...infer Rest extends Shape]
    ? Drop<Rest, Count, [...Dropped, 0]>
    : [];

// ---------------------------------------------------------------- arguments

/** Guard of one dimension or a list of them: `unknown`, or the `ShapeError` of the first that does not exist. */
export type DimArg<Op extends string, S extends Shape, Dim extends number | readonly number[] | undefined> = Guard<
  HasRank<S> extends true
    ? Dim extends number
      ? DimsArg<Op, S, [Dim]>
      : Dim extends readonly number[]
        ? DimsArg<Op, S, Dim>
        : unknown
    : unknown
>;

type DimsArg<
  Op extends string,
  S extends Shape,
  Dims extends readonly number[],
  Found = never,
> = Dims extends readonly [infer Dim extends number, ...infer Rest extends readonly number[]]
  ? ScalarOr<S, Axis<S, Dim>, Dim> extends infer A
    ? A extends 'outside'
      ? ShapeError<OutOfRange<Op, S, Dim>>
      : number extends A
        ? DimsArg<Op, S, Rest, Found>
        : A extends Found
          ? ShapeError<`${Op}: dimension ${A & number} is listed twice.`>
          : DimsArg<Op, S, Rest, Found | A>
    : unknown
  : unknown;

/** A tensor of rank 0 has dimension 0, as in PyTorch. */
type ScalarOr<S extends Shape, A, Dim extends number> = S extends readonly [] ? (Dim extends 0 | -1 ? 0 : A) : A;

export type OutOfRange<
  Op extends string,
  S extends Shape,
  Dim extends number,
> = `${Op}: dimension ${Dim} is out of range for a tensor of rank ${S['length']}. ${Range<S>}`;

type Range<S extends Shape> = S extends readonly [number, ...infer Rest]
  ? `Use -${S['length']} to ${Rest['length']}.`
  : 'Use -1 to 0.';

/** S with room for one more dimension. */
export type Longer<S extends Shape> = [...S, 1];

/** Guard of the place of a new dimension: there is one place more than there are dimensions. */
export type NewDimArg<Op extends string, S extends Shape, Dim extends number> = Guard<
  HasRank<S> extends true
    ? Axis<Longer<S>, Dim> extends 'outside'
      ? ShapeError<`${Op}: dimension ${Dim} is out of range for a new dimension of ${ShapeText<S>}. Use -${Longer<S>['length']} to ${S['length']}.`>
      : unknown
    : unknown
>;
