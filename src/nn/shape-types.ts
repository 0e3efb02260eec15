// What a module does to shapes, as a type: from input to output, with a guard of the input.
//   A `ShapeFn` is an interface with a slot `input`; intersecting it with `{ input: S }` fills the slot, and its members
//   `output` and `guard` then hold the answer. Every module carries its own in the property '~shape', which exists only as a type.
// `CheckSequential` pushes what the first module accepts through the following ones, as far as sizes are determined
// without an input; `forward` checks the rest on the input itself.
// Must not know: parameters, or how a module computes. The rules themselves are in src/tensor/shape-types.

import type { Divide, DivideFloor, Multiply } from '../tensor/shape-types/arithmetic.js';
import type { Axis, Drop, ReplaceAxis, Take } from '../tensor/shape-types/axis.js';
import type { Concat } from '../tensor/shape-types/join.js';
import type { Flatten, FlattenArg, Reshape, ReshapeArg } from '../tensor/shape-types/reshape.js';
import type {
  Forget,
  Guard,
  HasRank,
  Mutable,
  Shape,
  ShapeError,
  ShapeIn,
  ShapesAgree,
  ShapeText,
  SizesDiffer,
  SizeText,
} from '../tensor/shape-types/shape.js';
import type {
  AdaptivePoolShape,
  AdaptiveSize,
  ConvArg,
  ConvShape,
  ConvTransposeShape,
  Dims,
  LayoutArg,
  Padding,
  PerAxis,
  PoolArg,
  PoolShape,
  ResampleArg,
  ResampleShape,
} from '../tensor/shape-types/window.js';

export interface ShapeFn {
  /** The slot: the shape that goes in. */
  readonly input: unknown;
  /** What is known of a suitable input before there is one. */
  readonly accepts: Shape;
  /** The shape that comes out. */
  readonly output: Shape;
  /** `unknown`, or the `ShapeError` of an input that does not fit. */
  readonly guard: unknown;
}

/** The output shape of F for an input of shape S. */
export type Apply<F extends ShapeFn, S extends Shape> = (F & { readonly input: S })['output'];

/** Guard of the argument of `forward`. */
export type ApplyArg<F extends ShapeFn, S extends Shape> = Guard<(F & { readonly input: S })['guard']>;

/** The input of a shape function as seen from its own members. */
type In<Fn extends { readonly input: unknown }> = Fn['input'] extends infer S extends Shape ? S : Shape;

/** The property of a module that carries its shape function. */
export interface HasShapeFn<F extends ShapeFn = ShapeFn> {
  readonly '~shape'?: F;
}

/**
 * The shape function of a module. One that declares none is known by the types its `forward` is written with, such as
 * `forward(x: Tensor<[number, 64]>): Tensor<[number, 10]>`.
 */
export type ShapeFnOf<M> = M extends { readonly '~shape'?: infer F }
  ? F extends UnknownFn
    ? ForwardFn<M>
    : F extends ShapeFn
      ? F
      : ForwardFn<M>
  : ForwardFn<M>;

type ForwardFn<M> = M extends {
  forward(x: infer X extends { readonly shape: Shape }): infer Y extends { readonly shape: Shape };
}
  ? FixedFn<'forward', ShapeIn<X>, ShapeIn<Y>>
  : UnknownFn;

// ---------------------------------------------------------------- any shape

/** Nothing is known: any input, any output. */
export interface UnknownFn extends ShapeFn {
  readonly isUnknown: true;
  readonly output: number[];
}

/** Activations, dropout: the shape stays. */
export interface IdentityFn extends ShapeFn {
  readonly output: In<this>;
}

/** A module of one input shape and one output shape, such as one with a hand-written `forward`. */
export interface FixedFn<Name extends string, From extends Shape, To extends Shape> extends ShapeFn {
  readonly accepts: From;
  readonly output: To;
  readonly guard: FixedArg<Name, From, In<this>>;
}

type FixedArg<Name extends string, From extends Shape, S extends Shape> =
  ShapesAgree<From, S> extends true ? unknown : ShapeError<`${Name}: input ${ShapeText<S>}: needs ${ShapeText<From>}`>;

// ---------------------------------------------------------------- last dimension

/** (…, In) → (…, Out). */
export interface LinearFn<Features extends number, Out extends number, Name extends string = 'Linear'> extends ShapeFn {
  readonly accepts: [...number[], Features];
  readonly output: ReplaceLast<In<this>, Out>;
  readonly guard: LastArg<Name, In<this>, Features, 'inFeatures'>;
}

/** (…) → (…, Dim). */
export interface EmbeddingFn<Dim extends number> extends ShapeFn {
  readonly output: [...In<this>, Dim];
}

/** Layer and root-mean-square normalisation over the last dimension, or the last few; the shape stays. */
export interface LayerNormFn<
  Size extends number | Shape,
  Name extends string = 'LayerNorm',
  What extends string = 'normalizedShape',
> extends ShapeFn {
  readonly accepts: Size extends number ? [...number[], Size] : Size extends Shape ? [...number[], ...Size] : Shape;
  readonly output: In<this>;
  readonly guard: EndArg<Name, In<this>, Size, What>;
}

type EndArg<
  Name extends string,
  S extends Shape,
  Size extends number | Shape,
  What extends string,
> = Size extends number
  ? LastArg<Name, S, Size, What>
  : Size extends Shape
    ? HasRank<S> extends true
      ? EndsIn<S, Size> extends true
        ? unknown
        : ShapeError<`${Name}: input ${ShapeText<S>}: does not end in ${What} ${ShapeText<Size>}`>
      : unknown
    : unknown;

type EndsIn<S extends Shape, End extends Shape> =
  HasRank<End> extends true
    ? ShapesAgree<S, End> extends true
      ? true
      : S extends readonly [number, ...infer Rest extends Shape]
        ? EndsIn<Rest, End>
        : false
    : true;

/** A dimension of even size, the last one by default, becomes half as long. */
export interface GLUFn<Dim extends number = -1> extends ShapeFn {
  readonly output: Halved<In<this>, Dim>;
  readonly guard: HalvedArg<In<this>, Dim>;
}

type Halved<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A extends number
      ? number extends A
        ? Forget<S>
        : ReplaceAxis<S, A, DivideFloor<S[A], 2>>
      : number[]
    : number[];

type HalvedArg<S extends Shape, Dim extends number> =
  HasRank<S> extends true
    ? Axis<S, Dim> extends infer A
      ? A extends number
        ? number extends A
          ? unknown
          : Divide<S[A], 2>[1] extends 1
            ? ShapeError<`GLU: input ${ShapeText<S>}: dimension ${Dim} of size ${SizeText<S[A]>} has no halves`>
            : unknown
        : ShapeError<`GLU: input ${ShapeText<S>} has no dimension ${Dim}`>
      : unknown
    : unknown;

export type ReplaceLast<S extends Shape, Size extends number> = S extends readonly [
  ...infer Head extends Shape,
  unknown,
]
  ? [...Head, Size]
  : [...number[], Size];

/** The last size is compared even where the rank is unknown. */
export type LastArg<Name extends string, S extends Shape, Size extends number, What extends string> = Guard<
  S extends readonly [...Shape, infer Last extends number]
    ? SizesDiffer<Last, Size> extends true
      ? ShapeError<`${Name}: input ${ShapeText<S>}: last dimension ${SizeText<Last>} is not ${What} ${SizeText<Size>}`>
      : unknown
    : S extends readonly []
      ? ShapeError<`${Name}: input []: needs at least one dimension`>
      : unknown
>;

/** Guard of a recurrent network's input: a sequence, with a batch or without. */
export type SequenceArg<Name extends string, S extends Shape, Size extends number> = Guard<
  HasRank<S> extends true
    ? S['length'] extends 2 | 3
      ? LastArg<Name, S, Size, 'inputSize'>
      : ShapeError<`${Name}: input ${ShapeText<S>}: needs 2 or 3 dimensions`>
    : LastArg<Name, S, Size, 'inputSize'>
>;

/** Guard of a recurrent cell's input: one step, with a batch or without. */
export type StepArg<Name extends string, S extends Shape, Size extends number> = Guard<
  HasRank<S> extends true
    ? S['length'] extends 1 | 2
      ? LastArg<Name, S, Size, 'inputSize'>
      : ShapeError<`${Name}: input ${ShapeText<S>}: needs 1 or 2 dimensions`>
    : LastArg<Name, S, Size, 'inputSize'>
>;

// ---------------------------------------------------------------- channels and windows

/** What is known of the input of a module with channels: a batch, its channels, D sizes. */
type Batch<D extends Dims, Channels extends number> = {
  1: [number, Channels, number];
  2: [number, Channels, number, number];
  3: [number, Channels, number, number, number];
}[D];

export interface ConvFn<
  D extends Dims,
  Channels extends number,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
  Name extends string = `Conv${D}d`,
> extends ShapeFn {
  readonly accepts: Batch<D, Channels>;
  readonly output: ConvShape<D, In<this>, Out, Kernel, Stride, Pad, Dilation>;
  readonly guard: ConvArg<Name, D, In<this>, Channels, Kernel, Pad, Dilation>;
}

export type Conv1dFn<
  Channels extends number,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> = ConvFn<1, Channels, Out, Kernel, Stride, Pad, Dilation>;

export type Conv2dFn<
  Channels extends number,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends Padding = 0,
  Dilation extends PerAxis = 1,
> = ConvFn<2, Channels, Out, Kernel, Stride, Pad, Dilation>;

export interface ConvTransposeFn<
  D extends Dims,
  Channels extends number,
  Out extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pad extends PerAxis = 0,
  OutputPad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
> extends ShapeFn {
  readonly accepts: Batch<D, Channels>;
  readonly output: ConvTransposeShape<D, In<this>, Out, Kernel, Stride, Pad, OutputPad, Dilation>;
  readonly guard: ConvArg<`ConvTranspose${D}d`, D, In<this>, Channels, 1>;
}

/** Max and average pooling; `Name` is the module's, such as 'MaxPool2d'. */
export interface PoolFn<
  Name extends string,
  D extends Dims,
  Kernel extends PerAxis,
  Stride extends PerAxis = Kernel,
  Pad extends PerAxis = 0,
  Dilation extends PerAxis = 1,
  Ceil extends boolean = false,
> extends ShapeFn {
  readonly accepts: Batch<D, number>;
  readonly output: PoolShape<D, In<this>, Kernel, Stride, Pad, Dilation, Ceil>;
  readonly guard: PoolArg<Name, D, In<this>, Kernel, Pad, Dilation>;
}

export interface AdaptivePoolFn<Name extends string, D extends Dims, Size extends AdaptiveSize> extends ShapeFn {
  readonly accepts: Batch<D, number>;
  readonly output: AdaptivePoolShape<D, In<this>, Size>;
  readonly guard: LayoutArg<Name, D, In<this>>;
}

/** The same number of elements more at all sides; of a list only the rank is known. */
export interface PadFn<Name extends string, D extends Dims, P extends number | readonly number[]> extends ShapeFn {
  readonly accepts: Batch<D, number>;
  readonly output: P extends number
    ? `${P}` extends `-${string}`
      ? Forget<In<this>>
      : PoolShape<D, In<this>, 1, 1, P>
    : Forget<In<this>>;
  readonly guard: LayoutArg<Name, D, In<this>>;
}

/** Resampling to `Size` or by `Scale`; the one that is not used is 0. */
export interface UpsampleFn<Size extends PerAxis, Scale extends PerAxis> extends ShapeFn {
  readonly output: ResampleShape<In<this>, Size, Scale>;
  readonly guard: ResampleArg<'Upsample', In<this>>;
}

/** (…, C·R², H, W) → (…, C, H·R, W·R) */
export interface PixelShuffleFn<R extends number> extends ShapeFn {
  readonly accepts: [...number[], number, number, number];
  readonly output: In<this> extends readonly [
    ...infer Lead extends Shape,
    infer C extends number,
    infer H extends number,
    infer W extends number,
  ]
    ? [...Lead, DivideFloor<C, Multiply<R, R>>, Multiply<H, R>, Multiply<W, R>]
    : number[];
  readonly guard: In<this> extends readonly [...Shape, infer C extends number, number, number]
    ? Divide<C, Multiply<R, R>>[1] extends infer Rest extends number
      ? number extends Rest
        ? unknown
        : Rest extends 0
          ? unknown
          : ShapeError<`PixelShuffle: input ${ShapeText<In<this>>}: ${SizeText<C>} channels are not a multiple of ${SizeText<Multiply<R, R>>}`>
      : unknown
    : unknown;
}

/** (…, C, H·R, W·R) → (…, C·R², H, W) */
export interface PixelUnshuffleFn<R extends number> extends ShapeFn {
  readonly accepts: [...number[], number, number, number];
  readonly output: In<this> extends readonly [
    ...infer Lead extends Shape,
    infer C extends number,
    infer H extends number,
    infer W extends number,
  ]
    ? [...Lead, Multiply<C, Multiply<R, R>>, DivideFloor<H, R>, DivideFloor<W, R>]
    : number[];
}

// ---------------------------------------------------------------- batch normalisation

/** Batch normalisation over dimension 1; the shape stays. D = 1 takes (N, C) too, as PyTorch's does. */
export interface BatchNormFn<D extends Dims, Channels extends number> extends ShapeFn {
  readonly accepts: D extends 1 ? Shape : Batch<D, Channels>;
  readonly output: Normalised<D, In<this>, Channels>;
  readonly guard: BatchNormArg<D, In<this>, Channels>;
}

/** Normalisation that keeps the shape, of an input whose dimension 1 (or 0, without a batch) is the channels. */
export interface ChannelNormFn<Name extends string, D extends Dims, Channels extends number> extends ShapeFn {
  readonly accepts: Batch<D, Channels>;
  readonly output: In<this>;
  readonly guard: ConvArg<Name, D, In<this>, Channels, 1, 0, 1, 'numFeatures'>;
}

/** Group normalisation: [N, C, …], any number of dimensions behind the channels. */
export interface GroupNormFn<Channels extends number> extends ShapeFn {
  readonly output: In<this>;
  readonly guard: GroupNormArg<In<this>, Channels>;
}

type GroupNormArg<S extends Shape, Channels extends number> =
  HasRank<S> extends true
    ? S extends readonly [number, infer C extends number, ...Shape]
      ? SizesDiffer<C, Channels> extends true
        ? ShapeError<`GroupNorm: input ${ShapeText<S>}: channel dimension ${SizeText<C>} is not numChannels ${SizeText<Channels>}`>
        : unknown
      : ShapeError<`GroupNorm: input ${ShapeText<S>}: needs [N, C, ...]`>
    : unknown;

/** Where nothing was known of the input, what the module accepts is known of the output. */
type Normalised<D extends Dims, S extends Shape, Channels extends number> =
  HasRank<S> extends true ? Mutable<S> : D extends 1 ? S : Batch<D, Channels>;

type BatchNormArg<D extends Dims, S extends Shape, Channels extends number> =
  HasRank<S> extends true
    ? S extends NormLayout[D]
      ? SizesDiffer<S[1], Channels> extends true
        ? ShapeError<`BatchNorm${D}d: input ${ShapeText<S>}: channel dimension ${SizeText<S[1] & number>} is not numFeatures ${SizeText<Channels>}`>
        : unknown
      : ShapeError<`BatchNorm${D}d: input ${ShapeText<S>}: needs ${NormText[D]}`>
    : unknown;

interface NormLayout {
  1: readonly [number, number] | readonly [number, number, number];
  2: readonly [number, number, number, number];
  3: readonly [number, number, number, number, number];
}
interface NormText {
  1: '[N, C] or [N, C, L]';
  2: '[N, C, H, W]';
  3: '[N, C, D, H, W]';
}

// ---------------------------------------------------------------- movement

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

// ---------------------------------------------------------------- Sequential

type Modules = readonly unknown[];

/** The modules one after the other. */
export interface SequentialFn<Ms extends Modules> extends ShapeFn {
  readonly accepts: Ms extends readonly [infer First, ...unknown[]] ? ShapeFnOf<First>['accepts'] : Shape;
  readonly output: Chain<Ms, In<this>>;
  readonly guard: ChainArg<Ms, In<this>>;
}

type Chain<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? number[] : ChainEach<Ms, S>;

/** `infer Next` computes each shape before the next one: a chain of hundreds of modules stays flat. */
type ChainEach<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? Apply<ShapeFnOf<M>, S> extends infer Next extends Shape
    ? ChainEach<Rest, Next>
    : number[]
  : S;

/** The first error on the way. */
type ChainArg<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? unknown : ChainArgEach<Ms, S>;

type ChainArgEach<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? ApplyArg<ShapeFnOf<M>, S> extends infer Guard
    ? unknown extends Guard
      ? Apply<ShapeFnOf<M>, S> extends infer Next extends Shape
        ? ChainArgEach<Rest, Next>
        : unknown
      : Guard
    : unknown
  : unknown;

/** x + body(x), where the shortcut may change x. */
export interface ResidualFn<Ms extends Modules, Short> extends ShapeFn {
  readonly accepts: SequentialFn<Ms>['accepts'];
  readonly output: Short extends undefined ? In<this> : Apply<ShapeFnOf<Short>, In<this>>;
  readonly guard: ResidualArg<
    In<this>,
    ChainArg<Ms, In<this>>,
    Chain<Ms, In<this>>,
    Short extends undefined ? In<this> : Apply<ShapeFnOf<Short>, In<this>>
  >;
}

type ResidualArg<S extends Shape, Guard, Body extends Shape, Past extends Shape> = unknown extends Guard
  ? ShapesAgree<Body, Past> extends true
    ? unknown
    : ShapeError<`Residual: input ${ShapeText<S>}: the body gives ${ShapeText<Body>}, the shortcut ${ShapeText<Past>}`>
  : Guard;

/** Branches with one input, joined along Dim. */
export interface ParallelFn<Ms extends Modules, Dim extends number> extends ShapeFn {
  readonly accepts: SequentialFn<Ms>['accepts'];
  readonly output: Concat<EachOutput<Ms, In<this>>, Dim>;
  readonly guard: ParallelArg<Ms, In<this>>;
}

type EachOutput<Ms extends Modules, S extends Shape> = {
  -readonly [I in keyof Ms]: Apply<ShapeFnOf<Ms[I]>, S>;
} extends infer Outputs extends readonly Shape[]
  ? Outputs
  : readonly Shape[];

/** The first error of a branch. */
type ParallelArg<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? ApplyArg<ShapeFnOf<M>, S> extends infer Guard
    ? unknown extends Guard
      ? ParallelArg<Rest, S>
      : Guard
    : unknown
  : unknown;

/**
 * The types of Sequential's arguments: each module, intersected with a `ShapeError` if it cannot follow the one before.
 * `S` is the shape of the input where it is known.
 */
export type CheckSequential<Ms extends Modules, S extends Shape = Shape> = {
  [I in keyof Ms]: Ms[I] & GuardAt<Guards<Ms, S>, I>;
};

type GuardAt<G, I> = I extends keyof G ? G[I] : unknown;

type Guards<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? unknown : GuardEach<Ms, S>;

type GuardEach<Ms extends Modules, S extends Shape, Out extends unknown[] = []> = Ms extends readonly [
  infer M,
  ...infer Rest,
]
  ? Push<ShapeFnOf<M>, S> extends infer Next extends Shape
    ? GuardEach<Rest, Next, [...Out, ApplyArg<ShapeFnOf<M>, S>]>
    : Out
  : Out;

/** A module that is handed an unknown shape hands on what follows from the shape it accepts. */
type Push<F extends ShapeFn, S extends Shape> = Shape extends S
  ? Apply<F, F['accepts']>
  : number[] extends S
    ? Apply<F, F['accepts']>
    : Apply<F, S>;
