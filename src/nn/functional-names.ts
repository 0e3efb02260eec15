// The names of `functional`, as torch.nn.functional has them.

export * from './functional.js';
export {
  alphaDropout,
  batchNorm,
  bilinear,
  channelShuffle,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  groupNorm,
  instanceNorm,
  layerNorm,
  linear,
  localResponseNorm,
  rmsNorm,
  type AffineOptions,
  type BatchNormArguments,
  type InstanceNormArguments,
  type LocalResponseOptions,
  type RMSNormArguments,
} from './functional-layers.js';
export { pixelShuffle, pixelUnshuffle } from '../tensor/resample.js';
