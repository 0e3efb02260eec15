// Options with a name that a call does not know, where the options are a type parameter (their literal types decide the
// result's shape): refused as in any object literal. What is right stays right.

import {
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  interpolate,
  maxPool2d,
  ones,
  tensor,
  type Tensor,
  zeros,
} from 'nabla';
import {
  AvgPool2d,
  Conv2d,
  ConvTranspose2d,
  CrossEntropyLoss,
  DepthwiseSeparableConv2d,
  GATConv,
  GRU,
  KLDivLoss,
  LSTM,
  MSELoss,
  MaxPool1d,
  MaxPool2d,
  MaxUnpool2d,
  MultiheadAttention,
  type PoolOptions,
  RNN,
  TripletMarginLoss,
  Upsample,
  bceLoss,
  bceWithLogits,
  crossEntropy,
  diceLoss,
  hingeLoss,
  huberLoss,
  mseLoss,
  nllLoss,
  smoothL1Loss,
  tripletMarginLoss,
} from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { expectTypeOf } from 'vitest';
import type { Exact, UnknownOption } from '../../src/tensor/shape-types/options.js';

const x = zeros([4, 3]);
const y = zeros([4], { dtype: 'int32' });
const images = zeros([1, 2, 6, 6]);
const kernel = zeros([2, 2, 3, 3]);

// ---------------------------------------------------------------- the message

type Known = { readonly ignoreIndex?: number };
expectTypeOf<Exact<{ ignore_index: 0 }, Known>>().toEqualTypeOf<{
  readonly ignore_index: UnknownOption<'ignore_index: did you mean ignoreIndex?'>;
}>();
expectTypeOf<Exact<{ banana: 0 }, Known>>().toEqualTypeOf<{ readonly banana: UnknownOption<'banana'> }>();
expectTypeOf<Exact<{ ignoreIndex: 0 }, Known>>().toEqualTypeOf<{}>();
expectTypeOf<Exact<Known, Known>>().toEqualTypeOf<{}>();

// ---------------------------------------------------------------- losses

expectTypeOf(crossEntropy(x, y, { reduction: 'sum', ignoreIndex: 0 }).shape).toEqualTypeOf<[]>();
expectTypeOf(crossEntropy(x, y, { reduction: 'none' }).shape).toEqualTypeOf<readonly number[]>();
// @ts-expect-error: did you mean ignoreIndex?
crossEntropy(x, y, { reduction: 'sum', ignore_index: 0 });
// @ts-expect-error
nllLoss(x, y, { reduction: 'sum', ignore_index: 0 });
// @ts-expect-error
bceWithLogits(x, x, { reduction: 'sum', pos_weight: x });
// @ts-expect-error
bceLoss(x, x, { reduction: 'sum', weights: x });
// @ts-expect-error
hingeLoss(x, x, { reduction: 'sum', Margin: 1 });
// @ts-expect-error
diceLoss(x, x, { reduction: 'sum', smoothing: 1 });
// @ts-expect-error
mseLoss(x, x, { reduction: 'sum', weight: 1 });
// @ts-expect-error
huberLoss(x, x, { reduction: 'sum', beta: 1 });
// @ts-expect-error
smoothL1Loss(x, x, { reduction: 'sum', delta: 1 });
// @ts-expect-error
tripletMarginLoss(x, x, x, { reduction: 'sum', Margin: 1 });

// ---------------------------------------------------------------- functions

expectTypeOf(conv2d(images, kernel, { stride: 1, padding: 1 }).shape).toEqualTypeOf<[1, 2, 6, 6]>();
// @ts-expect-error
conv2d(images, kernel, { stride: 1, pad: 1 });
// @ts-expect-error
conv1d(zeros([1, 2, 6]), zeros([2, 2, 3]), { stride: 1, pad: 1 });
// @ts-expect-error
convTranspose2d(images, kernel, { stride: 1, output_padding: 1 });
// @ts-expect-error
maxPool2d(images, 2, { stride: 2, ceil_mode: true });
// @ts-expect-error
avgPool2d(images, 2, { stride: 2, count_include_pad: true });
// @ts-expect-error
interpolate(images, { size: 3, align_corners: true });

// ---------------------------------------------------------------- layers

expectTypeOf(new MaxPool2d(2, { stride: 2, padding: 0 }).forward(images).shape).toEqualTypeOf<[1, 2, 3, 3]>();
// @ts-expect-error
new MaxPool2d(2, { stride: 2, ceil_mode: true });
// @ts-expect-error
new MaxPool1d(2, { stride: 2, ceil_mode: true });
// @ts-expect-error
new AvgPool2d(2, { stride: 2, ceil_mode: true });
// @ts-expect-error
new MaxUnpool2d(2, { stride: 2, strides: 1 });
// @ts-expect-error
new Conv2d(1, 2, 3, { stride: 1, pad: 1 });
// @ts-expect-error
new ConvTranspose2d(1, 2, 3, { stride: 1, output_padding: 1 });
// @ts-expect-error
new DepthwiseSeparableConv2d(1, 2, 3, { stride: 1, groups: 1 });
// @ts-expect-error
new Upsample({ scaleFactor: 2, align_corners: true });
// @ts-expect-error
new RNN(1, 2, { numLayers: 1, batch_first: true });
// @ts-expect-error
new GRU(1, 2, { numLayers: 1, nonlinearity: 'tanh' });
// @ts-expect-error
new LSTM(1, 2, { numLayers: 1, batch_first: true });
// @ts-expect-error
new MultiheadAttention(4, 2, { bias: true, batch_first: true });
// @ts-expect-error
new GATConv(4, 2, { heads: 2, negative_slope: 0.1 });

// ---------------------------------------------------------------- options that are no literal

declare const chosen: PoolOptions;
maxPool2d(images, 2, chosen);
new MaxPool2d(2, chosen);
const right = { stride: 2 } as const;
new MaxPool2d(2, right);
const wrong = { stride: 2, ceil_mode: true };
// @ts-expect-error
new MaxPool2d(2, wrong);

// ---------------------------------------------------------------- where TypeScript helps by itself

// @ts-expect-error
zeros([2], { dtyp: 'int32' });
// @ts-expect-error
ones([2], { requires_grad: true });
// @ts-expect-error
tensor([1, 2], { dtyp: 'int32' });
// @ts-expect-error
x.mean(0, { keepDim: true });
// @ts-expect-error
x.var(0, { ddof: 1 });
// @ts-expect-error
new Adam([x], { learningRate: 1e-3 });

// ---------------------------------------------------------------- losses as modules have the types of the functions

const mse = new MSELoss();
expectTypeOf(mse.forward(zeros([2, 3]), zeros([2, 3])).shape).toEqualTypeOf<[]>();
expectTypeOf(new MSELoss({ reduction: 'none' }).forward(x, x).shape).toEqualTypeOf<readonly number[]>();
expectTypeOf(new CrossEntropyLoss().forward(x, y).shape).toEqualTypeOf<[]>();
expectTypeOf(new KLDivLoss().forward(x, x).shape).toEqualTypeOf<readonly number[]>();
declare const anyShape: Tensor;
mse.forward(anyShape, zeros([2, 3]));
// @ts-expect-error mseLoss: [2, 3] x [3, 2]: shapes differ
mse.forward(zeros([2, 3]), zeros([3, 2]));
// @ts-expect-error crossEntropy: labels [4] do not fit [2, 3]
new CrossEntropyLoss().forward(zeros([2, 3]), zeros([4], { dtype: 'int32' }));
// @ts-expect-error tripletMarginLoss: [2, 3] x [2, 4]: shapes differ
new TripletMarginLoss().forward(zeros([2, 3]), zeros([2, 3]), zeros([2, 4]));
