// DenseNet (Huang et al. 2017): each layer of a block gets the maps of all layers before it. Keys and initial values are torchvision's.

import { AvgPool2d, Conv2d, Linear, Module, ReLU, init } from '../../nn/index.js';
import { dropout as dropped } from '../../tensor/dropout.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Conv, Named, linear, plainConv, maxPool, batchNorm } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface DenseNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Behind each layer of a block. Default 0. */
  readonly dropout?: number;
  /** For 32×32: a 3×3 convolution that keeps the size, without pooling, in front. Default false. */
  readonly smallImages?: boolean;
}

const DENSE_NET_OPTIONS: OptionNames<DenseNetOptions> = { ...IMAGE_OPTIONS, dropout: true, smallImages: true };

/** 1×1 to four times the growth, 3×3 to the growth, each behind normalisation and ReLU. */
class DenseLayer extends Module {
  readonly norm1: Block;
  readonly conv1: Conv;
  readonly norm2: Block;
  readonly conv2: Conv;
  private readonly dropout: number;

  constructor(from: number, growth: number, dropout: number) {
    super();
    this.norm1 = batchNorm(from);
    this.conv1 = plainConv(from, 4 * growth, 1);
    this.norm2 = batchNorm(4 * growth);
    this.conv2 = plainConv(4 * growth, growth, 3, { padding: 1 });
    this.dropout = dropout;
  }

  forward(x: Tensor): Tensor {
    const narrow: Tensor = this.conv1.forward(this.norm1.forward(x).relu());
    const grown: Tensor = this.conv2.forward(this.norm2.forward(narrow).relu());
    return this.training && this.dropout > 0 ? dropped(grown, this.dropout) : grown;
  }
}

class DenseBlock extends Module {
  private readonly layers: readonly DenseLayer[];

  constructor(layers: readonly DenseLayer[]) {
    super();
    this.layers = layers;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`denselayer${i + 1}`, layer] as const);
  }

  forward(x: Tensor): Tensor {
    const maps = [x];
    for (const layer of this.layers) maps.push(layer.forward(maps.length === 1 ? x : cat(maps, 1)));
    return cat(maps, 1);
  }
}

/** Half as many channels, half the size. */
function transition(from: number): Block {
  return new Named({
    norm: batchNorm(from),
    relu: new ReLU(),
    conv: plainConv(from, from / 2, 1),
    pool: new AvgPool2d(2),
  });
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: DenseNet. */
export class DenseNet<K extends number = number, C extends number = number> extends ImageClassifier<'DenseNet', K, C> {
  readonly features: Block;
  classifier: Linear<number, number>;

  /** `counts`: layers of the four blocks; `growth`: channels that each layer adds; `first`: channels of the first convolution. */
  constructor(
    counts: readonly [number, number, number, number],
    growth: number,
    first: number,
    options: DenseNetOptions<K, C> = {},
  ) {
    checkOptions(new.target.name, options, DENSE_NET_OPTIONS);
    super(options);
    const { dropout = 0, smallImages = false } = options;
    checkDropout('DenseNet', dropout);
    const blocks: Record<string, Block> = smallImages
      ? { conv0: plainConv(this.inChannels, first, 3, { padding: 1 }) }
      : { conv0: plainConv(this.inChannels, first, 7, { stride: 2, padding: 3 }) };
    blocks['norm0'] = batchNorm(first);
    blocks['relu0'] = new ReLU();
    if (!smallImages) blocks['pool0'] = maxPool(3, { stride: 2, padding: 1 });
    let channels = first;
    counts.forEach((count, i) => {
      const layers = Array.from({ length: count }, (_, j) => new DenseLayer(channels + j * growth, growth, dropout));
      blocks[`denseblock${i + 1}`] = new DenseBlock(layers);
      channels += count * growth;
      if (i === counts.length - 1) return;
      blocks[`transition${i + 1}`] = transition(channels);
      channels /= 2;
    });
    blocks['norm5'] = batchNorm(channels);
    this.features = new Named(blocks);
    this.classifier = linear(channels, this.classes);
    this.apply((m) => {
      if (m instanceof Conv2d) init.kaimingNormal_(m.weight);
      if (m instanceof Linear && m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  protected setHead(classes: number): void {
    this.classifier = linear(Number(this.classifier.weight.shape[1]), classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).relu().mean([2, 3]));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: DenseNetOptions<K, C>,
) => DenseNet<K, C>;

/** 8.0 million parameters with 1000 classes. torchvision: densenet121. */
export const densenet121: Net = (options) => new DenseNet([6, 12, 24, 16], 32, 64, options);
/** 28.7 million parameters with 1000 classes. torchvision: densenet161. */
export const densenet161: Net = (options) => new DenseNet([6, 12, 36, 24], 48, 96, options);
/** 14.1 million parameters with 1000 classes. torchvision: densenet169. */
export const densenet169: Net = (options) => new DenseNet([6, 12, 32, 32], 32, 64, options);
/** 20.0 million parameters with 1000 classes. torchvision: densenet201. */
export const densenet201: Net = (options) => new DenseNet([6, 12, 48, 32], 32, 64, options);
