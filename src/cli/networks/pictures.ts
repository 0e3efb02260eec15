// Pictures as the input of a network: decoded, then preprocessed as a network of a name wants it, at the size of this one.

import { NablaError } from '../../index.js';
import {
  type ImagePreprocessing,
  type PreprocessingName,
  type PreprocessingOptions,
  imagePreprocessing,
} from '../../vision/index.js';
import { type ReadImage, readImage } from '../../data/index.js';
import { CliError } from '../errors.js';
import { userFault } from '../inspect/tensors.js';
import { oneLine } from '../printable.js';
import type { PictureInput } from './network.js';

export interface PictureOptions {
  /** A name of `imagePreprocessing`, or none: numbers from 0 to 1. */
  readonly preprocess?: string;
}

/** Channels, height, width; undefined where any size does. */
export type PictureShape = readonly [channels: 1 | 3, height: number | undefined, width: number | undefined];

export const isPicturePath = (path: string): boolean => /\.(png|jpe?g|webp|gif|tiff?|avif)$/i.test(path);

/** Bytes [channels, height, width]. Throws CliError for what is no picture. */
export function decodePicture(path: string): Promise<ReadImage> {
  return userFault(() => readImage(path));
}

/**
 * What makes pictures the input of a network of this size: as the network of that name wants it, the resizing in proportion to its own; with
 * 'none' the middle (of a square) or the whole picture, from 0 to `most`.
 */
export function preprocessingFor(
  [channels, height, width]: PictureShape,
  name: string,
  most: 1 | 255 = 1,
): ImagePreprocessing {
  const isSized = height !== undefined && width !== undefined;
  const size = isSized ? ([height, width] as const) : undefined;
  try {
    if (name === 'none') {
      const isSquare = height === width;
      const resize = size === undefined ? {} : isSquare ? { resize: size[0], crop: size } : { resize: size };
      return imagePreprocessing({ ...resize, channels, rescale: most / 255 });
    }
    // Names are checked there.
    const own = imagePreprocessing(name as PreprocessingName);
    if (size === undefined) return changed(name, channels, own, {});
    const { resize, crop } = own.settings;
    if (crop === undefined) return changed(name, channels, own, { resize: size });
    const shorter = typeof resize === 'number' ? Math.round((shorterOf(size) * resize) / shorterOf(crop)) : size;
    return changed(name, channels, own, { resize: shorter, crop: size });
  } catch (error) {
    throw error instanceof NablaError ? new CliError(`--preprocess ${name}: ${oneLine(error)}`) : error;
  }
}

const shorterOf = ([height, width]: readonly [number, number]): number => Math.min(height, width);

/** For grey networks the mean of the three channels' numbers. */
function changed(
  name: string,
  channels: 1 | 3,
  { settings: { mean, std } }: ImagePreprocessing,
  changes: PreprocessingOptions,
): ImagePreprocessing {
  const one = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const grey = channels === 1 ? { channels, mean: one(mean), std: one(std) } : {};
  return imagePreprocessing(name as PreprocessingName, { ...changes, ...grey });
}

/** How pictures of that shape are read. Default: as networks that were trained on ImageNet take them. */
export function pictureInput(
  shape: readonly [number, number, number],
  { preprocess = 'imagenet' }: PictureOptions,
): PictureInput {
  const [channels, height, width] = shape;
  if (channels !== 1 && channels !== 3) return { shape, read: () => Promise.reject(noPicture(channels)) };
  return preprocessedBy(preprocessingFor([channels, height, width], preprocess), shape);
}

/** Pictures of that shape, read as the preprocessing says. */
export function preprocessedBy(preprocess: ImagePreprocessing, shape: readonly [number, number, number]): PictureInput {
  return {
    shape,
    async read(path) {
      const input = await preprocess(await decodePicture(path));
      return Float32Array.from(await input.data());
    },
  };
}

const noPicture = (channels: number): CliError =>
  new CliError(`the network takes images of ${channels} channels, and pictures have 1 or 3. Give an .npy file.`);
