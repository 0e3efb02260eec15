// Constructors of layers with hostile arguments (test/support/hostile.ts): a layer that they make computes what it should.
import { type Tensor, arange } from 'nabla';
import * as nn from 'nabla/nn';
import { type Case, testHostile } from '../../test/support/hostile.js';

const of = (...shape: number[]): Tensor => arange(shape.reduce((a, b) => a * b, 1)).mul(0.01).reshape(shape) as Tensor;
const ids = () => arange(6).reshape([2, 3]) as Tensor;

type Class = new (...args: never[]) => { forward(...inputs: never[]): unknown };

/** A layer made with `args`, applied to an input of this shape, or to what a function makes. */
function layer(Layer: unknown, args: unknown[], input: number[] | (() => Tensor)): Case {
  const call = (...given: unknown[]): unknown => {
    const made = new (Layer as Class)(...(given as never[]));
    return made.forward((Array.isArray(input) ? of(...input) : input()) as never);
  };
  return { make: () => args, call: call as Case['call'] };
}

testHostile({
  Linear: layer(nn.Linear, [3, 4], [2, 3]),
  Embedding: layer(nn.Embedding, [7, 4], ids),
  Conv1d: layer(nn.Conv1d, [2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 1 }], [2, 2, 8]),
  Conv2d: layer(nn.Conv2d, [2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 2 }], [2, 2, 6, 6]),
  ConvTranspose1d: layer(nn.ConvTranspose1d, [2, 4, 3, { stride: 2, padding: 1 }], [2, 2, 8]),
  ConvTranspose2d: layer(nn.ConvTranspose2d, [2, 4, 3, { stride: 2, padding: 1 }], [2, 2, 6, 6]),
  DepthwiseSeparableConv2d: layer(nn.DepthwiseSeparableConv2d, [2, 4, 3], [2, 2, 6, 6]),
  BatchNorm1d: layer(nn.BatchNorm1d, [3, { momentum: 0.1, eps: 1e-5 }], [4, 3]),
  BatchNorm2d: layer(nn.BatchNorm2d, [3], [2, 3, 4, 4]),
  GroupNorm: layer(nn.GroupNorm, [2, 4], [2, 4, 5]),
  InstanceNorm2d: layer(nn.InstanceNorm2d, [3], [2, 3, 4, 4]),
  LayerNorm: layer(nn.LayerNorm, [[3, 4]], [2, 3, 4]),
  RMSNorm: layer(nn.RMSNorm, [4], [2, 3, 4]),
  LocalResponseNorm: layer(nn.LocalResponseNorm, [3], [2, 4, 3, 3]),
  Softmax: layer(nn.Softmax, [1], [2, 3]),
  LogSoftmax: layer(nn.LogSoftmax, [1], [2, 3]),
  GLU: layer(nn.GLU, [1], [2, 4]),
  PReLU: layer(nn.PReLU, [3], [2, 3]),
  Maxout: layer(nn.Maxout, [3, 4, 2], [2, 3]),
  MaxPool1d: layer(nn.MaxPool1d, [2, { stride: 2 }], [2, 2, 8]),
  MaxPool2d: layer(nn.MaxPool2d, [2, { stride: 2, padding: 1 }], [2, 2, 6, 6]),
  AvgPool2d: layer(nn.AvgPool2d, [2, { stride: 2, padding: 1 }], [2, 2, 6, 6]),
  AdaptiveAvgPool2d: layer(nn.AdaptiveAvgPool2d, [[2, 3]], [2, 2, 6, 6]),
  AdaptiveMaxPool1d: layer(nn.AdaptiveMaxPool1d, [3], [2, 2, 6]),
  Flatten: layer(nn.Flatten, [1, 2], [2, 3, 4]),
  Unflatten: layer(nn.Unflatten, [1, [2, 3]], [2, 6]),
  PixelShuffle: layer(nn.PixelShuffle, [2], [1, 4, 3, 3]),
  PixelUnshuffle: layer(nn.PixelUnshuffle, [2], [1, 1, 4, 4]),
  Upsample: layer(nn.Upsample, [{ scaleFactor: 2 }], [1, 2, 3, 3]),
  Dropout: layer(nn.Dropout, [0.5], [2, 3]),
  RNN: layer(nn.RNN, [3, 4, { layers: 2 }], [2, 5, 3]),
  LSTM: layer(nn.LSTM, [3, 4], [2, 5, 3]),
  GRU: layer(nn.GRU, [3, 4], [2, 5, 3]),
  LSTMCell: layer(nn.LSTMCell, [3, 4], [2, 3]),
  GRUCell: layer(nn.GRUCell, [3, 4], [2, 3]),
  MultiheadAttention: layer(nn.MultiheadAttention, [4, 2], [2, 3, 4]),
  TransformerEncoderLayer: layer(nn.TransformerEncoderLayer, [4, 2, { hidden: 8, dropout: 0 }], [2, 3, 4]),
  LearnedPositions: layer(nn.LearnedPositions, [5, 4], [2, 3, 4]),
  SinusoidalPositions: layer(nn.SinusoidalPositions, [4, { length: 5 }], [2, 3, 4]),
});
