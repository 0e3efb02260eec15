// Normalisation layers: parity with PyTorch in both modes, and what they say about arguments that do not fit.
import { expect, test } from 'vitest';
import { ArgumentError, ShapeError, type Tensor, ones, setDevice, tensor, zeros } from '../../index.js';
import { describeParity } from '../../../test/support/layer-parity.js';
import * as nn from '../index.js';

const layers: Record<string, () => nn.Module> = {
  'BatchNorm1d of rows': () => new nn.BatchNorm1d(3),
  BatchNorm1d: () => new nn.BatchNorm1d(3, { eps: 1e-3, momentum: 0.3 }),
  'BatchNorm1d without affine': () => new nn.BatchNorm1d(3, { affine: false }),
  BatchNorm2d: () => new nn.BatchNorm2d(4),
  'BatchNorm2d plain average': () => new nn.BatchNorm2d(4, { momentum: null }),
  'BatchNorm2d without running statistics': () => new nn.BatchNorm2d(4, { trackRunningStats: false }),
  InstanceNorm1d: () => new nn.InstanceNorm1d(3),
  'InstanceNorm1d affine, unbatched': () => new nn.InstanceNorm1d(3, { affine: true }),
  InstanceNorm2d: () => new nn.InstanceNorm2d(4, { eps: 1e-3 }),
  'InstanceNorm2d running statistics': () =>
    new nn.InstanceNorm2d(4, { affine: true, trackRunningStats: true, momentum: 0.2 }),
  'InstanceNorm1d running statistics': () => new nn.InstanceNorm1d(3, { trackRunningStats: true }),
  LayerNorm: () => new nn.LayerNorm(4),
  'LayerNorm without bias': () => new nn.LayerNorm(4, { eps: 1e-2, bias: false }),
  'LayerNorm without affine': () => new nn.LayerNorm(3, { elementwiseAffine: false }),
  'LayerNorm over three dimensions': () => new nn.LayerNorm([4, 2, 3]),
  'LayerNorm over two dimensions': () => new nn.LayerNorm([2, 3]),
  RMSNorm: () => new nn.RMSNorm(4),
  'RMSNorm without affine': () => new nn.RMSNorm(4, { eps: 1e-2, elementwiseAffine: false }),
  'RMSNorm over two dimensions': () => new nn.RMSNorm([2, 3], { eps: 1e-5 }),
  GroupNorm: () => new nn.GroupNorm(2, 4),
  'GroupNorm of rows': () => new nn.GroupNorm(2, 8),
  'GroupNorm one group, without affine': () => new nn.GroupNorm(1, 3, { affine: false, eps: 1e-3 }),
  LocalResponseNorm: () => new nn.LocalResponseNorm(3),
  'LocalResponseNorm even size, all numbers': () => new nn.LocalResponseNorm(4, { alpha: 0.5, beta: 0.6, k: 2 }),
};

const isMeasured = (name: string): boolean => name.startsWith('BatchNorm') || name.startsWith('InstanceNorm');
const evaluated = Object.entries(layers).filter(([name]) => isMeasured(name));
describeParity('norm', {
  ...layers,
  ...Object.fromEntries(evaluated.map(([name, make]) => [`${name} in evaluation`, make])),
});

test('a layer norm of neighbouring numbers does not lose them', async () => {
  setDevice('cpu');
  const x = zeros([1, 4]).add(10_000) as never;
  const y = new nn.LayerNorm(4).forward(x);
  expect([...(await y.data())]).toEqual([0, 0, 0, 0]);
});

test('options that do not fit are said when a layer is made', () => {
  setDevice('reference');
  const options = (text: string): ArgumentError => new ArgumentError(text);
  expect(() => new nn.BatchNorm2d(0)).toThrow(
    options('BatchNorm2d: numFeatures is 0. Use a whole number of at least 1.'),
  );
  expect(() => new nn.BatchNorm1d(3, { momentum: 1.5 })).toThrow(
    options('BatchNorm1d: momentum is 1.5. Use a number from 0 to 1.'),
  );
  expect(() => new nn.BatchNorm1d(3, { eps: -1 })).toThrow(
    options('BatchNorm1d: eps is -1. Use a number of at least 0.'),
  );
  expect(() => new nn.InstanceNorm1d(2.5)).toThrow('InstanceNorm1d: numFeatures is 2.5');
  expect(() => new nn.InstanceNorm2d(2, { momentum: -0.1 })).toThrow('InstanceNorm2d: momentum is -0.1');
  expect(() => new nn.LayerNorm([])).toThrow(options('LayerNorm: normalizedShape is []. Give at least one size.'));
  expect(() => new nn.LayerNorm([2, 0])).toThrow('LayerNorm: normalizedShape is 0');
  expect(() => new nn.LayerNorm(2, { eps: NaN })).toThrow('LayerNorm: eps is NaN');
  expect(() => new nn.RMSNorm(2, { eps: -1 })).toThrow('RMSNorm: eps is -1');
  expect(() => new nn.GroupNorm(3, 4)).toThrow(options('GroupNorm: 3 groups do not divide 4 channels.'));
  expect(() => new nn.GroupNorm(0, 4)).toThrow('GroupNorm: numGroups is 0');
  expect(() => new nn.LocalResponseNorm(0)).toThrow('LocalResponseNorm: size is 0');
});

test('functional.instanceNorm with running statistics is what the layer computes', async () => {
  setDevice('reference');
  const x: Tensor = tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7)),
    { shape: [2, 3, 4] },
  );
  const layer = new nn.InstanceNorm1d(3, { trackRunningStats: true, momentum: 0.3 });
  const [runningMean, runningVar] = [tensor([0, 0, 0]), tensor([1, 1, 1])];
  const statistics = { runningMean, runningVar, momentum: 0.3 };
  const pairs = async (found: Tensor, wanted: Tensor): Promise<void> =>
    expect([...(await found.data())]).toEqual([...(await wanted.data())]);
  await pairs(nn.functional.instanceNorm(x, statistics), layer.forward(x as never));
  await pairs(runningMean, layer.runningMean as never);
  await pairs(runningVar, layer.runningVar as never);
  layer.eval();
  await pairs(nn.functional.instanceNorm(x, { ...statistics, useInputStats: false }), layer.forward(x as never));
  expect(() => nn.functional.instanceNorm(x, { useInputStats: false })).toThrow('running statistics are missing');
  expect(() => nn.functional.instanceNorm(x, { runningMean: ones([2]) })).toThrow('instanceNorm: runningMean [2]');
});

test('inputs that do not fit are said when a layer is called', () => {
  setDevice('reference');
  const x = (...shape: number[]): never => zeros(shape) as never;
  const shapes = (text: string, shape: number[]): ShapeError => new ShapeError(text, [shape]);
  expect(() => new nn.BatchNorm2d(3).forward(x(2, 4, 5, 5))).toThrow(
    shapes('BatchNorm2d: input [2, 4, 5, 5]: channel dimension 4 is not numFeatures 3', [2, 4, 5, 5]),
  );
  expect(() => new nn.BatchNorm1d(3).forward(x(3))).toThrow('BatchNorm1d: input [3]: needs [N, C] or [N, C, L]');
  for (const rows of [0, 1]) {
    expect(() => new nn.BatchNorm1d(3).forward(x(rows, 3))).toThrow(
      `BatchNorm1d: input [${rows}, 3]: one number a channel has no variance. Use a larger batch, or eval().`,
    );
  }
  expect(() => new nn.InstanceNorm1d(3).forward(x(2, 3, 1))).toThrow('one number a channel has no variance');
  expect(() => new nn.InstanceNorm2d(3).forward(x(2, 4, 5, 5))).toThrow('channel dimension 4 is not numFeatures 3');
  expect(() => new nn.InstanceNorm2d(3).forward(x(3, 5))).toThrow('needs [N, C, H, W] or [C, H, W]');
  expect(() => new nn.LayerNorm(3).forward(x(2, 4))).toThrow(
    shapes('LayerNorm: input [2, 4]: last dimension 4 is not normalizedShape 3', [2, 4]),
  );
  expect(() => new nn.LayerNorm([3, 4]).forward(x(2, 4))).toThrow(
    shapes('LayerNorm: input [2, 4]: does not end in normalizedShape [3, 4]', [2, 4]),
  );
  expect(() => new nn.RMSNorm([2, 3]).forward(x(3))).toThrow('RMSNorm: input [3]: does not end in');
  expect(() => new nn.GroupNorm(2, 4).forward(x(2, 6))).toThrow('channel dimension 6 is not numChannels 4');
  expect(() => new nn.GroupNorm(2, 4).forward(x(4))).toThrow('GroupNorm: input [4]: needs [N, C, ...]');
  expect(() => new nn.LocalResponseNorm(2).forward(x(2, 3))).toThrow('LocalResponseNorm: input [2, 3]: needs');
});
