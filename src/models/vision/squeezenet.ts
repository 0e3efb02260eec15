// SqueezeNet (Iandola et al. 2016): AlexNet's accuracy with a fiftieth of its parameters. Keys and initial values are torchvision's.

import { AdaptiveAvgPool2d, Conv2d, Dropout, Module, ReLU, init } from '../../nn/index.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkChoice, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Chain, type Conv, conv, inOrder, maxPool } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface SqueezeNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of the last convolution. Default 0.5. */
  readonly dropout?: number;
  /** For 32×32: the first convolution keeps the size. Default false. */
  readonly smallImages?: boolean;
}

const SQUEEZE_NET_OPTIONS: OptionNames<SqueezeNetOptions> = { ...IMAGE_OPTIONS, dropout: true, smallImages: true };

/** 1×1 to a few channels, then 1×1 and 3×3 side by side. */
class Fire extends Module {
  readonly squeeze: Conv;
  readonly expand1x1: Conv;
  readonly expand3x3: Conv;

  constructor(from: number, squeezed: number, expanded: number) {
    super();
    this.squeeze = conv(from, squeezed, 1);
    this.expand1x1 = conv(squeezed, expanded, 1);
    this.expand3x3 = conv(squeezed, expanded, 3, { padding: 1 });
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = this.squeeze.forward(x).relu();
    const one: Tensor = this.expand1x1.forward(y);
    const three: Tensor = this.expand3x3.forward(y);
    return cat([one.relu(), three.relu()], 1);
  }
}

const pool = (): Block => maxPool(3, { stride: 2, ceilMode: true });

/** Channels of the first convolution and its kernel; squeezed and expanded channels of each block, and after which ones is pooled. */
const VERSIONS = {
  '1.0': { first: 96, kernel: 7, pools: [2, 6] },
  '1.1': { first: 64, kernel: 3, pools: [1, 3] },
} as const;
const FIRES = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
] as const;

function features(version: '1.0' | '1.1', inChannels: number, smallImages: boolean): Chain {
  const { first, kernel, pools } = VERSIONS[version];
  const stem = smallImages
    ? conv(inChannels, first, kernel, { padding: (kernel - 1) / 2 })
    : conv(inChannels, first, kernel, { stride: 2 });
  const blocks: Block[] = [stem, new ReLU(), pool()];
  let from: number = first;
  FIRES.forEach(([squeezed, expanded], i) => {
    blocks.push(new Fire(from, squeezed, expanded));
    from = 2 * expanded;
    if (pools.some((at) => at === i)) blocks.push(pool());
  });
  return inOrder(...blocks);
}

/** Images [N, inChannels, H, W] of at least 21×21 (17×17 for version 1.1) → logits [N, classes]. torchvision: SqueezeNet. */
export class SqueezeNet<K extends number = number, C extends number = number> extends ImageClassifier<
  'SqueezeNet',
  K,
  C
> {
  readonly features: Chain;
  classifier: Chain;

  constructor(version: '1.0' | '1.1', options: SqueezeNetOptions<K, C> = {}) {
    checkChoice(new.target.name, 'the version', version, ['1.0', '1.1']);
    checkOptions(new.target.name, options, SQUEEZE_NET_OPTIONS);
    super(options);
    const { dropout = 0.5, smallImages = false } = options;
    checkDropout('SqueezeNet', dropout);
    this.features = features(version, this.inChannels, smallImages);
    this.classifier = head(new Dropout(dropout), this.classes);
    this.features.apply((m) => {
      if (!(m instanceof Conv2d)) return;
      init.kaimingUniform_(m.weight);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  protected setHead(classes: number): void {
    this.classifier = head(this.classifier.layers[0], classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x)).flatten(1);
  }
}

/** A convolution that gives a map for each class, whose mean is the logit. */
function head(dropout: Block, classes: number): Chain {
  const last = conv(512, classes, 1);
  init.normal_(last.weight, 0, 0.01);
  if (last.bias !== undefined) init.zeros_(last.bias);
  return inOrder(dropout, last, new ReLU(), new AdaptiveAvgPool2d(1));
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: SqueezeNetOptions<K, C>,
) => SqueezeNet<K, C>;

/** 1.2 million parameters with 1000 classes. torchvision: squeezenet1_0. */
export const squeezenet10: Net = (options) => new SqueezeNet('1.0', options);
/** 1.2 million parameters with 1000 classes, and 2.4 times less arithmetic than 1.0. torchvision: squeezenet1_1. */
export const squeezenet11: Net = (options) => new SqueezeNet('1.1', options);
