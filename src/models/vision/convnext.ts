// ConvNeXt (Liu et al. 2022): a ResNet with what Transformers have brought: patches, large depthwise kernels, layer normalisation, GELU.
// Keys and initial values are torchvision's.

import { Flatten, GELU, LayerNorm, Module, Parameter, init } from '../../nn/index.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  StochasticDepth,
  conv,
  inOrder,
  linear,
  startNormal,
  withHead,
  layerNorm,
} from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface ConvNeXtOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /**
   * Probability that the last block is left out in training; earlier ones less, in proportion. Default 0.1 for tiny, 0.4 for small, 0.5 for
   * base and large.
   */
  readonly stochasticDepth?: number;
  /** What branches are multiplied by at the start, for each channel. Default 1e-6. */
  readonly layerScale?: number;
}

const CONV_NEXT_OPTIONS: OptionNames<ConvNeXtOptions> = { ...IMAGE_OPTIONS, stochasticDepth: true, layerScale: true };

/** Dimensions in another order. torchvision: Permute. */
export class Permute extends Module {
  readonly order: readonly number[];

  constructor(...order: readonly number[]) {
    super();
    this.order = order;
  }

  forward(x: Tensor): Tensor {
    return x.permute(this.order);
  }

  protected override describe(): string {
    return this.order.join(', ');
  }
}

/** Layer normalisation over the channels of [N, C, H, W]. */
class LayerNorm2d extends LayerNorm<number> {
  constructor(channels: number) {
    super(channels, { eps: 1e-6 });
  }

  protected override compute(x: Tensor): Tensor {
    return super.compute(x.permute([0, 2, 3, 1])).permute([0, 3, 1, 2]);
  }
}

class ConvNeXtBlock extends Module {
  readonly layerScale: Parameter;
  readonly block: Block;
  readonly stochasticDepth: StochasticDepth;

  constructor(channels: number, scale: number, depth: number) {
    super();
    this.layerScale = new Parameter(init.constant([channels, 1, 1], scale));
    this.block = inOrder(
      conv(channels, channels, 7, { padding: 3, groups: channels }),
      new Permute(0, 2, 3, 1), // channels last, for the normalisation and the linear layers
      layerNorm(channels, { eps: 1e-6 }),
      linear(channels, 4 * channels),
      new GELU(),
      linear(4 * channels, channels),
      new Permute(0, 3, 1, 2),
    );
    this.stochasticDepth = new StochasticDepth(depth);
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = this.block.forward(x).mul(this.layerScale);
    return this.stochasticDepth.forward(y).add(x);
  }
}

/** Images [N, inChannels, H, W] of at least 32×32 → logits [N, classes]. torchvision: ConvNeXt. */
export class ConvNeXt<K extends number = number, C extends number = number> extends ImageClassifier<'ConvNeXt', K, C> {
  readonly features: Chain;
  classifier: Chain;

  /** Channels and blocks of the four stages. */
  constructor(
    widths: readonly [number, number, number, number],
    counts: readonly [number, number, number, number],
    options: ConvNeXtOptions<K, C> = {},
  ) {
    checkOptions(new.target.name, options, CONV_NEXT_OPTIONS);
    super(options);
    const { stochasticDepth = 0.1, layerScale = 1e-6 } = options;
    checkDropout('ConvNeXt', stochasticDepth, 'stochasticDepth');
    const total = counts.reduce((a, b) => a + b);
    let number = 0;
    const parts = widths.flatMap((width, i) => {
      const before = widths[i - 1];
      const enter =
        i === 0
          ? inOrder(conv(this.inChannels, width, 4, { stride: 4 }), new LayerNorm2d(width))
          : inOrder(new LayerNorm2d(before), conv(before, width, 2, { stride: 2 }));
      const blocks = Array.from({ length: counts[i] }, () => {
        return new ConvNeXtBlock(width, layerScale, (stochasticDepth * number++) / (total - 1));
      });
      return [enter, inOrder(...blocks)];
    });
    this.features = inOrder(...parts);
    this.classifier = inOrder(new LayerNorm2d(widths[3]), new Flatten(), linear(widths[3], this.classes));
    startNormal(this, 0.02);
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3], { keepdim: true }));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: ConvNeXtOptions<K, C>,
) => ConvNeXt<K, C>;

/** 28.6 million parameters with 1000 classes. torchvision: convnext_tiny. */
export const convnextTiny: Net = (options) => new ConvNeXt([96, 192, 384, 768], [3, 3, 9, 3], options);
/** 50.2 million parameters with 1000 classes. torchvision: convnext_small. */
export const convnextSmall: Net = (options) =>
  new ConvNeXt([96, 192, 384, 768], [3, 3, 27, 3], { stochasticDepth: 0.4, ...options });
/** 88.6 million parameters with 1000 classes. torchvision: convnext_base. */
export const convnextBase: Net = (options) =>
  new ConvNeXt([128, 256, 512, 1024], [3, 3, 27, 3], { stochasticDepth: 0.5, ...options });
