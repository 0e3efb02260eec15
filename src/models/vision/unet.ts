// U-Net (Ronneberger et al. 2015): down through poolings, up through transposed convolutions, and on each level what the way down has
// seen beside what comes from below. As in the paper convolutions are not padded, and what is handed over is cropped; padded, the output
// has the size of the input.

import { ConvTranspose2d, Module, ReLU } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, ShapeError, checkOptions, formatShape } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Conv, conv, inOrder, startConvolutions, maxPool, batchNorm } from './blocks.js';
import { SEGMENTATION_OPTIONS, type SegmentationOptions, Segmenter } from './segmentation.js';

export interface UNetOptions<
  K extends number = number,
  C extends number = number,
  P extends boolean = boolean,
> extends SegmentationOptions<K, C> {
  /** Channels of the first level; each level below has twice as many. Default 64. */
  readonly width?: number;
  /** Poolings on the way down. Default 4. */
  readonly depth?: number;
  /** Whether convolutions keep the size. Default true; the paper's do not: 572×572 gives 388×388. */
  readonly padded?: P;
  /** Batch normalisation behind each convolution. Default false. */
  readonly batchNorm?: boolean;
}

const U_NET_OPTIONS: OptionNames<UNetOptions> = {
  ...SEGMENTATION_OPTIONS,
  width: true,
  depth: true,
  padded: true,
  batchNorm: true,
};

/** The middle of x, in the height and width of `like`. */
function cropped(x: Tensor, like: Tensor): Tensor {
  return [2, 3].reduce((y: Tensor, dim) => {
    const from = Math.floor((x.shape[dim] - like.shape[dim]) / 2);
    return y.slice(dim, from, from + like.shape[dim]);
  }, x);
}

/** A transposed convolution to twice the size and half the channels, the map from the way down, two convolutions. */
class UNetUp extends Module {
  readonly up: Block;
  readonly conv: Block;

  constructor(from: number, convolutions: Block) {
    super();
    this.up = new ConvTranspose2d<number, number, number, { stride: 2 }>(from, from / 2, 2, { stride: 2 });
    this.conv = convolutions;
  }

  forward(x: Tensor, beside: Tensor): Tensor {
    const large = this.up.forward(x);
    return this.conv.forward(cat([cropped(beside, large), large], 1));
  }
}

/**
 * Images [N, inChannels, H, W] → logits [N, classes, H, W] (without padding: smaller). Padded, height and width have to be multiples of
 * 2^depth. Keys: `down.0.0.weight`, `up.0.up.weight`, `up.0.conv.0.weight`, `out.weight`.
 */
export class UNet<K extends number = number, C extends number = number, P extends boolean = boolean> extends Segmenter<
  'UNet',
  K,
  C,
  P extends false ? 'cropped' : 'pixels'
> {
  readonly down: readonly Block[];
  readonly up: readonly UNetUp[];
  readonly out: Conv;
  private readonly pool: Block;
  private readonly padded: boolean;

  constructor(options: UNetOptions<K, C, P> = {}) {
    checkOptions(new.target.name, options, U_NET_OPTIONS);
    super(options, { classes: 2, inChannels: 1 });
    const { width = 64, depth = 4, padded = true, batchNorm: isNormal = false } = options;
    checkCount(width, 1, 'UNet: width');
    checkCount(depth, 1, 'UNet: depth');
    const step = (from: number, to: number): Block[] => [
      conv(from, to, 3, { padding: padded ? 1 : 0, bias: !isNormal }),
      ...(isNormal ? [batchNorm(to)] : []),
      new ReLU(),
    ];
    const twice = (from: number, to: number): Block => inOrder(...step(from, to), ...step(to, to));
    const widths = Array.from({ length: depth + 1 }, (_, i) => width * 2 ** i);
    this.down = widths.map((to, i) => twice(i === 0 ? this.inChannels : widths[i - 1], to));
    this.up = widths
      .slice(0, -1)
      .reverse()
      .map((to) => new UNetUp(2 * to, twice(2 * to, to)));
    this.out = conv(width, this.classes, 1);
    this.pool = maxPool(2);
    this.padded = padded;
    startConvolutions(this);
  }

  protected segment(x: Tensor): Tensor {
    const factor = 2 ** this.up.length;
    if (this.padded && (x.shape[2] % factor !== 0 || x.shape[3] % factor !== 0)) {
      throw new ShapeError(
        `UNet: input ${formatShape(x.shape)}: height and width are not multiples of ${factor}. Pad or resize the images`,
        [x.shape],
      );
    }
    const seen: Tensor[] = [];
    let y = x;
    for (const [i, block] of this.down.entries()) {
      y = block.forward(i === 0 ? y : this.pool.forward(y));
      seen.push(y);
    }
    for (const [i, block] of this.up.entries()) y = block.forward(y, seen[seen.length - 2 - i]);
    return this.out.forward(y);
  }
}

/** Images [N, 1, H, W] → logits [N, 2, H, W]; 31.0 million parameters (Ronneberger et al. 2015). */
export function unet<const K extends number = 2, const C extends number = 1, const P extends boolean = true>(
  options?: UNetOptions<K, C, P>,
): UNet<K, C, P> {
  return new UNet(options);
}
