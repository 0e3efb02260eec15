// The deterministic functions behind the transforms, as the namespace `functional` of `nabla/data/transforms`: an image and
// numbers in, an image out. torchvision: transforms.functional.

export {
  centerCrop,
  crop,
  fiveCrop,
  horizontalFlip,
  pad,
  type PaddingMode,
  type Padding,
  type PadOptions,
  quarterTurns,
  tenCrop,
  verticalFlip,
} from './gather.js';
export { type Interpolation, resize, resizedCrop, type ResizeOptions } from './resize.js';
export {
  affine,
  type AffineOptions,
  perspective,
  type Point,
  rotate,
  type RotateOptions,
  type WarpInterpolation,
  type WarpOptions,
} from './warp.js';
export { adjustBrightness, adjustGamma, autocontrast, equalize, invert, posterize, solarize } from './tone.js';
export { adjustContrast, adjustHue, adjustSaturation, toGrayscale } from './color.js';
export {
  adjustSharpness,
  filter2d,
  type FilterOptions,
  gaussianBlur,
  gaussianKernel,
  type Kernel,
  kernels,
  transposeKernel,
} from './filter.js';
export { normalize, subtractMean, toBytes, toFloat } from './convert.js';
export { type Box, erase, gaussianNoise, type NoiseOptions } from './erase.js';
