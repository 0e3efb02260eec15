// Arithmetic on literal sizes, as it is done on paper: a number is its list of decimal digits, [7, 8, 4] for 784.
//   Natural numbers in, a natural number out; `number` in (or a union, a negative, a fraction), `number` out.
// The work grows with the number of digits, not with the size, so 3 * 224 * 224 costs no more than 64 * 784.
// Must not know: shapes, operators.

import type { IsUnion } from './shape.js';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Tuples whose length is the index: joined, they add two digits. */
type Ones = [
  [],
  [1],
  [1, 1],
  [1, 1, 1],
  [1, 1, 1, 1],
  [1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1, 1],
];

/** Products of two digits. */
type Times = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [0, 2, 4, 6, 8, 10, 12, 14, 16, 18],
  [0, 3, 6, 9, 12, 15, 18, 21, 24, 27],
  [0, 4, 8, 12, 16, 20, 24, 28, 32, 36],
  [0, 5, 10, 15, 20, 25, 30, 35, 40, 45],
  [0, 6, 12, 18, 24, 30, 36, 42, 48, 54],
  [0, 7, 14, 21, 28, 35, 42, 49, 56, 63],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 72],
  [0, 9, 18, 27, 36, 45, 54, 63, 72, 81],
];

/** `true` for one literal natural number. */
export type IsNatural<N extends number> = number extends N
  ? false
  : IsUnion<N> extends true
    ? false
    : `${N}` extends `-${string}` | `${string}.${string}` | `${string}e${string}` | 'NaN' | 'Infinity'
      ? false
      : true;

type AreNatural<A extends number, B extends number> = IsNatural<A> extends true ? IsNatural<B> : false;

export type Add<A extends number, B extends number> =
  AreNatural<A, B> extends true ? Join<AddDigits<Digits<A>, Digits<B>>> : number;

/** `A - B`, or 'negative'. */
export type Subtract<A extends number, B extends number> =
  AreNatural<A, B> extends true
    ? SubtractDigits<Digits<A>, Digits<B>> extends infer D extends Digit[]
      ? Join<D>
      : 'negative'
    : number;

export type Multiply<A extends number, B extends number> =
  AreNatural<A, B> extends true
    ? A extends 1
      ? B
      : B extends 1
        ? A
        : Join<MultiplyDigits<Digits<A>, Digits<B>>>
    : number;

/** `[floor(A / B), A % B]`; both `number` where B is 0. */
export type Divide<A extends number, B extends number> =
  AreNatural<A, B> extends true
    ? B extends 0
      ? [number, number]
      : B extends 1
        ? [A, 0]
        : DivideDigits<Digits<A>, Digits<B>> extends [infer Quotient extends Digit[], infer Rest extends Digit[]]
          ? [Join<Quotient>, Join<Rest>]
          : [number, number]
    : [number, number];

export type DivideFloor<A extends number, B extends number> = Divide<A, B>[0];

// ---------------------------------------------------------------- numbers and digits

type Digits<N extends number> = SplitText<`${N}`>;

type SplitText<Text extends string, Split extends Digit[] = []> = Text extends `${infer D extends Digit}${infer Rest}`
  ? SplitText<Rest, [...Split, D]>
  : Split;

type Join<D extends Digit[]> = JoinText<Trim<D>> extends `${infer N extends number}` ? N : number;

type JoinText<D extends Digit[], Text extends string = ''> = D extends [
  infer First extends Digit,
  ...infer Rest extends Digit[],
]
  ? JoinText<Rest, `${Text}${First}`>
  : Text;

/** Without leading zeros; zero itself is [0]. */
type Trim<D extends Digit[]> = D extends [0, infer Next extends Digit, ...infer Rest extends Digit[]]
  ? Trim<[Next, ...Rest]>
  : D extends []
    ? [0]
    : D;

/** Tens and ones of 0 to 99. */
type Parts<N extends number> = `${N}` extends `${infer Tens extends Digit}${infer Unit extends Digit}`
  ? [Tens, Unit]
  : N extends Digit
    ? [0, N]
    : never;

type AddDigit<A extends Digit, B extends Digit, C extends Digit = 0> = Parts<
  [...Ones[A], ...Ones[B], ...Ones[C]]['length'] & number
>;

// ---------------------------------------------------------------- on digits, from the last to the first

type AddDigits<A extends Digit[], B extends Digit[], Carry extends Digit = 0, Sum extends Digit[] = []> = A extends [
  ...infer As extends Digit[],
  infer X extends Digit,
]
  ? B extends [...infer Bs extends Digit[], infer Y extends Digit]
    ? AddDigit<X, Y, Carry> extends [infer C extends Digit, infer D extends Digit]
      ? AddDigits<As, Bs, C, [D, ...Sum]>
      : never
    : Carry extends 0
      ? [...A, ...Sum]
      : AddDigits<A, [1], 0, Sum>
  : B extends []
    ? [Carry, ...Sum]
    : Carry extends 0
      ? [...B, ...Sum]
      : AddDigits<B, [1], 0, Sum>;

type SubtractDigits<
  A extends Digit[],
  B extends Digit[],
  Borrow extends 0 | 1 = 0,
  Rest extends Digit[] = [],
> = A extends [...infer As extends Digit[], infer X extends Digit]
  ? B extends [...infer Bs extends Digit[], infer Y extends Digit]
    ? Ones[X] extends [...Ones[Y], ...Ones[Borrow], ...infer Left]
      ? SubtractDigits<As, Bs, 0, [Left['length'] & Digit, ...Rest]>
      : [...Ones[9], 1, ...Ones[X]] extends [...Ones[Y], ...Ones[Borrow], ...infer Left]
        ? SubtractDigits<As, Bs, 1, [Left['length'] & Digit, ...Rest]>
        : never
    : Borrow extends 0
      ? [...A, ...Rest]
      : SubtractDigits<A, [1], 0, Rest>
  : B extends []
    ? Borrow extends 0
      ? Rest
      : 'negative'
    : 'negative';

type MultiplyDigits<A extends Digit[], B extends Digit[], Product extends Digit[] = []> = B extends [
  infer Y extends Digit,
  ...infer Bs extends Digit[],
]
  ? MultiplyDigits<A, Bs, AddDigits<[...Product, 0], TimesDigit<A, Y>>>
  : Product;

type TimesDigit<A extends Digit[], Y extends Digit, Carry extends Digit = 0, Product extends Digit[] = []> = A extends [
  ...infer As extends Digit[],
  infer X extends Digit,
]
  ? Parts<Times[X][Y]> extends [infer Tens extends Digit, infer Unit extends Digit]
    ? AddDigit<Unit, Carry> extends [infer C extends Digit, infer D extends Digit]
      ? TimesDigit<As, Y, AddDigit<Tens, C>[1], [D, ...Product]>
      : never
    : never
  : [Carry, ...Product];

/** Long division: brings the digits of A down one by one. */
type DivideDigits<
  A extends Digit[],
  B extends Digit[],
  Quotient extends Digit[] = [],
  Rest extends Digit[] = [],
> = A extends [infer X extends Digit, ...infer As extends Digit[]]
  ? CountIn<Trim<[...Rest, X]>, B> extends [infer Q extends Digit, infer R extends Digit[]]
    ? DivideDigits<As, B, [...Quotient, Q], R>
    : never
  : [Quotient, Rest];

/** How often B goes into A (0 to 9), and what is left. */
type CountIn<A extends Digit[], B extends Digit[], Count extends 1[] = []> =
  SubtractDigits<A, B> extends infer Left extends Digit[]
    ? CountIn<Trim<Left>, B, [...Count, 1]>
    : [Count['length'], A];
