// An empty batch: layers without statistics hand on a shape with 0 in it, and have a gradient; the others say why not.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, setDevice, tensor, zeros } from '../index.js';
import { forward } from '../../test/support/loose.js';
import * as nn from './index.js';

type Forward = { forward(x: AnyTensor): AnyTensor };

/** A layer of two inputs that gets the same twice. */
function twice(layer: nn.Module & { forward(a: never, b: never): unknown }): nn.Module {
  return Object.assign(new (class extends nn.Module {})(), { layer, forward: (x: never) => layer.forward(x, x) });
}

const through: [name: string, make: () => nn.Module, input: number[], output: number[]][] = [
  ['Linear', () => new nn.Linear(3, 4), [0, 3], [0, 4]],
  ['Conv1d', () => new nn.Conv1d(2, 3, 3), [0, 2, 5], [0, 3, 3]],
  ['Conv2d', () => new nn.Conv2d(2, 3, 3, { padding: 1 }), [0, 2, 4, 4], [0, 3, 4, 4]],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(2, 3, 2, { stride: 2 }), [0, 2, 4, 4], [0, 3, 8, 8]],
  ['MaxPool2d', () => new nn.MaxPool2d(2), [0, 2, 4, 4], [0, 2, 2, 2]],
  ['AvgPool2d', () => new nn.AvgPool2d(2), [0, 2, 4, 4], [0, 2, 2, 2]],
  ['AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d(1), [0, 2, 4, 4], [0, 2, 1, 1]],
  ['Upsample', () => new nn.Upsample({ scaleFactor: 2 }), [0, 2, 2, 2], [0, 2, 4, 4]],
  ['LayerNorm', () => new nn.LayerNorm(3), [0, 3], [0, 3]],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), [0, 4, 3], [0, 4, 3]],
  ['LocalResponseNorm', () => new nn.LocalResponseNorm(3), [0, 4, 3], [0, 4, 3]],
  ['Residual', () => new nn.Residual([new nn.Linear(3, 3)]), [0, 3], [0, 3]],
  ['BatchNorm1d in evaluation', () => new nn.BatchNorm1d(3).eval(), [0, 3], [0, 3]],
  ['ReLU', () => new nn.ReLU(), [0, 3], [0, 3]],
  ['Dropout', () => new nn.Dropout(), [0, 3], [0, 3]],
  ['Softmax', () => new nn.Softmax(), [0, 3], [0, 3]],
  ['Flatten', () => new nn.Flatten(), [0, 2, 3], [0, 6]],
  ['Bilinear', () => twice(new nn.Bilinear(3, 3, 2)), [0, 3], [0, 2]],
  ['ConvTranspose1d', () => new nn.ConvTranspose1d(2, 3, 2, { stride: 2 }), [0, 2, 4], [0, 3, 8]],
  ['DepthwiseSeparableConv2d', () => new nn.DepthwiseSeparableConv2d(2, 3, 3), [0, 2, 4, 4], [0, 3, 2, 2]],
  ['MaxPool1d', () => new nn.MaxPool1d(2), [0, 2, 4], [0, 2, 2]],
  ['AvgPool1d', () => new nn.AvgPool1d(2), [0, 2, 4], [0, 2, 2]],
  ['AdaptiveAvgPool1d', () => new nn.AdaptiveAvgPool1d(2), [0, 2, 4], [0, 2, 2]],
  ['AdaptiveMaxPool1d', () => new nn.AdaptiveMaxPool1d(2), [0, 2, 4], [0, 2, 2]],
  ['AdaptiveMaxPool2d', () => new nn.AdaptiveMaxPool2d(2), [0, 2, 4, 4], [0, 2, 2, 2]],
  ['GlobalAvgPool1d', () => new nn.GlobalAvgPool1d(), [0, 2, 4], [0, 2, 1]],
  ['GlobalAvgPool2d', () => new nn.GlobalAvgPool2d(), [0, 2, 4, 4], [0, 2, 1, 1]],
  ['GlobalMaxPool1d', () => new nn.GlobalMaxPool1d(), [0, 2, 4], [0, 2, 1]],
  ['GlobalMaxPool2d', () => new nn.GlobalMaxPool2d(), [0, 2, 4, 4], [0, 2, 1, 1]],
  ['BatchNorm2d in evaluation', () => new nn.BatchNorm2d(2).eval(), [0, 2, 3, 3], [0, 2, 3, 3]],
  ['InstanceNorm1d', () => new nn.InstanceNorm1d(2), [0, 2, 4], [0, 2, 4]],
  ['InstanceNorm2d', () => new nn.InstanceNorm2d(2), [0, 2, 3, 3], [0, 2, 3, 3]],
  ['RMSNorm', () => new nn.RMSNorm(3), [0, 3], [0, 3]],
  ['Dropout1d', () => new nn.Dropout1d(), [0, 2, 3], [0, 2, 3]],
  ['Dropout2d', () => new nn.Dropout2d(), [0, 2, 3, 3], [0, 2, 3, 3]],
  ['AlphaDropout', () => new nn.AlphaDropout(), [0, 3], [0, 3]],
  ['Maxout', () => new nn.Maxout(4, 2), [0, 4], [0, 2]],
  ['GLU', () => new nn.GLU(), [0, 4], [0, 2]],
  ['PReLU', () => new nn.PReLU(), [0, 3], [0, 3]],
  ['LogSoftmax', () => new nn.LogSoftmax(1), [0, 3], [0, 3]],
  ['Softmin', () => new nn.Softmin(1), [0, 3], [0, 3]],
  ['Unflatten', () => new nn.Unflatten(1, [2, 3]), [0, 6], [0, 2, 3]],
  ['PixelUnshuffle', () => new nn.PixelUnshuffle(2), [0, 1, 4, 4], [0, 4, 2, 2]],
  ['Parallel', () => new nn.Parallel([new nn.Linear(3, 2), new nn.Linear(3, 1)]), [0, 3], [0, 3]],
  ['Sequential', () => new nn.Sequential(new nn.Linear(3, 2), new nn.ReLU()), [0, 3], [0, 2]],
  ['RNNCell', () => new nn.RNNCell(3, 2), [0, 3], [0, 2]],
  ['GRUCell', () => new nn.GRUCell(3, 2), [0, 3], [0, 2]],
  ['SinusoidalPositions', () => new nn.SinusoidalPositions(4), [0, 3, 4], [0, 3, 4]],
  ['LearnedPositions', () => new nn.LearnedPositions(5, 4), [0, 3, 4], [0, 3, 4]],
  ['PixelShuffle', () => new nn.PixelShuffle(2), [0, 4, 2, 2], [0, 1, 4, 4]],
];

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each(through)('%s', async (_name, make, input, output) => {
    setDevice(device);
    const layer = make();
    const x = tensor(new Float32Array(0), { shape: input, requiresGrad: true });
    const y = (layer as unknown as Forward).forward(x as unknown as AnyTensor);
    expect(y.shape).toEqual(output);
    expect(await y.data()).toHaveLength(0);
    (y.sum() as unknown as Tensor).backward();
    expect(x.grad!.shape).toEqual(input);
    expect(await x.grad!.data()).toHaveLength(0);
    for (const parameter of layer.parameters()) {
      expect([...(await parameter.grad!.data())].every((g) => g === 0)).toBe(true);
    }
  });
});

/** Steps of an empty batch, as in PyTorch: outputs and states without elements, gradients of 0. */
test.each([
  ['LSTM', () => new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true }), [4, 0, 3], [4, 0, 4]],
  ['GRU', () => new nn.GRU(3, 2), [4, 0, 3], [4, 0, 2]],
  ['RNN', () => new nn.RNN(3, 2, { batchFirst: true }), [0, 4, 3], [0, 4, 2]],
  ['ConvLSTM', () => new nn.ConvLSTM(1, 2, 3), [4, 0, 1, 3, 3], [4, 0, 2, 3, 3]],
])('%s over an empty batch', async (_name, make, shape, output) => {
  for (const device of ['reference', 'cpu']) {
    setDevice(device);
    const layer: nn.Module = make();
    const [y] = forward<Tensor[]>(layer, zeros(shape));
    expect(y.shape).toEqual(output);
    y.sum().backward();
    for (const parameter of layer.parameters())
      expect([...(await parameter.grad!.data())].every((g) => g === 0)).toBe(true);
  }
});

test.each([
  ['BatchNorm2d', () => new nn.BatchNorm2d(2), [0, 2, 3, 3], 'one number a channel has no variance'],
  ['LSTM', () => new nn.LSTM(3, 2), [0, 4, 3], 'no steps'],
  ['InstanceNorm1d', () => new nn.InstanceNorm1d(2), [0, 2, 1], 'one number a channel has no variance'],
  ['ConvLSTM', () => new nn.ConvLSTM(1, 2, 3), [0, 4, 1, 3, 3], 'no steps'],
])('%s says why not', (_name, make, shape, text) => {
  setDevice('reference');
  expect(() => (make() as unknown as Forward).forward(zeros(shape) as AnyTensor)).toThrow(text);
});
