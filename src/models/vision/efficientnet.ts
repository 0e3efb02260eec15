// EfficientNet (Tan and Le 2019): inverted residuals with squeeze-and-excitation, and one rule that makes B0 wider and deeper up to B7.
// Keys, numerics and initial values are torchvision's; `efficientNetKey` translates timm's.

import { type BatchNormOptions, Dropout, Linear, Module, SiLU, init } from '../../nn/index.js';
import { type OptionNames, checkOptions, checkText } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  SqueezeExcitation,
  StochasticDepth,
  convNorm,
  inOrder,
  linear,
  roundChannels,
  startConvolutions,
  withHead,
} from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface EfficientNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of the last layer. Default 0.2 for B0 and B1, 0.3 for B2 and B3, 0.4 for B4 and B5, 0.5 for B6 and B7. */
  readonly dropout?: number;
  /** Probability that the last block is left out in training; earlier ones less, in proportion. Default 0.2. */
  readonly stochasticDepth?: number;
  /** For 32×32: the first convolution keeps the size. Default false. */
  readonly smallImages?: boolean;
}

const EFFICIENT_NET_OPTIONS: OptionNames<EfficientNetOptions> = {
  ...IMAGE_OPTIONS,
  dropout: true,
  stochasticDepth: true,
  smallImages: true,
};

/** Table 1 of the paper: expansion, kernel, stride, channels, layers. */
const STAGES = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** Width and depth beside B0's, dropout. */
const SCALES = [
  [1, 1, 0.2],
  [1, 1.1, 0.2],
  [1.1, 1.2, 0.3],
  [1.2, 1.4, 0.3],
  [1.4, 1.8, 0.4],
  [1.6, 2.2, 0.4],
  [1.8, 2.6, 0.5],
  [2, 3.1, 0.5],
] as const;

interface Shape {
  readonly from: number;
  readonly to: number;
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  /** Probability of being left out. */
  readonly depth: number;
  readonly norm: BatchNormOptions;
}

const activation = (): Block => new SiLU();

/** 1×1 to more channels, a depthwise convolution, channels weighted, 1×1 to fewer. torchvision: MBConv. */
class MBConv extends Module {
  readonly block: Block;
  readonly stochasticDepth: StochasticDepth;
  private readonly isResidual: boolean;

  constructor({ from, to, expansion, kernel, stride, depth, norm }: Shape) {
    super();
    const inner = roundChannels(from * expansion);
    this.block = inOrder(
      ...(inner === from ? [] : [convNorm(from, inner, 1, { activation, norm })]),
      convNorm(inner, inner, kernel, { stride, groups: inner, activation, norm }),
      new SqueezeExcitation(inner, Math.max(1, Math.floor(from / 4)), { activation: activation() }),
      convNorm(inner, to, 1, { activation: null, norm }),
    );
    this.stochasticDepth = new StochasticDepth(depth);
    this.isResidual = stride === 1 && from === to;
  }

  forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    return this.isResidual ? this.stochasticDepth.forward(y).add(x) : y;
  }
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: EfficientNet. */
export class EfficientNet<K extends number = number, C extends number = number> extends ImageClassifier<
  'EfficientNet',
  K,
  C
> {
  readonly features: Chain;
  classifier: Chain;

  /** `scale`: 0 for B0 to 7 for B7. */
  constructor(scale: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, options: EfficientNetOptions<K, C> = {}) {
    checkOptions(new.target.name, options, EFFICIENT_NET_OPTIONS);
    super(options);
    const [widthFactor, depthFactor, usualDropout] = SCALES[scale];
    const { dropout = usualDropout, stochasticDepth = 0.2, smallImages = false } = options;
    checkDropout('EfficientNet', dropout);
    checkDropout('EfficientNet', stochasticDepth, 'stochasticDepth');
    const norm = scale >= 5 ? { eps: 0.001, momentum: 0.01 } : {};
    const width = (channels: number): number => roundChannels(channels * widthFactor);
    const counts = STAGES.map(([, , , , layers]) => Math.ceil(layers * depthFactor));
    const total = counts.reduce((a, b) => a + b);
    let from = width(32);
    let number = 0;
    const first = convNorm(this.inChannels, from, 3, { stride: smallImages ? 1 : 2, activation, norm });
    const stages = STAGES.map(([expansion, kernel, stride, channels], i) => {
      const blocks = Array.from({ length: counts[i] }, (_, j) => {
        const to = width(channels);
        const depth = (stochasticDepth * number++) / total;
        const block = new MBConv({ from, to, expansion, kernel, stride: j === 0 ? stride : 1, depth, norm });
        from = to;
        return block;
      });
      return inOrder(...blocks);
    });
    this.features = inOrder(first, ...stages, convNorm(from, 4 * from, 1, { activation, norm }));
    this.classifier = inOrder(new Dropout(dropout), linear(4 * from, this.classes));
    startConvolutions(this);
    this.apply((m) => {
      if (!(m instanceof Linear)) return;
      const bound = 1 / Math.sqrt(this.classes);
      init.uniform_(m.weight, -bound, bound);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3]));
  }
}

/**
 * The key here (and in torchvision) of a parameter that timm calls `key`: `blocks.1.0.conv_dw.weight` → `features.2.0.block.1.0.weight`.
 * Keys of the same order belong together, so weights of timm load by it. A key that is none of timm's is returned as it is.
 */
export function efficientNetKey(key: string): string {
  checkText('efficientNetKey', 'the key', key);
  const outer = /^(conv_stem|bn1|conv_head|bn2|classifier)\.(\w+)$/.exec(key);
  if (outer !== null) return `${OUTER[outer[1]]}.${outer[2]}`;
  const inner = /^blocks\.(\d)\.(\d+)\.(conv_\w+|bn\d|se\.conv_\w+)\.(\w+)$/.exec(key);
  if (inner === null) return key;
  const [, stage, number, part, name] = inner;
  const place = (stage === '0' ? FIRST_PARTS : PARTS)[part];
  return place === undefined ? key : `features.${Number(stage) + 1}.${number}.block.${place}.${name}`;
}

const OUTER: Readonly<Record<string, string>> = {
  conv_stem: 'features.0.0',
  bn1: 'features.0.1',
  conv_head: 'features.8.0',
  bn2: 'features.8.1',
  classifier: 'classifier.1',
};
/** Of a block of the first stage, which does not expand. */
const FIRST_PARTS: Readonly<Record<string, string>> = {
  conv_dw: '0.0',
  bn1: '0.1',
  'se.conv_reduce': '1.fc1',
  'se.conv_expand': '1.fc2',
  conv_pw: '2.0',
  bn2: '2.1',
};
const PARTS: Readonly<Record<string, string>> = {
  conv_pw: '0.0',
  bn1: '0.1',
  conv_dw: '1.0',
  bn2: '1.1',
  'se.conv_reduce': '2.fc1',
  'se.conv_expand': '2.fc2',
  conv_pwl: '3.0',
  bn3: '3.1',
};

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: EfficientNetOptions<K, C>,
) => EfficientNet<K, C>;

/** 5.3 million parameters with 1000 classes, made for 224×224. torchvision: efficientnet_b0. */
export const efficientnetB0: Net = (options) => new EfficientNet(0, options);
/** 7.8 million parameters with 1000 classes, made for 240×240. torchvision: efficientnet_b1. */
export const efficientnetB1: Net = (options) => new EfficientNet(1, options);
/** 9.1 million parameters with 1000 classes, made for 260×260. torchvision: efficientnet_b2. */
export const efficientnetB2: Net = (options) => new EfficientNet(2, options);
/** 12.2 million parameters with 1000 classes, made for 300×300. torchvision: efficientnet_b3. */
export const efficientnetB3: Net = (options) => new EfficientNet(3, options);
/** 19.3 million parameters with 1000 classes, made for 380×380. torchvision: efficientnet_b4. */
export const efficientnetB4: Net = (options) => new EfficientNet(4, options);
/** 30.4 million parameters with 1000 classes, made for 456×456. torchvision: efficientnet_b5. */
export const efficientnetB5: Net = (options) => new EfficientNet(5, options);
/** 43.0 million parameters with 1000 classes, made for 528×528. torchvision: efficientnet_b6. */
export const efficientnetB6: Net = (options) => new EfficientNet(6, options);
/** 66.3 million parameters with 1000 classes, made for 600×600. torchvision: efficientnet_b7. */
export const efficientnetB7: Net = (options) => new EfficientNet(7, options);
