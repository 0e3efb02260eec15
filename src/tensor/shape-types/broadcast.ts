// NumPy broadcasting: element-wise operators, expand.
//   Two shapes in, the common shape or the guard of the second argument out.
// Sizes are aligned at the end; a size of 1, or one that is missing, grows.
// Must not know: which operators broadcast.

import type {
  Guard,
  HasRank,
  Mutable,
  Shape,
  ShapeError,
  ShapesAgree,
  ShapeText,
  SizesDiffer,
  SizeText,
} from './shape.js';

/** The shape of `a + b`. */
export type Broadcast<A extends Shape, B extends Shape> =
  Same<A, B> extends true ? A : HasRank<A> extends true ? (HasRank<B> extends true ? Align<A, B> : number[]) : number[];

/** Guard of the second argument of an element-wise operator. */
export type BroadcastArg<Op extends string, A extends Shape, B extends Shape> = Guard<
  Same<A, B> extends true
    ? unknown
    : HasRank<A> extends true
      ? HasRank<B> extends true
        ? Explain<Mismatch<A, B>, `${Op}: ${ShapeText<A>} x ${ShapeText<B>}`>
        : unknown
      : unknown
>;

/** Decided even where A and B are one type parameter, so that `x.add(x)` compiles in generic code. */
type Same<A extends Shape, B extends Shape> = { shape: A } extends { shape: B }
  ? { shape: B } extends { shape: A }
    ? true
    : false
  : false;

export type Align<A extends Shape, B extends Shape, Out extends number[] = []> = A extends readonly [
  ...infer As extends Shape,
  infer X extends number,
]
  ? B extends readonly [...infer Bs extends Shape, infer Y extends number]
    ? Align<As, Bs, [AlignSize<X, Y>, ...Out]>
    : [...A, ...Out]
  : [...B, ...Out];

type AlignSize<X extends number, Y extends number> = [X] extends [1]
  ? Y
  : [Y] extends [1]
    ? X
    : number extends X
      ? 1 extends Y
        ? number
        : Y
      : number extends Y
        ? 1 extends X
          ? number
          : X
        : 1 extends X | Y
          ? X | Y
          : [X & Y] extends [never]
            ? number
            : X & Y;

/** The first pair of sizes, from the left, that cannot be made equal; `undefined` if there is none. */
export type Mismatch<A extends Shape, B extends Shape, Found = undefined> = A extends readonly [
  ...infer As extends Shape,
  infer X extends number,
]
  ? B extends readonly [...infer Bs extends Shape, infer Y extends number]
    ? Mismatch<As, Bs, 1 extends X | Y ? Found : SizesDiffer<X, Y> extends true ? [X, Y] : Found>
    : Found
  : Found;

export type Explain<Pair, Where extends string> = Pair extends [infer X extends number, infer Y extends number]
  ? ShapeError<`${Where}: sizes ${SizeText<X>} and ${SizeText<Y>} do not broadcast`>
  : unknown;

// ---------------------------------------------------------------- expand

/** The shape of `x.expand(to)`; -1 keeps a size. */
export type Expand<S extends Shape, To extends Shape> =
  HasRank<To> extends true ? Keep<HasRank<S> extends true ? S : [], To> : number[];

/** `To` with -1 replaced by the size above it. */
type Keep<S extends Shape, To extends Shape, Out extends number[] = []> = To extends readonly [
  ...infer Tos extends Shape,
  infer N extends number,
]
  ? S extends readonly [...infer Ss extends Shape, infer X extends number]
    ? Keep<Ss, Tos, [[N] extends [-1] ? X : -1 extends N ? number : N, ...Out]>
    : Keep<[], Tos, [-1 extends N ? number : N, ...Out]>
  : Out;

export type ExpandArg<S extends Shape, To extends Shape> = Guard<
  HasRank<S> extends true
    ? HasRank<To> extends true
      ? Grows<S, Keep<S, To>> extends true
        ? unknown
        : ShapeError<`expand: ${ShapeText<S>} to ${ShapeText<Keep<S, To>>}: only axes of size 1 can grow`>
      : unknown
    : unknown
>;

type Grows<S extends Shape, To extends Shape> = S extends readonly [...infer Ss extends Shape, infer X]
  ? To extends readonly [...infer Tos extends Shape, infer N]
    ? 1 extends X
      ? Grows<Ss, Tos>
      : SizesDiffer<X, N> extends true
        ? false
        : Grows<Ss, Tos>
    : false
  : true;

// ---------------------------------------------------------------- no broadcasting

/** Guard of an argument that must have the very shape S, such as the target of a loss. */
export type SameShapeArg<Op extends string, S extends Shape, B extends Shape> = Guard<
  Same<S, B> extends true
    ? unknown
    : ShapesAgree<S, B> extends true
      ? unknown
      : ShapeError<`${Op}: ${ShapeText<S>} x ${ShapeText<B>}: shapes differ`>
>;

/** The shape of the result of such an operator: what either side knows. */
export type SameShape<S extends Shape, B extends Shape> = HasRank<S> extends true ? Mutable<S> : Mutable<B>;
