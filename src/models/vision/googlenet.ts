// GoogLeNet (Szegedy et al. 2015): inception blocks, and two auxiliary classifiers that bring gradients into the middle. Keys, numerics
// and initial values are torchvision's: batch normalisation behind each convolution, and 3×3 in the place of the paper's 5×5 kernels.

import { AdaptiveAvgPool2d, Dropout, type Linear, Module, type ConvOptions, init } from '../../nn/index.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { PerAxis } from '../../tensor/shape-types/window.js';
import type { Tensor } from '../../tensor/tensor.js';
import { AuxiliaryClassifier, type AuxiliaryOptions, AUXILIARY_OPTIONS } from './auxiliary.js';
import { type Block, type Conv, affineLayers, inOrder, linear, plainConv, maxPool, batchNorm } from './blocks.js';
import { checkDropout } from './image-model.js';

export interface GoogLeNetOptions<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends AuxiliaryOptions<K, C, A> {
  /** In front of the last layer. Default 0.2. */
  readonly dropout?: number;
  /** In front of the last layer of the auxiliary classifiers. Default 0.7. */
  readonly auxDropout?: number;
}

const GOOG_LE_NET_OPTIONS: OptionNames<GoogLeNetOptions> = { ...AUXILIARY_OPTIONS, dropout: true, auxDropout: true };

/** Convolution, batch normalisation, ReLU. torchvision: BasicConv2d. */
export class BasicConv extends Module {
  readonly conv: Conv;
  readonly bn: Block;

  constructor(from: number, to: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super();
    this.conv = plainConv(from, to, kernelSize, options);
    this.bn = batchNorm(to, { eps: 0.001 });
  }

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x)).relu();
  }
}

/** Channels of the four branches: 1×1; 1×1 in front of 3×3, 3×3; the same once more; 1×1 behind a pooling. */
type Widths = readonly [one: number, red3: number, three: number, red5: number, five: number, pool: number];

class Inception extends Module {
  readonly branch1: Block;
  readonly branch2: Block;
  readonly branch3: Block;
  readonly branch4: Block;

  constructor(from: number, [one, red3, three, red5, five, pool]: Widths) {
    super();
    this.branch1 = new BasicConv(from, one, 1);
    this.branch2 = inOrder(new BasicConv(from, red3, 1), new BasicConv(red3, three, 3, { padding: 1 }));
    this.branch3 = inOrder(new BasicConv(from, red5, 1), new BasicConv(red5, five, 3, { padding: 1 }));
    this.branch4 = inOrder(maxPool(3, { stride: 1, padding: 1 }), new BasicConv(from, pool, 1));
  }

  forward(x: Tensor): Tensor {
    return cat(
      [this.branch1, this.branch2, this.branch3, this.branch4].map((branch) => branch.forward(x)),
      1,
    );
  }
}

class GoogLeNetAuxiliary extends Module {
  readonly conv: BasicConv;
  readonly fc1: Linear<number, number>;
  readonly dropout: Dropout;
  readonly fc2: Linear<number, number>;

  constructor(from: number, classes: number, dropout: number) {
    super();
    this.conv = new BasicConv(from, 128, 1);
    this.fc1 = linear(128 * 4 * 4, 1024);
    this.dropout = new Dropout(dropout);
    this.fc2 = linear(1024, classes);
  }

  forward(x: Tensor): Tensor {
    const pooled: Tensor = new AdaptiveAvgPool2d(4).forward(x);
    const y: Tensor = this.fc1.forward(this.conv.forward(pooled).flatten(1)).relu();
    return this.fc2.forward(this.dropout.forward(y));
  }
}

const pool = (kernelSize: number): Block => maxPool(kernelSize, { stride: 2, ceilMode: true });

/**
 * Images [N, inChannels, H, W] of at least 15×15 → logits [N, classes]; in training, unless `auxLogits` is false, the list of logits,
 * those of the second and those of the first auxiliary classifier: see `auxiliaryCrossEntropy`. torchvision: GoogLeNet.
 */
export class GoogLeNet<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends AuxiliaryClassifier<'GoogLeNet', K, C, A, 2> {
  readonly conv1: Block;
  readonly maxpool1: Block;
  readonly conv2: Block;
  readonly conv3: Block;
  readonly maxpool2: Block;
  readonly inception3a: Block;
  readonly inception3b: Block;
  readonly maxpool3: Block;
  readonly inception4a: Block;
  readonly inception4b: Block;
  readonly inception4c: Block;
  readonly inception4d: Block;
  readonly inception4e: Block;
  readonly maxpool4: Block;
  readonly inception5a: Block;
  readonly inception5b: Block;
  readonly aux1: GoogLeNetAuxiliary | undefined;
  readonly aux2: GoogLeNetAuxiliary | undefined;
  readonly dropout: Dropout;
  readonly fc: Linear<number, number>;

  constructor(options: GoogLeNetOptions<K, C, A> = {}) {
    checkOptions(new.target.name, options, GOOG_LE_NET_OPTIONS);
    super(options);
    const { dropout = 0.2, auxDropout = 0.7 } = options;
    checkDropout('GoogLeNet', dropout);
    checkDropout('GoogLeNet', auxDropout, 'auxDropout');
    this.conv1 = new BasicConv(this.inChannels, 64, 7, { stride: 2, padding: 3 });
    this.maxpool1 = pool(3);
    this.conv2 = new BasicConv(64, 64, 1);
    this.conv3 = new BasicConv(64, 192, 3, { padding: 1 });
    this.maxpool2 = pool(3);
    this.inception3a = new Inception(192, [64, 96, 128, 16, 32, 32]);
    this.inception3b = new Inception(256, [128, 128, 192, 32, 96, 64]);
    this.maxpool3 = pool(3);
    this.inception4a = new Inception(480, [192, 96, 208, 16, 48, 64]);
    this.inception4b = new Inception(512, [160, 112, 224, 24, 64, 64]);
    this.inception4c = new Inception(512, [128, 128, 256, 24, 64, 64]);
    this.inception4d = new Inception(512, [112, 144, 288, 32, 64, 64]);
    this.inception4e = new Inception(528, [256, 160, 320, 32, 128, 128]);
    this.maxpool4 = pool(2);
    this.inception5a = new Inception(832, [256, 160, 320, 32, 128, 128]);
    this.inception5b = new Inception(832, [384, 192, 384, 48, 128, 128]);
    this.aux1 = this.hasAuxiliary ? new GoogLeNetAuxiliary(512, this.classes, auxDropout) : undefined;
    this.aux2 = this.hasAuxiliary ? new GoogLeNetAuxiliary(528, this.classes, auxDropout) : undefined;
    this.dropout = new Dropout(dropout);
    this.fc = linear(1024, this.classes);
    for (const { weight } of affineLayers(this)) init.truncNormal_(weight, 0, 0.01);
  }

  protected logits(x: Tensor, withAuxiliary: boolean): readonly Tensor[] {
    const through = (blocks: readonly Block[], from: Tensor): Tensor =>
      blocks.reduce((y, block) => block.forward(y), from);
    const stem = through([this.conv1, this.maxpool1, this.conv2, this.conv3, this.maxpool2], x);
    const a = through([this.inception3a, this.inception3b, this.maxpool3, this.inception4a], stem);
    const d = through([this.inception4b, this.inception4c, this.inception4d], a);
    const top = through([this.inception4e, this.maxpool4, this.inception5a, this.inception5b], d);
    const pooled: Tensor = top.mean([2, 3]);
    const logits: Tensor = this.fc.forward(this.dropout.forward(pooled));
    if (!withAuxiliary || this.aux1 === undefined || this.aux2 === undefined) return [logits];
    return [logits, this.aux2.forward(d), this.aux1.forward(a)];
  }
}

/** 13.0 million parameters with 1000 classes, 6.6 million without the auxiliary classifiers. torchvision: googlenet. */
export function googlenet<const K extends number = 1000, const C extends number = 3, const A extends boolean = true>(
  options?: GoogLeNetOptions<K, C, A>,
): GoogLeNet<K, C, A> {
  return new GoogLeNet(options);
}
