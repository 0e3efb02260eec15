// MobileNet-v2 (Sandler et al. 2018): residuals between narrow layers, with a depthwise convolution of many channels between. Keys and
// initial values are torchvision's.

import { Dropout, Module, ReLU6 } from '../../nn/index.js';
import { checkNumber } from '../../nn/layer.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  convNorm,
  inOrder,
  linear,
  plainConv,
  roundChannels,
  startConvolutions,
  startLinear,
  withHead,
  batchNorm,
} from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface MobileNetV2Options<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of the last layer. Default 0.2. */
  readonly dropout?: number;
  /** Channels beside those of the paper, rounded to multiples of 8. Default 1. */
  readonly widthMultiplier?: number;
  /** For 32×32: the first convolution and the first halving keep the size. Default false. */
  readonly smallImages?: boolean;
}

const MOBILE_NET_V2_OPTIONS: OptionNames<MobileNetV2Options> = {
  ...IMAGE_OPTIONS,
  dropout: true,
  widthMultiplier: true,
  smallImages: true,
};

/** Table 2 of the paper: expansion, channels, layers, stride. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const activation = (): Block => new ReLU6();

class MobileNetV2Block extends Module {
  readonly conv: Block;
  private readonly isResidual: boolean;

  constructor(from: number, to: number, stride: number, expansion: number) {
    super();
    const inner = from * expansion;
    this.conv = inOrder(
      ...(expansion === 1 ? [] : [convNorm(from, inner, 1, { activation })]),
      convNorm(inner, inner, 3, { stride, groups: inner, activation }),
      plainConv(inner, to, 1),
      batchNorm(to),
    );
    this.isResidual = stride === 1 && from === to;
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return this.isResidual ? y.add(x) : y;
  }
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: MobileNetV2. */
export class MobileNetV2<K extends number = number, C extends number = number> extends ImageClassifier<
  'MobileNetV2',
  K,
  C
> {
  readonly features: Chain;
  classifier: Chain;

  constructor(options: MobileNetV2Options<K, C> = {}) {
    checkOptions(new.target.name, options, MOBILE_NET_V2_OPTIONS);
    super(options);
    const { dropout = 0.2, widthMultiplier = 1, smallImages = false } = options;
    checkDropout('MobileNetV2', dropout);
    checkNumber(widthMultiplier, 'MobileNetV2: widthMultiplier');
    let from = roundChannels(32 * widthMultiplier);
    const last = roundChannels(1280 * Math.max(1, widthMultiplier));
    const blocks: Block[] = [convNorm(this.inChannels, from, 3, { stride: smallImages ? 1 : 2, activation })];
    STAGES.forEach(([expansion, channels, layers, stride], stage) => {
      const to = roundChannels(channels * widthMultiplier);
      const first = smallImages && stage === 1 ? 1 : stride;
      for (let i = 0; i < layers; i++, from = to)
        blocks.push(new MobileNetV2Block(from, to, i === 0 ? first : 1, expansion));
    });
    this.features = inOrder(...blocks, convNorm(from, last, 1, { activation }));
    this.classifier = inOrder(new Dropout(dropout), linear(last, this.classes));
    startConvolutions(this);
    startLinear(this);
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3]));
  }
}

/** 3.5 million parameters with 1000 classes. torchvision: mobilenet_v2. */
export function mobilenetV2<const K extends number = 1000, const C extends number = 3>(
  options?: MobileNetV2Options<K, C>,
): MobileNetV2<K, C> {
  return new MobileNetV2(options);
}
