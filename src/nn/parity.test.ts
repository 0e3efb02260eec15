// Layers and losses against PyTorch: outputs, gradients of input and parameters, state after the pass, on every device.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, IndexError, type Tensor, arange, setDevice, tensor } from '../index.js';
import { type Packed, expectClose, readFixture, unpack } from '../../test/support/pytorch.js';
import * as nn from './index.js';

interface LayerCase {
  readonly name: string;
  readonly x: Packed;
  readonly before: Record<string, Packed>;
  readonly y: Packed;
  readonly gradX: Packed | null;
  readonly grads: Record<string, Packed>;
  readonly after: Record<string, Packed>;
  readonly steps: number;
}

interface LossCase {
  readonly name: keyof typeof lossOf;
  readonly x: Packed;
  readonly target: Packed;
  /** Lists are tensors. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly y: Packed;
  readonly gradX: Packed;
}

interface AnyLayer extends nn.Module {
  forward(x: never): AnyTensor;
}

const create: Record<string, () => AnyLayer> = {
  Linear: () => new nn.Linear(5, 3),
  'Linear without bias on rank 3': () => new nn.Linear(5, 3, { bias: false }),
  Conv2d: () => new nn.Conv2d(2, 3, 3),
  'Conv2d stride, padding, dilation, groups': () =>
    new nn.Conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
  'Conv2d same': () => new nn.Conv2d(1, 2, 4, { padding: 'same', bias: false }),
  'Conv2d unbatched': () => new nn.Conv2d(2, 2, 2),
  'BatchNorm2d training': () => new nn.BatchNorm2d(3),
  'BatchNorm2d average': () => new nn.BatchNorm2d(3, { momentum: null, eps: 1e-3 }),
  'BatchNorm2d evaluation': () => new nn.BatchNorm2d(3).eval(),
  BatchNorm1d: () => new nn.BatchNorm1d(3, { affine: false }),
  LayerNorm: () => new nn.LayerNorm(6),
  Embedding: () => new nn.Embedding(5, 3),
  ReLU: () => new nn.ReLU(),
  Tanh: () => new nn.Tanh(),
  Sigmoid: () => new nn.Sigmoid(),
  GELU: () => new nn.GELU(),
  Softmax: () => new nn.Softmax(1),
  MaxPool2d: () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
  AvgPool2d: () => new nn.AvgPool2d([2, 3], { stride: 2, padding: [1, 0] }),
  'AdaptiveAvgPool2d 1': () => new nn.GlobalAvgPool2d(),
  'AdaptiveAvgPool2d 2x3': () => new nn.AdaptiveAvgPool2d([2, 3]),
  'AdaptiveAvgPool2d divides': () => new nn.AdaptiveAvgPool2d(2),
};

type AnyLoss = (x: AnyTensor, target: AnyTensor, options: object) => AnyTensor;

const lossOf = {
  bceLoss: nn.bceLoss,
  bceWithLogits: nn.bceWithLogits,
  crossEntropy: nn.crossEntropy,
  hingeLoss: nn.hingeLoss,
  huberLoss: nn.huberLoss,
  klDivLoss: nn.klDivLoss,
  l1Loss: nn.l1Loss,
  mseLoss: nn.mseLoss,
  nllLoss: nn.nllLoss,
  smoothL1Loss: nn.smoothL1Loss,
  /** The negatives are the positives in reverse. */
  tripletMarginLoss: (x: AnyTensor, target: AnyTensor, options: object) =>
    nn.tripletMarginLoss(x, target, (target as unknown as Tensor).flip(0) as AnyTensor, options),
};

const { layers, losses } = readFixture<{ layers: LayerCase[]; losses: LossCase[] }>('pytorch-nn.json');

/** Different weights for the elements of y, so that no gradient cancels. */
function weighted(y: Tensor): Tensor {
  return y.mul((arange(y.size).to('float32') as Tensor).cos().reshape(y.shape) as Tensor).sum() as Tensor;
}

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each(layers)('$name', async ({ name, x, before, y, gradX, grads, after, steps }) => {
    setDevice(device);
    const layer = create[name]();
    expect(Object.keys(layer.stateDict())).toEqual(Object.keys(before));
    layer.loadStateDict(Object.fromEntries(Object.entries(before).map(([key, t]) => [key, unpack(t) as AnyTensor])));
    const input = unpack(x, gradX !== null);
    for (let step = 1; step <= steps; step++) {
      layer.zeroGrad();
      input.grad = undefined;
      const out = layer.forward(input as never) as unknown as Tensor;
      if (out.requiresGrad) weighted(out).backward();
      if (step === steps) await expectClose(out as AnyTensor, y, 'output');
      else await out.data();
    }
    if (gradX !== null) await expectClose(input.grad as unknown as AnyTensor, gradX, 'gradient of the input', 5e-6);
    for (const [key, parameter] of layer.namedParameters()) {
      await expectClose(parameter.grad as unknown as AnyTensor, grads[key], `gradient of ${key}`, 5e-6);
    }
    for (const [key, t] of Object.entries(layer.stateDict())) await expectClose(t, after[key], key);
  });

  test.each(losses)('$name $options', async ({ name, x, target, options, y, gradX }) => {
    setDevice(device);
    const input = unpack(x, true);
    const given = Object.entries(options).map(([key, v]) => [key, Array.isArray(v) ? tensor(v as number[]) : v]);
    const all = Object.fromEntries(given) as object;
    const loss = (lossOf[name] as AnyLoss)(input as AnyTensor, unpack(target) as AnyTensor, all) as unknown as Tensor;
    weighted(loss).backward();
    await expectClose(loss as AnyTensor, y, 'loss', 1e-6);
    await expectClose(input.grad as unknown as AnyTensor, gradX, 'gradient');
  });

  test('a label or index out of range is an IndexError when it is computed', async () => {
    setDevice(device);
    const logits = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (const bad of [3, -1, -100]) {
      const loss = nn.crossEntropy(logits, tensor([0, bad], { dtype: 'int32' }));
      await expect(loss.item()).rejects.toThrow(IndexError);
    }
    expect(await nn.crossEntropy(logits, tensor([0, 1], { dtype: 'int32' })).item()).toBeCloseTo(1.9076, 4);
    const rows = new nn.Embedding(4, 2).forward(tensor([1, 4], { dtype: 'int32' }));
    await expect(rows.data()).rejects.toThrow(IndexError);
  });
});
