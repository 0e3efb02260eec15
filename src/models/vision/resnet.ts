// Residual networks (He et al. 2016): of basic blocks and of bottlenecks, ResNeXt (Xie et al. 2017), Wide-ResNet (Zagoruyko and
// Komodakis 2016), and the plain nets of the paper, which lack the shortcuts. ImageNet's stem or, for small images, a 3×3 convolution
// without pooling. Parameter names and initial values are torchvision's.

import { type BatchNorm2d, Linear, Module, init } from '../../nn/index.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Conv, inOrder, plainConv, startConvolutions, maxPool, batchNorm } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions } from './image-model.js';

export interface ResNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Stem for small images (32×32): one 3×3 convolution, no pooling. Default false. */
  readonly smallImages?: boolean;
  /** The last normalisation of each block starts at 0, so that blocks start as identities. Default false. */
  readonly zeroInitResidual?: boolean;
}

const RES_NET_OPTIONS: OptionNames<ResNetOptions> = { ...IMAGE_OPTIONS, smallImages: true, zeroInitResidual: true };

/** What kind of blocks a network is made of. */
export interface ResNetBlocks {
  /** Two 3×3 convolutions, or 1×1, 3×3 and 1×1. Default 'basic'. */
  readonly kind?: 'basic' | 'bottleneck';
  /** Groups of the 3×3 convolution of a bottleneck. Default 1. */
  readonly groups?: number;
  /** Channels of each of them in the first stage. Default 64. */
  readonly widthPerGroup?: number;
  /** Without shortcuts: a plain net. Default false. */
  readonly isPlain?: boolean;
  /** Stages 2 to 4 keep the size and dilate instead, as segmentation wants it. Default [false, false, false]. */
  readonly dilate?: readonly [boolean, boolean, boolean];
}

interface Shape {
  readonly from: number;
  readonly width: number;
  readonly stride: number;
  readonly dilation: number;
}

/** A 1×1 convolution where a block changes the shape. */
function shortcut(from: number, to: number, stride: number, { isPlain = false }: ResNetBlocks): Block | undefined {
  if (isPlain || (stride === 1 && from === to)) return undefined;
  return inOrder(plainConv(from, to, 1, { stride }), batchNorm(to));
}

abstract class ResNetBlock extends Module {
  abstract readonly downsample: Block | undefined;
  protected readonly isPlain: boolean;

  constructor({ isPlain = false }: ResNetBlocks) {
    super();
    this.isPlain = isPlain;
  }

  forward(x: Tensor): Tensor {
    const y = this.body(x);
    return (this.isPlain ? y : y.add(this.downsample?.forward(x) ?? x)).relu();
  }

  protected abstract body(x: Tensor): Tensor;
  abstract readonly lastNorm: BatchNorm2d<number>;
}

/** 3×3 and 3×3. */
class BasicBlock extends ResNetBlock {
  readonly conv1: Conv;
  readonly bn1: Block;
  readonly conv2: Conv;
  readonly bn2: BatchNorm2d<number>;
  readonly downsample: Block | undefined;

  constructor({ from, width, stride }: Shape, blocks: ResNetBlocks) {
    super(blocks);
    this.conv1 = plainConv(from, width, 3, { stride, padding: 1 });
    this.bn1 = batchNorm(width);
    this.conv2 = plainConv(width, width, 3, { padding: 1 });
    this.bn2 = batchNorm(width);
    this.downsample = shortcut(from, width, stride, blocks);
  }

  get lastNorm(): BatchNorm2d<number> {
    return this.bn2;
  }

  protected body(x: Tensor): Tensor {
    const y: Tensor = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2.forward(this.conv2.forward(y));
  }
}

/** 1×1 to fewer channels, 3×3 (with the stride, as torchvision), 1×1 to four times as many as the stage's width. */
class Bottleneck extends ResNetBlock {
  readonly conv1: Conv;
  readonly bn1: Block;
  readonly conv2: Conv;
  readonly bn2: Block;
  readonly conv3: Conv;
  readonly bn3: BatchNorm2d<number>;
  readonly downsample: Block | undefined;

  constructor({ from, width, stride, dilation }: Shape, blocks: ResNetBlocks) {
    super(blocks);
    const { groups = 1, widthPerGroup = 64 } = blocks;
    const inner = Math.floor((width * widthPerGroup) / 64) * groups;
    this.conv1 = plainConv(from, inner, 1);
    this.bn1 = batchNorm(inner);
    this.conv2 = plainConv(inner, inner, 3, { stride, padding: dilation, dilation, groups });
    this.bn2 = batchNorm(inner);
    this.conv3 = plainConv(inner, width * 4, 1);
    this.bn3 = batchNorm(width * 4);
    this.downsample = shortcut(from, width * 4, stride, blocks);
  }

  get lastNorm(): BatchNorm2d<number> {
    return this.bn3;
  }

  protected body(x: Tensor): Tensor {
    const y: Tensor = this.bn1.forward(this.conv1.forward(x)).relu();
    const z: Tensor = this.bn2.forward(this.conv2.forward(y)).relu();
    return this.bn3.forward(this.conv3.forward(z));
  }
}

/** Everything below the classifier. torchvision: what IntermediateLayerGetter leaves of a ResNet. */
export class ResNetBody extends Module {
  readonly conv1: Conv;
  readonly bn1: Block;
  readonly maxpool: Block | undefined;
  readonly layer1: readonly ResNetBlock[];
  readonly layer2: readonly ResNetBlock[];
  readonly layer3: readonly ResNetBlock[];
  readonly layer4: readonly ResNetBlock[];
  /** Channels that each stage gives. */
  readonly channels: readonly number[];

  /** `counts`: blocks in each of the four stages. */
  constructor(counts: readonly [number, number, number, number], options: ResNetOptions, blocks: ResNetBlocks) {
    super();
    const { inChannels = 3, smallImages = false } = options;
    const isBasic = (blocks.kind ?? 'basic') === 'basic';
    const factor = isBasic ? 1 : 4;
    this.conv1 = smallImages
      ? plainConv(inChannels, 64, 3, { padding: 1 })
      : plainConv(inChannels, 64, 7, { stride: 2, padding: 3 });
    this.bn1 = batchNorm(64);
    this.maxpool = smallImages ? undefined : maxPool(3, { stride: 2, padding: 1 });
    let from = 64;
    let dilation = 1;
    const dilate = [false, ...(blocks.dilate ?? [])];
    const stages = counts.map((count, i) => {
      const before = dilation;
      if (dilate[i]) dilation *= 2;
      const stride = i === 0 || dilate[i] ? 1 : 2;
      const width = 64 * 2 ** i;
      return Array.from({ length: count }, (_, j) => {
        const shape = { from, width, stride: j === 0 ? stride : 1, dilation: j === 0 ? before : dilation };
        from = width * factor;
        return isBasic ? new BasicBlock(shape, blocks) : new Bottleneck(shape, blocks);
      });
    });
    [this.layer1, this.layer2, this.layer3, this.layer4] = stages;
    this.channels = counts.map((_, i) => 64 * 2 ** i * factor);
    startConvolutions(this);
    if (options.zeroInitResidual === true) {
      for (const block of stages.flat()) if (block.lastNorm.weight !== undefined) init.zeros_(block.lastNorm.weight);
    }
  }

  /** What each of the four stages gives. */
  maps(x: Tensor): Tensor[] {
    let y: Tensor = this.bn1.forward(this.conv1.forward(x)).relu();
    if (this.maxpool !== undefined) y = this.maxpool.forward(y);
    return [this.layer1, this.layer2, this.layer3, this.layer4].map((stage) => {
      for (const block of stage) y = block.forward(y);
      return y;
    });
  }

  forward(x: Tensor): Tensor {
    return this.maps(x)[3];
  }
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: ResNet. */
export class ResNet<K extends number = number, C extends number = number> extends ImageClassifier<'ResNet', K, C> {
  /** All but the classifier; its keys stand beside the classifier's, as torchvision's do. */
  readonly body: ResNetBody;
  fc: Linear<number, number>;

  /** `counts`: blocks in each of the four stages. */
  constructor(
    counts: readonly [number, number, number, number],
    options: ResNetOptions<K, C> = {},
    blocks: ResNetBlocks = {},
  ) {
    checkOptions(new.target.name, options, RES_NET_OPTIONS);
    super(options);
    this.body = new ResNetBody(counts, options, blocks);
    this.fc = new Linear<number, number>(this.body.channels[3], this.classes);
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return [...this.body.fields(), ['fc', this.fc]];
  }

  protected setHead(classes: number): void {
    this.fc = new Linear<number, number>(this.body.channels[3], classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.fc.forward(this.body.maps(x)[3].mean([2, 3]));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(options?: ResNetOptions<K, C>) => ResNet<K, C>;

const BOTTLENECK = { kind: 'bottleneck' } as const;

/** 11.7 million parameters with 1000 classes. torchvision: resnet18. */
export const resnet18: Net = (options) => new ResNet([2, 2, 2, 2], options);
/** 21.8 million parameters with 1000 classes. torchvision: resnet34. */
export const resnet34: Net = (options) => new ResNet([3, 4, 6, 3], options);
/** 25.6 million parameters with 1000 classes. torchvision: resnet50. */
export const resnet50: Net = (options) => new ResNet([3, 4, 6, 3], options, BOTTLENECK);
/** 44.5 million parameters with 1000 classes. torchvision: resnet101. */
export const resnet101: Net = (options) => new ResNet([3, 4, 23, 3], options, BOTTLENECK);
/** 60.2 million parameters with 1000 classes. torchvision: resnet152. */
export const resnet152: Net = (options) => new ResNet([3, 8, 36, 3], options, BOTTLENECK);
/** 25.0 million parameters with 1000 classes; 32 groups of 4 channels. torchvision: resnext50_32x4d. */
export const resnext50: Net = (options) =>
  new ResNet([3, 4, 6, 3], options, { ...BOTTLENECK, groups: 32, widthPerGroup: 4 });
/** 68.9 million parameters with 1000 classes; twice the width inside blocks. torchvision: wide_resnet50_2. */
export const wideResnet50: Net = (options) => new ResNet([3, 4, 6, 3], options, { ...BOTTLENECK, widthPerGroup: 128 });
/** ResNet-18 without shortcuts (He et al. 2016, section 4.1). */
export const plain18: Net = (options) => new ResNet([2, 2, 2, 2], options, { isPlain: true });
/** ResNet-34 without shortcuts, for what depth alone does (He et al. 2016, section 4.1). */
export const plain34: Net = (options) => new ResNet([3, 4, 6, 3], options, { isPlain: true });
