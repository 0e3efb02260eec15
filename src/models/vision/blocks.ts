// Building blocks of convolutional networks, with the keys of torchvision's. Channels are numbers that are known when it runs:
// types here are plain, so that a network of a hundred blocks costs the compiler nothing.

import {
  BatchNorm2d,
  type BatchNormOptions,
  LayerNorm,
  type LayerNormOptions,
  MaxPool2d,
  type MaxPoolOptions,
  Conv2d,
  type ConvOptions,
  Hardsigmoid,
  Linear,
  Module,
  ReLU,
  Sequential,
  Sigmoid,
  init,
} from '../../nn/index.js';
import type { PerAxis } from '../../tensor/shape-types/window.js';
import { drop } from '../../tensor/dropout.js';
import type { Tensor } from '../../tensor/tensor.js';

/** A module from one tensor to one, whose sizes are checked when it runs. */
export interface Block extends Module {
  forward(x: Tensor): Tensor;
}

export type Conv = Conv2d<number, number, PerAxis, ConvOptions>;

export function conv(from: number, to: number, kernelSize: PerAxis, options: ConvOptions = {}): Conv {
  return new Conv2d<number, number, PerAxis, ConvOptions>(from, to, kernelSize, options);
}

/** A convolution in front of a batch normalisation, which has the bias. */
export function plainConv(from: number, to: number, kernelSize: PerAxis, options: ConvOptions = {}): Conv {
  return conv(from, to, kernelSize, { bias: false, ...options });
}

export function batchNorm(channels: number, options: BatchNormOptions = {}): BatchNorm2d<number> {
  return new BatchNorm2d<number>(channels, options);
}

export function maxPool(kernelSize: number, options: MaxPoolOptions = {}): Block {
  return new MaxPool2d<number, MaxPoolOptions>(kernelSize, options);
}

export function layerNorm(size: number, options: LayerNormOptions = {}): LayerNorm<number> {
  return new LayerNorm<number>(size, options);
}

export function linear(from: number, to: number): Linear<number, number> {
  return new Linear<number, number>(from, to);
}

/** Blocks one after the other; keys are their positions. */
export type Chain = Sequential<readonly Block[]>;

export function inOrder(...blocks: readonly Block[]): Chain {
  return new Sequential<readonly Block[]>(...blocks);
}

/** The same blocks with another linear layer at the end, for so many classes. */
export function withHead({ layers }: Chain, classes: number): Chain {
  const last = layers[layers.length - 1];
  const inFeatures = last instanceof Linear ? Number(last.weight.shape[1]) : 0;
  return inOrder(...layers.slice(0, -1), linear(inFeatures, classes));
}

/** Blocks one after the other, with keys by name. PyTorch: nn.Sequential of an OrderedDict. */
export class Named extends Module {
  private readonly blocks: Readonly<Record<string, Block>>;

  constructor(blocks: Readonly<Record<string, Block>>) {
    super();
    this.blocks = blocks;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.blocks);
  }

  forward(x: Tensor): Tensor {
    return Object.values(this.blocks).reduce((y, block) => block.forward(y), x);
  }
}

export interface ConvNormOptions extends ConvOptions {
  /** Behind the normalisation; none for null. Default ReLU. */
  readonly activation?: (() => Block) | null;
  readonly norm?: BatchNormOptions;
}

/**
 * Convolution, batch normalisation, activation; padded so that stride 1 keeps the size. torchvision: Conv2dNormActivation, with the keys
 * `0.weight`, `1.weight`.
 */
export function convNorm(from: number, to: number, kernelSize: number, options: ConvNormOptions = {}): Block {
  const { activation = () => new ReLU(), norm, ...rest } = options;
  const dilation = typeof rest.dilation === 'number' ? rest.dilation : 1;
  const padding = ((kernelSize - 1) / 2) * dilation;
  const blocks = [plainConv(from, to, kernelSize, { padding, ...rest }), batchNorm(to, norm)];
  return inOrder(...blocks, ...(activation === null ? [] : [activation()]));
}

/** A multiple of `divisor` near to `channels`, and not below nine tenths of it. */
export function roundChannels(channels: number, divisor = 8): number {
  const rounded = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * channels ? rounded + divisor : rounded;
}

/** The mean of each channel: x [N, C, H, W] → [N, C, 1, 1]. */
export class GlobalMean extends Module {
  forward(x: Tensor): Tensor {
    return x.mean([2, 3], { keepdim: true });
  }
}

export interface SqueezeOptions {
  /** Behind the first convolution. Default ReLU. */
  readonly activation?: Block;
  /** Behind the second one. Default: sigmoid. */
  readonly scale?: 'sigmoid' | 'hardsigmoid';
}

/** Channels weighted by what their means say (Hu et al. 2018). torchvision: SqueezeExcitation. */
export class SqueezeExcitation extends Module {
  readonly fc1: Conv;
  readonly fc2: Conv;
  readonly activation: Block;
  readonly scale: Block;

  constructor(channels: number, squeezed: number, options: SqueezeOptions = {}) {
    super();
    this.fc1 = conv(channels, squeezed, 1);
    this.fc2 = conv(squeezed, channels, 1);
    this.activation = options.activation ?? new ReLU();
    this.scale = options.scale === 'hardsigmoid' ? new Hardsigmoid() : new Sigmoid();
  }

  forward(x: Tensor): Tensor {
    const means: Tensor = x.mean([2, 3], { keepdim: true });
    const weights = this.scale.forward(this.fc2.forward(this.activation.forward(this.fc1.forward(means))));
    return x.mul(weights);
  }
}

/**
 * In training, the branch of a whole sample is zero with probability `p`, the others are divided by 1 − p (Huang et al. 2016).
 * torchvision: StochasticDepth with mode 'row'.
 */
export class StochasticDepth extends Module {
  readonly p: number;

  constructor(p: number) {
    super();
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    return drop(
      x,
      this.p,
      x.shape.map((n, i) => (i === 0 ? n : 1)),
    );
  }

  protected override describe(): string {
    return `${this.p}`;
  }
}

/** A convolution or linear layer of a model, as initialisers see it. */
export interface Affine {
  readonly path: string;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** All convolutions and linear layers of a model, in the order of its keys. */
export function affineLayers(model: Module): Affine[] {
  const found: Affine[] = [];
  for (const [path, m] of model.namedModules())
    if (m instanceof Conv2d || m instanceof Linear) found.push({ path, weight: m.weight, bias: m.bias });
  return found;
}

/** Weights normal with this deviation, cut off at ±2; biases 0. */
export function startNormal(model: Module, std: number): void {
  for (const { weight, bias } of affineLayers(model)) {
    init.truncNormal_(weight, 0, std);
    if (bias !== undefined) init.zeros_(bias);
  }
}

/** Convolutions as He et al. 2015 have it, by what leaves them; biases 0. */
export function startConvolutions(model: Module): void {
  model.apply((m) => {
    if (!(m instanceof Conv2d)) return;
    init.kaimingNormal_(m.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    if (m.bias !== undefined) init.zeros_(m.bias);
  });
}

/** Linear layers normal with this deviation; biases 0. */
export function startLinear(model: Module, std = 0.01): void {
  model.apply((m) => {
    if (!(m instanceof Linear)) return;
    init.normal_(m.weight, 0, std);
    if (m.bias !== undefined) init.zeros_(m.bias);
  });
}
