// The small networks that name each pixel, by name: U-Net, SegNet (pooling indices), and a fully convolutional network with skips.

import type { Tensor } from '../../index.js';
import { SegNet, SkipFCN, UNet } from '../../models/index.js';
import type { Module } from '../../nn/index.js';

interface SegmentationSizes {
  readonly classes: number;
  readonly inChannels: number;
}

type SegmentationModel = Module & { forward(x: Tensor): Tensor };

const STAGES = [
  [16, 16],
  [32, 32],
  [64, 64],
];

export const SEGMENTATION_MODELS: Readonly<Record<string, (sizes: SegmentationSizes) => SegmentationModel>> = {
  unet: (sizes) => new UNet({ ...sizes, width: 16, depth: 3, batchNorm: true }),
  segnet: (sizes) => new SegNet({ ...sizes, stages: STAGES }),
  fcn: (sizes) => new SkipFCN({ ...sizes, stages: STAGES }), // three stages and two skips: maps of half the size
};
