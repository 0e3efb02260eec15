// MobileNet-v3 (Howard et al. 2019): the inverted residuals of v2, some with squeeze-and-excitation, and hard swish. Keys, numerics and
// initial values are torchvision's.

import { Dropout, Hardswish, Module, ReLU } from '../../nn/index.js';
import { type OptionNames, checkChoice, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  SqueezeExcitation,
  convNorm,
  inOrder,
  linear,
  roundChannels,
  startConvolutions,
  startLinear,
  withHead,
} from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface MobileNetV3Options<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of the last layer. Default 0.2. */
  readonly dropout?: number;
  /** For 32×32: the first convolution and the first halving keep the size. Default false. */
  readonly smallImages?: boolean;
}

const MOBILE_NET_V3_OPTIONS: OptionNames<MobileNetV3Options> = { ...IMAGE_OPTIONS, dropout: true, smallImages: true };

type Row = readonly [kernel: number, inner: number, to: number, squeeze: 0 | 1, hardswish: 0 | 1, stride: 1 | 2];

/** Tables 1 and 2 of the paper. */
const ROWS: Readonly<Record<'small' | 'large', readonly Row[]>> = {
  large: [
    [3, 16, 16, 0, 0, 1],
    [3, 64, 24, 0, 0, 2],
    [3, 72, 24, 0, 0, 1],
    [5, 72, 40, 1, 0, 2],
    [5, 120, 40, 1, 0, 1],
    [5, 120, 40, 1, 0, 1],
    [3, 240, 80, 0, 1, 2],
    [3, 200, 80, 0, 1, 1],
    [3, 184, 80, 0, 1, 1],
    [3, 184, 80, 0, 1, 1],
    [3, 480, 112, 1, 1, 1],
    [3, 672, 112, 1, 1, 1],
    [5, 672, 160, 1, 1, 2],
    [5, 960, 160, 1, 1, 1],
    [5, 960, 160, 1, 1, 1],
  ],
  small: [
    [3, 16, 16, 1, 0, 2],
    [3, 72, 24, 0, 0, 2],
    [3, 88, 24, 0, 0, 1],
    [5, 96, 40, 1, 1, 2],
    [5, 240, 40, 1, 1, 1],
    [5, 240, 40, 1, 1, 1],
    [5, 120, 48, 1, 1, 1],
    [5, 144, 48, 1, 1, 1],
    [5, 288, 96, 1, 1, 2],
    [5, 576, 96, 1, 1, 1],
    [5, 576, 96, 1, 1, 1],
  ],
};
/** Channels in front of the last layer. */
const WIDTHS = { large: 1280, small: 1024 } as const;
/** From here on segmentation dilates. */
const DILATED = { large: 12, small: 8 } as const;

const norm = { eps: 0.001, momentum: 0.01 };
const hardswish = (): Block => new Hardswish();

class MobileNetV3Block extends Module {
  readonly block: Block;
  private readonly isResidual: boolean;

  constructor(from: number, [kernel, inner, to, squeeze, isHard, stride]: Row, dilation: number) {
    super();
    const activation = isHard === 1 ? hardswish : () => new ReLU();
    const options = { stride: dilation > 1 ? 1 : stride, dilation, groups: inner, activation, norm };
    const weights =
      squeeze === 1
        ? [new SqueezeExcitation(inner, roundChannels(Math.floor(inner / 4)), { scale: 'hardsigmoid' })]
        : [];
    this.block = inOrder(
      ...(inner === from ? [] : [convNorm(from, inner, 1, { activation, norm })]),
      convNorm(inner, inner, kernel, options),
      ...weights,
      convNorm(inner, to, 1, { activation: null, norm }),
    );
    this.isResidual = stride === 1 && from === to;
  }

  forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    return this.isResidual ? y.add(x) : y;
  }
}

/** The convolutions of a MobileNet-v3; `isDilated` keeps the size of the last stage, as segmentation wants it. */
export function mobilenetV3Features(
  size: 'small' | 'large',
  inChannels: number,
  { isDilated = false, smallImages = false } = {},
): Chain {
  let from = 16;
  const first = convNorm(inChannels, from, 3, { stride: smallImages ? 1 : 2, activation: hardswish, norm });
  const halving = ROWS[size].findIndex((row) => row[5] === 2);
  const blocks = ROWS[size].map((row, i) => {
    const dilation = isDilated && i >= DILATED[size] ? 2 : 1;
    const [kernel, inner, to, squeeze, isHard] = row;
    const shape: Row = smallImages && i === halving ? [kernel, inner, to, squeeze, isHard, 1] : row;
    const block = new MobileNetV3Block(from, shape, dilation);
    from = to;
    return block;
  });
  return inOrder(first, ...blocks, convNorm(from, 6 * from, 1, { activation: hardswish, norm }));
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: MobileNetV3. */
export class MobileNetV3<K extends number = number, C extends number = number> extends ImageClassifier<
  'MobileNetV3',
  K,
  C
> {
  readonly features: Chain;
  classifier: Chain;

  constructor(size: 'small' | 'large', options: MobileNetV3Options<K, C> = {}) {
    checkChoice(new.target.name, 'the size', size, ['small', 'large']);
    checkOptions(new.target.name, options, MOBILE_NET_V3_OPTIONS);
    super(options);
    const { dropout = 0.2, smallImages = false } = options;
    checkDropout('MobileNetV3', dropout);
    const width = WIDTHS[size];
    const top = size === 'large' ? 960 : 576;
    this.features = mobilenetV3Features(size, this.inChannels, { smallImages });
    this.classifier = inOrder(linear(top, width), new Hardswish(), new Dropout(dropout), linear(width, this.classes));
    startConvolutions(this);
    startLinear(this);
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3]));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: MobileNetV3Options<K, C>,
) => MobileNetV3<K, C>;

/** 2.5 million parameters with 1000 classes. torchvision: mobilenet_v3_small. */
export const mobilenetV3Small: Net = (options) => new MobileNetV3('small', options);
/** 5.5 million parameters with 1000 classes. torchvision: mobilenet_v3_large. */
export const mobilenetV3Large: Net = (options) => new MobileNetV3('large', options);
