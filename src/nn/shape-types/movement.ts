// Modules that move or rename dimensions.

import type { Axis, Drop, Take } from '../../tensor/shape-types/axis.js';
import type { Flatten, FlattenArg, Reshape, ReshapeArg } from '../../tensor/shape-types/reshape.js';
import type { HasRank, Shape, ShapeError, ShapeText, SizeText } from '../../tensor/shape-types/shape.js';
import type { In } from './input.js';
import type { ShapeFn } from './shape-fn.js';

/** Dimensions Start to End made one; the batch stays by default. */
export interface FlattenFn<Start extends number = 1, End extends number = -1> extends ShapeFn {
  readonly output: Flatten<In<this>, Start, End>;
  readonly guard: FlattenArg<In<this>, Start, End>;
}

/** Dimension Dim as several. */
export interface UnflattenFn<Dim extends number, Sizes extends Shape> extends ShapeFn {
  readonly output: Unflattened<In<this>, Axis<In<this>, Dim>, Sizes>;
  readonly guard: UnflattenArg<In<this>, Axis<In<this>, Dim>, Sizes>;
}

type Unflattened<S extends Shape, A, Sizes extends Shape> =
  HasRank<S> extends true
    ? number extends A
      ? number[]
      : A extends number
        ? [...Take<S, A>, ...Reshape<[S[A]], Sizes>, ...Drop<Drop<S, A>, 1>]
        : number[]
    : number[];

type UnflattenArg<S extends Shape, A, Sizes extends Shape> =
  HasRank<S> extends true
    ? number extends A
      ? unknown
      : A extends number
        ? unknown extends ReshapeArg<[S[A]], Sizes>
          ? unknown
          : ShapeError<`Unflatten: input ${ShapeText<S>}: dimension ${A} of size ${SizeText<S[A]>} is not ${ShapeText<Sizes>}`>
        : unknown
    : unknown;
