// Spectral normalisation against PyTorch: value, gradient, and the vectors before and after a pass; in evaluation they stay.
import { expect, test } from 'vitest';
import { type Packed, expectClose, readFixture, unpack } from '../../test/support/pytorch.js';
import { type Tensor, manualSeed, rand, setDevice, tensor } from '../index.js';
import { BatchNorm2d, Conv2d, ConvTranspose2d, Linear, type Module, SpectralNorm } from './index.js';

interface Case {
  readonly kind: keyof typeof make;
  readonly u: Packed;
  readonly v: Packed;
  readonly afterU: Packed;
  readonly afterV: Packed;
  readonly x: Packed;
  readonly weight: Packed;
  readonly bias: Packed;
  readonly y: Packed;
  readonly gradient: Packed;
  readonly evaluated: Packed;
}

interface Net extends Module {
  forward(x: Tensor): Tensor;
}

const make = {
  linear: (): Net => new SpectralNorm(new Linear<number, number>(3, 5)),
  convolution: (): Net => new SpectralNorm(new Conv2d<number, number, 3, object>(3, 4, 3, { stride: 2, padding: 1 })),
  transposed: (): Net =>
    new SpectralNorm(new ConvTranspose2d<number, number, 4, object>(3, 2, 4, { stride: 2, padding: 1 })),
};

test.each(readFixture<{ spectral: readonly Case[] }>('generative.safetensors').spectral)('$kind', async (wanted) => {
  setDevice('cpu');
  const layer = make[wanted.kind]();
  const [u, v, weight, bias] = [wanted.u, wanted.v, wanted.weight, wanted.bias].map((packed) => unpack(packed));
  layer.loadStateDict({ u, v, 'layer.weight': weight, 'layer.bias': bias });
  const x = unpack(wanted.x) as Tensor;
  const y = layer.forward(x);
  const weights = tensor(
    Float32Array.from({ length: y.size }, (_, i) => Math.sin(i)),
    { shape: y.shape },
  );
  y.mul(weights).sum().backward();
  const [parameter] = layer.parameters();
  await expectClose(y, wanted.y, 'y');
  await expectClose(parameter.grad as Tensor, wanted.gradient, 'gradient');
  const after = layer.stateDict();
  await expectClose(after.u as Tensor, wanted.afterU, 'u');
  await expectClose(after.v as Tensor, wanted.afterV, 'v');
  layer.eval();
  await expectClose(layer.forward(x), wanted.evaluated, 'in evaluation');
  await expectClose(layer.stateDict().u as Tensor, wanted.afterU, 'u after evaluation');
});

test('nothing is stretched: the largest singular value of a new layer is 1', async () => {
  manualSeed(0);
  const layer = new SpectralNorm(new Linear(6, 4, { bias: false }));
  layer.eval();
  const x = rand([50, 6]);
  const ratio = await layer.forward(x).norm(2, 1).div(x.norm(2, 1)).amax().item();
  expect(ratio).toBeLessThan(1.01);
});

test('what has no weight is refused', () => {
  expect(() => new SpectralNorm(new BatchNorm2d(3) as never)).toThrow(
    'SpectralNorm: the layer has no weight of two dimensions or more. Give a Linear or a Conv2d.',
  );
  expect(() => new SpectralNorm(new Linear(2, 2), { iterations: 0 })).toThrow('SpectralNorm: iterations is 0');
  expect(() => new SpectralNorm(new Linear(2, 2), { eps: -1 })).toThrow('SpectralNorm: eps is -1.');
});
