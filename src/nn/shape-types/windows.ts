// Modules that work on images: channels, and windows that slide over the dimensions after them.

import type { Divide, DivideFloor, Multiply } from '../../tensor/shape-types/arithmetic.js';
import type { Forget, Shape, ShapeError, ShapeText, SizeText } from '../../tensor/shape-types/shape.js';
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
} from '../../tensor/shape-types/window.js';
import type { Batch, In } from './input.js';
import type { ShapeFn } from './shape-fn.js';

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
