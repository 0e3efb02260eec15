// Losses of classes: what goes with scores [N, C] or [N, C, …].
//   Two shapes in, the guard of the second argument out.
// Must not know: what a loss computes.

import type { Guard, HasRank, Shape, ShapeError, ShapesAgree, ShapeText } from './shape.js';

/** The scores' shape without the classes, which are dimension 1. */
type Unclassed<S extends Shape> = S extends readonly [infer N extends number, number, ...infer Rest extends Shape]
  ? [N, ...Rest]
  : Shape;

/** Guard of labels, a number for each sample and position. */
export type LabelsArg<Op extends string, S extends Shape, T extends Shape> = Guard<
  HasRank<S> extends true
    ? ShapesAgree<Unclassed<S>, T> extends true
      ? unknown
      : ShapeError<`${Op}: labels ${ShapeText<T>} do not fit ${ShapeText<S>}: needs ${ShapeText<Unclassed<S>>}`>
    : unknown
>;

/** Guard of labels, or of a probability for each class. */
export type TargetArg<Op extends string, S extends Shape, T extends Shape> = Guard<
  HasRank<S> extends true
    ? ShapesAgree<Unclassed<S>, T> extends true
      ? unknown
      : ShapesAgree<S, T> extends true
        ? unknown
        : ShapeError<`${Op}: labels ${ShapeText<T>} do not fit ${ShapeText<S>}: needs ${ShapeText<Unclassed<S>>}`>
    : unknown
>;
