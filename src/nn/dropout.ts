// Dropout: random zeros in training, nothing in evaluation (Srivastava et al. 2014). The shape stays.

import { checkProbability, drop, dropout } from '../tensor/dropout.js';
import { ShapeError, formatShape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { alphaDrop } from './functional-layers.js';
import { Pointwise } from './layer.js';

abstract class RandomDrop extends Pointwise {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkProbability(p, `${this.constructor.name}: p`);
    this.p = p;
  }

  protected compute(x: Tensor): Tensor {
    return this.training ? this.drop(x) : x;
  }

  protected abstract drop(x: Tensor): Tensor;

  protected override describe(): string {
    return `${this.p}`;
  }
}

/**
 * In training, sets each element to zero with probability `p` (default 0.5) and multiplies the others by 1 / (1 − p), with
 * new random numbers in each call; otherwise the identity. PyTorch: nn.Dropout.
 */
export class Dropout extends RandomDrop {
  protected drop(x: Tensor): Tensor {
    return dropout(x, this.p);
  }
}

/** Whole channels are kept or dropped: one draw for each of the first dimensions, batch and channel. */
abstract class ChannelDrop extends RandomDrop {
  protected abstract readonly layout: { readonly ranks: readonly number[]; readonly text: string };

  protected drop(x: Tensor): Tensor {
    const { ranks, text } = this.layout;
    if (!ranks.includes(x.rank)) {
      throw new ShapeError(`${this.constructor.name}: input ${formatShape(x.shape)}: needs ${text}`, [x.shape]);
    }
    const spatial = ranks[0] - 1;
    return drop(
      x,
      this.p,
      x.shape.map((n, i) => (i < x.rank - spatial ? n : 1)),
    );
  }
}

/** x [N, C, L] or [C, L]: drops whole channels. PyTorch: nn.Dropout1d. */
export class Dropout1d extends ChannelDrop {
  protected readonly layout = { ranks: [2, 3], text: '[N, C, L] or [C, L]' };
}

/** x [N, C, H, W] or [C, H, W]: drops whole channels ("spatial dropout", Tompson et al. 2015). PyTorch: nn.Dropout2d. */
export class Dropout2d extends ChannelDrop {
  protected readonly layout = { ranks: [3, 4], text: '[N, C, H, W] or [C, H, W]' };
}

/** x [N, C, D, H, W] or [C, D, H, W]: drops whole channels. PyTorch: nn.Dropout3d. */
export class Dropout3d extends ChannelDrop {
  protected readonly layout = { ranks: [4, 5], text: '[N, C, D, H, W] or [C, D, H, W]' };
}

/**
 * For networks of SELUs: sets each element to SELU's lowest value with probability `p` (default 0.5), then scales and
 * shifts so that mean 0 and variance 1 stay (Klambauer et al. 2017). PyTorch: nn.AlphaDropout.
 */
export class AlphaDropout extends RandomDrop {
  protected drop(x: Tensor): Tensor {
    const { p } = this;
    return alphaDrop(x, p, x.shape);
  }
}
