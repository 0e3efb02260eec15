// Convolution layers.

import { ArgumentError } from '../tensor/library.js';
import { conv2d } from '../tensor/functions.js';
import type { Padding, PerAxis } from '../tensor/shape-types/window.js';
import type { Tensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, batched, checkChannels, checkCount, checkWindow, pair } from './layer.js';
import { Parameter } from './parameter.js';
import type { Conv2dFn } from './shape-types.js';
import type { OptionOf } from '../tensor/shape-types/options.js';

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros around: a number, [height, width], 'same' (stride 1) or 'valid'. Default 0. */
  readonly padding?: Padding;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other. Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

type Conv2dShape<In extends number, Out extends number, K extends PerAxis, O> = Conv2dFn<
  In,
  Out,
  K,
  OptionOf<O, 'stride', 1, PerAxis>,
  OptionOf<O, 'padding', 0, Padding>,
  OptionOf<O, 'dilation', 1, PerAxis>
>;

/**
 * x [N, in, H, W] or [in, H, W] → [N, out, H', W'], H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 * weight [out, in / groups, kh, kw] and bias [out] start uniform in ±1/√(in / groups · kh · kw). PyTorch: nn.Conv2d.
 */
export class Conv2d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends Conv2dOptions = {},
> extends Layer<Conv2dShape<In, Out, K, O>> {
  readonly weight: Parameter<[Out, number, number, number]>;
  readonly bias: Parameter<[Out]> | undefined;
  readonly options: Conv2dOptions;

  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O) {
    super();
    this.options = options ?? {};
    const { groups = 1, bias = true } = this.options;
    checkCount(inChannels, 1, 'Conv2d: inChannels');
    checkCount(outChannels, 1, 'Conv2d: outChannels');
    checkCount(groups, 1, 'Conv2d: groups');
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `Conv2d: ${groups} groups do not divide ${inChannels} input and ${outChannels} output channels.`,
      );
    }
    const kernel = pair(kernelSize);
    for (const size of kernel) checkCount(size, 1, 'Conv2d: kernelSize');
    const shape: [Out, number, number, number] = [outChannels, inChannels / groups, ...kernel];
    const bound = 1 / Math.sqrt(init.fans(shape).fanIn); // kaiming_uniform(a = √5)
    this.weight = new Parameter<[Out, number, number, number]>(init.uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter<[Out]>(init.uniform([outChannels], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    const { padding, dilation, stride, groups = 1 } = this.options;
    const [, perGroup, ...kernel] = this.weight.shape;
    return batched('Conv2d', x, (images) => {
      checkChannels('Conv2d', x.shape, x.rank - 3, perGroup * groups, 'inChannels');
      checkWindow('Conv2d', x.shape, kernel, padding, dilation);
      return conv2d(images, this.weight as Tensor, { padding, dilation, stride, groups, bias: this.bias }) as Tensor;
    });
  }

  protected override describe(): string {
    const [out, perGroup, kh, kw] = this.weight.shape;
    const kernel = kh === kw ? `${kh}` : `[${kh}, ${kw}]`;
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    const tail = options.length > 0 ? `, { ${options.join(', ')} }` : '';
    return `${perGroup * (this.options.groups ?? 1)}, ${out}, ${kernel}${tail}`;
  }
}
