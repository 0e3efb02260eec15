// Convolutions and their transposes in one, two and three dimensions, as in torch.nn.functional. What they check and build is
// windows.ts, the same for every number of dimensions; here are the types.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Shape } from '../engine/ir/shape.js';
import type { Exact, OptionOf } from './shape-types/options.js';
import type { ConvOf, ConvOfArg, ConvTransposeOf, ConvTransposeOfArg, Dims } from './shape-types/window.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from './tensor.js';
import * as windows from './windows.js';

export interface ConvArguments extends windows.ConvOptions {
  readonly bias?: AnyTensor;
}

const CONV_ARGUMENTS: OptionNames<ConvArguments> = {
  bias: true,
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
};

type ConvResult<D extends Dims, S extends Shape, W extends Shape, O> = Tensor<
  ConvOf<
    D,
    S,
    W,
    OptionOf<O, 'stride', 1, windows.PerAxis>,
    OptionOf<O, 'padding', 0, windows.Padding>,
    OptionOf<O, 'dilation', 1, windows.PerAxis>
  >
>;

type ConvWeight<Op extends string, D extends Dims, S extends Shape, W extends Shape, O> = ConvOfArg<
  Op,
  D,
  S,
  W,
  OptionOf<O, 'groups', 1, number>,
  OptionOf<O, 'padding', 0, windows.Padding>,
  OptionOf<O, 'dilation', 1, windows.PerAxis>
>;

/** @internal A convolution over the last `dims` dimensions, without the types. */
export function convolve(dims: Dims, x: AnyTensor, w: AnyTensor, options: ConvArguments = {}): Tensor {
  const op = `conv${dims}d`;
  checkOptions(op, options, CONV_ARGUMENTS);
  const { bias } = options;
  const [input, weight] = [nodeOf(x, op, 'the input'), nodeOf(w, op, 'the weight')];
  return wrap(
    windows.convolution(dims, input, weight, bias === undefined ? undefined : nodeOf(bias, op, 'the bias'), options),
  );
}

/** x [B, C, L], w [O, C / groups, k] → [B, O, L']. Options as conv2d's. PyTorch: F.conv1d. */
export function conv1d<S extends Shape, W extends Shape, const O extends ConvArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvWeight<'conv1d', 1, S, W, O>,
  options?: O & Exact<O, ConvArguments>,
): ConvResult<1, S, W, O> {
  return convolve(1, x, w, options);
}

/**
 * x [B, C, H, W], w [O, C / groups, kh, kw] → [B, O, H', W']. Options: bias [O], stride (1), padding (0, a pair, 'same'
 * or 'valid'), dilation (1), groups (1). PyTorch: F.conv2d.
 */
export function conv2d<S extends Shape, W extends Shape, const O extends ConvArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvWeight<'conv2d', 2, S, W, O>,
  options?: O & Exact<O, ConvArguments>,
): ConvResult<2, S, W, O> {
  return convolve(2, x, w, options);
}

/** x [B, C, D, H, W], w [O, C / groups, kd, kh, kw] → [B, O, D', H', W']. Options as conv2d's. PyTorch: F.conv3d. */
export function conv3d<S extends Shape, W extends Shape, const O extends ConvArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvWeight<'conv3d', 3, S, W, O>,
  options?: O & Exact<O, ConvArguments>,
): ConvResult<3, S, W, O> {
  return convolve(3, x, w, options);
}

export interface ConvTransposeArguments {
  readonly bias?: AnyTensor;
  readonly stride?: windows.PerAxis;
  readonly padding?: windows.PerAxis;
  readonly outputPadding?: windows.PerAxis;
  readonly dilation?: windows.PerAxis;
  readonly groups?: number;
}

const CONV_TRANSPOSE_ARGUMENTS: OptionNames<ConvTransposeArguments> = {
  bias: true,
  stride: true,
  padding: true,
  outputPadding: true,
  dilation: true,
  groups: true,
};

type ConvTransposeResult<D extends Dims, S extends Shape, W extends Shape, O> = Tensor<
  ConvTransposeOf<
    D,
    S,
    W,
    OptionOf<O, 'groups', 1, number>,
    OptionOf<O, 'stride', 1, windows.PerAxis>,
    OptionOf<O, 'padding', 0, windows.PerAxis>,
    OptionOf<O, 'outputPadding', 0, windows.PerAxis>,
    OptionOf<O, 'dilation', 1, windows.PerAxis>
  >
>;

/** @internal A transposed convolution over the last `dims` dimensions, without the types. */
export function convolveTransposed(
  dims: Dims,
  x: AnyTensor,
  w: AnyTensor,
  options: ConvTransposeArguments = {},
): Tensor {
  const op = `convTranspose${dims}d`;
  checkOptions(op, options, CONV_TRANSPOSE_ARGUMENTS);
  const { bias } = options;
  const [input, weight] = [nodeOf(x, op, 'the input'), nodeOf(w, op, 'the weight')];
  return wrap(
    windows.transposedConvolution(
      dims,
      input,
      weight,
      bias === undefined ? undefined : nodeOf(bias, op, 'the bias'),
      options,
    ),
  );
}

/** x [B, C, L], w [C, O / groups, k] → [B, O, L']. Options as convTranspose2d's. PyTorch: F.conv_transpose1d. */
export function convTranspose1d<S extends Shape, W extends Shape, const O extends ConvTransposeArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvTransposeOfArg<'convTranspose1d', 1, S, W>,
  options?: O & Exact<O, ConvTransposeArguments>,
): ConvTransposeResult<1, S, W, O> {
  return convolveTransposed(1, x, w, options);
}

/**
 * x [B, C, H, W], w [C, O / groups, kh, kw] → [B, O, H', W'], the input sizes of the convolution that it transposes:
 * H' = (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1. Options: bias [O], stride (1), padding (0),
 * outputPadding (0), dilation (1), groups (1). PyTorch: F.conv_transpose2d.
 */
export function convTranspose2d<S extends Shape, W extends Shape, const O extends ConvTransposeArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvTransposeOfArg<'convTranspose2d', 2, S, W>,
  options?: O & Exact<O, ConvTransposeArguments>,
): ConvTransposeResult<2, S, W, O> {
  return convolveTransposed(2, x, w, options);
}

/** x [B, C, D, H, W], w [C, O / groups, kd, kh, kw] → [B, O, D', H', W']. Options as convTranspose2d's. PyTorch: F.conv_transpose3d. */
export function convTranspose3d<S extends Shape, W extends Shape, const O extends ConvTransposeArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvTransposeOfArg<'convTranspose3d', 3, S, W>,
  options?: O & Exact<O, ConvTransposeArguments>,
): ConvTransposeResult<3, S, W, O> {
  return convolveTransposed(3, x, w, options);
}
