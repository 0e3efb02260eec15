// Small segmentation networks: sizes, the bilinear start of FCN's enlargements, and that each learns which pixels are whose.
import { describe, expect, test } from 'vitest';
import { type Tensor, manualSeed, noGrad, ones, rand } from '../../index.js';
import { shapeScenes } from '../../data/index.js';
import { MeanIoU } from '../../metrics/index.js';
import { type Module, diceCrossEntropy } from '../../nn/index.js';
import { AdamW } from '../../optim/index.js';
import { SegNet, SkipFCN, UNet, segnet, skipFcn } from '../index.js';

const count = (model: Module): number => model.parameters().reduce((sum, { size }) => sum + size, 0);

test('sizes: the paper has SegNet on VGG-16; any stages keep the size of the images', () => {
  expect(count(segnet())).toBe(29_455_125);
  const uneven = new SegNet({ classes: 3, inChannels: 2, stages: [[4, 6], [5], [7, 8]] });
  expect(uneven.forward(rand([2, 2, 16, 24])).shape).toEqual([2, 3, 16, 24]);
  for (const skips of [0, 1, 2]) {
    const fcn = new SkipFCN({ classes: 3, inChannels: 2, skips, stages: [[4], [6, 6], [8]] });
    expect(fcn.forward(rand([2, 2, 16, 24])).shape).toEqual([2, 3, 16, 24]);
    expect(fcn.enlarge).toHaveLength(skips + 1);
  }
  expect(
    skipFcn()
      .eval()
      .forward(rand([1, 3, 32, 32])).shape,
  ).toEqual([1, 21, 32, 32]);
});

test('FCN begins with the enlarged scores of its last map', async () => {
  manualSeed(0);
  const fcn = new SkipFCN({ classes: 2, inChannels: 1, skips: 1, stages: [[4], [4]] });
  const [twice, whole] = fcn.enlarge;
  const y = noGrad(() => whole.forward(twice.forward(ones([1, 2, 4, 4]))));
  expect(y.shape).toEqual([1, 2, 16, 16]);
  const middle = y.slice(2, 5, 11).slice(3, 5, 11); // borders fade, as what lies outside is 0
  expect(await middle.sub(1).abs().amax().item()).toBeLessThan(1e-6);
  expect(await fcn.skipScores[0].weight.abs().amax().item()).toBe(0);
});

describe('a few steps on shapes', () => {
  const { x, mask } = shapeScenes({ samples: 16, size: 16, objects: [1, 1], radius: [0.25, 0.4] }).batch(
    Array.from({ length: 16 }, (_, i) => i),
  );
  const sizes = { classes: 4, inChannels: 3 };
  const networks: Readonly<Record<string, () => Module & { forward(x: Tensor): Tensor }>> = {
    'U-Net': () => new UNet({ ...sizes, width: 8, depth: 1, batchNorm: true }),
    SegNet: () =>
      new SegNet({
        ...sizes,
        stages: [
          [12, 12],
          [24, 24],
        ],
      }),
    FCN: () => new SkipFCN({ ...sizes, stages: [[8], [16]], skips: 1, dropout: 0 }),
  };

  test.each(Object.keys(networks))(
    '%s',
    async (name) => {
      manualSeed(1);
      const model = networks[name]();
      const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
      for (let step = 0; step < 30; step++) {
        optimizer.zeroGrad();
        diceCrossEntropy(model.forward(x), mask).backward();
        await optimizer.step();
      }
      const ratio = new MeanIoU();
      ratio.update(
        noGrad(() => model.forward(x)),
        mask,
      );
      expect(await ratio.compute()).toBeGreaterThan(0.7);
    },
    60_000,
  );
});

test('what is wrong is said', () => {
  expect(() => new SegNet({ stages: [] })).toThrow('SegNet: there are no stages.');
  expect(() => new SkipFCN({ stages: [[8], []] })).toThrow('SkipFCN: a stage has no convolution.');
  expect(() => new SkipFCN({ stages: [[8], [8]], skips: 2 })).toThrow('SkipFCN: skips is 2, and there are 2 stages.');
  expect(() => new SkipFCN({ stages: [[0]] })).toThrow('SkipFCN: channels of a stage');
  expect(() => skipFcn().forward(rand([1, 3, 40, 32]))).toThrow('height and width are not multiples of 32');
});
