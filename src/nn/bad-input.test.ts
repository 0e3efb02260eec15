// Bad options and bad inputs of every layer: each row is refused at once, in words that name the layer and the value. A layer
// without a row fails the last test.
import { beforeAll, describe, expect, test } from 'vitest';
import { NablaError, setDevice, zeros } from '../index.js';
import * as nn from './index.js';

/** Any layer, made and called without the compiler's help. */
type Loose = new (...args: readonly unknown[]) => { forward(...inputs: readonly unknown[]): unknown };
const layers = nn as unknown as Record<string, Loose>;

const f = (...shape: number[]): unknown => zeros(shape);
const int = (...shape: number[]): unknown => zeros(shape, { dtype: 'int32' });
const bool = (...shape: number[]): unknown => zeros(shape, { dtype: 'bool' });
const linear = (from: number, to: number): unknown => new nn.Linear(from, to);
const encoder = (): unknown => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 4 });
const decoder = (): unknown => new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 4 });

type Options = readonly [args: () => readonly unknown[], message: string];
type Inputs = readonly [args: () => readonly unknown[], inputs: () => readonly unknown[], message: string];

const window = (lead: readonly unknown[], dims = 2): Options[] => [
  [() => [...lead, 0], 'kernelSize is 0. Use a whole number of at least 1.'],
  [() => [...lead, 3, { stride: 0 }], 'stride is 0. Use a whole number of at least 1.'],
  [() => [...lead, 3, { stride: 1.5 }], 'stride is 1.5.'],
  [() => [...lead, 3, { padding: -1 }], 'padding is -1. Use a whole number of at least 0.'],
  [() => [...lead, 3, { stride: dims === 3 ? [1, 1] : [1, 1, 1] }], 'stride'],
];
const dilation = (lead: readonly unknown[]): Options => [() => [...lead, 3, { dilation: 0 }], 'dilation is 0.'];
const channels = (extra: readonly Options[] = []): Options[] => [
  [() => [0, 4, 3], 'inChannels is 0. Use a whole number of at least 1.'],
  [() => [4, 2.5, 3], 'outChannels is 2.5.'],
  [() => [4, 4, 3, { groups: 3 }], '3 groups do not divide 4 input and 4 output channels.'],
  [() => [4, 4, 3, { groups: 0 }], 'groups is 0.'],
  ...extra,
];
const same: Options = [() => [1, 1, 3, { padding: 'same', stride: 2 }], "padding 'same' needs stride 1."];
const unknownPadding: Options = [() => [1, 1, 3, { padding: 'full' }], "padding 'full' is not known."];
const outputPadding: Options = [() => [1, 1, 3, { outputPadding: 1 }], 'outputPadding 1 is not below stride 1'];
const wide: Options = [() => [2, { padding: 2 }], 'padding 2 is more than half of kernel 2.'];
const probability: Options[] = [-0.1, 1.1, Number.NaN].map((p) => [() => [p], `p is ${p}. Use a number from 0 to 1.`]);
const norm: Options[] = [
  [() => [0], 'numFeatures is 0.'],
  [() => [3, { eps: -1 }], 'eps is -1. Use a number of at least 0.'],
  [() => [3, { momentum: 1.5 }], 'momentum is 1.5. Use a number from 0 to 1.'],
];
const recurrent: Options[] = [
  [() => [0, 2], 'inputSize is 0. Use a whole number of at least 1.'],
  [() => [3, 1.5], 'hiddenSize is 1.5.'],
  [() => [3, 2, { numLayers: 0 }], 'numLayers is 0.'],
  [() => [3, 2, { numLayers: 2, dropout: -0.5 }], 'dropout is -0.5. Use a number from 0 to 1.'],
  [() => [3, 2, { dropout: 0.5 }], 'acts between layers, and there is one.'],
];
const cell: Options[] = recurrent.slice(0, 2);
const nonlinearity: Options = [() => [3, 2, { nonlinearity: 'gelu' }], "nonlinearity is 'gelu'. Use 'tanh' or 'relu'."];
const transformerLayer: Options[] = [
  [() => [4, 3], '3 heads do not divide embedDim 4.'],
  [() => [4, 2, { dropout: 2 }], 'dropout is 2. Use a number from 0 to 1.'],
  [() => [4, 2, { dimFeedforward: 0 }], 'dimFeedforward is 0.'],
  [() => [4, 2, { activation: 'swish' }], "activation 'swish' is not known."],
  [() => [4, 2, { layerNormEps: -1 }], 'eps is -1.'],
];
const dim: Options[] = [[() => [0.5], 'dim is 0.5. Use a whole number.']];
const powers: Options[] = [
  [() => [0, 2], 'normType is 0. Use another number.'],
  [() => [2, 0], 'kernelSize is 0. Use a whole number of at least 1.'],
];
const size: Options[] = [[() => [0], 'outputSize is 0. Use a whole number of at least 1.']];

/** By layer: options that are refused. Layers without options have none. */
/** Modules of losses: their options are refused when they are made, what does not fit when they are called. */
const LOSSES =
  'BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss DiceLoss FocalLoss GaussianNLLLoss HingeEmbeddingLoss HingeLoss HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NTXentLoss PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss'.split(
    ' ',
  );
const KINDS = ['ReflectionPad', 'ReplicationPad', 'CircularPad', 'ZeroPad', 'ConstantPad'];
const PADS = KINDS.flatMap((kind) => [1, 2, 3].map((dims) => ({ name: `${kind}${dims}d`, dims })));

const OPTIONS: Readonly<Record<string, readonly Options[]>> = {
  Linear: [
    [() => [0, 1], 'inFeatures is 0. Use a whole number of at least 1.'],
    [() => [1, -2], 'outFeatures is -2.'],
  ],
  DiceCrossEntropyLoss: [
    [() => [{ smoth: 1 }], "DiceCrossEntropyLoss: there is no option 'smoth'. Did you mean smooth?"],
  ],
  Bilinear: [
    [() => [0, 1, 1], 'in1Features is 0.'],
    [() => [1, 0, 1], 'in2Features is 0.'],
    [() => [1, 1, 0], 'outFeatures is 0.'],
  ],
  Embedding: [
    [() => [0, 1], 'count is 0.'],
    [() => [1, 0], 'dim is 0.'],
    [() => [5, 1, { paddingIdx: 5 }], 'paddingIdx is 5. Use a whole number from -5 to 4.'],
    [() => [5, 1, { maxNorm: 0 }], 'maxNorm is 0. Use a number above 0.'],
  ],
  EmbeddingBag: [
    [() => [0, 1], 'count is 0.'],
    [() => [5, 1, { mode: 'median' }], "mode is 'median'."],
    [() => [5, 1, { normType: -1 }], 'normType is -1. Use a number above 0.'],
  ],
  Conv1d: [...window([1, 1]), dilation([1, 1]), ...channels([same, unknownPadding])],
  Conv2d: [...window([1, 1]), dilation([1, 1]), ...channels([same, unknownPadding])],
  Conv3d: [...window([1, 1], 3), dilation([1, 1]), ...channels([same, unknownPadding])],
  ConvTranspose3d: [...window([1, 1], 3), dilation([1, 1]), ...channels([outputPadding])],
  ConvTranspose1d: [...window([1, 1]), dilation([1, 1]), ...channels([outputPadding])],
  ConvTranspose2d: [...window([1, 1]), dilation([1, 1]), ...channels([outputPadding])],
  DepthwiseSeparableConv2d: [...window([1, 1]), dilation([1, 1]), ...channels().slice(0, 2), same],
  BatchNorm1d: norm,
  BatchNorm2d: norm,
  BatchNorm3d: norm,
  InstanceNorm1d: norm,
  InstanceNorm2d: norm,
  InstanceNorm3d: norm,
  LayerNorm: [
    [() => [[]], 'normalizedShape is []. Give at least one size.'],
    [() => [0], 'normalizedShape is 0.'],
    [() => [2, { eps: Number.NaN }], 'eps is NaN.'],
  ],
  RMSNorm: [
    [() => [[2, 0]], 'normalizedShape is 0.'],
    [() => [2, { eps: -1 }], 'eps is -1.'],
  ],
  GroupNorm: [
    [() => [3, 4], '3 groups do not divide 4 channels.'],
    [() => [0, 4], 'numGroups is 0.'],
    [() => [2, 0], 'numChannels is 0.'],
    [() => [2, 4, { eps: -1 }], 'eps is -1.'],
  ],
  LocalResponseNorm: [
    [() => [0], 'size is 0.'],
    [() => [2, { alpha: Number.NaN }], 'alpha is NaN. Use a number.'],
    [() => [2, { beta: 'high' }], "beta is 'high'. Use a number."],
    [() => [2, { k: Infinity }], 'k is Infinity. Use a number.'],
  ],
  CELU: [[() => [0], 'alpha is 0. Use another number.']],
  ELU: [[() => [Number.NaN], 'NaN is not a number.']],
  GELU: [[() => ['fast'], "approximate is 'fast'. Use 'none' or 'tanh'."]],
  GLU: dim,
  Hardshrink: [[() => ['wide'], 'wide is not a number.']],
  Hardtanh: [[() => [1, 1], 'min 1 is not below max 1.']],
  LeakyReLU: [[() => [Number.NaN], 'NaN is not a number.']],
  LogSoftmax: dim,
  Softmax: dim,
  Softmin: dim,
  Maxout: [
    [() => [0, 2], 'inFeatures is 0.'],
    [() => [2, 0], 'outFeatures is 0.'],
    [() => [2, 2, 0], 'pieces is 0.'],
  ],
  PReLU: [
    [() => [0], 'count is 0.'],
    [() => [1, Number.NaN], 'the first slope is NaN. Use a number.'],
  ],
  RReLU: [[() => [1, 0], 'lower 1 is above upper 0. Exchange them.']],
  Softplus: [[() => [0], 'beta is 0. Use a number above 0.']],
  Softshrink: [[() => [-1], 'lambda is -1. Use a number of at least 0.']],
  Threshold: [[() => [1], 'undefined is not a number.']],
  MaxPool1d: [...window([]), dilation([]), wide],
  MaxPool2d: [...window([]), dilation([]), wide],
  MaxPool3d: [...window([], 3), dilation([]), wide],
  AvgPool1d: [...window([]), wide],
  AvgPool2d: [...window([]), wide, [() => [2, { divisorOverride: 0 }], 'divisorOverride is 0. Use another number.']],
  AvgPool3d: [...window([], 3), wide],
  LPPool1d: powers,
  LPPool2d: powers,
  LPPool3d: powers,
  AdaptiveAvgPool1d: size,
  AdaptiveAvgPool2d: size,
  AdaptiveMaxPool1d: size,
  AdaptiveMaxPool2d: size,
  AdaptiveAvgPool3d: size,
  AdaptiveMaxPool3d: size,
  MaxUnpool1d: window([]),
  MaxUnpool2d: window([]),
  MaxUnpool3d: window([], 3),
  Flatten: [[() => [0.5], 'dimension 0.5. Use a whole number.']],
  Unflatten: [
    [() => [0.5, [2]], 'dim is 0.5.'],
    [() => [1, []], 'no sizes. Give at least one.'],
    [() => [1, [0]], 'size is 0.'],
    [() => [1, [-1, -1]], 'more than one -1.'],
  ],
  ...Object.fromEntries(
    LOSSES.map((name): [string, Options[]] => [
      name,
      [[() => [{ reducton: 'sum' }], `${name}: there is no option 'reducton'. Did you mean reduction?`]],
    ]),
  ),
  ...Object.fromEntries(
    PADS.map(({ name, dims }): [string, Options[]] => [
      name,
      [
        [() => [0.5, 0], `${name}: padding is 0.5. Use a whole number, or ${2 * dims}`],
        [() => [[1, 2, 3], 0], `${name}: padding is [1, 2, 3].`],
      ],
    ]),
  ),
  Unfold: [
    [() => [0], 'Unfold: kernelSize is 0.'],
    [() => [2, { strides: 1 }], "Unfold: there is no option 'strides'. Did you mean stride?"],
  ],
  Fold: [
    [() => [[0, 2], 2], 'Fold: outputSize is 0.'],
    [
      () => [
        [2, 2],
        [1, 2, 3],
      ],
      'Fold: kernelSize is [1, 2, 3].',
    ],
  ],
  PixelShuffle: [[() => [0], 'upscaleFactor is 0.']],
  PixelUnshuffle: [[() => [1.5], 'downscaleFactor is 1.5.']],
  Upsample: [
    [() => [{}], 'Upsample: '],
    [() => [{ size: 2, scaleFactor: 2 }], 'Upsample: '],
    [() => [{ scaleFactor: 0 }], 'scaleFactor is 0'],
    [() => [{ size: 0 }], 'size 0 is not valid.'],
    [() => [{ size: 2, mode: 'cubic' }], "mode 'cubic'"],
  ],
  Dropout: probability,
  Dropout1d: probability,
  Dropout2d: probability,
  Dropout3d: probability,
  AlphaDropout: probability,
  RNN: [...recurrent, nonlinearity],
  LSTM: recurrent,
  GRU: recurrent,
  RNNCell: [...cell, nonlinearity],
  LSTMCell: cell,
  GRUCell: cell,
  ConvLSTM: [
    [() => [0, 1, 3], 'inChannels is 0.'],
    [() => [1, 0, 3], 'hiddenChannels is 0.'],
    [() => [1, 1, 0], 'kernelSize is 0.'],
    [() => [1, 1, 3, { numLayers: 0 }], 'numLayers is 0.'],
  ],
  ConvLSTMCell: [
    [() => [0, 1, 3], 'inChannels is 0.'],
    [() => [1, 0, 3], 'hiddenChannels is 0.'],
    [() => [1, 1, 0], 'kernelSize is 0.'],
  ],
  SpectralNorm: [
    [() => [new nn.ReLU()], 'the layer has no weight of two dimensions or more.'],
    [() => [linear(2, 3), { iterations: 0 }], 'iterations is 0.'],
    [() => [linear(2, 3), { eps: -1 }], 'eps is -1. Use a number of at least 0.'],
  ],
  GCNConv: [
    [() => [0, 1], 'inFeatures is 0.'],
    [() => [1, 0], 'outFeatures is 0.'],
  ],
  GATConv: [
    [() => [0, 1], 'inFeatures is 0.'],
    [() => [1, 0], 'outFeatures is 0.'],
    [() => [1, 1, { heads: 0 }], 'heads is 0.'],
    [() => [1, 1, { dropout: -1 }], 'dropout is -1.'],
    [() => [1, 1, { negativeSlope: Infinity }], 'negativeSlope is Infinity.'],
  ],
  MessagePassing: [
    [() => [linear(2, 2), linear(2, 2), { aggregation: 'median' }], "aggregation 'median' is not known."],
    [() => [linear(2, 2), linear(2, 2), { aggregation: 'attention' }], 'needs a score module.'],
    [() => [linear(2, 2), linear(2, 2), { score: linear(2, 1) }], 'has no use for a score module.'],
    [() => [(x: unknown) => x, linear(2, 2)], 'argument 0 is not a module with a forward method.'],
  ],
  AdditiveAttention: [
    [() => [0, 1, 1], 'queryDim is 0.'],
    [() => [1, 0, 1], 'keyDim is 0.'],
    [() => [1, 1, 0], 'hiddenDim is 0.'],
  ],
  MultiheadAttention: [
    [() => [4, 3], '3 heads do not divide embedDim 4.'],
    [() => [0, 1], 'embedDim is 0.'],
    [() => [4, 0], 'numHeads is 0.'],
    [() => [4, 2, { kdim: 0 }], 'kdim is 0.'],
    [() => [4, 2, { vdim: 0.5 }], 'vdim is 0.5.'],
    [() => [4, 2, { dropout: 1.5 }], 'dropout is 1.5. Use a number from 0 to 1.'],
  ],
  TransformerEncoderLayer: transformerLayer,
  TransformerDecoderLayer: transformerLayer,
  TransformerEncoder: [[() => [encoder(), 0], 'numLayers is 0.']],
  TransformerDecoder: [[() => [decoder(), 1.5], 'numLayers is 1.5.']],
  Transformer: [...transformerLayer, [() => [4, 2, { numEncoderLayers: 0 }], 'numLayers is 0.']],
  LearnedPositions: [
    [() => [0, 2], 'maxLength is 0.'],
    [() => [2, 0], 'dim is 0.'],
  ],
  SinusoidalPositions: [
    [() => [3], 'dim is 3. Use an even number.'],
    [() => [0], 'dim is 0.'],
  ],
  Sequential: [[() => [linear(1, 1), 'relu'], 'argument 1 is not a module with a forward method.']],
  Residual: [
    [() => [[1]], 'argument 0 is not a module with a forward method.'],
    [() => [[linear(1, 1)], 2], 'argument 0 is not a module with a forward method.'],
  ],
  Parallel: [
    [() => [[]], 'no branches. Give at least one.'],
    [() => [[linear(1, 1)], 0.5], 'dim is 0.5. Use a whole number.'],
  ],
  ModuleList: [[() => [[1]], 'Only modules can be in the list.']],
  ModuleDict: [[() => [{ 'a.b': linear(1, 1) }], "'a.b' is not a name for a module."]],
};

const sequence = (name: string): Inputs[] => [
  [() => [3, 2], () => [f(4, 2, 5)], 'last dimension 5 is not inputSize 3'],
  [() => [3, 2], () => [f(3)], `${name}: input [3]: needs 2 or 3 dimensions`],
  [() => [3, 2], () => [f(0, 4, 3)], 'no steps'],
  [() => [3, 2], () => [f(4, 2, 3), undefined, { lengths: f(2) }], 'lengths are float32. Convert'],
  [() => [3, 2], () => [f(4, 2, 3), undefined, { lengths: int(3) }], 'lengths [3] for a batch of 2'],
];
const step = (name: string): Inputs[] => [
  [() => [3, 2], () => [f(2, 4)], 'last dimension 4 is not inputSize 3'],
  [() => [3, 2], () => [f(2, 2, 3)], `${name}: input [2, 2, 3]: needs 1 or 2 dimensions`],
];
const images = (args: readonly unknown[], what = 'inChannels'): Inputs[] => [
  [() => args, () => [f(2, 3, 5, 5)], `channel dimension 3 is not ${what} 2`],
  [() => args, () => [f(5, 5)], 'input [5, 5]: needs [N, C, H, W]'],
];
const lines = (args: readonly unknown[], what = 'inChannels'): Inputs[] => [
  [() => args, () => [f(2, 3, 5)], `channel dimension 3 is not ${what} 2`],
  [() => args, () => [f(2, 2, 5, 5)], 'input [2, 2, 5, 5]: needs [N, C, L] or [C, L]'],
];
const pooled1: Inputs[] = [
  [() => [2], () => [f(2, 2, 5, 5)], 'needs [N, C, L] or [C, L]'],
  [() => [4], () => [f(2, 2, 3)], 'kernel of size 4 does not fit an input of size 3'],
];
const pooled2: Inputs[] = [
  [() => [2], () => [f(2, 2)], 'needs [N, C, H, W] or [C, H, W]'],
  [() => [4], () => [f(2, 3, 3)], 'kernel of size 4 does not fit an input of size 3'],
];
const volumes = '[N, C, D, H, W] or [C, D, H, W]';
const pooled3: Inputs[] = [
  [() => [2], () => [f(2, 2, 2)], `needs ${volumes}`],
  [() => [4], () => [f(2, 3, 3, 3)], 'kernel of size 4 does not fit an input of size 3'],
];
const power = (list: readonly Inputs[]): Inputs[] =>
  list.map(([make, inputs, says]): Inputs => [() => [2, ...make()], inputs, says]);
const edges = (args: readonly unknown[], name: string): Inputs[] => [
  [() => args, () => [f(3, 2), f(2, 4)], `${name}: edges are float32. Convert with to('int32').`],
  [() => args, () => [f(3, 2), int(3, 4)], `${name}: edges [3, 4]: needs [2, E]`],
  [() => args, () => [f(3, 2, 1), int(2, 4)], `${name}: nodes [3, 2, 1]: needs [N, F]`],
];
const attended: Inputs[] = [
  [
    () => [4, 2],
    () => [f(3, 1, 4), f(3, 1, 5), f(3, 1, 4)],
    'MultiheadAttention: key: input [3, 1, 5]: last dimension 5 is not kdim 4',
  ],
  [() => [4, 2], () => [f(3, 1, 4), f(3, 2, 4), f(3, 2, 4)], 'batches, or lengths of key and value, differ'],
  [() => [4, 2], () => [f(4), f(4), f(4)], 'need 3 dimensions, or 2 without a batch'],
  [() => [4, 2], () => [f(3, 1, 4), f(3, 1, 4), f(3, 1, 4), { attnMask: int(3, 3) }], 'attnMask is int32.'],
  [() => [4, 2], () => [f(3, 1, 4), f(3, 1, 4), f(3, 1, 4), { attnMask: bool(2, 3) }], 'attnMask [2, 3]'],
  [() => [4, 2], () => [f(3, 1, 4), f(3, 1, 4), f(3, 1, 4), { keyPaddingMask: bool(3) }], 'needs [N, S]'],
  [() => [4, 2], () => [f(3, 1, 4), f(3, 1, 4), f(3, 1, 4), { keyPaddingMask: bool(1, 2) }], 'keyPaddingMask [1, 2]'],
];

/** By layer: inputs that are refused. Layers that take any shape have none. */
const INPUTS: Readonly<Record<string, readonly Inputs[]>> = {
  Linear: [
    [() => [3, 1], () => [f(2, 4)], 'last dimension 4 is not inFeatures 3'],
    [() => [3, 1], () => [f()], 'needs at least one dimension'],
    [() => [3, 1], () => [int(2, 3)], "input is int32. Convert with to('float32')."],
  ],
  Bilinear: [
    [() => [2, 3, 1], () => [f(4, 3), f(4, 3)], 'last dimension 3 is not in1Features 2'],
    [() => [2, 3, 1], () => [f(4, 2), f(5, 3)], 'all sizes but the last have to agree'],
  ],
  Embedding: [[() => [5, 1], () => [f(2)], "index is float32, indices are int32. Convert with to('int32')."]],
  EmbeddingBag: [
    [() => [5, 1], () => [f(2)], "index is float32, indices are int32. Convert with to('int32')."],
    [() => [5, 1], () => [int(2, 2), int(1)], 'has a bag in each row, and takes no offsets.'],
    [() => [5, 1], () => [int(2, 2), undefined, f(2, 2)], "perSampleWeights go with mode 'sum', not 'mean'."],
  ],
  Conv1d: [
    ...lines([2, 1, 3]),
    [() => [2, 1, 4], () => [f(1, 2, 3)], 'kernel of size 4 does not fit an input of size 3'],
  ],
  Conv2d: [
    ...images([2, 1, 3]),
    [() => [2, 1, 4], () => [f(2, 3, 9)], 'kernel of size 4 does not fit an input of size 3'],
  ],
  ConvTranspose1d: lines([2, 1, 3]),
  ConvTranspose2d: images([2, 1, 3]),
  DepthwiseSeparableConv2d: images([2, 1, 3]),
  Conv3d: [
    [() => [3, 1, 3], () => [f(2, 5, 5, 5)], 'channel dimension 2 is not inChannels 3'],
    [() => [2, 1, 4], () => [f(2, 3, 9, 9)], 'kernel of size 4 does not fit an input of size 3'],
  ],
  ConvTranspose3d: [[() => [2, 1, 3], () => [f(2, 2)], `needs ${volumes}`]],
  BatchNorm1d: [
    [() => [2], () => [f(2, 3)], 'channel dimension 3 is not numFeatures 2'],
    [() => [2], () => [f(2)], 'needs [N, C] or [N, C, L]'],
    [() => [2], () => [f(1, 2)], 'one number a channel has no variance.'],
    [() => [2], () => [f(0, 2)], 'one number a channel has no variance.'],
  ],
  BatchNorm2d: [
    [() => [2], () => [f(2, 3, 5, 5)], 'channel dimension 3 is not numFeatures 2'],
    [() => [2], () => [f(2, 2)], 'needs [N, C, H, W]'],
    [() => [2], () => [f(1, 2, 1, 1)], 'one number a channel has no variance.'],
  ],
  BatchNorm3d: [[() => [2], () => [f(2, 2, 3, 4)], 'needs [N, C, D, H, W]']],
  InstanceNorm3d: [[() => [2], () => [f(2, 2)], `needs ${volumes}`]],
  InstanceNorm1d: [...lines([2], 'numFeatures'), [() => [2], () => [f(3, 2, 1)], 'one number a channel']],
  InstanceNorm2d: [...images([2], 'numFeatures'), [() => [2], () => [f(3, 2, 1, 1)], 'one number a channel']],
  LayerNorm: [[() => [3], () => [f(2, 4)], 'last dimension 4 is not normalizedShape 3']],
  RMSNorm: [[() => [[2, 3]], () => [f(3)], 'does not end in normalizedShape [2, 3]']],
  GroupNorm: [
    [() => [2, 4], () => [f(2, 6)], 'channel dimension 6 is not numChannels 4'],
    [() => [2, 4], () => [f(4)], 'needs [N, C, ...]'],
  ],
  LocalResponseNorm: [[() => [2], () => [f(2, 3)], 'needs [N, C, L, ...]']],
  GLU: [
    [() => [], () => [f(2, 3)], 'dimension -1 of size 3 has no halves'],
    [() => [2], () => [f(2, 4)], 'has no dimension 2'],
  ],
  LogSoftmax: [[() => [2], () => [f(2, 4)], 'dimension 2 is out of range']],
  Softmax: [[() => [2], () => [f(2, 4)], 'dimension 2 is out of range']],
  Softmin: [[() => [2], () => [f(2, 4)], 'dimension 2 is out of range']],
  Maxout: [[() => [3, 2], () => [f(2, 4)], 'last dimension 4 is not inFeatures 3']],
  PReLU: [[() => [3], () => [f(2, 4)], '3 slopes need 3 channels']],
  MaxPool1d: pooled1,
  MaxPool2d: pooled2,
  MaxPool3d: pooled3,
  AvgPool1d: pooled1,
  AvgPool2d: pooled2,
  AvgPool3d: pooled3,
  LPPool1d: power(pooled1),
  LPPool2d: power(pooled2),
  LPPool3d: power(pooled3),
  AdaptiveAvgPool1d: pooled1.slice(0, 1),
  AdaptiveAvgPool2d: pooled2.slice(0, 1),
  AdaptiveMaxPool1d: pooled1.slice(0, 1),
  AdaptiveMaxPool2d: pooled2.slice(0, 1),
  AdaptiveAvgPool3d: pooled3.slice(0, 1),
  AdaptiveMaxPool3d: pooled3.slice(0, 1),
  GlobalAvgPool1d: [[() => [], () => [f(2)], 'needs [N, C, L] or [C, L]']],
  GlobalAvgPool2d: [[() => [], () => [f(2, 2)], 'needs [N, C, H, W] or [C, H, W]']],
  GlobalMaxPool1d: [[() => [], () => [f(2)], 'needs [N, C, L] or [C, L]']],
  GlobalMaxPool2d: [[() => [], () => [f(2, 2)], 'needs [N, C, H, W] or [C, H, W]']],
  MaxUnpool1d: [
    [() => [2], () => [f(2, 3), f(2, 3)], 'indices are float32. Use those of forwardWithIndices.'],
    [() => [2], () => [f(2, 3), int(2, 4)], 'input [2, 3], indices [2, 4]: shapes differ'],
    [() => [2], () => [f(2, 3), int(2, 3), [9]], 'output size 9 is too far from 6'],
    [() => [2], () => [f(2, 3), int(2, 3), [2, 6]], 'outputSize [2, 6]: needs 1 size'],
  ],
  MaxUnpool2d: [
    [() => [2], () => [f(2, 2), int(2, 2)], 'needs [N, C, H, W] or [C, H, W]'],
    [() => [2], () => [f(1, 2, 2), int(1, 2, 2), [4]], 'outputSize [4]: needs 2 sizes'],
  ],
  MaxUnpool3d: [[() => [2], () => [f(2, 2, 2), int(2, 2, 2)], `needs ${volumes}`]],
  Flatten: [[() => [3], () => [f(2, 3)], 'flatten: ']],
  Unflatten: [
    [() => [1, [2, 3]], () => [f(5, 7)], 'dimension 1 of size 7 is not [2, 3]'],
    [() => [2, [2, 3]], () => [f(5, 6)], 'has no dimension 2'],
  ],
  ...Object.fromEntries(
    PADS.map(({ name, dims }): [string, Inputs[]] => [
      name,
      [[() => [1, 0], () => [f(...new Array<number>(dims + 3).fill(2))], `${name}: input`]],
    ]),
  ),
  Unfold: [[() => [3], () => [f(1, 1, 2, 2)], 'unfold: kernel of size 3 does not fit']],
  Fold: [[() => [[3, 3], 2], () => [f(1, 4, 3)], 'fold: input [1, 4, 3] has 3 columns']],
  PixelShuffle: [
    [() => [2], () => [f(6, 2, 2)], '6 channels are not a multiple of 4'],
    [() => [2], () => [f(4, 2)], 'needs [..., C, H, W]'],
  ],
  PixelUnshuffle: [[() => [2], () => [f(1, 3, 4)], 'height and width are not multiples of 2']],
  Upsample: [
    [() => [{ size: 4 }], () => [f(2, 3)], 'needs [N, C, L], [N, C, H, W] or [N, C, D, H, W]'],
    [() => [{ size: 4, mode: 'bilinear' }], () => [f(1, 2, 3)], 'bilinear'],
  ],
  Dropout1d: [[() => [], () => [f(2)], 'needs [N, C, L] or [C, L]']],
  Dropout2d: [[() => [], () => [f(2, 2)], 'needs [N, C, H, W] or [C, H, W]']],
  Dropout3d: [[() => [], () => [f(2, 2, 2)], `needs ${volumes}`]],
  RNN: [...sequence('RNN'), [() => [3, 2], () => [f(4, 2, 3), f(1, 3, 2)], 'initial state [1, 3, 2] is not [1, 2, 2]']],
  GRU: [...sequence('GRU'), [() => [3, 2], () => [f(4, 2, 3), f(2, 2, 2)], 'initial state [2, 2, 2] is not [1, 2, 2]']],
  LSTM: [
    ...sequence('LSTM'),
    [() => [3, 2], () => [f(4, 2, 3), [f(1, 2, 2), f(1, 2, 3)]], 'initial state [1, 2, 3] is not [1, 2, 2]'],
    [() => [3, 2], () => [f(4, 2, 3), [f(1, 2, 2)]], '1 initial states, needs 2'],
  ],
  RNNCell: [...step('RNNCell'), [() => [3, 2], () => [f(2, 3), f(2, 3)], 'state [2, 3] is not [2, 2]']],
  GRUCell: [...step('GRUCell'), [() => [3, 2], () => [f(2, 3), f(3, 2)], 'state [3, 2] is not [2, 2]']],
  LSTMCell: [...step('LSTMCell'), [() => [3, 2], () => [f(2, 3), [f(2, 2), f(2)]], 'state [2] is not [2, 2]']],
  ConvLSTM: [
    [() => [1, 2, 3], () => [f(2, 1, 4, 4)], 'needs [T, N, C, H, W]'],
    [() => [1, 2, 3], () => [f(2, 1, 3, 4, 4)], 'channel dimension 3 is not inChannels 1'],
    [() => [1, 2, 3], () => [f(0, 1, 1, 4, 4)], 'no steps'],
  ],
  ConvLSTMCell: [
    [() => [2, 2, 3], () => [f(1, 3, 4, 4)], 'channel dimension 3 is not inChannels 2'],
    [() => [2, 2, 3], () => [f(2, 4, 4)], 'needs [N, C, H, W]'],
  ],
  SpectralNorm: [[() => [linear(2, 3)], () => [f(2, 3)], 'last dimension 3 is not inFeatures 2']],
  GCNConv: [
    ...edges([2, 1], 'GCNConv'),
    [() => [2, 1], () => [f(3, 4), int(2, 4)], 'last dimension 4 is not inFeatures 2'],
  ],
  GATConv: [
    ...edges([2, 1], 'GATConv'),
    [() => [2, 1], () => [f(3, 4), int(2, 4)], 'last dimension 4 is not inFeatures 2'],
  ],
  AdditiveAttention: [
    [
      () => [2, 3, 4],
      () => [f(1, 2, 2), f(1, 2, 4)],
      'AdditiveAttention: keys: input [1, 2, 4]: last dimension 4 is not keyDim 3',
    ],
    [() => [2, 3, 4], () => [f(2, 2), f(1, 2, 3)], 'needs [N, L, Q], [N, S, K], [N, S, V]'],
    [() => [2, 3, 4], () => [f(1, 1, 2), f(1, 2, 3), { mask: f(1, 2) }], 'mask is float32. Use bool'],
    [() => [2, 3, 4], () => [f(1, 1, 2), f(1, 2, 3), { mask: bool(1, 5) }], 'needs [N, S] or [N, L, S]'],
  ],
  MultiheadAttention: attended,
  TransformerEncoderLayer: [[() => [4, 2], () => [f(3, 1, 5)], 'last dimension 5 is not dModel 4']],
  TransformerDecoderLayer: [
    [() => [4, 2], () => [f(3, 1, 5), f(3, 1, 4)], 'last dimension 5 is not dModel 4'],
    [() => [4, 2], () => [f(3, 1, 4), f(3, 1, 5)], 'memory: input [3, 1, 5]: last dimension 5 is not dModel 4'],
  ],
  TransformerEncoder: [[() => [encoder(), 1], () => [f(3, 1, 5)], 'last dimension 5 is not dModel 4']],
  TransformerDecoder: [[() => [decoder(), 1], () => [f(3, 1, 4), f(3, 1, 5)], 'last dimension 5 is not dModel 4']],
  Transformer: [
    [() => [4, 2, { dimFeedforward: 4 }], () => [f(3, 1, 5), f(3, 1, 4)], 'last dimension 5 is not dModel 4'],
    [() => [4, 2, { dimFeedforward: 4 }], () => [f(3, 1, 4), f(3, 2, 4)], 'batches'],
  ],
  LearnedPositions: [
    [() => [2, 4], () => [f(3, 4)], '3 positions, at most 2'],
    [() => [2, 4], () => [f(2, 5)], 'last dimension 5 is not dim 4'],
  ],
  SinusoidalPositions: [
    [() => [4], () => [f(2, 5)], 'last dimension 5 is not dim 4'],
    [() => [4], () => [f(4)], 'needs [..., T, E]'],
  ],
  MessagePassing: [
    ...edges([linear(4, 2), linear(4, 2)], 'MessagePassing'),
    [() => [linear(4, 2), linear(4, 2)], () => [f(3, 2), int(2, 4), f(3, 1)], 'edge features [3, 1] for 4 edges'],
  ],
  Sequential: [[() => [linear(3, 2), linear(3, 2)], () => [f(1, 3)], 'last dimension 2 is not inFeatures 3']],
  Residual: [[() => [[linear(3, 2)]], () => [f(1, 3)], 'Give a shortcut that changes the shape alike.']],
  Parallel: [[() => [[linear(3, 2), linear(3, 2)], 0], () => [f(1, 4)], 'last dimension 4 is not inFeatures 3']],
};

beforeAll(() => setDevice('reference'));

function refusal(run: () => unknown): NablaError {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof NablaError)) throw new Error(`not refused, but ${String(thrown)}`);
  return thrown;
}

describe('options', () => {
  const rows = Object.entries(OPTIONS).flatMap(([name, all]) =>
    all.map(([args, message]) => ({ name, args, message })),
  );
  test.each(rows)('$name: $message', ({ name, args, message }) => {
    const given = args();
    expect(refusal(() => new layers[name](...given)).message).toContain(message);
  });
});

describe('inputs', () => {
  const rows = Object.entries(INPUTS).flatMap(([name, all]) =>
    all.map(([args, inputs, message]) => ({ name, args, inputs, message })),
  );
  test.each(rows)('$name: $message', ({ name, args, inputs, message }) => {
    const layer = new layers[name](...args());
    const given = inputs();
    expect(refusal(() => layer.forward(...given)).message).toContain(message);
  });
});

/** Element-wise layers without options: nothing about them can be wrong. */
const ANYTHING =
  'Hardsigmoid Hardswish Identity LogSigmoid Mish ReLU ReLU6 SELU SiLU Sigmoid Softsign Step Tanh Tanhshrink'.split(
    ' ',
  );
const BASES = ['Module', 'Layer'];

test('every layer is here', () => {
  const exported = Object.entries(nn)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module)
    .map(([name]) => name)
    .filter((name) => !ANYTHING.includes(name) && !BASES.includes(name));
  expect(exported.filter((name) => !(name in OPTIONS) && !(name in INPUTS))).toEqual([]);
});
