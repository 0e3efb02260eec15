// Resampling: images of another size. Every method is linear and treats one dimension after the other; a map of each says what
// an output element takes from the input (axis-map.ts computes it, and the gradient).

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Exact } from '../tensor/shape-types/options.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import { type Shape, checkShape, formatShape, shown } from '../engine/ir/shape.js';
import { adaptiveMeans } from './adaptive-pooling.js';
import { type AxisMap, type AxisMaps, mapAxes } from './axis-map.js';
import { type ResampleMode, mapOf } from './resample-maps.js';
import type { OptionOf } from './shape-types/options.js';
import type { PerAxis, ResampleArg, ResampleShape } from './shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor } from './tensor.js';
import { perAxis } from './windows.js';

export interface InterpolateOptions {
  /** The new sizes, one for all or one for each dimension; or a scaleFactor. */
  readonly size?: PerAxis;
  readonly scaleFactor?: PerAxis;
  /**
   * 'nearest' (the default; 'nearest-exact' rounds positions properly), 'area' (means of what an element stands for), or between elements:
   * 'linear' for [N, C, L], 'bilinear' and 'bicubic' for [N, C, H, W], 'trilinear' for [N, C, D, H, W].
   */
  readonly mode?: ResampleMode;
  /** The centres of the corner elements stay where they are, instead of the corners of the image. Default false. */
  readonly alignCorners?: boolean;
  /** With 'bilinear' and 'bicubic', an element of a smaller image is a weighted mean of all that it stands for. Default false. */
  readonly antialias?: boolean;
}

export type { ResampleMode };

export const INTERPOLATE_OPTIONS: OptionNames<InterpolateOptions> = {
  size: true,
  scaleFactor: true,
  mode: true,
  alignCorners: true,
  antialias: true,
};

const MODES: readonly ResampleMode[] = [
  'nearest',
  'nearest-exact',
  'area',
  'linear',
  'bilinear',
  'bicubic',
  'trilinear',
];

/** Modes that take means of neighbours, with the number of dimensions that each is for. */
const SMOOTH: Readonly<Partial<Record<ResampleMode, number>>> = { linear: 1, bilinear: 2, bicubic: 2, trilinear: 3 };

/** Is every element there equally often, in its order? */
function repeatsEach({ from, to, sources }: AxisMap): boolean {
  return to % from === 0 && sources.every(([[index]], i) => index === Math.floor((i * from) / to));
}

function leavesAll({ from, to, sources }: AxisMap): boolean {
  return from === to && sources.every((list, i) => list.every(([index, weight]) => weight === 0 || index === i));
}

/** Each element as a block: what 'nearest' mostly is for whole factors, with nothing to look up. */
function repeatEach(x: Tensor, factors: readonly number[]): Tensor {
  const [batch, channels, ...sizes] = x.shape;
  const apart = [batch, channels, ...sizes.flatMap((n) => [n, 1])];
  const wide = [batch, channels, ...sizes.flatMap((n, i) => [n, factors[i]])];
  const repeated = x.reshape(apart as Shape).expand(wide as Shape);
  return repeated.reshape([batch, channels, ...sizes.map((n, i) => n * factors[i])] as Shape);
}

/** Throws unless exactly one of size and scaleFactor is given, and the mode is known and goes with the other options. */
export function checkResample(name: string, options: InterpolateOptions): void {
  if (options === undefined) throw new ArgumentError(`${name}: give either size or scaleFactor.`);
  const { size, scaleFactor, mode = 'nearest', alignCorners = false, antialias = false } = options;
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ArgumentError(`${name}: give either size or scaleFactor.`);
  if (!MODES.includes(mode))
    throw new ArgumentError(
      `${name}: mode '${mode}' is not known. Use one of ${MODES.map((m) => `'${m}'`).join(', ')}.`,
    );
  if (alignCorners && SMOOTH[mode] === undefined)
    throw new ArgumentError(
      `${name}: alignCorners is for 'linear', 'bilinear', 'bicubic' and 'trilinear', not '${mode}'.`,
    );
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic')
    throw new ArgumentError(`${name}: antialias is for 'bilinear' and 'bicubic', not '${mode}'.`);
  for (const factor of [scaleFactor === undefined ? 1 : scaleFactor].flat()) {
    if (!(typeof factor === 'number' && factor > 0 && Number.isFinite(factor)))
      throw new ArgumentError(`${name}: scaleFactor is ${shown(factor)}. Use a number above 0.`);
  }
  if (size !== undefined) perAxis(size, Array.isArray(size) ? size.length : 1, 'size', 1, name);
}

/**
 * x [N, C, L], [N, C, H, W] or [N, C, D, H, W] in another size: each output element takes the nearest input element or a mean of
 * its neighbours. PyTorch: F.interpolate.
 *
 *     interpolate(image, { scaleFactor: 2, mode: 'bilinear' });   // [1, 3, 8, 8] → [1, 3, 16, 16]
 */
export function interpolate<S extends Shape, const O extends InterpolateOptions>(
  x: Tensor<S> & ResampleArg<'interpolate', S>,
  options: O & Exact<O, InterpolateOptions>,
): Tensor<ResampleShape<S, OptionOf<O, 'size', 0, PerAxis>, OptionOf<O, 'scaleFactor', 0, PerAxis>>> {
  checkTensor(x, 'interpolate', 'the input');
  checkOptions('interpolate', options, INTERPOLATE_OPTIONS);
  return resample(x, options);
}

function resample(x: Tensor, options: InterpolateOptions): Tensor {
  checkResample('interpolate', options);
  const { mode = 'nearest', alignCorners = false, antialias = false } = options;
  const sizes = x.shape.slice(2);
  const dims = sizes.length;
  if (dims < 1 || dims > 3 || dims !== (SMOOTH[mode] ?? dims)) {
    throw new ArgumentError(
      `interpolate: mode '${mode}' does not go with an input of rank ${x.rank}. Use 'linear' for [N, C, L], 'bilinear' or 'bicubic' for [N, C, H, W], 'trilinear' for [N, C, D, H, W], and the others for any of them.`,
    );
  }
  const factors = options.scaleFactor === undefined ? undefined : list(options.scaleFactor, dims, 'scaleFactor');
  const to = factors?.map((factor, i) => Math.floor(sizes[i] * factor)) ?? list(options.size ?? 1, dims, 'size');
  to.forEach((n, i) => {
    if (n === 0 && sizes[i] > 0)
      throw new ArgumentError(
        `interpolate: scaleFactor ${factors?.[i]} leaves nothing of ${sizes[i]}. Use a larger one.`,
      );
  });
  checkShape([...x.shape.slice(0, 2), ...to], 'interpolate');
  if (sizes.includes(0)) throw new ShapeError(`interpolate: input ${formatShape(x.shape)} has no pixels`, [x.shape]);
  if (mode !== 'nearest' && mode !== 'nearest-exact') checkMean(x, mode);
  if (mode === 'area') return adaptiveMeans('interpolate', x, to);
  const maps = sizes.map((from, i) => mapOf({ from, to: to[i], factor: factors?.[i], mode, alignCorners, antialias }));
  if (SMOOTH[mode] === undefined && maps.every(repeatsEach)) {
    return repeatEach(
      x,
      maps.map((map) => map.to / map.from),
    );
  }
  const axes: AxisMaps = maps.map((map, i) => [i + 2, map]);
  // PyTorch hands a gradient on as it is where nothing changes its size, although the values take neighbours of weight 0.
  const isCopied = mode === 'bicubic' && maps.every(leavesAll);
  return mapAxes('interpolate', x, axes, isCopied ? () => [] : undefined);
}

function checkMean({ dtype }: AnyTensor, mode: ResampleMode): void {
  if (dtype !== 'int32' && dtype !== 'bool') return;
  throw new DTypeError(`interpolate: mode '${mode}' takes means, and x is ${dtype}. Convert with to('float32').`, [
    dtype,
  ]);
}

function list(value: PerAxis, dims: number, what: string): readonly number[] {
  if (typeof value === 'number') return new Array<number>(dims).fill(value);
  if (value.length !== dims)
    throw new ArgumentError(`interpolate: ${what} [${value.join(', ')}] needs ${dims} numbers.`);
  return value;
}

/** x [..., C·r², H, W] → [..., C, H·r, W·r]: channels become pixels (Shi et al. 2016). PyTorch: F.pixel_shuffle. */
export function pixelShuffle(x: Tensor, r: number): Tensor {
  checkTensor(x, 'pixelShuffle', 'the input');
  const lead = x.shape.slice(0, -3);
  const [channels, height, width] = x.shape.slice(-3);
  const [k, c] = [lead.length, channels / (r * r)];
  // (…, C, r, r, H, W) → (…, C, H, r, W, r)
  const apart = x.reshape([...lead, c, r, r, height, width] as Shape);
  const order = [...lead.keys(), k, k + 3, k + 1, k + 4, k + 2];
  return apart.permute(order).reshape([...lead, c, height * r, width * r] as Shape);
}

/** x [..., C, H·r, W·r] → [..., C·r², H, W]: the inverse of pixelShuffle. PyTorch: F.pixel_unshuffle. */
export function pixelUnshuffle(x: Tensor, r: number): Tensor {
  checkTensor(x, 'pixelUnshuffle', 'the input');
  const lead = x.shape.slice(0, -3);
  const [channels, height, width] = x.shape.slice(-3);
  const [k, h, w] = [lead.length, height / r, width / r];
  // (…, C, H, r, W, r) → (…, C, r, r, H, W)
  const apart = x.reshape([...lead, channels, h, r, w, r] as Shape);
  const order = [...lead.keys(), k, k + 2, k + 4, k + 1, k + 3];
  return apart.permute(order).reshape([...lead, channels * r * r, h, w] as Shape);
}
