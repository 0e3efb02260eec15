// Convolutions and windows over any number of dimensions, with what is added before and after each one apart: what file formats
// ask for and conv2d, maxPool2d and the like do not say.
// Input: tensors [N, C, …]; lists have a number for each dimension after those two. Sizes are the caller's to check.

import * as build from '../engine/ir/build.js';
import { wideOf } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import type { WindowSpec } from '../engine/ir/op.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from './tensor.js';

export interface SpatialOptions {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before and after each dimension. */
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly groups: number;
}

function withBias(y: Node, bias: AnyTensor | undefined, op: string): Node {
  if (bias === undefined) return y;
  const shape = y.shape.map((n, i) => (i === 1 ? n : 1));
  return build.add(y, build.reshape(nodeOf(bias, op, 'the bias'), shape));
}

/** x [N, C, …], w [O, C / groups, …], bias [O] → [N, O, …]. */
export function convolve(x: AnyTensor, w: AnyTensor, bias: AnyTensor | undefined, options: SpatialOptions): Tensor {
  const op = 'convolve';
  return wrap(withBias(build.conv(nodeOf(x, op), nodeOf(w, op, 'the weight'), options, op), bias, op));
}

/** x [N, C, …], w [C, O / groups, …], bias [O] → [N, O, …sizes]: the transpose of the convolution with these options. */
export function convolveTransposed(
  x: AnyTensor,
  w: AnyTensor,
  bias: AnyTensor | undefined,
  options: SpatialOptions,
  sizes: readonly number[],
): Tensor {
  const op = 'convolveTransposed';
  const [input, weight] = [nodeOf(x, op), nodeOf(w, op, 'the weight')];
  const wide = wideOf(input.dtype);
  if (wide === undefined) return wrap(withBias(build.convInput(input, weight, options, sizes, op), bias, op));
  const made = build.convInput(build.cast(input, wide), build.cast(weight, wide), options, sizes, op);
  return wrap(withBias(build.cast(made, input.dtype), bias, op));
}

/**
 * The windows of the last dimensions of x: […, …positions, …size]. What lies outside of x is `outside`, 0 unless given.
 */
export function windowsOf(x: AnyTensor, spec: WindowSpec, outside = 0): Tensor {
  const op = 'windows';
  const node = nodeOf(x, op);
  const windows = build.window(node, spec, op);
  const isWhole = [...spec.lo, ...spec.hi].every((n) => n <= 0);
  if (isWhole || outside === 0) return wrap(windows);
  const inside = build.window(build.expand(build.constant(1, 'bool') as Node, node.shape), spec, op);
  return wrap(build.where(inside, windows, build.constant(outside, node.dtype) as Node));
}
