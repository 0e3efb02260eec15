// Pictures in folders, one a class, as data to fine-tune on. Each file is decoded once and kept small, as bytes, as far as there is room;
// what is random about it comes behind that.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NablaError } from '../../index.js';
import {
  type Dataset,
  type Field,
  HostRandom,
  type ImageFolder,
  type Transform,
  imageFolder,
  splitIndices,
} from '../../data/index.js';
import {
  type Image,
  compose,
  functional,
  normalize,
  randomHorizontalFlip,
  randomResizedCrop,
  trivialAugment,
} from '../../data/transforms/index.js';
import type { ImagePreprocessing } from '../../vision/index.js';
import { CliError } from '../errors.js';
import { oneLine } from '../printable.js';

export interface PictureItem {
  readonly x: Image<Float32Array>;
  readonly y: Field<Int32Array, readonly []>;
}

export const AUGMENTATIONS = ['none', 'light', 'strong'] as const;
export type AugmentationName = (typeof AUGMENTATIONS)[number];

/** Of pictures that nothing says the size of. */
const SIDE = 256;
/** Bytes of decoded pictures that are kept. */
const MOST_KEPT = 1 << 29;

/** Decoded pictures of a folder, no larger than they are needed. */
class Decoded {
  private readonly folder: ImageFolder;
  private readonly side: number;
  private readonly kept = new Map<number, Image<Uint8Array>>();
  private size = 0;

  constructor(folder: ImageFolder, side: number) {
    this.folder = folder;
    this.side = side;
  }

  async get(index: number): Promise<Image<Uint8Array>> {
    const known = this.kept.get(index);
    if (known !== undefined) return known;
    const { x } = await this.folder.get(index);
    const [, height, width] = x.shape;
    const image = Math.min(height, width) > this.side ? functional.resize(x, this.side) : x;
    if (this.size + image.data.length <= MOST_KEPT) {
      this.size += image.data.length;
      this.kept.set(index, image);
    }
    return image;
  }
}

export class Pictures implements Dataset<PictureItem> {
  private readonly decoded: Decoded;
  private readonly folder: ImageFolder;
  private readonly indices: Int32Array;
  private readonly transform: Transform<Image, Image<Float32Array>>;

  constructor(
    folder: ImageFolder,
    decoded: Decoded,
    indices: Int32Array,
    transform: Transform<Image, Image<Float32Array>>,
  ) {
    this.folder = folder;
    this.decoded = decoded;
    this.indices = indices;
    this.transform = transform;
  }

  get length(): number {
    return this.indices.length;
  }

  async get(index: number, random?: HostRandom): Promise<PictureItem> {
    const at = this.indices[index];
    const image = await this.decoded.get(at);
    return {
      x: this.transform(image, random ?? new HostRandom(at)),
      y: { data: this.folder.targets.slice(at, at + 1), shape: [] },
    };
  }
}

export interface PictureSets {
  readonly classes: readonly string[];
  readonly train: Pictures;
  readonly validation: Pictures;
  readonly test?: Pictures;
}

export interface SetOptions {
  readonly root: string;
  readonly preprocess: ImagePreprocessing;
  readonly augment: AugmentationName;
  /** The part of each class that is kept to validate, where the folder has no part of its own for it. */
  readonly share: number;
}

/**
 * The parts of a data folder: folders train and val (validation, valid) and perhaps test, each with the folders of the classes; or these at
 * once, of which a share is kept to validate, the same for every seed. Throws CliError for what is not there.
 */
export async function openSets(options: SetOptions): Promise<PictureSets> {
  const { root, preprocess, share } = options;
  const part = (...names: readonly string[]): string | undefined =>
    names.map((name) => join(root, name)).find((path) => existsSync(path) && statSync(path).isDirectory());
  const own = part('train');
  const channels = preprocess.settings.channels;
  const open = (path: string): Promise<ImageFolder> => userFault(path, () => imageFolder(path, { channels }));
  const folder = await open(own ?? root);
  const { classes } = folder;
  const change = augmented(options);
  const made = (from: ImageFolder, indices: Int32Array, kept = new Decoded(from, sideOf(preprocess))): Pictures =>
    new Pictures(from, kept, indices, preprocess.transform);
  const all = (from: ImageFolder): Int32Array => Int32Array.from({ length: from.length }, (_, i) => i);
  const beside = async (path: string): Promise<Pictures> => {
    const other = await open(path);
    if (other.classes.join('/') !== classes.join('/'))
      throw new CliError(`${path} has the classes ${other.classes.join(', ')}, and ${own} ${classes.join(', ')}.`);
    return made(other, all(other));
  };
  if (classes.length < 2)
    throw new CliError(`${own ?? root} has one class, ${classes[0]}. There have to be two folders at least.`);
  const decoded = new Decoded(folder, sideOf(preprocess));
  const validation = own === undefined ? undefined : part('val', 'validation', 'valid');
  const test = own === undefined ? undefined : part('test');
  const tested = test === undefined ? {} : { test: await beside(test) };
  if (validation !== undefined) {
    const train = new Pictures(folder, decoded, all(folder), change);
    return { classes, train, validation: await beside(validation), ...tested };
  }
  const [kept, rest] = splitIndices(folder.length, [1 - share, share], { classes: folder.targets });
  for (const [label, name] of classes.entries()) {
    const count = kept.filter((i) => folder.targets[i] === label).length;
    if (count === 0) throw new CliError(`class '${name}' has too few pictures to learn from and to validate with.`);
  }
  if (rest.length === 0)
    throw new CliError(`${folder.length} pictures are too few to keep ${share * 100} % of them to validate. Add some.`);
  return {
    classes,
    train: new Pictures(folder, decoded, kept, change),
    validation: made(folder, rest, decoded),
    ...tested,
  };
}

/** The shorter side that pictures are kept at: what the preprocessing makes of it. */
function sideOf({ settings: { resize, crop } }: ImagePreprocessing): number {
  if (typeof resize === 'number') return resize;
  const [height, width] = crop ?? resize ?? [SIDE, SIDE];
  return Math.max(height, width);
}

/** What is done to a picture when it is trained on. */
function augmented({ preprocess, augment }: SetOptions): Transform<Image, Image<Float32Array>> {
  if (augment === 'none') return preprocess.transform;
  const { crop, resize, mean, std, interpolation } = preprocess.settings;
  const size = crop ?? (typeof resize === 'number' ? ([resize, resize] as const) : resize);
  if (size === undefined) return preprocess.transform;
  const cut = randomResizedCrop(size, { scale: [0.5, 1], interpolation });
  const normalised = normalize(mean, std);
  return augment === 'light'
    ? compose(cut, randomHorizontalFlip(), normalised)
    : compose(cut, randomHorizontalFlip(), trivialAugment(), normalised);
}

async function userFault<T>(path: string, doing: () => Promise<T>): Promise<T> {
  try {
    return await doing();
  } catch (error) {
    if (!(error instanceof NablaError)) throw error;
    throw new CliError(`${path}: ${oneLine(error).replace(/^imageFolder: /, '')}`);
  }
}
