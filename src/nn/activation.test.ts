// Activations: parity with PyTorch at every kink and far out, random slopes, and arguments that do not fit.
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError, type Tensor, manualSeed, ones, setDevice, tensor, zeros } from '../index.js';
import { describeParity } from '../../test/support/layer-parity.js';
import * as nn from './index.js';

const plain =
  'ReLU Tanh Sigmoid GELU SELU SiLU Mish LogSigmoid Softsign Tanhshrink ReLU6 Hardsigmoid Hardswish LeakyReLU ELU CELU Hardtanh ' +
  'Hardshrink Softshrink Softplus Identity PReLU Softmax LogSoftmax Softmin GLU';

const layers: Record<string, () => nn.Module> = {
  ...Object.fromEntries(
    plain.split(' ').map((name) => [name, () => new (nn as never as Record<string, new () => nn.Module>)[name]()]),
  ),
  'GELU tanh': () => new nn.GELU('tanh'),
  'LeakyReLU 0.3': () => new nn.LeakyReLU(0.3),
  'ELU 0.5': () => new nn.ELU(0.5),
  'CELU 2': () => new nn.CELU(2),
  'Hardtanh -2 3': () => new nn.Hardtanh(-2, 3),
  'Hardshrink 1': () => new nn.Hardshrink(1),
  'Softshrink 0.25': () => new nn.Softshrink(0.25),
  Threshold: () => new nn.Threshold(0.5, -7),
  'Threshold below': () => new nn.Threshold(-1, 20),
  'RReLU whose bounds are equal': () => new nn.RReLU(0.25, 0.25),
  'Hardtanh 0 6': () => new nn.Hardtanh(0, 6),
  'Softmin of rows': () => new nn.Softmin(0),
  'Softplus 2 5': () => new nn.Softplus(2, 5),
  'RReLU in evaluation': () => new nn.RReLU(),
  'RReLU 0.1 0.4 in evaluation': () => new nn.RReLU(0.1, 0.4),
  'PReLU for each channel': () => new nn.PReLU(3),
  'PReLU for each channel, images': () => new nn.PReLU(2),
  'Softmax of channels': () => new nn.Softmax(1),
  'LogSoftmax of rows': () => new nn.LogSoftmax(0),
  'GLU of channels': () => new nn.GLU(1),
  Maxout: () => new nn.Maxout(4, 3),
  'Maxout of three': () => new nn.Maxout(3, 2, 3),
};

describeParity('activation', layers);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('a step is 1 from 0 on, and no gradient flows through it', async () => {
    setDevice(device);
    const x = tensor([-2, -0.5, 0, 3], { requiresGrad: true });
    const y = new nn.Step().forward(x);
    expect([...(await y.data())]).toEqual([0, 0, 1, 1]);
    (y.add(x).sum() as unknown as Tensor).backward();
    expect([...(await x.grad!.data())]).toEqual([1, 1, 1, 1]);
  });

  test('slopes of RReLU in training are uniform, and new in each call', async () => {
    setDevice(device);
    manualSeed(4);
    const layer = new nn.RReLU(0.25, 0.75);
    const x = ones([4000]).neg();
    const slopes = [...(await layer.forward(x).data())].map((y) => -y);
    expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...slopes)).toBeLessThan(0.75);
    const mean = slopes.reduce((a, b) => a + b) / slopes.length;
    const variance = slopes.reduce((a, b) => a + (b - mean) ** 2, 0) / slopes.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 48 / 4000)); // 5 standard errors
    expect(variance).toBeCloseTo(1 / 48, 2);
    expect([...(await layer.forward(x).data())].map((y) => -y)).not.toEqual(slopes);
    expect([...(await layer.forward(x.neg()).data())].every((y) => y === 1)).toBe(true);
  });
});

test('arguments that do not fit', () => {
  setDevice('reference');
  const options = (text: string): ArgumentError => new ArgumentError(text);
  expect(() => new nn.GELU('fast' as never)).toThrow(options("GELU: approximate is 'fast'. Use 'none' or 'tanh'."));
  expect(() => new nn.LeakyReLU(NaN)).toThrow(options('LeakyReLU: NaN is not a number.'));
  expect(() => new nn.CELU(0)).toThrow(options('CELU: alpha is 0. Use another number.'));
  expect(() => new nn.Hardtanh(1, 1)).toThrow(options('Hardtanh: min 1 is not below max 1.'));
  expect(() => new nn.Softshrink(-1)).toThrow(options('Softshrink: lambda is -1. Use a number of at least 0.'));
  expect(() => new nn.Softplus(0)).toThrow(options('Softplus: beta is 0. Use a number above 0.'));
  expect(() => new nn.RReLU(1, 0)).toThrow(options('RReLU: lower 1 is above upper 0. Exchange them.'));
  expect(() => new nn.PReLU(0)).toThrow(options('PReLU: count is 0. Use a whole number of at least 1.'));
  expect(() => new nn.Softmax(0.5)).toThrow(options('Softmax: dim is 0.5. Use a whole number.'));
  expect(() => new nn.Maxout(2, 2, 0)).toThrow('Maxout: pieces is 0');
  const x = (...shape: number[]): never => zeros(shape) as never;
  const shapes = (text: string, shape: number[]): ShapeError => new ShapeError(text, [shape]);
  expect(() => new nn.PReLU(3).forward(x(2, 4))).toThrow(
    shapes('PReLU: input [2, 4]: 3 slopes need 3 channels', [2, 4]),
  );
  expect(() => new nn.Softmax(2).forward(x(2, 4))).toThrow('softmax: dimension 2 is out of range');
  expect(() => new nn.GLU().forward(x(2, 3))).toThrow(
    shapes('GLU: input [2, 3]: dimension -1 of size 3 has no halves', [2, 3]),
  );
  expect(() => new nn.GLU(2).forward(x(2, 3))).toThrow(shapes('GLU: input [2, 3] has no dimension 2', [2, 3]));
  expect(() => new nn.Maxout(3, 2).forward(x(2, 4))).toThrow(
    shapes('Maxout: input [2, 4]: last dimension 4 is not inFeatures 3', [2, 4]),
  );
});
