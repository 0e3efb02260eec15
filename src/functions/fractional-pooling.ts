// Pooling to a given size whose windows begin at random places (Graham 2014). Names and meaning are PyTorch's.

import { checkList } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, sameShape } from '../engine/ir/shape.js';
import * as random from '../tensor/random.js';
import { positions } from '../tensor/reductions.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { type PerAxis, asGiven, maxPool, perAxis, withBatch } from '../tensor/windows.js';
import { add, floatOf, scalar, sub, unary } from './operands.js';

export interface FractionalPoolOptions {
  /** The sizes of the result; or outputRatio. */
  readonly outputSize?: PerAxis;
  /** The sizes of the result over those of the input, between 0 and 1. */
  readonly outputRatio?: PerAxis;
  /** [N, C, dimensions] from 0 to 1, which say where windows begin. Default: new random numbers. */
  readonly randomSamples?: AnyTensor;
}

const OPTIONS: OptionNames<FractionalPoolOptions> = { outputSize: true, outputRatio: true, randomSamples: true };

function outputSizes(op: string, sizes: readonly number[], options: FractionalPoolOptions): number[] {
  const { outputSize, outputRatio } = options;
  if ((outputSize === undefined) === (outputRatio === undefined))
    throw new ArgumentError(`${op}: give either outputSize or outputRatio.`);
  if (outputSize !== undefined) return perAxis(outputSize, sizes.length, 'outputSize', 1, op);
  if (typeof outputRatio !== 'number') checkList(op, 'outputRatio', outputRatio, 'numbers');
  const ratios =
    typeof outputRatio === 'number' ? sizes.map(() => outputRatio) : [...(outputRatio as readonly number[])];
  if (ratios.length !== sizes.length || !ratios.every((r) => r > 0 && r < 1))
    throw new ArgumentError(
      `${op}: outputRatio [${ratios.join(', ')}] is not ${sizes.length} numbers between 0 and 1.`,
    );
  return sizes.map((n, i) => Math.max(Math.floor(n * ratios[i]), 1));
}

/** Where the windows along one axis begin, [N, C, out]: ⌊(i + u)·α⌋ − ⌊u·α⌋ for a random u, and the last one at the end. */
function starts(u: Node, size: number, kernel: number, out: number): Node {
  const last = build.constant(size - kernel, 'int32') as Node;
  if (out === 1) return build.expand(last, [...u.shape.slice(0, 2), 1]);
  const alpha = scalar((size - kernel) / (out - 1), u);
  const i = build.cast(positions(3, 2, out), u.dtype);
  const place = sub(unary('floor', build.mul(add(u, i), alpha)), unary('floor', build.mul(u, alpha)));
  const isLast = build.binary('eq', positions(3, 2, out), build.constant(out - 1, 'int32') as Node);
  return build.where(isLast, last, build.cast(place, 'int32'));
}

function pool(dims: 2 | 3, x: AnyTensor, kernel: PerAxis, options: FractionalPoolOptions): Tensor<number[]> {
  const op = `fractionalMaxPool${dims}d`;
  const given = floatOf(x, op);
  const images = withBatch(given, dims, op);
  checkOptions(op, options, OPTIONS);
  const [n, channels, ...sizes] = images.shape;
  const kernels = perAxis(kernel, dims, 'kernelSize', 1, op);
  const out = outputSizes(op, sizes, options);
  sizes.forEach((size, i) => {
    if (out[i] + kernels[i] - 1 <= size) return;
    throw new ShapeError(
      `${op}: ${out[i]} windows of ${kernels[i]} do not fit dimension ${i + 2} of ${formatShape(images.shape)}`,
      [images.shape],
    );
  });
  const { randomSamples } = options;
  const samples =
    randomSamples === undefined
      ? build.cast(random.uniform([n, channels, dims]), images.dtype)
      : build.cast(build.detach(nodeOf(randomSamples, op, 'the random samples')), images.dtype);
  if (!sameShape(samples.shape, [n, channels, dims]))
    throw new ShapeError(
      `${op}: randomSamples ${formatShape(samples.shape)}: needs ${formatShape([n, channels, dims])}`,
      [samples.shape],
    );
  // each axis as its windows, one behind the other
  const spread = sizes.reduce((y, size, i) => {
    const axis = i + 2;
    const which = dims === 2 ? 1 - i : i; // PyTorch's order
    const u = build.sliceAxis(samples, 2, which, which + 1);
    const first = build.reshape(starts(u, size, kernels[i], out[i]), [n, channels, out[i], 1]);
    const at = build.reshape(add(first, positions(4, 3, kernels[i])), [n, channels, out[i] * kernels[i]]);
    const shape = y.shape.with(axis, out[i] * kernels[i]);
    const column = shape.map((size_, k) => (k < 2 || k === axis ? size_ : 1));
    return build.gather(y, axis, build.expand(build.reshape(at, column), shape));
  }, images);
  return wrap(asGiven(maxPool(dims, spread, kernels, {}), given, dims));
}

/**
 * The largest elements of windows of x [N, C, H, W] or [C, H, W], which begin at places that are random, and different for each channel.
 * PyTorch: F.fractional_max_pool2d.
 */
export function fractionalMaxPool2d(x: AnyTensor, kernel: PerAxis, options: FractionalPoolOptions): Tensor<number[]> {
  return pool(2, x, kernel, options);
}

/** As fractionalMaxPool2d, of x [N, C, D, H, W] or [C, D, H, W]. PyTorch: F.fractional_max_pool3d. */
export function fractionalMaxPool3d(x: AnyTensor, kernel: PerAxis, options: FractionalPoolOptions): Tensor<number[]> {
  return pool(3, x, kernel, options);
}
