// The public surface of `nabla/nn`.

export { Module, StateDictError, type LoadOptions, type LoadResult, type StateDict } from './module.js';
export { type Converted, toDType } from './to-dtype.js';
export type { BackwardHook, ForwardHook, ForwardPreHook, HookHandle } from './module.js';
export { Summary, type SummaryRow } from './summary.js';
export type { ReceptiveField } from './receptive-field.js';
export { Buffer, Parameter } from './parameter.js';
export { Layer } from './layer.js';
export { Bilinear, Linear, type LinearOptions } from './linear.js';
export { Embedding, EmbeddingBag, type EmbeddingBagOptions, type EmbeddingOptions } from './embedding.js';
export { functionalCall, stackModuleState, type NamedTensors } from './functional-call.js';
export { parametersToVector, vectorToParameters } from './parameter-vector.js';
export {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  DepthwiseSeparableConv2d,
  type ConvOptions,
  type ConvTransposeOptions,
  type DepthwiseSeparableOptions,
} from './conv.js';
export { SpectralNorm, type SpectralNormOptions } from './spectral-norm.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './norm/batch-norm.js';
export { LayerNorm, type LayerNormOptions, RMSNorm, type RMSNormOptions } from './norm/layer-norm.js';
export { GroupNorm, type GroupNormOptions } from './norm/group-norm.js';
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, type InstanceNormOptions } from './norm/instance-norm.js';
export { LocalResponseNorm, type LocalResponseNormOptions } from './norm/local-response-norm.js';
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  Identity,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Maxout,
  Mish,
  PReLU,
  RReLU,
  ReLU,
  ReLU6,
  SELU,
  SiLU,
  Sigmoid,
  Softmax,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Step,
  Tanh,
  Tanhshrink,
  Threshold,
} from './activation.js';
export * as functional from './functional-names.js';
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  LPPool1d,
  LPPool2d,
  LPPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  type AvgPoolOptions,
  type LPPoolOptions,
  type MaxPoolOptions,
  type PoolOptions,
} from './pooling.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  GlobalAvgPool1d,
  GlobalAvgPool2d,
  GlobalMaxPool1d,
  GlobalMaxPool2d,
} from './adaptive-pooling.js';
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, type UnpoolOptions } from './unpooling.js';
export { Flatten, PixelShuffle, PixelUnshuffle, Unflatten, Upsample } from './reshape.js';
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d } from './dropout.js';
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
export { ConvLSTM, ConvLSTMCell, type ConvLSTMCellOptions, type ConvLSTMOptions } from './conv-recurrent.js';
export {
  GATConv,
  GCNConv,
  MessagePassing,
  aggregate,
  edgeSoftmax,
  type Aggregation,
  type GATConvOptions,
  type GCNConvOptions,
  type MessagePassingOptions,
} from './graph.js';
export { AdditiveAttention } from './additive-attention.js';
export { MultiheadAttention, type MultiheadAttentionArguments, type MultiheadAttentionOptions } from './attention.js';
export {
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type DecoderMasks,
  type EncoderMasks,
  type TransformerLayerOptions,
  type TransformerMasks,
  type TransformerOptions,
} from './transformer.js';
export { LearnedPositions, SinusoidalPositions, sinusoidalEncoding } from './positions.js';
export { deepCopy } from './copy.js';
export { ModuleDict, ModuleList, Parallel, Residual, Sequential } from './containers.js';
export {
  bceLoss,
  bceWithLogits,
  crossEntropy,
  diceLoss,
  hingeLoss,
  klDivLoss,
  nllLoss,
  type BceOptions,
  type BceWithLogitsOptions,
  type CrossEntropyOptions,
  type DiceOptions,
  type HingeOptions,
  type KlOptions,
  type LabelOptions,
} from './losses/classification.js';
export { type LossOptions, type Reduced, type Reduction } from './losses/common.js';
export {
  ntXentLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type NtXentOptions,
  type TripletDistanceOptions,
  type TripletOptions,
} from './losses/metric.js';
export {
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
  type HuberOptions,
  type SmoothL1Options,
} from './losses/regression.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CTCLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  DiceCrossEntropyLoss,
  DiceLoss,
  FocalLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HingeLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  NTXentLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from './losses/modules.js';
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multiMarginLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  softMarginLoss,
  type MarginOptions,
  type MultiMarginOptions,
  type MultilabelSoftMarginOptions,
} from './losses/margins.js';
export {
  focalLoss,
  gaussianNllLoss,
  poissonNllLoss,
  type FocalOptions,
  type GaussianNllOptions,
  type PoissonNllOptions,
} from './losses/likelihoods.js';
export { diceCrossEntropy, type DiceCrossEntropyOptions } from './losses/segmentation.js';
export { ctcLoss, type CtcOptions, type Lengths } from './losses/ctc.js';
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
  type Sides,
} from './padding.js';
export { Fold, Unfold } from './patches.js';
export * as init from './initialisers.js';
export type * from './shape-types/shape-fn.js';
export type * from './shape-types/last-dimension.js';
export type * from './shape-types/windows.js';
export type * from './shape-types/normalisation.js';
export type * from './shape-types/movement.js';
export type * from './shape-types/containers.js';
