// CIFAR-10 and CIFAR-100 from their binary files, as such or within the archive in which they are published.
// A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. Licence: none is stated.

import { checkOptions, FormatError, type OptionNames } from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { type CifarImages, parseCifar10, parseCifar100 } from '../formats/cifar.js';
import { parseTar } from '../formats/tar.js';
import { readBytes } from '../read.js';
import { type Layout, locate, namesOf, type RemoteFile, SET_OPTIONS, type SetOptions } from './files.js';

type ImageField = Field<Uint8Array, readonly [3, 32, 32]>;
type LabelField = Field<Int32Array, readonly []>;

/** x: bytes, 0 to 255, channels red, green, blue; y: the class. */
export type ColourImages = ArrayDataset<{ readonly x: ImageField; readonly y: LabelField }>;

/** The same with `coarse`, the class of classes, 0 to 19. */
export type CoarseImages = ArrayDataset<{
  readonly x: ImageField;
  readonly y: LabelField;
  readonly coarse: LabelField;
}>;

/** The classes of `cifar10()`. */
export const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const URLS = 'https://www.cs.toronto.edu/~kriz/';
/** What is published; tests put a size and a digest of their own here. */
export const CIFAR10: RemoteFile = {
  name: 'cifar-10-binary.tar.gz',
  url: `${URLS}cifar-10-binary.tar.gz`,
  bytes: 170052171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
};
const CIFAR100: RemoteFile = {
  name: 'cifar-100-binary.tar.gz',
  url: `${URLS}cifar-100-binary.tar.gz`,
  bytes: 168513733,
  sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
};

const FOLDER10 = 'cifar-10-batches-bin';
const FOLDER100 = 'cifar-100-binary';
const BATCHES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

const layoutOf = (names: readonly string[], folder: string): Layout =>
  Object.fromEntries(names.map((name) => [name, namesOf(name, folder)]));

const WHOLE10 = [layoutOf([...BATCHES, 'test_batch.bin'], FOLDER10), { archive: namesOf(CIFAR10.name) }];
const PART10: Layout = { train: namesOf('train10k.bin'), test: namesOf('test5k.bin') };
const WHOLE100 = [layoutOf(['train.bin', 'test.bin'], FOLDER100), { archive: namesOf(CIFAR100.name) }];

export interface Cifar10Options extends SetOptions {
  /**
   * true: a part of the set, `train10k.bin` and `test5k.bin` (10,000 and 5,000 images in the original layout); false: the
   * whole set. Default: the whole set if it is in the folder, else the part.
   */
  readonly part?: boolean;
}

const CIFAR10_OPTIONS: OptionNames<Cifar10Options> = {
  part: true,
  folder: true,
  download: true,
  onProgress: true,
  signal: true,
};

export interface Cifar10Set {
  readonly train: ColourImages;
  readonly test: ColourImages;
  /** Whether these are a part of the set. */
  readonly isPart: boolean;
}

/**
 * Small colour pictures of ten classes (`CIFAR10_CLASSES`), 50,000 to train and 10,000 to test. Items: x bytes [3, 32, 32],
 * float32 0 to 255 as a tensor, y int32. Throws NablaError if the files are not there, FormatError if one is damaged.
 * PyTorch: torchvision.datasets.CIFAR10.
 */
export async function cifar10(given: Cifar10Options = {}): Promise<Cifar10Set> {
  checkOptions('cifar10', given, CIFAR10_OPTIONS);
  const { part, ...options } = given;
  const layouts = [...(part === true ? [] : WHOLE10), ...(part === false ? [] : [PART10])];
  const remote = part === true ? [] : [CIFAR10];
  const { layout, paths } = await locate({ name: 'cifar10', call: 'cifar10', layouts }, remote, options);
  if (layouts[layout] === PART10) {
    return { train: await readAll([paths['train']]), test: await readAll([paths['test']]), isPart: true };
  }
  const files = await open(paths, FOLDER10);
  const read = async (name: string) => {
    const [bytes, path] = await files(name);
    return parseCifar10(bytes, path);
  };
  const batches: CifarImages[] = [];
  for (const name of BATCHES) batches.push(await read(name));
  return { train: join(batches), test: join([await read('test_batch.bin')]), isPart: false };
}

/**
 * The same for 100 classes, with `coarse`, 20 classes of classes. Items: x bytes [3, 32, 32], y and coarse int32. PyTorch:
 * torchvision.datasets.CIFAR100 (which has no coarse labels).
 */
export async function cifar100(options: SetOptions = {}): Promise<{ train: CoarseImages; test: CoarseImages }> {
  checkOptions('cifar100', options, SET_OPTIONS);
  const { paths } = await locate({ name: 'cifar100', call: 'cifar100', layouts: WHOLE100 }, [CIFAR100], options);
  const files = await open(paths, FOLDER100);
  const read = async (name: string): Promise<CoarseImages> => {
    const [bytes, path] = await files(name);
    const { images, labels, coarseLabels } = parseCifar100(bytes, path);
    return new ArrayDataset({
      x: { data: images, shape: [3, 32, 32] },
      y: { data: labels, shape: [] },
      coarse: { data: coarseLabels, shape: [] },
    });
  };
  return { train: await read('train.bin'), test: await read('test.bin') };
}

type Open = (name: string) => Promise<readonly [bytes: Uint8Array, path: string]>;

/** The files by name, whether they lie in the folder or in the archive. */
async function open(paths: Readonly<Record<string, string>>, folder: string): Promise<Open> {
  const { archive } = paths;
  if (archive === undefined) return async (name) => [await readBytes(paths[name]), paths[name]];
  const files = parseTar(await readBytes(archive), archive);
  return async (name) => {
    const bytes = files.get(`${folder}/${name}`);
    if (bytes === undefined) throw new FormatError(`cifar: ${archive} has no file ${folder}/${name}.`, archive);
    return [bytes, `${archive} (${name})`];
  };
}

async function readAll(paths: readonly string[]): Promise<ColourImages> {
  const parts: CifarImages[] = [];
  for (const path of paths) parts.push(parseCifar10(await readBytes(path), path));
  return join(parts);
}

function join(parts: readonly CifarImages[]): ColourImages {
  const images = new Uint8Array(parts.reduce((sum, part) => sum + part.images.length, 0));
  const labels = new Int32Array(parts.reduce((sum, part) => sum + part.labels.length, 0));
  let at = 0;
  for (const part of parts) {
    images.set(part.images, at * 3 * 32 * 32);
    labels.set(part.labels, at);
    at += part.labels.length;
  }
  return new ArrayDataset({ x: { data: images, shape: [3, 32, 32] }, y: { data: labels, shape: [] } });
}
