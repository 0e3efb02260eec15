// Windows that slide over the last one, two or three dimensions: convolution, transposed convolution, pooling.
//   (N, C, H, W) or (C, H, W), with kernel, stride, padding, dilation in, the output's shape or a guard out.
// A parameter is one number for every dimension, or a list with one number for each.
// Must not know: modules and how their options are written.

import type { Add, DivideFloor, Multiply, Subtract } from './arithmetic.js';
import type { Guard, Forget, HasRank, Mutable, Shape, ShapeError, ShapeText, SizesDiffer, SizeText } from './shape.js';

/** One number for every spatial dimension, or one for each. */
export type PerAxis = number | readonly number[];
/** 'same' keeps sizes (stride 1), 'valid' is 0. */
export type Padding = PerAxis | 'same' | 'valid';

/** The value of parameter P for spatial dimension I. */
type At<P, I extends number> = P extends readonly number[]
  ? `${I}` extends keyof P
    ? P[I] & number
    : number
  : P extends 'valid'
    ? 0
    : P extends number
      ? P
      : number;

/** How many dimensions windows slide over. */
export type Dims = 1 | 2 | 3;

/** An input taken apart: what stands before the channels (a batch or nothing), the channels and the spatial sizes. */
interface Parts<Lead extends Shape, Channels extends number, Spatial extends Shape> {
  lead: Lead;
  channels: Channels;
  spatial: Spatial;
}

type Lead = readonly [] | readonly [number];
interface Spatial {
  1: readonly [number];
  2: readonly [number, number];
  3: readonly [number, number, number];
}
interface Layout {
  1: '[N, C, L] or [C, L]';
  2: '[N, C, H, W] or [C, H, W]';
  3: '[N, C, D, H, W] or [C, D, H, W]';
}

/** `undefined` where the rank is not known, 'rank' where it is wrong. */
type SplitInput<D extends Dims, S extends Shape> =
  HasRank<S> extends true
    ? S extends readonly [...infer L extends Lead, infer C extends number, ...Spatial[D]]
      ? S extends readonly [...L, C, ...infer Sizes extends Shape]
        ? Parts<L, C, Sizes>
        : undefined
      : 'rank'
    : undefined;

// ---------------------------------------------------------------- one dimension

/** What a window of K covers: Dilation * (K - 1) + 1. */
type Reach<K extends number, Dilation extends number> = Dilation extends 1
  ? K
  : Subtract<K, 1> extends infer Steps extends number
    ? Add<Multiply<Dilation, Steps>, 1>
    : number;

/** Positions left for the window after its first; 'negative' where it does not fit once. */
type Room<N extends number, K extends number, Pad extends number, Dilation extends number> = Subtract<
  Add<N, Add<Pad, Pad>>,
  Reach<K, Dilation>
>;

type WindowSize<Left, Stride extends number> = Left extends number ? Add<DivideFloor<Left, Stride>, 1> : number;

// ---------------------------------------------------------------- all dimensions

type Slide<Sizes extends Shape, K, Stride, Pad, Dilation, Out extends number[] = []> = Pad extends 'same'
  ? Mutable<Sizes>
  : Sizes extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? Out['length'] extends infer I extends number
      ? Slide<
          Rest,
          K,
          Stride,
          Pad,
          Dilation,
          [...Out, WindowSize<Room<N, At<K, I>, At<Pad, I>, At<Dilation, I>>, At<Stride, I>>]
        >
      : never
    : Out;

/** Guard: every window fits at least once. */
type SlideArg<
  Op extends string,
  Sizes extends Shape,
  K,
  Pad,
  Dilation,
  Seen extends unknown[] = [],
> = Pad extends 'same'
  ? unknown
  : Sizes extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? Seen['length'] extends infer I extends number
      ? Room<N, At<K, I>, At<Pad, I>, At<Dilation, I>> extends 'negative'
        ? ShapeError<`${Op}: kernel of size ${Reach<At<K, I>, At<Dilation, I>>} does not fit an input of size ${N} with padding ${At<Pad, I>} and ${At<Pad, I>}`>
        : SlideArg<Op, Rest, K, Pad, Dilation, [...Seen, 0]>
      : unknown
    : unknown;

type RankText<Op extends string, D extends Dims, S extends Shape> = `${Op}: input ${ShapeText<S>}: needs ${Layout[D]}`;

// ---------------------------------------------------------------- convolution

/** The output of a convolution over D dimensions with `Out` channels. */
export type ConvShape<
  D extends Dims,
  S extends Shape,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> =
  SplitInput<D, S> extends Parts<infer L, number, infer Sizes>
    ? [...L, Out, ...Slide<Sizes, Kernel, Stride, Pad, Dilation>]
    : number[];

export type Conv1dShape<
  S extends Shape,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> = ConvShape<1, S, Out, Kernel, Stride, Pad, Dilation>;

export type Conv2dShape<
  S extends Shape,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> = ConvShape<2, S, Out, Kernel, Stride, Pad, Dilation>;

/** Guard of a module's input: rank, channels, and that the kernel fits. `Name` is what the module calls its channels. */
export type ConvArg<
  Op extends string,
  D extends Dims,
  S extends Shape,
  In extends number,
  Kernel extends PerAxis,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
  Name extends string = 'inChannels',
> = Guard<
  SplitInput<D, S> extends infer Input
    ? Input extends 'rank'
      ? ShapeError<RankText<Op, D, S>>
      : Input extends Parts<Shape, infer C, infer Sizes>
        ? SizesDiffer<C, In> extends true
          ? ShapeError<`${Op}: input ${ShapeText<S>}: channel dimension ${SizeText<C>} is not ${Name} ${SizeText<In>}`>
          : SlideArg<Op, Sizes, Kernel, Pad, Dilation>
        : unknown
    : unknown
>;

/** The output of `conv(x, weight)`; the weight is (out, in / groups, …kernel). */
export type ConvOf<
  D extends Dims,
  S extends Shape,
  Weight extends Shape,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> =
  HasRank<Weight> extends true
    ? Weight extends readonly [infer Out extends number, number, ...infer Kernel extends Spatial[D]]
      ? ConvShape<D, S, Out, Kernel, Stride, Pad, Dilation>
      : number[]
    : ConvShape<D, S, number, number, Stride, Pad, Dilation>;

/** Guard of the weight of `conv(x, weight)`. */
export type ConvOfArg<
  Op extends string,
  D extends Dims,
  S extends Shape,
  Weight extends Shape,
  Groups extends number = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> = Guard<
  SplitInput<D, S> extends infer Input
    ? Input extends 'rank'
      ? ShapeError<RankText<Op, D, S>>
      : HasRank<Weight> extends true
        ? Weight extends readonly [number, infer In extends number, ...infer Kernel extends Spatial[D]]
          ? Input extends Parts<Shape, infer C, infer Sizes>
            ? SizesDiffer<C, Multiply<In, Groups>> extends true
              ? ShapeError<`${Op}: input ${ShapeText<S>} has ${SizeText<C>} channels, weight ${ShapeText<Weight>} with ${Groups} groups takes ${Multiply<In, Groups>}`>
              : SlideArg<Op, Sizes, Kernel, Pad, Dilation>
            : unknown
          : ShapeError<`${Op}: weight ${ShapeText<Weight>}: needs ${WeightLayout[D]}`>
        : unknown
    : unknown
>;

interface WeightLayout {
  1: '[out, in / groups, K]';
  2: '[out, in / groups, KH, KW]';
  3: '[out, in / groups, KD, KH, KW]';
}

// ---------------------------------------------------------------- transposed convolution

/** (N - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1 for each spatial size N. */
export type ConvTransposeShape<
  D extends Dims,
  S extends Shape,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends PerAxis = 0,
  OutputPad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
> =
  SplitInput<D, S> extends Parts<infer L, number, infer Sizes>
    ? [...L, Out, ...Spread<Sizes, Kernel, Stride, Pad, OutputPad, Dilation>]
    : number[];

type Spread<
  Sizes extends Shape,
  K,
  Stride,
  Pad,
  OutputPad,
  Dilation,
  Out extends number[] = [],
> = Sizes extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? Out['length'] extends infer I extends number
    ? Spread<
        Rest,
        K,
        Stride,
        Pad,
        OutputPad,
        Dilation,
        [
          ...Out,
          SpreadSize<N, Reach<At<K, I>, At<Dilation, I>>, At<Stride, I>, Add<At<Pad, I>, At<Pad, I>>, At<OutputPad, I>>,
        ]
      >
    : never
  : Out;

type SpreadSize<N extends number, R extends number, Stride extends number, Cut extends number, Extra extends number> =
  Subtract<N, 1> extends infer Steps extends number
    ? Subtract<Add<Add<Multiply<Steps, Stride>, R>, Extra>, Cut> extends infer Size extends number
      ? Size
      : number
    : number;

/** The output of `convTranspose(x, weight)`; the weight is (in, out / groups, …kernel). */
export type ConvTransposeOf<
  D extends Dims,
  S extends Shape,
  Weight extends Shape,
  Groups extends number = 1,
  Stride extends PerAxis = 1,
  Pad extends PerAxis = 0,
  OutputPad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
> =
  HasRank<Weight> extends true
    ? Weight extends readonly [number, infer PerGroup extends number, ...infer Kernel extends Spatial[D]]
      ? ConvTransposeShape<D, S, Multiply<PerGroup, Groups>, Kernel, Stride, Pad, OutputPad, Dilation>
      : number[]
    : ConvTransposeShape<D, S, number, number, Stride, Pad, OutputPad, Dilation>;

/** Guard of the weight of `convTranspose(x, weight)`. */
export type ConvTransposeOfArg<Op extends string, D extends Dims, S extends Shape, Weight extends Shape> = Guard<
  SplitInput<D, S> extends infer Input
    ? Input extends 'rank'
      ? ShapeError<RankText<Op, D, S>>
      : HasRank<Weight> extends true
        ? Weight extends readonly [infer In extends number, number, ...Spatial[D]]
          ? Input extends Parts<Shape, infer C, Shape>
            ? SizesDiffer<C, In> extends true
              ? ShapeError<`${Op}: input ${ShapeText<S>} has ${SizeText<C>} channels, weight ${ShapeText<Weight>} takes ${SizeText<In>}`>
              : unknown
            : unknown
          : ShapeError<`${Op}: weight ${ShapeText<Weight>}: needs ${TransposedWeightLayout[D]}`>
        : unknown
    : unknown
>;

interface TransposedWeightLayout {
  1: '[in, out / groups, K]';
  2: '[in, out / groups, KH, KW]';
  3: '[in, out / groups, KD, KH, KW]';
}

// ---------------------------------------------------------------- pooling

/** The sizes before pooling: (N - 1) * stride - 2 * padding + kernel, or those asked for. Guard: `LayoutArg`. */
export type UnpoolShape<
  D extends Dims,
  S extends Shape,
  Kernel extends PerAxis,
  Stride extends PerAxis,
  Pad extends PerAxis,
  Size extends Shape | undefined,
> =
  SplitInput<D, S> extends Parts<infer L, infer C, infer Sizes>
    ? UnpoolSizes<D, Sizes, Kernel, Stride, Pad, Size> extends infer To extends Shape
      ? [...L, C, ...To]
      : number[]
    : number[];

type UnpoolSizes<D extends Dims, Sizes extends Shape, K, Stride, Pad, Size> = Size extends Shape
  ? Size extends Spatial[D]
    ? Mutable<Size>
    : Forget<Sizes>
  : Spread<Sizes, K, Stride, Pad, 0, 1>;

/** The output of pooling; the stride is the kernel unless given. `Ceil` sizes are left to run time. */
export type PoolShape<
  D extends Dims,
  S extends Shape,
  Kernel extends PerAxis,
  Stride extends PerAxis = Kernel,
  Pad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
  Ceil extends boolean = false,
> =
  SplitInput<D, S> extends Parts<infer L, infer C, infer Sizes>
    ? [...L, C, ...([Ceil] extends [false] ? Slide<Sizes, Kernel, Stride, Pad, Dilation> : Forget<Sizes>)]
    : number[];

export type PoolArg<
  Op extends string,
  D extends Dims,
  S extends Shape,
  Kernel extends PerAxis,
  Pad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
> = ConvArg<Op, D, S, number, Kernel, Pad, Dilation>;

/** The output of pooling to a fixed size. Guard: `LayoutArg`. */
export type AdaptivePoolShape<D extends Dims, S extends Shape, Size extends AdaptiveSize> =
  SplitInput<D, S> extends Parts<infer L, infer C, infer Sizes> ? [...L, C, ...EachAxis<Sizes, Size>] : number[];

/** Sizes of the result, one for all dimensions or one for each; null for the input's own. */
export type AdaptiveSize = number | readonly (number | null)[];

type EachAxis<Sizes extends Shape, P, Out extends number[] = []> = Sizes extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Out['length'] extends infer I extends number
    ? EachAxis<Rest, P, [...Out, OwnOr<P, I, N>]>
    : never
  : Out;

type OwnOr<P, I extends number, N extends number> = P extends readonly (number | null)[]
  ? `${I}` extends keyof P
    ? P[I] extends null
      ? N
      : P[I] & number
    : number
  : At<P, I>;

/** Each spatial size times `Scale`. Guard: `LayoutArg`. */
export type UpsampleShape<D extends Dims, S extends Shape, Scale extends PerAxis> =
  SplitInput<D, S> extends Parts<infer L, infer C, infer Sizes> ? [...L, C, ...ScaleEach<Sizes, Scale>] : number[];

type ScaleEach<Sizes extends Shape, P, Out extends number[] = []> = Sizes extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Out['length'] extends infer I extends number
    ? ScaleEach<Rest, P, [...Out, Multiply<N, At<P, I>>]>
    : never
  : Out;

/** The output of resampling [N, C, L], [N, C, H, W] or [N, C, D, H, W] to `Size`, or by `Scale`; the one that is not used is 0. */
export type ResampleShape<S extends Shape, Size extends PerAxis, Scale extends PerAxis> =
  HasRank<S> extends true
    ? S['length'] extends 3
      ? Resampled<1, S, Size, Scale>
      : S['length'] extends 4
        ? Resampled<2, S, Size, Scale>
        : S['length'] extends 5
          ? Resampled<3, S, Size, Scale>
          : number[]
    : number[];

type Resampled<D extends Dims, S extends Shape, Size extends PerAxis, Scale extends PerAxis> = [Size] extends [0]
  ? UpsampleShape<D, S, Scale>
  : AdaptivePoolShape<D, S, Size>;

export type ResampleArg<Op extends string, S extends Shape> = Guard<
  HasRank<S> extends true
    ? S['length'] extends 3 | 4 | 5
      ? unknown
      : ShapeError<`${Op}: input ${ShapeText<S>}: needs [N, C, L], [N, C, H, W] or [N, C, D, H, W]`>
    : unknown
>;

/** Guard of the rank alone. */
export type LayoutArg<Op extends string, D extends Dims, S extends Shape> = Guard<
  SplitInput<D, S> extends 'rank' ? ShapeError<RankText<Op, D, S>> : unknown
>;
