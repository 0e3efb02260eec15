// The same elements in other sizes: reshape (with -1 for the size that follows from the others), flatten.
//   A shape and the sizes asked for in, the new shape or a guard out.
// Must not know: memory order.

import type { Divide, Multiply } from './arithmetic.js';
import type { Axis, DimArg, Drop, Take } from './axis.js';
import type { Guard, HasRank, Shape, ShapeError, ShapeText, SizeText } from './shape.js';

/** Number of elements; `number` where a size is not known. */
export type SizeOf<S extends Shape, Size extends number = 1> =
  HasRank<S> extends true
    ? S extends readonly [infer N extends number, ...infer Rest extends Shape]
      ? number extends Size
        ? number
        : SizeOf<Rest, Multiply<Size, N>>
      : Size
    : number;

// ---------------------------------------------------------------- reshape

export type Reshape<S extends Shape, To extends Shape> =
  HasRank<To> extends true ? FillIn<To, Divide<SizeOf<S>, SizeOf<Given<To>>>[0]> : number[];

/** The sizes of `To` apart from -1. */
type Given<To extends Shape, Out extends number[] = []> = To extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Given<Rest, [N] extends [-1] ? Out : [...Out, N]>
  : Out;

/** `To` with `Size` in place of -1. */
type FillIn<To extends Shape, Size extends number> = {
  -readonly [I in keyof To]: [To[I]] extends [-1] ? Size : -1 extends To[I] ? number : To[I];
};

export type ReshapeArg<S extends Shape, To extends Shape> = Guard<
  HasRank<To> extends true ? CompareSizes<S, To, Given<To>, SizeOf<S>, SizeOf<Given<To>>> : unknown
>;

type CompareSizes<
  S extends Shape,
  To extends Shape,
  Known extends Shape,
  Has extends number,
  Asked extends number,
> = To['length'] extends Known['length']
  ? number extends Has | Asked
    ? unknown
    : Has extends Asked
      ? unknown
      : ShapeError<`reshape: ${ShapeText<S>} has ${SizeText<Has>} elements, ${ShapeText<To>} has ${SizeText<Asked>}`>
  : [...Known, -1]['length'] extends To['length']
    ? Divide<Has, Asked>[1] extends infer Rest extends number
      ? number extends Rest
        ? unknown
        : Rest extends 0
          ? unknown
          : ShapeError<`reshape: ${ShapeText<S>} has ${SizeText<Has>} elements, ${ShapeText<To>} takes a multiple of ${SizeText<Asked>}`>
      : unknown
    : ShapeError<`reshape: ${ShapeText<To>} has more than one -1`>;

// ---------------------------------------------------------------- flatten

/** Dimensions Start to End, both included, made one. */
export type Flatten<S extends Shape, Start extends number = 0, End extends number = -1> =
  HasRank<S> extends true
    ? S extends readonly []
      ? [1]
      : Join<S, Axis<S, Start>, Axis<S, End>>
    : End extends -1
      ? FlattenTail<Start>
      : number[];

/** A rank is unknown, but the dimensions before Start stay and all others become one. */
type FlattenTail<Start extends number> = number extends Start
  ? number[]
  : Start extends 0
    ? [number]
    : Start extends 1
      ? [number, number]
      : Start extends 2
        ? [number, number, number]
        : number[];

type Join<S extends Shape, A, B> = number extends A | B
  ? number[]
  : A extends number
    ? B extends number
      ? [...Take<S, A>, SizeOf<Drop<[...Take<S, B>, S[B]], A>>, ...Drop<Drop<S, B>, 1>]
      : number[]
    : number[];

/** Guard of both dimensions together, to be put on either. */
export type FlattenArg<S extends Shape, Start extends number, End extends number = -1> = Guard<
  unknown extends DimArg<'flatten', S, Start>
    ? unknown extends DimArg<'flatten', S, End>
      ? Ordered<S, Axis<S, Start>, Axis<S, End>>
      : DimArg<'flatten', S, End>
    : DimArg<'flatten', S, Start>
>;

type Ordered<S extends Shape, A, B> =
  HasRank<S> extends true
    ? S extends readonly []
      ? unknown
      : number extends A | B
        ? unknown
        : A extends number
          ? B extends number
            ? Drop<[...Take<S, B>, 1], A> extends []
              ? ShapeError<`flatten: start dimension ${A} comes after end dimension ${B}`>
              : unknown
            : unknown
          : unknown
    : unknown;
