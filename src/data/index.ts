// The public surface of `nabla/data`.

export {
  ArrayDataset,
  type Augmentation,
  type Batch,
  type BatchSource,
  type Dataset,
  type Item,
  type LabelOptions,
  type WithField,
} from './dataset.js';
export type { Field, Fields, HostBatch, SampleRandom } from './fields.js';
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
export {
  CharVocabulary,
  TokenWindows,
  Vocabulary,
  type WindowOptions,
  type WordOptions,
  WordVocabulary,
  tokenizeWords,
} from './text.js';
export {
  type ColumnEncoding,
  type EncoderOptions,
  type EncoderState,
  TableEncoder,
  type Unseen,
} from './table-encoder.js';
export { type ClassData, type Column, CsvTable, type FeatureOptions, type TargetData } from './csv-table.js';
export { type Cifar100Images, type CifarImages, parseCifar10, parseCifar100 } from './formats/cifar.js';
export { type CsvOptions, parseCsv } from './formats/csv.js';
export { type GzipOptions, decompress, gunzip, isGzip } from '../io/formats/gzip.js';
export { type IdxArray, type IdxData, parseIdx } from './formats/idx.js';
export { type NpyArray, type NpyData, parseNpy, parseNpz } from '../io/formats/npy.js';
export { npyField } from './npy-field.js';
export {
  type ReadOptions,
  type Source,
  readBytes,
  readCifar10,
  readCifar100,
  readCsv,
  readIdx,
  readNpy,
  readNpz,
  readText,
} from './read.js';
export { imageFolder } from './image-folder.js';
export type { ImageFolder, ImageFolderOptions, ImageItem, LoadedImages } from './node/image-folder.js';
export { type ReadImage, type ReadImageOptions, readImage } from './read-image.js';
export { SampleError } from './sample-error.js';
export {
  CIFAR10_CLASSES,
  type Cifar10Options,
  type Cifar10Set,
  type CoarseImages,
  type ColourImages,
  cifar10,
  cifar100,
} from './sets/cifar.js';
export { FASHION_MNIST_CLASSES, type GreyImageSet, type GreyImages, fashionMnist, mnist } from './sets/mnist.js';
export { tinyShakespeare } from './sets/tiny-shakespeare.js';
export type { SetOptions } from './sets/files.js';
export type { DownloadProgress } from '../io/node/download.js';
export {
  BREAST_CANCER,
  type ClassTable,
  DIABETES,
  type DiabetesOptions,
  IRIS,
  type NumberTable,
  WINE,
  breastCancer,
  diabetes,
  iris,
  wine,
} from './sets/tabular.js';
export {
  type BlobOptions,
  type CircleOptions,
  type PointData,
  type PointOptions,
  type ShapeData,
  type ShapeOptions,
  type SpiralOptions,
  blobs,
  circles,
  moons,
  shapes,
  spirals,
} from './sets/generated.js';
export { SHAPES } from './sets/shape-drawing.js';
export { GRAPH_KINDS, type GraphKindOptions, type GraphKinds, graphKinds } from './sets/graph-kinds.js';
export {
  type DetectedPoint,
  type ObjectInFrame,
  type TrackScene,
  type TrackSceneOptions,
  trackScenes,
} from './sets/tracks.js';
export { SCENE_COLOURS, type SceneData, type SceneOptions, shapeScenes } from './sets/shape-scenes.js';
export { type MembraneOptions, type MembraneSlices, membrane } from './sets/membrane.js';
export {
  type CommunityOptions,
  type NodeData,
  type NodeSetOptions,
  citeseer,
  communities,
  cora,
} from './sets/graphs.js';
export { type CaptionedSceneOptions, type CaptionedScenes, captionedScenes } from './sets/captioned-scenes.js';
export { type MovingShapeData, type MovingShapeOptions, movingShapes } from './sets/moving-shapes.js';
export { type DateOptions, dates } from './sets/dates.js';
export {
  type MessageData,
  type Multi30kOptions,
  type SentencePairs,
  type TextSetOptions,
  type TranslationData,
  multi30k,
  smsSpam,
} from './sets/text-sets.js';
export { digits, type DigitFields, type Digits } from './sets/digits.js';
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
export {
  BucketSampler,
  type BucketSamplerOptions,
  SequenceDataset,
  type SequenceBatch,
  type SequenceDatasetOptions,
  type SequenceFields,
  type SequenceItem,
} from './sequences.js';
export { contactSheet, type ContactSheetOptions } from './contact-sheet.js';
export { HostRandom } from '../tensor/host-random.js';
