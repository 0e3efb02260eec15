// The shape of nested JavaScript arrays, `[[1, 2], [3, 4]]` → [2, 2].
//   The type of the argument (inferred with a `const` type parameter) in, its shape or a guard out.
// A plain `number[][]` has a rank but no known sizes; a typed array is one dimension.
// Must not know: dtypes.

import type { IsUnion, ShapeError } from './shape.js';

type Scalar = number | boolean | bigint;

/** What `tensor()` takes: scalars in arrays of arrays, or a typed array. */
export type NestedArray = Scalar | readonly NestedArray[] | ArrayLike<number>;

export type ShapeOf<A> = NestedArray extends A ? number[] : Descend<A, []>;

/** Looks at the first row of each level; the guard compares it with the others. */
type Descend<A, Out extends number[]> = A extends Scalar
  ? Out
  : A extends readonly []
    ? [...Out, 0]
    : A extends readonly [infer First, ...unknown[]]
      ? Descend<First, [...Out, A['length']]>
      : A extends readonly (infer Row)[]
        ? NestedArray extends Row
          ? number[]
          : Descend<Row, [...Out, number]>
        : A extends ArrayLike<number>
          ? [...Out, number]
          : number[];

/** Guard: all rows of a level have the same length. */
export type NestedArrayArg<A> = NestedArray extends A
  ? unknown
  : [A] extends [readonly (infer Row)[]]
    ? [Row] extends [readonly unknown[]] // one level as a union of its rows; `never` for []
      ? [Row] extends [never]
        ? unknown
        : number extends Row['length'] // a length known at run time only may fit all
          ? unknown
          : IsUnion<Row['length']> extends true
            ? ShapeError<'tensor: rows differ in length'>
            : NestedArrayArg<Row>
      : unknown
    : unknown;
