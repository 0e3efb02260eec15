// Convolution layers.

import { conv2d } from '../tensor/functions.js';
import { ArgumentError, ShapeError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Padding, PerAxis } from '../tensor/shape-types/window.js';
import * as init from './init.js';
import { checkCount } from './checks.js';
import { Layer } from './layer.js';
import { Parameter } from './parameter.js';
import type { Conv2dFn, OptionOf } from './shape-types.js';

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros around: a number, [height, width], 'same' (stride 1) or 'valid'. Default 0. */
  readonly padding?: Padding;
  readonly dilation?: PerAxis;
  /** Channels in groups that do not see each other. Default 1. */
  readonly groups?: number;
  readonly bias?: boolean;
}

/**
 * x [B, in, H, W] → [B, out, H', W'], H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 * weight [out, in / groups, kh, kw] and bias [out] start uniform in ±1/√(in / groups · kh · kw). PyTorch: nn.Conv2d.
 */
export class Conv2d<
  const In extends number,
  const Out extends number,
  const K extends PerAxis,
  const O extends Conv2dOptions = {},
> extends Layer<
  Conv2dFn<
    In,
    Out,
    K,
    OptionOf<O, 'stride', 1, PerAxis>,
    OptionOf<O, 'padding', 0, Padding>,
    OptionOf<O, 'dilation', 1, PerAxis>
  >
> {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly options: Conv2dOptions;

  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O) {
    super();
    this.options = options ?? {};
    const groups = this.options.groups ?? 1;
    checkCount(inChannels, 1, 'Conv2d: inChannels');
    checkCount(outChannels, 1, 'Conv2d: outChannels');
    checkCount(groups, 1, 'Conv2d: groups');
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `Conv2d: ${groups} groups do not divide ${inChannels} input and ${outChannels} output channels.`,
      );
    }
    const [kh, kw] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : (kernelSize as readonly number[]);
    checkCount(kh, 1, 'Conv2d: kernelSize');
    checkCount(kw, 1, 'Conv2d: kernelSize');
    const shape = [outChannels, inChannels / groups, kh, kw];
    const bound = 1 / Math.sqrt(init.fans(shape).fanIn);
    this.weight = new Parameter(init.uniform(shape, -bound, bound));
    this.bias = (this.options.bias ?? true) ? new Parameter(init.uniform([outChannels], -bound, bound)) : undefined;
  }

  protected compute(x: Tensor): Tensor {
    const channels = this.weight.shape[1] * (this.options.groups ?? 1);
    const shape = x.shape.join(', ');
    if (x.rank !== 4) throw new ShapeError(`Conv2d: input [${shape}]: needs [N, C, H, W]`, [x.shape]);
    if (x.shape[1] !== channels)
      throw new ShapeError(`Conv2d: input [${shape}]: channel dimension ${x.shape[1]} is not inChannels ${channels}`, [
        x.shape,
      ]);
    return conv2d(x, this.weight, { ...this.options, bias: this.bias }) as Tensor;
  }
}
