// The inception block as it is taught: 1×1, 3×3, 5×5 and a pooling side by side, joined along the channels; naive, where the pooling
// hands on all channels, or reduced by 1×1 convolutions in front of the large kernels (Szegedy et al. 2015, figure 2).

import { Module, ReLU } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkNeededOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, conv, inOrder, maxPool } from './blocks.js';
import { checkImages } from './image-model.js';

export interface InceptionBlockOptions {
  /** Channels that the branches give. */
  readonly one: number;
  readonly three: number;
  readonly five: number;
  /** Channels behind the 1×1 convolutions in front of 3×3 and 5×5; with them and `pool` the block is the reduced one. */
  readonly reduceThree?: number;
  readonly reduceFive?: number;
  /** Channels behind the 1×1 convolution of the pooling branch; without it, the pooling hands on all of the input's. */
  readonly pool?: number;
}

const INCEPTION_BLOCK_OPTIONS: OptionNames<InceptionBlockOptions> = {
  one: true,
  three: true,
  five: true,
  reduceThree: true,
  reduceFive: true,
  pool: true,
};

/**
 * x [N, inChannels, H, W] → [N, one + three + five + (pool or inChannels), H, W]; each convolution is followed by ReLU.
 *
 *     new InceptionBlock(192, { one: 64, three: 128, five: 32 });                                                 // naive
 *     new InceptionBlock(192, { one: 64, reduceThree: 96, three: 128, reduceFive: 16, five: 32, pool: 32 });      // reduced
 */
export class InceptionBlock extends Module {
  readonly branch1: Block;
  readonly branch3: Block;
  readonly branch5: Block;
  readonly branchPool: Block;
  readonly inChannels: number;
  readonly outChannels: number;

  constructor(inChannels: number, options: InceptionBlockOptions) {
    checkNeededOptions(new.target.name, options, INCEPTION_BLOCK_OPTIONS, '{ one: 64, three: 128, five: 32 }');
    super();
    const { one, three, five, reduceThree, reduceFive, pool } = options;
    checkCount(inChannels, 1, 'InceptionBlock: inChannels');
    for (const [name, value] of Object.entries({ one, three, five })) checkCount(value, 1, `InceptionBlock: ${name}`);
    for (const [name, value] of Object.entries({ reduceThree, reduceFive, pool }))
      if (value !== undefined) checkCount(value, 1, `InceptionBlock: ${name}`);
    const step = (from: number, to: number, kernel: number): Block[] => [
      conv(from, to, kernel, { padding: (kernel - 1) / 2 }),
      new ReLU(),
    ];
    const reduced = (middle: number | undefined, to: number, kernel: number): Block =>
      middle === undefined
        ? inOrder(...step(inChannels, to, kernel))
        : inOrder(...step(inChannels, middle, 1), ...step(middle, to, kernel));
    this.branch1 = inOrder(...step(inChannels, one, 1));
    this.branch3 = reduced(reduceThree, three, 3);
    this.branch5 = reduced(reduceFive, five, 5);
    const maxima = maxPool(3, { stride: 1, padding: 1 });
    this.branchPool = inOrder(maxima, ...(pool === undefined ? [] : step(inChannels, pool, 1)));
    this.inChannels = inChannels;
    this.outChannels = one + three + five + (pool ?? inChannels);
  }

  forward(x: Tensor): Tensor<[number, number, number, number]> {
    checkImages('InceptionBlock', x, this.inChannels);
    const branches = [this.branch1, this.branch3, this.branch5, this.branchPool];
    return cat(
      branches.map((branch) => branch.forward(x)),
      1,
    );
  }
}
