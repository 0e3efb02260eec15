// Pictures in folders, one folder for each class, decoded by sharp when they are asked for.
// A path in, a dataset of bytes out. The order of classes and pictures is that of torchvision's ImageFolder.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { ArgumentError, FormatError, NablaError } from '../../tensor/library.js';
import { ArrayDataset, type Dataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { greyOf } from '../grey.js';
import type { HostImage } from '../transform.js';

const { readdir, realpath, stat } = process.getBuiltinModule('node:fs/promises');
const { join } = process.getBuiltinModule('node:path');
/** Not a literal, for the same reason. */
const SHARP: string = 'sharp';

export interface ImageFolderOptions {
  /** Height and width that every picture is resized to. Default: as it is. */
  readonly size?: readonly [height: number, width: number];
  /** 3: red, green, blue, whatever the file has; 1: grey. Default 3. */
  readonly channels?: 1 | 3;
  /** Endings of files that are pictures, in lower case. Default: .jpg .jpeg .png .webp .gif .tif .tiff .avif. */
  readonly extensions?: readonly string[];
}

/** What sharp makes of a file. */
interface Decoded {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number; readonly channels: number };
}

/** The part of sharp that is used here. */
interface Picture {
  resize(width: number, height: number, options: { fit: 'fill' }): Picture;
  removeAlpha(): Picture;
  toColourspace(name: 'srgb'): Picture;
  raw(options: { depth: 'uchar' }): Picture;
  toBuffer(options: { resolveWithObject: true }): Promise<Decoded>;
}
type Sharp = (path: string) => Picture;

/** A picture and the number of its class. */
export interface ImageItem {
  readonly x: HostImage<readonly [number, number, number], Uint8Array>;
  readonly y: Field<Int32Array, readonly []>;
}

export type LoadedImages = ArrayDataset<{
  readonly x: Field<Uint8Array, readonly [number, number, number]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'];

/** See `imageFolder`; `root` is absolute. */
export async function openImageFolder(root: string, options: ImageFolderOptions): Promise<ImageFolder> {
  const { size, extensions = EXTENSIONS } = options;
  if (size !== undefined && !size.every((n) => Number.isInteger(n) && n > 0))
    throw new ArgumentError(`imageFolder: size is [${size.join(', ')}]. Use whole numbers of at least 1.`);
  const sharp = await importSharp();
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new NablaError(`imageFolder: ${root} cannot be read (${(cause as Error).message}).`, { cause });
  });
  const classes: string[] = [];
  for (const { name } of entries)
    if (!isHidden(name) && (await stat(join(root, name))).isDirectory()) classes.push(name);
  if (classes.length === 0) throw new NablaError(`imageFolder: ${root} has no folders. Make one for each class.`);
  classes.sort();
  const [paths, labels] = [new Array<string>(), new Array<number>()];
  for (const [label, name] of classes.entries()) {
    const before = paths.length;
    for await (const path of findPictures(join(root, name), extensions, [await realpath(root)])) {
      paths.push(path);
      labels.push(label);
    }
    if (paths.length === before) {
      throw new NablaError(
        `imageFolder: class '${name}' has no pictures (${extensions.join(' ')}). Add some, or remove ${join(root, name)}.`,
      );
    }
  }
  return new ImageFolder(classes, paths, Int32Array.from(labels), options, sharp);
}

/** What systems leave beside pictures: .DS_Store, ._a.png, .ipynb_checkpoints, __MACOSX. */
const isHidden = (name: string): boolean => name.startsWith('.') || name === '__MACOSX';

async function importSharp(): Promise<Sharp> {
  try {
    return (await import(/* webpackIgnore: true */ SHARP)).default;
  } catch (cause) {
    throw new NablaError(
      'imageFolder: pictures are decoded by the package sharp, which is not here. Run npm install sharp.',
      {
        cause,
      },
    );
  }
}

/**
 * Folders in the order of their paths, and the files of each in the order of their names. `open` holds the folders that the
 * place lies in: a link back to one of them would never end.
 */
async function* findPictures(
  folder: string,
  extensions: readonly string[],
  open: readonly string[],
): AsyncGenerator<string, void, void> {
  const here = await realpath(folder);
  if (open.includes(here)) throw new NablaError(`imageFolder: ${folder} leads back to ${here}. Remove that link.`);
  const folders: string[] = [];
  const found = await readdir(folder, { withFileTypes: true });
  const entries = found.filter(({ name }) => !isHidden(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory())) folders.push(path);
    else if (extensions.some((ending) => entry.name.toLowerCase().endsWith(ending))) yield path;
  }
  for (const path of folders) yield* findPictures(path, extensions, [...open, here]);
}

export class ImageFolder implements Dataset<ImageItem> {
  /** Names of the classes; `targets` holds their positions. */
  readonly classes: readonly string[];
  /** Absolute. */
  readonly paths: readonly string[];
  /** The class of each picture. */
  readonly targets: Int32Array;
  private readonly options: ImageFolderOptions;
  private readonly sharp: Sharp;

  constructor(
    classes: readonly string[],
    paths: readonly string[],
    targets: Int32Array,
    options: ImageFolderOptions,
    sharp: Sharp,
  ) {
    this.classes = classes;
    this.paths = paths;
    this.targets = targets;
    this.options = options;
    this.sharp = sharp;
  }

  get length(): number {
    return this.paths.length;
  }

  /** Decodes one picture. Throws FormatError if it is damaged. */
  async get(index: number): Promise<ImageItem> {
    const path = this.paths[index];
    return { x: await this.decode(path), y: { data: this.targets.slice(index, index + 1), shape: [] } };
  }

  /** All pictures in memory; they must have one size, for example through `size`. */
  async load(): Promise<LoadedImages> {
    const first = await this.decode(this.paths[0]);
    const data = new Uint8Array(this.length * first.data.length);
    for (const [i, path] of this.paths.entries()) {
      const { data: pixels, shape } = i === 0 ? first : await this.decode(path);
      if (shape.some((n, axis) => n !== first.shape[axis])) {
        throw new ArgumentError(
          `imageFolder: ${path} has the shape [${shape.join(', ')}], ${this.paths[0]} [${first.shape.join(', ')}]. Give a size.`,
        );
      }
      data.set(pixels, i * pixels.length);
    }
    return new ArrayDataset({ x: { data, shape: first.shape }, y: { data: this.targets, shape: [] } });
  }

  private async decode(path: string): Promise<ImageItem['x']> {
    const { size, channels = 3 } = this.options;
    let picture = this.sharp(path).removeAlpha();
    if (size !== undefined) picture = picture.resize(size[1], size[0], { fit: 'fill' });
    const { data, info } = await picture
      .toColourspace('srgb') // sharp's own grey is another one than Pillow's and a page's
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => {
        const error = new FormatError(`imageFolder: ${path} cannot be decoded (${(cause as Error).message}).`, path);
        error.cause = cause;
        throw error;
      });
    const plane = info.width * info.height;
    const pixels = new Uint8Array(channels * plane);
    if (channels === 1 && info.channels >= 3) {
      for (let i = 0, at = 0; i < plane; i++, at += info.channels)
        pixels[i] = greyOf(data[at], data[at + 1], data[at + 2]);
      return { data: pixels, shape: [channels, info.height, info.width] };
    }
    for (let c = 0; c < channels; c++) {
      const from = Math.min(c, info.channels - 1); // a grey file may stay so
      for (let i = 0; i < plane; i++) pixels[c * plane + i] = data[i * info.channels + from];
    }
    return { data: pixels, shape: [channels, info.height, info.width] };
  }
}
