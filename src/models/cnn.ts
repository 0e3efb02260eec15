// A plain convolutional network: stages of convolutions with batch normalisation and ReLU, halved in size between them.

import { type OptionNames, checkOptions } from '../tensor/library.js';
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from '../nn/index.js';
import type { Module } from '../nn/module.js';
import type { Classifier } from './classifier.js';

export interface CnnOptions {
  /** Channels of the input. Default 3. */
  readonly channels?: number;
  /** Default 10. */
  readonly classes?: number;
  /** Channels of the convolutions, stage by stage. Default [[32, 32], [64, 64], [128]]. */
  readonly stages?: readonly (readonly number[])[];
  /** Before the linear layer. Default 0. */
  readonly dropout?: number;
}

const CNN_OPTIONS: OptionNames<CnnOptions> = { channels: true, classes: true, stages: true, dropout: true };

export interface CnnBodyOptions extends Omit<CnnOptions, 'classes' | 'dropout'> {}

const CNN_BODY_OPTIONS: OptionNames<CnnBodyOptions> = { channels: true, stages: true };

function bodyOf({
  channels = 3,
  stages = [[32, 32], [64, 64], [128]],
}: CnnBodyOptions): [layers: Module[], width: number] {
  const layers: Module[] = [];
  let from = channels;
  stages.forEach((stage, i) => {
    if (i > 0) layers.push(new MaxPool2d(2));
    for (const to of stage) {
      layers.push(new Conv2d(from, to, 3, { padding: 1, bias: false }), new BatchNorm2d(to), new ReLU());
      from = to;
    }
  });
  return [[...layers, new AdaptiveAvgPool2d(1), new Flatten()], from];
}

/** `cnn` without its linear layer: images [N, channels, H, W] → features [N, F], F the last number of `stages`. */
export function cnnBody(options: CnnBodyOptions = {}): Classifier {
  checkOptions('cnnBody', options, CNN_BODY_OPTIONS);
  return new Sequential(...bodyOf(options)[0]);
}

/** Images [N, channels, H, W] → logits [N, classes]: 3×3 convolutions, max pooling between stages, global average, linear. */
export function cnn(options: CnnOptions = {}): Classifier {
  checkOptions('cnn', options, CNN_OPTIONS);
  const { channels, classes = 10, stages, dropout = 0 } = options;
  const [layers, width] = bodyOf({ channels, stages });
  if (dropout > 0) layers.push(new Dropout(dropout));
  layers.push(new Linear(width, classes));
  return new Sequential(...layers);
}
