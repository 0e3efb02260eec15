// Fully convolutional networks as Long, Shelhamer and Darrell 2015 have them: convolutions and poolings, scores of each class on the last map,
// enlarged by transposed convolutions that begin as bilinear interpolation; each skip adds the scores of an earlier map at twice the size. With
// five stages: 0 skips are FCN-32s, 1 FCN-16s, 2 FCN-8s. (torchvision's FCN, on a dilated ResNet, is fcn.ts.)

import { ConvTranspose2d, Dropout2d, ReLU, init } from '../../nn/index.js';
import { checkProbability } from '../../tensor/dropout.js';
import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkOptions,
  checkWhole,
  formatShape,
} from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Conv, batchNorm, conv, inOrder, maxPool, plainConv, startConvolutions } from './blocks.js';
import { SEGMENTATION_OPTIONS, type SegmentationOptions, Segmenter, checkStages } from './segmentation.js';

export interface SkipFcnOptions<K extends number = number, C extends number = number> extends SegmentationOptions<
  K,
  C
> {
  /** Channels of the convolutions in front of each pooling. Default [[16, 16], [32, 32], [64, 64], [128, 128], [128, 128]]. */
  readonly stages?: readonly (readonly number[])[];
  /** From how many earlier maps scores are added, each of twice the size. Default 2: FCN-8s, with five stages. */
  readonly skips?: number;
  /** On the last map, in training: whole channels. Default 0.1. */
  readonly dropout?: number;
}

const SKIP_FCN_OPTIONS: OptionNames<SkipFcnOptions> = {
  ...SEGMENTATION_OPTIONS,
  stages: true,
  skips: true,
  dropout: true,
};

const SMALL = [
  [16, 16],
  [32, 32],
  [64, 64],
  [128, 128],
  [128, 128],
];

/** [classes, classes, 2 · factor, 2 · factor]: the kernels of bilinear interpolation, a class from itself alone. */
function bilinear(classes: number, factor: number): Tensor {
  const side = 2 * factor;
  const near = Array.from({ length: side }, (_, i) => 1 - Math.abs(i + 0.5 - factor) / factor);
  const kernels = new Float32Array(classes * classes * side * side);
  for (let k = 0; k < classes; k++) {
    for (let i = 0; i < side * side; i++)
      kernels[(k * classes + k) * side * side + i] = near[Math.floor(i / side)] * near[i % side];
  }
  return tensor(kernels, { shape: [classes, classes, side, side] });
}

/** Scores [N, K, h, w] → [N, K, factor · h, factor · w]. */
function enlargement(classes: number, factor: number): Block {
  const options = { stride: factor, padding: factor / 2, bias: false } as const;
  const up = new ConvTranspose2d<number, number, number, typeof options>(classes, classes, 2 * factor, options);
  up.weight.assign_(bilinear(classes, factor));
  return up;
}

/**
 * Images [N, inChannels, H, W] → logits [N, classes, H, W]; height and width have to be multiples of 2^stages. Keys: `stages.0.0.weight`,
 * `head.0.weight`, `score.weight`, `skipScores.0.weight`, `enlarge.0.weight`.
 */
export class SkipFCN<K extends number = number, C extends number = number> extends Segmenter<
  'SkipFCN',
  K,
  C,
  'pixels'
> {
  readonly stages: readonly Block[];
  readonly head: Block;
  readonly score: Conv;
  /** From the last pooled map but one to earlier ones. */
  readonly skipScores: readonly Conv[];
  /** By 2 for each skip, and the last to the size of the images. */
  readonly enlarge: readonly Block[];
  private readonly pool: Block;

  constructor(options: SkipFcnOptions<K, C> = {}) {
    checkOptions(new.target.name, options, SKIP_FCN_OPTIONS);
    super(options);
    const { skips = 2, dropout = 0.1 } = options;
    const stages: readonly (readonly number[])[] = options.stages ?? SMALL;
    checkStages('SkipFCN', stages);
    checkWhole('SkipFCN', 'skips', skips);
    if (skips >= stages.length)
      throw new ArgumentError(`SkipFCN: skips is ${skips}, and there are ${stages.length} stages. Use fewer.`);
    checkProbability(dropout, 'SkipFCN: dropout');
    const widths = stages.map((stage) => stage[stage.length - 1]);
    const last = widths[widths.length - 1];
    this.stages = stages.map((stage, i) => {
      const from = [i === 0 ? this.inChannels : widths[i - 1], ...stage];
      return inOrder(
        ...stage.flatMap((to, j) => [plainConv(from[j], to, 3, { padding: 1 }), batchNorm(to), new ReLU()]),
      );
    });
    this.head = inOrder(
      plainConv(last, 2 * last, 3, { padding: 1 }),
      batchNorm(2 * last),
      new ReLU(),
      new Dropout2d(dropout),
    );
    this.score = conv(2 * last, this.classes, 1);
    const skipped = widths.slice(0, -1).reverse().slice(0, skips);
    this.skipScores = skipped.map((width) => conv(width, this.classes, 1));
    this.pool = maxPool(2);
    startConvolutions(this);
    for (const skip of this.skipScores) init.zeros_(skip.weight); // what is coarse is learned first
    this.enlarge = [...skipped.map(() => 2), 2 ** (stages.length - skips)].map((factor) =>
      enlargement(this.classes, factor),
    );
  }

  protected segment(x: Tensor): Tensor {
    const factor = 2 ** this.stages.length;
    if (x.shape[2] % factor !== 0 || x.shape[3] % factor !== 0)
      throw new ShapeError(
        `SkipFCN: input ${formatShape(x.shape)}: height and width are not multiples of ${factor}. Pad or resize the images`,
        [x.shape],
      );
    const pooled: Tensor[] = [];
    let y = x;
    for (const stage of this.stages) {
      y = this.pool.forward(stage.forward(y));
      pooled.push(y);
    }
    let scores = this.score.forward(this.head.forward(y));
    for (const [i, skip] of this.skipScores.entries())
      scores = this.enlarge[i].forward(scores).add(skip.forward(pooled[pooled.length - 2 - i]));
    return this.enlarge[this.enlarge.length - 1].forward(scores);
  }
}

/** Images [N, 3, H, W] → logits [N, 21, H, W]; 0.9 million parameters on five small stages (Long et al. 2015). */
export function skipFcn<const K extends number = 21, const C extends number = 3>(
  options?: SkipFcnOptions<K, C>,
): SkipFCN<K, C> {
  return new SkipFCN(options);
}
