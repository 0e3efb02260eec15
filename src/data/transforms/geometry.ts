// Transforms that move pixels: crops, flips, other sizes, rotation, affine maps, perspective.
// Names, defaults and distributions of torchvision; sizes are [height, width], points [x, y].

import { RESIZE_OPTIONS } from './functional/resize.js';
import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  ShapeError,
  checkNumber,
  checkNumbers,
  checkRandom,
  checkNeededOptions,
} from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import type { Transform } from '../transform.js';
import { checkProbability } from './compose.js';
import * as F from './functional/index.js';
import { gather, PAD_OPTIONS, positions, sides } from './functional/gather.js';
import {
  type Image,
  type ImageTransform,
  type Pixels,
  type Size,
  type SizeTransform,
  checkImage,
  checkRange,
  checkSizePair,
  checkSizes,
  sizePair,
} from './image.js';

/** Both ends of a range; one number stands for −number … number. */
export type Range = number | readonly [low: number, high: number];

export function rangeOf(op: string, name: string, range: Range): readonly [number, number] {
  if (typeof range !== 'number') checkNumbers(op, name, range);
  else checkNumber(op, name, range);
  const [low, high] = typeof range === 'number' ? [-range, range] : range;
  if (!(low <= high)) throw new ArgumentError(`${op}: ${name} from ${low} to ${high}. Give the smaller number first.`);
  return [low, high];
}

/** The change with probability `p`. */
export function sometimes(op: string, p: number, change: ImageTransform): ImageTransform {
  checkProbability(op, p);
  return (image, random) => {
    checkImage(op, image);
    checkRandom(op, random);
    return random.uniform() < p ? change(image, random) : image;
  };
}

/** The image in another size; one number is the length of the shorter side. torchvision: Resize. */
export function resize<const H extends number, const W extends number>(
  size: readonly [H, W],
  options?: F.ResizeOptions,
): SizeTransform<H, W>;
export function resize(size: number, options?: F.ResizeOptions): SizeTransform;
export function resize(size: number | readonly [number, number], options: F.ResizeOptions = {}): SizeTransform {
  checkOptions('resize', options, RESIZE_OPTIONS);
  if (typeof size === 'number') checkSizes('resize', size);
  else checkSizePair('resize', size);
  return (image) => F.resize(image, size, options);
}

/** A border around the image. torchvision: Pad. */
export function pad(padding: F.Padding, options: F.PadOptions = {}): SizeTransform {
  checkOptions('pad', options, PAD_OPTIONS);
  sides(padding);
  return (image) => F.pad(image, padding, options);
}

/** The middle. torchvision: CenterCrop. */
export function centerCrop<const H extends number, const W extends number>(size: readonly [H, W]): SizeTransform<H, W>;
export function centerCrop<const N extends number>(size: N): SizeTransform<N, N>;
export function centerCrop(size: Size): SizeTransform {
  const pair = sizePair('centerCrop', size);
  return (image) => F.centerCrop(image, pair);
}

export interface RandomCropOptions extends F.PadOptions {
  /** A border before cropping. Default 0. */
  readonly padding?: F.Padding;
}

const RANDOM_CROP_OPTIONS: OptionNames<RandomCropOptions> = { padding: true, fill: true, mode: true };

/**
 * A part of `size` at a random place, after an optional border. torchvision: RandomCrop. Throws if the image with its border is
 * smaller than `size`.
 */
export function randomCrop<const H extends number, const W extends number>(
  size: readonly [H, W],
  options?: RandomCropOptions,
): SizeTransform<H, W>;
export function randomCrop<const N extends number>(size: N, options?: RandomCropOptions): SizeTransform<N, N>;
export function randomCrop(size: Size, options: RandomCropOptions = {}): SizeTransform {
  checkOptions('randomCrop', options, RANDOM_CROP_OPTIONS);
  const { padding = 0, fill = 0, mode = 'constant' } = options;
  const [height, width] = sizePair('randomCrop', size);
  const [left, top, right, bottom] = sides(padding);
  return <D extends Pixels, C extends number>(image: Image<D, C>, random: HostRandom) => {
    checkImage('randomCrop', image);
    checkRandom('randomCrop', random);
    // the border is never made: only the rows and columns of the crop are looked up in it
    const rows = positions(image.shape[1], top, bottom, mode);
    const columns = positions(image.shape[2], left, right, mode);
    if (height > rows.length || width > columns.length) {
      throw new ShapeError(
        `randomCrop: [${height}, ${width}] from an image of [${rows.length}, ${columns.length}], border included. Use a smaller size or padding.`,
        [image.shape],
      );
    }
    const [i, j] = [random.below(rows.length - height + 1), random.below(columns.length - width + 1)];
    return gather(image, rows.subarray(i, i + height), columns.subarray(j, j + width), fill);
  };
}

export interface RandomResizedCropOptions extends F.ResizeOptions {
  /** Share of the image's area. Default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Width over height. Default [3 / 4, 4 / 3]. */
  readonly ratio?: readonly [number, number];
}

const RANDOM_RESIZED_CROP_OPTIONS: OptionNames<RandomResizedCropOptions> = {
  scale: true,
  ratio: true,
  interpolation: true,
  antialias: true,
};

/** A random part of random shape in `size`: how Inception and ResNet were trained. torchvision: RandomResizedCrop. */
export function randomResizedCrop<const H extends number, const W extends number>(
  size: readonly [H, W],
  options?: RandomResizedCropOptions,
): SizeTransform<H, W>;
export function randomResizedCrop<const N extends number>(
  size: N,
  options?: RandomResizedCropOptions,
): SizeTransform<N, N>;
export function randomResizedCrop(size: Size, given: RandomResizedCropOptions = {}): SizeTransform {
  checkOptions('randomResizedCrop', given, RANDOM_RESIZED_CROP_OPTIONS);
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], ...options } = given;
  const pair = sizePair('randomResizedCrop', size);
  rangeOf('randomResizedCrop', 'scale', scale);
  rangeOf('randomResizedCrop', 'ratio', ratio);
  return <D extends Pixels, C extends number>(image: Image<D, C>, random: HostRandom) => {
    checkImage('randomResizedCrop', image);
    checkRandom('randomResizedCrop', random);
    const [, height, width] = image.shape;
    const box = randomBox(random, height, width, scale, ratio) ?? widestBox(height, width, ratio);
    return F.resizedCrop(image, box, pair, options);
  };
}

/** A box of random area and shape at a random place; none if ten have not fitted. */
export function randomBox(
  random: HostRandom,
  height: number,
  width: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): F.Box | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.between(scale[0], scale[1]);
    const aspect = Math.exp(random.between(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return { top: random.below(height - h + 1), left: random.below(width - w + 1), height: h, width: w };
  }
  return undefined;
}

/** The largest box in the middle whose shape is allowed. */
function widestBox(height: number, width: number, [narrow, broad]: readonly [number, number]): F.Box {
  const shape = width / height;
  const w = shape > broad ? Math.round(height * broad) : width;
  const h = shape < narrow ? Math.round(width / narrow) : height;
  return { top: (height - h) >> 1, left: (width - w) >> 1, height: h, width: w };
}

/** Left and right change places with probability `p`. torchvision: RandomHorizontalFlip. */
export function randomHorizontalFlip(p = 0.5): ImageTransform {
  return sometimes('randomHorizontalFlip', p, (image) => F.horizontalFlip(image));
}

/** Top and bottom change places with probability `p`. torchvision: RandomVerticalFlip. */
export function randomVerticalFlip(p = 0.5): ImageTransform {
  return sometimes('randomVerticalFlip', p, (image) => F.verticalFlip(image));
}

export interface RandomRotationOptions extends Omit<F.RotateOptions, 'expand'> {}

const RANDOM_ROTATION_OPTIONS: OptionNames<RandomRotationOptions> = { center: true, interpolation: true, fill: true };

/** Turned by a random angle in degrees. torchvision: RandomRotation. */
export function randomRotation(degrees: Range, options: RandomRotationOptions = {}): ImageTransform {
  checkOptions('randomRotation', options, RANDOM_ROTATION_OPTIONS);
  const [low, high] = rangeOf('randomRotation', 'degrees', degrees);
  const turn: Transform<Image> = (image, random) => {
    checkImage('randomRotation', image);
    checkRandom('randomRotation', random);
    return F.rotate(image, random.between(low, high), options);
  };
  return turn as ImageTransform;
}

export interface RandomAffineOptions extends F.WarpOptions {
  /** Default 0. */
  readonly degrees?: Range;
  /** Largest shifts as shares of width and height; rounded to whole pixels with nearest interpolation, as torchvision does. Default none. */
  readonly translate?: F.Point;
  /** Default [1, 1]. */
  readonly scale?: readonly [low: number, high: number];
  /** Degrees along x, or [x low, x high, y low, y high]. Default none. */
  readonly shear?: Range | readonly [number, number, number, number];
  /** The fixed point. Default: the middle. */
  readonly center?: F.Point;
}

const RANDOM_AFFINE_OPTIONS: OptionNames<RandomAffineOptions> = {
  degrees: true,
  translate: true,
  scale: true,
  shear: true,
  center: true,
  interpolation: true,
  fill: true,
};

/** Turned, moved, scaled and sheared at random. torchvision: RandomAffine. */
export function randomAffine(given: RandomAffineOptions): ImageTransform {
  checkNeededOptions('randomAffine', given, RANDOM_AFFINE_OPTIONS, '{ degrees: 10 }');
  const { degrees = 0, translate = [0, 0], scale = [1, 1], shear = 0, ...options } = given;
  const [low, high] = rangeOf('randomAffine', 'degrees', degrees);
  rangeOf('randomAffine', 'scale', scale);
  if (!(scale[0] > 0)) throw new ArgumentError(`randomAffine: a scale of ${scale[0]}. Use numbers above 0.`);
  for (const share of translate) checkRange('randomAffine', 'translate', share, 0, 1);
  const isFour = typeof shear !== 'number' && shear.length === 4;
  const along = rangeOf('randomAffine', 'shear', isFour ? [shear[0], shear[1]] : (shear as Range));
  const across = rangeOf('randomAffine', 'shear', isFour ? [shear[2], shear[3]] : 0);
  const isWhole = options.interpolation !== 'bilinear';
  const shift = (random: HostRandom, most: number): number => {
    const pixels = random.between(-most, most);
    return isWhole ? Math.round(pixels) : pixels;
  };
  return (image, random) => {
    checkImage('randomAffine', image);
    checkRandom('randomAffine', random);
    return F.affine(image, {
      ...options,
      angle: random.between(low, high),
      translate: [shift(random, translate[0] * image.shape[2]), shift(random, translate[1] * image.shape[1])],
      scale: random.between(scale[0], scale[1]),
      shear: [random.between(along[0], along[1]), random.between(across[0], across[1])],
    });
  };
}

export interface RandomPerspectiveOptions extends F.WarpOptions {
  /** How far corners move inwards, as a share of half the size. Default 0.5. */
  readonly distortion?: number;
  /** Default 0.5. */
  readonly p?: number;
}

const RANDOM_PERSPECTIVE_OPTIONS: OptionNames<RandomPerspectiveOptions> = {
  distortion: true,
  p: true,
  interpolation: true,
  fill: true,
};

/** Seen from a random side: each corner moves inwards at random. torchvision: RandomPerspective. */
export function randomPerspective(given: RandomPerspectiveOptions = {}): ImageTransform {
  checkOptions('randomPerspective', given, RANDOM_PERSPECTIVE_OPTIONS);
  const { distortion = 0.5, p = 0.5, ...options } = given;
  checkRange('randomPerspective', 'distortion', distortion, 0, 1);
  return sometimes('randomPerspective', p, (image, random) => {
    const [, height, width] = image.shape;
    const across = Math.floor(distortion * (width >> 1)) + 1;
    const down = Math.floor(distortion * (height >> 1)) + 1;
    const [right, bottom] = [width - 1, height - 1];
    const near = () => [random.below(across), random.below(down)];
    const [a, b, c, d] = [near(), near(), near(), near()];
    const to = [
      [a[0], a[1]] as const,
      [right - b[0], b[1]] as const,
      [right - c[0], bottom - c[1]] as const,
      [d[0], bottom - d[1]] as const,
    ];
    return F.perspective(
      image,
      [
        [0, 0],
        [right, 0],
        [right, bottom],
        [0, bottom],
      ],
      to,
      options,
    );
  });
}
