// Layers of three dimensions, and the options of pooling, resampling and sampling that came with them: parity with PyTorch
// (tools/parity/layers.py, group "volumes").
import { expect, expectTypeOf, test } from 'vitest';
import { type Tensor, gridSample, interpolate, ones, setDevice, zeros } from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import * as nn from './index.js';

type Layers = Record<string, () => nn.Module>;
type IndexPool = { forwardWithIndices(x: Tensor): [Tensor, Tensor<readonly number[], 'int32'>] };
type Unpool = { forward(x: Tensor, indices: unknown, size?: readonly number[]): Tensor };

const calling =
  (call: (...inputs: Tensor[]) => unknown): (() => Subject) =>
  () => ({ layer: new nn.Identity(), call: call as Subject['call'] });

/** The maxima, and the same times where they were. */
const indices = (pool: object): (() => Subject) =>
  calling((x) => {
    const [values, at] = (pool as IndexPool).forwardWithIndices(x);
    return [values, values.mul(at.to('float32'))];
  });

const volumes: Layers = {
  Conv3d: () => new nn.Conv3d(2, 3, 2),
  'Conv3d stride, padding, dilation, groups': () =>
    new nn.Conv3d(4, 2, [2, 3, 1], {
      stride: [2, 1, 2],
      padding: [1, 2, 0],
      dilation: [1, 2, 1],
      groups: 2,
      bias: false,
    }),
  'Conv3d same, unbatched': () => new nn.Conv3d(2, 2, 3, { padding: 'same' }),
  'Conv3d replicate': () => new nn.Conv3d(2, 2, 2, { padding: 1, paddingMode: 'replicate' }),
  ConvTranspose3d: () => new nn.ConvTranspose3d(2, 3, 2),
  'ConvTranspose3d everything': () =>
    new nn.ConvTranspose3d(4, 2, [3, 2, 2], {
      stride: [2, 3, 1],
      padding: [1, 0, 1],
      outputPadding: [1, 2, 0],
      dilation: [2, 1, 1],
      groups: 2,
      bias: false,
    }),
  MaxPool3d: () => new nn.MaxPool3d(2, { stride: 1, padding: 1 }),
  'MaxPool3d ceil mode, unbatched': () => new nn.MaxPool3d([2, 3, 2], { ceilMode: true }),
  AvgPool3d: () => new nn.AvgPool3d([2, 3, 2], { stride: 2, padding: [1, 1, 0] }),
  'AvgPool3d ceil mode without padding in the count': () =>
    new nn.AvgPool3d(2, { padding: 1, ceilMode: true, countIncludePad: false }),
  'AvgPool3d divisor': () => new nn.AvgPool3d(2, { divisorOverride: 3 }),
  'AvgPool2d divisor, ceil mode, padding': () =>
    new nn.AvgPool2d(2, { stride: 3, padding: 1, ceilMode: true, divisorOverride: -2 }),
  LPPool1d: () => new nn.LPPool1d(3, 2),
  'LPPool2d ceil mode': () => new nn.LPPool2d(2, [2, 3], { stride: 2, ceilMode: true }),
  LPPool3d: () => new nn.LPPool3d(2, 2),
  AdaptiveAvgPool3d: () => new nn.AdaptiveAvgPool3d([2, 3, 1]),
  'AdaptiveAvgPool3d divides': () => new nn.AdaptiveAvgPool3d([2, 5, 3]),
  AdaptiveMaxPool3d: () => new nn.AdaptiveMaxPool3d([3, 2, 2]),
  InstanceNorm3d: () => new nn.InstanceNorm3d(2, { affine: true }),
  BatchNorm3d: () => new nn.BatchNorm3d(2),
  'BatchNorm3d in evaluation': () => new nn.BatchNorm3d(2),
  'nearest 3d': () => new nn.Upsample({ size: [5, 3, 4] }),
  trilinear: () => new nn.Upsample({ scaleFactor: [1.5, 2, 0.7], mode: 'trilinear' }),
  'trilinear aligned': () => new nn.Upsample({ size: [3, 7, 5], mode: 'trilinear', alignCorners: true }),
  'area 1d': () => new nn.Upsample({ size: 4, mode: 'area' }),
  'area 2d': () => new nn.Upsample({ scaleFactor: 0.6, mode: 'area' }),
  'area 3d': () => new nn.Upsample({ size: [3, 2, 5], mode: 'area' }),
  'nearest-exact 1d': () => new nn.Upsample({ scaleFactor: 1.6, mode: 'nearest-exact' }),
  'nearest-exact 2d': () => new nn.Upsample({ size: [8, 3], mode: 'nearest-exact' }),
  'nearest-exact 3d': () => new nn.Upsample({ scaleFactor: 2, mode: 'nearest-exact' }),
  'Dropout3d with probability 0': () => new nn.Dropout3d(0),
  'Dropout3d with probability 1': () => new nn.Dropout3d(1),
};
for (const mode of ['bilinear', 'bicubic'] as const) {
  const antialiased = { mode, antialias: true } as const;
  volumes[`${mode} antialias down`] = () => new nn.Upsample({ size: [3, 2], ...antialiased });
  volumes[`${mode} antialias factor`] = () => new nn.Upsample({ scaleFactor: 0.45, ...antialiased });
  volumes[`${mode} antialias up`] = () => new nn.Upsample({ size: [9, 8], ...antialiased });
  volumes[`${mode} antialias aligned`] = () => new nn.Upsample({ size: [3, 4], alignCorners: true, ...antialiased });
}

const calls: Record<string, () => Subject> = {
  'MaxPool3d indices': indices(new nn.MaxPool3d(2, { stride: [2, 1, 1] })),
  MaxUnpool3d: calling((x) => {
    const pool: unknown = new nn.MaxPool3d(2);
    const unpool: unknown = new nn.MaxUnpool3d(2);
    return (unpool as Unpool).forward(...(pool as IndexPool).forwardWithIndices(x), [4, 5, 3]);
  }),
  'AdaptiveMaxPool1d indices': indices(new nn.AdaptiveMaxPool1d(3)),
  'AdaptiveMaxPool2d indices': indices(new nn.AdaptiveMaxPool2d([2, 3])),
  'AdaptiveMaxPool2d indices where it divides, unbatched': indices(new nn.AdaptiveMaxPool2d(2)),
  'AdaptiveMaxPool3d indices': indices(new nn.AdaptiveMaxPool3d([3, 2, 2])),
};
for (const paddingMode of ['zeros', 'border', 'reflection'] as const) {
  for (const alignCorners of [false, true]) {
    calls[`grid sample bicubic ${paddingMode}${alignCorners ? ' aligned' : ''}`] = calling((x, grid) =>
      gridSample(x, grid, { mode: 'bicubic', paddingMode, alignCorners }),
    );
  }
}

describeParity('volumes', { ...volumes, ...calls }, true);

test('shapes are known where they are written', () => {
  setDevice('reference');
  const x = zeros([2, 3, 8, 8, 8]);
  const y = new nn.Sequential(
    new nn.Conv3d(3, 4, 3, { padding: 1 }),
    new nn.BatchNorm3d(4),
    new nn.MaxPool3d(2),
    new nn.ConvTranspose3d(4, 2, 2, { stride: 2 }),
    new nn.AdaptiveAvgPool3d([1, 2, 4]),
  ).forward(x);
  expectTypeOf(y).toEqualTypeOf<Tensor<[2, 2, 1, 2, 4]>>();
  expect(y.shape).toEqual([2, 2, 1, 2, 4]);
  const wide = interpolate(x, { scaleFactor: 2, mode: 'trilinear' });
  expectTypeOf(wide).toEqualTypeOf<Tensor<[2, 3, 16, 16, 16]>>();
  // @ts-expect-error -- four channels for three
  expect(() => new nn.Conv3d(4, 4, 3).forward(x)).toThrow('channel dimension 3 is not inChannels 4');
});

test('what does not fit is said', () => {
  setDevice('reference');
  const image = ones([1, 1, 4, 4]);
  expect(() => interpolate(image, { size: 2, mode: 'area', antialias: true })).toThrow(
    "interpolate: antialias is for 'bilinear' and 'bicubic', not 'area'.",
  );
  expect(() => interpolate(image, { size: 2, mode: 'nearest-exact', alignCorners: true })).toThrow(
    "interpolate: alignCorners is for 'linear', 'bilinear', 'bicubic' and 'trilinear', not 'nearest-exact'.",
  );
  expect(() => interpolate(image, { size: 2, mode: 'trilinear' })).toThrow(
    "interpolate: mode 'trilinear' does not go with an input of rank 4.",
  );
});
