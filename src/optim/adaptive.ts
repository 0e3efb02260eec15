// Optimisers that scale each number's step by the gradients it has had: Adagrad (Duchi, Hazan and Singer 2011), Adadelta
// (Zeiler 2012), RMSprop (Tieleman and Hinton 2012). Numerically as torch.optim's.

import type { Tensor } from '../tensor/tensor.js';
import { type Clock, type Group, Optimizer, type Params, type Slots, checkRange, number } from './optimizer.js';

export interface AdagradOptions {
  /** Default 1e-2. */
  lr: number;
  /** The rate after t updates is lr / (1 + (t − 1) · lrDecay). Default 0. */
  lrDecay: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
  /** What the sums of squares begin with. Default 0. */
  initialAccumulatorValue: number;
  /** Default 1e-10. */
  eps: number;
}

interface AdagradRates {
  readonly lr: Tensor;
  readonly decay: Tensor | undefined;
  readonly eps: Tensor;
  readonly start: number;
}

/** s ← s + g²;  p ← p − lr · g / (√s + eps). PyTorch: torch.optim.Adagrad. */
export class Adagrad extends Optimizer<AdagradOptions, AdagradRates> {
  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(params, { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 }, options);
  }

  protected check({ lr, lrDecay, weightDecay, initialAccumulatorValue, eps }: AdagradOptions): void {
    checkRange(lr, 'Adagrad: lr', 0);
    checkRange(lrDecay, 'Adagrad: lrDecay', 0);
    checkRange(weightDecay, 'Adagrad: weightDecay', 0);
    checkRange(initialAccumulatorValue, 'Adagrad: initialAccumulatorValue', 0);
    checkRange(eps, 'Adagrad: eps', 0);
  }

  protected rates(group: Group<AdagradOptions>, clock: Clock): AdagradRates {
    return {
      lr: number(() => group.lr / (1 + (clock.step - 1) * group.lrDecay)),
      decay: group.weightDecay === 0 ? undefined : number(() => group.weightDecay),
      eps: number(() => group.eps),
      start: group.initialAccumulatorValue,
    };
  }

  protected move(p: Tensor, gradient: Tensor, { lr, decay, eps, start }: AdagradRates, slots: Slots): Tensor {
    const g = decay === undefined ? gradient : gradient.add(p.mul(decay));
    const sum = slots('sum', start);
    const next = sum.add(g.square());
    sum.assign_(next);
    return p.sub(g.div(next.sqrt().add(eps)).mul(lr));
  }
}

export interface AdadeltaOptions {
  /** Default 1. */
  lr: number;
  /** Decay of both running means of squares. Default 0.9. */
  rho: number;
  /** Default 1e-6. */
  eps: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
}

interface AdadeltaRates {
  readonly lr: Tensor;
  readonly decay: Tensor | undefined;
  readonly rho: Tensor;
  readonly entering: Tensor;
  readonly eps: Tensor;
}

/** s ← ρs + (1−ρ)g²;  Δ = g · √(d + eps) / √(s + eps);  d ← ρd + (1−ρ)Δ²;  p ← p − lr · Δ. PyTorch: torch.optim.Adadelta. */
export class Adadelta extends Optimizer<AdadeltaOptions, AdadeltaRates> {
  constructor(params: Params<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    super(params, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0 }, options);
  }

  protected check({ lr, rho, eps, weightDecay }: AdadeltaOptions): void {
    checkRange(lr, 'Adadelta: lr', 0);
    checkRange(rho, 'Adadelta: rho', 0, 1);
    checkRange(eps, 'Adadelta: eps', 0);
    checkRange(weightDecay, 'Adadelta: weightDecay', 0);
  }

  protected rates(group: Group<AdadeltaOptions>): AdadeltaRates {
    return {
      lr: number(() => group.lr),
      decay: group.weightDecay === 0 ? undefined : number(() => group.weightDecay),
      rho: number(() => group.rho),
      entering: number(() => 1 - group.rho),
      eps: number(() => group.eps),
    };
  }

  protected move(p: Tensor, gradient: Tensor, rates: AdadeltaRates, slots: Slots): Tensor {
    const { lr, decay, rho, entering, eps } = rates;
    const g = decay === undefined ? gradient : gradient.add(p.mul(decay));
    const [square, moved] = [slots('square_avg'), slots('acc_delta')];
    const s = square.mul(rho).add(g.square().mul(entering));
    const delta = moved.add(eps).sqrt().div(s.add(eps).sqrt()).mul(g);
    square.assign_(s);
    moved.assign_(moved.mul(rho).add(delta.square().mul(entering)));
    return p.sub(delta.mul(lr));
  }
}

export interface RMSpropOptions {
  /** Default 1e-2. */
  lr: number;
  /** Decay of the running mean of squares. Default 0.99. */
  alpha: number;
  /** Default 1e-8. */
  eps: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
  /** Part of the last update that is kept. Default 0. */
  momentum: number;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered: boolean;
}

interface RMSpropRates {
  readonly lr: Tensor;
  readonly decay: Tensor | undefined;
  readonly alpha: Tensor;
  readonly entering: Tensor;
  readonly eps: Tensor;
  readonly momentum: Tensor | undefined;
  readonly centered: boolean;
}

/** s ← αs + (1−α)g²;  p ← p − lr · g / (√s + eps). PyTorch: torch.optim.RMSprop. */
export class RMSprop extends Optimizer<RMSpropOptions, RMSpropRates> {
  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(params, { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false }, options);
  }

  protected check({ lr, alpha, eps, weightDecay, momentum }: RMSpropOptions): void {
    checkRange(lr, 'RMSprop: lr', 0);
    checkRange(alpha, 'RMSprop: alpha', 0, 1);
    checkRange(eps, 'RMSprop: eps', 0);
    checkRange(weightDecay, 'RMSprop: weightDecay', 0);
    checkRange(momentum, 'RMSprop: momentum', 0);
  }

  protected rates(group: Group<RMSpropOptions>): RMSpropRates {
    return {
      lr: number(() => group.lr),
      decay: group.weightDecay === 0 ? undefined : number(() => group.weightDecay),
      alpha: number(() => group.alpha),
      entering: number(() => 1 - group.alpha),
      eps: number(() => group.eps),
      momentum: group.momentum === 0 ? undefined : number(() => group.momentum),
      centered: group.centered,
    };
  }

  protected move(p: Tensor, gradient: Tensor, rates: RMSpropRates, slots: Slots): Tensor {
    const { lr, decay, alpha, entering, eps, momentum, centered } = rates;
    const g = decay === undefined ? gradient : gradient.add(p.mul(decay));
    const square = slots('square_avg');
    const s = square.mul(alpha).add(g.square().mul(entering));
    square.assign_(s);
    let variance = s;
    if (centered) {
      const mean = slots('grad_avg');
      const m = mean.add(g.sub(mean).mul(entering));
      mean.assign_(m);
      variance = s.sub(m.square());
    }
    const scaled = g.div(variance.sqrt().add(eps));
    if (momentum === undefined) return p.sub(scaled.mul(lr));
    const buffer = slots('momentum_buffer');
    const next = buffer.mul(momentum).add(scaled);
    buffer.assign_(next);
    return p.sub(next.mul(lr));
  }
}
