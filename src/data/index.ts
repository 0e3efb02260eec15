// The public surface of `nabla/data`.

export {
  ArrayDataset,
  type Augmentation,
  type Batch,
  type BatchSource,
  type Dataset,
  type Field,
  type Fields,
  type HostBatch,
  type Item,
  type SampleRandom,
  type WithField,
} from './dataset.js';
export { DataLoader, type BatchOf, type Collated, type LoaderOptions, collate } from './data-loader.js';
export { SampleError } from './sample-error.js';
export { digits, type DigitFields, type Digits } from './digits.js';
export { jitter, type JitterOptions } from './augment.js';
export type { HostImage, Transform } from './transform.js';
export type { SplitOptions } from './split.js';
export { HostRandom } from '../tensor/host-random.js';
