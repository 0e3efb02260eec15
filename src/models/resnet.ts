// Residual networks of basic blocks (He et al. 2015): ResNet-18 and ResNet-34, with ImageNet's stem or, for small images, a
// 3×3 convolution without pooling. Parameter names and initial values are torchvision's.

import { type OptionNames, checkOptions } from '../tensor/library.js';
import { BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, Sequential, init } from '../nn/index.js';
import type { Tensor } from '../tensor/tensor.js';

export interface ResNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** Stem for small images (32×32): one 3×3 convolution, no pooling. Default false. */
  readonly smallImages?: boolean;
}

const RES_NET_OPTIONS: OptionNames<ResNetOptions> = { classes: true, smallImages: true };

type Image = Tensor<[number, number, number, number]>;

/** Convolution 3×3 and 3×3 with a shortcut, which is a 1×1 convolution where the shape changes. */
class BasicBlock extends Module {
  readonly conv1;
  readonly bn1;
  readonly conv2;
  readonly bn2;
  readonly downsample: (Module & { forward(x: Image): Image }) | undefined;

  constructor(from: number, to: number, stride: number) {
    super();
    this.conv1 = new Conv2d(from, to, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(to);
    this.conv2 = new Conv2d(to, to, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(to);
    this.downsample =
      stride === 1 && from === to
        ? undefined
        : new Sequential(new Conv2d(from, to, 1, { stride, bias: false }), new BatchNorm2d(to));
  }

  forward(x: Image): Image {
    const y = this.bn1.forward(this.conv1.forward(x)).relu();
    const z = this.bn2.forward(this.conv2.forward(y));
    const shortcut = this.downsample === undefined ? x : this.downsample.forward(x);
    return z.add(shortcut).relu();
  }
}

function layer(from: number, to: number, blocks: number, stride: number): readonly BasicBlock[] {
  return Array.from({ length: blocks }, (_, i) => new BasicBlock(i === 0 ? from : to, to, i === 0 ? stride : 1));
}

/** Images [N, 3, H, W] → logits [N, classes]. torchvision: ResNet with BasicBlock. */
export class ResNet extends Module {
  readonly conv1;
  readonly bn1;
  readonly maxpool: (Module & { forward(x: Image): Image }) | undefined;
  readonly layer1: readonly BasicBlock[];
  readonly layer2: readonly BasicBlock[];
  readonly layer3: readonly BasicBlock[];
  readonly layer4: readonly BasicBlock[];
  readonly fc;

  /** `blocks`: basic blocks in each of the four stages. */
  constructor(blocks: readonly [number, number, number, number], options: ResNetOptions = {}) {
    checkOptions(new.target.name, options, RES_NET_OPTIONS);
    super();
    const { classes = 1000, smallImages = false } = options;
    this.conv1 = smallImages
      ? new Conv2d(3, 64, 3, { padding: 1, bias: false })
      : new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new BatchNorm2d(64);
    this.maxpool = smallImages ? undefined : new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = layer(64, 64, blocks[0], 1);
    this.layer2 = layer(64, 128, blocks[1], 2);
    this.layer3 = layer(128, 256, blocks[2], 2);
    this.layer4 = layer(256, 512, blocks[3], 2);
    this.fc = new Linear(512, classes);
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    });
  }

  forward(x: Tensor): Tensor<[number, number]> {
    let y: Image = this.bn1.forward(this.conv1.forward(x)).relu();
    if (this.maxpool !== undefined) y = this.maxpool.forward(y);
    for (const block of [this.layer1, this.layer2, this.layer3, this.layer4].flat()) y = block.forward(y);
    return this.fc.forward(y.mean([2, 3]));
  }
}

/** 11.7 million parameters with 1000 classes. torchvision: resnet18. */
export function resnet18(options?: ResNetOptions): ResNet {
  return new ResNet([2, 2, 2, 2], options);
}

/** 21.8 million parameters with 1000 classes. torchvision: resnet34. */
export function resnet34(options?: ResNetOptions): ResNet {
  return new ResNet([3, 4, 6, 3], options);
}
