// Convolution layers, in one, two and three dimensions, and their transposes.

import { ArgumentError, checkChoice, checkOptions, type OptionNames } from '../tensor/library.js';
import { convolve, convolveTransposed } from '../tensor/convolution.js';
import type { Dims, Padding, PerAxis } from '../tensor/shape-types/window.js';
import { type PadPair, padded } from '../functions/padding.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, batched, checkChannels, checkCount, checkFloat, checkWindow, perAxis } from './layer.js';
import { Parameter } from './parameter.js';
import type { ReceptiveField } from './receptive-field.js';
import type { ConvFn, ConvTransposeFn } from './shape-types/windows.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';

export interface ConvOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros around: a number, one for each dimension, 'same' (stride 1) or 'valid'. Default 0. */
  readonly padding?: Padding;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other. Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /**
   * What the padding is: 'zeros' (the default), what lies behind the border as in a mirror ('reflect'), the border ('replicate'), or what
   * is at the other end ('circular').
   */
  readonly paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

const CONV_OPTIONS: OptionNames<ConvOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  paddingMode: true,
};

type ConvOf<
  D extends Dims,
  In extends number,
  Out extends number,
  K extends PerAxis,
  O,
  Name extends string = `Conv${D}d`,
> = ConvFn<
  D,
  In,
  Out,
  K,
  OptionOf<O, 'stride', 1, PerAxis>,
  OptionOf<O, 'padding', 0, Padding>,
  OptionOf<O, 'dilation', 1, PerAxis>,
  Name
>;

type Weight<D extends Dims, First extends number> = {
  1: [First, number, number];
  2: [First, number, number, number];
  3: [First, number, number, number, number];
}[D];

/** Checks what convolutions and their transposes share, and gives the kernel a size for each dimension. */
function checkConv(
  name: string,
  dims: number,
  inChannels: number,
  outChannels: number,
  kernel: PerAxis,
  options: ConvOptions,
): number[] {
  const { groups = 1, stride = 1, padding = 0, dilation = 1 } = options;
  checkCount(inChannels, 1, `${name}: inChannels`);
  checkCount(outChannels, 1, `${name}: outChannels`);
  checkCount(groups, 1, `${name}: groups`);
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ArgumentError(
      `${name}: ${groups} groups do not divide ${inChannels} input and ${outChannels} output channels.`,
    );
  }
  for (const size of perAxis(stride, dims, `${name}: stride`)) checkCount(size, 1, `${name}: stride`);
  for (const size of perAxis(dilation, dims, `${name}: dilation`)) checkCount(size, 1, `${name}: dilation`);
  if (typeof padding !== 'string') {
    for (const size of perAxis(padding, dims, `${name}: padding`)) checkCount(size, 0, `${name}: padding`);
  } else if (padding !== 'same' && padding !== 'valid') {
    throw new ArgumentError(`${name}: padding '${String(padding)}' is not known. Use a number, 'same' or 'valid'.`);
  } else if (padding === 'same' && perAxis(stride, dims, `${name}: stride`).some((size) => size !== 1)) {
    throw new ArgumentError(`${name}: padding 'same' needs stride 1. Give the padding as a number.`);
  }
  if (options.paddingMode !== undefined)
    checkChoice(name, 'paddingMode', options.paddingMode, ['zeros', 'reflect', 'replicate', 'circular']);
  const sizes = perAxis(kernel, dims, `${name}: kernelSize`);
  for (const size of sizes) checkCount(size, 1, `${name}: kernelSize`);
  return sizes;
}

function describeConv(channels: readonly number[], kernel: readonly number[], options: object): string {
  const size = kernel.every((n) => n === kernel[0]) ? `${kernel[0]}` : `[${kernel.join(', ')}]`;
  const given = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `${channels.join(', ')}, ${size}${given.length > 0 ? `, { ${given.join(', ')} }` : ''}`;
}

abstract class Conv<
  D extends Dims,
  In extends number,
  Out extends number,
  K extends PerAxis,
  O extends ConvOptions,
> extends Layer<ConvOf<D, In, Out, K, O>> {
  readonly weight: Parameter<Weight<D, Out>>;
  readonly bias: Parameter<[Out]> | undefined;
  readonly options: ConvOptions;
  private readonly dims: D;

  constructor(dims: D, inChannels: In, outChannels: Out, kernelSize: K, options: O | undefined) {
    checkOptions(new.target.name, options, CONV_OPTIONS);
    super();
    this.dims = dims;
    this.options = options ?? {};
    const { groups = 1, bias = true } = this.options;
    const kernel = checkConv(this.constructor.name, dims, inChannels, outChannels, kernelSize, this.options);
    const shape = [outChannels, inChannels / groups, ...kernel] as Weight<D, Out>;
    const bound = 1 / Math.sqrt(init.fans(shape).fanIn); // kaiming_uniform(a = √5)
    this.weight = new Parameter<Weight<D, Out>>(init.uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter<[Out]>(init.uniform([outChannels], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    const { dilation, stride, groups = 1 } = this.options;
    // what is not zeros is there before the convolution
    const padding = this.isPaddedBefore() ? 0 : this.options.padding;
    const { dims, bias } = this;
    const { name } = this.constructor;
    const [, perGroup, ...kernel] = this.weight.shape as readonly number[];
    checkFloat(name, x);
    return batched(name, x, dims, (given) => {
      checkChannels(name, x.shape, x.rank - dims - 1, perGroup * groups, 'inChannels');
      checkWindow(name, x.shape, kernel, this.options.padding, dilation);
      const images = this.padded(given, kernel);
      return convolve(dims, images, this.weight, { padding, dilation, stride, groups, bias });
    });
  }

  private isPaddedBefore(): boolean {
    const { paddingMode = 'zeros', padding = 0 } = this.options;
    return paddingMode !== 'zeros' && padding !== 0 && padding !== 'valid';
  }

  private padded(x: Tensor, kernel: readonly number[]): Tensor {
    const { paddingMode = 'zeros', padding = 0, dilation = 1 } = this.options;
    if (paddingMode === 'zeros' || !this.isPaddedBefore()) return x;
    const { name } = this.constructor;
    const dilations = perAxis(dilation, this.dims, name);
    const pairs = kernel.map((k, i): PadPair => {
      if (padding !== 'same') {
        const n = perAxis(padding === 'valid' ? 0 : padding, this.dims, name)[i];
        return [n, n];
      }
      const total = dilations[i] * (k - 1);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
    return wrap(padded(name, x.node, pairs, paddingMode));
  }

  protected override window(): ReceptiveField {
    const { padding = 0, dilation = 1, stride = 1 } = this.options;
    const kernel = (this.weight.shape as readonly number[]).slice(2);
    const dilations = perAxis(dilation, this.dims, this.constructor.name);
    const reach = kernel.map((k, i) => dilations[i] * (k - 1));
    const before =
      padding === 'same'
        ? reach.map((n) => Math.floor(n / 2))
        : perAxis(padding === 'valid' ? 0 : padding, this.dims, this.constructor.name);
    return {
      size: reach.map((n) => n + 1),
      stride: perAxis(stride, this.dims, this.constructor.name),
      start: before.map((n) => 0 - n),
    };
  }

  protected override describe(): string {
    const [out, perGroup, ...kernel] = this.weight.shape as readonly number[];
    return describeConv([perGroup * (this.options.groups ?? 1), out], kernel, this.options);
  }
}

/**
 * x [N, in, L] or [in, L] → [N, out, L'], L' = ⌊(L + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 * weight [out, in / groups, k] and bias [out] start uniform in ±1/√(in / groups · k). PyTorch: nn.Conv1d.
 */
export class Conv1d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvOptions = {},
> extends Conv<1, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvOptions>) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * x [N, in, H, W] or [in, H, W] → [N, out, H', W'], H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 * weight [out, in / groups, kh, kw] and bias [out] start uniform in ±1/√(in / groups · kh · kw). PyTorch: nn.Conv2d.
 */
export class Conv2d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvOptions = {},
> extends Conv<2, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvOptions>) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * x [N, in, D, H, W] or [in, D, H, W] → [N, out, D', H', W'], sizes as Conv2d's. weight [out, in / groups, kd, kh, kw] and bias [out]
 * start uniform in ±1/√(in / groups · kd · kh · kw). PyTorch: nn.Conv3d.
 */
export class Conv3d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvOptions = {},
> extends Conv<3, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvOptions>) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

export interface ConvTransposeOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** What the convolution that this one transposes pads with: cut off here. Default 0. */
  readonly padding?: PerAxis;
  /** Added to the output size at its end; below the stride or the dilation. Default 0. */
  readonly outputPadding?: PerAxis;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

const CONV_TRANSPOSE_OPTIONS: OptionNames<ConvTransposeOptions> = {
  stride: true,
  padding: true,
  outputPadding: true,
  dilation: true,
  groups: true,
  bias: true,
};

type ConvTransposeOf<D extends Dims, In extends number, Out extends number, K extends PerAxis, O> = ConvTransposeFn<
  D,
  In,
  Out,
  K,
  OptionOf<O, 'stride', 1, PerAxis>,
  OptionOf<O, 'padding', 0, PerAxis>,
  OptionOf<O, 'outputPadding', 0, PerAxis>,
  OptionOf<O, 'dilation', 1, PerAxis>
>;

abstract class ConvTranspose<
  D extends Dims,
  In extends number,
  Out extends number,
  K extends PerAxis,
  O extends ConvTransposeOptions,
> extends Layer<ConvTransposeOf<D, In, Out, K, O>> {
  readonly weight: Parameter<Weight<D, In>>;
  readonly bias: Parameter<[Out]> | undefined;
  readonly options: ConvTransposeOptions;
  private readonly dims: D;

  constructor(dims: D, inChannels: In, outChannels: Out, kernelSize: K, options: O | undefined) {
    checkOptions(new.target.name, options, CONV_TRANSPOSE_OPTIONS);
    super();
    this.dims = dims;
    this.options = options ?? {};
    const { groups = 1, bias = true, stride = 1, dilation = 1, outputPadding = 0 } = this.options;
    const { name } = this.constructor;
    const kernel = checkConv(name, dims, inChannels, outChannels, kernelSize, this.options);
    const [strides, dilations] = [perAxis(stride, dims, name), perAxis(dilation, dims, name)];
    perAxis(outputPadding, dims, `${name}: outputPadding`).forEach((extra, i) => {
      checkCount(extra, 0, `${name}: outputPadding`);
      if (extra < Math.max(strides[i], dilations[i])) return;
      throw new ArgumentError(
        `${name}: outputPadding ${extra} is not below stride ${strides[i]} or dilation ${dilations[i]}.`,
      );
    });
    const shape = [inChannels, outChannels / groups, ...kernel] as Weight<D, In>;
    const bound = 1 / Math.sqrt(init.fans(shape).fanIn); // PyTorch takes the second dimension here too: out / groups
    this.weight = new Parameter<Weight<D, In>>(init.uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter<[Out]>(init.uniform([outChannels], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    const { dims, bias } = this;
    const { name } = this.constructor;
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    checkFloat(name, x);
    return batched(name, x, dims, (images) => {
      checkChannels(name, x.shape, x.rank - dims - 1, this.weight.shape[0], 'inChannels');
      const options = { stride, padding, outputPadding, dilation, groups, bias };
      return convolveTransposed(dims, images, this.weight, options);
    });
  }

  protected override describe(): string {
    const [first, perGroup, ...kernel] = this.weight.shape as readonly number[];
    return describeConv([first, perGroup * (this.options.groups ?? 1)], kernel, this.options);
  }
}

/** x [N, in, L] or [in, L] → [N, out, L']; size, weight and initialisation as ConvTranspose2d's. PyTorch: nn.ConvTranspose1d. */
export class ConvTranspose1d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvTransposeOptions = {},
> extends ConvTranspose<1, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvTransposeOptions>) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * x [N, in, H, W] or [in, H, W] → [N, out, H', W'], the gradient of a convolution with respect to its input as a layer:
 * H' = (H − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1. weight [in, out / groups, kh, kw] and bias [out]
 * start uniform in ±1/√(out / groups · kh · kw). PyTorch: nn.ConvTranspose2d.
 */
export class ConvTranspose2d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvTransposeOptions = {},
> extends ConvTranspose<2, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvTransposeOptions>) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * x [N, in, D, H, W] or [in, D, H, W] → [N, out, D', H', W']; size, weight [in, out / groups, kd, kh, kw] and initialisation as
 * ConvTranspose2d's. PyTorch: nn.ConvTranspose3d.
 */
export class ConvTranspose3d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends ConvTransposeOptions = {},
> extends ConvTranspose<3, In, Out, K, O> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, ConvTransposeOptions>) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

export interface DepthwiseSeparableOptions {
  /** Of the depthwise convolution. Default 1. */
  readonly stride?: PerAxis;
  /** Of the depthwise convolution. Default 0. */
  readonly padding?: Padding;
  /** Of the depthwise convolution. Default 1. */
  readonly dilation?: PerAxis;
  /** Of both convolutions. Default true. */
  readonly bias?: boolean;
}

const DEPTHWISE_SEPARABLE_OPTIONS: OptionNames<DepthwiseSeparableOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  bias: true,
};

/**
 * A convolution in two steps: `depthwise` sees space in each channel alone (groups = in), `pointwise` (1 × 1) sees the channels
 * at each position. x [N, in, H, W] → [N, out, H', W'] with in·kh·kw + in·out weights instead of in·out·kh·kw.
 * Chollet 2017 (Xception), Howard et al. 2017 (MobileNets).
 */
export class DepthwiseSeparableConv2d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends DepthwiseSeparableOptions = {},
> extends Layer<ConvOf<2, In, Out, K, O, 'DepthwiseSeparableConv2d'>> {
  readonly depthwise: Conv2d<number, number, PerAxis, ConvOptions>;
  readonly pointwise: Conv2d<number, number, 1, ConvOptions>;

  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O & Exact<O, DepthwiseSeparableOptions>) {
    checkOptions(new.target.name, options, DEPTHWISE_SEPARABLE_OPTIONS);
    super();
    const { name } = this.constructor;
    checkCount(inChannels, 1, `${name}: inChannels`);
    checkCount(outChannels, 1, `${name}: outChannels`);
    for (const size of perAxis(kernelSize, 2, `${name}: kernelSize`)) checkCount(size, 1, `${name}: kernelSize`);
    const given: DepthwiseSeparableOptions = options ?? {};
    this.depthwise = new Conv2d(inChannels, inChannels, kernelSize, { ...given, groups: inChannels });
    this.pointwise = new Conv2d(inChannels, outChannels, 1, { bias: given.bias });
  }

  protected compute(x: Tensor): Tensor {
    return this.pointwise.forward(this.depthwise.forward(x));
  }

  protected override window(): ReceptiveField {
    return this.depthwise.receptiveField();
  }
}
