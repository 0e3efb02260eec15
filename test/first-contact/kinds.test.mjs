/* oxlint-disable import/namespace -- every public function is looked up by its name */
// Arguments of a wrong kind, as callers without types pass them: each argument of each public function, method, layer and
// optimiser in turn is a plain list, a number, a string, nothing, a promise that nobody awaited, a module, … None of these
// calls may end in an error of JavaScript's own, or succeed where the kind is not one that the call takes.

import { describe, expect, it } from 'vitest';
import * as nabla from 'nabla';
import * as nn from 'nabla/nn';
import * as optim from 'nabla/optim';
import {
  Dims,
  Flag,
  I,
  List,
  N,
  NumberOr,
  Operand,
  Optional,
  Options,
  Shape,
  T,
  Whole,
  argument,
  faultOf,
  sweep,
} from './sweep.mjs';

const { NablaError, Tensor, ones, tensor, zeros } = nabla;
const { functional, init } = nn;

const x = zeros([2, 3]);
const square = zeros([3, 3]);
const index = tensor(new Int32Array([0, 1]));
const positions = zeros([2, 3], { dtype: 'int32' });
const images = zeros([1, 2, 4, 4]);
const lines = zeros([1, 2, 4]);
const labels = tensor(new Int32Array([0, 1]));
const edges = zeros([2, 2], { dtype: 'int32' });
function withGradients() {
  const list = parameters();
  for (const p of list) p.grad = zeros(p.shape);
  return list;
}
const parameters = () => new nn.Linear(2, 2).parameters();
const Parameters = argument('tensors');

/** Methods of tensors: what they are called on (x unless given), and their arguments. */
const METHODS = {
  to: [argument('string')('int32')],
  lerp: [T(x), N(1)],
  clamp: [NumberOr(0), NumberOr(1)],
  ...Object.fromEntries(
    [
      'add',
      'sub',
      'mul',
      'div',
      'pow',
      'remainder',
      'floorDivide',
      'maximum',
      'minimum',
      'eq',
      'ne',
      'lt',
      'le',
      'gt',
      'ge',
    ].map((name) => [name, [Operand(x)]]),
  ),
  ...Object.fromEntries(['logicalAnd', 'logicalOr', 'logicalXor'].map((name) => [name, [T(x)]])),
  ...Object.fromEntries(
    ['sum', 'mean', 'prod', 'amax', 'amin', 'any', 'all', 'var', 'std'].map((name) => [name, [Dims(0), Options({})]]),
  ),
  ...Object.fromEntries(['max', 'min', 'argmax', 'argmin'].map((name) => [name, [Whole(0), Options({})]])),
  norm: [NumberOr(2), Dims(0), Options({})],
  softmax: [I(0)],
  logSoftmax: [I(0)],
  logsumexp: [Dims(0), Options({})],
  cumsum: [I(0)],
  cumprod: [I(0)],
  median: [Whole(0), Options({})],
  argsort: [Whole(0), Flag(true)],
  sort: [Whole(0), Flag(true)],
  topk: [I(1), Whole(0), Options({})],
  matmul: [T(square)],
  reshape: [Shape([3, 2])],
  permute: [Shape([1, 0])],
  transpose: [I(0), I(1)],
  unsqueeze: [I(0)],
  squeeze: [Whole(0)],
  expand: [Shape([2, 3])],
  repeat: [argument('list')([1, 2])],
  movedim: [argument('list')(0), argument('list')(1)],
  unbind: [Whole(0)],
  select: [I(0), I(0)],
  narrow: [I(0), I(0), I(1)],
  flatten: [Whole(0), Whole(1)],
  pad: [argument('list')([[1, 1]]), NumberOr(0)],
  slice: [I(0), Whole(0), Whole(1), Whole(1)],
  flip: [I(0)],
  roll: [I(1), I(0)],
  split: [I(1), Whole(0)],
  chunk: [I(1), Whole(0)],
  tril: [Whole(0)],
  triu: [Whole(0)],
  index: [argument('undefined', 'null')(0), argument('undefined', 'null')(1)],
  maskedFill: [T(zeros([2, 3], { dtype: 'bool' })), N(1)],
  gather: [I(0), T(positions)],
  scatterAdd: [I(0), T(positions), T(zeros([2, 3]))],
  indexSelect: [I(0), T(index)],
};

/** Calls by the name that their errors begin with. */
const CALLS = {
  zeros: [(...a) => zeros(...a), Shape([2]), Options({})],
  ones: [(...a) => ones(...a), Shape([2]), Options({})],
  full: [nabla.full, Shape([2]), N(1), Options({})],
  rand: [nabla.rand, Shape([2]), Options({})],
  randn: [nabla.randn, Shape([2]), Options({})],
  randint: [nabla.randint, I(0), I(3), Shape([2]), Options({})],
  arange: [nabla.arange, N(0), NumberOr(3), NumberOr(1), Options({})],
  linspace: [nabla.linspace, N(0), N(1), I(3), Options({})],
  eye: [nabla.eye, I(2), Whole(2), Options({})],
  zerosLike: [nabla.zerosLike, T(x)],
  onesLike: [nabla.onesLike, T(x)],
  tensor: [tensor, argument('list', 'number', 'boolean', 'float32array')([1, 2]), Options({})],
  cat: [nabla.cat, List([x, x]), Whole(0)],
  stack: [nabla.stack, List([x, x]), Whole(0)],
  where: [nabla.where, T(zeros([2, 3], { dtype: 'bool' })), Operand(x), Operand(x)],
  embedding: [nabla.embedding, T(x), T(index)],
  conv1d: [nabla.conv1d, T(lines), T(zeros([2, 2, 3])), Options({})],
  conv2d: [nabla.conv2d, T(images), T(zeros([2, 2, 3, 3])), Options({})],
  convTranspose1d: [nabla.convTranspose1d, T(lines), T(zeros([2, 2, 3])), Options({})],
  convTranspose2d: [nabla.convTranspose2d, T(images), T(zeros([2, 2, 3, 3])), Options({})],
  maxPool1d: [nabla.maxPool1d, T(lines), I(2), Options({})],
  maxPool2d: [nabla.maxPool2d, T(images), I(2), Options({})],
  avgPool1d: [nabla.avgPool1d, T(lines), I(2), Options({})],
  avgPool2d: [nabla.avgPool2d, T(images), I(2), Options({})],
  maxPool1dWithIndices: [nabla.maxPool1dWithIndices, T(lines), I(2), Options({})],
  maxPool2dWithIndices: [nabla.maxPool2dWithIndices, T(images), I(2), Options({})],
  maxUnpool1d: [nabla.maxUnpool1d, T(lines), T(zeros([1, 2, 4], { dtype: 'int32' })), Shape([8])],
  maxUnpool2d: [nabla.maxUnpool2d, T(images), T(zeros([1, 2, 4, 4], { dtype: 'int32' })), Shape([8, 8])],
  adaptiveAvgPool1d: [nabla.adaptiveAvgPool1d, T(lines), I(2)],
  adaptiveAvgPool2d: [nabla.adaptiveAvgPool2d, T(images), I(2)],
  adaptiveMaxPool1d: [nabla.adaptiveMaxPool1d, T(lines), I(2)],
  adaptiveMaxPool2d: [nabla.adaptiveMaxPool2d, T(images), I(2)],
  dropout: [nabla.dropout, T(x), NumberOr(0.5)],
  interpolate: [nabla.interpolate, T(images), argument()({ size: 3 })],
  scaledDotProductAttention: [nabla.scaledDotProductAttention, T(x), T(x), T(x), Options({})],
  noGrad: [nabla.noGrad, argument('function')(() => 1)],
  manualSeed: [nabla.manualSeed, I(3)],
  compile: [nabla.compile, argument('function')(() => x), Options({})],
  grad: [nabla.grad, argument('function')((t) => t.sum())],
  valueAndGrad: [nabla.valueAndGrad, argument('function')((t) => t.sum())],
  realize: [nabla.realize, T(x)],
  graphOf: [nabla.graphOf, T(x), Options({})],
  setDevice: [nabla.setDevice, I('cpu')],
  // losses
  crossEntropy: [nn.crossEntropy, T(x), T(labels), Options({})],
  nllLoss: [nn.nllLoss, T(x), T(labels), Options({})],
  diceCrossEntropy: [nn.diceCrossEntropy, T(x), T(labels), Options({})],
  ...Object.fromEntries(
    [
      'bceWithLogits',
      'bceLoss',
      'klDivLoss',
      'hingeLoss',
      'diceLoss',
      'mseLoss',
      'l1Loss',
      'huberLoss',
      'smoothL1Loss',
      'ntXentLoss',
    ].map((name) => [name, [nn[name], T(x), T(x), Options({})]]),
  ),
  hingeLoss: [nn.hingeLoss, T(x), T(labels), Options({})],
  assign_: [(t) => tensor([1, 2]).assign_(t), T(zeros([2]))],
  backward: [(t) => tensor([1, 2], { requiresGrad: true }).mul(2).backward(t), Optional(zeros([2]))],
  tripletMarginLoss: [nn.tripletMarginLoss, T(x), T(x), T(x), Options({})],
  aggregate: [nn.aggregate, T(x), T(index), I(2)],
  edgeSoftmax: [nn.edgeSoftmax, T(zeros([2, 1])), T(index), I(2)],
  sinusoidalEncoding: [nn.sinusoidalEncoding, I(2), I(4)],
  // element-wise functions
  ...Object.fromEntries(
    ['selu', 'silu', 'mish', 'logSigmoid', 'softsign', 'tanhshrink', 'relu6', 'hardsigmoid', 'hardswish', 'step'].map(
      (name) => [name, [functional[name], T(x)]],
    ),
  ),
  ...Object.fromEntries(
    ['leakyRelu', 'elu', 'celu', 'hardshrink', 'softshrink', 'softplus'].map((name) => [
      name,
      [functional[name], T(x), NumberOr(1)],
    ]),
  ),
  hardtanh: [functional.hardtanh, T(x), NumberOr(-1), NumberOr(1)],
  threshold: [functional.threshold, T(x), N(0), N(0)],
  gelu: [functional.gelu, T(x), Whole('none')],
  prelu: [functional.prelu, T(x), T(zeros([1]))],
  rrelu: [functional.rrelu, T(x), NumberOr(0.1), NumberOr(0.2), Flag(false)],
  glu: [functional.glu, T(zeros([2, 4])), Whole(-1)],
  softmin: [functional.softmin, T(x), Whole(-1)],
  // initialisers
  ...Object.fromEntries(
    [
      'zeros_',
      'ones_',
      'eye_',
      'uniform_',
      'normal_',
      'truncNormal_',
      'orthogonal_',
      'kaimingUniform_',
      'kaimingNormal_',
      'xavierUniform_',
      'xavierNormal_',
    ].map((name) => [name, [init[name], T(new nn.Linear(2, 2).weight)]]),
  ),
  constant_: [init.constant_, T(new nn.Linear(2, 2).weight), N(1)],
  ...Object.fromEntries(
    [
      'uniform',
      'normal',
      'truncNormal',
      'orthogonal',
      'kaimingUniform',
      'kaimingNormal',
      'xavierUniform',
      'xavierNormal',
    ].map((name) => [`init.${name}`, [init[name], Shape([2, 2])]]),
  ),
  calculateGain: [init.calculateGain, I('relu')],
  // optimisers
  ...Object.fromEntries(
    ['SGD', 'Adam', 'AdamW', 'Adamax', 'NAdam', 'RAdam', 'Adadelta', 'Adagrad', 'RMSprop'].map((name) => [
      name,
      [(...a) => new optim[name](...a), Parameters(parameters()), Options({})],
    ]),
  ),
  ...Object.fromEntries(
    ['LBFGS', 'NewtonCG', 'GaussNewton', 'LevenbergMarquardt'].map((name) => [
      name,
      [(...a) => new optim[name](...a), Parameters(parameters()), Options({})],
    ]),
  ),
  WeightAverage: [(...a) => new optim.WeightAverage(...a), Parameters(parameters()), Options({})],
  clipGradNorm_: [optim.clipGradNorm_, Parameters(withGradients()), N(1), Options({})],
  clipGradValue_: [optim.clipGradValue_, Parameters(parameters()), N(1)],
  maxNorm_: [optim.maxNorm_, Parameters(parameters()), N(1)],
  ReduceLROnPlateau: [
    (...a) => new optim.ReduceLROnPlateau(...a),
    argument()(new optim.SGD(parameters())),
    Options({}),
  ],
  LRScheduler: [
    (...a) => new optim.LRScheduler(...a),
    argument()(new optim.SGD(parameters())),
    argument('function')(() => 1),
  ],
};

const make =
  (name) =>
  (...a) =>
    new nn[name](...a);
/** Layers: what makes them, then an input. */
const LAYERS = {
  Linear: [[I(3), I(4), Options({})], [T(x)]],
  Bilinear: [
    [I(3), I(3), I(4), Options({})],
    [T(x), T(x)],
  ],
  Embedding: [[I(3), I(4), Options({})], [T(index)]],
  Conv1d: [[I(2), I(4), I(3), Options({})], [T(lines)]],
  Conv2d: [[I(2), I(4), I(3), Options({})], [T(images)]],
  ConvTranspose1d: [[I(2), I(4), I(3), Options({})], [T(lines)]],
  ConvTranspose2d: [[I(2), I(4), I(3), Options({})], [T(images)]],
  DepthwiseSeparableConv2d: [[I(2), I(4), I(3), Options({})], [T(images)]],
  BatchNorm1d: [[I(3), Options({})], [T(x)]],
  BatchNorm2d: [[I(2), Options({})], [T(images)]],
  LayerNorm: [[I(3), Options({})], [T(x)]],
  RMSNorm: [[I(3), Options({})], [T(x)]],
  GroupNorm: [[I(1), I(2), Options({})], [T(images)]],
  InstanceNorm1d: [[I(2), Options({})], [T(lines)]],
  InstanceNorm2d: [[I(2), Options({})], [T(images)]],
  LocalResponseNorm: [[I(2), Options({})], [T(images)]],
  ...Object.fromEntries(
    [
      'GELU',
      'Hardsigmoid',
      'Hardswish',
      'Identity',
      'LogSigmoid',
      'Mish',
      'ReLU',
      'ReLU6',
      'SELU',
      'SiLU',
      'Sigmoid',
      'Softsign',
      'Step',
      'Tanh',
      'Tanhshrink',
      'GlobalAvgPool1d',
    ].map((name) => [name, [[], [T(name === 'GlobalAvgPool1d' ? lines : x)]]]),
  ),
  ...Object.fromEntries(
    ['CELU', 'ELU', 'Hardshrink', 'LeakyReLU', 'Softshrink'].map((name) => [name, [[NumberOr(0.5)], [T(x)]]]),
  ),
  Hardtanh: [[NumberOr(-1), NumberOr(1)], [T(x)]],
  Threshold: [[N(0), N(1)], [T(x)]],
  Softplus: [[NumberOr(1), NumberOr(20)], [T(x)]],
  Softmax: [[Whole(-1)], [T(x)]],
  LogSoftmax: [[Whole(-1)], [T(x)]],
  Softmin: [[Whole(-1)], [T(x)]],
  GLU: [[Whole(-1)], [T(zeros([2, 4]))]],
  PReLU: [[Whole(1), NumberOr(0.25)], [T(x)]],
  MaxPool1d: [[I(2), Options({})], [T(lines)]],
  MaxPool2d: [[I(2), Options({})], [T(images)]],
  AvgPool1d: [[I(2), Options({})], [T(lines)]],
  AvgPool2d: [[I(2), Options({})], [T(images)]],
  AdaptiveAvgPool1d: [[I(2)], [T(lines)]],
  AdaptiveAvgPool2d: [[I(2)], [T(images)]],
  AdaptiveMaxPool2d: [[I(2)], [T(images)]],
  MaxUnpool1d: [
    [I(2), Options({})],
    [T(lines), T(zeros([1, 2, 4], { dtype: 'int32' })), Whole([8])],
  ],
  Flatten: [[Whole(1), Whole(-1)], [T(images)]],
  Unflatten: [[I(1), Shape([3, 1])], [T(x)]],
  PixelShuffle: [[I(1)], [T(images)]],
  Upsample: [[argument()({ scaleFactor: 2 })], [T(images)]],
  Dropout: [[NumberOr(0.5)], [T(x)]],
  AlphaDropout: [[NumberOr(0.5)], [T(x)]],
  Dropout1d: [[NumberOr(0.5)], [T(lines)]],
  Dropout2d: [[NumberOr(0.5)], [T(images)]],
  RNN: [
    [I(3), I(4), Options({})],
    [T(zeros([2, 1, 3])), Optional(zeros([1, 1, 4])), Options({})],
  ],
  GRU: [
    [I(3), I(4), Options({})],
    [T(zeros([2, 1, 3])), Optional(zeros([1, 1, 4])), Options({})],
  ],
  LSTM: [
    [I(3), I(4), Options({})],
    [T(zeros([2, 1, 3])), argument('undefined')(undefined), Options({})],
  ],
  RNNCell: [
    [I(3), I(4), Options({})],
    [T(x), Optional(zeros([2, 4]))],
  ],
  GRUCell: [
    [I(3), I(4), Options({})],
    [T(x), Optional(zeros([2, 4]))],
  ],
  LSTMCell: [
    [I(3), I(4), Options({})],
    [T(x), argument('undefined')(undefined)],
  ],
  ConvLSTMCell: [[I(2), I(3), I(3), Options({})], [T(images)]],
  MultiheadAttention: [
    [I(4), I(2), Options({})],
    [T(zeros([2, 1, 4])), T(zeros([2, 1, 4])), T(zeros([2, 1, 4])), Options({})],
  ],
  AdditiveAttention: [
    [I(3), I(3), I(2)],
    [T(zeros([1, 2, 3])), T(zeros([1, 2, 3])), Options({})],
  ],
  TransformerEncoderLayer: [
    [I(4), I(2), Options({})],
    [T(zeros([2, 1, 4])), Options({})],
  ],
  TransformerDecoderLayer: [
    [I(4), I(2), Options({})],
    [T(zeros([2, 1, 4])), T(zeros([2, 1, 4])), Options({})],
  ],
  SpectralNorm: [[argument('module')(new nn.Linear(3, 2)), Options({})], [T(x)]],
  GCNConv: [
    [I(3), I(4), Options({})],
    [T(x), T(edges)],
  ],
  GATConv: [
    [I(3), I(4), Options({})],
    [T(x), T(edges)],
  ],
  LearnedPositions: [[I(5), I(3)], [T(x)]],
  SinusoidalPositions: [[I(4)], [T(zeros([2, 4]))]],
};

describe('a wrong kind of argument is an error of its own', () => {
  it.each(Object.keys(METHODS))('Tensor.%s', async (name) => {
    expect(await sweep(name, (...a) => zeros([2, 3])[name](...a), METHODS[name])).toEqual([]);
  });
  it.each(Object.keys(CALLS))('%s', async (name) => {
    const [call, ...args] = CALLS[name];
    expect(await sweep(name, call, args)).toEqual([]);
  });
  it.each(Object.keys(LAYERS))('%s', async (name) => {
    const [making, calling] = LAYERS[name];
    expect(await sweep(name, make(name), making)).toEqual([]);
    const layer = new nn[name](...making.map(({ value }) => value));
    expect(await sweep(name, (...a) => layer.forward(...a), calling)).toEqual([]);
  });
});

it('covers every method of a tensor that takes arguments', () => {
  const own = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(Tensor.prototype, name);
    return typeof value === 'function' && value.length > 0;
  });
  const others = [
    'assign_',
    'requiresGrad_',
    'constructor',
    'named',
    'backward',
    'extreme',
    'oneHot',
    'registerHook',
    'assignAt_',
  ];
  expect(own.filter((name) => !(name in METHODS) && !others.includes(name))).toEqual([]);
});

describe('what a newcomer writes is answered with what to write', () => {
  const model = new nn.Linear(3, 2);
  it.each([
    ['reshape(3, 2)', () => x.reshape(3, 2), 'reshape: shape is 3. Give a list of numbers: reshape([3, …]).'],
    ['expand(2, 3)', () => x.expand(2, 3), 'expand: shape is 2. Give a list of numbers: expand([2, …]).'],
    ['zeros(2, 3)', () => zeros(2, 3), 'zeros: 2 is not a shape. Give a list of whole numbers, 0 or more: [2, …].'],
    ['rand(2, 3)', () => nabla.rand(2, 3), 'rand: 2 is not a shape. Give a list of whole numbers, 0 or more: [2, …].'],
    [
      'matmul([[2]])',
      () => x.matmul([[2]]),
      'matmul: the other matrix is a plain list, not a tensor. Make one of it: tensor([[2]]).',
    ],
    [
      'add([1, 2])',
      () => x.add([1, 2]),
      'add: the other operand is a plain list, not a tensor. Make one of it: tensor([1, 2]).',
    ],
    ['add(promise)', () => x.add(Promise.resolve(x)), 'add: the other operand is a promise. Await it first.'],
    [
      'sum(1, true)',
      () => x.sum(1, true),
      'sum: true is not an object of options. Write { keepdim: true }, or leave it out.',
    ],
    ['sum(0, 1)', () => x.sum(0, 1), 'sum: the second argument is 1. Several dimensions are one list: sum([0, 1]).'],
    [
      'new Adam(model)',
      () => new optim.Adam(model),
      'Adam: Linear is a module. Pass its parameters: model.parameters().',
    ],
    [
      'new Adam(model.parameters)',
      () => new optim.Adam(model.parameters),
      'Adam: the parameters are a function. Call it: model.parameters().',
    ],
    ['new SGD(tensor)', () => new optim.SGD(model.weight), 'is one tensor. Pass a list: [tensor].'],
    ['new SGD()', () => new optim.SGD(), 'SGD: undefined is not a list of parameters. Pass model.parameters().'],
    [
      "to('double')",
      () => x.to('double'),
      "to: 'double' is a dtype that nabla does not have. Use 'float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool', here to('float64').",
    ],
    ["to('int64')", () => x.to('int64'), "here to('int32')."],
    ["to('torch.long')", () => x.to('torch.long'), "to: 'torch.long' is a dtype that nabla does not have."],
    [
      'Linear.forward([[1, 2, 3]])',
      () => model.forward([[1, 2, 3]]),
      'Linear: the input is a plain list, not a tensor. Make one of it: tensor([[1, 2, 3]]).',
    ],
    [
      'Linear.forward(float array)',
      () => model.forward(new Float32Array(3)),
      'Linear: the input is a Float32Array, not a tensor. Make one of it: tensor(values, { shape: […] }).',
    ],
    [
      'Sequential.forward(undefined)',
      () => new nn.Sequential(model).forward(),
      'Sequential: the input is missing. Pass a tensor.',
    ],
    ['cat(a, b)', () => nabla.cat(x, x), 'cat: the tensors are one list. Write cat([a, b]).'],
    ['stack(a, b)', () => nabla.stack(x, x), 'stack: the tensors are one list. Write stack([a, b]).'],
    ['lerp()', () => x.lerp(), 'lerp: the end is missing. Pass a tensor.'],
    ['logicalAnd()', () => x.logicalAnd(), 'logicalAnd: the other operand is missing. Pass a tensor.'],
    ['gather(0)', () => x.gather(0), 'gather: the index is missing. Pass a tensor.'],
    [
      'crossEntropy(model, y)',
      () => nn.crossEntropy(model, labels),
      'crossEntropy: the input is a module (Linear), not a tensor. Pass what its forward() gives.',
    ],
    ['mseLoss(x, 1)', () => nn.mseLoss(x, 1), 'mseLoss: the target is 1, not a tensor. Make one of it: tensor(1).'],
    [
      'realize([a])',
      () => nabla.realize([x]),
      'realize: the argument is a list of tensors, where one tensor is asked for.',
    ],
    ['noGrad()', () => nabla.noGrad(), 'noGrad: undefined is not a function. Pass one: noGrad(() => …).'],
  ])('%s', async (_, call, message) => {
    const fault = await faultOf(call);
    expect(fault).toBeInstanceOf(NablaError);
    expect(fault.message).toContain(message);
  });
});
