// Pictures as an input of a model: by the size and the layout that the model's input has.

import type { ReadImage } from '../../data/index.js';
import { CliError } from '../errors.js';
import { type PictureShape, decodePicture, preprocessingFor } from '../networks/pictures.js';
import type { InputOptions, Numbers, RunInput, Runnable } from './runnable.js';

/** Where the channels of a picture are, and how large it is. */
export interface PictureLayout {
  readonly shape: PictureShape;
  readonly isLast: boolean;
  /** [1, C, H, W] rather than [C, H, W]. */
  readonly isBatch: boolean;
  /** Pixels are bytes. */
  readonly isBytes: boolean;
}

/** A batch of the pictures. Throws CliError for an input that is no picture. */
export async function readPictures(
  model: Runnable,
  input: RunInput,
  paths: readonly string[],
  options: InputOptions,
  notes: string[],
): Promise<Numbers> {
  if (model.picture !== undefined && options.preprocess === undefined) {
    const { shape, read } = model.picture;
    const images: Float32Array[] = [];
    for (const path of paths) images.push(await read(path));
    return { data: joined(images), shape: [paths.length, ...shape] };
  }
  const layout = layoutOf(input);
  const preprocess = preprocessingFor(layout.shape, options.preprocess ?? 'none', layout.isBytes ? 255 : 1);
  if (options.preprocess === undefined)
    notes.push(
      `${input.name}: pixels from 0 to ${layout.isBytes ? 255 : 1}, not normalised (--preprocess imagenet, clip, …)`,
    );
  const pictures: ReadImage[] = [];
  for (const path of paths) pictures.push(await decodePicture(path));
  const tensor = await preprocess(pictures);
  const [count, channels, height, width] = tensor.shape;
  const pixels = Float32Array.from(await tensor.data(), (value) => (layout.isBytes ? Math.round(value) : value));
  const size = [channels, height, width] as const;
  const data = layout.isLast ? channelsLast(pixels, count, size) : pixels;
  const shape = layout.isLast ? [height, width, channels] : size;
  if (!layout.isBatch && count > 1)
    throw new CliError(`--input: ${input.name} takes one picture, and ${count} are given.`);
  return { data, shape: layout.isBatch ? [count, ...shape] : shape };
}

/** Throws CliError for an input that is no picture; `where` goes before it. */
export function layoutOf({ name, shape, dtype }: RunInput, where = `--input ${name}`): PictureLayout {
  const list = shape?.map((n) => (typeof n === 'number' ? n : undefined)) ?? [
    undefined,
    undefined,
    undefined,
    undefined,
  ];
  const fault = (): CliError =>
    new CliError(
      `${where}: it takes [${shape?.map((n) => n ?? '?').join(', ') ?? ''}], which is no picture: those are [batch, channels, height, width] or [batch, height, width, channels] with 1 or 3 channels.`,
    );
  if (list.length !== 3 && list.length !== 4) throw fault();
  const isBatch = list.length === 4;
  const [first, second, third] = isBatch ? list.slice(1) : list;
  const isBytes = dtype === 'uint8';
  const common = { isBatch, isBytes };
  if (first === 1 || first === 3) return { ...common, shape: [first, second, third], isLast: false };
  if (third === 1 || third === 3) return { ...common, shape: [third, first, second], isLast: true };
  if (first !== undefined) throw fault();
  return { ...common, shape: [3, second, third], isLast: false };
}

function joined(images: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(images.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const image of images) {
    out.set(image, at);
    at += image.length;
  }
  return out;
}

function channelsLast(pixels: Float32Array, count: number, [channels, height, width]: readonly number[]): Float32Array {
  const plane = height * width;
  const out = new Float32Array(pixels.length);
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++) out[(n * plane + i) * channels + c] = pixels[(n * channels + c) * plane + i];
  return out;
}
