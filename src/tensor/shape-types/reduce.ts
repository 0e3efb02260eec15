// Reductions: sum, mean, max, argmax, … over no, one or several dimensions.
//   A shape, the dimensions and whether they stay as 1 in, the result's shape out.
// Must not know: what is computed over the dimensions.

import type { Axes, RemoveAxis } from './axis.js';
import type { Forget, HasRank, Shape } from './shape.js';

/** `Dim` undefined reduces everything. Guard of the dimension: `DimArg`. */
export type Reduce<
  S extends Shape,
  Dim extends number | readonly number[] | undefined = undefined,
  Keep extends boolean | undefined = false,
> = Keep extends true ? ReduceKeeping<S, Dim> : ReduceRemoving<S, Dim>;

type ReduceRemoving<S extends Shape, Dim> = Dim extends undefined
  ? []
  : HasRank<S> extends false
    ? number[]
    : Dim extends number
      ? RemoveAxes<S, Axes<S, [Dim]>, Dim>
      : Dim extends readonly number[]
        ? RemoveAxes<S, Axes<S, Dim>, Dim>
        : number[];

type ReduceKeeping<S extends Shape, Dim> =
  HasRank<S> extends false
    ? number[]
    : Dim extends undefined
      ? { -readonly [I in keyof S]: 1 }
      : Dim extends number
        ? KeepAxes<S, Axes<S, [Dim]>>
        : Dim extends readonly number[]
          ? KeepAxes<S, Axes<S, Dim>>
          : number[];

/** Which dimension goes is not always known, but one of a known rank goes. */
type RemoveAxes<S extends Shape, Found, Dim> = S extends readonly []
  ? []
  : [Found] extends [never]
    ? [...S]
    : [Found] extends ['outside']
      ? number[]
      : number extends Found
        ? Dim extends number
          ? Forget<RemoveAxis<S, 0>>
          : number[]
        : RemoveEach<S, Found>;

type RemoveEach<S extends Shape, Found, Out extends number[] = [], Seen extends unknown[] = []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? RemoveEach<Rest, Found, Seen['length'] extends Found ? Out : [...Out, N], [...Seen, 0]>
  : Out;

type KeepAxes<S extends Shape, Found> = [Found] extends [never]
  ? [...S]
  : number extends Found
    ? Forget<S>
    : [Found] extends ['outside']
      ? Forget<S>
      : KeepEach<S, Found>;

type KeepEach<S extends Shape, Found, Out extends number[] = []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? KeepEach<Rest, Found, [...Out, Out['length'] extends Found ? 1 : N]>
  : Out;
