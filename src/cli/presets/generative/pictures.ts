// The pictures that generators learn from: handwritten digits of the package (8 × 8), or MNIST (28 × 28), from 0 to 1.

import { type ArrayDataset, type Field, digits, mnist } from '../../../data/index.js';
import { toFloat } from '../../../data/transforms/index.js';

/** Pixels from 0 to 1 and classes. */
export type Pictures = ArrayDataset<{
  readonly x: Field<Float32Array, readonly [number, number, number]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

export interface PictureSets {
  readonly train: Pictures;
  readonly validation: Pictures;
  readonly test: Pictures;
  readonly shape: readonly [channels: number, height: number, width: number];
}

export const PICTURE_SETS = ['mnist', 'digits'] as const;

/** The parts are those of the presets `mnist` and `digits`, so that a classifier of those has not seen the test either. */
export async function openPictures(name: string): Promise<PictureSets> {
  if (name === 'digits') {
    const parts = digits().split({ train: 0.7, validation: 0.1, test: 0.2 }, { seed: 0, stratify: 'y' });
    return { ...parts, shape: [1, 8, 8] };
  }
  const { train: all, test } = await mnist();
  const { train, validation } = all.split({ train: 11 / 12, validation: 1 / 12 }, { seed: 0, stratify: 'y' });
  return {
    train: train.transformed('x', toFloat()),
    validation: validation.transformed('x', toFloat()),
    test: test.transformed('x', toFloat()),
    shape: [1, 28, 28],
  };
}
