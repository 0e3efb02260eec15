// Swin Transformer (Liu et al. 2021): attention inside windows of 7×7 patches, shifted by half a window in every other block, and four
// patches merged into one between stages. Keys, numerics and initial values are torchvision's.

import { Buffer, Linear, Module, Parameter, init } from '../../nn/index.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { tensor } from '../../tensor/creation.js';
import { dropout as dropped } from '../../tensor/dropout.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Chain, StochasticDepth, conv, inOrder, linear, layerNorm } from './blocks.js';
import { Permute } from './convnext.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';
import { transformerMlp } from './vit.js';

export interface SwinOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Behind attention and network. Default 0. */
  readonly dropout?: number;
  /** Of the attention's weights. Default 0. */
  readonly attentionDropout?: number;
  /** Probability that the last block is left out in training; earlier ones less, in proportion. Default 0.2 (0.3 and 0.5 for S and B). */
  readonly stochasticDepth?: number;
}

const SWIN_OPTIONS: OptionNames<SwinOptions> = {
  ...IMAGE_OPTIONS,
  dropout: true,
  attentionDropout: true,
  stochasticDepth: true,
};

/** Height and width of a window, in patches. */
const WINDOW = 7;
const AREA = WINDOW * WINDOW;

/** For each pair of patches of a window, the row of the table of biases: their distance in rows and columns. */
function relativePositions(): Int32Array {
  const index = new Int32Array(AREA * AREA);
  for (let i = 0; i < AREA; i++) {
    for (let j = 0; j < AREA; j++) {
      const down = Math.floor(i / WINDOW) - Math.floor(j / WINDOW) + WINDOW - 1;
      const right = (i % WINDOW) - (j % WINDOW) + WINDOW - 1;
      index[i * AREA + j] = down * (2 * WINDOW - 1) + right;
    }
  }
  return index;
}

/** Which part of the image each row (or column) of the shifted image is from: windows must not look across. */
function regions(size: number, shift: number): number[] {
  if (shift === 0) return new Array<number>(size).fill(0);
  return Array.from({ length: size }, (_, i) => (i < size - WINDOW ? 0 : i < size - shift ? 1 : 2));
}

/** [windows, 1, 49, 49]: −100 where two patches of a window are from different parts of the image. */
function shiftMask(height: number, width: number, shifts: readonly [number, number]): Tensor {
  const [rows, columns] = [regions(height, shifts[0]), regions(width, shifts[1])];
  const [down, across] = [height / WINDOW, width / WINDOW];
  const mask = new Float32Array(down * across * AREA * AREA);
  for (let w = 0; w < down * across; w++) {
    const [top, left] = [Math.floor(w / across) * WINDOW, (w % across) * WINDOW];
    const part = (i: number): number => 3 * rows[top + Math.floor(i / WINDOW)] + columns[left + (i % WINDOW)];
    for (let i = 0; i < AREA; i++)
      for (let j = 0; j < AREA; j++) if (part(i) !== part(j)) mask[(w * AREA + i) * AREA + j] = -100;
  }
  return tensor(mask, { shape: [down * across, 1, AREA, AREA] });
}

class WindowAttention extends Module {
  readonly relativePositionBiasTable: Parameter;
  readonly relativePositionIndex: Buffer<[number], 'int32'>;
  readonly qkv: Linear<number, number>;
  readonly proj: Linear<number, number>;
  private readonly heads: number;
  private readonly shift: number;
  private readonly dropout: number;
  private readonly attentionDropout: number;

  constructor(width: number, heads: number, shift: number, options: SwinOptions) {
    super();
    this.relativePositionBiasTable = new Parameter(init.truncNormal([(2 * WINDOW - 1) ** 2, heads], 0, 0.02));
    this.relativePositionIndex = new Buffer<[number], 'int32'>(tensor(relativePositions()));
    this.qkv = linear(width, 3 * width);
    this.proj = linear(width, width);
    this.heads = heads;
    this.shift = shift;
    this.dropout = options.dropout ?? 0;
    this.attentionDropout = options.attentionDropout ?? 0;
  }

  /** x [N, H, W, C] → the same shape. */
  forward(x: Tensor): Tensor {
    const [batch, height, width, channels] = x.shape;
    const [tall, wide] = [height, width].map((n) => Math.ceil(n / WINDOW) * WINDOW);
    const padded: Tensor = x.pad([
      [0, tall - height],
      [0, wide - width],
      [0, 0],
    ]);
    // an image of one window has nothing to look across
    const shifts: [number, number] = [tall > WINDOW ? this.shift : 0, wide > WINDOW ? this.shift : 0];
    const shifted: Tensor = padded.roll(-shifts[0], 1).roll(-shifts[1], 2);
    const windows = (tall / WINDOW) * (wide / WINDOW);
    // (N, H, W, C) → (N · windows, 49, C)
    const apart: Tensor = shifted.reshape([batch, tall / WINDOW, WINDOW, wide / WINDOW, WINDOW, channels]);
    const rows: Tensor = apart.permute([0, 1, 3, 2, 4, 5]).reshape([batch, windows, AREA, channels]);
    const seen: Tensor = this.attend(rows, shifts[0] + shifts[1] > 0 ? shiftMask(tall, wide, shifts) : undefined);
    const back: Tensor = seen.reshape([batch, tall / WINDOW, wide / WINDOW, WINDOW, WINDOW, channels]);
    const whole: Tensor = back.permute([0, 1, 3, 2, 4, 5]).reshape([batch, tall, wide, channels]);
    return whole.roll(shifts[0], 1).roll(shifts[1], 2).slice(1, 0, height).slice(2, 0, width);
  }

  /** x [N, windows, 49, C] → the same shape. */
  private attend(x: Tensor, mask: Tensor | undefined): Tensor {
    const [batch, windows, , channels] = x.shape;
    const { heads } = this;
    const split = (t: Tensor): Tensor => t.reshape([batch, windows, AREA, heads, channels / heads]).transpose(2, 3); // (N, windows, heads, 49, C / heads)
    const [q, k, v] = this.qkv
      .forward(x)
      .chunk(3, -1)
      .map((t) => split(t));
    const table: Tensor = this.relativePositionBiasTable.indexSelect(0, this.relativePositionIndex);
    const bias: Tensor = table.reshape([AREA, AREA, heads]).permute([2, 0, 1]);
    const scores: Tensor = mask === undefined ? bias : bias.add(mask);
    const mixed: Tensor = scaledDotProductAttention(q, k, v, {
      mask: scores,
      dropout: this.training ? this.attentionDropout : 0,
    });
    const joined: Tensor = mixed.transpose(2, 3).reshape([batch, windows, AREA, channels]);
    return this.dropped(this.proj.forward(joined));
  }

  private dropped(x: Tensor): Tensor {
    return this.training && this.dropout > 0 ? dropped(x, this.dropout) : x;
  }
}

class SwinBlock extends Module {
  readonly norm1: Block;
  readonly attn: WindowAttention;
  readonly stochasticDepth: StochasticDepth;
  readonly norm2: Block;
  readonly mlp: Block;

  constructor(width: number, attention: WindowAttention, depth: number, dropout: number) {
    super();
    this.norm1 = layerNorm(width);
    this.attn = attention;
    this.stochasticDepth = new StochasticDepth(depth);
    this.norm2 = layerNorm(width);
    this.mlp = transformerMlp(width, 4 * width, dropout);
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = x.add(this.stochasticDepth.forward(this.attn.forward(this.norm1.forward(x))));
    return y.add(this.stochasticDepth.forward(this.mlp.forward(this.norm2.forward(y))));
  }
}

/** Squares of four patches as one of twice the features: x [N, H, W, C] → [N, ⌈H/2⌉, ⌈W/2⌉, 2·C]. */
class PatchMerging extends Module {
  readonly reduction: Linear<number, number>;
  readonly norm: Block;

  constructor(width: number) {
    super();
    this.reduction = new Linear<number, number>(4 * width, 2 * width, { bias: false });
    this.norm = layerNorm(4 * width);
  }

  forward(x: Tensor): Tensor {
    const [batch, height, width, channels] = x.shape;
    const even: Tensor = x.pad([
      [0, height % 2],
      [0, width % 2],
      [0, 0],
    ]);
    const [down, across] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const apart: Tensor = even.reshape([batch, down, 2, across, 2, channels]);
    const corner = (row: number, column: number): Tensor => apart.select(4, column).select(2, row);
    const four: Tensor = cat([corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)], -1);
    return this.reduction.forward(this.norm.forward(four));
  }
}

/** Images [N, inChannels, H, W] → logits [N, classes]. torchvision: SwinTransformer. */
export class SwinTransformer<K extends number = number, C extends number = number> extends ImageClassifier<
  'SwinTransformer',
  K,
  C
> {
  readonly features: Chain;
  readonly norm: Block;
  head: Linear<number, number>;

  /** `width`: features of a patch in the first stage; `counts` and `heads` of the four stages. */
  constructor(
    width: number,
    counts: readonly [number, number, number, number],
    heads: readonly [number, number, number, number],
    options: SwinOptions<K, C> = {},
  ) {
    checkOptions(new.target.name, options, SWIN_OPTIONS);
    super(options);
    const { dropout = 0, attentionDropout = 0, stochasticDepth = 0.2 } = options;
    checkDropout('SwinTransformer', dropout);
    checkDropout('SwinTransformer', attentionDropout, 'attentionDropout');
    checkDropout('SwinTransformer', stochasticDepth, 'stochasticDepth');
    const total = counts.reduce((a, b) => a + b);
    let number = 0;
    const patches = conv(this.inChannels, width, 4, { stride: 4 });
    const parts: Block[] = [inOrder(patches, new Permute(0, 2, 3, 1), layerNorm(width))];
    counts.forEach((count, stage) => {
      const size = width * 2 ** stage;
      const blocks = Array.from({ length: count }, (_, i) => {
        const attention = new WindowAttention(size, heads[stage], i % 2 === 0 ? 0 : Math.floor(WINDOW / 2), options);
        return new SwinBlock(size, attention, (stochasticDepth * number++) / (total - 1), dropout);
      });
      parts.push(inOrder(...blocks));
      if (stage < counts.length - 1) parts.push(new PatchMerging(size));
    });
    this.features = inOrder(...parts);
    this.norm = layerNorm(width * 8);
    this.head = linear(width * 8, this.classes);
    this.apply((m) => {
      if (!(m instanceof Linear)) return;
      init.truncNormal_(m.weight, 0, 0.02);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
  }

  protected setHead(classes: number): void {
    this.head = linear(Number(this.head.weight.shape[1]), classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.head.forward(this.norm.forward(this.features.forward(x)).mean([1, 2]));
  }
}

type Net = <const K extends number = 1000, const C extends number = 3>(
  options?: SwinOptions<K, C>,
) => SwinTransformer<K, C>;

/** 28.3 million parameters with 1000 classes. torchvision: swin_t. */
export const swinT: Net = (options) => new SwinTransformer(96, [2, 2, 6, 2], [3, 6, 12, 24], options);
/** 49.6 million parameters with 1000 classes. torchvision: swin_s. */
export const swinS: Net = (options) =>
  new SwinTransformer(96, [2, 2, 18, 2], [3, 6, 12, 24], { stochasticDepth: 0.3, ...options });
/** 87.8 million parameters with 1000 classes. torchvision: swin_b. */
export const swinB: Net = (options) =>
  new SwinTransformer(128, [2, 2, 18, 2], [4, 8, 16, 32], { stochasticDepth: 0.5, ...options });
