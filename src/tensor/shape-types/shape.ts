// The vocabulary of the type-level shape algebra: what a shape is, how an error is carried, how both are written as
// text. Erased at compile time, like every file of this folder.
//   Shape in, text or a branded error out.
// Three kinds of ignorance are accepted everywhere and never lead to an error: a size that is `number` or a union, a rank that is
// unknown (`number[]`, also with a known end as in `[...number[], 10]`), and `any`.
// Must not know: operators, tensors, modules.

/** Sizes of a tensor, outermost first. A literal size is checked by the compiler, `number` at run time only. */
export type Shape = readonly number[];

/** What a type carries when shapes do not fit: no value has it, and the compiler prints the message. */
export interface ShapeError<Message extends string> {
  readonly '~shapeError': Message;
}

/** The text of a `ShapeError`. */
export type MessageOf<E> = E extends ShapeError<infer Message> ? Message : never;

/**
 * What an argument is intersected with: E, which is a `ShapeError` or `unknown`; and `unknown` as long as E depends on a type
 * parameter, so that `x.add(x.mean(0))` compiles where the shape of x is one.
 * A conditional type that waits for its type parameters is a type that takes nothing, unless TypeScript can rule out the
 * branch behind the question mark. It asks whether the condition could hold if all type parameters were `any`, by an `any` that
 * every condition answers with itself; only a list that it is spread into turns it into something else, here a length `number`,
 * which is not 1. So the conditions of E must not hide that `any` in brackets: see `SizesDiffer`.
 */
export type Guard<E> = [...Verdict<E>]['length'] extends 1 ? E : unknown;
type Verdict<E> = E extends ShapeError<string> ? [0] : [];

/** `true` unless the number of dimensions is known at run time only. */
export type HasRank<S extends Shape> = number extends S['length'] ? false : true;

/** The shape without `readonly`, as results are written. */
export type Mutable<S extends Shape> = { -readonly [I in keyof S]: S[I] };

/** The same rank with every size unknown. */
export type Forget<S extends Shape> = { -readonly [I in keyof S]: number };

export type IsUnion<T, Each = T> = T extends unknown ? ([Each] extends [T] ? false : true) : never;

/** `true` if the sizes are both known and have no value in common. Without brackets, for `Guard`. */
export type SizesDiffer<A, B> = A & B extends never ? true : false;

/** `false` if the ranks or two sizes are known and differ. Where a rank is unknown, the last sizes are compared. */
export type ShapesAgree<A extends Shape, B extends Shape> =
  HasRank<A> extends true ? (HasRank<B> extends true ? SizesAgree<A, B> : LastAgree<A, B>) : LastAgree<A, B>;

type LastAgree<A extends Shape, B extends Shape> = A extends readonly [...Shape, infer X]
  ? B extends readonly [...Shape, infer Y]
    ? SizesDiffer<X, Y> extends true
      ? false
      : true
    : true
  : true;

type SizesAgree<A extends Shape, B extends Shape> = A extends readonly [infer X, ...infer As extends Shape]
  ? B extends readonly [infer Y, ...infer Bs extends Shape]
    ? SizesDiffer<X, Y> extends true
      ? false
      : SizesAgree<As, Bs>
    : false
  : B extends readonly []
    ? true
    : false;

/** A size in a message: the number, or `?` where it is known at run time only. */
export type SizeText<N extends number> = number extends N ? '?' : IsUnion<N> extends true ? '?' : `${N}`;

/** A shape in a message: `[64, 784]`, `[?, 784]`, `[..., 784]`. */
export type ShapeText<S extends Shape> =
  HasRank<S> extends true
    ? `[${SizesText<S>}]`
    : S extends readonly [...infer Head extends Shape, infer Last extends number]
      ? `[${HasRank<Head> extends true ? SizesText<Head> : '...'}, ${SizeText<Last>}]`
      : '[...]';

type SizesText<S extends Shape, Text extends string = ''> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? SizesText<Rest, Text extends '' ? SizeText<N> : `${Text}, ${SizeText<N>}`>
  : Text;

// ---------------------------------------------------------------- gradual assignment
// A tensor whose sizes are less known is accepted where a literal is asked for, as `any` would be, and literals that differ
// are refused: assignment compares sizes both ways, one by one, as TypeScript compares parameters of methods. A shape or a size
// that depends on a type parameter is not known at all and fits everything, by the means of `Guard`.
// `Tensor` mentions its shape only here, in `SeenShape` and in tensors.
// `kind` is never looked at. Assignment asks first how a type depends on its parameter, by two parameters without a constraint,
// and would find that it does not, since type parameters fit everything. In `kind` they do not: the keys of a parameter that
// extends nothing are those of no other. Of what extends `Shape` or `number` the keys are known to contain the one that is
// asked for. No alias stands between, because the same question is asked of aliases.

// oxlint-disable-next-line typescript/no-explicit-any -- what a type parameter is taken for
type Anything = any;

/** A size that is compared both ways: `number` fits 64 and 64 fits `number`, 64 does not fit 32. */
interface Size<N extends number> {
  at(size: [...Settled<N>]['length'] extends 0 ? N : Anything, kind: { readonly [K in 'toFixed' & keyof N]: 0 }): void;
}

/** The sizes of a shape, to be compared one by one. */
export interface Sizes<S extends Shape> {
  at(
    sizes: [...Settled<S>]['length'] extends 0 ? { readonly [I in keyof S]: Size<S[I]> } : Anything,
    kind: { readonly [K in 'length' & keyof S]: 0 },
  ): void;
}

/** [] where a shape or a size is known, in part at least; a type parameter, and what is computed from one, has no answer yet. */
type Settled<X> = X extends number ? [] : Anything[] extends X ? [0] : [];

/** What is seen of a shape at run time: literal sizes where all are known, else their number. */
export type SeenShape<S extends Shape> = [...Settled<S[number]>]['length'] extends 0 ? Seen<S> : Anything;
type Seen<S extends Shape> = [S] extends [infer X extends Shape]
  ? number extends X[number]
    ? { [I in keyof X]: number }
    : X
  : never;

/** A shape that is given as a constant, as the shape of a tensor. */
export type Writable<S extends Shape> = { -readonly [I in keyof S]: S[I] };

/** The shape of a type of tensors. */
export type ShapeIn<T> = T extends { readonly '~sizes': { at(sizes: infer All, kind: never): void } }
  ? 0 extends 1 & All
    ? number[]
    : { -readonly [I in keyof All]: All[I] extends Size<infer N> ? N : number }
  : Shape;
