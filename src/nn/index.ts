// The public surface of `nabla/nn`.

export { Module, type LoadOptions, type LoadResult, type StateDict } from './module.js';
export { Layer } from './layer.js';
export { Parameter, buffer } from './parameter.js';
export { Linear, Embedding, type LinearOptions } from './linear.js';
export { Conv2d, type Conv2dOptions } from './conv.js';
export { BatchNorm1d, BatchNorm2d, LayerNorm, type BatchNormOptions } from './norm.js';
export { Dropout, GELU, Identity, ReLU, Sigmoid, Softmax, Tanh } from './activation.js';
export { AdaptiveAvgPool2d, AvgPool2d, Flatten, MaxPool2d, type Pool2dOptions } from './pooling.js';
export { Sequential, type Step } from './containers.js';
export {
  bceWithLogits,
  crossEntropy,
  l1Loss,
  mseLoss,
  nllLoss,
  type CrossEntropyOptions,
  type LossOptions,
  type Reduction,
} from './loss.js';
export * as init from './init.js';
