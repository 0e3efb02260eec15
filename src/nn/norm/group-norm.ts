// Normalisation of groups of channels.

import {
  ArgumentError,
  checkOptions,
  formatShape,
  type OptionNames,
  ShapeError,
  sizeOf,
} from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { perChannel, standardise } from '../functional-layers.js';
import * as init from '../init.js';
import { Layer, checkChannels, checkCount, checkFloat } from '../layer.js';
import { Parameter } from '../parameter.js';
import type { GroupNormFn } from '../shape-types/normalisation.js';
import { checkEps } from './check-eps.js';

export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learned scale and shift, one for each channel. Default true. */
  readonly affine?: boolean;
}

const GROUP_NORM_OPTIONS: OptionNames<GroupNormOptions> = { eps: true, affine: true };

/**
 * x [N, C, …]: the channels in `numGroups` groups, each normalised by its own mean and biased variance. PyTorch:
 * nn.GroupNorm (Wu and He 2018).
 */
export class GroupNorm<const C extends number> extends Layer<GroupNormFn<C>> {
  readonly numGroups: number;
  readonly numChannels: C;
  readonly weight: Parameter<[C]> | undefined;
  readonly bias: Parameter<[C]> | undefined;
  readonly eps: number;

  constructor(numGroups: number, numChannels: C, options: GroupNormOptions = {}) {
    checkOptions(new.target.name, options, GROUP_NORM_OPTIONS);
    const { eps = 1e-5, affine = true } = options;
    super();
    checkCount(numGroups, 1, 'GroupNorm: numGroups');
    checkCount(numChannels, 1, 'GroupNorm: numChannels');
    if (numChannels % numGroups !== 0)
      throw new ArgumentError(`GroupNorm: ${numGroups} groups do not divide ${numChannels} channels.`);
    checkEps('GroupNorm', eps);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.weight = affine ? new Parameter<[C]>(init.constant([numChannels] as [C], 1)) : undefined;
    this.bias = affine ? new Parameter<[C]>(init.constant([numChannels] as [C], 0)) : undefined;
    this.eps = eps;
  }

  protected compute(x: Tensor): Tensor {
    checkFloat('GroupNorm', x);
    if (x.rank < 2) throw new ShapeError(`GroupNorm: input ${formatShape(x.shape)}: needs [N, C, ...]`, [x.shape]);
    checkChannels('GroupNorm', x.shape, 1, this.numChannels, 'numChannels');
    const perGroup = sizeOf(x.shape.slice(1)) / this.numGroups;
    const groups = x.reshape([x.shape[0], this.numGroups, perGroup] as readonly number[]);
    const normal = standardise(groups, 2, this.eps).reshape(x.shape);
    return perChannel(normal, this.weight, this.bias);
  }

  protected override describe(): string {
    return `${this.numGroups}, ${this.numChannels}`;
  }
}
