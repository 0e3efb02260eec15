// SegNet (Badrinarayanan et al. 2017): VGG-16's convolutions down (or fewer), the same backwards up; on the way up each element goes to where
// the pooling of that level has found it.

import { MaxPool2d, MaxUnpool2d, ReLU } from '../../nn/index.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, conv, inOrder, startConvolutions, batchNorm } from './blocks.js';
import { SEGMENTATION_OPTIONS, type SegmentationOptions, Segmenter, checkStages } from './segmentation.js';

export interface SegNetOptions<K extends number = number, C extends number = number> extends SegmentationOptions<K, C> {
  /** Channels of the convolutions in front of each pooling. Default: those of VGG-16, five stages. */
  readonly stages?: readonly (readonly number[])[];
}

const SEG_NET_OPTIONS: OptionNames<SegNetOptions> = { ...SEGMENTATION_OPTIONS, stages: true };

/** VGG's column D. */
const VGG_STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

const step = (from: number, to: number): Block[] => [conv(from, to, 3, { padding: 1 }), batchNorm(to), new ReLU()];

/** Convolutions with these channels from the first to the last. */
function steps(widths: readonly number[]): Block[] {
  return widths.slice(1).flatMap((to, i) => step(widths[i], to));
}

/** Images [N, inChannels, H, W], of at least 2 pixels each way for each pooling → logits [N, classes, H, W]. Keys: `encoder.0.0.weight`, `decoder.0.0.weight`. */
export class SegNet<K extends number = number, C extends number = number> extends Segmenter<'SegNet', K, C, 'pixels'> {
  readonly encoder: readonly Block[];
  readonly decoder: readonly Block[];
  private readonly pool: MaxPool2d<2, { readonly stride: 2 }>;
  private readonly unpool: MaxUnpool2d<2>;

  constructor(options: SegNetOptions<K, C> = {}) {
    checkOptions(new.target.name, options, SEG_NET_OPTIONS);
    super(options);
    const stages: readonly (readonly number[])[] = options.stages ?? VGG_STAGES;
    checkStages('SegNet', stages);
    const inputs = stages.map((_, i) => (i === 0 ? this.inChannels : stages[i - 1][stages[i - 1].length - 1]));
    this.encoder = stages.map((stage, i) => inOrder(...steps([inputs[i], ...stage])));
    const backwards = stages.map((stage) => [...stage].reverse());
    this.decoder = backwards
      .map((stage, i) => {
        if (i > 0) return inOrder(...steps([...stage, inputs[i]]));
        return inOrder(...steps(stage), conv(stage[stage.length - 1], this.classes, 3, { padding: 1 })); // logits: no ReLU behind
      })
      .reverse();
    this.pool = new MaxPool2d(2, { stride: 2 });
    this.unpool = new MaxUnpool2d(2);
    startConvolutions(this);
  }

  protected segment(x: Tensor): Tensor {
    let y = x;
    const pooled = this.encoder.map((block) => {
      const full = block.forward(y);
      const [values, indices] = this.pool.forwardWithIndices(full);
      y = values;
      return { indices, size: full.shape.slice(2) };
    });
    for (const [i, block] of this.decoder.entries()) {
      const { indices, size } = pooled[pooled.length - 1 - i];
      y = block.forward(this.unpool.forward(y, indices, size));
    }
    return y;
  }
}

/** 29.5 million parameters with 21 classes (Badrinarayanan et al. 2017). */
export function segnet<const K extends number = 21, const C extends number = 3>(
  options?: SegNetOptions<K, C>,
): SegNet<K, C> {
  return new SegNet(options);
}
