// The network of a diffusion model: a U-Net that sees how noisy its pictures are (Ho et al. 2020). Blocks are residual, with group
// normalisation and SiLU; the time goes into each of them; at the lowest level positions look at each other.
//   pictures [N, C, H, W] and times [N] in, numbers of the pictures' shape out.

import { GroupNorm, Module, MultiheadAttention, Upsample, functional, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { arange } from '../../tensor/creation.js';
import { cat } from '../../tensor/functions.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkList,
  checkOptions,
  formatShape,
  sameShape,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type Block, type Conv, conv, linear } from '../vision/blocks.js';

export interface DiffusionUNetOptions {
  /** Channels of the pictures. Default 1. */
  readonly channels?: number;
  /** Channels of the highest level; a multiple of 8. Default 32. */
  readonly width?: number;
  /** Each level's channels as a multiple of `width`; a level has half the height and width of the one above. Default [1, 2, 2]. */
  readonly levels?: readonly number[];
}

export const DIFFUSION_U_NET_OPTIONS: OptionNames<DiffusionUNetOptions> = { channels: true, width: true, levels: true };

const GROUPS = 8;

const { silu } = functional;

const norm = (channels: number): Block => new GroupNorm<number>(GROUPS, channels);

/** Two convolutions beside a shortcut; the time is added to each channel between them. */
class TimedBlock extends Module {
  readonly norm1: Block;
  readonly conv1: Conv;
  readonly time: Block;
  readonly norm2: Block;
  readonly conv2: Conv;
  readonly shortcut: Conv | undefined;

  constructor(from: number, to: number, time: number) {
    super();
    this.norm1 = norm(from);
    this.conv1 = conv(from, to, 3, { padding: 1 });
    this.time = linear(time, to);
    this.norm2 = norm(to);
    this.conv2 = conv(to, to, 3, { padding: 1 });
    this.shortcut = from === to ? undefined : conv(from, to, 1);
    init.zeros_(this.conv2.weight); // a block begins as its shortcut
  }

  forward(x: Tensor, time: Tensor): Tensor {
    const moved: Tensor = this.time.forward(time).unsqueeze(-1).unsqueeze(-1);
    const inner: Tensor = this.conv1.forward(silu(this.norm1.forward(x))).add(moved);
    const change: Tensor = this.conv2.forward(silu(this.norm2.forward(inner)));
    return change.add(this.shortcut === undefined ? x : this.shortcut.forward(x));
  }
}

/** Each position looks at all others. */
class PositionAttention extends Module {
  readonly norm: Block;
  readonly attention: MultiheadAttention<number, { batchFirst: true }>;

  constructor(channels: number) {
    super();
    this.norm = norm(channels);
    this.attention = new MultiheadAttention<number, { batchFirst: true }>(channels, 4, { batchFirst: true });
    init.zeros_(this.attention.outProj.weight);
  }

  forward(x: Tensor): Tensor {
    const rows: Tensor = this.norm.forward(x).flatten(2).transpose(1, 2);
    const [seen] = this.attention.forward(rows, rows, rows, { needWeights: false });
    const change: Tensor = seen;
    return x.add(change.transpose(1, 2).reshape(x.shape));
  }
}

/** The times of the steps as `width` sines and cosines, [N] → [N, width] (Vaswani et al. 2017). */
export function timeEncoding(time: AnyTensor, width: number): Tensor {
  const half = width / 2;
  const rates: Tensor = arange(half)
    .to('float32')
    .mul(-Math.log(10_000) / half)
    .exp();
  const angles: Tensor = time.to('float32').unsqueeze(1).mul(rates);
  return cat([angles.sin(), angles.cos()], 1);
}

/**
 * `forward(x, time)`: noisy pictures [N, channels, H, W] and their times, int32 [N] → the noise in them. Height and width are multiples of
 * 2^(levels − 1).
 */
export class DiffusionUNet extends Module {
  readonly time1: Block;
  readonly time2: Block;
  readonly first: Conv;
  readonly down: readonly TimedBlock[];
  readonly shrink: readonly Conv[];
  readonly middle1: TimedBlock;
  readonly attention: PositionAttention;
  readonly middle2: TimedBlock;
  readonly up: readonly TimedBlock[];
  readonly grow: readonly Conv[];
  readonly norm: Block;
  readonly last: Conv;
  readonly channels: number;
  readonly width: number;
  private readonly larger = new Upsample({ scaleFactor: 2 });

  constructor(options: DiffusionUNetOptions = {}) {
    checkOptions(new.target.name, options, DIFFUSION_U_NET_OPTIONS);
    super();
    const { channels = 1, width = 32, levels = [1, 2, 2] } = options;
    const { name } = this.constructor;
    checkCount(channels, 1, `${name}: channels`);
    checkCount(width, 1, `${name}: width`);
    if (width % GROUPS !== 0) throw new ArgumentError(`${name}: width is ${width}. Use a multiple of ${GROUPS}.`);
    checkList(name, 'levels', levels, 'multiples: [1, 2, 2]');
    if (levels.length === 0) throw new ArgumentError(`${name}: there are no levels. Give at least one: [1, 2, 2].`);
    for (const multiple of levels) checkCount(multiple, 1, `${name}: a level`);
    const widths = levels.map((multiple) => multiple * width);
    const [time, lowest] = [4 * width, widths[widths.length - 1]];
    this.channels = channels;
    this.width = width;
    this.time1 = linear(width, time);
    this.time2 = linear(time, time);
    this.first = conv(channels, width, 3, { padding: 1 });
    this.down = widths.map((to, i) => new TimedBlock(i === 0 ? width : widths[i - 1], to, time));
    this.shrink = widths.slice(0, -1).map((n) => conv(n, n, 3, { stride: 2, padding: 1 }));
    this.middle1 = new TimedBlock(lowest, lowest, time);
    this.attention = new PositionAttention(lowest);
    this.middle2 = new TimedBlock(lowest, lowest, time);
    const rising = [...widths].reverse();
    this.up = rising.map((n) => new TimedBlock(2 * n, n, time));
    this.grow = rising.slice(1).map((to, i) => conv(rising[i], to, 3, { padding: 1 }));
    this.norm = norm(width * levels[0]);
    this.last = conv(width * levels[0], channels, 3, { padding: 1 });
    init.zeros_(this.last.weight);
  }

  forward(x: Tensor, time: AnyTensor): Tensor {
    const { name } = this.constructor;
    checkTensor(x, name, 'the pictures');
    checkTensor(time, name, 'the times');
    const factor = 2 ** this.shrink.length;
    const isFit = x.rank === 4 && x.shape[1] === this.channels && x.shape.slice(2).every((n) => n % factor === 0);
    if (!isFit)
      throw new ShapeError(
        `${name}: pictures ${formatShape(x.shape)}: need [N, ${this.channels}, H, W] with H and W multiples of ${factor}`,
        [x.shape],
      );
    if (!sameShape(time.shape, [x.shape[0]]))
      throw new ShapeError(`${name}: times ${formatShape(time.shape)}: need [${x.shape[0]}], one for each picture`, [
        time.shape,
      ]);
    const encoded: Tensor = silu(this.time1.forward(timeEncoding(time, this.width)));
    const t: Tensor = silu(this.time2.forward(encoded));
    const seen: Tensor[] = [];
    let y: Tensor = this.first.forward(x);
    for (const [i, block] of this.down.entries()) {
      y = block.forward(i === 0 ? y : this.shrink[i - 1].forward(y), t);
      seen.push(y);
    }
    y = this.middle2.forward(this.attention.forward(this.middle1.forward(y, t)), t);
    for (const [i, block] of this.up.entries()) {
      const above: Tensor = i === 0 ? y : this.grow[i - 1].forward(this.larger.forward(y));
      y = block.forward(cat([above, seen[seen.length - 1 - i]], 1), t);
    }
    return this.last.forward(silu(this.norm.forward(y)));
  }
}
