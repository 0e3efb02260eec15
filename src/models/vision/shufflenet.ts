// ShuffleNet-v2 (Ma et al. 2018): half of the channels go past each block, and a shuffle mixes the halves. Keys and initial values are
// torchvision's.

import { type Linear, Module, ReLU } from '../../nn/index.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, inOrder, linear, plainConv, maxPool, batchNorm } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions } from './image-model.js';

export interface ShuffleNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** For 32×32: a first convolution that keeps the size, without pooling. Default false. */
  readonly smallImages?: boolean;
}

const SHUFFLE_NET_OPTIONS: OptionNames<ShuffleNetOptions> = { ...IMAGE_OPTIONS, smallImages: true };

const step = (from: number, to: number): Block[] => [plainConv(from, to, 1), batchNorm(to), new ReLU()];
const depthwise = (channels: number, stride: number): Block[] => [
  plainConv(channels, channels, 3, { stride, padding: 1, groups: channels }),
  batchNorm(channels),
];

/** Channels of both halves in turn: (N, 2·C, H, W), 0 1 2 … C C+1 … → 0 C 1 C+1 … */
function shuffle(x: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape;
  const halves: Tensor = x.reshape([batch, 2, channels / 2, height, width]);
  return halves.transpose(1, 2).reshape([batch, channels, height, width]);
}

class ShuffleNetBlock extends Module {
  readonly branch1: Block;
  readonly branch2: Block;
  private readonly stride: number;

  constructor(from: number, to: number, stride: number) {
    super();
    const half = to / 2;
    this.branch1 = stride === 1 ? inOrder() : inOrder(...depthwise(from, stride), ...step(from, half));
    this.branch2 = inOrder(...step(stride === 1 ? half : from, half), ...depthwise(half, stride), ...step(half, half));
    this.stride = stride;
  }

  forward(x: Tensor): Tensor {
    if (this.stride !== 1) return shuffle(cat([this.branch1.forward(x), this.branch2.forward(x)], 1));
    const [past, through]: Tensor[] = x.chunk(2, 1);
    return shuffle(cat([past, this.branch2.forward(through)], 1));
  }
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: ShuffleNetV2. */
export class ShuffleNetV2<K extends number = number, C extends number = number> extends ImageClassifier<
  'ShuffleNetV2',
  K,
  C
> {
  readonly conv1: Block;
  readonly maxpool: Block | undefined;
  readonly stage2: Block;
  readonly stage3: Block;
  readonly stage4: Block;
  readonly conv5: Block;
  fc: Linear<number, number>;

  /** `widths`: channels of the three stages and of the last convolution. */
  constructor(widths: readonly [number, number, number, number], options: ShuffleNetOptions<K, C> = {}) {
    checkOptions(new.target.name, options, SHUFFLE_NET_OPTIONS);
    super(options);
    const { smallImages = false } = options;
    const first = plainConv(this.inChannels, 24, 3, { stride: smallImages ? 1 : 2, padding: 1 });
    this.conv1 = inOrder(first, batchNorm(24), new ReLU());
    this.maxpool = smallImages ? undefined : maxPool(3, { stride: 2, padding: 1 });
    let from = 24;
    [this.stage2, this.stage3, this.stage4] = [4, 8, 4].map((count, stage) => {
      const to = widths[stage];
      const blocks = Array.from(
        { length: count },
        (_, i) => new ShuffleNetBlock(i === 0 ? from : to, to, i === 0 ? 2 : 1),
      );
      from = to;
      return inOrder(...blocks);
    });
    this.conv5 = inOrder(...step(widths[2], widths[3]));
    this.fc = linear(widths[3], this.classes);
  }

  protected setHead(classes: number): void {
    this.fc = linear(Number(this.fc.weight.shape[1]), classes);
  }

  protected logits(x: Tensor): Tensor {
    const stem = this.conv1.forward(x);
    const blocks = [this.stage2, this.stage3, this.stage4, this.conv5];
    const top = blocks.reduce((y, block) => block.forward(y), this.maxpool?.forward(stem) ?? stem);
    return this.fc.forward(top.mean([2, 3]));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: ShuffleNetOptions<K, C>,
) => ShuffleNetV2<K, C>;

/** 1.4 million parameters with 1000 classes. torchvision: shufflenet_v2_x0_5. */
export const shufflenetV2Half: Net = (options) => new ShuffleNetV2([48, 96, 192, 1024], options);
/** 2.3 million parameters with 1000 classes. torchvision: shufflenet_v2_x1_0. */
export const shufflenetV2: Net = (options) => new ShuffleNetV2([116, 232, 464, 1024], options);
