// Published networks whose weights are at hand, as their authors' code has them: MTCNN's three (facenet-pytorch), Silero's voice
// activity detector, GTCRN's speech enhancement. Names of fields are those of their state dicts.
import { type Tensor, cat, pad, stack } from '../../src/index.js';
import {
  BatchNorm2d,
  Conv1d,
  Conv2d,
  type ConvOptions,
  ConvTranspose2d,
  type ConvTransposeOptions,
  GRU,
  LSTMCell,
  LayerNorm,
  Linear,
  MaxPool2d,
  type MaxPoolOptions,
  Module,
  PReLU,
  type RecurrentOptions,
  Tanh,
} from '../../src/nn/index.js';
import type { PerAxis } from '../../src/tensor/shape-types/window.js';

// Types are plain here: sizes are checked when the networks run.

/** A module from one tensor to one, whose sizes are checked when it runs. */
interface Block extends Module {
  forward(x: Tensor): Tensor;
}

/** Both kinds have the same options. */
function convolution(
  isTransposed: boolean,
  from: number,
  to: number,
  kernel: PerAxis,
  options: ConvOptions = {},
): Block {
  if (!isTransposed) return new Conv2d<number, number, PerAxis, ConvOptions>(from, to, kernel, options);
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  if (typeof padding === 'string') throw new Error('transposed convolutions are padded by numbers');
  const transposed = { stride, padding, dilation, groups };
  return new ConvTranspose2d<number, number, PerAxis, ConvTransposeOptions>(from, to, kernel, transposed);
}

const conv = (from: number, to: number, kernel: PerAxis, options: ConvOptions = {}): Block =>
  convolution(false, from, to, kernel, options);
const conv1d = (from: number, to: number, kernel: number, options: ConvOptions = {}): Block =>
  new Conv1d<number, number, number, ConvOptions>(from, to, kernel, options);
const linear = (from: number, to: number, bias = true): Block => new Linear<number, number>(from, to, { bias });
const batchNorm = (channels: number): Block => new BatchNorm2d<number>(channels);
const layerNorm = (...sizes: number[]): Block => new LayerNorm<readonly number[]>(sizes, { eps: 1e-8 });
const prelu = (count = 1): Block => new PReLU(count);
const pool = (size: number): Block => new MaxPool2d<number, MaxPoolOptions>(size, { stride: 2, ceilMode: true });

// ---------------------------------------------------------------- MTCNN

/** The authors' order of features: column, row, channel. */
const flattened = (x: Tensor): Tensor => x.permute([0, 3, 2, 1]).reshape([x.shape[0], -1]);

export class PNet extends Module {
  conv1 = conv(3, 10, 3);
  prelu1 = prelu(10);
  conv2 = conv(10, 16, 3);
  prelu2 = prelu(16);
  conv3 = conv(16, 32, 3);
  prelu3 = prelu(32);
  conv4_1 = conv(32, 2, 1);
  conv4_2 = conv(32, 4, 1);

  forward(images: Tensor): Tensor[] {
    let x: Tensor = pool(2).forward(this.prelu1.forward(this.conv1.forward(images)));
    x = this.prelu2.forward(this.conv2.forward(x));
    x = this.prelu3.forward(this.conv3.forward(x));
    return [this.conv4_2.forward(x), this.conv4_1.forward(x).softmax(1)];
  }
}

export class RNet extends Module {
  conv1 = conv(3, 28, 3);
  prelu1 = prelu(28);
  conv2 = conv(28, 48, 3);
  prelu2 = prelu(48);
  conv3 = conv(48, 64, 2);
  prelu3 = prelu(64);
  dense4 = linear(576, 128);
  prelu4 = prelu(128);
  dense5_1 = linear(128, 2);
  dense5_2 = linear(128, 4);

  forward(images: Tensor): Tensor[] {
    let x: Tensor = pool(3).forward(this.prelu1.forward(this.conv1.forward(images)));
    x = pool(3).forward(this.prelu2.forward(this.conv2.forward(x)));
    x = flattened(this.prelu3.forward(this.conv3.forward(x)));
    x = this.prelu4.forward(this.dense4.forward(x));
    return [this.dense5_2.forward(x), this.dense5_1.forward(x).softmax(1)];
  }
}

export class ONet extends Module {
  conv1 = conv(3, 32, 3);
  prelu1 = prelu(32);
  conv2 = conv(32, 64, 3);
  prelu2 = prelu(64);
  conv3 = conv(64, 64, 3);
  prelu3 = prelu(64);
  conv4 = conv(64, 128, 2);
  prelu4 = prelu(128);
  dense5 = linear(1152, 256);
  prelu5 = prelu(256);
  dense6_1 = linear(256, 2);
  dense6_2 = linear(256, 4);
  dense6_3 = linear(256, 10);

  forward(images: Tensor): Tensor[] {
    let x: Tensor = pool(3).forward(this.prelu1.forward(this.conv1.forward(images)));
    x = pool(3).forward(this.prelu2.forward(this.conv2.forward(x)));
    x = pool(2).forward(this.prelu3.forward(this.conv3.forward(x)));
    x = flattened(this.prelu4.forward(this.conv4.forward(x)));
    x = this.prelu5.forward(this.dense5.forward(x));
    return [this.dense6_2.forward(x), this.dense6_3.forward(x), this.dense6_1.forward(x).softmax(1)];
  }
}

// ---------------------------------------------------------------- Silero VAD, 16 kHz

const BINS = 129;

/** A frame of 576 samples and a state → the probability of speech, and the next state. */
export class SileroVad extends Module {
  stftConv = conv1d(1, 2 * BINS, 256, { stride: 128, bias: false });
  conv1 = conv1d(BINS, 128, 3, { padding: 1 });
  conv2 = conv1d(128, 64, 3, { stride: 2, padding: 1 });
  conv3 = conv1d(64, 64, 3, { stride: 2, padding: 1 });
  conv4 = conv1d(64, 128, 3, { padding: 1 });
  lstmCell = new LSTMCell<number, number>(128, 128);
  finalConv = conv1d(128, 1, 1);

  forward(samples: Tensor, state?: readonly [Tensor, Tensor]): [probability: Tensor, h: Tensor, c: Tensor] {
    const padded: Tensor = pad(samples.unsqueeze(1), [[0, 64]], { mode: 'reflect' });
    const spectrum: Tensor = this.stftConv.forward(padded);
    const [re, im] = [spectrum.narrow(1, 0, BINS), spectrum.narrow(1, BINS, BINS)];
    let x: Tensor = re.square().add(im.square()).sqrt();
    for (const conv of [this.conv1, this.conv2, this.conv3, this.conv4]) x = conv.forward(x).relu();
    const [h, c] = this.lstmCell.forward(x.squeeze(-1), state);
    return [this.finalConv.forward(h.unsqueeze(-1).relu()).sigmoid().squeeze(-1), h, c];
  }
}

// ---------------------------------------------------------------- GTCRN (Rong et al. 2024)

const LOW = 65; // bins that stay, of 257; the others are 64 bands

/** Bins to bands and back. */
class Bands extends Module {
  erbFc = linear(192, 64, false);
  ierbFc = linear(64, 192, false);

  toBands(x: Tensor): Tensor {
    return cat([x.narrow(3, 0, LOW), this.erbFc.forward(x.narrow(3, LOW, 192))], 3);
  }
  toBins(x: Tensor): Tensor {
    return cat([x.narrow(3, 0, LOW), this.ierbFc.forward(x.narrow(3, LOW, 64))], 3);
  }
}

/** Each band with its two neighbours as channels: (B, C, T, F) → (B, 3C, T, F). */
function withNeighbours(x: Tensor): Tensor {
  const [b, c, t, f] = x.shape;
  const wide: Tensor = pad(x, [[1, 1]]);
  return stack(
    [0, 1, 2].map((i) => wide.narrow(3, i, f)),
    2,
  ).reshape([b, 3 * c, t, f]);
}

class TemporalAttention extends Module {
  attGru: GRU<number, number, RecurrentOptions>;
  attFc: Block;
  constructor(channels: number) {
    super();
    this.attGru = new GRU<number, number, RecurrentOptions>(channels, 2 * channels, { batchFirst: true });
    this.attFc = linear(2 * channels, channels);
  }
  forward(x: Tensor): Tensor {
    const energy: Tensor = x.square().mean(3).transpose(1, 2);
    const [out] = this.attGru.forward(energy);
    const weights: Tensor = this.attFc.forward(out).transpose(1, 2).sigmoid();
    return x.mul(weights.unsqueeze(3));
  }
}

interface BlockOptions {
  readonly isTransposed?: boolean;
  readonly groups?: number;
  readonly isLast?: boolean;
}

class ConvBlock extends Module {
  conv: Block;
  bn: Block;
  act: Block;
  constructor(channels: number, out: number, { isTransposed = false, groups = 1, isLast = false }: BlockOptions = {}) {
    super();
    this.conv = convolution(isTransposed, channels, out, [1, 5], { stride: [1, 2], padding: [0, 2], groups });
    this.bn = batchNorm(out);
    this.act = isLast ? new Tanh() : prelu();
  }
  forward(x: Tensor): Tensor {
    return this.act.forward(this.bn.forward(this.conv.forward(x)));
  }
}

/** Grouped temporal convolution: the one half of the channels is convolved, then both are shuffled. */
class TemporalBlock extends Module {
  pointConv1: Block;
  pointBn1 = batchNorm(16);
  pointAct = prelu();
  depthConv: Block;
  depthBn = batchNorm(16);
  depthAct = prelu();
  pointConv2: Block;
  pointBn2 = batchNorm(8);
  tra = new TemporalAttention(8);
  private readonly history: number;

  constructor(dilation: number, isTransposed = false) {
    super();
    this.history = 2 * dilation;
    const depth = { padding: [isTransposed ? this.history : 0, 1], dilation: [dilation, 1], groups: 16 } as const;
    this.pointConv1 = convolution(isTransposed, 24, 16, 1);
    this.depthConv = convolution(isTransposed, 16, 16, 3, depth);
    this.pointConv2 = convolution(isTransposed, 16, 8, 1);
  }

  forward(x: Tensor): Tensor {
    const [b, c, t, f] = x.shape;
    let h: Tensor = withNeighbours(x.narrow(1, 0, c / 2));
    h = this.pointAct.forward(this.pointBn1.forward(this.pointConv1.forward(h)));
    h = pad(h, [
      [this.history, 0],
      [0, 0],
    ]);
    h = this.depthAct.forward(this.depthBn.forward(this.depthConv.forward(h)));
    h = this.tra.forward(this.pointBn2.forward(this.pointConv2.forward(h)));
    return stack([h, x.narrow(1, c / 2, c / 2)], 2).reshape([b, c, t, f]);
  }
}

/** Two recurrent layers, each on one half of the features. */
class GroupedGru extends Module {
  rnn1: GRU<number, number, RecurrentOptions>;
  rnn2: GRU<number, number, RecurrentOptions>;
  constructor(hidden: number, bidirectional: boolean) {
    super();
    this.rnn1 = new GRU<number, number, RecurrentOptions>(8, hidden, { batchFirst: true, bidirectional });
    this.rnn2 = new GRU<number, number, RecurrentOptions>(8, hidden, { batchFirst: true, bidirectional });
  }
  forward(x: Tensor): Tensor {
    const [first] = this.rnn1.forward(x.narrow(2, 0, 8));
    const [second] = this.rnn2.forward(x.narrow(2, 8, 8));
    return cat([first, second], 2);
  }
}

/** Along the bands of each frame, then along the frames of each band. */
class DualPath extends Module {
  intraRnn = new GroupedGru(4, true);
  intraFc = linear(16, 16);
  intraLn = layerNorm(33, 16);
  interRnn = new GroupedGru(8, false);
  interFc = linear(16, 16);
  interLn = layerNorm(33, 16);

  forward(x: Tensor): Tensor {
    const [b, c, t, f] = x.shape;
    const frames: Tensor = x.permute([0, 2, 3, 1]); // (B, T, F, C)
    const along: Tensor = this.intraFc
      .forward(this.intraRnn.forward(frames.reshape([b * t, f, c])))
      .reshape([b, t, f, c]);
    const intra: Tensor = frames.add(this.intraLn.forward(along));
    const bands: Tensor = intra.permute([0, 2, 1, 3]).reshape([b * f, t, c]);
    const across: Tensor = this.interFc
      .forward(this.interRnn.forward(bands))
      .reshape([b, f, t, c])
      .permute([0, 2, 1, 3]);
    return intra.add(this.interLn.forward(across)).permute([0, 3, 1, 2]);
  }
}

/** A spectrum (B, 257, T, 2) → the enhanced one. */
export class Gtcrn extends Module {
  erb = new Bands();
  encoder = {
    en_convs: [
      new ConvBlock(9, 16),
      new ConvBlock(16, 16, { groups: 2 }),
      ...[1, 2, 5].map((d) => new TemporalBlock(d)),
    ],
  };
  dpgrnn1 = new DualPath();
  dpgrnn2 = new DualPath();
  decoder = {
    de_convs: [
      ...[5, 2, 1].map((d) => new TemporalBlock(d, true)),
      new ConvBlock(16, 16, { isTransposed: true, groups: 2 }),
      new ConvBlock(16, 2, { isTransposed: true, isLast: true }),
    ],
  };

  forward(spectrum: Tensor): Tensor {
    const parts: Tensor = spectrum.permute([0, 3, 2, 1]); // (B, 2, T, F)
    const magnitude: Tensor = parts.square().sum(1, { keepdim: true }).add(1e-12).sqrt();
    let x: Tensor = withNeighbours(this.erb.toBands(cat([magnitude, parts], 1)));
    const skips: Tensor[] = [];
    for (const block of this.encoder.en_convs) skips.push((x = block.forward(x)));
    x = this.dpgrnn2.forward(this.dpgrnn1.forward(x));
    for (const block of this.decoder.de_convs) x = block.forward(x.add(skips.pop()!));
    const mask: Tensor = this.erb.toBins(x);
    const [re, im] = [parts.narrow(1, 0, 1), parts.narrow(1, 1, 1)];
    const [mre, mim] = [mask.narrow(1, 0, 1), mask.narrow(1, 1, 1)];
    const enhanced: Tensor = cat([re.mul(mre).sub(im.mul(mim)), im.mul(mre).add(re.mul(mim))], 1);
    return enhanced.permute([0, 3, 2, 1]);
  }
}
