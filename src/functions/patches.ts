// Patches of images as columns, and back.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import type { WindowSpec } from '../engine/ir/op.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { DType } from '../engine/ir/dtype.js';
import { type Shape, formatShape, normalizeDim, sizeOf } from '../engine/ir/shape.js';
import { movedim } from '../tensor/arranging.js';
import { asFloat } from '../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { type PerAxis, asGiven, perAxis, withBatch } from '../tensor/windows.js';

export interface PatchOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros around. Default 0. */
  readonly padding?: PerAxis;
  /** Default 1. */
  readonly dilation?: PerAxis;
}

export const PATCH_OPTIONS: OptionNames<PatchOptions> = { stride: true, padding: true, dilation: true };

function specOf(op: string, kernel: PerAxis, options: PatchOptions | undefined): WindowSpec {
  checkOptions(op, options, PATCH_OPTIONS);
  const { stride = 1, padding = 0, dilation = 1 } = options ?? {};
  const lo = perAxis(padding, 2, 'padding', 0, op);
  return {
    size: perAxis(kernel, 2, 'kernelSize', 1, op),
    stride: perAxis(stride, 2, 'stride', 1, op),
    dilation: perAxis(dilation, 2, 'dilation', 1, op),
    lo,
    hi: lo,
  };
}

/**
 * The patches of x [N, C, H, W] or [C, H, W] as columns [N, C·kh·kw, L], one for each of the L places of the kernel, row by row.
 * PyTorch: F.unfold (im2col).
 */
export function unfold(x: AnyTensor, kernelSize: PerAxis, options?: PatchOptions): Tensor<number[]> {
  const given = asFloat(nodeOf(x, 'unfold', 'the input'));
  const spec = specOf('unfold', kernelSize, options);
  const image = withBatch(given, 2, 'unfold');
  const windows = build.window(image, spec, 'unfold'); // [N, C, H', W', kh, kw]
  const [n, channels, height, width] = windows.shape;
  const columns = build.reshape(build.permute(windows, [0, 1, 4, 5, 2, 3]), [
    n,
    channels * sizeOf(spec.size),
    height * width,
  ]);
  return wrap(asGiven(columns, given, 2));
}

/**
 * The windows of `size` elements along a dimension, `step` apart, along a new last dimension: [n] → [⌊(n − size) / step⌋ + 1, size].
 * PyTorch: Tensor.unfold; NumPy: sliding_window_view.
 */
export function slidingWindows<D extends DType>(
  x: Tensor<Shape, D>,
  dim: number,
  size: number,
  step = 1,
): Tensor<number[], D> {
  const op = 'slidingWindows';
  const node = nodeOf(x, op, 'the input');
  checkWhole(op, 'size', size, 1);
  checkWhole(op, 'step', step, 1);
  const given: Node = node.shape.length === 0 ? build.reshape(node, [1]) : node;
  if (node.shape.length === 0 && size === 1) return wrap(given); // as PyTorch
  const axis = normalizeDim(dim, given.shape.length, op);
  const last = given.shape.length - 1;
  const line = movedim(given, [axis], [last]);
  const windows = build.window(line, { size: [size], stride: [step], dilation: [1], lo: [0], hi: [0] }, op);
  return wrap(movedim(windows, [last], [axis]));
}

/**
 * Columns [N, C·kh·kw, L] or [C·kh·kw, L] as images [N, C, H, W] of the given size [H, W]: where patches overlap, they are added.
 * PyTorch: F.fold (col2im).
 */
export function fold(
  x: AnyTensor,
  outputSize: readonly [number, number],
  kernelSize: PerAxis,
  options?: PatchOptions,
): Tensor<number[]> {
  const op = 'fold';
  const given = asFloat(nodeOf(x, op, 'the input'));
  checkList(op, 'the output size', outputSize, 'height and width');
  const size = perAxis(outputSize, 2, 'outputSize', 1, op);
  const spec = specOf(op, kernelSize, options);
  if (given.shape.length !== 2 && given.shape.length !== 3)
    throw new ShapeError(`${op}: input ${formatShape(given.shape)}: needs [N, C·kh·kw, L] or [C·kh·kw, L]`, [
      given.shape,
    ]);
  const columns: Node = given.shape.length === 3 ? given : build.reshape(given, [1, ...given.shape]);
  const [n, rows, count] = columns.shape;
  const places = build.windowOutput(size, spec.size, spec, op);
  const taps = sizeOf(spec.size);
  if (rows % taps !== 0 || rows === 0)
    throw new ShapeError(`${op}: input ${formatShape(given.shape)}: ${rows} rows are not a multiple of ${taps}`, [
      given.shape,
    ]);
  if (count !== sizeOf(places))
    throw new ShapeError(
      `${op}: input ${formatShape(given.shape)} has ${count} columns, the kernel has ${sizeOf(places)} places`,
      [given.shape],
    );
  const windows = build.permute(build.reshape(columns, [n, rows / taps, ...spec.size, ...places]), [0, 1, 4, 5, 2, 3]);
  const image = build.fold(windows, spec, size);
  return wrap(given.shape.length === 3 ? image : build.reshape(image, image.shape.slice(1)));
}
