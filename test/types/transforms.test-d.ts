// Types of transforms: sizes and pixels go from neighbour to neighbour, and into the dataset.
import { expectTypeOf } from 'vitest';
import type { Tensor } from 'nabla';
import type { ArrayDataset, Field, HostRandom } from 'nabla/data';
import {
  type Image,
  centerCrop,
  compose,
  grayscale,
  normalize,
  randAugment,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  subtractMean,
  toFloat,
} from 'nabla/data/transforms';

declare const random: HostRandom;
declare const photo: Image<Uint8Array, 3, 40, 40>;
declare const mean: Image<Float32Array>;

const augment = compose(randomCrop([32, 32], { padding: 4 }), randomHorizontalFlip(), toFloat());
const small: Image<Float32Array, 3, 32, 32> = augment(photo, random);
// @ts-expect-error the crop is 32 wide
const wrong: Image<Float32Array, 3, 32, 31> = augment(photo, random);
const grey: Image<Float32Array, 1, 24, 24> = compose(grayscale(), centerCrop(24), normalize(0.5, 0.2))(photo, random);
// @ts-expect-error normalize makes floats
const bytes: Image<Uint8Array> = compose(randAugment(), normalize(0.5, 0.2))(photo, random);
const turned: Image<Uint8Array, 3, 40, 40> = randomRotation(10)(photo, random);
const centred: Image<Float32Array, 3, 40, 40> = subtractMean(mean)(photo, random);

declare const dataset: ArrayDataset<{
  x: Field<Uint8Array, readonly [3, 40, 40]>;
  y: Field<Int32Array, readonly []>;
}>;
const batch = dataset.transformed('x', augment).batch([0]);
expectTypeOf(batch.x).toEqualTypeOf<Tensor<[number, 3, 32, 32]>>();
// @ts-expect-error labels are no images
dataset.transformed('y', augment);

export { bytes, centred, grey, small, turned, wrong };
