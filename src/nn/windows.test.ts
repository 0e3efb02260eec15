// Convolution, pooling, resampling: parity with PyTorch, and what they say about arguments that do not fit.
import { expect, test } from 'vitest';
import { ArgumentError, ShapeError, type Tensor, setDevice, tensor, zeros } from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import * as nn from './index.js';

type Layers = Record<string, () => nn.Module>;

const convolution: Layers = {
  Conv1d: () => new nn.Conv1d(2, 3, 3),
  'Conv1d stride, padding, dilation, groups': () =>
    new nn.Conv1d(4, 6, 3, { stride: 2, padding: 3, dilation: 2, groups: 2, bias: false }),
  'Conv1d same, unbatched': () => new nn.Conv1d(2, 2, 4, { padding: 'same' }),
  'Conv2d depthwise': () => new nn.Conv2d(3, 6, 3, { padding: 1, groups: 3 }),
  'Conv2d valid': () => new nn.Conv2d(2, 2, [1, 3], { padding: 'valid' }),
  ConvTranspose1d: () => new nn.ConvTranspose1d(2, 3, 3),
  'ConvTranspose1d stride, padding, output padding': () =>
    new nn.ConvTranspose1d(4, 2, 4, { stride: 3, padding: 1, outputPadding: 2, groups: 2 }),
  ConvTranspose2d: () => new nn.ConvTranspose2d(2, 3, 3),
  'ConvTranspose2d up': () => new nn.ConvTranspose2d(3, 2, 2, { stride: 2 }),
  'ConvTranspose2d everything': () =>
    new nn.ConvTranspose2d(4, 6, [3, 2], {
      stride: [2, 3],
      padding: [1, 0],
      outputPadding: [1, 2],
      dilation: [2, 1],
      groups: 2,
      bias: false,
    }),
  'ConvTranspose2d unbatched': () => new nn.ConvTranspose2d(2, 2, 3, { padding: 1 }),
  DepthwiseSeparableConv2d: () => new nn.DepthwiseSeparableConv2d(3, 4, 3, { padding: 1, stride: 2 }),
  'DepthwiseSeparableConv2d dilation, without bias': () =>
    new nn.DepthwiseSeparableConv2d(2, 3, [2, 3], { dilation: 2, bias: false }),
  Conv2d: () => new nn.Conv2d(2, 3, 3),
  'Conv2d stride, padding, dilation, groups': () =>
    new nn.Conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
  'Conv2d same': () => new nn.Conv2d(1, 2, 4, { padding: 'same', bias: false }),
  'Conv2d unbatched': () => new nn.Conv2d(2, 2, 2),
  'ConvTranspose1d unbatched': () => new nn.ConvTranspose1d(2, 3, 2, { stride: 2, bias: false }),
};

const four = [1, 2, 0, 3] as const;

const padding: Layers = {
  'Conv1d reflect': () => new nn.Conv1d(2, 3, 3, { padding: 2, paddingMode: 'reflect' }),
  'Conv1d circular, stride, groups': () =>
    new nn.Conv1d(2, 2, 3, { padding: 1, stride: 2, groups: 2, paddingMode: 'circular' }),
  'Conv2d replicate, unbatched': () => new nn.Conv2d(2, 3, [3, 2], { padding: [2, 1], paddingMode: 'replicate' }),
  'Conv2d same circular, dilation': () =>
    new nn.Conv2d(2, 1, [2, 3], { padding: 'same', dilation: 2, bias: false, paddingMode: 'circular' }),
  'Conv2d reflect valid': () => new nn.Conv2d(2, 1, 2, { padding: 'valid', paddingMode: 'reflect' }),
  Unfold: () => new nn.Unfold([2, 3], { padding: 1, stride: 2 }),
  Fold: () => new nn.Fold([4, 5], [2, 3], { padding: 1, stride: 2 }),
  ReflectionPad1d: () => new nn.ReflectionPad1d(1),
  ReflectionPad2d: () => new nn.ReflectionPad2d(1),
  ReflectionPad3d: () => new nn.ReflectionPad3d(1),
  'ReflectionPad2d of four, unbatched': () => new nn.ReflectionPad2d(four),
  ReplicationPad1d: () => new nn.ReplicationPad1d(1),
  ReplicationPad2d: () => new nn.ReplicationPad2d(1),
  ReplicationPad3d: () => new nn.ReplicationPad3d(1),
  'ReplicationPad2d of four, unbatched': () => new nn.ReplicationPad2d(four),
  CircularPad1d: () => new nn.CircularPad1d(1),
  CircularPad2d: () => new nn.CircularPad2d(1),
  CircularPad3d: () => new nn.CircularPad3d(1),
  'CircularPad2d of four, unbatched': () => new nn.CircularPad2d(four),
  ZeroPad1d: () => new nn.ZeroPad1d(1),
  ZeroPad2d: () => new nn.ZeroPad2d(1),
  ZeroPad3d: () => new nn.ZeroPad3d(1),
  'ZeroPad2d of four, unbatched': () => new nn.ZeroPad2d(four),
  ConstantPad1d: () => new nn.ConstantPad1d(1, 1.5),
  ConstantPad2d: () => new nn.ConstantPad2d(1, 1.5),
  ConstantPad3d: () => new nn.ConstantPad3d(1, 1.5),
  'ConstantPad2d of four, unbatched': () => new nn.ConstantPad2d(four, 1.5),
};

const pooling: Layers = {
  MaxPool1d: () => new nn.MaxPool1d(2),
  'MaxPool1d stride, padding, dilation': () => new nn.MaxPool1d(3, { stride: 2, padding: 1, dilation: 2 }),
  'MaxPool2d dilation, ceil mode': () =>
    new nn.MaxPool2d([2, 3], { stride: 2, padding: [0, 1], dilation: [2, 1], ceilMode: true }),
  'MaxPool2d ceil mode, unbatched': () => new nn.MaxPool2d(2, { ceilMode: true }),
  'MaxPool2d ceil mode that would begin in the padding': () =>
    new nn.MaxPool2d(2, { stride: 2, padding: 1, ceilMode: true }),
  'MaxPool2d ties': () => new nn.MaxPool2d(2, { stride: 1 }),
  AvgPool1d: () => new nn.AvgPool1d(2, { stride: 3, padding: 1 }),
  'AvgPool1d ceil mode': () => new nn.AvgPool1d(3, { stride: 2, padding: 1, ceilMode: true }),
  'AvgPool2d without padding in the count': () =>
    new nn.AvgPool2d(3, { stride: 2, padding: 1, countIncludePad: false }),
  'AvgPool2d ceil mode': () => new nn.AvgPool2d([2, 3], { stride: 2, padding: 1, ceilMode: true }),
  'AvgPool2d ceil mode without padding in the count': () =>
    new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  AdaptiveAvgPool1d: () => new nn.AdaptiveAvgPool1d(3),
  'AdaptiveAvgPool1d larger than the input': () => new nn.AdaptiveAvgPool1d(5),
  AdaptiveMaxPool1d: () => new nn.AdaptiveMaxPool1d(3),
  AdaptiveMaxPool2d: () => new nn.AdaptiveMaxPool2d([2, 3]),
  'AdaptiveMaxPool2d divides': () => new nn.AdaptiveMaxPool2d(2),
  'AdaptiveMaxPool2d ties': () => new nn.AdaptiveMaxPool2d(2),
  MaxPool2d: () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
  AvgPool2d: () => new nn.AvgPool2d([2, 3], { stride: 2, padding: [1, 0] }),
  'AdaptiveAvgPool2d 2x3': () => new nn.AdaptiveAvgPool2d([2, 3]),
  'AdaptiveAvgPool2d divides': () => new nn.AdaptiveAvgPool2d(2),
  'AdaptiveMaxPool1d unbatched': () => new nn.AdaptiveMaxPool1d(2),
  GlobalAvgPool1d: () => new nn.GlobalAvgPool1d(),
  GlobalAvgPool2d: () => new nn.GlobalAvgPool2d(),
  'GlobalAvgPool2d unbatched': () => new nn.GlobalAvgPool2d(),
  GlobalMaxPool1d: () => new nn.GlobalMaxPool1d(),
  GlobalMaxPool2d: () => new nn.GlobalMaxPool2d(),
};

type IndexPool = { forwardWithIndices(x: Tensor): [Tensor, Tensor] };
type Unpool = { forward(x: Tensor, indices: Tensor, size?: readonly number[]): Tensor };

function unpooled(pool: object, unpool: object, size?: readonly number[]): () => Subject {
  const call = (x: Tensor): Tensor => (unpool as Unpool).forward(...(pool as IndexPool).forwardWithIndices(x), size);
  return () => ({ layer: new nn.Identity(), call });
}

const strided = { stride: [3, 2], padding: [1, 0] } as const;
const unpooling: Record<string, () => Subject> = {
  MaxUnpool1d: unpooled(new nn.MaxPool1d(2), new nn.MaxUnpool1d(2)),
  'MaxUnpool1d stride, padding, output size': unpooled(
    new nn.MaxPool1d(3, { stride: 3, padding: 1 }),
    new nn.MaxUnpool1d(3, { stride: 3, padding: 1 }),
    [8],
  ),
  MaxUnpool2d: unpooled(new nn.MaxPool2d(2), new nn.MaxUnpool2d(2)),
  'MaxUnpool2d output size': unpooled(new nn.MaxPool2d(2), new nn.MaxUnpool2d(2), [5, 5]),
  'MaxUnpool2d stride, padding': unpooled(
    new nn.MaxPool2d([3, 2], strided),
    new nn.MaxUnpool2d([3, 2], strided),
    [6, 6],
  ),
  'MaxUnpool2d unbatched': unpooled(new nn.MaxPool2d(2), new nn.MaxUnpool2d(2)),
};

const resampling: Layers = {
  nearest: () => new nn.Upsample({ scaleFactor: 2 }),
  'nearest fraction': () => new nn.Upsample({ scaleFactor: 1.7 }),
  'nearest size': () => new nn.Upsample({ size: [5, 3] }),
  'nearest 1d': () => new nn.Upsample({ scaleFactor: 3 }),
  linear: () => new nn.Upsample({ scaleFactor: 2, mode: 'linear' }),
  'linear aligned': () => new nn.Upsample({ size: 8, mode: 'linear', alignCorners: true }),
  bilinear: () => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }),
  'bilinear aligned': () => new nn.Upsample({ scaleFactor: [2, 3], mode: 'bilinear', alignCorners: true }),
  'bilinear size': () => new nn.Upsample({ size: [5, 7], mode: 'bilinear' }),
  'bilinear fraction': () => new nn.Upsample({ scaleFactor: 1.5, mode: 'bilinear' }),
  'bilinear down': () => new nn.Upsample({ size: [2, 1], mode: 'bilinear', alignCorners: true }),
  bicubic: () => new nn.Upsample({ scaleFactor: 2, mode: 'bicubic' }),
  'bicubic aligned': () => new nn.Upsample({ size: [6, 5], mode: 'bicubic', alignCorners: true }),
  'bicubic fraction': () => new nn.Upsample({ scaleFactor: 2.3, mode: 'bicubic' }),
  PixelShuffle: () => new nn.PixelShuffle(2),
  'PixelShuffle unbatched': () => new nn.PixelShuffle(3),
  PixelUnshuffle: () => new nn.PixelUnshuffle(2),
  Unflatten: () => new nn.Unflatten(1, [2, -1]),
  'Unflatten the last dimension': () => new nn.Unflatten(-1, [2, 2, 1]),
  'PixelUnshuffle unbatched': () => new nn.PixelUnshuffle(3),
  Flatten: () => new nn.Flatten(),
  'Flatten dimensions 0 and 1': () => new nn.Flatten(0, 1),
};

describeParity('convolution', convolution);
describeParity('padding', padding);
describeParity('pooling', { ...pooling, ...unpooling });
describeParity('resampling', resampling);

test.each(['reference', 'cpu'])('global pooling is one number a channel, on %s', async (device) => {
  setDevice(device);
  const image = tensor([
    [
      [
        [1, 2],
        [3, 6],
      ],
      [
        [-1, -5],
        [0, 2],
      ],
    ],
  ]);
  const line = tensor([
    [1, 2, 6],
    [-4, -5, -9],
  ]);
  const read = async (t: Tensor<readonly number[]>): Promise<unknown> => [t.shape, [...(await t.data())]];
  expect(await read(new nn.GlobalAvgPool2d().forward(image))).toEqual([
    [1, 2, 1, 1],
    [3, -1],
  ]);
  expect(await read(new nn.GlobalMaxPool2d().forward(image))).toEqual([
    [1, 2, 1, 1],
    [6, 2],
  ]);
  expect(await read(new nn.GlobalAvgPool1d().forward(line))).toEqual([
    [2, 1],
    [3, -6],
  ]);
  expect(await read(new nn.GlobalMaxPool1d().forward(line))).toEqual([
    [2, 1],
    [6, -4],
  ]);
  expect(String(new nn.GlobalMaxPool1d())).toBe('GlobalMaxPool1d()');
  expect(() => new nn.GlobalAvgPool2d().forward(line as never)).toThrow('GlobalAvgPool2d: input [2, 3]: needs');
});

test('options that do not fit are said when a layer is made', () => {
  setDevice('reference');
  const options = (text: string): ArgumentError => new ArgumentError(text);
  expect(() => new nn.Conv1d(3, 4, 3, { groups: 2 })).toThrow(
    options('Conv1d: 2 groups do not divide 3 input and 4 output channels.'),
  );
  expect(() => new nn.Conv2d(1, 1, 3, { stride: 0 })).toThrow(
    options('Conv2d: stride is 0. Use a whole number of at least 1.'),
  );
  expect(() => new nn.Conv2d(1, 1, 3, { padding: -1 })).toThrow('Conv2d: padding is -1');
  expect(() => new nn.Conv2d(1, 1, [3, 3, 3] as never)).toThrow(
    options('Conv2d: kernelSize is [3, 3, 3]. Use one number, or 2.'),
  );
  expect(() => new nn.Conv2d(1, 1, 3, { padding: 'full' as never })).toThrow("padding 'full' is not known");
  expect(() => new nn.Conv2d(1, 1, 3, { padding: 'same', stride: 2 })).toThrow("padding 'same' needs stride 1");
  expect(() => new nn.ConvTranspose2d(1, 1, 3, { outputPadding: 1 })).toThrow(
    options('ConvTranspose2d: outputPadding 1 is not below stride 1 or dilation 1.'),
  );
  expect(() => new nn.MaxPool2d(2, { padding: 2 })).toThrow(
    options('MaxPool2d: padding 2 is more than half of kernel 2.'),
  );
  expect(() => new nn.AvgPool1d(0)).toThrow('AvgPool1d: kernelSize is 0');
  expect(() => new nn.AdaptiveMaxPool2d([2, 0])).toThrow('AdaptiveMaxPool2d: outputSize is 0');
  expect(() => new nn.Upsample({})).toThrow(options('Upsample: give either size or scaleFactor.'));
  expect(() => new nn.Upsample({ scaleFactor: -1 })).toThrow('Upsample: scaleFactor is -1. Use a number above 0.');
  expect(() => new nn.Upsample({ scaleFactor: 2, mode: 'cubic' as never })).toThrow("mode 'cubic' is not known");
  expect(() => new nn.Upsample({ scaleFactor: 2, alignCorners: true })).toThrow("not 'nearest'");
  expect(() => new nn.Unflatten(1, [-1, -1])).toThrow('Unflatten: [-1, -1] has more than one -1.');
  expect(() => new nn.PixelShuffle(0)).toThrow('PixelShuffle: upscaleFactor is 0');
});

test('inputs that do not fit are said when a layer is called', () => {
  setDevice('reference');
  const x = (...shape: number[]): never => zeros(shape) as never;
  const shapes = (text: string, shape: number[]): ShapeError => new ShapeError(text, [shape]);
  expect(() => new nn.Conv1d(2, 3, 3).forward(x(1, 3, 5))).toThrow(
    shapes('Conv1d: input [1, 3, 5]: channel dimension 3 is not inChannels 2', [1, 3, 5]),
  );
  expect(() => new nn.Conv1d(2, 3, 3).forward(x(5))).toThrow(
    shapes('Conv1d: input [5]: needs [N, C, L] or [C, L]', [5]),
  );
  expect(() => new nn.ConvTranspose2d(2, 3, 3).forward(x(1, 4, 9, 9))).toThrow(
    'channel dimension 4 is not inChannels 2',
  );
  expect(() => new nn.ConvTranspose2d(1, 1, 2, { padding: 3 }).forward(x(1, 1, 3, 3))).toThrow(
    'leaves an output of size -2',
  );
  expect(() => new nn.MaxPool1d(4).forward(x(1, 1, 3))).toThrow('kernel of size 4 does not fit an input of size 3');
  expect(() => new nn.Upsample({ scaleFactor: 2, mode: 'bicubic' }).forward(x(1, 2, 3))).toThrow("mode 'bicubic'");
  expect(() => new nn.Upsample({ scaleFactor: 2 }).forward(x(2, 3))).toThrow(
    'needs [N, C, L], [N, C, H, W] or [N, C, D, H, W]',
  );
  expect(() => new nn.PixelShuffle(2).forward(x(1, 3, 2, 2))).toThrow('3 channels are not a multiple of 4');
  expect(() => new nn.PixelUnshuffle(2).forward(x(1, 3, 3, 2))).toThrow('not multiples of 2');
  expect(() => new nn.Unflatten(1, [2, 3]).forward(x(4, 5))).toThrow('dimension 1 of size 5 is not [2, 3]');
  const [values, indices] = new nn.MaxPool2d(2).forwardWithIndices(x(1, 1, 4, 4));
  expect(() => new nn.MaxUnpool2d(2).forward(values as Tensor, indices as never, [8, 8])).toThrow(
    'output size 8 is too far from 4',
  );
});
