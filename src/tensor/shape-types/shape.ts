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

/** `true` unless the number of dimensions is known at run time only. */
export type HasRank<S extends Shape> = number extends S['length'] ? false : true;

/** The shape without `readonly`, as results are written. */
export type Mutable<S extends Shape> = { -readonly [I in keyof S]: S[I] };

/** The same rank with every size unknown. */
export type Forget<S extends Shape> = { -readonly [I in keyof S]: number };

export type IsUnion<T, Each = T> = T extends unknown ? ([Each] extends [T] ? false : true) : never;

/** `true` if the sizes are both known and have no value in common. */
export type SizesDiffer<A, B> = [A & B] extends [never] ? true : false;

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
// are refused: assignment compares sizes both ways, one by one. TypeScript compares parameters of methods so, and sees no
// variance through a conditional type. `Tensor` mentions its shape only in these two places (and in tensors).

/** A size that is compared both ways: `number` fits 64 and 64 fits `number`, 64 does not fit 32. */
interface Size<N extends number> {
  at(size: N): void;
}

/** The sizes of a shape, to be compared one by one. */
export type Sizes<S extends Shape> = [S] extends [infer X extends Shape]
  ? { readonly [I in keyof X]: Size<X[I]> }
  : never;

/** What is seen of a shape at run time: literal sizes where all are known, else their number. */
export type SeenShape<S extends Shape> = [S] extends [infer X extends Shape]
  ? number extends X[number]
    ? { [I in keyof X]: number }
    : X
  : never;

/** The shape of a type of tensors. */
export type ShapeIn<T> = T extends { '~sizes'(...sizes: infer All extends readonly unknown[]): void }
  ? { -readonly [I in keyof All]: All[I] extends Size<infer N> ? N : number }
  : Shape;
