// MNIST and Fashion-MNIST from their four IDX files.
// MNIST: Y. LeCun, C. Cortes and C. Burges, from NIST's special databases 1 and 3; commonly given as CC BY-SA 3.0.
// Fashion-MNIST: Zalando, H. Xiao, K. Rasul and R. Vollgraf, 2017, MIT licence.

import { checkOptions, FormatError } from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { readIdx } from '../read.js';
import { locate, namesOf, type RemoteFile, SET_OPTIONS, type SetOptions } from './files.js';
import { isUint8Array } from '../../tensor/typed-arrays.js';

/** x: bytes, 0 (background) to 255; y: the class. */
export type GreyImages = ArrayDataset<{
  readonly x: Field<Uint8Array, readonly [1, 28, 28]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

export interface GreyImageSet {
  readonly train: GreyImages;
  readonly test: GreyImages;
}

/** The classes of `fashionMnist()`. */
export const FASHION_MNIST_CLASSES = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

const FILES = {
  trainImages: 'train-images-idx3-ubyte.gz',
  trainLabels: 'train-labels-idx1-ubyte.gz',
  testImages: 't10k-images-idx3-ubyte.gz',
  testLabels: 't10k-labels-idx1-ubyte.gz',
} as const;

const LAYOUT = Object.fromEntries(Object.entries(FILES).map(([file, name]) => [file, namesOf(name)]));

const remoteAt = (
  base: string,
  digests: Readonly<Record<keyof typeof FILES, readonly [number, string]>>,
): RemoteFile[] =>
  (Object.keys(FILES) as (keyof typeof FILES)[]).map((file) => {
    const [bytes, sha256] = digests[file];
    return { name: FILES[file], url: `${base}${FILES[file]}`, bytes, sha256 };
  });

/** What is published; tests put sizes and digests of their own here. */
export const MNIST = remoteAt('https://ossci-datasets.s3.amazonaws.com/mnist/', {
  trainImages: [9912422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'],
  trainLabels: [28881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'],
  testImages: [1648877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'],
  testLabels: [4542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'],
});

const FASHION = remoteAt('https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/', {
  trainImages: [26421880, '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'],
  trainLabels: [29515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'],
  testImages: [4422102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'],
  testLabels: [5148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'],
});

/**
 * Handwritten digits, 60,000 to train and 10,000 to test. Items: x bytes [1, 28, 28], float32 0 to 255 as a tensor, y int32.
 * Throws NablaError if the files are not there, FormatError if one is damaged. PyTorch: torchvision.datasets.MNIST.
 *
 *     const { train, test } = await mnist();              // looks in NABLA_DATA and in the cache
 *     await mnist({ download: true });                    // 11.6 MB, if they are in neither
 */
export function mnist(options: SetOptions = {}): Promise<GreyImageSet> {
  checkOptions('mnist', options, SET_OPTIONS);
  return load('mnist', 'mnist', MNIST, options);
}

/** Pictures of clothes, as MNIST in every other respect; classes: `FASHION_MNIST_CLASSES`. PyTorch: FashionMNIST. */
export function fashionMnist(options: SetOptions = {}): Promise<GreyImageSet> {
  checkOptions('fashionMnist', options, SET_OPTIONS);
  return load('fashion-mnist', 'fashionMnist', FASHION, options);
}

async function load(name: string, call: string, remote: RemoteFile[], options: SetOptions): Promise<GreyImageSet> {
  const { paths } = await locate({ name, call, layouts: [LAYOUT] }, remote, options);
  return {
    train: await readPart(paths['trainImages'], paths['trainLabels']),
    test: await readPart(paths['testImages'], paths['testLabels']),
  };
}

async function readPart(imagePath: string, labelPath: string): Promise<GreyImages> {
  const [images, labels] = [await readIdx(imagePath), await readIdx(labelPath)];
  const [count, height, width] = images.shape;
  const isFit = images.shape.length === 3 && height === 28 && width === 28 && isUint8Array(images.data);
  if (!isFit)
    throw new FormatError(`mnist: ${imagePath} holds [${images.shape.join(', ')}], not images of 28 × 28.`, imagePath);
  if (labels.shape.length !== 1 || labels.shape[0] !== count)
    throw new FormatError(
      `mnist: ${labelPath} holds [${labels.shape.join(', ')}], and there are ${count} images.`,
      labelPath,
    );
  const y = Int32Array.from(labels.data);
  const wrong = y.findIndex((label) => label < 0 || label > 9);
  if (wrong >= 0) throw new FormatError(`mnist: ${labelPath}: label ${wrong} is ${y[wrong]}.`, labelPath, 8 + wrong);
  return new ArrayDataset({ x: { data: images.data as Uint8Array, shape: [1, 28, 28] }, y: { data: y, shape: [] } });
}
