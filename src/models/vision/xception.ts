// Xception (Chollet 2017): 36 convolutions in residual blocks, nearly all of them depthwise separable. Keys and initial values are timm's
// (legacy_xception).

import { Dropout, type Linear, Module, ReLU } from '../../nn/index.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Conv, inOrder, linear, plainConv, startConvolutions, maxPool, batchNorm } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface XceptionOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of the last layer. Default 0. */
  readonly dropout?: number;
}

const XCEPTION_OPTIONS: OptionNames<XceptionOptions> = { ...IMAGE_OPTIONS, dropout: true };

/** 3×3 on each channel, then 1×1. */
class SeparableConv extends Module {
  readonly conv1: Conv;
  readonly pointwise: Conv;

  constructor(from: number, to: number) {
    super();
    this.conv1 = plainConv(from, from, 3, { padding: 1, groups: from });
    this.pointwise = plainConv(from, to, 1);
  }

  forward(x: Tensor): Tensor {
    return this.pointwise.forward(this.conv1.forward(x));
  }
}

/** Channels of a block from its input to its output, and what surrounds its convolutions. */
interface Shape {
  readonly widths: readonly number[];
  readonly stride?: number;
  readonly startsWithReLU?: boolean;
}

class XceptionBlock extends Module {
  readonly skip: Conv | undefined;
  readonly skipbn: Block | undefined;
  readonly rep: Block;

  constructor({ widths, stride = 1, startsWithReLU = true }: Shape) {
    super();
    const [from, to] = [widths[0], widths[widths.length - 1]];
    if (from !== to || stride !== 1) {
      this.skip = plainConv(from, to, 1, { stride });
      this.skipbn = batchNorm(to);
    }
    const blocks = widths
      .slice(1)
      .flatMap((width, i) => [new ReLU(), new SeparableConv(widths[i], width), batchNorm(width)]);
    if (!startsWithReLU) blocks.shift();
    this.rep = inOrder(...blocks, ...(stride === 1 ? [] : [maxPool(3, { stride: 2, padding: 1 })]));
  }

  forward(x: Tensor): Tensor {
    const past = this.skip === undefined || this.skipbn === undefined ? x : this.skipbn.forward(this.skip.forward(x));
    return this.rep.forward(x).add(past);
  }
}

const BLOCKS: readonly Shape[] = [
  { widths: [64, 128, 128], stride: 2, startsWithReLU: false },
  { widths: [128, 256, 256], stride: 2 },
  { widths: [256, 728, 728], stride: 2 },
  ...Array.from({ length: 8 }, () => ({ widths: [728, 728, 728, 728] })),
  { widths: [728, 728, 1024], stride: 2 },
];

/** Images [N, inChannels, H, W], made for 299×299 → logits [N, classes]. timm: Xception. */
export class Xception<K extends number = number, C extends number = number> extends ImageClassifier<'Xception', K, C> {
  private readonly below: Readonly<Record<string, Block>>;
  private readonly blocks: readonly Block[];
  private readonly above: Readonly<Record<string, Block>>;
  readonly dropout: Dropout;
  fc: Linear<number, number>;

  constructor(options: XceptionOptions<K, C> = {}) {
    checkOptions(new.target.name, options, XCEPTION_OPTIONS);
    super(options);
    const { dropout = 0 } = options;
    checkDropout('Xception', dropout);
    this.below = {
      conv1: plainConv(this.inChannels, 32, 3, { stride: 2 }),
      bn1: batchNorm(32),
      act1: new ReLU(),
      conv2: plainConv(32, 64, 3),
      bn2: batchNorm(64),
      act2: new ReLU(),
    };
    this.blocks = BLOCKS.map((shape) => new XceptionBlock(shape));
    this.above = {
      conv3: new SeparableConv(1024, 1536),
      bn3: batchNorm(1536),
      act3: new ReLU(),
      conv4: new SeparableConv(1536, 2048),
      bn4: batchNorm(2048),
      act4: new ReLU(),
    };
    this.dropout = new Dropout(dropout);
    this.fc = linear(2048, this.classes);
    startConvolutions(this);
  }

  override fields(): Iterable<readonly [string, unknown]> {
    const blocks = this.blocks.map((block, i) => [`block${i + 1}`, block] as const);
    return [
      ...Object.entries(this.below),
      ...blocks,
      ...Object.entries(this.above),
      ['dropout', this.dropout],
      ['fc', this.fc],
    ];
  }

  protected setHead(classes: number): void {
    this.fc = linear(2048, classes);
  }

  protected logits(x: Tensor): Tensor {
    const all = [...Object.values(this.below), ...this.blocks, ...Object.values(this.above)];
    const top: Tensor = all.reduce((y, block) => block.forward(y), x).mean([2, 3]);
    return this.fc.forward(this.dropout.forward(top));
  }
}

/** 22.9 million parameters with 1000 classes. timm: legacy_xception. */
export function xception<const K extends number = 1000, const C extends number = 3>(
  options?: XceptionOptions<K, C>,
): Xception<K, C> {
  return new Xception(options);
}
