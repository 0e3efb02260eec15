// Slices through the brain of a fruit fly in an electron microscope, with the membranes of its cells drawn by hand: the training set of the
// ISBI 2012 challenge (Arganda-Carreras et al. 2015; Cardona et al. 2010), on which U-Net was shown. For research.

import { FormatError, type OptionNames, checkOptions } from '../../tensor/library.js';
import { isUint8Array } from '../../tensor/typed-arrays.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { readIdx } from '../read.js';
import { locate, namesOf, type SetOptions } from './files.js';

/** x: bytes, 0 to 255; mask: 1 inside a cell, 0 on a membrane. */
export type MembraneSlices = ArrayDataset<{
  readonly x: Field<Uint8Array, readonly [1, number, number]>;
  readonly mask: Field<Int32Array, readonly [number, number]>;
}>;

export type MembraneOptions = Pick<SetOptions, 'folder'>;

const MEMBRANE_OPTIONS: OptionNames<MembraneOptions> = { folder: true };

const LAYOUT = { images: namesOf('train-images-idx3-ubyte.gz'), labels: namesOf('train-labels-idx3-ubyte.gz') };

/**
 * 30 slices of 512 × 512 pixels, one behind the other; 22 % of the pixels are membrane. Read from `train-images-idx3-ubyte` and
 * `train-labels-idx3-ubyte`, IDX files [30, 512, 512] with labels 0 and 1, in the folder `membrane` of `NABLA_DATA`. Throws NablaError if they are
 * not there, FormatError if one is damaged.
 *
 *     const slices = await membrane();
 *     const [train, test] = [slices.subset([0, 1, 2]), slices.subset([3])];
 */
export function membrane(options: MembraneOptions = {}): Promise<MembraneSlices> {
  checkOptions('membrane', options, MEMBRANE_OPTIONS);
  return load(options);
}

async function load(options: MembraneOptions): Promise<MembraneSlices> {
  const { paths } = await locate({ name: 'membrane', call: 'membrane', layouts: [LAYOUT] }, [], options);
  const [images, labels] = [await readIdx(paths['images']), await readIdx(paths['labels'])];
  const [count, height, width] = images.shape;
  if (images.shape.length !== 3 || !isUint8Array(images.data))
    throw new FormatError(
      `membrane: ${paths['images']} holds [${images.shape.join(', ')}], not grey images [N, H, W].`,
      paths['images'],
    );
  if (String(labels.shape) !== String(images.shape))
    throw new FormatError(
      `membrane: ${paths['labels']} holds [${labels.shape.join(', ')}], and the images are [${images.shape.join(', ')}].`,
      paths['labels'],
    );
  const mask = Int32Array.from(labels.data);
  const wrong = mask.findIndex((label) => label !== 0 && label !== 1);
  if (wrong >= 0)
    throw new FormatError(
      `membrane: ${paths['labels']}: a pixel of slice ${Math.floor(wrong / (height * width))} of ${count} is ${mask[wrong]}, neither 0 nor 1.`,
      paths['labels'],
    );
  return new ArrayDataset({
    x: { data: images.data, shape: [1, height, width] },
    mask: { data: mask, shape: [height, width] },
  });
}
