// Rotation, affine maps and perspective. A map from the result to the image says where each pixel comes from; between
// pixels it is interpolated, outside it is `fill`. Coordinates as in torchvision: of an affine map relative to the
// image's middle, y down.
//   matrix [a, b, c, d, e, f]: (x, y) of the result → (a·x + b·y + c, d·x + e·y + f) of the image
// Must not know: random numbers.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkNumber,
  checkNeededOptions,
} from '../../../tensor/library.js';
import { type Image, type Pixels, allocate, checkImage, roundEven } from '../image.js';
import { fillOf, quarterTurns } from './gather.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';
import { largest, smallest } from '../../../tensor/extremes.js';

export type WarpInterpolation = 'nearest' | 'bilinear';

/** (a·x + b·y + c, d·x + e·y + f), as [a, b, c, d, e, f]. */
export type AffineMatrix = readonly [number, number, number, number, number, number];

/** ((a·x + b·y + c) / (g·x + h·y + 1), (d·x + e·y + f) / (g·x + h·y + 1)), as [a, b, c, d, e, f, g, h]. */
export type PerspectiveCoefficients = readonly [number, number, number, number, number, number, number, number];

/** [x, y] in pixels. */
export type Point = readonly [x: number, y: number];

export interface WarpOptions {
  /** Default 'nearest', for perspective 'bilinear'; as torchvision. */
  readonly interpolation?: WarpInterpolation;
  /** What lies outside, one value for all channels or one for each. Default 0. */
  readonly fill?: number | readonly number[];
}

const WARP_OPTIONS: OptionNames<WarpOptions> = { interpolation: true, fill: true };

export interface RotateOptions extends WarpOptions {
  /** The fixed point in pixels from the upper left corner. Default: the middle. */
  readonly center?: Point;
  /** Make the result as large as the turned image. Default false. */
  readonly expand?: boolean;
}

const ROTATE_OPTIONS: OptionNames<RotateOptions> = { center: true, expand: true, interpolation: true, fill: true };

export interface AffineOptions extends WarpOptions {
  /** Degrees, clockwise (torchvision's affine turns the other way round than its rotate). Default 0. */
  readonly angle?: number;
  /** Pixels to the right and down. Default [0, 0]. */
  readonly translate?: Point;
  /** Default 1. */
  readonly scale?: number;
  /** Degrees along x, or along x and y. Default 0. */
  readonly shear?: number | Point;
  /** The fixed point in pixels from the upper left corner. Default: the middle. */
  readonly center?: Point;
}

const AFFINE_OPTIONS: OptionNames<AffineOptions> = {
  angle: true,
  translate: true,
  scale: true,
  shear: true,
  center: true,
  interpolation: true,
  fill: true,
};

/** Planes of one size, one after the other. */
interface Planes {
  readonly data: Pixels;
  readonly shape: readonly [channels: number, height: number, width: number];
}

/**
 * Writes into `target` what `matrix` brings from `source`; both have the same number of channels. `target` may be a part of
 * a larger array, so that a whole batch needs no copies.
 */
export function warpInto(
  target: Planes,
  source: Planes,
  [a, b, c, d, e, f]: AffineMatrix,
  interpolation: WarpInterpolation,
  fill: number | readonly number[] = 0,
): void {
  const [, outHeight, outWidth] = target.shape;
  const [, height, width] = source.shape;
  for (let i = 0, at = 0; i < outHeight; i++) {
    const y = i - (outHeight - 1) / 2;
    for (let j = 0; j < outWidth; j++, at++) {
      const x = j - (outWidth - 1) / 2;
      const sourceX = a * x + b * y + c + (width - 1) / 2;
      const sourceY = d * x + e * y + f + (height - 1) / 2;
      if (interpolation === 'nearest') takeNearest(target, at, source, sourceX, sourceY, fill);
      else takeBilinear(target, at, source, sourceX, sourceY, fill);
    }
  }
}

/** Position `at` of each plane of the target becomes the source's pixel nearest to (x, y). */
function takeNearest(
  { data: out, shape: [channels, outHeight, outWidth] }: Planes,
  at: number,
  { data, shape: [, height, width] }: Planes,
  x: number,
  y: number,
  fill: number | readonly number[],
): void {
  const row = roundEven(y);
  const column = roundEven(x);
  const inside = row >= 0 && row < height && column >= 0 && column < width;
  const [plane, outPlane] = [height * width, outHeight * outWidth];
  for (let c = 0; c < channels; c++) {
    out[c * outPlane + at] = inside ? data[c * plane + row * width + column] : fillOf(fill, c);
  }
}

/** Position `at` of each plane of the target becomes the mean of the four pixels of the source around (x, y). */
function takeBilinear(
  { data: out, shape: [channels, outHeight, outWidth] }: Planes,
  at: number,
  { data, shape: [, height, width] }: Planes,
  x: number,
  y: number,
  fill: number | readonly number[],
): void {
  const [row, column] = [Math.floor(y), Math.floor(x)];
  const [fy, fx] = [y - row, x - column];
  const [plane, outPlane] = [height * width, outHeight * outWidth];
  const isBytes = isUint8Array(out);
  const inside = row >= 0 && row + 1 < height && column >= 0 && column + 1 < width;
  const isTop = row >= 0 && row < height;
  const isBottom = row + 1 >= 0 && row + 1 < height;
  const isLeft = column >= 0 && column < width;
  const isRight = column + 1 >= 0 && column + 1 < width;
  for (let c = 0; c < channels; c++) {
    const from = c * plane + row * width + column;
    let value: number;
    if (inside) {
      const top = data[from] * (1 - fx) + data[from + 1] * fx;
      const bottom = data[from + width] * (1 - fx) + data[from + width + 1] * fx;
      value = top * (1 - fy) + bottom * fy;
    } else {
      const outside = fillOf(fill, c);
      const topLeft = isTop && isLeft ? data[from] : outside;
      const topRight = isTop && isRight ? data[from + 1] : outside;
      const bottomLeft = isBottom && isLeft ? data[from + width] : outside;
      const bottomRight = isBottom && isRight ? data[from + width + 1] : outside;
      const top = topLeft * (1 - fx) + topRight * fx;
      const bottom = bottomLeft * (1 - fx) + bottomRight * fx;
      value = top * (1 - fy) + bottom * fy;
    }
    out[c * outPlane + at] = isBytes ? roundEven(value) : value;
  }
}

/**
 * The inverse of an affine map about `center` (relative to the middle): turned clockwise by `angle` degrees, scaled, sheared by
 * degrees, moved by `translate`. torchvision: _get_inverse_affine_matrix.
 */
export function inverseAffineMatrix(
  center: Point,
  angle: number,
  translate: Point,
  scale: number,
  [shearX, shearY]: Point,
): AffineMatrix {
  const radians = Math.PI / 180;
  const turn = angle * radians;
  // turning after shearing, without the scale: [[p, q], [r, s]], a matrix of determinant 1
  const p = Math.cos(turn - shearY * radians) / Math.cos(shearY * radians);
  const r = Math.sin(turn - shearY * radians) / Math.cos(shearY * radians);
  const q = -p * Math.tan(shearX * radians) - Math.sin(turn);
  const s = Math.cos(turn) - r * Math.tan(shearX * radians);
  const [a, b, d, e] = [s / scale, -q / scale, -r / scale, p / scale];
  const [x, y] = [center[0] + translate[0], center[1] + translate[1]];
  return [a, b, center[0] - a * x - b * y, d, e, center[1] - d * x - e * y];
}

function relative(center: Point | undefined, [, height, width]: readonly number[]): Point {
  return center === undefined ? [0, 0] : [center[0] - width / 2, center[1] - height / 2];
}

/** Turned counter-clockwise by `angle` degrees about its middle. torchvision: rotate. */
export function rotate<D extends Pixels, C extends number>(
  image: Image<D, C>,
  angle: number,
  options: RotateOptions = {},
): Image<D, C> {
  checkOptions('rotate', options, ROTATE_OPTIONS);
  const { interpolation = 'nearest', fill = 0, center, expand = false } = options;
  checkImage('rotate', image);
  checkNumber('rotate', 'the angle', angle);
  const turn = ((angle % 360) + 360) % 360;
  const [channels, height, width] = image.shape;
  // whole pixels go to whole pixels: exact, and no interpolation
  if (center === undefined && (turn % 180 === 0 || (turn % 90 === 0 && (expand || height === width)))) {
    return quarterTurns(image, turn / 90);
  }
  const matrix = inverseAffineMatrix(relative(center, image.shape), -turn, [0, 0], 1, [0, 0]);
  const [outHeight, outWidth] = expand ? expandedSize(matrix, height, width) : [height, width];
  const data = allocate(image.data, channels * outHeight * outWidth);
  const turned = { data, shape: [channels, outHeight, outWidth] } as const;
  warpInto(turned, image, matrix, interpolation, fill);
  return turned;
}

/** Height and width of what holds all four mapped corners; a thousandth of a pixel more does not count. */
function expandedSize([a, b, c, d, e, f]: AffineMatrix, height: number, width: number): [number, number] {
  const corners = [-1, 1].flatMap((x) => [-1, 1].map((y) => [(x * width) / 2, (y * height) / 2] as const));
  const extent = (along: (x: number, y: number) => number, half: number): number => {
    const ends = corners.map(([x, y]) => Math.trunc((along(x, y) + half) * 1000) / 1000);
    return Math.ceil(largest(ends)) - Math.floor(smallest(ends));
  };
  return [extent((x, y) => d * x + e * y + f, height / 2), extent((x, y) => a * x + b * y + c, width / 2)];
}

/** Turned, scaled, sheared and moved, in its old size. torchvision: affine. */
export function affine<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  options: AffineOptions,
): Image<D, C, H, W> {
  checkNeededOptions('affine', options, AFFINE_OPTIONS, '{ angle: 10 }');
  const { angle = 0, translate = [0, 0], scale = 1, shear = 0, center, interpolation = 'nearest', fill = 0 } = options;
  checkImage('affine', image);
  if (!(scale > 0)) throw new ArgumentError(`affine: a scale of ${scale}. Use a number above 0.`);
  const matrix = inverseAffineMatrix(
    relative(center, image.shape),
    angle,
    translate,
    scale,
    typeof shear === 'number' ? [shear, 0] : shear,
  );
  const moved = { data: allocate(image.data, image.data.length), shape: image.shape };
  warpInto(moved, image, matrix, interpolation, fill);
  return moved;
}

/**
 * The image as seen from elsewhere: the points `from` of the image come to the points `to`. torchvision: perspective.
 * Four corners each, in the order upper left, upper right, lower right, lower left.
 */
export function perspective<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  from: readonly Point[],
  to: readonly Point[],
  options: WarpOptions = {},
): Image<D, C, H, W> {
  checkOptions('perspective', options, WARP_OPTIONS);
  const { interpolation = 'bilinear', fill = 0 } = options;
  checkImage('perspective', image);
  const [a, b, c, d, e, f, g, h] = perspectiveCoefficients(from, to);
  const [, height, width] = image.shape;
  const seen = { data: allocate(image.data, image.data.length), shape: image.shape };
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++, at++) {
      const x = j + 0.5;
      const y = i + 0.5;
      const depth = g * x + h * y + 1;
      const sourceX = (a * x + b * y + c) / depth - 0.5;
      const sourceY = (d * x + e * y + f) / depth - 0.5;
      if (interpolation === 'nearest') takeNearest(seen, at, image, sourceX, sourceY, fill);
      else takeBilinear(seen, at, image, sourceX, sourceY, fill);
    }
  }
  return seen;
}

/** The map that brings the points `to` of the result back to the points `from` of the image. Throws if there is none. */
export function perspectiveCoefficients(from: readonly Point[], to: readonly Point[]): PerspectiveCoefficients {
  if (from.length !== 4 || to.length !== 4) {
    throw new ArgumentError(`perspective: ${from.length} and ${to.length} points. Give four corners each.`);
  }
  const rows = to.flatMap(([x, y], i) => {
    const [u, v] = from[i];
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  for (let k = 0; k < 8; k++) {
    let pivot = k;
    for (let i = k + 1; i < 8; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    if (Math.abs(rows[pivot][k]) < 1e-9) {
      throw new ArgumentError('perspective: three of the four corners lie on one line. Give a true quadrilateral.');
    }
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < 8; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j < 9; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const [a, b, c, d, e, f, g, h] = rows.map((row, k) => row[8] / row[k]);
  return [a, b, c, d, e, f, g, h];
}
