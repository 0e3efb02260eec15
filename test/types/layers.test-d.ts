// What each family of layers does to shapes as the compiler sees it: norms, activations, windows in one and two dimensions,
// resampling, sequences, containers.

import { expectTypeOf } from 'vitest';
import type { ApplyArg, ShapeFnOf } from '../../src/nn/shape-types/shape-fn.js';
import type { CheckSequential } from '../../src/nn/shape-types/containers.js';
import type { GLUFn, LayerNormFn } from '../../src/nn/shape-types/last-dimension.js';
import type { Shape } from '../../src/tensor/shape-types/shape.js';
import type { Tensor } from 'nabla';
import {
  AdaptiveMaxPool2d,
  AdditiveAttention,
  AvgPool1d,
  Bilinear,
  Conv1d,
  Conv2d,
  ConvLSTM,
  ConvLSTMCell,
  ConvTranspose2d,
  DepthwiseSeparableConv2d,
  Dropout2d,
  GATConv,
  GCNConv,
  GLU,
  GRU,
  GroupNorm,
  InstanceNorm2d,
  LSTM,
  LSTMCell,
  LayerNorm,
  Linear,
  LocalResponseNorm,
  Maxout,
  MaxPool2d,
  MaxUnpool1d,
  MaxUnpool2d,
  MessagePassing,
  MultiheadAttention,
  PReLU,
  Parallel,
  PixelShuffle,
  PixelUnshuffle,
  ReLU,
  RMSNorm,
  Residual,
  Sequential,
  SinusoidalPositions,
  Softmax,
  Transformer,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  Unflatten,
  Upsample,
  ReflectionPad2d,
  ZeroPad1d,
} from 'nabla/nn';
import { expectMessage } from './expect.test-d.js';

declare function input<const S extends Shape>(...shape: S): Tensor<S>;

// ---------------------------------------------------------------- norms and activations: the shape stays

const norms = new Sequential(
  new Conv2d(3, 8, 3, { padding: 1 }),
  new GroupNorm(2, 8),
  new InstanceNorm2d(8),
  new PReLU(8),
  new Dropout2d(0.1),
  new LocalResponseNorm(5),
  new Softmax(1),
  new LayerNorm([8, 6, 6]),
  new RMSNorm(6),
);
expectTypeOf(norms.forward(input(2, 3, 6, 6)).shape).toEqualTypeOf<[2, 8, 6, 6]>();
// @ts-expect-error 5 columns, not 6
norms.forward(input(2, 3, 6, 5));
// @ts-expect-error 8 channels, not 4
new Sequential(new Conv2d(3, 8, 3), new GroupNorm(2, 4));

expectMessage<
  ApplyArg<LayerNormFn<[4, 3]>, [2, 4, 5]>
>().toBe<'LayerNorm: input [2, 4, 5]: does not end in normalizedShape [4, 3]'>();
expectTypeOf<ApplyArg<LayerNormFn<[4, 3]>, [2, 4, 3]>>().toBeUnknown();
expectTypeOf<ApplyArg<LayerNormFn<[4, 3]>, [2, number, 3]>>().toBeUnknown();
expectTypeOf<ApplyArg<LayerNormFn<[4, 3]>, number[]>>().toBeUnknown();
expectMessage<
  ApplyArg<LayerNormFn<[4, 3], 'RMSNorm'>, [3]>
>().toBe<'RMSNorm: input [3]: does not end in normalizedShape [4, 3]'>();
expectTypeOf(new LayerNorm([4, 3]).normalizedShape).toEqualTypeOf<[4, 3]>();

expectTypeOf(new GLU().forward(input(2, 6)).shape).toEqualTypeOf<[2, 3]>();
expectTypeOf(new GLU(1).forward(input(2, 6, 5)).shape).toEqualTypeOf<[2, 3, 5]>();
expectMessage<ApplyArg<GLUFn<1>, [2, 5, 5]>>().toBe<'GLU: input [2, 5, 5]: dimension 1 of size 5 has no halves'>();
expectMessage<ApplyArg<GLUFn<3>, [2, 5]>>().toBe<'GLU: input [2, 5] has no dimension 3'>();
expectTypeOf(new Maxout(6, 4, 3).forward(input(2, 6)).shape).toEqualTypeOf<[2, 4]>();
// @ts-expect-error 4 features, not 5
new Sequential(new Maxout(6, 4), new Linear(5, 2));
type Max = CheckSequential<[Linear<3, 6>, Maxout<5, 4>]>;
expectMessage<Max[1]>().toBe<'Maxout: input [..., 6]: last dimension 6 is not inFeatures 5'>();

// ---------------------------------------------------------------- windows

expectTypeOf(new Conv1d(2, 3, 3, { stride: 2 }).forward(input(5, 2, 9)).shape).toEqualTypeOf<[5, 3, 4]>();
expectTypeOf(new AvgPool1d(2).forward(input(5, 2, 9)).shape).toEqualTypeOf<[5, 2, 4]>();
expectTypeOf(new ConvTranspose2d(4, 2, 2, { stride: 2 }).forward(input(1, 4, 8, 8)).shape).toEqualTypeOf<
  [1, 2, 16, 16]
>();
expectTypeOf(new DepthwiseSeparableConv2d(4, 8, 3, { padding: 1 }).forward(input(1, 4, 8, 8)).shape).toEqualTypeOf<
  [1, 8, 8, 8]
>();
// @ts-expect-error 8 channels, not 4
new Sequential(new DepthwiseSeparableConv2d(4, 8, 3), new ConvTranspose2d(4, 2, 2));
expectTypeOf(new AdaptiveMaxPool2d([2, 3]).forward(input(1, 4, 8, 8)).shape).toEqualTypeOf<[1, 4, 2, 3]>();
expectTypeOf(new ReflectionPad2d(1).forward(input(1, 4, 8, 7)).shape).toEqualTypeOf<[1, 4, 10, 9]>();
expectTypeOf(new ZeroPad1d([1, 2]).forward(input(4, 8)).shape).toEqualTypeOf<[number, number]>();
expectTypeOf(
  new Sequential(new ReflectionPad2d(1), new Conv2d(4, 2, 3)).forward(input(1, 4, 8, 7)).shape,
).toEqualTypeOf<[1, 2, 8, 7]>();
expectTypeOf(new MaxPool2d(3, { ceilMode: true, stride: 2 }).forward(input(1, 4, 8, 8))).toEqualTypeOf<
  Tensor<[1, 4, number, number]>
>();
expectTypeOf(new Upsample({ scaleFactor: 2 }).forward(input(1, 4, 8, 7)).shape).toEqualTypeOf<[1, 4, 16, 14]>();
expectTypeOf(new Upsample({ size: [3, 5], mode: 'bicubic' }).forward(input(1, 4, 8, 7)).shape).toEqualTypeOf<
  [1, 4, 3, 5]
>();
expectTypeOf(new PixelShuffle(2).forward(input(1, 8, 3, 3)).shape).toEqualTypeOf<[1, 2, 6, 6]>();
expectTypeOf(new PixelUnshuffle(2).forward(input(1, 2, 6, 6)).shape).toEqualTypeOf<[1, 8, 3, 3]>();
expectTypeOf(new Unflatten(1, [2, 3]).forward(input(5, 6, 4)).shape).toEqualTypeOf<[5, 2, 3, 4]>();
type Unflat = ApplyArg<ShapeFnOf<Unflatten<1, [2, 3]>>, [5, 7]>;
expectMessage<Unflat>().toBe<'Unflatten: input [5, 7]: dimension 1 of size 7 is not [2, 3]'>();

// ---------------------------------------------------------------- sequences

expectTypeOf(new LSTM(3, 8).forward(input(5, 2, 3))[0].shape).toEqualTypeOf<[5, 2, 8]>();
expectTypeOf(new GRU(3, 8, { bidirectional: true }).forward(input(5, 2, 3))[0].shape).toEqualTypeOf<[5, 2, 16]>();
expectTypeOf(new LSTMCell(3, 8).forward(input(2, 3))[1].shape).toEqualTypeOf<[2, 8]>();
// @ts-expect-error 4 features, not 3
new LSTM(3, 8).forward(input(5, 2, 4));
// @ts-expect-error a sequence has 2 or 3 dimensions
new GRU(3, 8).forward(input(3));
declare const x: Tensor<[7, 2, 16]>;
expectTypeOf(new MultiheadAttention(16, 4).forward(x, x as Tensor, x as Tensor)[0].shape).toEqualTypeOf<[7, 2, 16]>();
expectTypeOf(new TransformerEncoderLayer(16, 4).forward(x).shape).toEqualTypeOf<[7, 2, 16]>();
expectTypeOf(new SinusoidalPositions(16).forward(x).shape).toEqualTypeOf<[7, 2, 16]>();
// @ts-expect-error 16 features, not 8
new TransformerEncoderLayer(8, 4).forward(x);

expectTypeOf(new ConvLSTM(1, 8, 3).forward(input(5, 2, 1, 9, 7))[0].shape).toEqualTypeOf<[5, 2, 8, 9, 7]>();
// @ts-expect-error 2 channels, not 1
new ConvLSTMCell(1, 8, 3).forward(input(2, 2, 9, 7));

// @ts-expect-error 2 channels, not 1
new ConvLSTM(1, 8, 3).forward(input(5, 2, 2, 9, 7));
// @ts-expect-error a sequence of images has 5 dimensions
new ConvLSTM(1, 8, 3).forward(input(5, 1, 9, 7));

const across = new MultiheadAttention(16, 4, { kdim: 8 });
across.forward(x, input(9, 2, 8), input(9, 2, 16));
// @ts-expect-error keys of 16 features, not of 8
across.forward(x, x, x);
const decoder = new TransformerDecoderLayer(16, 4);
expectTypeOf(decoder.forward(x, input(9, 2, 16)).shape).toEqualTypeOf<[7, 2, 16]>();
// @ts-expect-error the memory has 8 features, not 16
decoder.forward(x, input(9, 2, 8));
// @ts-expect-error the source has 8 features, not 16
new Transformer(16, 4).forward(input(9, 2, 8), x);

const additive = new AdditiveAttention(3, 4, 5);
const [context, weights] = additive.forward(input(2, 6, 3), input(2, 7, 4));
expectTypeOf(context.shape).toEqualTypeOf<[2, 6, 4]>();
expectTypeOf(weights.shape).toEqualTypeOf<[2, 6, 7]>();
const withValues = additive.forward(input(2, 6, 3), input(2, 7, 4), { values: input(2, 7, 9) });
expectTypeOf(withValues[0].shape).toEqualTypeOf<[2, 6, 9]>();
// @ts-expect-error keys of 3 features, not of 4
additive.forward(input(2, 6, 3), input(2, 7, 3));

// ---------------------------------------------------------------- unpooling

const [pooled, found] = new MaxPool2d(2).forwardWithIndices(input(1, 4, 8, 7));
expectTypeOf(new MaxUnpool2d(2).forward(pooled, found).shape).toEqualTypeOf<[1, 4, 8, 6]>();
expectTypeOf(new MaxUnpool2d(2).forward(pooled, found, [8, 7]).shape).toEqualTypeOf<[1, 4, 8, 7]>();
expectTypeOf(new MaxUnpool1d(3, { stride: 2, padding: 1 }).forward(input(4, 5), found).shape).toEqualTypeOf<[4, 9]>();
// @ts-expect-error an image has 3 or 4 dimensions
new MaxUnpool2d(2).forward(input(4, 5), found);

// ---------------------------------------------------------------- two inputs, and graphs

expectTypeOf(new Bilinear(3, 4, 5).forward(input(2, 3), input(2, 4)).shape).toEqualTypeOf<[2, 5]>();
// @ts-expect-error 3 features, not 4
new Bilinear(3, 4, 5).forward(input(2, 3), input(2, 3));
declare const edges: Tensor<[2, number], 'int32'>;
expectTypeOf(new GCNConv(3, 8).forward(input(9, 3), edges).shape).toEqualTypeOf<[9, 8]>();
expectTypeOf(new GATConv(3, 8, { heads: 4 }).forward(input(9, 3), edges).shape).toEqualTypeOf<[9, 32]>();
// @ts-expect-error 4 features, not 3
new GCNConv(3, 8).forward(input(9, 4), edges);

const step = new MessagePassing(new Sequential(new Linear(8, 4), new ReLU()), new Linear(7, 5));
const [after, messages] = step.forward(input(9, 3), edges, input(20, 2));
expectTypeOf(after.shape).toEqualTypeOf<[9, 5]>();
expectTypeOf(messages.shape).toEqualTypeOf<[20, 4]>();
// @ts-expect-error the edge network takes 8 features, two nodes of 3 have 6
step.forward(input(9, 3), edges);
// @ts-expect-error the node network takes 7 features, a node and its messages have 6
new MessagePassing(new Linear(4, 4), new Linear(7, 5)).forward(input(9, 2), edges);

// ---------------------------------------------------------------- containers

const block = new Residual([new Linear(16, 8), new Linear(8, 16)]);
expectTypeOf(block.forward(x).shape).toEqualTypeOf<[7, 2, 16]>();
const inception = new Parallel([new Conv2d(3, 8, 1), new Conv2d(3, 16, 3, { padding: 1 })]);
expectTypeOf(inception.forward(input(2, 3, 5, 5)).shape).toEqualTypeOf<[2, 24, 5, 5]>();
// @ts-expect-error the branches see 3 channels, not 4
inception.forward(input(2, 4, 5, 5));
// @ts-expect-error 8 features, not 7, inside the block
new Residual([new Linear(16, 8), new Linear(7, 16)]);
// @ts-expect-error the body ends with 12 features, the shortcut with 16
new Residual([new Linear(16, 12)]).forward(x);
