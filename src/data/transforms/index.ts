// The public surface of `nabla/data/transforms`: transforms of images for datasets (`dataset.transformed('x', …)`), and the
// deterministic functions behind them as `functional`. A sub-path of its own, since names such as `pad` and `resize` say too
// little beside datasets and samplers.

export * as functional from './functional/index.js';
export type {
  AffineOptions,
  Box,
  FilterOptions,
  Interpolation,
  Kernel,
  NoiseOptions,
  Padding,
  PaddingMode,
  PadOptions,
  Point,
  ResizeOptions,
  RotateOptions,
  WarpInterpolation,
  WarpOptions,
} from './functional/index.js';
export type { AnyImageTransform, Image, ImageTransform, PixelTransform, Pixels, Size, SizeTransform } from './image.js';
export type { HostImage, Transform } from '../transform.js';
export { compose, deterministic, randomApply, randomChoice, randomOrder } from './compose.js';
export {
  centerCrop,
  pad,
  randomAffine,
  type RandomAffineOptions,
  randomCrop,
  type RandomCropOptions,
  randomHorizontalFlip,
  randomPerspective,
  type RandomPerspectiveOptions,
  randomResizedCrop,
  type RandomResizedCropOptions,
  randomRotation,
  type RandomRotationOptions,
  randomVerticalFlip,
  type Range,
  resize,
} from './geometry.js';
export {
  colorJitter,
  type ColorJitterOptions,
  cutout,
  type Factor,
  gaussianBlur,
  gaussianNoise,
  grayscale,
  normalize,
  randomAdjustSharpness,
  randomAutocontrast,
  randomEqualize,
  randomErasing,
  type RandomErasingOptions,
  randomGrayscale,
  randomInvert,
  randomPosterize,
  randomSolarize,
  subtractMean,
  toBytes,
  toFloat,
} from './appearance.js';
export {
  type AutoAugmentOptions,
  type AutoOperation,
  type AutoPick,
  randAugment,
  type RandAugmentOptions,
  trivialAugment,
} from './auto-augment.js';
export { type ChannelStatistics, channelStatistics, imagesOf, meanImage } from './statistics.js';
export { cutmix, type LabelledImages, type MixedImages, type MixOptions, mixup } from './mix.js';
export { averageViews, stackImages, twoViews, type TwoViews } from './views.js';
export {
  type Move,
  type MoveStep,
  type TargetFields,
  cropMove,
  horizontalFlipMove,
  moveTogether,
  transposeMove,
  verticalFlipMove,
} from './targets.js';
