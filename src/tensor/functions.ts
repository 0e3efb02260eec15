// Functions of several tensors, and those that PyTorch has in torch.nn.functional: joins, choices, convolution, pooling.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Exact } from '../tensor/shape-types/options.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';
import * as elementwise from './elementwise.js';
import * as indexing from './indexing.js';
import * as movement from './movement.js';
import type { Broadcast, BroadcastArg } from './shape-types/broadcast.js';
import type { Concat, ConcatArg, ShapesOf, Stack, StackArg } from './shape-types/join.js';
import type { ConvOf, ConvOfArg, ConvTransposeOf, ConvTransposeOfArg } from './shape-types/window.js';
import type { OptionOf } from './shape-types/options.js';
import type { AnyTensor, Promoted, Tensor } from './tensor.js';
import { nodeOf, nodesOf, wrap } from './tensor.js';
import * as windows from './windows.js';

export type { ConvOptions, PerAxis, Padding, PoolOptions } from './windows.js';

type DTypeOf<Ts extends readonly AnyTensor[]> = Ts[number]['dtype'];

/** Joins along an existing dimension. PyTorch: torch.cat. */
export function cat<const Ts extends readonly AnyTensor[], const Dim extends number = 0>(
  tensors: Ts & ConcatArg<ShapesOf<Ts>, Dim>,
  dim?: Dim,
): Tensor<Concat<ShapesOf<Ts>, Dim>, DTypeOf<Ts>> {
  return wrap(movement.cat(nodesOf(tensors, 'cat'), dim ?? 0));
}

/** Joins along a new dimension. PyTorch: torch.stack. */
export function stack<const Ts extends readonly AnyTensor[], const Dim extends number = 0>(
  tensors: Ts & StackArg<ShapesOf<Ts>, Dim>,
  dim?: Dim,
): Tensor<Stack<ShapesOf<Ts>, Dim>, DTypeOf<Ts>> {
  return wrap(movement.stack(nodesOf(tensors, 'stack'), dim ?? 0));
}

/** a where the condition holds, else b; all three broadcast. */
export function where<C extends Shape, A extends Shape, D extends DType>(
  condition: Tensor<C, 'bool'>,
  a: Tensor<A, D> & BroadcastArg<'where', C, A>,
  b: number,
): Tensor<Broadcast<C, A>, D>;
export function where<C extends Shape, B extends Shape, D extends DType>(
  condition: Tensor<C, 'bool'>,
  a: number,
  b: Tensor<B, D> & BroadcastArg<'where', C, B>,
): Tensor<Broadcast<C, B>, D>;
export function where<C extends Shape>(condition: Tensor<C, 'bool'>, a: number, b: number): Tensor<C>;
// The last one is what a compiler talks about when none fits.
export function where<C extends Shape, A extends Shape, B extends Shape, D extends DType, E extends DType>(
  condition: Tensor<C, 'bool'>,
  a: Tensor<A, D> & BroadcastArg<'where', C, A>,
  b: Tensor<B, E> & BroadcastArg<'where', Broadcast<C, A>, B>,
): Tensor<Broadcast<C, Broadcast<A, B>>, Promoted<D, E>>;
export function where(condition: AnyTensor, a: AnyTensor | number, b: AnyTensor | number): unknown {
  return wrap(
    elementwise.where(
      nodeOf(condition, 'where', 'the condition'),
      typeof a === 'number' ? a : nodeOf(a, 'where', 'the first choice'),
      typeof b === 'number' ? b : nodeOf(b, 'where', 'the second choice'),
    ),
  );
}

/** Rows of a table [n, width] at the given indices [..] → [.., width]. PyTorch: F.embedding. */
export function embedding<I extends Shape, W extends number>(
  table: Tensor<[number, W]>,
  index: Tensor<I, 'int32'>,
): Tensor<[...I, W]> {
  return wrap(indexing.rows(nodeOf(table, 'embedding', 'the table'), nodeOf(index, 'embedding', 'the index')));
}

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

type ConvResult<D extends 1 | 2, S extends Shape, W extends Shape, O> = Tensor<
  ConvOf<
    D,
    S,
    W,
    OptionOf<O, 'stride', 1, windows.PerAxis>,
    OptionOf<O, 'padding', 0, windows.Padding>,
    OptionOf<O, 'dilation', 1, windows.PerAxis>
  >
>;

type ConvWeight<Op extends string, D extends 1 | 2, S extends Shape, W extends Shape, O> = ConvOfArg<
  Op,
  D,
  S,
  W,
  OptionOf<O, 'groups', 1, number>,
  OptionOf<O, 'padding', 0, windows.Padding>,
  OptionOf<O, 'dilation', 1, windows.PerAxis>
>;

/** x [B, C, L], w [O, C / groups, k] → [B, O, L']. Options as conv2d's. PyTorch: F.conv1d. */
export function conv1d<S extends Shape, W extends Shape, const O extends ConvArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvWeight<'conv1d', 1, S, W, O>,
  options?: O & Exact<O, ConvArguments>,
): ConvResult<1, S, W, O> {
  checkOptions('conv1d', options, CONV_ARGUMENTS);
  return wrap(
    windows.convolution(
      1,
      nodeOf(x, 'conv1d', 'the input'),
      nodeOf(w, 'conv1d', 'the weight'),
      options?.bias && nodeOf(options.bias, 'conv1d', 'the bias'),
      options ?? {},
    ),
  );
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
  checkOptions('conv2d', options, CONV_ARGUMENTS);
  return wrap(
    windows.convolution(
      2,
      nodeOf(x, 'conv2d', 'the input'),
      nodeOf(w, 'conv2d', 'the weight'),
      options?.bias && nodeOf(options.bias, 'conv2d', 'the bias'),
      options ?? {},
    ),
  );
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

type ConvTransposeResult<D extends 1 | 2, S extends Shape, W extends Shape, O> = Tensor<
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

/** x [B, C, L], w [C, O / groups, k] → [B, O, L']. Options as convTranspose2d's. PyTorch: F.conv_transpose1d. */
export function convTranspose1d<S extends Shape, W extends Shape, const O extends ConvTransposeArguments = {}>(
  x: Tensor<S>,
  w: Tensor<W> & ConvTransposeOfArg<'convTranspose1d', 1, S, W>,
  options?: O & Exact<O, ConvTransposeArguments>,
): ConvTransposeResult<1, S, W, O> {
  checkOptions('convTranspose1d', options, CONV_TRANSPOSE_ARGUMENTS);
  return wrap(
    windows.transposedConvolution(
      1,
      nodeOf(x, 'convTranspose1d', 'the input'),
      nodeOf(w, 'convTranspose1d', 'the weight'),
      options?.bias && nodeOf(options.bias, 'convTranspose1d', 'the bias'),
      options ?? {},
    ),
  );
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
  checkOptions('convTranspose2d', options, CONV_TRANSPOSE_ARGUMENTS);
  return wrap(
    windows.transposedConvolution(
      2,
      nodeOf(x, 'convTranspose2d', 'the input'),
      nodeOf(w, 'convTranspose2d', 'the weight'),
      options?.bias && nodeOf(options.bias, 'convTranspose2d', 'the bias'),
      options ?? {},
    ),
  );
}
