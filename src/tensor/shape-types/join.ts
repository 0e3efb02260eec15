// Several tensors made one: cat along a dimension, stack along a new one.
//   A list of shapes and a dimension in, the joined shape or the guard of the list out.
// A list whose length is unknown (`[2, 3][]`) gives an unknown size where its members are counted.
// Must not know: tensors, but for what `ShapesOf` reads of them.

import type { Add } from './arithmetic.js';
import type { Axis, DimArg, Longer, NewDimArg, ReplaceAxis } from './axis.js';
import type { Insert } from './movement.js';
import type { Guard, Forget, HasRank, Mutable, Shape, ShapeError, ShapeIn, ShapesAgree, ShapeText } from './shape.js';

/** The shapes of a list of tensors. */
export type ShapesOf<Tensors extends readonly unknown[]> = {
  -readonly [I in keyof Tensors]: ShapeIn<Tensors[I]>;
};

type Shapes = readonly Shape[];

// ---------------------------------------------------------------- cat

export type Concat<Parts extends Shapes, Dim extends number = 0> = number extends Parts['length']
  ? ConcatMany<Parts[number], Dim>
  : Parts extends readonly [infer First extends Shape, ...infer Rest extends Shapes]
    ? HasRank<First> extends true
      ? ConcatAll<First, Rest, Axis<First, Dim>>
      : number[]
    : number[];

/** Any number of parts of one shape. */
type ConcatMany<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A extends number
      ? number extends A
        ? Forget<S>
        : ReplaceAxis<S, A, number>
      : Forget<S>
    : number[];

type ConcatAll<S extends Shape, Rest extends Shapes, A> = Rest extends readonly [
  infer Next extends Shape,
  ...infer More extends Shapes,
]
  ? number extends A
    ? Forget<S>
    : A extends keyof S & number
      ? ConcatAll<
          ReplaceAxis<
            S,
            A,
            HasRank<Next> extends true ? (A extends keyof Next ? Add<S[A], Next[A] & number> : number) : number
          >,
          More,
          A
        >
      : Forget<S>
  : Mutable<S>;

/** Guard of the list: all sizes but those at Dim agree with the first shape's. */
export type ConcatArg<Parts extends Shapes, Dim extends number = 0> = Guard<
  Parts extends readonly [infer First extends Shape, ...infer Rest extends Shapes]
    ? HasRank<First> extends true
      ? unknown extends DimArg<'cat', First, Dim>
        ? ConcatRest<First, Rest, Axis<First, Dim>>
        : DimArg<'cat', First, Dim>
      : unknown
    : unknown
>;

type ConcatRest<First extends Shape, Rest extends Shapes, A> = number extends A
  ? unknown
  : A extends number
    ? Rest extends readonly [infer Next extends Shape, ...infer More extends Shapes]
      ? ShapesAgree<ReplaceAxis<First, A, number>, Next> extends true
        ? ConcatRest<First, More, A>
        : ShapeError<`cat: ${ShapeText<First>} and ${ShapeText<Next>} differ outside dimension ${A}`>
      : unknown
    : unknown;

// ---------------------------------------------------------------- stack

export type Stack<Parts extends Shapes, Dim extends number = 0> = number extends Parts['length']
  ? StackMany<Parts[number], number, Dim>
  : Parts extends readonly [infer First extends Shape, ...Shapes]
    ? StackMany<First, Parts['length'], Dim>
    : number[];

type StackMany<S extends Shape, Count extends number, Dim extends number> =
  HasRank<S> extends true ? Insert<S, Axis<Longer<S>, Dim>, Count> : number[];

/** Guard of the list: all shapes agree with the first. */
export type StackArg<Parts extends Shapes, Dim extends number = 0> = Guard<
  Parts extends readonly [infer First extends Shape, ...infer Rest extends Shapes]
    ? unknown extends NewDimArg<'stack', First, Dim>
      ? StackRest<First, Rest>
      : NewDimArg<'stack', First, Dim>
    : unknown
>;

type StackRest<First extends Shape, Rest extends Shapes> = Rest extends readonly [
  infer Next extends Shape,
  ...infer More extends Shapes,
]
  ? ShapesAgree<First, Next> extends true
    ? StackRest<First, More>
    : ShapeError<`stack: ${ShapeText<First>} and ${ShapeText<Next>} differ`>
  : unknown;
