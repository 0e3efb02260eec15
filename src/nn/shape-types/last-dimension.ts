// Modules that change or normalise the last dimension: linear layers, embeddings, sequences.

import type { Divide, DivideFloor } from '../../tensor/shape-types/arithmetic.js';
import type { Axis, ReplaceAxis } from '../../tensor/shape-types/axis.js';
import type {
  Forget,
  Guard,
  HasRank,
  Shape,
  ShapeError,
  ShapeText,
  ShapesAgree,
  SizeText,
  SizesDiffer,
} from '../../tensor/shape-types/shape.js';
import type { In } from './input.js';
import type { ShapeFn } from './shape-fn.js';

/** (…, In) → (…, Out). */
export interface LinearFn<Features extends number, Out extends number, Name extends string = 'Linear'> extends ShapeFn {
  readonly accepts: [...number[], Features];
  readonly output: ReplaceLast<In<this>, Out>;
  readonly guard: LastArg<Name, In<this>, Features, 'inFeatures'>;
}

/** (…) → (…, Dim). */
export interface EmbeddingFn<Dim extends number> extends ShapeFn {
  readonly output: [...In<this>, Dim];
}

/** Layer and root-mean-square normalisation over the last dimension, or the last few; the shape stays. */
export interface LayerNormFn<
  Size extends number | Shape,
  Name extends string = 'LayerNorm',
  What extends string = 'normalizedShape',
> extends ShapeFn {
  readonly accepts: Size extends number ? [...number[], Size] : Size extends Shape ? [...number[], ...Size] : Shape;
  readonly output: In<this>;
  readonly guard: EndArg<Name, In<this>, Size, What>;
}

type EndArg<
  Name extends string,
  S extends Shape,
  Size extends number | Shape,
  What extends string,
> = Size extends number
  ? LastArg<Name, S, Size, What>
  : Size extends Shape
    ? HasRank<S> extends true
      ? EndsIn<S, Size> extends true
        ? unknown
        : ShapeError<`${Name}: input ${ShapeText<S>}: does not end in ${What} ${ShapeText<Size>}`>
      : unknown
    : unknown;

type EndsIn<S extends Shape, End extends Shape> =
  HasRank<End> extends true
    ? ShapesAgree<S, End> extends true
      ? true
      : S extends readonly [number, ...infer Rest extends Shape]
        ? EndsIn<Rest, End>
        : false
    : true;

/** A dimension of even size, the last one by default, becomes half as long. */
export interface GLUFn<Dim extends number = -1> extends ShapeFn {
  readonly output: Halved<In<this>, Dim>;
  readonly guard: HalvedArg<In<this>, Dim>;
}

type Halved<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A extends number
      ? number extends A
        ? Forget<S>
        : ReplaceAxis<S, A, DivideFloor<S[A], 2>>
      : number[]
    : number[];

type HalvedArg<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A
      ? A extends number
        ? number extends A
          ? unknown
          : Divide<S[A], 2>[1] extends 1
            ? ShapeError<`GLU: input ${ShapeText<S>}: dimension ${Dim} of size ${SizeText<S[A]>} has no halves`>
            : unknown
        : ShapeError<`GLU: input ${ShapeText<S>} has no dimension ${Dim}`>
      : unknown
    : unknown;

export type ReplaceLast<S extends Shape, Size extends number> = S extends readonly [
  ...infer Head extends Shape,
  unknown,
]
  ? [...Head, Size]
  : [...number[], Size];

/** The last size is compared even where the rank is unknown. */
export type LastArg<Name extends string, S extends Shape, Size extends number, What extends string> = Guard<
  S extends readonly [...Shape, infer Last extends number]
    ? SizesDiffer<Last, Size> extends true
      ? ShapeError<`${Name}: input ${ShapeText<S>}: last dimension ${SizeText<Last>} is not ${What} ${SizeText<Size>}`>
      : unknown
    : S extends readonly []
      ? ShapeError<`${Name}: input []: needs at least one dimension`>
      : unknown
>;

/** Guard of a recurrent network's input: a sequence, with a batch or without. */
export type SequenceArg<Name extends string, S extends Shape, Size extends number> = Guard<
  HasRank<S> extends true
    ? S['length'] extends 2 | 3
      ? LastArg<Name, S, Size, 'inputSize'>
      : ShapeError<`${Name}: input ${ShapeText<S>}: needs 2 or 3 dimensions`>
    : LastArg<Name, S, Size, 'inputSize'>
>;

/** Guard of a recurrent cell's input: one step, with a batch or without. */
export type StepArg<Name extends string, S extends Shape, Size extends number> = Guard<
  HasRank<S> extends true
    ? S['length'] extends 1 | 2
      ? LastArg<Name, S, Size, 'inputSize'>
      : ShapeError<`${Name}: input ${ShapeText<S>}: needs 1 or 2 dimensions`>
    : LastArg<Name, S, Size, 'inputSize'>
>;
