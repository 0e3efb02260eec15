// The public surface of `nabla/nn`.

export { Module, StateDictError, type LoadOptions, type LoadResult, type StateDict } from './module.js';
export { Buffer, Parameter } from './parameter.js';
export { Layer } from './layer.js';
export { Embedding, Linear, type LinearOptions } from './linear.js';
export { Conv2d, type Conv2dOptions } from './conv.js';
export { BatchNorm1d, BatchNorm2d, LayerNorm, type BatchNormOptions, type LayerNormOptions } from './norm.js';
export { GELU, Identity, ReLU, Sigmoid, Softmax, Tanh } from './activation.js';
export { AdaptiveAvgPool2d, AvgPool2d, Flatten, GlobalAvgPool2d, MaxPool2d, type Pool2dOptions } from './pooling.js';
export { AlphaDropout, Dropout, Dropout1d, Dropout2d } from './dropout.js';
export {
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  RNN,
  RNNCell,
  type CellOptions,
  type RNNCellOptions,
  type RNNOptions,
  type RecurrentOptions,
  type SequenceOptions,
} from './recurrent.js';
export { MultiheadAttention, type MultiheadAttentionArguments, type MultiheadAttentionOptions } from './attention.js';
export { Sequential } from './containers.js';
export {
  bceWithLogits,
  crossEntropy,
  l1Loss,
  mseLoss,
  nllLoss,
  type CrossEntropyOptions,
  type LabelOptions,
  type LossOptions,
  type Reduced,
  type Reduction,
} from './loss.js';
export * as init from './init.js';
export type * from './shape-types.js';
