// VGG (Simonyan and Zisserman 2015): columns A to E of the paper's table, each plain, with batch normalisation, or with local response
// normalisation. torchvision has A, B, D and E as vgg11, vgg13, vgg16 and vgg19; C, with its 1×1 convolutions, is the paper's.

import { AdaptiveAvgPool2d, Dropout, LocalResponseNorm, ReLU } from '../../nn/index.js';
import { type OptionNames, checkChoice, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  conv,
  inOrder,
  linear,
  startConvolutions,
  startLinear,
  withHead,
  maxPool,
  batchNorm,
} from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface VggOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Behind convolutions: batch normalisation, or ('response') local response normalisation behind the first one. Default none. */
  readonly norm?: 'batch' | 'response';
  /** Behind both hidden linear layers. Default 0.5. */
  readonly dropout?: number;
  /** For 32×32: the mean of what five poolings leave, and not of 7×7. Default false. */
  readonly smallImages?: boolean;
}

const VGG_OPTIONS: OptionNames<VggOptions> = { ...IMAGE_OPTIONS, norm: true, dropout: true, smallImages: true };

/** Channels of 3×3 convolutions, block by block; 1×1 where negative. A pooling ends each block. */
const COLUMNS = {
  A: [[64], [128], [256, 256], [512, 512], [512, 512]],
  B: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  C: [
    [64, 64],
    [128, 128],
    [256, 256, -256],
    [512, 512, -512],
    [512, 512, -512],
  ],
  D: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  E: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const;

/** A column of table 1 in the paper. */
export type VggColumn = keyof typeof COLUMNS;

/** Images [N, inChannels, H, W] of at least 32×32 → logits [N, classes]. torchvision: VGG. */
export class VGG<K extends number = number, C extends number = number> extends ImageClassifier<'VGG', K, C> {
  readonly features: Block;
  readonly avgpool: Block;
  classifier: Chain;

  constructor(column: VggColumn, options: VggOptions<K, C> = {}) {
    checkChoice(new.target.name, 'the column', column, ['A', 'B', 'C', 'D', 'E']);
    checkOptions(new.target.name, options, VGG_OPTIONS);
    super(options);
    const { norm, dropout = 0.5, smallImages = false } = options;
    if (norm !== undefined) checkChoice('VGG', 'norm', norm, ['batch', 'response']);
    checkDropout('VGG', dropout);
    const side = smallImages ? 1 : 7;
    this.features = features(COLUMNS[column], this.inChannels, norm);
    this.avgpool = new AdaptiveAvgPool2d<number>(side);
    this.classifier = inOrder(
      linear(512 * side * side, 4096),
      new ReLU(),
      new Dropout(dropout),
      linear(4096, 4096),
      new ReLU(),
      new Dropout(dropout),
      linear(4096, this.classes),
    );
    startConvolutions(this);
    startLinear(this);
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.avgpool.forward(this.features.forward(x)).flatten(1));
  }
}

function features(column: readonly (readonly number[])[], inChannels: number, norm: VggOptions['norm']): Block {
  const blocks: Block[] = [];
  let from = inChannels;
  for (const stage of column) {
    for (const channels of stage) {
      const to = Math.abs(channels);
      blocks.push(channels < 0 ? conv(from, to, 1) : conv(from, to, 3, { padding: 1 }));
      if (norm === 'batch') blocks.push(batchNorm(to));
      blocks.push(new ReLU());
      // column A-LRN; α as the first AlexNet has it
      if (norm === 'response' && blocks.length === 2) blocks.push(new LocalResponseNorm(5, { alpha: 5e-4, k: 2 }));
      from = to;
    }
    blocks.push(maxPool(2));
  }
  return inOrder(...blocks);
}

type Vgg = <const K extends number = 1000, const C extends number = 3>(options?: VggOptions<K, C>) => VGG<K, C>;

/** Column A: 132.9 million parameters with 1000 classes; with `norm: 'batch'` torchvision's vgg11_bn. torchvision: vgg11. */
export const vgg11: Vgg = (options) => new VGG('A', options);
/** Column B: 133.0 million parameters with 1000 classes. torchvision: vgg13. */
export const vgg13: Vgg = (options) => new VGG('B', options);
/** Column C: 16 layers, three of them 1×1 convolutions; 133.6 million parameters with 1000 classes (Simonyan and Zisserman 2015). */
export const vgg16c: Vgg = (options) => new VGG('C', options);
/** Column D: 138.4 million parameters with 1000 classes. torchvision: vgg16. */
export const vgg16: Vgg = (options) => new VGG('D', options);
/** Column E: 143.7 million parameters with 1000 classes. torchvision: vgg19. */
export const vgg19: Vgg = (options) => new VGG('E', options);
