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
  type LabelOptions,
  type SampleRandom,
  type WithField,
} from './dataset.js';
export {
  type AnyDataset,
  type BatchOf,
  DataLoader,
  type ItemOf,
  type LengthOf,
  type LoaderOptions,
} from './data-loader.js';
export { type Collated, collate } from './collate.js';
export type { IterableDataset } from './iterable-dataset.js';
export { type DatasetModule, workerDataset } from './worker-dataset.js';
export { SampleError } from './sample-error.js';
export { digits, type DigitFields, type Digits } from './digits.js';
export { jitter, type JitterOptions } from './augment.js';
export type { HostImage, Transform } from './transform.js';
export { type SplitLabels, type SplitOptions, splitIndices } from './split.js';
export { type Fold, type KFoldOptions, kFold } from './k-fold.js';
export {
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  type Sized,
  StratifiedSampler,
  type StratifiedSamplerOptions,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './samplers.js';
export { HostRandom } from '../tensor/host-random.js';
