// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), numerically as torch.optim's: bias corrections in
// double precision on the host, eps outside the square root.

import type { Tensor } from '../tensor/tensor.js';
import { type Clock, type Group, Optimizer, type Params, type Slots, checkRange, number } from './optimizer.js';

export interface AdamOptions {
  /** Default 1e-3. */
  lr: number;
  /** Decay of the running mean of gradients and of their squares. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Default 1e-8. */
  eps: number;
  /** Adam: added to the gradient, times the parameter (default 0). AdamW: the parameter shrinks by lr · weightDecay (default 0.01). */
  weightDecay: number;
  /** Divide by the largest running square so far. Default false. */
  amsgrad: boolean;
}

interface Rates {
  readonly decay: Tensor | undefined;
  readonly new1: Tensor;
  readonly beta2: Tensor;
  readonly new2: Tensor;
  readonly eps: Tensor;
  /** lr / (1 − β₁ᵗ) */
  readonly rate: Tensor;
  /** 1 / √(1 − β₂ᵗ) */
  readonly correction: Tensor;
  readonly amsgrad: boolean;
}

abstract class AdamFamily extends Optimizer<AdamOptions, Rates> {
  /** Whether weight decay is apart from the gradient. */
  protected abstract readonly isDecoupled: boolean;

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions>, weightDecay: number) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay, amsgrad: false }, options);
  }

  protected check({ lr, betas, eps, weightDecay }: AdamOptions): void {
    const { name } = this.constructor;
    checkRange(lr, `${name}: lr`, 0);
    checkRange(betas[0], `${name}: betas[0]`, 0, 1);
    checkRange(betas[1], `${name}: betas[1]`, 0, 1);
    checkRange(eps, `${name}: eps`, 0);
    checkRange(weightDecay, `${name}: weightDecay`, 0);
  }

  protected rates(group: Group<AdamOptions>, clock: Clock): Rates {
    const decay = this.isDecoupled ? () => 1 - group.lr * group.weightDecay : () => group.weightDecay;
    return {
      decay: group.weightDecay === 0 ? undefined : number(decay),
      new1: number(() => 1 - group.betas[0]),
      beta2: number(() => group.betas[1]),
      new2: number(() => 1 - group.betas[1]),
      eps: number(() => group.eps),
      rate: number(() => group.lr / (1 - group.betas[0] ** clock.step)),
      correction: number(() => 1 / Math.sqrt(1 - group.betas[1] ** clock.step)),
      amsgrad: group.amsgrad,
    };
  }

  protected move(p: Tensor, g: Tensor, rates: Rates, slots: Slots): Tensor {
    const { decay } = rates;
    if (decay === undefined) return p.sub(scaleByAdam(g, rates, slots));
    if (this.isDecoupled) return p.mul(decay).sub(scaleByAdam(g, rates, slots));
    return p.sub(scaleByAdam(g.add(p.mul(decay)), rates, slots));
  }
}

/** The step m / √v with both corrected for their start at zero, times the learning rate. */
function scaleByAdam(g: Tensor, { new1, beta2, new2, eps, rate, correction, amsgrad }: Rates, slots: Slots): Tensor {
  const [mean, square] = [slots('exp_avg'), slots('exp_avg_sq')];
  const m = mean.add(g.sub(mean).mul(new1));
  const v = square.mul(beta2).add(g.square().mul(new2));
  mean.assign_(m);
  square.assign_(v);
  let size = v;
  if (amsgrad) {
    const largest = slots('max_exp_avg_sq');
    size = largest.maximum(v);
    largest.assign_(size);
  }
  return m.div(size.sqrt().mul(correction).add(eps)).mul(rate);
}

/** PyTorch: torch.optim.Adam. */
export class Adam extends AdamFamily {
  protected readonly isDecoupled = false;

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, 0);
  }
}

/** Adam with weight decay apart from the gradient, 0.01 by default. PyTorch: torch.optim.AdamW. */
export class AdamW extends AdamFamily {
  protected readonly isDecoupled = true;

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, 0.01);
  }
}
