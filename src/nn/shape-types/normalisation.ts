// Modules that normalise channels.

import type {
  HasRank,
  Mutable,
  Shape,
  ShapeError,
  ShapeText,
  SizeText,
  SizesDiffer,
} from '../../tensor/shape-types/shape.js';
import type { ConvArg, Dims } from '../../tensor/shape-types/window.js';
import type { Batch, In } from './input.js';
import type { ShapeFn } from './shape-fn.js';

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
