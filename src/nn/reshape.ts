// Layers that only move elements, or resample images: flatten, unflatten, pixel shuffle, upsample.

import { INTERPOLATE_OPTIONS } from '../tensor/resample.js';
import { ArgumentError, checkOptions, formatShape, ShapeError, sizeOf, shown } from '../tensor/library.js';
import {
  type InterpolateOptions,
  checkResample,
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
} from '../tensor/resample.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import type { PerAxis } from '../tensor/shape-types/window.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, checkCount } from './layer.js';
import { type ReceptiveField, WHOLE } from './receptive-field.js';
import type { FlattenFn, UnflattenFn } from './shape-types/movement.js';
import type { PixelShuffleFn, PixelUnshuffleFn, UpsampleFn } from './shape-types/windows.js';

/** Dimensions start to end as one; the batch stays by default. PyTorch: nn.Flatten. */
export class Flatten<const Start extends number = 1, const End extends number = -1> extends Layer<
  FlattenFn<Start, End>
> {
  readonly start: number;
  readonly end: number;

  constructor(start?: Start, end?: End) {
    super();
    for (const dim of [start ?? 1, end ?? -1])
      if (!Number.isInteger(dim)) throw new ArgumentError(`Flatten: dimension ${dim}. Use a whole number.`);
    this.start = start ?? 1;
    this.end = end ?? -1;
  }

  protected compute(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }

  /** Positions become features: from here on everything can depend on everything. */
  protected override window(): ReceptiveField {
    return WHOLE;
  }
}

/**
 * One dimension as several, whose sizes multiply to its size; one of them may be -1. PyTorch: nn.Unflatten.
 *
 *     new Unflatten(1, [16, 4, 4])   // [N, 256] → [N, 16, 4, 4]
 */
export class Unflatten<const Dim extends number, const Sizes extends readonly number[]> extends Layer<
  UnflattenFn<Dim, Sizes>
> {
  readonly dim: Dim;
  readonly sizes: Sizes;

  constructor(dim: Dim, sizes: Sizes) {
    super();
    if (!Number.isInteger(dim)) throw new ArgumentError(`Unflatten: dim is ${shown(dim)}. Use a whole number.`);
    if (!Array.isArray(sizes)) throw new ArgumentError(`Unflatten: sizes is ${shown(sizes)}. Use a list of sizes.`);
    if (sizes.length === 0) throw new ArgumentError('Unflatten: no sizes. Give at least one.');
    for (const size of sizes) if (size !== -1) checkCount(size, 1, 'Unflatten: size');
    if (sizes.filter((size) => size === -1).length > 1)
      throw new ArgumentError(`Unflatten: ${formatShape(sizes)} has more than one -1.`);
    this.dim = dim;
    this.sizes = sizes;
  }

  protected compute(x: Tensor): Tensor {
    const { sizes } = this;
    const axis = this.dim < 0 ? this.dim + x.rank : this.dim;
    if (axis < 0 || axis >= x.rank)
      throw new ShapeError(`Unflatten: input ${formatShape(x.shape)} has no dimension ${this.dim}`, [x.shape]);
    const size = x.shape[axis];
    const known = sizeOf(sizes.filter((n) => n !== -1));
    if (sizes.includes(-1) ? size % known !== 0 : size !== known) {
      throw new ShapeError(
        `Unflatten: input ${formatShape(x.shape)}: dimension ${axis} of size ${size} is not ${formatShape(sizes)}`,
        [x.shape],
      );
    }
    const filled = sizes.map((n) => (n === -1 ? size / known : n));
    return x.reshape([...x.shape.slice(0, axis), ...filled, ...x.shape.slice(axis + 1)] as readonly number[]);
  }

  protected override describe(): string {
    return `${this.dim}, ${formatShape(this.sizes)}`;
  }
}

/**
 * x [..., C·r², H, W] → [..., C, H·r, W·r]: the channels of a pixel become a square of pixels (Shi et al. 2016).
 * PyTorch: nn.PixelShuffle.
 */
export class PixelShuffle<const R extends number> extends Layer<PixelShuffleFn<R>> {
  readonly factor: R;

  constructor(upscaleFactor: R) {
    super();
    checkCount(upscaleFactor, 1, 'PixelShuffle: upscaleFactor');
    this.factor = upscaleFactor;
  }

  protected compute(x: Tensor): Tensor {
    checkImage('PixelShuffle', x);
    const channels = x.shape[x.rank - 3];
    if (channels % this.factor ** 2 !== 0) {
      throw new ShapeError(
        `PixelShuffle: input ${formatShape(x.shape)}: ${channels} channels are not a multiple of ${this.factor ** 2}`,
        [x.shape],
      );
    }
    return pixelShuffle(x, this.factor);
  }

  protected override describe(): string {
    return `${this.factor}`;
  }
}

/** x [..., C, H·r, W·r] → [..., C·r², H, W]: the inverse of PixelShuffle. PyTorch: nn.PixelUnshuffle. */
export class PixelUnshuffle<const R extends number> extends Layer<PixelUnshuffleFn<R>> {
  readonly factor: R;

  constructor(downscaleFactor: R) {
    super();
    checkCount(downscaleFactor, 1, 'PixelUnshuffle: downscaleFactor');
    this.factor = downscaleFactor;
  }

  protected compute(x: Tensor): Tensor {
    checkImage('PixelUnshuffle', x);
    if (x.shape.slice(-2).some((n) => n % this.factor !== 0)) {
      throw new ShapeError(
        `PixelUnshuffle: input ${formatShape(x.shape)}: height and width are not multiples of ${this.factor}`,
        [x.shape],
      );
    }
    return pixelUnshuffle(x, this.factor);
  }

  protected override describe(): string {
    return `${this.factor}`;
  }
}

function checkImage(name: string, x: Tensor): void {
  if (x.rank < 3) throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs [..., C, H, W]`, [x.shape]);
}

/**
 * x [N, C, L], [N, C, H, W] or [N, C, D, H, W] in another size: `size` or `scaleFactor`, with the modes and options of
 * `interpolate`. PyTorch: nn.Upsample.
 *
 *     new Upsample({ scaleFactor: 2, mode: 'bilinear' })
 */
export class Upsample<const O extends InterpolateOptions> extends Layer<
  UpsampleFn<OptionOf<O, 'size', 0, PerAxis>, OptionOf<O, 'scaleFactor', 0, PerAxis>>
> {
  readonly options: O;

  constructor(options: O & Exact<O, InterpolateOptions>) {
    checkOptions(new.target.name, options, INTERPOLATE_OPTIONS);
    super();
    checkResample('Upsample', options);
    this.options = options;
  }

  protected compute(x: Tensor): Tensor {
    if (x.rank < 3 || x.rank > 5) {
      throw new ShapeError(
        `Upsample: input ${formatShape(x.shape)}: needs [N, C, L], [N, C, H, W] or [N, C, D, H, W]`,
        [x.shape],
      );
    }
    const options: InterpolateOptions = this.options;
    return interpolate(x, options);
  }

  protected override describe(): string {
    return `{ ${Object.entries(this.options)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join(', ')} }`;
  }
}
